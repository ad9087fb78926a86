"""A page with 100 private images in Chromium, opened again with new signatures: what that costs s3cors and the storage.

From another origin, the same with `presigned.no_vary_search`, and from the application's own origin by a prefix in `hosts`.
"""

import json
import subprocess
from pathlib import Path

from browser.suite import missing_tools
from harness.processes import Failed, free_port
from harness.proxy import proxy

SUITE = "reloads"
# Its counts are those of the browser and of s3cors: one server is enough.
SERVERS = ("minio",)
PROGRAM = Path(__file__).parent / "judge.js"
DEADLINE = 240
KEPT = "presigned: {no_vary_search: on}\n"
WAYS = {
    "plain": "another origin",
    "kept": "another origin, no_vary_search",
    "own": "the own origin, no_vary_search",
}
NOTHING = {"options": 0, "gets": 0, "bytes": 0}


def run(server, rules, pages, results):
    if reason := missing_tools():
        results.skipped(server.name, SUITE, "all ways", reason)
        return
    application, storage = free_port(), free_port()
    counted = f"http://127.0.0.1:{storage}"
    signed = server.url.removeprefix("http://")
    own = f"{KEPT}hosts: {{app.localhost/storage: {{upstream_host: '{signed}'}}}}\n"
    with (
        proxy(f"s3cors-{server.name}-plain", rules, counted) as plain,
        proxy(f"s3cors-{server.name}-kept", rules, counted, KEPT) as kept,
        proxy(f"s3cors-{server.name}-own", rules, counted, own) as below,
    ):
        told = {name: getattr(server, name) for name in ("name", "url", "region", "access_key", "secret_key")}
        s3cors = {"plain": plain.url, "kept": kept.url, "own": below.url}
        task = {"server": told, "port": pages, "application": application, "storage": storage, "s3cors": s3cors}
        done = subprocess.run(
            ["node", str(PROGRAM)], input=json.dumps(task), capture_output=True, text=True, timeout=DEADLINE
        )
    if done.returncode != 0:
        raise Failed(f"the page could not be measured: {done.stderr[-2000:]}")
    for seen in map(json.loads, done.stdout.splitlines()):
        _record(server, seen, results)


def _is_right(way, images, size, first, again):
    """Without a cached response each image is loaded, so that nothing loaded means something."""
    whole = {"gets": images, "bytes": images * size}
    loaded = {name: first["storage"][name] for name in whole}
    if loaded != whole:
        return False
    if way == "plain":
        return {name: again["storage"][name] for name in whole} == whole
    # A page of another origin still asks whether it may send its header.
    return again["storage"] == NOTHING and (way == "kept" or again["s3cors"] == NOTHING)


def _record(server, seen, results):
    way, images, first, again = (seen[name] for name in ("way", "images", "first", "again"))
    at, behind = again["s3cors"], again["storage"]
    detail = f"{at['options']} OPTIONS; at the storage {behind['gets']} GET, {behind['bytes']} bytes"
    if _is_right(way, images, seen["size"], first, again):
        results.passed(server.name, SUITE, f"{images} images again, {WAYS[way]}, {seen['read']}", detail)
    else:
        results.failed(
            server.name, SUITE, f"{images} images again, {WAYS[way]}, {seen['read']}", f"{detail}; at first {first}"
        )
