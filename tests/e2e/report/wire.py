"""Requests and responses as they are on the wire."""

import dataclasses
import http.client


@dataclasses.dataclass(frozen=True)
class Answer:
    """A response; header names are kept as sent."""

    status: int
    headers: tuple
    body: str

    def values(self, name):
        return [value for known, value in self.headers if known.lower() == name]


def send(address, method, target, headers, body=None):
    """Sends these headers and no others; the length of a body is one of them."""
    host, _, port = address.rpartition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=30)
    try:
        connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
        for name, value in headers:
            connection.putheader(name, value)
        connection.endheaders(body)
        answer = connection.getresponse()
        return Answer(answer.status, tuple(answer.getheaders()), answer.read().decode(errors="replace"))
    finally:
        connection.close()
