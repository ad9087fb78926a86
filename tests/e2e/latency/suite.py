"""Small responses on a kept connection, through s3cors and directly.

Ceph RGW writes the head and the body of a response apart, with Nagle's algorithm on: on a kept connection the reader's delayed
acknowledgement then costs 40 ms a request. s3cors acknowledges at once where a body is still to come.
"""

import http.client
import statistics
import time

SUITE = "latency"
TARGET = "/e2e-private/there-is-no-such-key"
REQUESTS = 40
# Half of a delayed acknowledgement: a slow machine may take some of it, a delay takes all.
LIMIT = 20.0


def _median(address):
    """Of so many small errors, in milliseconds."""
    connection = http.client.HTTPConnection(address, timeout=30)
    taken = []
    for _ in range(REQUESTS):
        started = time.monotonic()
        connection.request("GET", TARGET)
        connection.getresponse().read()
        taken.append((time.monotonic() - started) * 1000)
    connection.close()
    return statistics.median(taken)


def run(server, s3cors, results):
    directly, through = _median(server.address), _median(s3cors.address)
    detail = f"median of {REQUESTS}: {through:.2f} ms, directly {directly:.2f} ms"
    record = results.passed if through < LIMIT else results.failed
    record(server.name, SUITE, "a small response on a kept connection", detail)
