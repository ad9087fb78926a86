"""The result as tables, for a terminal or in Markdown."""

import calls
import curves
import rgw
import rounds
import threads
from handshakes import KINDS
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

RULES = (
    ("start_s", "start to the first response, s"),
    ("resident_mb", "resident memory, MB"),
    ("idle_cpu_percent", "CPU while nothing happens, % of one"),
    ("change_cpu_ms", "CPU of one changed document, ms"),
    ("change_live_s", "until it is live, s"),
    ("storm_s", "until 1,000 changed documents are live, s"),
    ("storm_p99_ratio", "p99 of requests meanwhile, to the same work elsewhere"),
    ("metrics_mb", "`/metrics`, MB"),
    ("series", "series"),
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


def counted(counts):
    """The tests whose instructions were counted."""
    return [name for name in TESTS if any(name in count for count in counts.values())]


def of_instructions(counts, titles):
    tests = counted(counts)
    header = ["proxy", *(TESTS[name].title for name in tests)]
    rows = [
        [titles[proxy], *(f"{count[name]:,}" if name in count else "-" for name in tests)]
        for proxy, count in in_order(counts, titles)
    ]
    return "Instructions a request", header, rows


def of_threads(runs, titles):
    header = ["test", "proxy", "CPU with one, µs a request", "CPU with two, µs a request", "two to one"]
    rows = []
    for name, of_test in runs.items():
        found = ((title, threads.summary(of_test, proxy)) for proxy, title in titles.items())
        rows += [
            [TESTS[name].title, title, microseconds(each[0]), microseconds(each[1]), ratio(each[2], None)]
            for title, each in found
            if each
        ]
    return "One thread and two, on all CPUs", header, rows


def of_handshakes(runs, titles):
    header = [
        "TLS 1.3, a new connection each",
        "proxy",
        "group",
        "CPU, µs each",
        "CPU to nginx",
        "each second",
        "rate to nginx",
    ]
    rows = [
        [
            KINDS[name][0],
            titles[proxy],
            of_test[proxy][-1]["group"],
            microseconds(each["cpu_us"]),
            ratio(each["cpu_us_ratio"], proxy),
            f"{each['rate']:,.0f}",
            ratio(each["rate_ratio"], proxy),
        ]
        for name, of_test in runs.items()
        for proxy, each in rounds.summary(of_test).items()
    ]
    return "Handshakes of TLS", header, rows


def of_memory(figures, titles):
    header = ["proxy", *(title for _, title in MEMORY)]
    rows = [
        [titles[proxy], *(f"{of_proxy[key]:,}" for key, _ in MEMORY)] for proxy, of_proxy in in_order(figures, titles)
    ]
    return "Resident memory", header, rows


def of_rules(figures):
    title = f"The rules of {figures['documents']:,} buckets, {figures['rules_each']} each"
    return title, ["s3cors", ""], [[name, "hidden by noise" if figures[key] is None else f"{figures[key]:,}"] for key, name in RULES]


def tables(result):
    """All tables of a result: a title, a header and rows each."""
    titles = result["proxies"]
    found = [of_test(name, runs, titles) for name, runs in result.get("rounds", {}).items() if runs]
    if result.get("threads"):
        found.append(of_threads(result["threads"], titles))
    if result.get("handshakes"):
        found.append(of_handshakes(result["handshakes"], titles))
    if result.get("instructions"):
        found.append(of_instructions(result["instructions"], titles))
    if result.get("memory"):
        found.append(of_memory(result["memory"], titles))
    if result.get("rules"):
        found.append(of_rules(result["rules"]))
    if result.get("calls"):
        found.append(calls.table(result["calls"], titles))
    if result.get("rgw"):
        found.append(rgw.table(result["rgw"], titles))
    found += [curves.table(name, curve, titles) for name, curve in result.get("curves", {}).items()]
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
    if tls := rounds.agreed(result.get("rounds", {})):
        yield f"TLS: {tls}, one ECDSA P-256 certificate."


def markdown(result):
    lines = [*remarks(result), ""]
    for title, header, rows in tables(result):
        lines += [f"### {title}", "", line_of(header), "|" + "---|" * len(header), *map(line_of, rows), ""]
    return "\n".join(lines)


def overview(result):
    """The figures that count on one screen: CPU time to nginx, and instructions."""
    tests, counts, titles = result.get("rounds", {}), result.get("instructions", {}), result["proxies"]
    rows = []
    for name, runs in tests.items():
        ratios = [each and each["cpu_us_ratio"] for each in map(rounds.summary(runs).get, titles)]
        rows.append([f"{TESTS[name].title}, CPU", *("-" if each is None else f"{each[0]:.2f}" for each in ratios)])
    for name in counted(counts):
        found = [counts.get(proxy, {}).get(name) for proxy in titles]
        cells = ("-" if each is None else f"{each / 1000:.1f}k" for each in found)
        rows.append([f"{TESTS[name].title}, instructions", *cells])
    header = ["", *titles.values()]
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
