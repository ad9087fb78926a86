"""Renders REPORT.md from what was observed."""

from clients.limits import LIMITS
from report import requests
from servers import by_name

INTRODUCTION = """# S3 servers' own CORS, and s3cors in front of it

Written by `tests/e2e/run --write-report` and compared by every run: real requests to real servers, directly and through s3cors. The
bucket `report` has [these rules](rules/report.xml), `public` allows `GET` to every origin, `bare` has no rules. A server that accepts
rules for a bucket has the same ones. A cell shows the status and the CORS headers of the response; long values have a number and are
below the tables.

What it shows:

- MinIO grants every origin everything, with credentials, on every response.
- Ceph RGW looks only at the first rule of an origin, sends no CORS headers with a 403 and no `Vary` without an `Origin`, so that
  a cache keeps a response without CORS headers for everyone.
- s3s-fs has no CORS.
- s3cors sends the same in front of each of them: what S3 sends, and `Vary` on every response of a bucket with rules.

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
VERSIONS = ("Servers:", "Clients:")
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


def render(seen, versions):
    """The report, from the pairs of responses by server and request."""
    servers = list(seen.answers)
    notes = Notes()
    text = INTRODUCTION + "\n".join(map(" ".join, zip(VERSIONS, versions, strict=True))) + "\n\n"
    titles = [by_name(server).TITLE for server in servers]
    text += "".join(f"{title} {answer}.\n" for title, answer in zip(titles, seen.rules.values(), strict=True)) + "\n"

    preflights = [
        (case.name, [_cell(answer, notes) for answer in _preflight(seen.answers, case)]) for case in requests.PREFLIGHTS
    ]
    text += _table("Preflights", "request", ["s3cors", *titles], preflights)

    columns = [column for title in titles for column in (title, "with s3cors")]
    actual = [
        (case.name, [_cell(answer, notes) for server in servers for answer in seen.answers[server][case]])
        for case in requests.ACTUAL
    ]
    text += _table("Actual requests", "request", columns, actual)
    limits = [
        (f"{by_name(server).TITLE}, {client}", [f"`{operation}`", why])
        for (server, client, operation), why in LIMITS.items()
        if server in servers
    ]
    return (
        f"{text}{notes}{DIFFERENCES}\n"
        + _table(REFUSED, "server, client", ["operation", "why"], limits).rstrip()
        + "\n"
    )


DIFFERENCES = """## What else differs

Nothing. For every actual request above, status, body and all other headers, with their spelling, are the server's own, except
for what every proxy changes:

- `Connection` and `Keep-Alive` belong to one connection, and each side has its own.
- Pingora sets `Date` itself.
- header names may come in another order where a header was removed, which has no meaning (RFC 9110 §5.3).
- each request has its own ids (`x-amz-request-id`, `x-amz-id-2`, and their elements in errors).
"""
