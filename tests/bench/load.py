"""The tests: which requests a proxy gets, how many connections send them, and how one run is measured."""

import dataclasses
import time

import h2load
import machine
import wrk
from processes import Failed, output_of

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
    """One kind of request, and how many connections send it at the same time; over HTTP/2 so many requests at once on each."""

    name: str
    title: str
    method: str
    path: str
    headers: dict
    connections: int
    sent: int = 0
    received: int = 0
    protocol: str = "http/1.1"
    streams: int = 1

    @property
    def is_preflight(self):
        return self.method == "OPTIONS"

    @property
    def is_tls(self):
        return self.protocol != "http/1.1"

    @property
    def generator(self):
        return h2load if self.is_tls else wrk

    def port(self, ports):
        return ports.tls if self.is_tls else ports.plain

    def url(self, ports):
        return f"{'https' if self.is_tls else 'http'}://127.0.0.1:{self.port(ports)}{self.path}"

    def head(self, port):
        """The request's head as it is sent over HTTP/1.1."""
        lines = [f"{self.method} {self.path} HTTP/1.1", f"Host: 127.0.0.1:{port}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        return "\r\n".join([*lines, "", ""]).encode()


def over(protocol, name, title, test, connections, streams=1):
    """The same request over another protocol."""
    return dataclasses.replace(
        test, name=name, title=title, protocol=protocol, connections=connections, streams=streams
    )


PREFLIGHT = Test("preflight", "preflight", "OPTIONS", "/bench/1k", BROWSER | ASKED, 64)
GET_1K = Test("get1k", "GET 1 KiB", "GET", "/bench/1k", BROWSER | SIGNED, 64, received=1 << 10)
GET_64K = Test("get64k", "GET 64 KiB", "GET", "/bench/64k", BROWSER | SIGNED, 64, received=64 << 10)

TESTS = {
    test.name: test
    for test in (
        PREFLIGHT,
        GET_1K,
        GET_64K,
        Test("put64k", "PUT 64 KiB", "PUT", "/bench/upload", BROWSER | SIGNED, 16, sent=64 << 10),
        Test("get10m", "GET 10 MiB", "GET", "/bench/10m", BROWSER | SIGNED, 4, received=10 << 20),
        over("tls", "tls-get1k", "TLS, GET 1 KiB", GET_1K, 64),
        over("tls", "tls-get64k", "TLS, GET 64 KiB", GET_64K, 64),
        over("h2", "h2-preflight", "HTTP/2, preflight", PREFLIGHT, 16, 8),
        over("h2", "h2-get1k", "HTTP/2, GET 1 KiB", GET_1K, 16, 8),
        over("h2", "h2-get64k", "HTTP/2, GET 64 KiB", GET_64K, 16, 8),
    )
}


def run(test, proxy_pid, others, ports, seconds, cpu, folder):
    """Loads the proxy for so many seconds. `others` are processes of the benchmark whose CPU time is known not to be the proxy's."""
    command = ["taskset", "--cpu-list", cpu, *test.generator.command(test, ports, seconds, folder)]

    def spent():
        return machine.cpu_seconds(proxy_pid), sum(map(machine.cpu_seconds, others)) + machine.children_seconds()

    (proxy_before, others_before), busy, began = spent(), machine.busy_seconds(), time.monotonic()
    output = output_of(*command, timeout=seconds + 60)
    elapsed = time.monotonic() - began
    (proxy_after, others_after), busy = spent(), machine.busy_seconds() - busy
    counted = test.generator.counted(test, output, folder)
    spent_here = proxy_after - proxy_before
    if counted["requests"] == 0 or spent_here <= 0:
        raise Failed(f"{test.title}: {counted['requests']} requests, {spent_here} s of CPU time: nothing to measure")
    return counted | {
        "cpu_us": spent_here * 1e6 / counted["requests"],
        "other_work": max(0.0, busy - spent_here - (others_after - others_before)) / elapsed,
    }
