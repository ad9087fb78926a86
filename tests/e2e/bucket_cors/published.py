"""The published behaviour tests of Ceph for the rules of a bucket (ceph/s3-tests, `test_set_cors` and `test_cors_*`), as cases of our own.

What they expect is kept, except where S3 itself has changed since: a preflight without a method is 403 (there 400). Their buckets are
readable by everyone; here the requests that must succeed are signed, because not every server has ACLs.
"""

import dataclasses


def _rule(method, *origins, **more):
    return {"AllowedMethods": [method], "AllowedOrigins": list(origins), **more}


ORIGINS = (_rule("GET", "*suffix"), _rule("GET", "start*end"), _rule("GET", "prefix*"), _rule("PUT", "*.put"))
WILDCARD = (_rule("GET", "*"),)
HEADERS = (_rule("GET", "*", ExposeHeaders=["x-amz-meta-header1"]),)

# A bucket, an object that exists and one that does not.
BUCKET, FOO, MISSING = "", "/foo", "/bar"


@dataclasses.dataclass(frozen=True)
class Case:
    """A request to a place in the bucket: with these headers, the status and the grant of the response."""

    test: str
    method: str
    place: str
    status: int
    origin: str | None = None
    asks: str | None = None
    headers: str | None = None
    grant: tuple = (None, None)
    signed: bool = False
    link: str | None = None

    @property
    def name(self):
        said = [
            f"{name} {value}"
            for name, value in (("origin", self.origin), ("for", self.asks), ("with", self.headers))
            if value
        ]
        return f"{self.test}: {self.method} {self.place or 'of the bucket'}{' of a link' if self.link else ''} {', '.join(said)}".strip()


def _reads(test, outcomes):
    for origin, granted in outcomes.items():
        grant = (granted, "GET") if granted else (None, None)
        yield Case(test, "GET", BUCKET, 200, origin, grant=grant, signed=True)


def _preflights(test, place, method, outcomes):
    for origin, granted in outcomes.items():
        yield Case(
            test,
            "OPTIONS",
            place,
            200 if granted else 403,
            origin,
            method,
            grant=(origin, method) if granted else (None, None),
        )


MATCHING = ("foo.suffix", "startend", "start1end", "start12end", "prefix", "prefix.suffix")
OTHERS = ("foo.bar", "foo.suffix.get", "0start12end", "bla.prefix")
RESPONSE = "test_cors_origin_response"

# The rules, and the cases with them.
TESTS = (
    (
        ORIGINS,
        (
            *_reads(RESPONSE, {None: None} | {origin: origin for origin in MATCHING} | dict.fromkeys(OTHERS)),
            Case(RESPONSE, "GET", MISSING, 404, "foo.suffix", grant=("foo.suffix", "GET"), signed=True),
            Case(RESPONSE, "PUT", MISSING, 403, "foo.suffix", "GET", grant=("foo.suffix", "GET")),
            Case(RESPONSE, "PUT", MISSING, 403, "foo.suffix", "PUT"),
            Case(RESPONSE, "PUT", MISSING, 403, "foo.suffix", "DELETE"),
            Case(RESPONSE, "PUT", MISSING, 403, "foo.suffix"),
            Case(RESPONSE, "PUT", MISSING, 403, "foo.put", grant=("foo.put", "PUT")),
            Case(RESPONSE, "OPTIONS", BUCKET, 400),
            Case(RESPONSE, "OPTIONS", BUCKET, 403, "foo.suffix"),
            Case(RESPONSE, "OPTIONS", BUCKET, 403, "bla"),
            *_preflights(RESPONSE, MISSING, "GET", {"foo.suffix": True}),
            *_preflights(RESPONSE, BUCKET, "GET", dict.fromkeys(MATCHING[1:], True) | dict.fromkeys(OTHERS, False)),
            *_preflights(RESPONSE, BUCKET, "GET", {"foo.put": False}),
            *_preflights(RESPONSE, BUCKET, "PUT", {"foo.put": True}),
        ),
    ),
    (
        WILDCARD,
        (
            Case("test_cors_origin_wildcard", "GET", BUCKET, 200, signed=True),
            Case("test_cors_origin_wildcard", "GET", BUCKET, 200, "example.origin", grant=("*", "GET"), signed=True),
        ),
    ),
    (
        HEADERS,
        (Case("test_cors_header_option", "OPTIONS", MISSING, 403, "example.origin", "GET", "x-amz-meta-header2"),),
    ),
    *(
        (
            (_rule(method, "example"),),
            (
                Case(f"test_cors_presigned_{name}", "OPTIONS", FOO, 400, link=name),
                Case(
                    f"test_cors_presigned_{name}",
                    "OPTIONS",
                    FOO,
                    200,
                    "example",
                    method,
                    grant=("example", method),
                    link=name,
                ),
            ),
        )
        for name, method in (("get_object", "GET"), ("put_object", "PUT"))
    ),
)
