"""Starts each server and s3cors before it, and runs the suites."""

import argparse
import dataclasses
import shutil
import signal
import sys
import tempfile
from pathlib import Path

from harness.environment import RESULTS, seal

HOME = seal()

import browser.suite  # noqa: E402
import clients.suite  # noqa: E402 - the SDKs read their settings from the sealed environment
import report.suite  # noqa: E402
from clients import by_name as all_clients  # noqa: E402
from harness import buckets  # noqa: E402
from harness.processes import Failed, free_port  # noqa: E402
from harness.proxy import proxy  # noqa: E402
from harness.results import Results  # noqa: E402
from servers import ON_REQUEST, USUAL, by_name  # noqa: E402

SUITES = ("clients", "browser", "report")


def arguments():
    parser = argparse.ArgumentParser(prog="tests/e2e/run", description=__doc__)
    parser.add_argument(
        "--server", action="append", choices=USUAL + ON_REQUEST, help="only this one; several times for several"
    )
    parser.add_argument("--with", dest="also", action="append", default=[], choices=ON_REQUEST, help="this one too")
    parser.add_argument("--only", action="append", choices=SUITES, help="only this suite; several times for several")
    parser.add_argument("--client", action="append", choices=tuple(all_clients()), help="only this client")
    parser.add_argument("--without-proxy", action="store_true", help="take s3cors away: the browser's tests must fail")
    parser.add_argument("--write-report", action="store_true", help="write REPORT.md anew instead of comparing with it")
    return parser.parse_args()


@dataclasses.dataclass
class Seen:
    """What the report is made of, by server."""

    answers: dict = dataclasses.field(default_factory=dict)
    rules: dict = dataclasses.field(default_factory=dict)


def versions():
    """Of the servers and the clients of the report."""
    servers = [f"{by_name(name).TITLE} {by_name(name).version()}" for name in USUAL]
    return [
        f"servers: {', '.join(servers)}",
        f"clients: {', '.join(f'{name} {client.version()}' for name, client in all_clients().items())}",
    ]


def run_server(name, wanted, seen, results):
    """All wanted suites with one server."""
    module = by_name(name)
    if reason := module.missing():
        results.skipped(name, "all suites", module.TITLE, reason)
        return
    results.say(f"{module.TITLE} {module.version()}")
    folder = Path(tempfile.mkdtemp(dir=HOME))
    pages = free_port()
    buckets.write_rules(folder / "rules", pages)
    with module.start(folder / "data") as server:
        results.say(f"{module.TITLE} is up on {server.address}")
        own = buckets.create(server, folder / "rules")
        with proxy(f"s3cors-{name}", folder / "rules", server.url) as s3cors:
            if wanted.without_proxy:
                s3cors = None
            url = s3cors.url if s3cors else server.url
            if "clients" in wanted.only:
                for client_name, client in all_clients().items():
                    if client_name in wanted.client:
                        clients.suite.run(client, server, url, pages, results)
                        results.say(client_name)
            if "browser" in wanted.only:
                browser.suite.run(server, folder / "rules", pages, s3cors, results)
                results.say("browser")
            if "report" in wanted.only and s3cors:
                seen.answers[name] = report.suite.run(server, s3cors, results)
                seen.rules[module.TITLE] = own
                results.say("difference report")
    shutil.rmtree(folder)


def main():
    wanted = arguments()
    wanted.only = wanted.only or SUITES
    wanted.client = wanted.client or tuple(all_clients())
    shutil.rmtree(RESULTS, ignore_errors=True)
    RESULTS.mkdir(parents=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    results = Results()
    seen = Seen()
    for name in wanted.server or (*USUAL, *wanted.also):
        try:
            run_server(name, wanted, seen, results)
        except Failed as failed:
            results.failed(name, "start", by_name(name).TITLE, str(failed))
    if set(USUAL) == set(seen.answers):
        report.suite.conclude(seen, versions(), wanted.write_report, results)
    shutil.rmtree(HOME, ignore_errors=True)
    return results.summary()


if __name__ == "__main__":
    sys.exit(main())
