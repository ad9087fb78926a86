"""Pages in Chromium, each on its own origin: the browser lets them read what the rules allow."""

import contextlib
import json
import os
import shutil
import subprocess
from pathlib import Path

from harness.environment import RESULTS
from harness.processes import Failed, free_port
from harness.proxy import proxy

SUITE = "browser"
PROGRAM = Path(__file__).parent / "judge.js"
DEADLINE = 300
# Reserved (RFC 2606): it never resolves.
UNKNOWN = "http://storage.invalid:9000"
CONFIGURATIONS = {
    "as_s3": "cors: {vary: matched}\n",
    "by_get": "presigned: {head: by_get}\n",
    "neighbours": "cors: {timing_allow_origin: granted, resource_policy: cross-origin}\n",
}


def missing_tools():
    if "NODE_PATH" not in os.environ:
        return "there is no Node.js 20 or newer"
    return None if shutil.which("chromium") else "Chromium is not installed"


@contextlib.contextmanager
def _others(server, rules):
    """Further instances of s3cors: without a server, with an unresolvable server, and with other settings."""
    upstreams = {"down": f"http://127.0.0.1:{free_port()}", "unknown": UNKNOWN}
    upstreams |= dict.fromkeys(CONFIGURATIONS, server.url)
    with contextlib.ExitStack() as running:
        urls = {}
        for name, upstream in upstreams.items():
            started = proxy(f"s3cors-{server.name}-{name}", rules, upstream, CONFIGURATIONS.get(name))
            urls[name] = running.enter_context(started).url
        yield urls


def _task(server, pages, **about):
    told = {name: getattr(server, name) for name in ("name", "url", "region", "access_key", "secret_key")}
    return {"server": told, "port": pages, "results": str(RESULTS), **about}


def _judge(task):
    """What the browser says of each case."""
    done = subprocess.run(
        ["node", str(PROGRAM)], input=json.dumps(task), capture_output=True, text=True, timeout=DEADLINE
    )
    if done.returncode != 0:
        raise Failed(f"the browser's tests could not be run: {done.stderr[-2000:]}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def alone(server, pages):
    """Whether the browser lets a page do what the rules say when the server's own CORS is all there is, by case."""
    if missing_tools():
        return {}
    cases = _judge(_task(server, pages, url=server.url, alone=True))
    return {case["name"]: "error" not in case for case in cases if "about_s3cors" not in case}


def run(server, rules, pages, s3cors, results):
    """All cases; without s3cors, against the server itself. Returns which passed."""
    if reason := missing_tools():
        results.skipped(server.name, SUITE, "all cases", reason)
        return {}
    with _others(server, rules) as others:
        task = _task(server, pages, **others)
        task |= {"url": s3cors.url, "admin": s3cors.admin} if s3cors else {"url": server.url, "admin": None}
        if not s3cors:
            # Without s3cors nothing answers for a server that is down, or sets a header.
            task |= {"down": f"http://127.0.0.1:{free_port()}", "unknown": UNKNOWN}
            task |= dict.fromkeys(CONFIGURATIONS, server.url)
        cases = _judge(task)
    for case in cases:
        if "error" in case:
            results.failed(server.name, SUITE, case["name"], "\n    ".join([case["error"], *case["console"]]))
        else:
            results.passed(server.name, SUITE, case["name"])
    return {case["name"]: "error" not in case for case in cases}
