"""What a request costs over the size of an object, over the number of connections, and over the number of rules."""

import dataclasses
import sys
from collections.abc import Callable
from typing import NamedTuple

import load
import machine
import proxies
import rounds

TURNS = rounds.Turns(3, 1)
# A client may take a second for 100 MiB.
LONG_TURNS = rounds.Turns(3, 2)
# And several to open 10,000 connections.
MANY = 5_000
TURNS_OF_MANY = rounds.Turns(3, 6)
# As many for each size: one of 100 MiB takes its time.
SIZED = 4
SIZES = ("1k", "16k", "64k", "1m", "10m", "100m")
CONNECTIONS = (1, 10, 100, 1_000, 10_000)
RULES = (1, 10, 100, 1_000, 10_000, 100_000)
# The load generator, a proxy and the upstream have files besides their connections.
OTHER_FILES = 500


def measure(compared, folder, cpus):
    """By curve, by value: the runs of each proxy as in `rounds`."""
    able = [proxy for proxy in compared if proxy.with_rules]
    home = folder / "curves"
    home.mkdir()
    return {
        "size": over(SIZES, rounds.measure(able, [sized(size) for size in SIZES], LONG_TURNS, home, cpus)),
        "connections": over_connections(able, folder, cpus),
        "rules": {str(count): over_rules(able, count, folder, cpus) for count in RULES},
    }


def over(values, runs):
    return dict(zip(map(str, values), runs.values(), strict=True))


def sized(size):
    get = load.TESTS["get1k"]
    return dataclasses.replace(
        get,
        name=f"size-{size}",
        title=f"GET {size}",
        path=f"/bench/{size}",
        connections=SIZED,
        received=proxies.OBJECTS[size],
    )


def over_connections(compared, folder, cpus):
    counts = [count for count in CONNECTIONS if machine.raise_descriptor_limit(count + OTHER_FILES)]
    if left_out := sorted({*CONNECTIONS} - {*counts}):
        print(f"not measured, because the limit of open files is too low: {left_out} connections", file=sys.stderr)
    found = {}
    for few, turns in ((True, TURNS), (False, TURNS_OF_MANY)):
        wanted = [count for count in counts if (count < MANY) == few]
        home = folder / f"connections-{'few' if few else 'many'}"
        home.mkdir()
        tests = [
            dataclasses.replace(
                load.PREFLIGHT, name=f"connections-{count}", title=f"{count} connections", connections=count
            )
            for count in wanted
        ]
        found |= over(wanted, rounds.measure(compared, tests, turns, home, cpus)) if tests else {}
    return found


def over_rules(compared, count, folder, cpus):
    home = folder / f"rules-{count}"
    home.mkdir()
    ruled = [dataclasses.replace(proxy, command=proxy.with_rules(count)) for proxy in compared]
    test = dataclasses.replace(load.PREFLIGHT, name=f"rules-{count}", title=f"{count} rules")
    return rounds.measure(ruled, [test], TURNS, home, cpus)[test.name]


class Curve(NamedTuple):
    """How a curve is shown: its values as numbers and in words, and what its CPU time is divided by."""

    title: str
    of: str
    number: Callable
    words: Callable
    unit: str
    cost: Callable


def a_request(run):
    return run["cpu_us"]


def a_gigabyte(run):
    """Of the bytes that arrived: at the end of a turn some responses are unfinished."""
    return run["cpu_us"] * run["requests"] / run["bytes"] * 1e3


def size_in_words(name):
    return f"{name[:-1]} {'KiB' if name.endswith('k') else 'MiB'}"


def in_words(count):
    return f"{int(count):,}"


SHOWN = {
    "size": Curve(f"GET on {SIZED} connections", "object", proxies.OBJECTS.get, size_in_words, "s a GB", a_gigabyte),
    "connections": Curve("preflights", "connections", int, in_words, "µs a request", a_request),
    "rules": Curve("preflights, each rule with one origin", "rules", int, in_words, "µs a request", a_request),
}


def points(name, curve):
    """By proxy: of each value the number, the median cost, the ratio to the base in the same round, and the median p99 in ms."""
    shown, found = SHOWN[name], {}
    for value, of_test in curve.items():
        base = [shown.cost(run) for run in of_test[proxies.BASE]]
        for proxy, runs in of_test.items():
            costs = [shown.cost(run) for run in runs]
            ratio = rounds.median([mine / theirs for mine, theirs in zip(costs, base, strict=True)])
            p99 = rounds.median([run["p99_us"] for run in runs]) / 1e3
            found.setdefault(proxy, []).append(Point(value, shown.number(value), rounds.median(costs), ratio, p99))
    return found


class Point(NamedTuple):
    value: str
    number: int
    cost: float
    ratio: float
    p99: float


def table(name, curve, titles):
    shown, found = SHOWN[name], points(name, curve)
    named = [proxy for proxy in titles if proxy in found]
    header = [shown.of]
    for proxy in named:
        header += [f"{titles[proxy]}: CPU, {shown.unit}", *["to nginx"] * (proxy != proxies.BASE), "p99, ms"]
    rows = []
    for at, value in enumerate(curve):
        row = [shown.words(value)]
        for proxy in named:
            point = found[proxy][at]
            ratio = [f"{point.ratio:.2f}"] * (proxy != proxies.BASE)
            row += [short(point.cost), *ratio, short(point.p99)]
        rows.append(row)
    return (
        f"Cost over the {'size' if name == 'size' else 'number'} of {shown.of}{'s' * (name == 'size')}: {shown.title}",
        header,
        rows,
    )


def short(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
