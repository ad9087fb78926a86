"""Compares s3cors with nginx, haproxy and bare Pingora on this machine, over loopback, each with one thread.

All run at the same time and take turns under load. The proxy has a CPU of its own; upstream and load generator share another one.
It installs nothing: `deploy/prerequisites bench` does. CONTRIBUTING.md, Benchmarking, says how to read the result.
"""

import argparse
import datetime
import json
import shutil
import signal
import sys
import tempfile
from pathlib import Path

import accepted
import calls
import curves
import handshakes
import instructions
import load
import machine
import memory
import proxies
import rgw
import rounds
import rules
import table
import threads
from processes import Failed, end_on_signals, require

PROXIES = ("nginx", "haproxy", "bare-pingora", "s3cors")
QUICK_PROXIES = ("nginx", "haproxy", "s3cors")
QUICK_TESTS = ("preflight", "get1k", "h2-get1k")
# Seconds beyond the rounds themselves: starts, stops, and the slowest part of each measurement.
MARGIN, TURN, COUNTED, MEMORY, RULES = 120, 5, 300, 240, 600
CALLS, RGW, CURVES = 60, 300, 900
ROUNDS = 6
# What --all switches on.
EXTRAS = ("access_log", "instructions", "calls", "memory", "threads", "handshakes", "rules", "rgw", "curves")


def arguments():
    parser = argparse.ArgumentParser(
        prog="tests/bench/run", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--s3cors", metavar="PATH", help="this program, instead of building one with cargo build --release"
    )
    parser.add_argument("--bare-pingora", metavar="PATH", help="the same for the example bare-pingora")
    parser.add_argument(
        "--proxies", type=listed(PROXIES), help=f"some of {','.join(PROXIES)}; nginx is always one (default: all)"
    )
    parser.add_argument("--tests", type=listed(load.TESTS), help=f"some of {','.join(load.TESTS)} (default: all)")
    parser.add_argument(
        "--rounds", type=int, default=ROUNDS, help=f"default: {ROUNDS}; 0 measures only what is asked for below"
    )
    parser.add_argument("--seconds", type=int, default=2, help="of each proxy in each round (default: 2)")
    parser.add_argument("--access-log", action="store_true", help="also s3cors with its access log, to /dev/null")
    parser.add_argument("--instructions", action="store_true", help="also count instructions a request, with valgrind")
    parser.add_argument(
        "--memory", action="store_true", help="also measure memory under idle, unfinished and slow connections"
    )
    parser.add_argument(
        "--threads",
        action="store_true",
        help=f"also compare one thread with two, in as many rounds, or {ROUNDS} after --rounds 0",
    )
    parser.add_argument("--handshakes", action="store_true", help="also measure handshakes of TLS, in as many rounds")
    parser.add_argument(
        "--handshake-client", metavar="PATH", help="this program, instead of building the example bench-handshakes"
    )
    parser.add_argument("--rules", action="store_true", help="also measure s3cors with the rules of 10,000 buckets")
    parser.add_argument("--calls", action="store_true", help="also count system calls a request, with strace")
    parser.add_argument(
        "--rgw", action="store_true", help="also time small responses of Ceph RGW (tests/e2e/install installs it)"
    )
    parser.add_argument(
        "--curves", action="store_true", help="also measure cost over size, over connections and over rules"
    )
    parser.add_argument("--all", action="store_true", help="all of these: everything that RESULTS.md shows")
    parser.add_argument(
        "--check-instructions",
        action="store_true",
        help=f"also fail if s3cors takes {accepted.LIMIT} %% more instructions than {accepted.FILE.name} says",
    )
    parser.add_argument(
        "--accept-instructions", action="store_true", help=f"only write into {accepted.FILE.name} what s3cors takes"
    )
    parser.add_argument(
        "--quick", action="store_true", help="one round of 1 s with three tests, without bare Pingora: whether it works"
    )
    parser.add_argument("--json", metavar="FILE", type=Path, help="write the result there; tests/bench/report reads it")
    parser.add_argument("--markdown", action="store_true", help="print tables in Markdown")
    wanted = parser.parse_args()
    if wanted.quick:
        wanted.rounds, wanted.seconds = 1, 1
    for extra in EXTRAS:
        setattr(wanted, extra, wanted.all or getattr(wanted, extra))
    if wanted.accept_instructions:
        wanted.rounds = 0
    few = wanted.quick or wanted.accept_instructions
    wanted.proxies = wanted.proxies or (QUICK_PROXIES if few else PROXIES)
    wanted.tests = wanted.tests or (QUICK_TESTS if wanted.quick else tuple(load.TESTS))
    # Every ratio is to it.
    wanted.proxies = tuple(name for name in PROXIES if name in wanted.proxies or name == proxies.BASE)
    if wanted.rounds < 0 or wanted.seconds < 1:
        parser.error("--rounds must be 0 or more, --seconds 1 or more")
    return wanted


def listed(allowed):
    """The type of an argument that is a list of these names."""

    def parse(text):
        names = tuple(text.split(","))
        if unknown := [name for name in names if name not in allowed]:
            raise argparse.ArgumentTypeError(f"{', '.join(unknown)}: not one of {', '.join(allowed)}")
        return names

    return parse


def required(wanted):
    tools = ["taskset", *(name for name in wanted.proxies if name in ("nginx", "haproxy"))]
    if wanted.rounds or wanted.threads or wanted.handshakes or wanted.rules or wanted.curves:
        tools += ["wrk", "h2load", "curl"]
    if wanted.instructions or wanted.check_instructions or wanted.accept_instructions:
        tools.append("valgrind")
    return [*tools, "openssl", *(["strace"] * wanted.calls), *(rgw.TOOLS * wanted.rgw)]


def turns(wanted):
    return rounds.Turns(wanted.rounds or ROUNDS, wanted.seconds)


def seconds_allowed(wanted, compared):
    """No run lasts longer than this, whatever hangs."""
    in_a_round = wanted.threads * len(threads.TESTS) * len(threads.COUNTS)
    in_a_round += bool(wanted.rounds) * len(wanted.tests) + wanted.handshakes * len(handshakes.KINDS)
    whole = turns(wanted).rounds * in_a_round * len(compared)
    extra = wanted.instructions * COUNTED + wanted.memory * MEMORY + wanted.calls * CALLS
    once = wanted.rules * RULES + wanted.rgw * RGW + wanted.curves * CURVES
    once += (wanted.check_instructions + wanted.accept_instructions) * accepted.ATTEMPTS * COUNTED
    return MARGIN + whole * (wanted.seconds + TURN) + extra * len(compared) + once


def measure(wanted, compared, folder, client, result):
    """Fills the result part by part: what has been measured is kept if the next part fails."""
    cpus = machine.processors()
    if cpus[0] == cpus[1]:
        print("one CPU only: proxy and load share it, so rates and latencies mean little", file=sys.stderr)
    result |= {
        "date": datetime.date.today().isoformat(),
        "machine": machine.describe(),
        "versions": proxies.versions(compared),
        "settings": {"rounds": wanted.rounds, "seconds": wanted.seconds},
        "proxies": {proxy.name: proxy.title for proxy in compared},
    }
    if wanted.rounds:
        tests = [load.TESTS[name] for name in wanted.tests]
        result["rounds"] = rounds.measure(compared, tests, turns(wanted), folder, cpus)
    if wanted.threads:
        tests = [load.TESTS[name] for name in threads.TESTS]
        result["threads"] = threads.measure(compared, tests, turns(wanted), folder, cpus)
    if wanted.handshakes:
        result["handshakes"] = handshakes.measure(compared, turns(wanted), folder, cpus, client)
    if wanted.instructions:
        result["instructions"] = instructions.measure(compared, folder, cpus)
    if wanted.memory:
        result["memory"] = memory.measure(compared, folder, cpus)
    if wanted.calls:
        result["calls"] = calls.measure(compared, folder, cpus)
    if wanted.rules:
        result["rules"] = rules.measure(proxies.program_of(compared), folder)
    if wanted.curves:
        result["curves"] = curves.measure(compared, folder, cpus)
    # Last, because a cluster can fail to start for reasons of its own.
    if wanted.rgw:
        result["rgw"] = rgw.measure(compared, folder, cpus)


def judged(wanted, compared, folder):
    """Compares the instructions of s3cors with those that were accepted, or accepts them."""
    act = accepted.accept if wanted.accept_instructions else accepted.check
    print(act(proxies.named(compared, "s3cors"), folder, machine.processors()))


def main():
    wanted = arguments()
    require(*required(wanted))
    compared = proxies.chosen(wanted.proxies, wanted.s3cors, wanted.bare_pingora, wanted.access_log)
    client = proxies.handshake_client(wanted.handshake_client) if wanted.handshakes else None
    machine.raise_descriptor_limit(memory.DESCRIPTORS)
    folder = Path(tempfile.mkdtemp(prefix="s3cors-bench-"))
    end_on_signals(seconds_allowed(wanted, compared))
    result = {}
    try:
        if wanted.accept_instructions:
            return judged(wanted, compared, folder)
        measure(wanted, compared, folder, client, result)
        if wanted.check_instructions:
            judged(wanted, compared, folder)
    finally:
        signal.alarm(0)
        shutil.rmtree(folder, ignore_errors=True)
        if wanted.json and result:
            wanted.json.write_text(json.dumps(result, indent=1) + "\n")
    print(table.markdown(result) if wanted.markdown else table.plain(result))
    parts = ("rounds", "threads", "handshakes")
    measured = [*(result.get(part, {}) for part in parts), *result.get("curves", {}).values()]
    failures = [error for part in measured for error in rounds.errors(part)]
    print("\n".join(failures), end="\n" * bool(failures), file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failed as reason:
        sys.exit(f"tests/bench/run: {reason}")
