"""What must be refused: each attempt would allow a stranger's origin or take the rules away, and afterwards they are what they were.

`judge` says who refuses where the server has no such operation: the server, which sees the signature, or s3cors. What the server
refuses arrives as the server put it. What only looks like the operation is the server's: it is passed on, and writes no rules. Some is
refused by s3cors in front of every server, before that has seen it.
"""

import dataclasses
from collections.abc import Callable

from bucket_cors.signature import UNSIGNED, Request, ago

SERVER, S3CORS, PASSES, BEFORE = "server", "s3cors", "passes", "before"


@dataclasses.dataclass(frozen=True)
class Attempt:
    name: str
    judge: str
    make: Callable
    # With prior knowledge instead of HTTP/1.1.
    http2: bool = False
    # Whether it needs a user without the permission, which not every server has.
    limited: bool = False


def _without(request, *names):
    return dataclasses.replace(request, headers=tuple(pair for pair in request.headers if pair[0].lower() not in names))


def _anonymous(method):
    return lambda scene: _without(
        scene.owner.request(method, scene.path, body=scene.evil if method == "PUT" else b""),
        "authorization",
        "x-amz-date",
        "x-amz-content-sha256",
    )


def _put(scene, by=None, **about):
    return (by or scene.owner).request("PUT", scene.path, body=scene.evil, **about)


def _swapped(scene):
    """The signature and the hash of the harmless document, with another one of the same length."""
    signed = scene.owner.request("PUT", scene.path, body=scene.harmless)
    return dataclasses.replace(signed, body=scene.evil)


def _claims(**headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda scene: _put(scene, headers=named.items())


def _beside(query):
    return lambda scene: _put(scene, query=query)


def _unsigned_target(scene):
    """Signed as a list of the bucket's objects, sent as a write of its rules."""
    signed = scene.owner.request("GET", scene.path, query="", body=scene.evil)
    length = ("content-length", str(len(scene.evil)))
    return Request(
        "PUT", f"{scene.path}?cors=", (*signed.headers, *(() if length in signed.headers else (length,))), scene.evil
    )


def _broken(method, signature, link=False):
    """With a text in the signature's place that the request has somewhere else too: to break it there would be another request."""

    def make(scene):
        body = scene.evil if method == "PUT" else b""
        signed = (
            scene.owner.link(method, scene.path, body=body)
            if link
            else scene.owner.request(method, scene.path, body=body)
        )
        put = signature.replace("KEY", scene.owner.access_key)
        if link:
            return dataclasses.replace(signed, target=signed.target.rpartition("=")[0] + "=" + put)
        name, value = signed.headers[-1]
        return dataclasses.replace(signed, headers=(*signed.headers[:-1], (name, value.rpartition("=")[0] + "=" + put)))

    return make


def _hiding(*named, **about):
    """With these headers for the first hop only, or so it says."""

    def make(scene):
        signed = _put(scene, **about)
        return dataclasses.replace(
            signed,
            headers=(
                *signed.headers,
                *((name, value) for name, value in named if value),
                ("connection", ", ".join(name for name, _ in named)),
            ),
        )

    return make


def _version2(scene):
    """The harmless document's digest is signed, and hidden from the server; the body is another."""
    signed = scene.owner.version2("PUT", scene.path, scene.harmless)
    return dataclasses.replace(signed, headers=(*signed.headers, ("connection", "content-md5")), body=scene.evil)


def _twice(scene):
    signed = _put(scene, scene.wrong)
    name, value = signed.headers[-1]
    credential = value.partition("Credential=")[2].partition(",")[0]
    return dataclasses.replace(signed, headers=(*signed.headers[:-1], (name, f"{value}, Credential={credential}")))


def _document(text):
    return lambda scene: scene.owner.request("PUT", scene.path, body=text.encode())


RULE = "<CORSRule><AllowedOrigin>{}</AllowedOrigin><AllowedMethod>{}</AllowedMethod></CORSRule>"

ATTEMPTS = (
    Attempt("a user without the permission: PUT", SERVER, lambda scene: _put(scene, scene.limited), limited=True),
    Attempt(
        "a user without the permission: DELETE",
        SERVER,
        lambda scene: scene.limited.request("DELETE", scene.path),
        limited=True,
    ),
    Attempt(
        "a user without the permission: GET",
        SERVER,
        lambda scene: scene.limited.request("GET", scene.path),
        limited=True,
    ),
    Attempt("a wrong secret: PUT", SERVER, lambda scene: _put(scene, scene.wrong)),
    Attempt("a wrong secret: GET", SERVER, lambda scene: scene.wrong.request("GET", scene.path)),
    Attempt("a wrong secret: DELETE", SERVER, lambda scene: scene.wrong.request("DELETE", scene.path)),
    # Ceph RGW says NotImplemented to these for this operation; whether before it has looked at the signature is what matters.
    Attempt("a wrong secret, in chunks", S3CORS, lambda scene: scene.wrong.chunked(scene.path, scene.evil)),
    Attempt("a wrong secret over HTTP/2", SERVER, lambda scene: _put(scene, scene.wrong), http2=True),
    Attempt("an unknown key", SERVER, lambda scene: _put(scene, scene.unknown)),
    Attempt("without any key: PUT", SERVER, _anonymous("PUT")),
    Attempt("without any key: GET", SERVER, _anonymous("GET")),
    Attempt("without any key: DELETE", SERVER, _anonymous("DELETE")),
    Attempt("another body than the signed one", S3CORS, _swapped),
    Attempt("another body than its Content-MD5", S3CORS, _claims(content_md5="1B2M2Y8AsgTpgAmY7PhCfg==")),
    Attempt("another body than its checksum", S3CORS, _claims(x_amz_checksum_crc32="AAAAAA==")),
    Attempt("a body that is not signed, without TLS", S3CORS, lambda scene: _put(scene, says=UNSIGNED)),
    Attempt(
        "another chunk than the signed one",
        S3CORS,
        lambda scene: scene.owner.chunked(scene.path, scene.harmless, scene.evil),
    ),
    Attempt(
        "the signature for another bucket",
        SERVER,
        lambda scene: dataclasses.replace(
            scene.owner.request("PUT", scene.other, body=scene.evil), target=f"{scene.path}?cors="
        ),
    ),
    Attempt("the signature of another operation", SERVER, _unsigned_target),
    Attempt("a request of an hour ago", SERVER, lambda scene: _put(scene, when=ago(hours=1))),
    Attempt("a request of tomorrow", BEFORE, lambda scene: _put(scene, when=ago(days=-1))),
    Attempt(
        "an expired link",
        SERVER,
        lambda scene: scene.owner.link("PUT", scene.path, when=ago(seconds=120), seconds=60, body=scene.evil),
    ),
    Attempt(
        "a link for GET, used to write",
        SERVER,
        lambda scene: dataclasses.replace(scene.owner.link("GET", scene.path, body=scene.evil), method="PUT"),
    ),
    *(
        Attempt(
            f"{signature[:4]} for a signature: {method}{' by a link' if link else ''}",
            SERVER,
            _broken(method, signature, link),
        )
        for signature in ("cors", "KEY", "0" * 64)
        for method in ("PUT", "GET", "DELETE")
        for link in (False, True)
    ),
    Attempt("a newer date that the server does not see", BEFORE, _hiding(("x-amz-date", ""), when=ago(minutes=5))),
    Attempt("the year 2099, hidden", BEFORE, _hiding(("x-amz-date", "20990101T000000Z"))),
    Attempt("a digest that is hidden", BEFORE, _hiding(("x-amz-content-sha256", ""))),
    Attempt("another body by version 2, its digest hidden", BEFORE, _version2),
    Attempt("two credentials", BEFORE, _twice),
    Attempt("beside another subresource", PASSES, _beside("acl=&cors=")),
    Attempt("twice", S3CORS, _beside("cors=&cors=")),
    Attempt("in odd case", PASSES, _beside("CORS=")),
    Attempt("of a key", PASSES, lambda scene: scene.owner.request("PUT", f"{scene.path}/key", body=scene.evil)),
    Attempt(
        "a bucket that does not exist",
        SERVER,
        lambda scene: scene.owner.request("PUT", "/e2e-nowhere", body=scene.evil),
    ),
    Attempt("no document", S3CORS, _document("")),
    Attempt("half a document", S3CORS, _document("<CORSConfiguration>" + RULE.format("https://evil.example", "GET"))),
    Attempt(
        "a method that S3 does not have",
        S3CORS,
        _document(f"<CORSConfiguration>{RULE.format('https://evil.example', 'PATCH')}</CORSConfiguration>"),
    ),
    Attempt(
        "101 rules",
        S3CORS,
        _document(f"<CORSConfiguration>{RULE.format('https://evil.example', 'GET') * 101}</CORSConfiguration>"),
    ),
    Attempt(
        "more than 64 KiB",
        S3CORS,
        _document(f"<CORSConfiguration>{' ' * 70_000}{RULE.format('https://evil.example', 'GET')}</CORSConfiguration>"),
    ),
)
