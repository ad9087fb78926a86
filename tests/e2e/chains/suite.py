"""Each policy through each chain, and each claim of a stranger, which must fail. What was seen is rendered as CHAINS.md.

The committed page is compared by every run, like REPORT.md.
"""

import base64
import dataclasses
import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from chains import echo, key_holder, policies, stack
from chains.policies import ALLOWED, CONDITIONS, CONTENT, OTHER, PRESIGNED, target
from chains.render import VERSIONS, render
from chains.spoofing import ATTEMPTS, PROXIED, REFUSED
from chains.table import CHAINS
from chains.wire import Door, request
from clients.boto3_sdk import connect
from harness import committed
from harness.processes import eventually

SUITE = "chains of proxies"
FILE = Path(__file__).resolve().parent.parent / "CHAINS.md"
# The servers with policies. What a cell of a policy must show, by bucket, scheme and client. MinIO looks only at its own connection for
# aws:SecureTransport, which has no TLS here.
SERVERS = ("minio", "rgw")
BY_SCHEME = {"minio": {"http": "403", "https": "403"}, "rgw": {"http": "403", "https": "200"}}

# RGW refuses a key of the client's (SSE-C) that did not come over TLS.
SSE_C = {"http": "400 -", "https": "200 200"}
_KEY = b"0123456789abcdef0123456789abcdef"
CUSTOMER_KEY = {
    "SSECustomerAlgorithm": "AES256",
    "SSECustomerKey": base64.b64encode(_KEY).decode(),
    "SSECustomerKeyMD5": base64.b64encode(hashlib.md5(_KEY).digest()).decode(),
}


@dataclasses.dataclass
class Seen:
    """Outcomes for the page, by server."""

    # By chain and column.
    cells: dict = dataclasses.field(default_factory=dict)
    # By attempt: at the server itself, and in each chain.
    alone: dict = dataclasses.field(default_factory=dict)
    attempts: dict = dataclasses.field(default_factory=dict)
    # Of a stranger at a listener that expects PROXY.
    proxied: dict = dataclasses.field(default_factory=dict)


def expected(server, bucket, scheme, client):
    if bucket == "by-scheme":
        return BY_SCHEME[server][scheme]
    return "200" if bucket == "by-address" and client == ALLOWED else "403"


def doors(running, chain):
    return {"http": running.door(chain.http), "https": running.door(chain.https)}


def run(server, rules, folder, results):
    """All policies and attempts with one server; returns what was seen."""
    policies.create(server)
    if server.name == "rgw":
        key_holder.create(server)
    seen = Seen()
    with stack.running(server, rules, folder, stack.present()) as running:
        for chain in CHAINS:
            if reason := stack.missing(chain):
                results.skipped(server.name, SUITE, chain.title, reason)
                continue
            seen.cells[chain.title] = _policies(running, chain, results)
            for attempt, answer in _attempts(running, chain):
                what = f"{chain.title}: a stranger with {attempt.title}"
                seen.attempts.setdefault(attempt.title, {})[chain.title] = answer.outcome
                _compare(results, server, what, answer.outcome, *REFUSED)
        for attempt in PROXIED:
            seen.proxied[attempt.title] = outcome = attempt.make(running.door("proxied")).outcome
            # What says PROXY is believed.
            wanted = "200" if attempt.before else "closed"
            _compare(results, server, f"a listener with proxy_protocol: {attempt.title}", outcome, wanted)
    for attempt in ATTEMPTS:
        # HTTP/2 is not spoken by every server itself.
        door = Door(int(server.address.rpartition(":")[2]))
        seen.alone[attempt.title] = "-" if attempt.http2 else attempt.make(door).outcome
    return seen


def _policies(running, chain, results):
    """One row of the table: every policy with both clients, and what signatures and TLS decide."""
    server, cells = running.storage, {}
    for scheme, door in doors(running, chain).items():
        for bucket in CONDITIONS:
            for client in (ALLOWED, OTHER):
                outcome = door.send(client, request(target(bucket), door.host)).outcome
                cells[bucket, scheme, client] = outcome
                what = f"{chain.title}: {bucket} over {scheme} from {client}"
                _compare(results, server, what, outcome, expected(server.name, bucket, scheme, client))
        cells["presigned", scheme] = _presigned(server, door)
        _compare(results, server, f"{chain.title}: presigned, {scheme}", cells["presigned", scheme], "200 200")
        cells["client", scheme] = _logged_client(running, door)
        _compare(results, server, f"{chain.title}: the access log, {scheme}", cells["client", scheme], ALLOWED)
        if server.name == "rgw":
            cells["sse-c", scheme] = _presigned(server, door, CUSTOMER_KEY)
            _compare(results, server, f"{chain.title}: SSE-C, {scheme}", cells["sse-c", scheme], SSE_C[scheme])
            cells["key", scheme] = key_holder.outcomes(server, door)
            _compare(
                results, server, f"{chain.title}: a user's address, {scheme}", cells["key", scheme][:2], ("200", "403")
            )
    return cells


def _compare(results, server, what, outcome, *wanted):
    if outcome in wanted:
        results.passed(server.name, SUITE, what)
    else:
        results.failed(server.name, SUITE, what, f"{outcome}, expected {' or '.join(map(str, wanted))}")


def _presigned(server, door, about=None):
    """Statuses of a presigned upload and download: the signed Host has come through all proxies."""
    about = about or {}
    s3 = connect(server, door.url)
    parameters = {"Bucket": PRESIGNED, "Key": f"{door.scheme}-{len(about)}", **about}
    upload, download = (
        s3.generate_presigned_url(operation, parameters).removeprefix(door.url)
        for operation in ("put_object", "get_object")
    )
    lines = _customer_key_lines(about)
    put = door.send(ALLOWED, request(upload, door.host, lines, method="PUT", content=CONTENT))
    got = door.send(OTHER, request(download, door.host, lines))
    return f"{put.outcome} {got.outcome if got.body == CONTENT.decode() else '-'}"


def _logged_client(running, door):
    """The client in the access line of a request."""
    path = f"/by-address/logged-{door.port}"
    door.send(ALLOWED, request(path, door.host))
    client = eventually("the access line is written", lambda: running.logged(path))["client"]
    # With its port, where that is known.
    return client.partition(":")[0]


def _customer_key_lines(about):
    """The header lines of SSE-C, which a presigned URL signs but does not carry."""
    names = {"Algorithm": "-algorithm", "Key": "-key", "KeyMD5": "-key-MD5"}
    return tuple(
        f"x-amz-server-side-encryption-customer{line}: {about[f'SSECustomer{name}']}"
        for name, line in names.items()
        if about
    )


def _attempts(running, chain):
    """Every attempt of a stranger in one chain, with its answer."""
    ways = doors(running, chain)
    with ThreadPoolExecutor(max_workers=8) as pool:
        # A browser speaks HTTP/2 only with TLS.
        made = pool.map(lambda attempt: attempt.make(ways["https" if attempt.http2 else "http"]), ATTEMPTS)
        yield from zip(ATTEMPTS, made, strict=True)


def arrivals(rules, folder, results):
    """What reaches a storage: of a usual client by chain and scheme, and nothing that a stranger claims."""
    told = {}
    with (
        echo.start() as storage,
        stack.running(storage, rules, folder, stack.present()) as running,
    ):
        for chain in CHAINS:
            if stack.missing(chain):
                continue
            for scheme, door in doors(running, chain).items():
                lines = echo.about_the_client(door.send(ALLOWED, request("/bucket/key", door.host)).body)
                told[chain.title, scheme] = [(name, running.without_ports(value)) for name, value in lines]
            for attempt, answer in _attempts(running, chain):
                _claims(chain, attempt, answer, results)
    return told


def _claims(chain, attempt, answer, results):
    what = f"{chain.title}: what arrives of {attempt.title}"
    arrived = echo.about_the_client(answer.body) if answer.outcome == "200" else []
    wrong = [f"{name}: {value}" for name, value in arrived if _claimed(name, value, attempt)]
    if wrong:
        results.failed("echo", SUITE, what, "; ".join(wrong))
    else:
        results.passed("echo", SUITE, what)


def _claimed(name, value, attempt):
    """Whether a line says what only the stranger said."""
    wrong_scheme = name == "x-forwarded-proto" and value != ("https" if attempt.http2 else "http")
    others = name not in ("x-forwarded-for", "x-forwarded-proto", "x-forwarded-host")
    claimed = ALLOWED in value and not attempt.signed
    return claimed or "internal" in value or wrong_scheme or others


def conclude(seen, folder, write, results):
    """What arrives at a storage, and, where every server and proxy was there, the page."""
    rules = folder / "rules"
    rules.mkdir()
    told = arrivals(rules, folder / "chains", results)
    complete = all(name in seen and len(seen[name].cells) == len(CHAINS) for name in SERVERS)
    if complete:
        committed.compare(FILE, render(seen, told), VERSIONS, write, SUITE, results)
