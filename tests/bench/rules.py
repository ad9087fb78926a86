"""What the rules of ten thousand buckets cost s3cors: the start, memory, waiting, a change, a storm of changes, the metrics page."""

import contextlib
import functools
import http.client
import os
import re
import statistics
import subprocess
import sys
import time

import machine
import proxies
from processes import Failed, free_ports, running, stop

DOCUMENTS, RULES = 10_000, 10
STARTS = 5
# Memory that the start used and freed is given back within this time.
SETTLE, IDLE = 15, 20
# A changed file is looked at again until it has rested for 2 s, at the poll after that.
CHANGE = 8
STORM, STORM_ROUNDS, STORM_SECONDS = 1000, 3, 6
STORM_LIMIT = 10
# Of the load during a storm: connections, and requests a second on each.
CLIENTS, PACE = 8, 100
BUCKET = "bench"

METHODS = (("GET",), ("GET", "HEAD"), ("PUT", "POST", "GET"), ("GET", "PUT", "POST", "DELETE", "HEAD"))
HEADERS = (("*",), ("authorization", "content-type", "x-amz-*"), ("content-type",), ())
EXPOSED = (("ETag",), ("ETag", "x-amz-request-id", "x-amz-version-id"), ())
AGES = (300, 600, 3000, 3600)


def document(bucket, extra=""):
    """Rules as a tenant with ten applications has them, different for each bucket, or of many kinds at least."""
    rules = []
    for number in range(RULES):
        kind = hash((bucket, number)) if isinstance(bucket, int) else number
        origins = [f"https://app{number}.{bucket}.example"]
        origins += [f"https://*.app{number}.{bucket}.example"] * (number % 2) + [extra] * bool(extra and not number)
        parts = [("ID", (f"rule-{number}",)), ("AllowedOrigin", origins)]
        parts += [("AllowedMethod", METHODS[kind % 4]), ("AllowedHeader", HEADERS[kind // 4 % 4])]
        parts += [("ExposeHeader", EXPOSED[kind // 16 % 3]), ("MaxAgeSeconds", (AGES[kind // 48 % 4],))]
        lines = [f"    <{name}>{value}</{name}>\n" for name, values in parts for value in values]
        rules.append(f"  <CORSRule>\n{''.join(lines)}  </CORSRule>\n")
    namespace = "http://s3.amazonaws.com/doc/2006-03-01/"
    return f'<CORSConfiguration xmlns="{namespace}">\n{"".join(rules)}</CORSConfiguration>\n'


def replace(folder, bucket, extra):
    """Replaces a bucket's document as careful programs do."""
    new = folder / f".{bucket}"
    new.write_text(document(bucket, extra))
    os.replace(new, folder / f"{bucket}.xml")


def ask(port, bucket, origin):
    """Whether a preflight of this origin is granted."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    with contextlib.closing(connection):
        connection.request(
            "OPTIONS", f"/{bucket}/key", headers={"Origin": origin, "Access-Control-Request-Method": "GET"}
        )
        return connection.getresponse().status == 200


def started(command, port, bucket, folder):
    """Seconds from the start of the process to its first response."""
    began = time.monotonic()
    with (folder / "start.log").open("ab") as log:
        process = subprocess.Popen([*map(str, command)], stdout=log, stderr=log, cwd=folder, start_new_session=True)
    try:
        while True:
            with contextlib.suppress(OSError, http.client.HTTPException):
                if ask(port, bucket, f"https://app0.{bucket}.example"):
                    return time.monotonic() - began
            if process.poll() is not None or time.monotonic() - began > 60:
                raise Failed(f"s3cors did not start: {(folder / 'start.log').read_text()[-2000:]}")
            time.sleep(0.002)
    finally:
        stop(process)


def used(pid, seconds, act=lambda: None):
    """CPU seconds that the process uses while something is done and for so long after it began."""
    before, until = machine.cpu_seconds(pid), time.monotonic() + seconds
    act()
    time.sleep(max(0, until - time.monotonic()))
    return machine.cpu_seconds(pid) - before


def change(port, folder, bucket, origin):
    """Changes one document. Returns the seconds until it is live."""
    replace(folder, bucket, origin)
    began = time.monotonic()
    while not ask(port, bucket, origin):
        if time.monotonic() - began > STORM_LIMIT:
            raise Failed(f"a changed document is not live after {STORM_LIMIT} s")
        time.sleep(0.005)
    return time.monotonic() - began


def storm(port, folder, watched, origin):
    """Changes many documents; returns the seconds until all are live. Where they are not watched, it only does the same work."""
    began, waiting = time.monotonic(), list(range(STORM))
    for bucket in waiting:
        replace(folder, bucket, origin)
    while waiting and time.monotonic() - began < STORM_LIMIT:
        asked = origin if watched else "https://app0.{}.example"
        waiting = [bucket for bucket in waiting if not ask(port, bucket, asked.format(bucket))]
    if waiting:
        raise Failed(f"{len(waiting)} changed documents are not live after {STORM_LIMIT} s")
    return time.monotonic() - began


def p99_during(port, folder, act):
    """The p99 in µs of requests at a steady pace while something is done, and what that returns."""
    log = folder / "requests.log"
    log.unlink(missing_ok=True)
    command = ["h2load", "--h1", "-t1", f"-c{CLIENTS}", f"--rps={PACE}", f"-D{STORM_SECONDS}", f"--log-file={log}"]
    command += [f"-HOrigin: https://app0.{BUCKET}.example", f"http://127.0.0.1:{port}/{BUCKET}/1k"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as loader:
        time.sleep(1)
        result = act()
        if loader.wait(STORM_SECONDS + 20):
            raise Failed("h2load failed")
    # Start, status, duration in µs.
    times = sorted(int(line.split("\t")[2]) for line in log.read_text().splitlines())
    return times[len(times) * 99 // 100], result


def storms(port, folder, rules):
    """The slowest storm, and by how much a storm moves the p99 of requests."""
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir()
    moved, took = [], []
    for number in range(STORM_ROUNDS):
        origin = f"https://storm{number}.example"
        still, _ = p99_during(port, folder, functools.partial(storm, port, elsewhere, False, origin))
        stormy, seconds = p99_during(port, folder, functools.partial(storm, port, rules, True, origin))
        moved.append(stormy / still)
        took.append(seconds)
        print(f"a storm of {STORM} changes: live after {seconds:.2f} s, p99 {still} -> {stormy} µs", file=sys.stderr)
    return {"storm_s": round(max(took), 2), "storm_p99_ratio": round(statistics.median(moved), 2)}


def metrics(admin, port):
    """The page after more buckets were asked for than have series."""
    for bucket in range(1000):
        ask(port, bucket, f"https://app0.{bucket}.example")
    connection = http.client.HTTPConnection("127.0.0.1", admin, timeout=30)
    with contextlib.closing(connection):
        connection.request("GET", "/metrics")
        page = connection.getresponse().read()
    series = len(re.findall(rb"^[^#\n]", page, re.MULTILINE))
    return {"metrics_mb": round(len(page) / 1e6, 2), "series": series}


def measure(program, folder):
    """All figures of s3cors with the rules of many buckets."""
    rules = folder / "many-rules"
    rules.mkdir()
    for bucket in [*range(DOCUMENTS - 1), BUCKET]:
        (rules / f"{bucket}.xml").write_text(document(bucket))
    # A document has a version once it has rested.
    time.sleep(3)
    upstream, port, admin = free_ports(3)
    values = {"port": port, "admin": admin, "upstream": upstream, "rules": rules}
    command = [program, "serve", "--config", proxies.configure("many-rules.yaml", folder, **values)]
    starts = [started(command, port, BUCKET, folder) for _ in range(STARTS)]
    found = {"documents": DOCUMENTS, "rules_each": RULES, "start_s": round(statistics.median(starts), 2)}
    with contextlib.ExitStack() as stack:
        stack.enter_context(running("upstream-rules", proxies.upstream(folder, upstream), upstream, folder))
        pid = stack.enter_context(running("s3cors-rules", command, port, folder)).pid
        ask(port, BUCKET, f"https://app0.{BUCKET}.example")
        time.sleep(SETTLE)
        found["resident_mb"] = round(machine.memory(pid) * 1024 / 1e6, 1)
        idle = used(pid, IDLE) / IDLE
        found["idle_cpu_percent"] = round(idle * 100, 2)
        live = []
        spent = [
            used(pid, CHANGE, lambda n=n: live.append(change(port, rules, n, "https://one.example"))) for n in range(3)
        ]
        # Where the machine is busy, looking at the files costs more one time than another, and hides what a change costs.
        of_a_change = round((statistics.median(spent) - idle * CHANGE) * 1000)
        found["change_cpu_ms"] = of_a_change if of_a_change > 0 else None
        found["change_live_s"] = round(max(live), 2)
        found |= storms(port, folder, rules)
        found |= metrics(admin, port)
        found["resident_after_mb"] = round(machine.memory(pid) * 1024 / 1e6, 1)
    return found
