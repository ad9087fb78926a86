"""What strangers send to pass for another client, or for a client with TLS. The policies must see through all of it."""

import dataclasses

from chains.policies import ALLOWED, OTHER, target
from chains.wire import request

BY_ADDRESS, INSIDE, BY_SCHEME = "by-address", "inside", "by-scheme"
# How a claim may end: rejected by the policy, as no valid request, or with the connection.
# 426 is Envoy's response to HTTP/1.0.
REFUSED = ("400", "403", "426", "closed")

SIGNED_QUERY = "X-Amz-SignedHeaders=host%3Bx-forwarded-for"
PRESIGNED_QUERY = (
    "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=stranger%2F20260101%2Fus-east-1%2Fs3%2Faws4_request"
    f"&X-Amz-Date=20260101T000000Z&X-Amz-Expires=604800&{SIGNED_QUERY}&X-Amz-Signature={'0' * 64}"
)
OTHER_ALGORITHM = PRESIGNED_QUERY.replace("AWS4-HMAC-SHA256", "none")
TWO_ALGORITHMS = f"{PRESIGNED_QUERY}&X-Amz-Algorithm=none"
BASIC = "Authorization: Basic YTpi"
AUTHORIZATION = "Authorization: AWS4-HMAC-SHA256 SignedHeaders=host;x-forwarded-for"


@dataclasses.dataclass(frozen=True)
class Attempt:
    """A request of a client that the policy does not allow."""

    title: str
    lines: tuple = ()
    bucket: str = BY_ADDRESS
    query: str = ""
    version: str = "1.1"
    # What comes on the connection before the request.
    before: bytes = b""
    http2: bool = False
    # What is in the line `Connection`.
    connection: str = "close"
    # Whether it claims to sign the line, which then has to arrive unchanged: the storage rejects the signature.
    signed: bool = False

    @property
    def target(self):
        return target(self.bucket) + (f"?{self.query}" if self.query else "")

    def content(self, door):
        lines = (*self.lines, f"Connection: {self.connection}")
        return self.before + request(self.target, door.host, lines, version=self.version)

    def make(self, door):
        if self.http2:
            return door.send_http2(OTHER, self.target, self.lines)
        return door.send(OTHER, self.content(door))


NOMINATED = "close, x-forwarded-for"
FOR = f"X-Forwarded-For: {ALLOWED}"
PROXY_V1 = f"PROXY TCP4 {ALLOWED} 127.0.0.1 40000 9000\r\n".encode()
PROXY_V2 = (
    b"\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c"
    + bytes(map(int, ALLOWED.split(".")))
    + b"\x7f\x00\x00\x01"
    + (40000).to_bytes(2, "big")
    + (9000).to_bytes(2, "big")
)

ATTEMPTS = (
    Attempt("`X-Forwarded-For`", (FOR,)),
    Attempt("two lines of it", (FOR, FOR)),
    Attempt("another one first", (f"X-Forwarded-For: {OTHER}", FOR)),
    Attempt("a list that ends with a trusted proxy", (f"{FOR}, 127.0.0.1",)),
    Attempt("`x-fORWARDED-for`", (f"x-fORWARDED-for: {ALLOWED}",)),
    Attempt("`X_Forwarded_For`", (f"X_Forwarded_For: {ALLOWED}",)),
    Attempt("`X-Forwarded_For`", (f"X-Forwarded_For: {ALLOWED}",)),
    Attempt("`X-Forwarded-For :`, with a space", (f"X-Forwarded-For : {ALLOWED}",)),
    Attempt("its value on a continuation line", ("X-Forwarded-For:", f" {ALLOWED}")),
    Attempt("it as a continuation of another line", ("X-Other: a", f" {FOR}")),
    Attempt("`X-Real-IP`", (f"X-Real-IP: {ALLOWED}",)),
    Attempt("`Forwarded: for=`", (f"Forwarded: for={ALLOWED};proto=https",)),
    Attempt("`Forwarded` with `X-Real-IP`", (f'Forwarded: for="{ALLOWED}"', f"X-Real-IP: {ALLOWED}")),
    Attempt("HTTP/1.0", (FOR,), version="1.0"),
    Attempt("HTTP/2, where the proxy speaks it", (FOR.lower(),), http2=True),
    Attempt("named by `X-Amz-SignedHeaders`, unsigned", (FOR,), query=SIGNED_QUERY),
    Attempt("named by a presigned URL's `X-Amz-SignedHeaders`", (FOR,), query=PRESIGNED_QUERY, signed=True),
    Attempt("the same with an algorithm that is none", (FOR,), query=OTHER_ALGORITHM),
    Attempt("the same with two algorithms", (FOR,), query=TWO_ALGORITHMS),
    Attempt(
        "the second of them encoded", (FOR,), query=TWO_ALGORITHMS.replace("&X-Amz-Algorithm=n", "&X-%41mz-Algorithm=n")
    ),
    Attempt("the same in small letters", (FOR,), query=PRESIGNED_QUERY.replace("X-Amz", "x-amz")),
    Attempt("the same without a signature", (FOR,), query=PRESIGNED_QUERY.rstrip("0"), signed=True),
    Attempt("named by `Authorization` of another kind", (FOR, AUTHORIZATION.replace("AWS4", "AWS5"))),
    Attempt("named by `Authorization` of another algorithm", (FOR, AUTHORIZATION.replace("HMAC", "NONE"))),
    Attempt("named by one of two `Authorization`", (BASIC, FOR, AUTHORIZATION)),
    Attempt("named by `Authorization`, unsigned", (FOR, AUTHORIZATION), signed=True),
    Attempt("a PROXY v1 line before the request", before=PROXY_V1),
    Attempt("a PROXY v2 header before the request", before=PROXY_V2),
    Attempt("`Connection: x-forwarded-for`", connection=NOMINATED, bucket=INSIDE),
    Attempt("`Connection: x-forwarded-for`, with an address", (FOR,), connection=NOMINATED),
    Attempt("the storage's side as `X-Forwarded-For`", ("X-Forwarded-For: 127.0.0.1",), bucket=INSIDE),
    Attempt("`X-Forwarded-For` without a value", ("X-Forwarded-For:",), bucket=INSIDE),
    Attempt("`X-Forwarded-Proto: https`", ("X-Forwarded-Proto: https",), bucket=BY_SCHEME),
    Attempt("`X-Forwarded_Proto: https`", ("X-Forwarded_Proto: https",), bucket=BY_SCHEME),
    Attempt(
        "`X-Forwarded-Host`, `-Port`, `-Scheme`",
        (
            "X-Forwarded-Host: storage.internal",
            "X-Forwarded-Port: 443",
            "X-Forwarded-Scheme: https",
        ),
        bucket=BY_SCHEME,
    ),
    Attempt("`Forwarded: proto=https`", (f"Forwarded: by={ALLOWED};proto=https",), bucket=BY_SCHEME),
)

# At a listener with `proxy_protocol`, to which only its proxy may connect.
PROXIED = (
    Attempt("no PROXY header"),
    Attempt("no PROXY header, but `X-Forwarded-For`", (FOR,)),
    Attempt("a PROXY v1 header", before=PROXY_V1),
    Attempt("a PROXY v2 header", before=PROXY_V2),
)
