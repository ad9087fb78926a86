"""Each report as its reporter had it: it fails without s3cors, all of its requests pass with it, and no forged one does.

What was seen is rendered as REPLAYS.md, which is committed: a run that sees something else fails until the page is written anew.
"""

import dataclasses
import http.client
from pathlib import Path

from clients.boto3_sdk import connect
from harness import committed
from replays import arriving, asked, forged, stack, table
from replays.asked import ASKS, BUCKET, CONTENT, ORIGIN, PRIVATE, READS, SECRET, UPLOADED, WRITES, Client
from replays.render import VERSIONS, render

SUITE = "public reports"
FILE = Path(__file__).resolve().parent.parent / "REPLAYS.md"
RULES = """<CORSConfiguration><CORSRule><AllowedOrigin>{origin}</AllowedOrigin><AllowedMethod>GET</AllowedMethod>
<AllowedMethod>HEAD</AllowedMethod><AllowedMethod>PUT</AllowedMethod><AllowedHeader>*</AllowedHeader></CORSRule></CORSConfiguration>
"""
# What a server does for no client, by operation or by report.
CANNOT = {
    "rgw": {table.TRAILER: "has no checksums after a body (aws-chunked with a trailer)"},
    # It takes the port of a scheme off the name that it verifies.
    "seaweedfs": {"minio/minio-dotnet#321": "verifies no default port", "scality/Zenko#14": "verifies no default port"},
}
# What a server puts right itself: it passes without s3cors too.
ITSELF = {"seaweedfs": {"aws/aws-sdk-ruby#1401"}}
FAILURES = "s3cors_signature_failures_total"


@dataclasses.dataclass
class Seen:
    """Of one server, by report."""

    # The statuses of its requests, in order.
    without: dict = dataclasses.field(default_factory=dict)
    with_s3cors: dict = dataclasses.field(default_factory=dict)
    # Of the requests that cannot be put right, the cause that s3cors names.
    causes: dict = dataclasses.field(default_factory=dict)
    forgeries: int = 0


def _store(storage):
    s3 = connect(storage, storage.url)
    for bucket in (BUCKET, PRIVATE):
        s3.create_bucket(Bucket=bucket)
    for key in {replay.key for replay in stack.EVERY}:
        s3.put_object(Bucket=BUCKET, Key=key, Body=CONTENT)
        s3.put_object(Bucket=PRIVATE, Key=key, Body=SECRET)
    s3.put_object(Bucket=BUCKET, Key=forged.OTHER_KEY, Body=SECRET)
    return s3


def _clear(s3):
    for bucket in (BUCKET, PRIVATE):
        for entry in s3.list_objects_v2(Bucket=bucket, EncodingType="").get("Contents", ()):
            s3.delete_object(Bucket=bucket, Key=entry["Key"])
        s3.delete_bucket(Bucket=bucket)


def _ask(operation, client):
    try:
        return ASKS[operation](client)
    except (OSError, http.client.HTTPException) as error:
        return asked.Answer(0, (), repr(error))


def _fault(operation, client, answer, s3):
    """What is wrong with a response to an honest request, or None."""
    expected = 206 if operation in (table.RANGE, table.SLICE) else 200
    if answer.status != expected:
        return f"{answer.status} {answer.body[:300]}"
    if answer.values("access-control-allow-origin") not in ([ORIGIN], []) or (
        not answer.values("access-control-allow-origin") and operation != table.PARTS
    ):
        return f"the page cannot read it: {answer.headers}"
    if operation in READS and answer.body.encode() != READS[operation]:
        return f"it read {answer.body[:80]!r}"
    if operation in WRITES:
        stored = asked.stored(client.storage, client.upload)
        s3.delete_object(Bucket=BUCKET, Key=client.upload)
        if not stored.startswith(UPLOADED.decode()):
            return f"it stored {stored[:80]!r}"
    return None


def _requests(replay):
    """Every request of a report, by the name that is signed."""
    return [(name, operation) for name in (replay.name, *replay.others) for operation in replay.asks]


def _cannot(storage, replay, name, operation, results):
    """A server that cannot do something cannot do it where everything arrives as it was signed either."""
    as_signed = dataclasses.replace(replay, opened=name, front=table.fronts.NOTHING)
    answer = _ask(operation, Client(storage, as_signed, name, storage.address))
    if answer.status < 400:
        results.failed(
            storage.name, SUITE, f"{replay.source}: {operation}", "works at the server itself: take it from the list"
        )


def _honest(storage, replay, chain, s3, seen, results):
    statuses = {"without": [], "with": []}
    for name, operation in _requests(replay):
        if {operation, replay.source} & CANNOT.get(storage.name, {}).keys():
            _cannot(storage, replay, name, operation, results)
            continue
        before = _ask(operation, Client(storage, replay, name, chain.without))
        client = Client(storage, replay, name, chain.opened)
        answer = _ask(operation, client)
        if answer.status == 403 and operation in WRITES and replay.is_tried:
            # A server that asks for the body before it judges (REPORT.md) refuses it, and the next try goes in the next form.
            answer = _ask(operation, client)
        statuses["without"].append(before.status)
        statuses["with"].append(answer.status)
        what = f"{replay.source}: {operation}, signed for {name}"
        if fault := _fault(operation, client, answer, s3):
            results.failed(storage.name, SUITE, what, fault)
        else:
            results.passed(storage.name, SUITE, what)
    breaks = any(status >= 400 for status in statuses["without"])
    if statuses["without"] and not breaks and replay.source not in ITSELF.get(storage.name, ()):
        results.failed(storage.name, SUITE, replay.source, "passes without s3cors: it is no replay of the report")
    seen.without[replay.source], seen.with_s3cors[replay.source] = statuses["without"], statuses["with"]


def _named(storage, replay, chain, seen, results):
    """A request that only its signer can put right is refused, and its cause is counted."""
    (operation,) = replay.asks
    before = _ask(operation, Client(storage, replay, replay.name, chain.without))
    causes = _causes(chain)
    answer = _ask(operation, Client(storage, replay, replay.name, chain.opened))
    found = [cause for cause, count in _causes(chain).items() if count > causes.get(cause, 0)]
    seen.without[replay.source], seen.with_s3cors[replay.source] = [before.status], [answer.status]
    seen.causes[replay.source] = found
    what = f"{replay.source}: refused, with its cause"
    # A server may find the request malformed, not its signature wrong: then there is no cause to name.
    if before.status < 400 or answer.status < 400 or (answer.status == 403 and len(found) != 1):
        results.failed(
            storage.name, SUITE, what, f"{before.status} without s3cors, {answer.status} with it, for {found}"
        )
    else:
        results.passed(storage.name, SUITE, what)


def _causes(chain):
    return chain.s3cors.by_label(FAILURES, "cause")


def _forged(storage, number, replay, chain, seen, results):
    client = Client(storage, replay, replay.name, chain.opened)
    for title in forged.sent_through(number):
        seen.forgeries += 1
        what = f"{replay.source}: forged: {title}"
        try:
            answer = forged.FORGERIES[title](client)
        # A connection that ends is a refusal.
        except (OSError, http.client.HTTPException):
            answer = asked.Answer(400, (), "")
        if forged.passed(answer):
            results.failed(storage.name, SUITE, what, f"{answer.status} {answer.body[:200]}")
        else:
            results.passed(storage.name, SUITE, what)


def _unharmed(storage, s3, results):
    """After all forged requests every object is as it was, and none was added."""
    for replay in stack.EVERY:
        content = asked.stored(storage, replay.key)
        if content != CONTENT.decode():
            results.failed(storage.name, SUITE, f"{replay.key} is as it was", content[:80])
    if keys := forged.written(s3):
        results.failed(storage.name, SUITE, "nothing was written by a forged request", str(keys))


def run(storage, folder, results):
    """All reports in front of one server; returns what was seen, or None if programs are missing."""
    if reason := stack.missing():
        results.skipped(storage.name, SUITE, "all reports", reason)
        return None
    rules = folder / "replays-rules"
    rules.mkdir()
    (rules / f"{BUCKET}.xml").write_text(RULES.format(origin=ORIGIN))
    s3, seen = _store(storage), Seen()
    with stack.started(storage, rules, folder / "replays") as chains:
        for number, replay in enumerate(table.REPLAYS):
            _honest(storage, replay, chains[replay], s3, seen, results)
            _forged(storage, number, replay, chains[replay], seen, results)
        for replay in table.NAMED:
            _named(storage, replay, chains[replay], seen, results)
    _unharmed(storage, s3, results)
    _clear(s3)
    return seen


def conclude(seen, folder, write, results):
    """Compares the page with what was seen in front of every server."""
    committed.compare(FILE, render(seen, arriving.at_s3cors(folder)), VERSIONS, write, SUITE, results)
