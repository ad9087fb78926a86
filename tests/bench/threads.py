"""What a request costs with one thread and with two. Whatever all threads write to would cost more with two."""

import dataclasses

import rounds

TESTS = ("preflight", "get1k")
COUNTS = (1, 2)


def measure(compared, tests, turns, folder, cpus):
    """As in rounds: by test, by proxy. Proxies, upstream and load share all CPUs, so the load is the same for one thread and two."""
    home = folder / "threads"
    home.mkdir()
    proxies = [
        dataclasses.replace(proxy, name=named(proxy.name, count), command=proxy.with_threads(count))
        for proxy in compared
        if proxy.with_threads
        for count in COUNTS
    ]
    everywhere = ",".join(sorted(set(map(str, cpus))))
    return rounds.measure(proxies, tests, turns, home, (everywhere, everywhere))


def named(proxy, count):
    return f"{proxy}-{count}"


def summary(of_test, proxy):
    """The median of the CPU time with each count of threads, and the ratio of two to one in the same round."""
    one, two = (of_test.get(named(proxy, count), []) for count in COUNTS)
    ratios = [after["cpu_us"] / before["cpu_us"] for before, after in zip(one, two, strict=True)]
    if not ratios:
        return None
    middle = [rounds.median([run["cpu_us"] for run in runs]) for runs in (one, two)]
    return *middle, (rounds.median(ratios), min(ratios), max(ratios))
