"""Requests from an address of our choice, byte for byte."""

import dataclasses
import http.client
import os
import socket
import ssl

from harness.processes import output_of

DEADLINE = 20


@dataclasses.dataclass(frozen=True)
class Answer:
    """A response, or what became of a connection without one."""

    outcome: str
    body: str = ""


@dataclasses.dataclass(frozen=True)
class Door:
    """Where a client connects: a port, and whether it speaks TLS there."""

    port: int
    # The certificate to trust, for TLS.
    roots: os.PathLike = None

    @property
    def scheme(self):
        return "https" if self.roots else "http"

    @property
    def host(self):
        return f"127.0.0.1:{self.port}"

    @property
    def url(self):
        return f"{self.scheme}://{self.host}"

    def _connect(self, source):
        connection = socket.create_connection(("127.0.0.1", self.port), DEADLINE, source_address=(source, 0))
        if self.roots is None:
            return connection
        context = ssl.create_default_context(cafile=self.roots)
        return context.wrap_socket(connection, server_hostname="127.0.0.1")

    def send(self, source, content):
        """Sends these bytes from this address, and reads one response."""
        try:
            with self._connect(source) as connection:
                connection.sendall(content)
                answer = http.client.HTTPResponse(connection)
                answer.begin()
                return Answer(str(answer.status), answer.read().decode(errors="replace"))
        # What is no HTTP/1 response is a connection that was closed, or is about to be.
        except (OSError, http.client.HTTPException):
            return Answer("closed")

    def send_http2(self, source, target, lines):
        """Sends a GET over HTTP/2 with curl."""
        command = ["curl", "--silent", "--interface", source, "--output", "-", "--write-out", "\n%{http_code}"]
        command += ["--http2", "--cacert", self.roots] if self.roots else ["--http2-prior-knowledge"]
        for line in lines:
            command += ["--header", line]
        body, _, status = output_of(*command, self.url + target).rpartition("\n")
        return Answer(status, body)


def request(target, host, lines=(), version="1.1", method="GET", content=b""):
    """The bytes of a request. Without a line `Connection` among its own, it is the last on its connection."""
    length = [f"Content-Length: {len(content)}"] if content else []
    last = [] if any(line.startswith("Connection:") for line in lines) else ["Connection: close"]
    head = [f"{method} {target} HTTP/{version}", f"Host: {host}", *lines, *length, *last]
    return "\r\n".join([*head, "", ""]).encode() + content
