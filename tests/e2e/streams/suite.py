"""A private film in Chromium: hls.js and dash.js play it to its end from one presigned URL, and the token opens nothing else."""

import dataclasses
import json
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import urllib3

from browser.suite import missing_tools
from clients.boto3_sdk import connect
from harness.processes import Failed
from harness.proxy import proxy
from streams import film

SUITE = "private streams"
PROGRAM = Path(__file__).parent / "judge.js"
DEADLINE = 180
BUCKET, OTHER = "streams", "streams-other"
PREFIX, FOLDER = "films/", "films/7/"
PLAYLIST, BESIDE, MANIFEST = (f"{FOLDER}{name}" for name in ("master.m3u8", "video/master.m3u8", "manifest.mpd"))
SEGMENT, ASIDE = f"{FOLDER}video/1.m4s", f"{FOLDER}audio/1.m4s"
OUTSIDE, UNLISTED = "films/8/video/1.m4s", "drafts/1.m4s"
# A page may PUT, so that it is not the browser that refuses.
RULES = """<CORSConfiguration><CORSRule><AllowedOrigin>http://app.localhost:{pages}</AllowedOrigin>
<AllowedMethod>GET</AllowedMethod><AllowedMethod>HEAD</AllowedMethod><AllowedMethod>PUT</AllowedMethod>
<AllowedHeader>*</AllowedHeader></CORSRule></CORSConfiguration>
"""
# Where the limited user may read every bucket, s3cors has its keys: no more than it needs.
LIMITED = ("minio", "seaweedfs")
# Garage calls an expired URL a bad request.
REFUSED = (400, 403)
# `grants.up` of each s3cors: the token opens the playlist's own folder, or the folder above it.
S3CORS = {"own": 0, "beside": 1}
# hls.js tells of a pause and plays on: a busy machine decodes slower than the film is shown.
PAUSES = {"bufferStalledError", "bufferNudgeOnStall"}
# A master playlist, its two media playlists, and each file of each track; or a manifest and each file.
TRACKS = {f"{FOLDER}{track}/{name}" for track in film.TRACKS for name in film.FILES}
LISTS = {f"{FOLDER}{track}/media.m3u8" for track in film.TRACKS}


@dataclasses.dataclass(frozen=True)
class Film:
    name: str
    player: str
    s3cors: str
    key: str
    below: frozenset


FILMS = (
    Film("hls.js plays 20 segments", "hls", "own", PLAYLIST, frozenset({PLAYLIST} | LISTS | TRACKS)),
    Film("hls.js plays with audio beside video", "hls", "beside", BESIDE, frozenset({BESIDE} | LISTS | TRACKS)),
    Film("dash.js plays 20 segments", "dash", "own", MANIFEST, frozenset({MANIFEST} | TRACKS)),
)


def _store(server):
    s3 = connect(server, server.url)
    objects = {(BUCKET, f"{FOLDER}{name}"): content for name, content in film.files().items()}
    segment = film.files()["video/1.m4s"]
    objects |= {(BUCKET, key): segment for key in (OUTSIDE, UNLISTED)} | {(OTHER, SEGMENT): segment}
    for bucket in (BUCKET, OTHER):
        s3.create_bucket(Bucket=bucket)
    for (bucket, key), content in objects.items():
        s3.put_object(Bucket=bucket, Key=key, Body=content, ContentType=film.content_type(key))
    return s3, objects


def _clear(s3, objects):
    for bucket, key in objects:
        s3.delete_object(Bucket=bucket, Key=key)
    for bucket in (BUCKET, OTHER):
        s3.delete_bucket(Bucket=bucket)


def keys_of(server):
    """The read credentials of s3cors, in its environment."""
    user = server.limited if server.name in LIMITED else server
    environment = {"AWS_ACCESS_KEY_ID": user.access_key, "AWS_SECRET_ACCESS_KEY": user.secret_key}
    token = getattr(user, "token", None)
    return environment | ({"AWS_SESSION_TOKEN": token} if token else {}) | {"AWS_REGION": server.region}


def _configuration(up):
    """JSON is YAML."""
    signed = [{"bucket": bucket, "prefix": PREFIX, "when": "granted"} for bucket in (BUCKET, OTHER)]
    return json.dumps({"sign": signed, "grants": {"up": up}})


def _visit(server, pages, s3cors):
    told = {name: getattr(server, name) for name in ("url", "region", "access_key", "secret_key")}
    films = [{name: getattr(one, name) for name in ("name", "player", "s3cors", "key")} for one in FILMS]
    task = {"server": told, "port": pages, "s3cors": s3cors, "films": films, "bucket": BUCKET, "other": OTHER}
    task |= {"playlist": PLAYLIST, "segment": SEGMENT, "beside": BESIDE, "aside": ASIDE}
    task |= {"outside": OUTSIDE, "unlisted": UNLISTED}
    done = subprocess.run(
        ["node", str(PROGRAM)], input=json.dumps(task), capture_output=True, text=True, timeout=DEADLINE
    )
    if done.returncode != 0:
        raise Failed(f"the films could not be shown: {done.stderr[-2000:]}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def _fault(shown, told):
    """What is wrong with a film's performance, or None."""
    exchanges = told["exchanges"]
    if "error" in told:
        refused = [each for each in exchanges if each.get("status") != 200]
        return "\n    ".join([told["error"], *told["console"], *map(str, refused)])
    result = told["result"]
    if errors := [each for each in result["errors"] if each not in PAUSES]:
        return f"the player reports {errors}"
    if result["width"] != 160 or not film.SEGMENTS - 0.5 < result["duration"] < film.SEGMENTS + 0.5:
        return f"it is another film: {result}"
    if result["time"] < result["duration"]:
        return f"it ended too early: {result}"
    first, *others = exchanges
    if first.get("status") != 307 or urlsplit(first["target"]).path != f"/{BUCKET}/{shown.key}":
        return f"it did not begin with the presigned URL and a redirect: {first}"
    if failed := [each for each in others if each.get("status") != 200]:
        return f"a request failed: {failed}"
    tokens = {each["target"].split("/")[2] for each in others}
    if len(tokens) != 1 or not tokens.pop().startswith("~"):
        return f"not all is below one token: {others}"
    asked = {each["target"].split("/", 3)[3] for each in others}
    if asked != shown.below:
        return f"it did not ask for {sorted(shown.below - asked)}, but for {sorted(asked - shown.below)}"
    return None


def _refused(told):
    """What is wrong with a refusal, or None."""
    if "error" in told:
        return told["error"]
    if told["redirected"]:
        return "it opens a folder"
    if told["status"] not in REFUSED or "<Code>" not in told["body"]:
        return f"{told['status']} {told['body'][:100]!r}"
    return None


def _is_private(server, objects):
    """Without a signature the server refuses every object, so that a film that plays was signed for."""
    pool = urllib3.PoolManager(retries=False)
    return all(pool.request("GET", f"{server.url}/{bucket}/{key}").status == 403 for bucket, key in objects)


def run(server, folder, pages, results):
    """All films at once and all refusals."""
    if reason := missing_tools():
        results.skipped(server.name, SUITE, "all films", reason)
        return
    rules = folder / "streams-rules"
    rules.mkdir()
    for bucket in (BUCKET, OTHER):
        (rules / f"{bucket}.xml").write_text(RULES.format(pages=pages))
    s3, objects = _store(server)
    if not _is_private(server, objects):
        raise Failed("the buckets are not private")
    keys = keys_of(server)
    names = {name: f"s3cors-{server.name}-streams-{name}" for name in S3CORS}
    with (
        proxy(names["own"], rules, server.url, _configuration(S3CORS["own"]), **keys) as own,
        proxy(names["beside"], rules, server.url, _configuration(S3CORS["beside"]), **keys) as beside,
    ):
        seen = _visit(server, pages, {"own": own.url, "beside": beside.url})
    shown = {one.name: one for one in FILMS}
    for told in seen:
        name = told.get("film") or f"refused: {told['refusal']}"
        fault = _fault(shown[name], told) if "film" in told else _refused(told)
        if fault:
            results.failed(server.name, SUITE, name, fault)
        else:
            results.passed(server.name, SUITE, name)
    if s3.get_object(Bucket=BUCKET, Key=SEGMENT)["Body"].read() != objects[BUCKET, SEGMENT]:
        results.failed(server.name, SUITE, "the film is as it was", "a page has written to it")
    _clear(s3, objects)
