"""Rounds: in each one, every proxy takes its turn. Ratios are taken within a round, so that slow changes of the machine cancel out."""

import contextlib
import statistics
import sys
import time
from typing import NamedTuple

import load
import machine
import proxies
import responses
from processes import Failed, running

# Seconds without any use of the CPU, and how long they are waited for.
STILL, REST = 0.5, 60
# In the order of the columns: what is measured, and whether its ratio has a column too.
MEASURES = (("cpu_us", True), ("rate", True), ("p50_us", False), ("p99_us", True))


class Turns(NamedTuple):
    """How many rounds, and how long each proxy's turn is."""

    rounds: int
    seconds: int


def measure(compared, tests, turns, folder, cpus):
    """All runs: by test, by proxy, one entry a round."""
    proxy_cpu, load_cpu = cpus
    runs = {test.name: {} for test in tests}
    with contextlib.ExitStack() as stack:
        upstream, all_ports = proxies.free_ports_for(compared)
        command = proxies.upstream(folder, upstream)
        upstream_process = stack.enter_context(running("upstream", command, upstream, folder, load_cpu))
        started = []
        for proxy, ports in zip(compared, all_ports, strict=True):
            home = folder / proxy.name
            home.mkdir()
            command = proxy.command(home, ports, upstream)
            process = stack.enter_context(running(proxy.name, command, ports.plain, home, proxy_cpu, proxy.output))
            started.append((proxy, ports, process.pid))
        rest([pid for *_, pid in started])
        for test in tests:
            able = [each for each in started if each[0].can(test)]
            for proxy, ports, _ in able:
                responses.check(proxy, test, ports, proxies.certificate(folder)["certificate"], folder)
            for number in range(turns.rounds):
                first = number % len(able)
                # No proxy always follows the same other one.
                for proxy, ports, pid in able[first:] + able[:first]:
                    run = load.run(test, pid, [upstream_process.pid], ports, turns.seconds, load_cpu, folder)
                    runs[test.name].setdefault(proxy.name, []).append(run)
                print(f"{test.title}: round {number + 1} of {turns.rounds}", file=sys.stderr)
    agreed(runs)
    return runs


def rest(pids):
    """Waits until the processes do no more after their start: a proxy may look through its rules then."""
    until, before = time.monotonic() + REST, None
    while (now := sum(map(machine.cpu_seconds, pids))) != before and time.monotonic() < until:
        before = now
        time.sleep(STILL)


def ratios(of_test, name, key):
    """A proxy's values divided by those of the base in the same round."""
    base = of_test.get(proxies.BASE, [])
    return [mine[key] / theirs[key] for mine, theirs in zip(of_test.get(name, []), base, strict=False) if theirs[key]]


def median(values):
    return statistics.median(values) if values else None


def summary(of_test):
    """By proxy: the median of each measure, and of each ratio the median, the least and the most."""
    result = {}
    for name, runs in of_test.items():
        result[name] = {}
        for key, _ in MEASURES:
            found = ratios(of_test, name, key)
            result[name][key] = median([run[key] for run in runs])
            result[name][f"{key}_ratio"] = (median(found), min(found), max(found)) if found else None
    return result


def errors(runs):
    """Every run in which requests failed, in words."""
    return [
        f"{test}, {name}, round {number}: {run['errors']} of {run['requests']} requests failed"
        for test, of_test in runs.items()
        for name, of_proxy in of_test.items()
        for number, run in enumerate(of_proxy, 1)
        if run["errors"]
    ]


def other_work(runs):
    """The median of the cores that were busy with something else."""
    return median([run["other_work"] for of_test in runs.values() for of_proxy in of_test.values() for run in of_proxy])


def agreed(runs):
    """Version and cipher of TLS, which must be the same for all: otherwise the ratios compare ciphers."""
    found = {
        run["tls"] for of_test in runs.values() for of_proxy in of_test.values() for run in of_proxy if "tls" in run
    }
    if len(found) > 1:
        raise Failed(f"TLS differs between proxies: {'; '.join(sorted(found))}")
    return next(iter(found), None)
