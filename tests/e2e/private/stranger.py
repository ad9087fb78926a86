"""Sends what the table says."""

from private import scene, wire


class Stranger:
    """At s3cors, with a token in hand. The words of the table stand for what only a run knows."""

    def __init__(self, address, upstream, token, version):
        self._address = address
        self._words = {"TOKEN": token, "UPSTREAM": upstream, "VERSION": version}
        self._tokens = scene.changed(token)

    def _filled(self, text):
        for name, token in self._tokens.items():
            text = text.replace(f"/~{name}/", f"/~{token}/")
        for word, value in self._words.items():
            text = text.replace(word, value)
        return text

    def http1(self, attempt):
        """The head and the body that come back."""
        host = self._address if attempt.host is None else self._filled(attempt.host)
        first = f"{attempt.method} {self._filled(attempt.target)} HTTP/{attempt.version}"
        lines = [first, f"Host: {host}", *map(self._filled, attempt.lines), f"Connection: {attempt.connection}"]
        content = "\r\n".join([*lines, "", attempt.content])
        return scene.parsed(wire.http1(self._address, content.encode("latin-1")))

    def http2(self, attempt):
        """The status, since the head is compressed, and the body."""
        host = self._address if attempt.host is None else self._filled(attempt.host)
        target = self._filled(attempt.target)
        pseudo = {":method": attempt.method, ":scheme": "http", ":authority": host, ":path": target}
        lines = (self._filled(line).partition(":")[::2] for line in attempt.lines)
        fields = [*pseudo.items(), *((name.lower(), value.strip()) for name, value in lines)]
        return wire.http2(self._address, [(name.encode(), value.encode()) for name, value in fields])
