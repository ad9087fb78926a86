"""What each server says to a signature that does not hold, and whether it says so before it has the body of an upload.

An upload waits for that with `Expect: 100-continue` (RFC 9110 §10.1.1). It is asked with the body withheld, and the body is only sent after
an interim response, or after a silence.
"""

import base64
import contextlib
import dataclasses
import re
import select
import socket
import time
import zlib
from concurrent.futures import ThreadPoolExecutor

from bucket_cors.signature import Request, Signer, ago
from clients.boto3_sdk import connect
from report.wire import send

BUCKET, KEY, UPLOAD = "report", "object.txt", "refused.txt"
CONTENT = b"The upload of the report." * 40
TRAILER = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
# A server that is going to answer without the body does so long before.
PATIENCE = 3
DEADLINE = 30


@dataclasses.dataclass(frozen=True)
class Refused:
    """What a server says to a request: the status, and S3's code and message if there are any."""

    status: int
    code: str
    message: str


@dataclasses.dataclass(frozen=True)
class Upload:
    """What a server says to an upload: first, without the body, and in the end; and how long the first took, in milliseconds."""

    first: str
    last: str
    took: float


@dataclasses.dataclass(frozen=True)
class Seen:
    """Of one server: responses by question, and uploads by how they are signed and whether the signature holds."""

    refused: dict
    uploads: dict

    def before_the_body(self):
        """Whether every upload whose signature does not hold is refused before its body."""
        return all(upload.first == "403" for (_, holds), upload in self.uploads.items() if not holds)

    def slowest(self):
        """The longest time to the first response to an upload, in milliseconds."""
        return max(upload.took for upload in self.uploads.values())


def _signers(server):
    wrong = "wrong-secret-key-0123456789abcdef"
    other = dataclasses.replace(server, address="storage.internal:9000")
    return (
        Signer(server, server.access_key, wrong),
        Signer(other, server.access_key, server.secret_key),
        Signer(server, "GK" + "ab" * 12 if server.name == "garage" else "UNKNOWNACCESSKEY0000", server.secret_key),
        Signer(server, server.access_key, server.secret_key),
    )


def _plain(signer, method="GET", **about):
    """Signed in `Authorization`."""
    return signer.request(method, f"/{BUCKET}/{KEY}", query="", **about)


def _link(signer, method="GET", **about):
    return signer.link(method, f"/{BUCKET}/{KEY}", query=(), **about)


def _questions(server):
    """By name, each request that is not to be believed."""
    wrong, other, unknown, right = _signers(server)
    return {
        "`GET`, a wrong secret key": _plain(wrong),
        "`GET`, signed for another host": _plain(other),
        "`GET` by a link, a wrong secret key": _link(wrong),
        "`GET` by a link that is signed for another host": _link(other),
        "`HEAD`, a wrong secret key": _plain(wrong, "HEAD"),
        "`HEAD` by a link for `GET`": dataclasses.replace(_link(right), method="HEAD"),
        "an access key that does not exist": _plain(unknown),
        "a link that has expired": _link(right, when=ago(seconds=120), seconds=60),
        "signed an hour ago": _plain(right, when=ago(hours=1)),
    }


def _element(name, body):
    found = re.search(rf"<{name}>([^<]*)", body)
    return found[1] if found else ""


def _ask(server, request):
    headers = [("host", server.address), *(pair for pair in request.headers if pair[0] != "host")]
    answer = send(server.address, request.method, request.target, headers)
    return Refused(answer.status, *(_element(name, answer.body) for name in ("Code", "Message")))


def _with_trailer(signer):
    """A body in chunks that are not signed, with a checksum after it."""
    checksum = base64.b64encode(zlib.crc32(CONTENT).to_bytes(4)).decode()
    body = f"{len(CONTENT):x}\r\n".encode() + CONTENT + f"\r\n0\r\nx-amz-checksum-crc32:{checksum}\r\n\r\n".encode()
    about = {
        "content-encoding": "aws-chunked",
        "x-amz-decoded-content-length": str(len(CONTENT)),
        "x-amz-trailer": "x-amz-checksum-crc32",
    }
    head = signer.request("PUT", f"/{BUCKET}/{UPLOAD}", query="", says=TRAILER, headers=about.items())
    kept = [pair for pair in head.headers if pair[0] != "content-length"]
    return Request("PUT", head.target, (*kept, ("content-length", str(len(body)))), body)


WAYS = {
    "signed in `Authorization`": lambda signer: signer.request("PUT", f"/{BUCKET}/{UPLOAD}", query="", body=CONTENT),
    "signed by a link": lambda signer: signer.link("PUT", f"/{BUCKET}/{UPLOAD}", query=(), body=CONTENT),
    "in chunks that are signed": lambda signer: signer.chunked(f"/{BUCKET}/{UPLOAD}", CONTENT, query=""),
    "in chunks with a checksum after them": _with_trailer,
}


def _next_status(reader):
    """The status of the next response, interim or not; its body is not read."""
    status = reader.readline(65536).split()
    while reader.readline(65536).strip():
        pass
    return status[1].decode() if len(status) > 1 else "closed"


def _upload(server, request):
    host, _, port = server.address.rpartition(":")
    lines = [f"{name}: {value}" for name, value in request.headers]
    head = "\r\n".join([f"PUT {request.target} HTTP/1.1", *lines, "Expect: 100-continue", "Connection: close", "", ""])
    with socket.create_connection((host, int(port)), DEADLINE) as connection, connection.makefile("rb") as reader:
        connection.sendall(head.encode())
        began = time.monotonic()
        answered, _, _ = select.select([connection], [], [], PATIENCE)
        took = (time.monotonic() - began) * 1000
        first = _next_status(reader) if answered else "silence"
        if first not in ("100", "silence"):
            return Upload(first, first, took)
        # A server that refuses it now may not wait for all of it.
        with contextlib.suppress(ConnectionError):
            connection.sendall(request.body)
        last = _next_status(reader)
        return Upload(first, _next_status(reader) if last == "100" else last, took)


def measure(server):
    """Everything that is asked of one server."""
    refused = {question: _ask(server, request) for question, request in _questions(server).items()}
    wrong, _, _, right = _signers(server)
    asked = [(way, holds) for way in WAYS for holds in (False, True)]
    with ThreadPoolExecutor(len(asked)) as pool:
        # A silence takes as long as the patience, so all are asked at the same time.
        said = list(pool.map(lambda one: _upload(server, WAYS[one[0]](right if one[1] else wrong)), asked))
    connect(server, server.url).delete_object(Bucket=BUCKET, Key=UPLOAD)
    return Seen(refused, dict(zip(asked, said, strict=True)))
