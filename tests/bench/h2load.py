"""The load generator for TLS: HTTP/1.1 and HTTP/2 on connections that stay open."""

import re
import statistics

from processes import Failed

RESULT = re.compile(
    r"finished in [^,]+, ([\d.]+) req/s.*"
    r"^requests: \d+ total, \d+ started, (\d+) done, (\d+) succeeded",
    re.MULTILINE | re.DOTALL,
)
AGREED = re.compile(r"^TLS Protocol: (\S+)\nCipher: (\S+)$", re.MULTILINE)


def command(test, ports, seconds, folder):
    """Each request's time is written to a file: h2load itself states no percentile."""
    log(test, folder).unlink(missing_ok=True)
    options = ["--clients", test.connections, "--max-concurrent-streams", test.streams, "--duration", seconds]
    options += ["--log-file", log(test, folder), *(["--h1"] if test.protocol == "tls" else [])]
    for name, value in ({":method": test.method} | test.headers).items():
        options += ["--header", f"{name}: {value}"]
    return ["h2load", *options, test.url(ports)]


def counted(test, output, folder):
    """Requests, rate and latency, and what was agreed on for TLS."""
    result, agreed = RESULT.search(output), AGREED.search(output)
    if not result or not agreed:
        raise Failed(f"h2load: {output[-1000:]}")
    lines = log(test, folder).read_text().splitlines()
    times = statistics.quantiles((int(line.rpartition("\t")[2]) for line in lines), n=100)
    return {
        "requests": int(result[2]),
        "errors": int(result[2]) - int(result[3]),
        "rate": float(result[1]),
        "p50_us": round(times[49]),
        "p99_us": round(times[98]),
        "tls": f"{agreed[1]}, {agreed[2]}",
    }


def log(test, folder):
    return folder / f"{test.name}.times"
