"""Private buckets, what is listed of them, and what no stranger may get."""

import base64
import contextlib
import json
import re
from urllib.parse import unquote

import urllib3
from botocore.exceptions import ClientError

from clients.boto3_sdk import connect
from private.attempts import APP, CHOSEN, DOMAIN, FILMS, OTHER, PUBLIC, VAULT

# No byte of these is in any other response: a single one of them is a leak.
SECRET, FILM = bytes([0xFA, 0xFB, 0xFC]) * 16, bytes([0xFD, 0xFE]) * 16
LISTED, PAGE = b"Everyone may read this.", b"<title>A page for everyone</title>"
PLAYLIST = b"#EXTM3U\n#EXTINF:1,\nsegment.ts\n"
# In names and values beside a content.
MARK = "5ECRET"
OBJECTS = {
    VAULT: {
        "secret.txt": SECRET,
        "secret/index.html": SECRET,
        "open.txt": SECRET,
        "openly/secret.txt": SECRET,
        "site-backup/secret.txt": SECRET,
        "films/7/secret.ts": SECRET,
        "open/listed.txt": LISTED,
        "site/index.html": PAGE,
        "site/error.html": PAGE,
    },
    OTHER: {"open/secret.txt": SECRET, "films/7/secret.ts": SECRET},
    FILMS: {
        "films/7/list.m3u8": PLAYLIST,
        "films/7/segment.ts": FILM,
        "films/8/secret.ts": SECRET,
        "films/7secret.ts": SECRET,
        "secret.txt": SECRET,
    },
}
SIGN = [
    {"bucket": VAULT, "prefix": "open/"},
    {"bucket": VAULT, "prefix": "site/", "index": "index.html", "error": "error.html", "query": "drop"},
    {"bucket": FILMS, "prefix": "films/", "when": "granted"},
    {"bucket": OTHER, "prefix": "films/", "when": "granted"},
]
# JSON is YAML.
CONFIGURATION = json.dumps(
    {
        "listen": {"address": "127.0.0.1:0", "http2": True},
        "domains": [DOMAIN],
        "hosts": {PUBLIC: {"bucket": VAULT}, f"{APP}/storage": {}},
        "sign": SIGN,
        "grants": {},
    }
)
RULES = "<CORSConfiguration><CORSRule><AllowedOrigin>https://app.example</AllowedOrigin><AllowedMethod>GET</AllowedMethod></CORSRule></CORSConfiguration>"
# Documents that tell of more than one object's content.
DOCUMENTS = (
    b"<Contents>",
    b"<ListBucketResult",
    b"<ListVersionsResult",
    # Ceph RGW tells anyone that it has no buckets for them.
    b"<Bucket>",
    b"<ListMultipartUploadsResult",
    b"<AccessControlPolicy",
    b"<Tagging",
    b"<GetObjectAttributes",
    b"<LocationConstraint",
    b"<VersioningConfiguration",
    b'"Statement"',
    b"announce",
)
# Below these a signed request may ask, as it came and decoded.
BELOW = (f"/{VAULT}/open/", f"/{VAULT}/site/", f"/{FILMS}/films/7/")
# The lines of a request that s3cors signs: its own, and the few that a client may add.
LINES = {"host", "authorization", "x-amz-date", "x-amz-content-sha256", "x-amz-security-token"}
LINES |= {"range", "accept", "accept-encoding", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"}


def store(server):
    """Stores everything; returns the version of an old content of a listed object, where the server has versions."""
    s3 = connect(server, server.url)
    for bucket in OBJECTS:
        s3.create_bucket(Bucket=bucket)
    version = "null"
    with contextlib.suppress(ClientError):
        s3.put_bucket_versioning(Bucket=VAULT, VersioningConfiguration={"Status": "Enabled"})
        version = s3.put_object(Bucket=VAULT, Key="open/listed.txt", Body=SECRET).get("VersionId", version)
    for bucket, objects in OBJECTS.items():
        for key, content in objects.items():
            note = {"note": MARK} if content == SECRET else {}
            s3.put_object(Bucket=bucket, Key=key, Body=content, ContentType="text/plain", Metadata=note)
    with contextlib.suppress(ClientError):
        tags = {"TagSet": [{"Key": "tag", "Value": MARK}]}
        s3.put_object_tagging(Bucket=VAULT, Key="open/listed.txt", Tagging=tags)
    return version


def stored(server):
    """What is stored now, as OBJECTS has it."""
    s3 = connect(server, server.url)
    found = {}
    for bucket in OBJECTS:
        keys = [entry["Key"] for entry in s3.list_objects_v2(Bucket=bucket).get("Contents", ())]
        found[bucket] = {key: s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys}
    return found


def clear(server):
    s3 = connect(server, server.url)
    for bucket, objects in OBJECTS.items():
        with contextlib.suppress(ClientError):
            versions = s3.list_object_versions(Bucket=bucket)
            for entry in (*versions.get("Versions", ()), *versions.get("DeleteMarkers", ())):
                s3.delete_object(Bucket=bucket, Key=entry["Key"], VersionId=entry["VersionId"])
        for key in objects:
            s3.delete_object(Bucket=bucket, Key=key)
        with contextlib.suppress(ClientError):
            s3.delete_bucket(Bucket=bucket)


def link(server, url, bucket, key):
    return connect(server, url).generate_presigned_url("get_object", {"Bucket": bucket, "Key": key})


def token(server, s3cors):
    """The token of the film's folder, as the redirect from its presigned playlist has it."""
    answer = urllib3.request("GET", link(server, s3cors.url, FILMS, "films/7/list.m3u8"), redirect=False, retries=False)
    location = answer.headers.get("Location", "")
    assert answer.status == 307 and location.startswith(f"/{FILMS}/~"), f"{answer.status} {location} {answer.data}"
    return location.split("/")[2].removeprefix("~")


def changed(text):
    """The token in other forms, by the name that a target has for them: cut, and with each part changed."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    content = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    # The key's identity, the expiry, how many segments the folder has, and the tag.
    key, expiry, depth, tag = content[:4], int.from_bytes(content[4:8]), content[8], content[9:]

    def made(expiry=expiry, depth=depth, tag=tag):
        parts = key + expiry.to_bytes(4) + bytes([depth]) + tag
        return base64.urlsafe_b64encode(parts).decode().rstrip("=")

    assert made() == text, f"a token of another form: {text}"
    return {
        "CUT": text[:-1],
        "SHORT": text[:12],
        "LOWER": text.lower(),
        "LATER": made(expiry=expiry + 86400),
        "FLIPPED": made(tag=tag[:-1] + bytes([tag[-1] ^ 1])),
        # Decodes to the same bytes.
        "TRAILING": text[:-1] + alphabet[alphabet.index(text[-1]) ^ 1],
        "SHALLOW": made(depth=1),
        "WHOLE": made(depth=0),
        "DEEP": made(depth=depth + 1),
    }


def leak(head, body):
    """What a response has that no stranger may get, or None."""
    # No request of a stranger makes the keys of s3cors look wrong.
    if status(head) == "503":
        return f"no service: {body!r}"
    if any(byte in body for byte in {*SECRET, *FILM}):
        return f"the content of an object: {body[:80]!r}"
    if found := [document for document in DOCUMENTS if document in body]:
        return f"a document with {found[0]!r}"
    if MARK.encode() in head + body:
        return "metadata of an object"
    if CHOSEN.encode() in head:
        return f"a header that a stranger chose: {head!r}"
    return None


def _readings(target):
    """A path as it came, decoded, with `\\` as `/`, up to what may be a query, and with slashes merged."""
    decoded = unquote(target, errors="replace")
    readings = [target, decoded, decoded.replace("\\", "/"), re.split("[?#]", decoded)[0]]
    return readings + [re.sub("/+", "/", reading) for reading in readings]


def is_signed_here(head, access_key):
    """Whether s3cors signed a request that reached the storage: no stranger has its key."""
    return any(f"Credential={access_key}/" in value for value in head.values("authorization"))


def wrong(head, authority):
    """What is wrong with a request that s3cors signed, or None: it must be for a listed object and for nothing else."""
    if head.method not in ("GET", "HEAD") or head.values("host") != [authority]:
        return f"{head.method} {head.target} at {head.values('host')}"
    if "?" in head.target:
        return f"{head.target} has a query"
    # Ceph RGW takes such a path for that of all buckets.
    if re.search("%(?![0-9A-Fa-f]{2})", head.target):
        return f"{head.target} has a sign that encodes nothing"
    for reading in _readings(head.target):
        segments = reading.split("/")[1:]
        is_folder = reading.endswith("/")
        if (
            not reading.startswith(BELOW)
            or is_folder
            or {".", ".."} & set(segments)
            or any(ord(one) < 32 for one in reading)
        ):
            return f"{head.target} is not listed"
    names = [name for name, _ in head.headers if name not in LINES and not name.startswith("if-")]
    return f"{head.target} with the lines {names}" if names else None


def parsed(received):
    """The head and the body of the last response on a connection; the ones before it are interim."""
    head, _, body = received.partition(b"\r\n\r\n")
    while body.startswith(b"HTTP/1.1 ") and head.startswith(b"HTTP/1.1 1"):
        head, _, body = body.partition(b"\r\n\r\n")
    return head, body


def status(head):
    words = head.split(b" ", 2)
    return words[1].decode("latin-1") if len(words) > 1 and head.startswith(b"HTTP/") else "closed"
