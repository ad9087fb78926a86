"""What must be refused: each attempt would allow a stranger's origin or take the rules away, and afterwards they are what they were.

`judge` says who refuses where the server has no such operation: the server, which sees the signature, or s3cors. What the server
refuses arrives as the server put it. What only looks like the operation is the server's: it is passed on, and writes no rules.
"""

import dataclasses
from collections.abc import Callable

from bucket_cors.signature import UNSIGNED, Request, ago

SERVER, S3CORS, PASSES = "server", "s3cors", "passes"


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
    Attempt("a request of tomorrow", SERVER, lambda scene: _put(scene, when=ago(days=-1))),
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
