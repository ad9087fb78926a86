"""Random rules and requests: what s3cors says that a browser will do is what Chromium does."""

import json
import subprocess
import tempfile
import time
from pathlib import Path

from browser.suite import missing_tools
from harness.environment import RESULTS
from harness.processes import Failed, free_port
from harness.proxy import proxy

SUITE = "predictions"
PROGRAM = Path(__file__).parent / "judge.js"
# A run without --cases: each kind of case is among so many, and it takes seconds.
CASES = 1000
SEED = 14
# Seconds, however many cases there are, and for each.
DEADLINE = 60, 0.1
# So many mismatches are printed; all of them are in a file.
SHOWN = 5


def run(home, cases, seed, results):
    if reason := missing_tools():
        results.skipped("all", SUITE, "all cases", reason)
        return
    rules = Path(tempfile.mkdtemp(dir=home)) / "rules"
    rules.mkdir()
    (rules / "first.json").write_text('[{"AllowedOrigins": ["https://app.example"], "AllowedMethods": ["GET"]}]')
    upstream = free_port()
    started = time.monotonic()
    with proxy(f"s3cors-{SUITE}", rules, f"http://127.0.0.1:{upstream}") as s3cors:
        task = {"rules": str(rules), "upstream": upstream, "port": free_port(), "cases": cases, "seed": seed}
        task |= {"url": s3cors.url, "admin": s3cors.admin}
        done = subprocess.run(
            ["node", str(PROGRAM)],
            input=json.dumps(task),
            capture_output=True,
            text=True,
            timeout=DEADLINE[0] + DEADLINE[1] * cases,
        )
    lines = done.stdout.splitlines()
    (RESULTS / "predictions.jsonl").write_text(done.stdout)
    if done.returncode != 0 or not lines:
        raise Failed(f"the predictions could not be compared: {done.stderr[-2000:]}")
    *wrong, count = map(json.loads, lines)
    name = f"{count['cases']} predictions with seed {seed} come true"
    kinds = ", ".join(f"{number} {verdict}" for verdict, number in sorted(count["verdicts"].items()))
    if wrong:
        shown = [json.dumps(case) for case in wrong[:SHOWN]]
        results.failed("all", SUITE, name, "\n    ".join([f"{len(wrong)} do not (predictions.jsonl)", *shown]))
    else:
        results.passed("all", SUITE, name, f"{kinds}; {time.monotonic() - started:.0f} s")
