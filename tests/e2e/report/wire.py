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


def send(address, method, target, headers):
    """Sends these headers and no others."""
    host, _, port = address.rpartition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=30)
    try:
        connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
        for name, value in headers:
            connection.putheader(name, value)
        connection.endheaders()
        answer = connection.getresponse()
        return Answer(answer.status, tuple(answer.getheaders()), answer.read().decode(errors="replace"))
    finally:
        connection.close()
