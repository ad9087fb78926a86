"""REPORT.md, made of what was seen."""

from report import requests

INTRODUCTION = """# S3 servers' own CORS, and s3cors in front of it

Written by `tests/e2e/run --write-report` and compared by every run: real requests to real servers, directly and through s3cors. The
bucket `report` has [these rules](rules/report.xml), `public` allows `GET` to everybody, `bare` has no rules. Where a server takes rules
for a bucket it was given the same ones. A cell has the status, and what the answer says about CORS.

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


def _cell(answer):
    """An answer's status and what it says about CORS; a header that is there twice is there twice."""
    lines = [f"**{answer.status}**"]
    for name, short in SHORT.items():
        lines += [f"{short}: `{value}`" if value else f"{short}: (empty)" for value in answer.values(name)]
    return "<br>".join(lines)


def _table(heading, columns, rows):
    lines = [f"## {heading}", "", "| request | " + " | ".join(columns) + " |", "|" + "---|" * (len(columns) + 1)]
    lines += [f"| {name} | " + " | ".join(cells) + " |" for name, cells in rows]
    return "\n".join([*lines, "", ""])


def render(seen, versions):
    """The report, of the pairs of answers by server and request."""
    servers = list(seen.answers)
    text = INTRODUCTION + "".join(f"- {line}\n" for line in versions) + "\n"
    text += "".join(f"{title} {answer}.\n" for title, answer in seen.rules.items()) + "\n"

    preflights = [
        (
            case.name,
            [_cell(seen.answers[servers[0]][case][1]), *(_cell(seen.answers[server][case][0]) for server in servers)],
        )
        for case in requests.PREFLIGHTS
    ]
    text += _table("Preflights", ["s3cors", *seen.rules], preflights)

    columns = [column for title in seen.rules for column in (title, "with s3cors")]
    actual = [
        (case.name, [_cell(answer) for server in servers for answer in seen.answers[server][case]])
        for case in requests.ACTUAL
    ]
    text += _table("Actual requests", columns, actual)
    return text + DIFFERENCES


DIFFERENCES = """## What else differs

Nothing: in every actual request above, status, body and all other headers, with their order and spelling, are the server's own, but
for what no proxy passes on or keeps:

- `Connection` and `Keep-Alive` are of one connection, and each side has its own.
- `Date` is written anew by Pingora.
- the ids of a request (`x-amz-request-id`, `x-amz-id-2`, and their elements in errors) are other ones for the other request.
"""
