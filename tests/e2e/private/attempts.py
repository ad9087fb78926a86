"""Requests of a stranger who knows hosts, prefixes, paths, headers and a token, to read what is not listed.

`open/` and `site/` of `vault` are listed, and a token of `films/7/` in `films` is in hand: TOKEN stands for it in a target. UPSTREAM stands for the
storage's address, VERSION for that of an old content of a listed object.
"""

import dataclasses

VAULT, OTHER, FILMS = "vault", "vault-two", "films"
DOMAIN, PUBLIC, APP = "s3.localhost", "public.localhost", "app.localhost"
LISTED = f"/{VAULT}/open/listed.txt"
# In a header of a response only if a stranger can choose that header.
CHOSEN = "chosen-by-a-stranger"


@dataclasses.dataclass(frozen=True)
class Attempt:
    """One request. `host` is the value of Host, by default s3cors' own address."""

    title: str
    target: str
    lines: tuple = ()
    method: str = "GET"
    host: str = None
    version: str = "1.1"
    # What follows the head.
    content: str = ""
    # A line `Connection` that names more.
    connection: str = "close"
    # What HTTP/2 cannot say: two hosts, a body before its length, a field of a connection.
    http1_only: bool = False


def _paths(title, paths, **about):
    return [Attempt(f"{title}: {path}", path, **about) for path in paths]


# Ways to say "the folder above", to one reader of paths or another.
UP = (
    *("../", "%2e%2e/", "%2E%2E/", ".%2e/", "%2e./", "..%2f", "..%2F", "..//", "./../", "%2e/../"),
    *("..\\", "..%5c", "..%5C", "%2e%2e%2f", "%2e%2e%5c", "..%5c/"),
    *("..;/", ".;/../", "..;x=1/", "..%3b/", ";/../", ".../../../"),
    *("%252e%252e/", "..%252f", "%25252e%25252e/", "%252e%252e%252f", "..%255c"),
    *("%c0%ae%c0%ae/", "..%c0%af", "%c0%ae%c0%ae%c0%af", "%e0%80%ae%e0%80%ae/", "..%c1%9c"),
    *("%u002e%u002e/", "%ef%bc%8e%ef%bc%8e/", "..%ef%bc%8f", "%2%65%2%65/", "..%/", "%2e%2e%0/"),
    *("..%00/", "%00/../", "..%20/", "..%09/", "..%0a/", "..%0d%0a/", "..%7f/"),
    *("x/../../", "x%2f..%2f..%2f", "listed.txt/../../", "listed.txt%2f..%2f..%2f", "x//../../"),
)
# Each is an object that is not listed to some reader of paths, and one below `open/` to another.
READINGS = _paths(
    "two readings",
    [
        *(f"/{VAULT}/open/{up}secret.txt" for up in UP),
        f"/{VAULT}/open%2f..%2fsecret.txt",
        f"/{VAULT}/open%2F%2E%2E%2Fsecret.txt",
        f"/{VAULT}/open%5c..%5csecret.txt",
        f"/{VAULT}/open\\..\\secret.txt",
        f"/{VAULT}/./open/../secret.txt",
        f"/{VAULT}//open/../secret.txt",
        f"/{VAULT}/open/..",
        f"/{VAULT}/open/%2e%2e",
        f"/{VAULT}/open/../",
        f"/{VAULT}/secret.txt%00/open/listed.txt",
        f"/{VAULT}/secret.txt%00open/",
        f"/{VAULT}/secret.txt;/open/listed.txt",
        f"/{VAULT}/secret.txt%3f/open/listed.txt",
        f"/{VAULT}/secret.txt%23/open/listed.txt",
        f"/{VAULT}/secret.txt?/open/listed.txt",
        f"/{VAULT}/secret.txt#/open/listed.txt",
        f"/{VAULT}/secret.txt\\open\\listed.txt",
        f"/{VAULT}/open/listed.txt/../../../{OTHER}/open/secret.txt",
        f"/{VAULT}/open/../../{OTHER}/open/secret.txt",
        f"/{VAULT}/open/%2e%2e/%2e%2e/{OTHER}/open/secret.txt",
        f"/{VAULT}/open%2f..%2f..%2f{OTHER}/open/secret.txt",
        f"/{VAULT}/..%2f{OTHER}/open/secret.txt",
        f"/{VAULT}/../{OTHER}/open/secret.txt",
        f"/{VAULT}%2f..%2f{OTHER}/open/secret.txt",
        f"/{VAULT}%00/../{OTHER}/open/secret.txt",
        f"/{OTHER}/../{VAULT}/open/../secret.txt",
        f"/{OTHER}%2fopen/../../{VAULT}/secret.txt",
        f"//{OTHER}/open/secret.txt",
        f"/%2f{OTHER}/open/secret.txt",
        f"/./{OTHER}/open/secret.txt",
        f"/{VAULT}/open//../secret.txt",
        f"/{VAULT}/open/%2f../secret.txt",
        f"/{VAULT}/open/%2f%2e%2e%2f%2e%2e%2f{OTHER}%2fopen%2fsecret.txt",
    ],
)
# Each is plainly not listed.
UNLISTED = _paths(
    "not listed",
    [
        "/",
        "//",
        f"/{VAULT}",
        f"/{VAULT}/",
        f"/{VAULT}//",
        f"/{VAULT}/secret.txt",
        f"/{VAULT}/%73ecret.txt",
        "/%76ault/secret.txt",
        f"/{VAULT}//secret.txt",
        f"/{VAULT}/./secret.txt",
        f"/{VAULT}%2fsecret.txt",
        f"/{VAULT}%5csecret.txt",
        f"/{VAULT.upper()}/secret.txt",
        f"/{VAULT}/open",
        f"/{VAULT}/open/",
        f"/{VAULT}/open//",
        f"/{VAULT}/open/%2f",
        f"/{VAULT}/open.txt",
        f"/{VAULT}/openly/secret.txt",
        f"/{VAULT}/open%6cy/secret.txt",
        f"/{VAULT}/OPEN/secret.txt",
        f"/{VAULT}/site-backup/secret.txt",
        f"/{VAULT}/site-backup/",
        f"/{VAULT}/secret/",
        f"/{VAULT}/secret/index.html",
        f"/{VAULT}/site/../secret/",
        f"/{VAULT}/site/%2e%2e/secret/",
        f"/{VAULT}/site/..%2fsecret/",
        f"/{VAULT}/site/..%2fsecret%2f",
        f"/{VAULT}/site/..%5csecret/",
        f"/{VAULT}/site/missing/../../secret/",
        f"/{VAULT}/site/?list-type=2",
        f"/{OTHER}/open/secret.txt",
        f"/{OTHER}/open/",
        f"/{FILMS}/films/7/segment.ts",
        f"/{FILMS}/films/8/secret.ts",
        f"/{FILMS}/films/7/",
    ],
)
SUBRESOURCES = (
    "acl",
    "acl=",
    "tagging",
    "versions",
    "list-type=2",
    "list-type=2&prefix=",
    "prefix=&delimiter=",
    "max-keys=1000",
    "uploads",
    "policy",
    "policyStatus",
    "torrent",
    "location",
    "versioning",
    "versionId=VERSION",
    "versionid=VERSION",
    "version%49d=VERSION",
    "attributes",
    "legal-hold",
    "retention",
    "object-lock",
    "encryption",
    "lifecycle",
    "website",
    "logging",
    "partNumber=1",
    "select&select-type=2",
    "restore",
    "%61cl",
    "ACL",
    "&acl",
    "?acl",
    "v=3&acl",
    "v=3;acl",
    "acl%00",
    "acl#",
    "x-id=GetObjectAcl",
    f"response-content-type={CHOSEN}",
    f"response-content-disposition={CHOSEN}",
    f"Response-Content-Type={CHOSEN}",
    f"response%2Dcontent%2Dtype={CHOSEN}",
    f"v=3&response-cache-control={CHOSEN}",
)
QUERIES = [
    Attempt(f"subresource of {title}: ?{query}", f"{path}?{query}")
    for title, path in (
        ("a listed object", LISTED),
        # Where `query: drop` lets a query pass.
        ("a listed page", f"/{VAULT}/site/index.html"),
        ("the prefix", f"/{VAULT}/site/"),
        ("the bucket", f"/{VAULT}"),
    )
    for query in SUBRESOURCES
]
STRANGER = "STRANGERSTRANGER0000"
SIGNED = (
    f"X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={STRANGER}%2F20260101%2Fus-east-1%2Fs3%2Faws4_request"
    f"&X-Amz-Date=20260101T000000Z&X-Amz-Expires=604800&X-Amz-SignedHeaders=host&X-Amz-Signature={'0' * 64}"
)
PARAMETERS = _paths(
    "a signature in the query",
    [
        f"/{VAULT}/secret.txt?{SIGNED}",
        f"{LISTED}?{SIGNED}",
        f"{LISTED}?{SIGNED}&acl",
        f"{LISTED}?X-Amz-Security-Token={CHOSEN}",
        f"{LISTED}?x-amz-copy-source=%2F{VAULT}%2Fsecret.txt",
        f"{LISTED}?X-Amz-SignedHeaders=host",
        f"{LISTED}?AWSAccessKeyId={STRANGER}&Expires=4102444800&Signature=AAAA",
        f"/{VAULT}/secret.txt?AWSAccessKeyId={STRANGER}&Expires=4102444800&Signature=AAAA",
        f"/{FILMS}/films/7/list.m3u8?{SIGNED}",
    ],
)
RANGES = [
    Attempt(f"range of {title}: {value}", path, (f"Range: {value}", *more))
    for title, path in (("a secret", f"/{VAULT}/secret.txt"), ("a listed object", LISTED))
    for value, *more in (
        ("bytes=0-",),
        ("bytes=0-0",),
        ("bytes=-1",),
        ("bytes=5-2",),
        ("bytes=0-18446744073709551616",),
        ("bytes=-18446744073709551616",),
        ("bytes=0-0,2-2,4-4",),
        ("bytes=" + ",".join(["0-"] * 500),),
        ("lines=0-1",),
        ("bytes=0-0", "Range: bytes=1-9"),
        ("bytes=0-0", 'If-Range: "stranger"'),
        ("bytes=0-0", "x-amz-range: bytes=0-9"),
    )
]
METHODS = [
    Attempt(f"{method} of {title}", f"/{VAULT}/{path}", method=method)
    for title, path in (("a secret", "secret.txt"), ("the bucket", ""), ("a folder", "open/"))
    for method in ("HEAD", "POST", "OPTIONS", "TRACE", "PROPFIND", "get", "Get", "COPY", "LIST")
]
HOSTS = [
    Attempt(f"Host: {host} {target}", target, host=host)
    for host, target in (
        (f"{VAULT}.{DOMAIN}", "/secret.txt"),
        (f"{VAULT}.{DOMAIN}", "/"),
        (f"{VAULT}.{DOMAIN}", "/open/"),
        (f"{VAULT}.{DOMAIN}", "/open/../secret.txt"),
        (f"{VAULT}.{DOMAIN}", "/open/..%2fsecret.txt"),
        (f"{VAULT}.{DOMAIN}", f"/{OTHER}/open/secret.txt"),
        (f"{VAULT}.{DOMAIN}", f"/../{OTHER}/open/secret.txt"),
        (f"{OTHER}.{DOMAIN}", "/open/secret.txt"),
        (f"{OTHER}.{DOMAIN}", LISTED.replace("listed", "secret")),
        (f"{OTHER}.{DOMAIN}.", "/open/secret.txt"),
        (f"{OTHER}.{DOMAIN}:80", "/open/secret.txt"),
        (f"{OTHER.upper()}.{DOMAIN.upper()}", "/open/secret.txt"),
        (f".{DOMAIN}", LISTED.replace("open/listed", "secret")),
        (f"{VAULT}.{OTHER}.{DOMAIN}", "/open/secret.txt"),
        (f"{VAULT}/open.{DOMAIN}", "/secret.txt"),
        (f"{VAULT}%2fopen.{DOMAIN}", "/secret.txt"),
        (DOMAIN, f"/{VAULT}/secret.txt"),
        (f"{DOMAIN}.", f"/{VAULT}/secret.txt"),
        ("UPSTREAM", f"/{VAULT}/secret.txt"),
        (f"{OTHER}.UPSTREAM", "/open/secret.txt"),
        (f"{OTHER}.UPSTREAM", LISTED),
        (PUBLIC, "/secret.txt"),
        (PUBLIC, "/open/../secret.txt"),
        (PUBLIC, "/"),
        (PUBLIC, f"/{OTHER}/open/secret.txt"),
        (PUBLIC, f"/../{OTHER}/open/secret.txt"),
        (f"{PUBLIC}.", "/secret.txt"),
        (f"{PUBLIC}:1", f"/{OTHER}/open/secret.txt"),
        (APP, f"/storage/{VAULT}/secret.txt"),
        (APP, f"/storage/{VAULT}/open/../secret.txt"),
        (APP, f"/storage/{OTHER}/open/secret.txt"),
        (APP, f"/storage/../{VAULT}/secret.txt"),
        (APP, f"/storage/..%2f{VAULT}/secret.txt"),
        (APP, f"/storage%2f{VAULT}/secret.txt"),
        (APP, f"/storage//{VAULT}/secret.txt"),
        (APP, f"/storage/storage/{VAULT}/secret.txt"),
        (APP, f"/stor%61ge/{VAULT}/secret.txt"),
        (APP, f"/{VAULT}/open/../../storage/{OTHER}/open/secret.txt"),
        (APP, f"/{OTHER}/storage/{VAULT}/open/listed.txt"),
        (APP, "/storage/"),
        ("", f"/{VAULT}/secret.txt"),
        ("localhost", f"/{VAULT}/secret.txt"),
        ("*", f"/{VAULT}/secret.txt"),
        (f"{VAULT}.{DOMAIN}@{OTHER}.{DOMAIN}", "/open/secret.txt"),
    )
]
TARGETS = [
    Attempt(f"absolute target {target}, Host: {host}", target, host=host, http1_only=True)
    for target, host in (
        (f"http://{OTHER}.{DOMAIN}/open/secret.txt", f"{VAULT}.{DOMAIN}"),
        (f"http://{VAULT}.{DOMAIN}/open/secret.txt", f"{OTHER}.{DOMAIN}"),
        (f"http://{PUBLIC}/secret.txt", f"{OTHER}.{DOMAIN}"),
        (f"http://{DOMAIN}/{VAULT}/secret.txt", PUBLIC),
        (f"http://{VAULT}.{DOMAIN}@{OTHER}.{DOMAIN}/open/secret.txt", f"{VAULT}.{DOMAIN}"),
        (f"http://UPSTREAM/{VAULT}/secret.txt", f"{VAULT}.{DOMAIN}"),
        (f"http:///{VAULT}/secret.txt", f"{VAULT}.{DOMAIN}"),
        (f"HTTP://{VAULT}.{DOMAIN}/open/..%2fsecret.txt", f"{VAULT}.{DOMAIN}"),
        (f"{OTHER}.{DOMAIN}:80", f"{VAULT}.{DOMAIN}"),
        (f"{VAULT}/open/listed.txt", DOMAIN),
    )
]
AUTHORIZATION = (
    f"AWS4-HMAC-SHA256 Credential={STRANGER}/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, "
    f"Signature={'0' * 64}"
)
# At the listed object: none of these may turn the request into one for something else.
HEADERS = [
    Attempt(f"header: {lines[0]}", LISTED, lines)
    for lines in (
        (f"x-amz-copy-source: /{VAULT}/secret.txt",),
        (f"x-amz-copy-source: /{OTHER}/open/secret.txt", "x-amz-copy-source-range: bytes=0-9"),
        (f"x-amz-security-token: {CHOSEN}",),
        ("x-amz-date: 20260101T000000Z",),
        ("x-amz-content-sha256: UNSIGNED-PAYLOAD",),
        ("x-amz-version-id: VERSION",),
        ("x-amz-request-payer: requester",),
        ("x-amz-object-attributes: ETag,ObjectParts",),
        ("x-minio-extract: true",),
        ("x-rgw-attrs: all",),
        ("x-amz-acl: public-read",),
        (f"Authorization: AWS {STRANGER}:AAAA",),
        ("Authorization: Basic c3RyYW5nZXI6",),
        (f"Authorization: Bearer {CHOSEN}",),
        (f"Authorization: {AUTHORIZATION}",),
        (f"X-Forwarded-Host: {OTHER}.{DOMAIN}",),
        (f"X-Forwarded-Prefix: /{OTHER}",),
        (f"Forwarded: host={OTHER}.{DOMAIN}",),
        (f"X-Original-URL: /{VAULT}/secret.txt",),
        (f"X-Rewrite-URL: /{VAULT}/secret.txt",),
        (f"X-Accel-Redirect: /{VAULT}/secret.txt",),
        ("X-HTTP-Method-Override: PUT",),
        ("X-HTTP-Method: DELETE",),
        ("X-Method-Override: LIST",),
        (f"Referer: http://{DOMAIN}/{VAULT}/secret.txt",),
        (f"Cookie: token={CHOSEN}",),
        ("If-None-Match: *", f'If-Match: "{CHOSEN}"'),
        ("If-Modified-Since: Thu, 01 Jan 1970 00:00:00 GMT", "If-Unmodified-Since: Thu, 01 Jan 1970 00:00:00 GMT"),
        ("Content-Type: application/xml", "Content-MD5: AAAA"),
        (f"Origin: http://{OTHER}.{DOMAIN}",),
        ("Expect: 100-continue",),
        (f"X_Amz_Copy_Source: /{VAULT}/secret.txt",),
    )
]
CONNECTION = [
    Attempt(f"Connection: {option}", path, lines, connection=f"close, {option}", http1_only=True)
    for path in (LISTED, f"/{VAULT}/secret.txt")
    for option, lines in (
        ("authorization", ()),
        ("x-amz-date", ()),
        ("x-amz-content-sha256", ()),
        ("x-amz-security-token", ()),
        ("host", ()),
        ("range", ("Range: bytes=0-0",)),
        ("if-none-match", ("If-None-Match: *",)),
        ("x-forwarded-for", ()),
        ("upgrade, http2-settings", ("Upgrade: h2c", "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA")),
    )
]
_SMUGGLED = f"GET /{VAULT}/secret.txt HTTP/1.1\r\nHost: {DOMAIN}\r\n\r\n"
_HIDDEN = f"0\r\n\r\n{_SMUGGLED}"
_CHUNKED = "Transfer-Encoding: chunked"
SMUGGLED = [
    Attempt(title, LISTED, lines, content=content, http1_only=True, **about)
    for title, lines, content, about in (
        ("a second request after the first", (), _SMUGGLED, {}),
        ("a request as a body", (f"Content-Length: {len(_SMUGGLED)}",), _SMUGGLED, {}),
        ("a request after an empty chunk", (_CHUNKED,), _HIDDEN, {}),
        ("both lengths", (_CHUNKED, "Content-Length: 4"), _HIDDEN, {}),
        ("both lengths, the other first", (f"Content-Length: {len(_HIDDEN)}", _CHUNKED), _HIDDEN, {}),
        ("two lengths", ("Content-Length: 0", f"Content-Length: {len(_SMUGGLED)}"), _SMUGGLED, {}),
        ("a coding of another name", ("Transfer-Encoding: xchunked",), _HIDDEN, {}),
        ("a coding after a tab", ("Transfer-Encoding:\tchunked", "Content-Length: 0"), _HIDDEN, {}),
        ("a name with a space after it", ("Content-Length : 0", f"Content-Length: {len(_SMUGGLED)}"), _SMUGGLED, {}),
        ("a continued line", (f"X-A: b\r\n Host: {OTHER}.{DOMAIN}",), "", {}),
        ("two hosts", (f"Host: {OTHER}.{DOMAIN}",), "", {"host": f"{VAULT}.{DOMAIN}"}),
        ("two hosts that are the same", (f"Host: {DOMAIN}",), "", {"host": DOMAIN}),
        ("a host with a space before its colon", (f"Host : {OTHER}.{DOMAIN}",), "", {}),
        ("a bare line feed in a header", (f"X-A: b\nHost: {OTHER}.{DOMAIN}",), "", {}),
        ("a bare carriage return in a header", (f"X-A: b\rHost: {OTHER}.{DOMAIN}",), "", {}),
        ("a zero in a header", ("X-A: b\0c",), "", {}),
        ("HTTP/1.0", (), "", {"version": "1.0"}),
        ("HTTP/1.9", (), "", {"version": "1.9"}),
        ("HTTP/0.9", (), "", {"version": "0.9"}),
    )
]
_SEGMENT = f"/{FILMS}/~TOKEN/films/7/segment.ts"
TOKENS = _paths(
    "a token",
    [
        f"/{FILMS}/~TOKEN/films/8/secret.ts",
        f"/{FILMS}/~TOKEN/films/7secret.ts",
        f"/{FILMS}/~TOKEN/films/7/../8/secret.ts",
        f"/{FILMS}/~TOKEN/films/7/%2e%2e/8/secret.ts",
        f"/{FILMS}/~TOKEN/films/7/..%2f8/secret.ts",
        f"/{FILMS}/~TOKEN/films/7/..%5c8/secret.ts",
        f"/{FILMS}/~TOKEN/films/7%2f..%2f8/secret.ts",
        f"/{FILMS}/~TOKEN/films/7/../../secret.txt",
        f"/{FILMS}/~TOKEN/films/7/./segment.ts",
        f"/{FILMS}/~TOKEN/films/7//segment.ts",
        f"/{FILMS}/~TOKEN/films//7/segment.ts",
        f"/{FILMS}/~TOKEN//films/7/segment.ts",
        f"/{FILMS}/~TOKEN%2ffilms/7/segment.ts",
        f"/{FILMS}%2f~TOKEN/films/7/segment.ts",
        f"/{FILMS}//~TOKEN/films/7/segment.ts",
        f"/{FILMS}/x/../~TOKEN/films/7/segment.ts",
        f"/{FILMS}/~TOKEN/../~TOKEN/films/8/secret.ts",
        f"/{FILMS}/~TOKEN/",
        f"/{FILMS}/~TOKEN",
        f"/{FILMS}/~TOKEN/films/7/",
        f"/{FILMS}/~TOKEN/films/7",
        f"/{FILMS}/~TOKEN/films/",
        f"/{FILMS}/~TOKEN/films/7/?list-type=2",
        f"/{FILMS}/~TOKEN?list-type=2",
        f"/{FILMS}/~TOKEN/?list-type=2&prefix=films/",
        f"{_SEGMENT}?response-content-type={CHOSEN}",
        *(f"{_SEGMENT}?{query}" for query in ("acl", "tagging", "versions", "uploads", "v=3")),
        f"/{FILMS}/~TOKEN/~TOKEN/films/7/segment.ts",
        f"/{FILMS}/~TOKEN/~TOKEN/films/8/secret.ts",
        f"/{FILMS}/~/films/7/segment.ts",
        f"/{FILMS}/~TOKEN=/films/7/segment.ts",
        f"/{FILMS}/~TOKENA/films/7/segment.ts",
        f"/{FILMS}/~ATOKEN/films/7/segment.ts",
        f"/{FILMS}/~TOKEN;/films/7/segment.ts",
        f"/{FILMS}/~TOKEN%00/films/7/segment.ts",
        f"/{FILMS}/~TOKEN%20/films/7/segment.ts",
        f"/{FILMS}/TOKEN/films/7/segment.ts",
        f"/{FILMS}/~~TOKEN/films/7/segment.ts",
        f"/{FILMS}/%7ETOKEN/films/8/secret.ts",
        f"/{FILMS}/%7e%7eTOKEN/films/7/segment.ts",
        f"/{FILMS}/films/7/~TOKEN/segment.ts",
        f"/{FILMS}/films/~TOKEN/7/segment.ts",
        f"/{FILMS}/films/8/secret.ts?~TOKEN",
        f"/{FILMS}/films/7/segment.ts?token=~TOKEN",
        f"/~TOKEN/{FILMS}/films/7/segment.ts",
        f"/{VAULT}/~TOKEN/secret.txt",
        f"/{VAULT}/~TOKEN/open/listed.txt",
        f"/{OTHER}/~TOKEN/films/7/secret.ts",
        f"/{VAULT}/~TOKEN/films/7/secret.ts",
        *(f"/{FILMS}/~{one}/films/7/segment.ts" for one in ("CUT", "SHORT", "LOWER", "LATER", "FLIPPED", "TRAILING")),
        *(f"/{FILMS}/~{one}/films/8/secret.ts" for one in ("SHALLOW", "WHOLE", "DEEP")),
    ],
)
TOKENS += [
    Attempt("a token in a cookie", f"/{FILMS}/films/7/segment.ts", ("Cookie: token=~TOKEN",)),
    Attempt("a token as Authorization", f"/{FILMS}/films/7/segment.ts", ("Authorization: Bearer ~TOKEN",)),
    Attempt("a token, Host of another bucket", "/~TOKEN/films/7/secret.ts", host=f"{OTHER}.{DOMAIN}"),
    Attempt("a token, Host of its bucket, another folder", "/~TOKEN/films/8/secret.ts", host=f"{FILMS}.{DOMAIN}"),
    Attempt("a token, a public name of another bucket", "/~TOKEN/films/7/secret.ts", host=PUBLIC),
    Attempt("a token twice, by Host and path", f"/{FILMS}/~TOKEN/films/7/segment.ts", host=f"{FILMS}.{DOMAIN}"),
    Attempt("a token below a prefix, another folder", f"/storage/{FILMS}/~TOKEN/films/8/secret.ts", host=APP),
    Attempt("a token before a prefix", f"/~TOKEN/storage/{FILMS}/films/7/segment.ts", host=APP),
    Attempt("a token with Authorization", _SEGMENT.replace("7", "8"), (f"Authorization: AWS {STRANGER}:AAAA",)),
    *(
        Attempt(f"a token, {method}", _SEGMENT, method=method)
        for method in ("PUT", "POST", "DELETE", "OPTIONS", "PATCH", "COPY")
    ),
]
ATTEMPTS = (
    *READINGS,
    *UNLISTED,
    *QUERIES,
    *PARAMETERS,
    *RANGES,
    *METHODS,
    *HOSTS,
    *TARGETS,
    *HEADERS,
    *CONNECTION,
    *SMUGGLED,
    *TOKENS,
)
