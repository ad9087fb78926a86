"""The same requests to each server directly and through s3cors: only CORS differs.

What was seen is rendered as a page, which is committed: a run that sees something else fails until the page is written anew.
"""

from pathlib import Path

from harness import committed
from report import claims, refused, requests
from report.compare import differences, is_cors
from report.page import draw
from report.render import SLOWEST, VERSIONS, render
from report.wire import send

SUITE = "difference report"
FOLDER = Path(__file__).resolve().parent.parent
# What `s3cors check --server` knows.
KNOWN = ("minio", "rgw", "versitygw", "seaweedfs", "garage", "silo", "rustfs")


def run(server, s3cors, results):
    """Sends all requests both ways; returns the pairs of responses, the server's own first, by the request's name, and what it refuses."""
    etag = requests.store(server)
    seen = {}
    for case in (*requests.PREFLIGHTS, *requests.ACTUAL):
        what = (case.method, requests.target(server, case), requests.head(server, case, etag))
        own, proxied = (send(address, *what) for address in (server.address, s3cors.address))
        seen[case] = (own, proxied)
        # s3cors answers a preflight itself, so there is no server's response to compare with.
        if case in requests.ACTUAL:
            if found := differences(own, proxied):
                results.failed(server.name, SUITE, case.name, "; ".join(found))
            else:
                results.passed(server.name, SUITE, case.name)
    if server.name in KNOWN:
        claims.check(server.name, FOLDER / "rules", seen, SUITE, results)
    return seen, refused.measure(server)


def _cors(answer):
    return answer.status, [header for header in answer.headers if is_cors(header[0].lower())]


def conclude(page, seen, versions, write, results):
    """Compares what s3cors sent in front of each server, and everything with the page."""
    answers = seen.answers
    first = next(iter(answers))
    for case in requests.PREFLIGHTS:
        others = {name: _cors(pairs[case][1]) for name, pairs in answers.items()}
        unlike = {name: cors for name, cors in others.items() if cors != others[first]}
        if unlike:
            results.failed("all", SUITE, case.name, f"s3cors sends {others[first]} in front of {first}, and {unlike}")
        else:
            results.passed("all", SUITE, f"{case.name}: the same preflight before every server")
    committed.compare(FOLDER / page, render(page, seen, versions), (*VERSIONS, SLOWEST), write, SUITE, results)
    if page == "REPORT.md":
        committed.compare(FOLDER / "report.html", draw(seen, versions), VERSIONS, write, SUITE, results)
