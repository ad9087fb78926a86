"""The operations of every client, in order, and how to verify each."""

import dataclasses
import hashlib

BUCKET = "clients"
# A name for which any encoding mistake between client, proxy and server breaks the signature.
KEY = "notes/a b+ü.txt"
COPY = "copy.txt"
LARGE = "large.bin"
STREAMED = "streamed.bin"
PRESIGNED = "presigned.txt"
FORM = "form.txt"
MISSING = "missing.txt"

MIB = 1024 * 1024
# Bytes that reveal every mistake of order or length.
CONTENT = bytes((at * 31 ^ at >> 8) & 0xFF for at in range(100_000))
LARGE_CONTENT = b"".join(hashlib.sha512(number.to_bytes(4, "big")).digest() for number in range(13 * MIB // 64 + 1))
SMALL = b"from a presigned request"
RANGE = (70_000, 70_099)
# In pieces of this size the large object takes three.
PART = 5 * MIB


def digest(content):
    """How a client's output names the bytes it received."""
    return f"{len(content)} bytes, sha256 {hashlib.sha256(content).hexdigest()[:16]}"


@dataclasses.dataclass(frozen=True)
class Operation:
    """One operation: what the client's output must contain, whether the server must reject it, and what is stored afterwards."""

    name: str
    says: str = ""
    refused: bool = False
    leaves: tuple = ()


OPERATIONS = (
    Operation("upload", leaves=(KEY, CONTENT)),
    Operation("list", says=KEY),
    Operation("head", says=str(len(CONTENT))),
    Operation("download", says=digest(CONTENT)),
    Operation("range", says=digest(CONTENT[RANGE[0] : RANGE[1] + 1])),
    Operation("copy", leaves=(COPY, CONTENT)),
    Operation("multipart", leaves=(LARGE, LARGE_CONTENT)),
    Operation("streamed", leaves=(STREAMED, LARGE_CONTENT)),
    Operation("presigned_get", says=digest(CONTENT)),
    Operation("presigned_put", leaves=(PRESIGNED, SMALL)),
    Operation("post_form", leaves=(FORM, SMALL)),
    Operation("signed_by_curl", says=digest(SMALL)),
    Operation("missing", refused=True),
    Operation("forbidden", refused=True),
    Operation("delete", leaves=(KEY, None)),
)
