"""Resident memory under connections that are idle, unfinished or slow. Each proxy is started afresh for each scene."""

import contextlib
import select
import socket
import sys
import time

import load
import machine
import proxies
from instructions import receive
from processes import Failed, free_ports, running

IDLE = 5000
UNFINISHED = 6000
HEAD_LINES, HEAD_LINE = 60, 1000
SLOW = 300
# A slow peer takes so many bytes, then rests.
PIECE, REST = 16 << 10, 0.25
SLOW_SECONDS = 10
# Longer than any proxy takes to read what was sent to it, shorter than the 30 s for a head.
SETTLE = 15
# Small, so that a transfer waits in the proxy and not in the kernel.
SOCKET_BUFFER = 64 << 10
DESCRIPTORS = 16384


class Clients(contextlib.ExitStack):
    """Connections to one port, and whether they are still open."""

    def __init__(self, port):
        super().__init__()
        self.port = port
        self.sockets = []
        self.pending = {}

    def connect(self, small=False):
        client = self.enter_context(socket.socket())
        if small:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SOCKET_BUFFER)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SOCKET_BUFFER)
        client.settimeout(30)
        client.connect(("127.0.0.1", self.port))
        self.sockets.append(client)
        return client

    def push(self, client, data):
        """Sends as much as fits and keeps the rest for `advance`."""
        client.setblocking(False)
        self.pending[client] = memoryview(data)

    def advance(self):
        """Sends what fits now of all that was pushed. A connection that the proxy closes is given up."""
        for client, data in list(self.pending.items()):
            try:
                self.pending[client] = data[client.send(data) :]
            except BlockingIOError:
                continue
            except OSError:
                self.pending[client] = b""
            if not self.pending[client]:
                del self.pending[client]

    def refused(self):
        """How many connections have got a response or an end although no request was complete."""
        watch = select.poll()
        for client in self.sockets:
            watch.register(client, select.POLLIN)
        return len(watch.poll(0))


def stable(pid):
    """Waits until resident memory no longer grows, and returns the peak in KiB."""
    until, last, since = time.monotonic() + SETTLE, machine.memory(pid), time.monotonic()
    while time.monotonic() < until and time.monotonic() - since < 1.5:
        time.sleep(0.25)
        now = machine.memory(pid)
        if now > last * 1.005:
            since = time.monotonic()
        last = max(last, now)
    return machine.memory(pid, "VmHWM")


def idle(pid, port, _):
    """KiB for each connection that has had one response and waits for the next request."""
    head = load.TESTS["preflight"].head(port)
    with Clients(port) as clients:

        def one():
            client = clients.connect()
            client.sendall(head)
            receive(client)

        # What the first requests make the proxy allocate is not the connections'.
        for _ in range(100):
            one()
        before = machine.memory(pid)
        for _ in range(IDLE):
            one()
        return {"idle_kib": round((machine.memory(pid) - before) / IDLE, 1)}


def unfinished_heads(pid, port, _):
    """Peak with clients that have sent 60 KB of a head without its end."""
    line = b"X-Filler: " + b"a" * (HEAD_LINE - 12) + b"\r\n"
    head = b"GET /bench/1k HTTP/1.1\r\nHost: 127.0.0.1\r\n" + line * HEAD_LINES
    with Clients(port) as clients:
        for _ in range(UNFINISHED):
            clients.push(clients.connect(), head)
            clients.advance()
        until = time.monotonic() + SETTLE
        while clients.pending and time.monotonic() < until:
            clients.advance()
            time.sleep(0.05)
        return {"heads_mib": round(stable(pid) / 1024, 1), "heads_refused": clients.refused()}


def slow_downloads(pid, port, _):
    """Peak with clients that read 10 MiB each, slowly."""
    head = b"GET /bench/10m HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    with Clients(port) as clients:
        for _ in range(SLOW):
            clients.connect(small=True).sendall(head)
        until, arrived = time.monotonic() + SLOW_SECONDS, 0
        for client in clients.sockets:
            client.setblocking(False)
        while time.monotonic() < until:
            arrived += sum(drain(client) for client in clients.sockets)
            time.sleep(REST)
        if arrived < SLOW * PIECE:
            raise Failed(f"slow downloads: {arrived} bytes arrived")
        return {"downloads_mib": round(machine.memory(pid, "VmHWM") / 1024, 1)}


def slow_uploads(pid, port, sink):
    """Peak with clients that send 10 MiB each, fast, to an upstream that reads slowly."""
    length = 10 << 20
    head = f"PUT /bench/upload HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {length}\r\n\r\n".encode()
    upload = head + bytes(length)
    with Clients(port) as clients, contextlib.ExitStack() as stack:
        for _ in range(SLOW):
            clients.push(clients.connect(small=True), upload)
        taken, until, arrived = [], time.monotonic() + SLOW_SECONDS, 0
        while time.monotonic() < until:
            clients.advance()
            with contextlib.suppress(BlockingIOError):
                while True:
                    taken.append(stack.enter_context(sink.accept()[0]))
                    taken[-1].setblocking(False)
            rest_until = time.monotonic() + REST
            arrived += sum(drain(upstream) for upstream in taken)
            while time.monotonic() < rest_until:
                clients.advance()
                time.sleep(0.02)
        if len(taken) < SLOW or arrived < SLOW * PIECE:
            raise Failed(f"slow uploads: {len(taken)} connections and {arrived} bytes reached the upstream")
        return {"uploads_mib": round(machine.memory(pid, "VmHWM") / 1024, 1)}


def drain(connection):
    """Reads one piece if it is there."""
    with contextlib.suppress(BlockingIOError, ConnectionError):
        return len(connection.recv(PIECE))
    return 0


SCENES = (idle, unfinished_heads, slow_downloads, slow_uploads)


def slow_sink(stack):
    """A listening socket that stands in for a slow upstream. What it accepts has a small buffer too."""
    sink = stack.enter_context(socket.socket())
    sink.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SOCKET_BUFFER)
    sink.bind(("127.0.0.1", 0))
    sink.listen(1024)
    sink.setblocking(False)
    return sink


def measure(compared, folder, cpus):
    """By proxy: the figures of every scene."""
    if not machine.raise_descriptor_limit(DESCRIPTORS):
        raise Failed(f"--memory needs {DESCRIPTORS} open files: raise the hard limit (ulimit -Hn)")
    proxy_cpu, load_cpu = cpus
    found = {}
    with contextlib.ExitStack() as stack:
        (upstream,) = free_ports(1)
        command = proxies.upstream(folder, upstream)
        stack.enter_context(running("upstream-memory", command, upstream, folder, load_cpu))
        sink = slow_sink(stack)
        # A log to nowhere holds nothing.
        for proxy in (each for each in compared if not each.output):
            found[proxy.name] = {}
            for scene in SCENES:
                found[proxy.name] |= run(proxy, scene, sink, upstream, folder, proxy_cpu)
            print(f"{proxy.title}: memory measured", file=sys.stderr)
    return found


def run(proxy, scene, sink, upstream, folder, cpu):
    """One scene with a process of its own."""
    ports = proxies.Ports(*free_ports(2))
    home = folder / f"{proxy.name}-{scene.__name__}"
    home.mkdir()
    command = proxy.command(home, ports, sink.getsockname()[1] if scene is slow_uploads else upstream)
    with running(proxy.name, command, ports.plain, home, cpu, proxy.output) as process:
        machine.forget_peak(process.pid)
        return scene(process.pid, ports.plain, sink)
