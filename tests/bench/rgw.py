"""Small responses from Ceph RGW on a kept connection, directly and through each proxy.

RGW writes the head and the body of a response apart, with Nagle's algorithm on. The reader's delayed acknowledgement then costs 40 ms.
"""

import contextlib
import http.client
import statistics
import sys
import time

import calls
import proxies
from processes import Failed, output_of, running

E2E = proxies.ROOT / "tests/e2e"
TOOLS = ["radosgw", "ceph-mon", "ceph-osd", "ceph", "s3cmd", "strace"]
REQUESTS, WARM = 100, 3
BUCKET = "bench"
TARGETS = {"get1k": (f"/{BUCKET}/1k", 200), "missing": (f"/{BUCKET}/there-is-no-such-key", 404)}
DIRECTLY, PROXIES = "directly", ("nginx", "haproxy", "s3cors")


def server():
    """The module that starts RGW for the end-to-end tests."""
    # At the end: both folders have a module `rules`.
    sys.path.append(str(E2E))
    from harness import environment
    from servers import rgw

    environment.RESULTS.mkdir(parents=True, exist_ok=True)
    return rgw


def measure(compared, folder, cpus):
    """Median and 90th percentile of each request in ms, by way, and the calls of `setsockopt` that a request costs the proxy."""
    proxy_cpu, _ = cpus
    rgw, home, found = server(), folder / "rgw", {}
    home.mkdir()
    with rgw.start(home / "cluster") as storage:
        fill(storage, home)
        upstream = int(storage.address.rpartition(":")[2])
        found[DIRECTLY] = of_port(upstream)
        for proxy in (each for each in compared if each.name in PROXIES):
            own, ports = home / proxy.name, proxies.Ports(*proxies.free_ports(2))
            own.mkdir()
            command = proxy.command(own, ports, upstream)
            with running(f"{proxy.name}-rgw", command, ports.plain, own, proxy_cpu, proxy.output) as process:
                found[proxy.name] = of_port(ports.plain)
                with calls.traced(process.pid, own) as counted:
                    times(ports.plain, *TARGETS["get1k"])
                found[proxy.name]["setsockopt"] = round(counted.get("setsockopt", 0) / (REQUESTS + WARM), 2)
            print(f"{proxy.title}: RGW's responses timed", file=sys.stderr)
    return {"version": rgw.version(), "requests": REQUESTS, "ways": found}


def fill(storage, folder):
    """A bucket that anyone may list, so that a missing object is 404, with one object that anyone may read."""
    small = folder / "1k"
    small.write_bytes(bytes(proxies.OBJECTS["1k"]))
    use = ["s3cmd", "--config=/dev/null", "--no-ssl", f"--host={storage.address}", f"--host-bucket={storage.address}"]
    use += [f"--access_key={storage.access_key}", f"--secret_key={storage.secret_key}", "--acl-public"]
    said = output_of(*use, "mb", f"s3://{BUCKET}", timeout=60) + output_of(
        *use, "put", small, f"s3://{BUCKET}/1k", timeout=60
    )
    if "upload: " not in said:
        raise Failed(f"s3cmd: {said}")


def of_port(port):
    found = {}
    for name, (path, status) in TARGETS.items():
        taken = times(port, path, status)
        found[name] = {"median_ms": statistics.median(taken), "p90_ms": statistics.quantiles(taken, n=10)[-1]}
    return found


def times(port, path, status):
    """Of so many requests on one connection, in milliseconds."""
    taken = []
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
        for _ in range(WARM + REQUESTS):
            began = time.monotonic()
            connection.request("GET", path)
            response = connection.getresponse()
            response.read()
            taken.append((time.monotonic() - began) * 1000)
            if response.status != status:
                raise Failed(f"RGW, {path}: status {response.status}")
    return taken[WARM:]


def table(figures, titles):
    header = ["way", "GET 1 KiB, median, ms", "p90, ms", "404, median, ms", "p90, ms", "`setsockopt` a GET"]
    rows = []
    for way, found in figures["ways"].items():
        cells = [f"{found[name][key]:.1f}" for name in TARGETS for key in ("median_ms", "p90_ms")]
        called = found.get("setsockopt")
        rows.append([titles.get(way, way), *cells, "-" if called is None else f"{called:.1f}"])
    return f"Small responses of Ceph RGW {figures['version']}, on a kept connection", header, rows
