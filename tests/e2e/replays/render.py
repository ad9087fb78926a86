"""Renders REPLAYS.md from what was observed."""

import json

from replays.table import BELOW, BOTH, INNER, NAMED, REPLACED, REPLAYS, REWRITTEN
from servers import USUAL, by_name

VERSIONS = ("Servers:", "Requests:")

INTRODUCTION = """# Public reports, replayed

Written by `tests/e2e/run --write-report` and compared by every run: requests that a chain of proxies broke, as people reported them, in front
of each server. A report is built again from its facts: the proxy and what it changes, the name that was signed, the name that was opened, the
method. Names that a report leaves out are made up. So are the ports of the run: names lead where a client's name resolution would lead.
TLS at the first proxy is left out, since no signature covers the scheme. "played by" says that another program does what the report's does.

Each request is sent through the same chain without s3cors, where at least one of them fails, and with s3cors and the setting in the last
column. The column `arrives` shows what the proxies in front make of the request. A page of another origin reads each response. With s3cors every
request passes on every server, unless the table says otherwise. A name of SDK is the report's; requests of other SDKs than boto3 are signed
over the headers that the SDK signs.

Through the same chains go forged requests: a wrong secret key, a link's query for another bucket or key, changed parameters, a link that has
expired, another method, another body or chunk, a signed header that was changed. None passes, and after them every object is as it was.

"""

SECTIONS = (
    ("Signed for a name that only other containers know", INNER),
    ("A proxy that sends another `Host`, or one without its port", REPLACED),
    ("Storage below a path of another site", BELOW),
    ("Several kinds of URL at one listener", BOTH),
    ("A signed header that was rewritten, another method, an origin", REWRITTEN),
)

AFTER = {
    "Storage below a path of another site": (
        "The client signs for the inner URL, without the path, and the application replaces scheme and host and adds the path.\n\n"
    ),
    "Several kinds of URL at one listener": (
        "Every request is sent as signed for each of the names. An upload goes under the name that worked for the client's last request. If it is\n"
        "signed for another one, it is refused, and goes under the next name when it is sent again. Servers that ask for the body of every upload\n"
        "([REPORT.md](REPORT.md)) may refuse it twice. So clients that upload should sign for one name each.\n\n"
    ),
}


def _listed(values):
    return ", ".join(dict.fromkeys(str(value) for value in values))


def _setting(setting):
    """The setting as it is written in a configuration file."""

    def flow(value):
        if isinstance(value, dict):
            return "{" + ", ".join(f"{name}: {flow(inner)}" for name, inner in value.items()) + "}"
        return json.dumps(value).replace('"', "") if isinstance(value, list) else str(value)

    return f"`{flow(setting)[1:-1]}`"


def _outcome(seen, source, answers):
    """What happens with s3cors, on all servers or by server."""
    said = {name: _listed(getattr(part, answers)[source]) for name, part in seen.items()}
    values = list(dict.fromkeys(said.values()))
    if len(values) == 1:
        return values[0]
    return "<br>".join(
        f"{_listed(by_name(name).TITLE for name in said if said[name] == value)}: {value}" for value in values
    )


def _row(seen, arrives, replay):
    signed = _listed(f"`{name}`" for name in (replay.name, *replay.others))
    chain = replay.front.title if not replay.behind else f"{replay.front.title}; then {replay.behind.title}"
    asks = ", ".join(replay.asks)
    cells = [replay.source, replay.signer, chain, f"`{replay.opened}`", signed, asks, arrives[replay.source]]
    return [*cells, _outcome(seen, replay.source, "without"), _outcome(seen, replay.source, "with_s3cors")]


def _table(heading, about, columns, rows):
    lines = [f"## {heading}", "", about + "| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows), "", ""])


COLUMNS = [
    "report",
    "signed by",
    "chain",
    "opened",
    "signed for",
    "requests",
    "arrives",
    "without s3cors",
    "with s3cors",
]


def render(seen, arrives):
    """The page, from what was seen with each server and what arrives."""
    servers = ", ".join(f"{by_name(name).TITLE} {by_name(name).version()}" for name in seen)
    asked = sum(len(statuses) for part in seen.values() for statuses in part.with_s3cors.values())
    forged = sum(part.forgeries for part in seen.values())
    # The page is the same without the servers that a run has only on request.
    seen = {name: seen[name] for name in USUAL}
    text = INTRODUCTION + f"Servers: {servers}\n"
    text += f"Requests: {len(REPLAYS)} reports, {asked} honest requests, {forged} forged ones\n\n"
    for heading, replays in SECTIONS:
        rows = [[*_row(seen, arrives, replay), _setting(replay.setting)] for replay in replays]
        text += _table(heading, AFTER.get(heading, ""), [*COLUMNS, "setting"], rows)
    rows = [
        [*_row(seen, arrives, replay), _listed(cause for part in seen.values() for cause in part.causes[replay.source])]
        for replay in NAMED
    ]
    about = "The signature covers what is gone, and only its key could sign anew. The request is refused, and s3cors names the cause in its log.\n\n"
    return text + _table("Only the signer can put these right", about, [*COLUMNS, "cause"], rows).rstrip() + "\n"
