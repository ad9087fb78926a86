"""The tests: which requests a proxy gets, how many connections send them, and how one run is measured."""

import dataclasses
import http.client
import subprocess
import time

import machine
from processes import Failed

ORIGIN = "https://app.example.com"
BROWSER = {
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Accept": "*/*",
    "Accept-Language": "en-US,en;q=0.5",
    "Accept-Encoding": "gzip, deflate, br, zstd",
    "Referer": f"{ORIGIN}/",
    "Origin": ORIGIN,
    "Sec-Fetch-Dest": "empty",
    "Sec-Fetch-Mode": "cors",
    "Sec-Fetch-Site": "cross-site",
}
ASKED = {
    "Access-Control-Request-Method": "PUT",
    "Access-Control-Request-Headers": "authorization,content-type,x-amz-content-sha256,x-amz-date",
}
SIGNED = {
    "Authorization": "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20260102/us-east-1/s3/aws4_request, "
    "SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature=" + "0123456789abcdef" * 4,
    "x-amz-content-sha256": "UNSIGNED-PAYLOAD",
    "x-amz-date": "20260102T030405Z",
}


@dataclasses.dataclass(frozen=True)
class Test:
    """One kind of request, and how many connections send it at the same time."""

    name: str
    title: str
    method: str
    path: str
    headers: dict
    connections: int
    sent: int = 0
    received: int = 0

    @property
    def is_preflight(self):
        return self.method == "OPTIONS"

    def head(self, port):
        """The request's head as it is sent."""
        lines = [f"{self.method} {self.path} HTTP/1.1", f"Host: 127.0.0.1:{port}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        return "\r\n".join([*lines, "", ""]).encode()


TESTS = {
    test.name: test
    for test in (
        Test("preflight", "preflight", "OPTIONS", "/bench/1k", BROWSER | ASKED, 64),
        Test("get1k", "GET 1 KiB", "GET", "/bench/1k", BROWSER | SIGNED, 64, received=1 << 10),
        Test("get64k", "GET 64 KiB", "GET", "/bench/64k", BROWSER | SIGNED, 64, received=64 << 10),
        Test("put64k", "PUT 64 KiB", "PUT", "/bench/upload", BROWSER | SIGNED, 16, sent=64 << 10),
        Test("get10m", "GET 10 MiB", "GET", "/bench/10m", BROWSER | SIGNED, 4, received=10 << 20),
    )
}

# What wrk runs: the request is prepared once, and the result is one line of numbers.
SCRIPT = """wrk.method = "{method}"
{headers}
wrk.body = {sent} > 0 and string.rep("x", {sent}) or nil
function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format("result %d %d %d %d %d\\n", summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    errors.status + errors.connect + errors.read + errors.write + errors.timeout))
end
"""


def check(test, port):
    """A proxy that responds wrongly is not measured. A forwarding one without CORS is checked for status and length only."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(test.method, test.path, b"x" * test.sent if test.sent else None, test.headers)
        response = connection.getresponse()
        body = response.read()
    finally:
        connection.close()
    if response.status not in (200, 204) or len(body) != test.received:
        raise Failed(f"{test.title}: status {response.status}, {len(body)} bytes: {body[:300]}")
    return response.getheader("Access-Control-Allow-Origin")


def run(test, proxy_pid, others, port, seconds, cpu, folder):
    """Loads the proxy for so many seconds. `others` are processes of the benchmark whose CPU time is known not to be the proxy's."""
    script = folder / f"{test.name}.lua"
    headers = "\n".join(f'wrk.headers["{name}"] = "{value}"' for name, value in test.headers.items())
    script.write_text(SCRIPT.format(method=test.method, headers=headers, sent=test.sent))
    command = ["taskset", "--cpu-list", cpu, "wrk", "--threads", 1, "--connections", test.connections]
    command += [
        "--duration",
        f"{seconds}s",
        "--timeout",
        "20s",
        "--script",
        script,
        f"http://127.0.0.1:{port}{test.path}",
    ]

    def spent():
        return machine.cpu_seconds(proxy_pid), sum(map(machine.cpu_seconds, others)) + machine.children_seconds()

    (proxy_before, others_before), busy, began = spent(), machine.busy_seconds(), time.monotonic()
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=seconds + 60)
    elapsed = time.monotonic() - began
    (proxy_after, others_after), busy = spent(), machine.busy_seconds() - busy
    lines = [line.split()[1:] for line in done.stdout.splitlines() if line.startswith("result ")]
    if done.returncode != 0 or len(lines) != 1:
        raise Failed(f"wrk: {done.stdout[-500:]} {done.stderr[-500:]}")
    requests, duration, p50, p99, errors = map(int, lines[0])
    spent_here = proxy_after - proxy_before
    if requests == 0 or spent_here <= 0:
        raise Failed(f"{test.title}: {requests} requests, {spent_here} s of CPU time: nothing to measure")
    return {
        "requests": requests,
        "errors": errors,
        "cpu_us": spent_here * 1e6 / requests,
        "rate": requests * 1e6 / duration,
        "p50_us": p50,
        "p99_us": p99,
        "other_work": max(0.0, busy - spent_here - (others_after - others_before)) / elapsed,
    }
