"""The result as tables, for a terminal or in Markdown."""

import rounds
from load import TESTS
from proxies import BASE

RANGE = "median (least to most)"
MEMORY = (
    ("idle_kib", "idle connection, KiB"),
    ("heads_mib", "6,000 unfinished heads of 60 KB, MiB"),
    ("heads_refused", "of them refused"),
    ("downloads_mib", "300 slow downloads, MiB"),
    ("uploads_mib", "300 slow uploads, MiB"),
)


def microseconds(value):
    return f"{value:.1f}" if value < 100 else f"{value:,.0f}"


def ratio(value, proxy):
    if proxy == BASE:
        return "1"
    return "-" if value is None else f"{value[0]:.2f} ({value[1]:.2f} to {value[2]:.2f})"


def of_test(name, runs, titles):
    """One test: what a request costs each proxy, its rate and its latency."""
    header = [
        "proxy",
        "CPU, µs a request",
        "CPU to nginx",
        "requests/s",
        "rate to nginx",
        "p50, µs",
        "p99, µs",
        "p99 to nginx",
    ]
    rows = [
        [
            titles[proxy],
            microseconds(each["cpu_us"]),
            ratio(each["cpu_us_ratio"], proxy),
            f"{each['rate']:,.0f}",
            ratio(each["rate_ratio"], proxy),
            f"{each['p50_us']:,.0f}",
            f"{each['p99_us']:,.0f}",
            ratio(each["p99_us_ratio"], proxy),
        ]
        for proxy, each in rounds.summary(runs).items()
    ]
    return TESTS[name].title, header, rows


def in_order(figures, titles):
    """The figures by proxy, in the order of the other tables."""
    return [(proxy, figures[proxy]) for proxy in titles if proxy in figures]


def of_instructions(counts, titles):
    tests = [name for name in TESTS if any(name in count for count in counts.values())]
    header = ["proxy", *(TESTS[name].title for name in tests)]
    rows = [
        [titles[proxy], *(f"{count[name]:,}" if name in count else "-" for name in tests)]
        for proxy, count in in_order(counts, titles)
    ]
    return "Instructions a request", header, rows


def of_memory(figures, titles):
    header = ["proxy", *(title for _, title in MEMORY)]
    rows = [
        [titles[proxy], *(f"{of_proxy[key]:,}" for key, _ in MEMORY)] for proxy, of_proxy in in_order(figures, titles)
    ]
    return "Resident memory", header, rows


def tables(result):
    """All tables of a result: a title, a header and rows each."""
    titles = result["proxies"]
    found = [of_test(name, runs, titles) for name, runs in result.get("rounds", {}).items() if runs]
    if result.get("instructions"):
        found.append(of_instructions(result["instructions"], titles))
    if result.get("memory"):
        found.append(of_memory(result["memory"], titles))
    return found


def remarks(result):
    """What a reader needs to judge the figures."""
    computer, settings = result["machine"], result["settings"]
    yield f"{computer['cpus']} CPUs ({computer['cpu']}), {computer['memory_gib']} GiB, {computer['kernel']}."
    yield ", ".join(f"{name} {version}" for name, version in result["versions"].items()) + "."
    if result.get("rounds"):
        yield (
            f"{result['date']}, rounds: {settings['rounds']} of {settings['seconds']} s. Ratios: {RANGE}, to nginx in the same round. "
            f"Other work on the machine: {rounds.other_work(result['rounds']):.2f} cores (median)."
        )


def markdown(result):
    lines = [*remarks(result), ""]
    for title, header, rows in tables(result):
        lines += [f"### {title}", "", line_of(header), "|" + "---|" * len(header), *map(line_of, rows), ""]
    return "\n".join(lines)


def overview(result):
    """The figures that count on one screen: instructions, and CPU time to nginx."""
    tests, counts, titles = result.get("rounds", {}), result.get("instructions", {}), result["proxies"]
    counted = [name for name in TESTS if any(name in count for count in counts.values())]
    header = [
        "",
        *(f"{TESTS[name].title}, CPU" for name in tests),
        *(f"{TESTS[name].title}, instructions" for name in counted),
    ]
    summaries = {name: rounds.summary(runs) for name, runs in tests.items()}
    rows = []
    for proxy, title in titles.items():
        ratios = [summaries[name].get(proxy, {}).get("cpu_us_ratio") for name in tests]
        cells = ["-" if ratio is None else f"{ratio[0]:.2f}" for ratio in ratios]
        cells += [f"{counts[proxy][name] / 1000:.1f}k" if name in counts.get(proxy, {}) else "-" for name in counted]
        rows.append([title, *cells])
    return "\n".join([line_of(header), "|" + "---|" * len(header), *map(line_of, rows), ""])


def line_of(cells):
    return "| " + " | ".join(cells) + " |"


def plain(result):
    lines = []
    for title, header, rows in tables(result):
        widths = [max(len(row[column]) for row in [header, *rows]) for column in range(len(header))]
        lines += ["", title]
        for row in [header, *rows]:
            # Names to the left, figures to the right.
            cells = [
                row[0].ljust(widths[0]),
                *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)),
            ]
            lines.append("  " + "  ".join(cells))
    return "\n".join([*lines, "", *remarks(result)])
