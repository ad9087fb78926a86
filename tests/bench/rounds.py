"""Rounds: in each one, every proxy takes its turn. Ratios are taken within a round, so that slow changes of the machine cancel out."""

import contextlib
import statistics
import sys

import load
import proxies
from processes import Failed, free_ports, running

# In the order of the columns: what is measured, and whether its ratio has a column too.
MEASURES = (("cpu_us", True), ("rate", True), ("p50_us", False), ("p99_us", True))


def measure(compared, tests, wanted, folder, cpus):
    """All runs: by test, by proxy, one entry a round."""
    proxy_cpu, load_cpu = cpus
    runs = {test.name: {} for test in tests}
    with contextlib.ExitStack() as stack:
        upstream, *ports = free_ports(len(compared) + 1)
        command = proxies.upstream(folder, upstream)
        upstream_process = stack.enter_context(running("upstream", command, upstream, folder, load_cpu))
        started = []
        for proxy, port in zip(compared, ports, strict=True):
            home = folder / proxy.name
            home.mkdir()
            command = proxy.command(home, port, upstream)
            process = stack.enter_context(running(proxy.name, command, port, home, proxy_cpu, proxy.output))
            started.append((proxy, port, process.pid))
        for test in tests:
            able = [each for each in started if each[0].answers_preflights or not test.is_preflight]
            for proxy, port, _ in able:
                granted = load.check(test, port)
                if proxy.answers_preflights and granted not in (load.ORIGIN, "*"):
                    raise Failed(f"{proxy.title}, {test.title}: no access for {load.ORIGIN}: {granted}")
            for number in range(wanted.rounds):
                first = number % len(able)
                # No proxy always follows the same other one.
                for proxy, port, pid in able[first:] + able[:first]:
                    run = load.run(test, pid, [upstream_process.pid], port, wanted.seconds, load_cpu, folder)
                    runs[test.name].setdefault(proxy.name, []).append(run)
                print(f"{test.title}: round {number + 1} of {wanted.rounds}", file=sys.stderr)
    return runs


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
