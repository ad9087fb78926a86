"""What s3cors may change in a response, and what it must not."""

import re

# What the proxy and the server each set themselves, or anew for each request. None of it is about the object.
#   connection, keep-alive   of one connection, not end to end (RFC 9110 §7.6.1)
#   date                     Pingora sets it itself, and a second may pass
#   ids of the request       each request has its own
VOLATILE = {"connection", "keep-alive", "date", "x-amz-request-id", "x-amz-id-2"}
IDS = re.compile(r"(<(RequestId|HostId)>)[^<]*")
# The same for all requests of the same second.
TIMES = re.compile(r"\d{8}T\d{6}Z|<ServerTime>[^<]*")


def is_cors(name):
    return name.startswith("access-control-") or name == "vary"


def _kept(answer):
    """What must arrive in the spelling in which it was sent. In which order names come means nothing (RFC 9110 §5.3), and changes
    where a server's own CORS header was taken out; values of one name stay in theirs.
    """
    kept = [(name, value) for name, value in answer.headers if not (is_cors(name.lower()) or name.lower() in VOLATILE)]
    return sorted(kept, key=lambda header: header[0])


def _body(answer):
    return TIMES.sub("", IDS.sub(r"\1", answer.body))


def differences(own, proxied):
    """What s3cors changed in a response and must not; a pair is the server's own response and the one through s3cors."""
    found = []
    if own.status != proxied.status:
        found.append(f"status {own.status} became {proxied.status}")
    if (kept := _kept(own)) != (arrived := _kept(proxied)):
        found.append(f"headers {kept} became {arrived}")
    if _body(own) != _body(proxied):
        found.append(f"body: {own.body[:500]!r} became {proxied.body[:500]!r}")
    # Vary may only grow.
    missing = set(_tokens(own)) - set(_tokens(proxied))
    if missing:
        found.append(f"Vary lost {missing}")
    return found


def _tokens(answer):
    return [token.strip().lower() for value in answer.values("vary") for token in value.split(",")]
