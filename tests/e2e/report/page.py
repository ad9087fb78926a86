"""Draws what was observed as a page to look at: a row for each request, a column for each server, a colour for what it means."""

import datetime
import re
from collections import Counter
from html import escape

from report import findings, requests
from report.render import SHORT, VERSIONS, pages
from report.verdict import Verdict, judge
from servers import by_name

MEANS = {
    Verdict.SAME: ("✓", "as the rules say"),
    Verdict.OPENS: ("!", "lets a page do what the rules forbid"),
    Verdict.BREAKS: ("✕", "refuses a page what the rules allow"),
    Verdict.DIFFERS: ("≠", "the same grant, but kept or read otherwise: Vary, max-age, exposed headers"),
}


def _text(markdown):
    """Text with its names in monospace."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(markdown))


def _response(answer):
    """The status and CORS headers of a response, a line for each."""
    lines = [str(answer.status)]
    for name, short in SHORT.items():
        lines += [f"{short}: {value or '(empty)'}" for value in answer.values(name)]
    return "<br>".join(map(escape, lines))


def _cell(verdict, answer):
    sign, _ = MEANS[verdict]
    return (
        f'<td class="{verdict.value}"><details><summary><b>{sign}</b> {verdict.value}</summary>'
        f"<small>{_response(answer)}</small></details></td>"
    )


def _ours(answer):
    return f'<td class="ours"><details><summary>{answer.status}</summary><small>{_response(answer)}</small></details></td>'


def _table(heading, columns, rows):
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in columns)
    body = "\n".join(f'<tr><th scope="row">{_text(name)}</th>{"".join(cells)}</tr>' for name, cells in rows)
    return (
        f"<h2>{escape(heading)}</h2>\n<div class=\"wide\"><table>\n<thead><tr>{head}</tr></thead>\n"
        f"<tbody>\n{body}\n</tbody></table></div>\n"
    )


def _requests(answers, cases):
    """A row for each request: what the rules ask for, and each server's own response. Ours before an actual request has each server's
    status, so the first server's is shown."""
    for case in cases:
        pairs = [pairs[case] for pairs in answers.values()]
        yield case.name, [_ours(pairs[0][1]), *(_cell(judge(case, own, ours), own) for own, ours in pairs)]


def _chromium(browser):
    """A row for each case: whether the page gets what the rules say."""
    for name, verdicts in pages(browser):
        cells = [("same", "✓", "yes") if holds else ("breaks", "✕", "no") for holds in verdicts]
        yield name, [f'<td class="{kind}"><b>{sign}</b> {word}</td>' for kind, sign, word in cells]


def _counts(seen, titles):
    """A bar for each server, of all requests."""
    bars = ""
    for title, pairs in zip(titles, seen.answers.values(), strict=True):
        counts = Counter(judge(case, *pairs[case]) for case in (*requests.PREFLIGHTS, *requests.ACTUAL))
        parts = "".join(
            f'<i class="{verdict.value}" style="flex:{counts[verdict]}" title="{counts[verdict]} {means}">{counts[verdict]}</i>'
            for verdict, (_, means) in MEANS.items()
            if counts[verdict]
        )
        bars += f'<div class="bar"><span>{escape(title)}</span><p>{parts}</p></div>\n'
    return bars


def _findings(about):
    """The sentences of the other page: a list, whose lines are broken there."""
    items = re.sub(r"\n  ", " ", about).split("\n- ")[1:]
    return "<ul>\n" + "\n".join(f"<li>{_text(item.strip())}</li>" for item in items) + "\n</ul>\n"


def draw(seen, versions):
    """The page, complete in one file: no script, nothing to load."""
    titles = [by_name(server).TITLE for server in seen.answers]
    facts = (*versions, str(datetime.datetime.now(datetime.UTC).date()))
    legend = "".join(
        f'<span class="{verdict.value}"><b>{sign}</b> {verdict.value}: {means}</span>' for verdict, (sign, means) in MEANS.items()
    )
    return (
        f"{HEAD}<p>The same requests go to each server directly, and to s3cors in front of it, with the same rules.\n"
        "The first column is what S3 sends for these rules, and what s3cors sends before every server; the others are each server alone.\n"
        f'Open a cell to read the response.</p>\n<p class="legend">{legend}</p>\n{_counts(seen, titles)}'
        f"{_findings(findings.USUAL[1])}"
        + _table("Preflights", ["request", "s3cors", *titles], _requests(seen.answers, requests.PREFLIGHTS))
        + _table("Pages in Chromium get what the rules say", ["the rule", "with s3cors", *titles], _chromium(seen.browser))
        + _table("Actual requests", ["request", "s3cors", *titles], _requests(seen.answers, requests.ACTUAL))
        + "<footer>\n"
        + "<br>\n".join(map(" ".join, zip(VERSIONS, map(escape, facts), strict=True)))
        + "\n</footer>\n</main>\n</html>\n"
    )


HEAD = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>S3 servers' own CORS</title>
<style>
:root { color-scheme: light dark; --ink: #1c2330; --page: #fff; --line: #d8dde6; --soft: #f4f6f9;
  --same: #e3f4e8; --opens: #fbd9d5; --breaks: #fde7c8; --differs: #e6e9f5; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e4e8ef; --page: #14181f; --line: #333b48; --soft: #1c222c;
    --same: #17402a; --opens: #6a2420; --breaks: #5d3f10; --differs: #2f3760; } }
body { margin: 0; background: var(--page); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 76rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; }
h1 { font-size: 1.7rem; margin: 0 0 .5rem; } h2 { font-size: 1.2rem; margin: 2.5rem 0 .7rem; }
p { max-width: 60rem; } li { max-width: 60rem; margin: .2rem 0; }
code, small { font-family: ui-monospace, monospace; font-size: .86em; }
.legend { display: flex; flex-wrap: wrap; gap: .5rem; } .legend span { padding: .15rem .6rem; border-radius: .4rem; }
.bar { display: flex; align-items: center; gap: .8rem; margin: .25rem 0; } .bar span { flex: 0 0 7rem; }
.bar p { flex: 1; display: flex; gap: 2px; margin: 0; } .bar i { font-style: normal; text-align: center; border-radius: .3rem; }
.wide { overflow-x: auto; border: 1px solid var(--line); border-radius: .5rem; }
table { border-collapse: collapse; width: 100%; } th, td { padding: .35rem .6rem; text-align: left; vertical-align: top; }
thead th { background: var(--soft); white-space: nowrap; } tbody tr { border-top: 1px solid var(--line); }
tbody th { font-weight: normal; min-width: 15rem; } td { border-left: 1px solid var(--line); white-space: nowrap; }
summary { cursor: pointer; list-style: none; } summary::-webkit-details-marker { display: none; }
details small { display: block; margin-top: .3rem; white-space: normal; overflow-wrap: anywhere; min-width: 11rem; }
.same { background: var(--same); } .opens { background: var(--opens); }
.breaks { background: var(--breaks); } .differs { background: var(--differs); }
footer { margin-top: 2.5rem; font-size: .86rem; }
</style>
<main>
<h1>S3 servers' own CORS</h1>
"""
