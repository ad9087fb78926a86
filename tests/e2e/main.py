"""Starts each server with s3cors in front, and runs the suites."""

import argparse
import dataclasses
import shutil
import signal
import sys
import tempfile
import traceback
from pathlib import Path

from harness.environment import RESULTS, seal

HOME = seal()

# The SDKs read their settings from the sealed environment when they are imported.
import addresses.suite  # noqa: E402
import browser.suite  # noqa: E402
import bucket_cors.suite  # noqa: E402
import chains.suite  # noqa: E402
import clients.suite  # noqa: E402
import fleet.suite  # noqa: E402
import latency.suite  # noqa: E402
import libraries.suite  # noqa: E402
import moves.suite  # noqa: E402
import predictions.suite  # noqa: E402
import private.suite  # noqa: E402
import readers.suite  # noqa: E402
import reloads.suite  # noqa: E402
import replays.suite  # noqa: E402
import report.suite  # noqa: E402
import status.suite  # noqa: E402
import streams.suite  # noqa: E402
from clients import by_name as clients_by_name  # noqa: E402
from harness import buckets  # noqa: E402
from harness.processes import free_port  # noqa: E402
from harness.proxy import proxy  # noqa: E402
from harness.results import Results  # noqa: E402
from servers import ON_REQUEST, USUAL, by_name  # noqa: E402

WITH_A_SERVER = (
    "clients",
    "browser",
    "libraries",
    "readers",
    "latency",
    "bucket_cors",
    "addresses",
    "report",
    "chains",
    "replays",
    "reloads",
    "streams",
    "private",
    "moves",
)
SUITES = (*WITH_A_SERVER, "predictions", "status", "fleet")
CLIENTS = clients_by_name()


def arguments():
    parser = argparse.ArgumentParser(prog="tests/e2e/run", description=__doc__)
    several = {"action": "append", "help": "only this one; several times for several"}
    parser.add_argument("--server", choices=USUAL + ON_REQUEST, **several)
    parser.add_argument("--only", choices=SUITES, **several)
    parser.add_argument("--client", choices=tuple(CLIENTS), **several)
    also = (*ON_REQUEST, "all")
    parser.add_argument("--with", dest="also", action="append", default=[], choices=also, help="this server too")
    parser.add_argument("--without-proxy", action="store_true", help="take s3cors away: the browser's tests must fail")
    parser.add_argument("--write-report", action="store_true", help="write the pages and the screenshots")
    parser.add_argument("--cases", type=int, default=predictions.suite.CASES, help="so many predictions")
    parser.add_argument("--objects", type=int, default=moves.suite.OBJECTS, help="so many objects are moved; of more than the usual, to every server")
    parser.add_argument("--seed", type=int, default=predictions.suite.SEED, help="of the predictions' cases")
    wanted = parser.parse_args()
    wanted.server = wanted.server or (*USUAL, *(ON_REQUEST if "all" in wanted.also else wanted.also))
    wanted.only = wanted.only or SUITES
    wanted.client = wanted.client or tuple(CLIENTS)
    return wanted


@dataclasses.dataclass
class Seen:
    """The data of the pages, by server."""

    # Whether it accepts rules, the pairs of responses, what it refuses, and what the browser says of it.
    rules: dict = dataclasses.field(default_factory=dict)
    answers: dict = dataclasses.field(default_factory=dict)
    refused: dict = dataclasses.field(default_factory=dict)
    browser: dict = dataclasses.field(default_factory=dict)
    # Of the servers with policies, behind chains of proxies.
    chains: dict = dataclasses.field(default_factory=dict)
    # Of each server, what became of the public reports.
    replays: dict = dataclasses.field(default_factory=dict)
    # What libraries in pages did, and their profiles.
    libraries: tuple | None = None

    def of(self, names):
        """The observations of these servers, or None if one is missing: a page covers exactly its servers."""
        if not set(names) <= set(self.browser):
            return None
        parts = (self.rules, self.answers, self.refused, self.browser)
        return Seen(*({name: part[name] for name in names} for part in parts))


def versions(names):
    """Of the servers and the clients of the report."""
    servers = (f"{by_name(name).TITLE} {by_name(name).version()}" for name in names)
    there = (client for client in CLIENTS.values() if not client.missing_tools())
    return ", ".join(servers), ", ".join(f"{client.name} {client.version()}" for client in there)


def run_server(name, wanted, seen, results):
    """All wanted suites with one server."""
    module = by_name(name)
    if reason := module.missing():
        results.skipped(name, "all suites", module.TITLE, reason)
        return
    results.say(f"{module.TITLE} {module.version()}")
    folder = Path(tempfile.mkdtemp(dir=HOME))
    rules, pages = folder / "rules", free_port()
    buckets.write_rules(rules, pages)
    with module.start(folder / "data") as server:
        seen.rules[name] = buckets.create(server, rules)
        with proxy(f"s3cors-{name}", rules, server.url) as s3cors:
            run_suites(server, rules, pages, None if wanted.without_proxy else s3cors, wanted, seen, results)
        if "libraries" in wanted.only and not wanted.without_proxy and name in libraries.suite.SERVERS:
            seen.libraries = libraries.suite.run(server, folder, pages, results)
            results.say(libraries.suite.SUITE)
        if "bucket_cors" in wanted.only and not wanted.without_proxy:
            bucket_cors.suite.run(server, folder, results)
            if name == "minio":
                bucket_cors.suite.run_routed(server, folder, results)
            results.say(bucket_cors.suite.SUITE)
        if "addresses" in wanted.only and not wanted.without_proxy:
            addresses.suite.run(server, folder, results)
            results.say(addresses.suite.SUITE)
        if "chains" in wanted.only and not wanted.without_proxy and name in chains.suite.SERVERS:
            seen.chains[name] = chains.suite.run(server, rules, folder / "chains", results)
            results.say(chains.suite.SUITE)
        if "reloads" in wanted.only and not wanted.without_proxy and name in reloads.suite.SERVERS:
            reloads.suite.run(server, rules, pages, results)
            results.say(reloads.suite.SUITE)
        if "streams" in wanted.only and not wanted.without_proxy:
            streams.suite.run(server, folder, pages, results)
            results.say(streams.suite.SUITE)
        if "private" in wanted.only and not wanted.without_proxy and name in private.suite.SERVERS:
            private.suite.run(server, folder, results)
            results.say(private.suite.SUITE)
        if "moves" in wanted.only and not wanted.without_proxy and name in moves.suite.targets(wanted.objects):
            moves.suite.run(server, rules, folder, wanted.objects, results)
            results.say(moves.suite.SUITE)
        if "replays" in wanted.only and not wanted.without_proxy:
            if replayed := replays.suite.run(server, folder, results):
                seen.replays[name] = replayed
            results.say(replays.suite.SUITE)
    shutil.rmtree(folder)


def run_suites(server, rules, pages, s3cors, wanted, seen, results):
    if "clients" in wanted.only:
        for client in wanted.client:
            clients.suite.run(CLIENTS[client], server, s3cors.url if s3cors else server.url, pages, results)
            results.say(client)
    judged = {}
    if "browser" in wanted.only:
        judged = browser.suite.run(server, rules, pages, s3cors, results)
        results.say(browser.suite.SUITE)
    if "readers" in wanted.only and s3cors:
        readers.suite.run(server, rules, s3cors, results)
        results.say(readers.suite.SUITE)
    if "latency" in wanted.only and s3cors:
        latency.suite.run(server, s3cors, results)
        results.say(latency.suite.SUITE)
    if "report" in wanted.only and s3cors:
        seen.answers[server.name], seen.refused[server.name] = report.suite.run(server, s3cors, results)
        if judged:
            seen.browser[server.name] = (browser.suite.alone(server, pages), judged)
        results.say(report.suite.SUITE)


def main():
    wanted = arguments()
    shutil.rmtree(RESULTS, ignore_errors=True)
    RESULTS.mkdir(parents=True)
    # Ends every process that was started, as Ctrl-C does.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    results, seen = Results(), Seen()
    try:
        if "predictions" in wanted.only and not wanted.without_proxy:
            predictions.suite.run(HOME, wanted.cases, wanted.seed, results)
            results.say(predictions.suite.SUITE)
        for name in wanted.server if set(wanted.only) - {"predictions", "status", "fleet"} else ():
            try:
                run_server(name, wanted, seen, results)
            except Exception as error:  # whatever it is, the other servers can still be tested
                results.failed(name, "run", by_name(name).TITLE, f"{error}\n{traceback.format_exc()}")
        if "status" in wanted.only and not wanted.without_proxy:
            status.suite.run(Path(tempfile.mkdtemp(dir=HOME)), wanted.write_report, results)
            results.say(status.suite.SUITE)
        if "fleet" in wanted.only and not wanted.without_proxy:
            fleet.suite.run(Path(tempfile.mkdtemp(dir=HOME)), results)
            results.say(fleet.suite.SUITE)
        for page, names in (("REPORT.md", USUAL), ("ON_REQUEST.md", ON_REQUEST)):
            if shown := seen.of(names):
                report.suite.conclude(page, shown, versions(names), wanted.write_report, results)
        if seen.libraries:
            libraries.suite.conclude(seen.libraries, wanted.write_report, results)
        if seen.chains:
            chains.suite.conclude(seen.chains, Path(tempfile.mkdtemp(dir=HOME)), wanted.write_report, results)
        if set(USUAL) <= set(seen.replays):
            replays.suite.conclude(seen.replays, Path(tempfile.mkdtemp(dir=HOME)), wanted.write_report, results)
    finally:
        shutil.rmtree(HOME, ignore_errors=True)
    return results.summary()


if __name__ == "__main__":
    sys.exit(main())
