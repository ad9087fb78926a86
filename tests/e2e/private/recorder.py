"""A storage's address that notes the head of each request which arrives, and passes every byte on."""

import contextlib
import dataclasses
import socket
import threading

END = b"\r\n\r\n"


@dataclasses.dataclass(frozen=True)
class Head:
    method: str
    target: str
    headers: tuple

    def values(self, name):
        return [value for known, value in self.headers if known == name]


def _parse(head):
    first, *lines = head.decode("latin-1").split("\r\n")
    method, _, rest = first.partition(" ")
    target, _, _ = rest.rpartition(" ")
    pairs = (line.partition(":") for line in lines)
    return Head(method, target, tuple((name.lower(), value.strip()) for name, _, value in pairs))


class Recorder:
    def __init__(self, upstream, listener):
        self._upstream = upstream
        self._listener = listener
        self._lock = threading.Lock()
        self._heads = []
        self.address = f"127.0.0.1:{listener.getsockname()[1]}"
        self.url = f"http://{self.address}"

    def take(self):
        """The heads since the last call."""
        with self._lock:
            taken, self._heads = self._heads, []
        return taken

    def accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            host, _, port = self._upstream.rpartition(":")
            server = socket.create_connection((host, int(port)))
            for source, sink, watch in ((client, server, self._watch()), (server, client, None)):
                threading.Thread(target=_pass_on, args=(source, sink, watch), daemon=True).start()

    def _watch(self):
        """Notes each head of a connection before it goes on. A body of these tests is empty or ends as a head does: it is noted as one."""
        rest = b""

        def watch(part):
            nonlocal rest
            rest += part
            while END in rest:
                head, _, rest = rest.partition(END)
                with self._lock:
                    self._heads.append(_parse(head))

        return watch


def _pass_on(source, sink, watch):
    with contextlib.suppress(OSError):
        while part := source.recv(65536):
            if watch:
                watch(part)
            sink.sendall(part)
    for end in (source, sink):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def started(upstream):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        recorder = Recorder(upstream, listener)
        threading.Thread(target=recorder.accept, daemon=True).start()
        try:
            yield recorder
        finally:
            listener.shutdown(socket.SHUT_RDWR)
