"""Real libraries in pages in Chromium, each with the rules of its profile and with the shipped rules that are for it."""

import contextlib
import dataclasses
import fnmatch
import json
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from browser.suite import missing_tools
from clients.boto3_sdk import connect
from harness.committed import compare
from harness.environment import REPOSITORY, RESULTS
from harness.processes import Failed
from harness.proxy import proxy
from libraries import fixtures, profile, render
from libraries.recorded import ALL, Recorded
from libraries.table import LIBRARIES

SUITE = "libraries"
# A server that reads of a bucket without a signature, and takes every signature: what is tested is the library and its rules.
SERVERS = ("minio",)
PROGRAM = Path(__file__).parent / "judge.js"
PAGE = Path(__file__).parent.parent / "LIBRARIES.md"
SHIPPED = REPOSITORY / "conf" / "rules"
# The origins of the shipped rules that stand for the reader's own.
EXAMPLES = ("https://app.example.com", "https://www.example.com")
DEADLINE = 300
PROFILE = "its profile"
# It replaces the first one while PMTiles reads.
OTHER_MAP = "map.pmtiles"
# What becomes of HEAD on a link for GET, which range readers send.
HEADS = ("by_get", "as_signed")


@dataclasses.dataclass
class Run:
    """One library with one document of rules, in a bucket of its own."""

    library: object
    rules: str
    bucket: str
    options: dict

    @property
    def name(self):
        return f"{self.library.name} with {self.rules}"


def _runs():
    for library in LIBRARIES:
        bucket = f"{library.page}-{library.head.replace('_', '-')}"
        yield Run(library, PROFILE, f"{bucket}-profile", library.options)
        for document, options in library.shipped.items():
            yield Run(library, document, f"{bucket}-{Path(document).stem}", options)


def _write_rules(runs, origin, folder):
    """Writes the rules of each bucket; returns the needs of each profile."""
    rules = folder / "library-rules"
    rules.mkdir()
    clients = list(dict.fromkeys(run.library.profile for run in runs))
    with ThreadPoolExecutor() as pool:
        asked = pool.map(lambda client: profile.rules(client, origin, folder), clients)
    profiles = dict(zip(clients, asked, strict=True))
    for run in runs:
        if run.rules == PROFILE:
            _, document = profiles[run.library.profile]
            text, suffix = json.dumps({"CORSRules": document}), ".json"
        else:
            text, suffix = (SHIPPED / run.rules).read_text(), Path(run.rules).suffix
            for example in EXAMPLES:
                text = text.replace(example, origin)
        (rules / f"{run.bucket}{suffix}").write_text(text)
    return rules, {client: need for client, (need, _) in profiles.items()}


def _store(server, runs, objects):
    """The buckets, which everyone may read, and what the libraries read of them."""
    s3 = connect(server, server.url)
    for run in runs:
        s3.create_bucket(Bucket=run.bucket)
        arn = f"arn:aws:s3:::{run.bucket}"
        allowed = {"Effect": "Allow", "Principal": "*", "Action": ["s3:GetObject"], "Resource": [f"{arn}/*"]}
        s3.put_bucket_policy(Bucket=run.bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [allowed]}))
        for pattern in run.library.objects:
            for key in fnmatch.filter(objects, pattern):
                s3.put_object(Bucket=run.bucket, Key=key, **objects[key].settings())


def _task(server, pages, proxies, folder, runs):
    told = {name: getattr(server, name) for name in ("url", "region", "access_key", "secret_key")}
    return {
        "server": told | {"limited": dataclasses.asdict(server.limited)},
        "proxies": {head: int(s3cors.address.rpartition(":")[2]) for head, s3cors in proxies.items()},
        "port": pages,
        "map": str(folder / OTHER_MAP),
        "runs": [
            {
                "name": run.name,
                "page": run.library.page,
                "bucket": run.bucket,
                "options": run.options,
                "links": run.library.links,
                "head": run.library.head,
            }
            for run in runs
        ],
    }


def _visit(task):
    """What each run did, in order."""
    done = subprocess.run(
        ["node", str(PROGRAM)], input=json.dumps(task), capture_output=True, text=True, timeout=DEADLINE
    )
    (RESULTS / "libraries.jsonl").write_text(done.stdout)
    if done.returncode != 0:
        raise Failed(f"the libraries could not be run: {done.stderr[-2000:]}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def _faults(run, told, recorded, need):
    """What is wrong with a run."""
    library = run.library
    for denied in recorded.denied():
        yield f"a preflight was denied: {denied}"
    if "error" in told:
        yield "\n    ".join([told["error"], *told["console"]])
    elif told["result"] != (expected := library.result(run.options)):
        yield f"the page has {told['result']}, not {expected}"
    if library.ranges_of:
        statuses, read = recorded.of(library.ranges_of)
        if 206 not in statuses:
            yield f"no range of {library.ranges_of} was read: {statuses}"
        elif not library.begins_whole and 200 in statuses:
            yield f"{library.ranges_of} was read whole: {statuses}"
    if run.rules == PROFILE:
        yield from _not_in_profile(library, recorded, need)


def _not_in_profile(library, recorded, need):
    """What a library did that its profile does not have."""
    for method, names in recorded.asked().items():
        if method not in need:
            yield f"the profile {library.profile} has no {method}"
        elif more := names - need[method].headers - {*library.sends_too}:
            yield f"the profile {library.profile} lacks the header {', '.join(sorted(more))} of {method}"
    for method, names in recorded.reads.items():
        known = need[method].reads if method in need else set()
        if more := names - known - {ALL, *library.reads_too}:
            yield f"the profile {library.profile} lacks that {', '.join(sorted(more))} of {method} is read"


def run(server, folder, pages, results):
    """All libraries; returns what was recorded with the rules of the profiles, and those profiles."""
    if reason := missing_tools():
        results.skipped(server.name, SUITE, "all libraries", reason)
        return None
    runs = list(_runs())
    objects = fixtures.make(folder)
    (folder / OTHER_MAP).write_bytes(fixtures.pmtiles(2))
    rules, needs = _write_rules(runs, f"http://app.localhost:{pages}", folder)
    _store(server, runs, objects)
    with contextlib.ExitStack() as running:
        proxies = {}
        for head in HEADS:
            config = f"presigned: {{head: {head}}}\n"
            started = proxy(f"s3cors-{server.name}-libraries-{head}", rules, server.url, config)
            proxies[head] = running.enter_context(started)
        told = _visit(_task(server, pages, proxies, folder, runs))
    recordings = {}
    for run, one in zip(runs, told, strict=True):
        recorded = Recorded(one["exchanges"], one["reads"])
        if faults := list(_faults(run, one, recorded, needs[run.library.profile])):
            results.failed(server.name, SUITE, run.name, "\n    ".join(faults))
        else:
            results.passed(server.name, SUITE, run.name)
        if run.rules == PROFILE:
            recordings[run.library.name] = recorded
    return recordings, needs


def conclude(seen, write, results):
    """Compares the page with what was recorded."""
    recordings, needs = seen
    compare(PAGE, render.page(recordings, needs), (), write, SUITE, results)
