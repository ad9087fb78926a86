"""Asks for an object by paths that only some servers read as its own, with the signature of the usual path.

The bucket allows one origin, and every bucket without a document allows all: a page gains if another bucket is read than the server's.
"""

from urllib.parse import urlsplit

from bucket_cors.signature import Signer
from clients.boto3_sdk import connect
from harness.proxy import proxy
from report.wire import send

SUITE = "one bucket"
BUCKET, KEY, NESTED = "e2e-private", "hello.txt", "folder/hello.txt"
APP, EVIL = "https://app.example", "https://evil.example"
RULES = "<CORSConfiguration><CORSRule><AllowedOrigin>{}</AllowedOrigin><AllowedMethod>GET</AllowedMethod></CORSRule></CORSConfiguration>"

# Each is the object's path to some reader: of the raw path, of the decoded one, of one with its parts removed.
PATHS = (
    f"/{BUCKET}%2F{KEY}",
    f"/{BUCKET}%2f{KEY}",
    f"/{BUCKET}%5C{KEY}",
    f"/{BUCKET}\\{KEY}",
    f"//{BUCKET}/{KEY}",
    f"/%2F{BUCKET}/{KEY}",
    f"/{BUCKET}%00/{KEY}",
    f"/{BUCKET}%00x/{KEY}",
    f"/./{BUCKET}/{KEY}",
    f"/%2E/{BUCKET}/{KEY}",
    f"/other/../{BUCKET}/{KEY}",
    f"/other/%2e%2e/{BUCKET}/{KEY}",
    f"/other%2F..%2F{BUCKET}/{KEY}",
    f"/other/..%5C{BUCKET}/{KEY}",
    f"/other%2F%2E%2E/{BUCKET}/{KEY}",
)


def _target(path, link):
    """Another path with the query that signs the usual one."""
    return f"{path}?{urlsplit(link).query}"


def _ask(address, host, target, origin, headers=()):
    return send(address, "GET", target, (("Host", host), ("Origin", origin), *headers))


def _grant(answer):
    return [value for name, value in answer.headers if name.lower() == "access-control-allow-origin"]


def _no_grant(path, server, s3cors, signer, link):
    """By a link and by `Authorization`: the server's own response, without a grant."""
    said = []
    for way in ("link", "header"):
        if way == "link":
            target, headers = _target(path, link), ()
        else:
            request = signer.request("GET", f"/{BUCKET}/{KEY}", query="")
            target, headers = path, tuple(pair for pair in request.headers if pair[0] != "host")
        own = _ask(server.address, server.address, target, EVIL, headers)
        answer = _ask(s3cors.address, server.address, target, EVIL, headers)
        assert not _grant(answer), f"{way}: {_grant(answer)}"
        assert answer.status == own.status, f"{way}: the server says {own.status}, s3cors {answer.status}"
        asked = (("Access-Control-Request-Method", "GET"),)
        options = send(s3cors.address, "OPTIONS", path, (("Host", server.address), ("Origin", EVIL), *asked))
        assert options.status == 403, f"a preflight is {options.status}"
        said.append(f"{way}: {answer.status}")
    return ", ".join(said)


def _usual(server, s3cors):
    """The bucket's own rules hold for its objects, and an escaped slash in a key changes nothing."""
    s3 = connect(server, server.url)
    for key, path in (
        (KEY, f"/{BUCKET}/{KEY}"),
        (NESTED, f"/{BUCKET}/{NESTED}"),
        (NESTED, f"/{BUCKET}/{NESTED.replace('/', '%2F')}"),
    ):
        link = s3.generate_presigned_url("get_object", {"Bucket": BUCKET, "Key": key})
        for origin, grant in ((APP, [APP]), (EVIL, [])):
            answer = _ask(s3cors.address, server.address, _target(path, link), origin)
            assert _grant(answer) == grant, f"{path} from {origin}: {_grant(answer)}"
    return ""


def run(server, folder, results):
    """All paths, with a host that names no bucket."""
    s3 = connect(server, server.url)
    s3.create_bucket(Bucket=BUCKET)
    for key in (KEY, NESTED):
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"hello")
    rules = folder / "addresses"
    rules.mkdir()
    (rules / f"{BUCKET}.xml").write_text(RULES.format(APP))
    (rules / "_default.xml").write_text(RULES.format("*"))
    signer = Signer(server, server.access_key, server.secret_key)
    link = s3.generate_presigned_url("get_object", {"Bucket": BUCKET, "Key": KEY})
    with proxy(f"s3cors-{server.name}-addresses", rules, server.url) as s3cors:
        tests = [("the usual path", _usual, (server, s3cors))]
        tests += [(f"no grant: {path}", _no_grant, (path, server, s3cors, signer, link)) for path in PATHS]
        for name, test, arguments in tests:
            try:
                results.passed(server.name, SUITE, name, test(*arguments))
            except (AssertionError, OSError) as error:
                results.failed(server.name, SUITE, name, f"{type(error).__name__}: {error}")
    for key in (KEY, NESTED):
        s3.delete_object(Bucket=BUCKET, Key=key)
    s3.delete_bucket(Bucket=BUCKET)
