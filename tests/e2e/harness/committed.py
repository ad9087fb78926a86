"""Pages that a run writes and that are committed: a run that sees something else fails until the page is written anew."""

import difflib

from harness.environment import RESULTS


def compare(file, text, versions, write, suite, results):
    """Compares a page with the committed one, or replaces it. Lines that begin with one of `versions` may differ."""
    (RESULTS / file.name).write_text(text)
    if write:
        file.write_text(text)
    before = file.read_text() if file.exists() else ""
    pages = ([line for line in page.splitlines() if not line.startswith(versions)] for page in (before, text))
    changes = [line for line in difflib.unified_diff(*pages, lineterm="", n=0) if line[:1] in "+-"]
    if changes:
        results.failed("all", suite, file.name, "\n    ".join(["is out of date (--write-report)", *changes]))
    else:
        results.passed("all", suite, f"{file.name} is up to date")
