"""REPORT.md, made of what was seen."""

from clients.limits import LIMITS
from report import requests
from servers import by_name

INTRODUCTION = """# S3 servers' own CORS, and s3cors in front of it

Written by `tests/e2e/run --write-report` and compared by every run: real requests to real servers, directly and through s3cors. The
bucket `report` has [these rules](rules/report.xml), `public` allows `GET` to everybody, `bare` has no rules. Where a server takes rules
for a bucket it was given the same ones. A cell has the status, and what the answer says about CORS; values that are long have a
number and are below the tables.

What to see in it:

- MinIO grants every origin everything, with credentials, on every answer.
- Ceph RGW looks only at the first rule of an origin, says nothing about CORS on a 403, and no `Vary` without an `Origin`, so that a
  cache keeps an answer without CORS headers for everybody.
- s3s-fs has no CORS.
- s3cors says the same before each of them, and what it says is what S3 says; `Vary` is always there where a bucket has rules.

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


# How the lines begin that say which versions were there.
VERSIONS = ("Servers:", "Clients:")
REFUSED = "What clients can not do at a server, with s3cors or without"

# What is longer makes a table that nobody can read.
LONG = 40


class Notes:
    """The long values, each with its number."""

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
    """An answer's status and what it says about CORS; a header that is there twice is there twice."""
    lines = [f"**{answer.status}**"]
    for name, short in SHORT.items():
        lines += [f"{short}: {notes.shown(value)}" for value in answer.values(name)]
    return "<br>".join(lines)


def _table(heading, first, columns, rows):
    lines = [f"## {heading}", "", f"| {first} | " + " | ".join(columns) + " |", "|" + "---|" * (len(columns) + 1)]
    lines += [f"| {name} | " + " | ".join(cells) + " |" for name, cells in rows]
    return "\n".join([*lines, "", ""])


def _preflight(answers, case):
    """What s3cors says, before whatever server, and what each server says itself."""
    pairs = [pairs[case] for pairs in answers.values()]
    return [pairs[0][1], *(own for own, _ in pairs)]


def render(seen, versions):
    """The report, of the pairs of answers by server and request."""
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

Nothing: in every actual request above, status, body and all other headers, with their spelling, are the server's own, but
for what no proxy passes on or keeps:

- `Connection` and `Keep-Alive` are of one connection, and each side has its own.
- `Date` is written anew by Pingora.
- names may come in another order where a header was taken out, which means nothing (RFC 9110 §5.3).
- the ids of a request (`x-amz-request-id`, `x-amz-id-2`, and their elements in errors) are other ones for the other request.
"""
