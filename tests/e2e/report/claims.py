"""What `s3cors check --server` says of a server is what the server did in this run, and it leaves nothing out."""

import json
import subprocess

from harness.proxy import PROGRAM
from report import requests

# The documents that the buckets `report` and `public` have.
DOCUMENTS = ("report.xml", "public.xml")
CASES = {case.name: case for case in (*requests.PREFLIGHTS, *requests.ACTUAL)}
# Of a server with one setting for all buckets, that one difference stands for all that follow from it.
STANDS_FOR = {"one_setting": {"open_preflights", "open_without_rules", "star_with_credentials", "exposes_more", "no_credentials", "open_headers"}}


def _values(answer, name):
    return [value for key, value in answer.headers if key.lower() == name]


def _has(answer, name, value=None):
    """Whether a list of names has this one."""
    names = {part.strip().lower() for line in _values(answer, name) for part in line.split(",")}
    return bool(names) if value is None else value.lower() in names


def _is_open(answer):
    return _has(answer, "access-control-allow-origin")


def _exposes_more(answer):
    names = {part.strip().lower() for line in _values(answer, "access-control-expose-headers") for part in line.split(",")}
    return bool(names - {"etag", "x-amz-meta-note"})


# Each kind with the request that shows it, and how.
SHOWN_BY = {
    "open_without_rules": ("`GET` in a bucket without rules", _is_open),
    "open_preflights": ("a forbidden origin", _is_open),
    "open_errors": ("404 and a forbidden origin", _is_open),
    "star_with_credentials": (
        "`GET` where every origin is allowed",
        lambda answer: _has(answer, "access-control-allow-credentials", "true"),
    ),
    "first_rule_of_origin": (
        "`PUT`, which the origin's second rule allows",
        lambda answer: not _has(answer, "access-control-allow-methods", "PUT")
        and not _has(answer, "access-control-allow-methods", "*"),
    ),
    "no_credentials": (
        "`GET`, an allowed origin",
        lambda answer: not _has(answer, "access-control-allow-credentials", "true"),
    ),
    "no_cors_on_refusal": ("403: a wrong signature", lambda answer: not _is_open(answer)),
    "vary": ("`GET` without an origin", lambda answer: not _has(answer, "vary", "origin")),
    "exposes_more": ("`GET`, an allowed origin", _exposes_more),
    "no_max_age": ("an allowed origin, `GET`", lambda answer: not _has(answer, "access-control-max-age")),
    "open_headers": (
        "a header for a rule without AllowedHeader",
        lambda answer: _has(answer, "access-control-allow-headers", "x-any"),
    ),
    "header_pattern": ("headers that `x-amz-*` allows", lambda answer: not _is_open(answer)),
    "one_setting": (
        "`DELETE`, which no rule allows",
        lambda answer: _has(answer, "access-control-allow-methods", "DELETE"),
    ),
}


def _claimed(name, rules):
    """The kinds of the differences that the command tells."""
    paths = [rules / document for document in DOCUMENTS]
    command = [PROGRAM, "check", "--server", name, "--format", "json", *map(str, paths)]
    told = json.loads(subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout)
    return {difference["kind"] for difference in told["server"]["differences"]}


def check(name, rules, seen, suite, results):
    """Compares both, for a server that the command knows. `seen` has the server's own response first."""
    claimed = _claimed(name, rules)
    stands_for = {kind for each in claimed for kind in STANDS_FOR.get(each, ())}
    for kind, (request, shows) in SHOWN_BY.items():
        if kind == "one_setting" and "open_preflights" in claimed:
            continue
        own = seen[CASES[request]][0]
        is_shown, is_claimed = shows(own), kind in claimed
        if is_shown == is_claimed or (is_shown and kind in stands_for):
            results.passed(name, suite, f"check --server: {kind}")
        else:
            results.failed(name, suite, f"check --server: {kind}", f"claimed: {is_claimed}, {request}: {own.status} {own.headers}")
