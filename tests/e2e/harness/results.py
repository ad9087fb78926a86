"""What passed, what failed, what was skipped and why."""

import dataclasses
import os
import sys
import time
from collections import Counter


@dataclasses.dataclass(frozen=True)
class Result:
    server: str
    suite: str
    name: str
    outcome: str
    detail: str


class Results:
    """The results of a run, printed as they come."""

    def __init__(self):
        self.all = []
        self.started = time.monotonic()

    def passed(self, server, suite, name, detail=""):
        self._add(server, suite, name, "passed", detail)

    def failed(self, server, suite, name, detail):
        self._add(server, suite, name, "failed", detail)

    def skipped(self, server, suite, name, reason):
        self._add(server, suite, name, "skipped", reason)

    def _add(self, server, suite, name, outcome, detail):
        self.all.append(Result(server, suite, name, outcome, detail))
        if outcome != "passed" or detail:
            print(f"  {outcome}: {suite}: {name}{': ' if detail else ''}{detail}", flush=True)

    def count(self, outcome, **where):
        return sum(
            result.outcome == outcome and all(getattr(result, name) == value for name, value in where.items())
            for result in self.all
        )

    def say(self, text):
        print(f"[{time.monotonic() - self.started:4.0f} s] {text}", flush=True)

    def summary(self):
        """Prints the table and returns the exit code: on CI nothing may be skipped."""
        counts = Counter((result.server, result.suite, result.outcome) for result in self.all)
        rows = list(dict.fromkeys((result.server, result.suite) for result in self.all))
        print(f"\n{'server':12}{'suite':34}{'passed':>8}{'failed':>8}{'skipped':>9}")
        for server, suite in rows:
            numbers = [counts[server, suite, outcome] for outcome in ("passed", "failed", "skipped")]
            print("{:12}{:34}{:8}{:8}{:9}".format(server, suite, *numbers))
        for outcome in ("skipped", "failed"):
            for result in self.all:
                if result.outcome == outcome:
                    first = result.detail.partition("\n")[0][:200]
                    print(f"{outcome}: {result.server}: {result.suite}: {result.name}: {first}")
        passed, failed, skipped = (self.count(outcome) for outcome in ("passed", "failed", "skipped"))
        print(f"\ne2e: {passed} passed, {failed} failed, {skipped} skipped")
        sys.stdout.flush()
        nothing_done = passed == 0
        return 1 if failed or nothing_done or (skipped and os.environ.get("CI") == "true") else 0
