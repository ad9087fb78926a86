"""Renders the pages from what was observed."""

import datetime

from clients.limits import LIMITS
from report import findings, requests
from servers import by_name

PAGES = {"REPORT.md": findings.USUAL, "ON_REQUEST.md": findings.ON_REQUEST}

ABOUT = """Real requests go to real servers, directly and through s3cors. The bucket `report` has [these rules](rules/report.xml), `public` allows
`GET` to every origin, `bare` has no rules. A server that accepts rules for a bucket has the same ones. A cell shows the status and the
CORS headers of the response; long values have a number and are below the tables.

"""

SHORT = {
    "access-control-allow-origin": "origin",
    "access-control-allow-credentials": "credentials",
    "access-control-allow-methods": "methods",
    "access-control-allow-headers": "headers",
    "access-control-expose-headers": "expose",
    "access-control-max-age": "max-age",
    "vary": "vary",
}


# The beginnings of the lines that list versions.
VERSIONS = ("Servers:", "Clients:", "Last run:")
SLOWEST = "The slowest first response:"
REFUSED = "What clients cannot do with a server, with s3cors or without"

# Longer values make a table unreadable.
LONG = 40


class Notes:
    """The long values, numbered."""

    def __init__(self):
        self._known = []

    def shown(self, value):
        if len(value) <= LONG:
            return f"`{value}`" if value else "(empty)"
        if value not in self._known:
            self._known.append(value)
        return f"[{self._known.index(value) + 1}]"

    def __str__(self):
        lines = [f"{number}. `{value}`" for number, value in enumerate(self._known, 1)]
        return "\n".join(["The long values:", "", *lines, "", ""])


def _cell(answer, notes):
    """A response's status and CORS headers; a header that was sent twice is shown twice."""
    lines = [f"**{answer.status}**"]
    for name, short in SHORT.items():
        lines += [f"{short}: {notes.shown(value)}" for value in answer.values(name)]
    return "<br>".join(lines)


def _table(heading, first, columns, rows):
    lines = [f"## {heading}", "", f"| {first} | " + " | ".join(columns) + " |", "|" + "---|" * (len(columns) + 1)]
    lines += [f"| {name} | " + " | ".join(cells) + " |" for name, cells in rows]
    return "\n".join([*lines, "", ""])


def _preflight(answers, case):
    """What s3cors responds, in front of any server, and what each server responds itself."""
    pairs = [pairs[case] for pairs in answers.values()]
    return [pairs[0][1], *(own for own, _ in pairs)]


def pages(browser):
    """Whether a page gets what the rules say, by case: with s3cors, which is the same for every server, and with each server alone."""
    alone, proxied = zip(*browser.values(), strict=True)
    # A case that asks a server alone for what only s3cors has may not come so far with each of them.
    cases = [case for case in alone[0] if all(case in judged for judged in alone)]
    return [
        (case, [all(judged[case] for judged in proxied), *(judged[case] for judged in alone)])
        for case in cases
    ]


def _actual(seen, notes):
    """A table for each server: its own response beside the one with s3cors."""
    text = ""
    for server, pairs in seen.answers.items():
        rows = [(case.name, [_cell(answer, notes) for answer in pairs[case]]) for case in requests.ACTUAL]
        title = by_name(server).TITLE
        text += _table(f"Actual requests: {title}", "request", [title, "with s3cors"], rows)
    return text


def _listed(names):
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names) or "none"


def _refusal(said, notes):
    """A status with S3's code and message."""
    lines = [f"**{said.status}**", *(notes.shown(value) for value in (said.code, said.message) if value)]
    return "<br>".join(lines)


def _upload(said):
    return f"**{said.first}**" if said.first == said.last else f"{said.first}, then **{said.last}**"


def _refused(seen, titles, notes):
    """What each server says to a signature that does not hold, and when it says so of an upload."""
    first = next(iter(seen.refused.values()))
    rows = [
        (question, [_refusal(said.refused[question], notes) for said in seen.refused.values()])
        for question in first.refused
    ]
    text = _table("Signatures that do not hold", "request", titles, rows)
    rows = [
        (
            f"{way}, {'right' if holds else 'wrong'}",
            [_upload(said.uploads[way, holds]) for said in seen.refused.values()],
        )
        for way, holds in first.uploads
    ]
    text += _table("Uploads that wait for `100 Continue`", "`PUT`", titles, rows)
    early = [said.before_the_body() for said in seen.refused.values()]
    judged = [title for title, is_early in zip(titles, early, strict=True) if is_early]
    slowest = max(said.slowest() for said in seen.refused.values())
    others = "" if all(early) else " The others ask for the body of every upload."
    return text + (
        "The body is withheld until the first response, or for three seconds. One status came before a byte of the body. An upload\n"
        f"with a wrong signature is refused before its body by: {_listed(judged)}.{others}\n\n"
        f"{SLOWEST} {slowest:.0f} ms\n\n"
    )


def render(page, seen, versions):
    """The page, from what was seen of its servers."""
    title, about = PAGES[page]
    notes = Notes()
    facts = (*versions, str(datetime.datetime.now(datetime.UTC).date()))
    text = title + ABOUT + about + "\n".join(map(" ".join, zip(VERSIONS, facts, strict=True))) + "\n\n"
    titles = [by_name(server).TITLE for server in seen.answers]
    text += "".join(f"{title} {answer}.\n" for title, answer in zip(titles, seen.rules.values(), strict=True)) + "\n"
    preflights = [
        (case.name, [_cell(answer, notes) for answer in _preflight(seen.answers, case)]) for case in requests.PREFLIGHTS
    ]
    text += _table("Preflights", "request", ["s3cors", *titles], preflights)
    verdicts = [
        (case, ["yes" if holds else "**no**" for holds in verdicts]) for case, verdicts in pages(seen.browser)
    ]
    text += _table("Pages in Chromium", "what the rules say", ["with s3cors", *titles], verdicts)
    text += _actual(seen, notes)
    text += _refused(seen, titles, notes)
    limits = [
        (f"{by_name(server).TITLE}, {client}", [f"`{operation}`", why])
        for (server, client, operation), why in LIMITS.items()
        if server in seen.answers
    ]
    text += f"{notes}{DIFFERENCES}\n"
    return text + _table(REFUSED, "server, client", ["operation", "why"], limits).rstrip() + "\n"


DIFFERENCES = """## What else differs

Nothing. For every actual request above, status, body and all other headers, with their spelling, are the server's own, except
for what every proxy changes:

- `Connection` and `Keep-Alive` belong to one connection, and each side has its own.
- Pingora sets `Date` itself.
- header names may come in another order where a header was removed, which has no meaning (RFC 9110 §5.3).
- each request has its own ids (`x-amz-request-id`, `x-amz-id-2`, and their elements in errors).
"""
