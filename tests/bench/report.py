"""Writes RESULTS.md's tables and the charts from results that tests/bench/run --json has written.

Several results become one: each test, and each proxy's instructions and memory, are taken from the last file that has them. A test is
taken as a whole, because ratios hold only within its rounds. Without files, tests/bench/results.json is read again.
"""

import argparse
import json
import sys
from pathlib import Path

import chart
import lines
import scale
import table
from proxies import HERE

PAGE, CHART, DATA = HERE / "RESULTS.md", HERE / "results.svg", HERE / "results.json"
CURVES = HERE / "curves.svg"
PARTS = ("rounds", "threads", "handshakes", "instructions", "calls", "memory", "rules", "rgw", "curves", "proxies", "versions")
# The text before and after is written by hand and stays.
BEGIN, END = "<!-- tests/bench/report writes from here -->", "<!-- to here -->"


def merged(results):
    """One result of several from the same machine."""
    whole = {}
    for result in results:
        if whole and whole["machine"]["cpu"] != result["machine"]["cpu"]:
            sys.exit("tests/bench/report: the results are from different machines")
        joined = {part: found for part in PARTS if (found := whole.get(part, {}) | result.get(part, {}))}
        # Date and settings are those of the rounds, which depend on them most.
        kept = {} if result.get("rounds") or not whole else {key: whole[key] for key in ("date", "settings")}
        whole = result | joined | kept
    return whole


def page(result):
    """RESULTS.md with the tables of this result."""
    text = PAGE.read_text()
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        sys.exit(f"{PAGE}: the lines {BEGIN} and {END} are missing")
    curves = f"![CPU time and p99 over size, connections and rules]({CURVES.name})\n\n" if result.get("curves") else ""
    return f"{before}{BEGIN}\n\n{table.overview(result)}\n{curves}{table.markdown(result)}\n{END}{after}"


def main():
    parser = argparse.ArgumentParser(prog="tests/bench/report", description=__doc__)
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE", help="results, the newest last")
    parser.add_argument("--check", action="store_true", help="write nothing, and fail if something is out of date")
    wanted = parser.parse_args()
    result = merged(json.loads(file.read_text()) for file in wanted.files or [DATA])
    written = {DATA: json.dumps(result, indent=1) + "\n", PAGE: page(result), CHART: chart.svg(result)}
    written |= {CURVES: lines.svg(result), scale.PAGE: scale.page(result)}
    stale = [
        path for path, text in written.items() if text is not None and (not path.exists() or path.read_text() != text)
    ]
    if wanted.check and stale:
        sys.exit("out of date: " + ", ".join(path.name for path in stale) + ": run tests/bench/report")
    for path in stale:
        path.write_text(written[path])


if __name__ == "__main__":
    main()
