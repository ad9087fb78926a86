"""The page LIBRARIES.md: what each library asked for and read, and what its profile has besides."""

import json
import os
from pathlib import Path

from libraries.recorded import ALL
from libraries.table import LIBRARIES

HEAD = """# What libraries in pages ask for

Written by `tests/e2e/run --write-report`, from what was on the wire between Chromium and s3cors and what the scripts read. Each library
ran with the smallest rules that `s3cors check --profile` is content with. A browser asks permission for a range only where it does not
begin at a place that is named; here a script's range counts always, since older browsers ask for each. Names that need no permission are
left out.
"""
UNSEEN = """
## What a profile has and no run used

Options of a library that these runs do not use, other versions of it, and libraries like it.
"""


def _version(package):
    """The version that is installed."""
    about = Path(os.environ["NODE_PATH"]) / package / "package.json"
    return json.loads(about.read_text())["version"]


def _code(names):
    return ", ".join("all of them" if name == ALL else f"`{name}`" for name in sorted(names))


def _title(library):
    if not library.package:
        return "elements, fonts and modules"
    return library.name.replace(library.package, f"{library.package} {_version(library.package)}")


def _rows(library, recorded):
    asked = recorded.asked()
    for method, objects in sorted(recorded.objects().items()):
        cells = [_title(library), f"`{library.profile}`", method, _code(objects), _code(asked[method])]
        yield [*cells, _code(recorded.reads.get(method, set()))]


def unseen(client, needs, recordings):
    """What the profile has and no library that it is for has used, in words."""
    for method, need in needs.items():
        sent, read, used = set(), set(), False
        for recorded in recordings:
            used |= method in recorded.asked()
            sent |= recorded.asked().get(method, set())
            read |= recorded.reads.get(method, set())
        if not used:
            yield f"{client}: {method}"
            continue
        if names := need.headers - sent:
            yield f"{client}: {_code(names)} of {method}"
        if ALL not in read and (names := need.reads - read):
            yield f"{client}: {_code(names)} of {method} is read"


def page(recordings, needs):
    """The page, from the recordings by library and the needs by profile."""
    columns = ["library", "profile", "method", "of", "headers that need permission", "response headers that it reads"]
    rows = [columns, ["---"] * len(columns)]
    for library in LIBRARIES:
        rows += _rows(library, recordings[library.name])
    lines = [HEAD, *(f"| {' | '.join(row)} |" for row in rows), UNSEEN]
    for client in dict.fromkeys(library.profile for library in LIBRARIES):
        of_client = [recordings[library.name] for library in LIBRARIES if library.profile == client]
        lines += (f"- {line}" for line in unseen(client, needs[client], of_client))
    return "\n".join(lines) + "\n"
