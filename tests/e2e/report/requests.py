"""The requests of the report: the same bytes go to a server and to s3cors in front of it."""

import dataclasses
from urllib.parse import urlsplit

from clients.boto3_sdk import connect

APP = "https://app.example"
PREVIEW = "https://one.preview.example"
EVIL = "https://evil.example"

ORIGIN = "Origin"
METHOD = "Access-Control-Request-Method"
HEADERS = "Access-Control-Request-Headers"

# Of these buckets, `report` has the rules that the report shows, `public` allows GET to every origin, `bare` has no rules, and `nowhere`
# does not exist.
OBJECT = "report/object.txt"
CONTENT = b"The object of the report."


@dataclasses.dataclass(frozen=True)
class Case:
    """One request; an actual one says what is signed. `{etag}` is replaced by the object's."""

    name: str
    method: str
    path: str
    headers: tuple = ()
    operation: str = ""
    wrong_secret: bool = False


def _preflight(name, path, origin=None, method=None, headers=None):
    sent = ((ORIGIN, origin), (METHOD, method), (HEADERS, headers))
    return Case(name, "OPTIONS", path, tuple((key, value) for key, value in sent if value is not None))


def _get(name, path, origin=None, *headers, **about):
    sent = ((ORIGIN, origin),) if origin else ()
    return Case(
        name, about.pop("method", "GET"), path, (*sent, *headers), about.pop("operation", "get_object"), **about
    )


PREFLIGHTS = (
    _preflight("an allowed origin, `GET`", OBJECT, APP, "GET"),
    _preflight("the same for an object that does not exist", "report/missing.txt", APP, "GET"),
    _preflight("the same for the bucket", "report", APP, "GET"),
    _preflight("`PUT`, which the origin's second rule allows", OBJECT, APP, "PUT", "content-type"),
    _preflight("`DELETE`, which no rule allows", OBJECT, APP, "DELETE"),
    _preflight("headers that `x-amz-*` allows", OBJECT, APP, "GET", "x-amz-date,x-amz-user-agent"),
    _preflight("the same in capitals", OBJECT, APP, "GET", "X-Amz-Date"),
    _preflight("a header that the rule does not allow", OBJECT, APP, "GET", "authorization"),
    _preflight("an origin that `https://*.preview.example` allows", OBJECT, PREVIEW, "GET"),
    _preflight("a header for a rule without AllowedHeader", OBJECT, PREVIEW, "GET", "x-any"),
    _preflight("its domain itself", OBJECT, "https://preview.example", "GET"),
    _preflight("the allowed origin in capitals", OBJECT, "https://APP.example", "GET"),
    _preflight("the allowed origin and a slash", OBJECT, f"{APP}/", "GET"),
    _preflight("a forbidden origin", OBJECT, EVIL, "GET"),
    _preflight("the origin `null`", OBJECT, "null", "GET"),
    _preflight("no origin", OBJECT, None, "GET"),
    _preflight("no method", OBJECT, APP),
    _preflight("a method in small letters", OBJECT, APP, "get"),
    _preflight("any origin, where every origin is allowed", "public/object.txt", EVIL, "GET"),
    _preflight("the origin `null`, where every origin is allowed", "public/object.txt", "null", "GET"),
    _preflight("a bucket without rules", "bare/object.txt", APP, "GET"),
    _preflight("a bucket that does not exist", "nowhere/object.txt", APP, "GET"),
)

ACTUAL = (
    _get("`GET`, an allowed origin", OBJECT, APP),
    _get("`GET`, a forbidden origin", OBJECT, EVIL),
    _get("`GET` without an origin", OBJECT),
    _get("`GET` from a pattern's origin", OBJECT, PREVIEW),
    _get("`GET` that asks for `PUT` too", OBJECT, APP, (METHOD, "PUT")),
    _get("`HEAD`", OBJECT, APP, method="HEAD", operation="head_object"),
    _get("206: a range", OBJECT, APP, ("Range", "bytes=4-9")),
    _get("304: not modified", OBJECT, APP, ("If-None-Match", "{etag}")),
    _get("412: a condition that does not hold", OBJECT, APP, ("If-Match", '"another"')),
    _get("416: a range outside of it", OBJECT, APP, ("Range", "bytes=1000-")),
    _get("404: an object that does not exist", "report/missing.txt", APP),
    _get("404 and a forbidden origin", "report/missing.txt", EVIL),
    _get("404: a bucket that does not exist", "nowhere/object.txt", APP),
    _get("403: a wrong signature", OBJECT, APP, wrong_secret=True),
    _get("403: a wrong signature, without an origin", OBJECT, wrong_secret=True),
    _get("`GET` of the list", "report", APP, operation="list_objects_v2"),
    _get("`GET ?location`", "report", APP, operation="get_bucket_location"),
    _get("`GET ?cors`, a bucket without rules", "bare", APP, operation="get_bucket_cors"),
    _get("`GET` where every origin is allowed", "public/object.txt", EVIL),
    _get("the same without an origin", "public/object.txt"),
    _get("`GET` in a bucket without rules", "bare/object.txt", APP),
)


def store(server):
    """Stores the object where the requests expect it, and returns its entity tag."""
    s3 = connect(server, server.url)
    about = {"Body": CONTENT, "ContentType": "text/plain", "Metadata": {"note": "a b"}}
    return [s3.put_object(Bucket=bucket, Key="object.txt", **about)["ETag"] for bucket in ("bare", "public", "report")][
        0
    ]


def target(server, case):
    """The request's target, signed for the server's own name."""
    if not case.operation:
        return f"/{case.path}"
    bucket, _, key = case.path.partition("/")
    signer = connect(server, server.url, "wrong" if case.wrong_secret else None)
    parts = urlsplit(signer.generate_presigned_url(case.operation, {"Bucket": bucket} | ({"Key": key} if key else {})))
    return f"{parts.path}?{parts.query}"


def head(server, case, etag):
    """The headers of the request: the server's own name, even when sent to s3cors."""
    return (("Host", server.address), *((name, value.replace("{etag}", etag)) for name, value in case.headers))
