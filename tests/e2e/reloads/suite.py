"""A page with 100 private images in Chromium, opened again with new signatures: what that costs the storage.

Served from another origin, and with `presigned.no_vary_search`, and from the application's own origin by a prefix in `hosts`.
"""

import json
import subprocess
from pathlib import Path

from browser.suite import missing_tools
from harness.environment import RESULTS
from harness.processes import Failed, free_port
from harness.proxy import proxy

SUITE = "reloads"
# Its counts are the browser's and the proxy's: one server is enough.
SERVERS = ("minio",)
PROGRAM = Path(__file__).parent / "judge.js"
DEADLINE = 120
OWN = "the own origin, No-Vary-Search"
KEPT = "presigned: {no_vary_search: on}\n"
# The page's own header is allowed, and a preflight may be kept for longer than a run takes.
RULES = """<CORSConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
  <CORSRule>
    <AllowedOrigin>http://app.localhost:{pages}</AllowedOrigin>
    <AllowedMethod>GET</AllowedMethod>
    <AllowedHeader>x-page</AllowedHeader>
    <MaxAgeSeconds>3600</MaxAgeSeconds>
  </CORSRule>
</CORSConfiguration>
"""


def run(server, folder, pages, results):
    if reason := missing_tools():
        results.skipped(server.name, SUITE, "all ways", reason)
        return
    rules = folder / "reloads"
    rules.mkdir()
    (rules / "web.xml").write_text(RULES.format(pages=pages))
    application = free_port()
    signed = server.url.removeprefix("http://")
    own = f"{KEPT}hosts: {{app.localhost/storage: {{upstream_host: '{signed}'}}}}\n"
    with (
        proxy(f"s3cors-{server.name}-plain", rules, server.url) as plain,
        proxy(f"s3cors-{server.name}-kept", rules, server.url, KEPT) as kept,
        proxy(f"s3cors-{server.name}-own", rules, server.url, own) as below,
    ):
        told = {name: getattr(server, name) for name in ("name", "url", "region", "access_key", "secret_key")}
        ways = {"plain": plain, "kept": kept, "own": below}
        started = {name: {"url": s.url, "address": s.address, "admin": s.admin} for name, s in ways.items()}
        task = {"server": told, "port": pages, "results": str(RESULTS), "application": application, **started}
        done = subprocess.run(
            ["node", str(PROGRAM)], input=json.dumps(task), capture_output=True, text=True, timeout=DEADLINE
        )
    if done.returncode != 0:
        raise Failed(f"the page could not be measured: {done.stderr[-2000:]}")
    for way in map(json.loads, done.stdout.splitlines()):
        _record(server, way, results)


def _record(server, way, results):
    reload, images = way["reload"], way["images"]
    detail = f"{images} images: {reload['options']:.0f} OPTIONS, {reload['gets']:.0f} GET, {reload['bytes']:.0f} bytes"
    if way["name"] == OWN:
        is_right = not any(reload.values())
    elif "No-Vary-Search" in way["name"]:
        is_right = reload["gets"] == 0
    else:
        is_right = reload["gets"] >= images
    record = results.passed if is_right else results.failed
    record(server.name, SUITE, f"a reload with new signatures, {way['name']}", detail)
