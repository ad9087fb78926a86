"""The instructions of a request that were last accepted, and whether a program takes more.

valgrind shows every program the same processor, so counts from machines with AVX2 can be compared; they vary by half a per cent.
"""

import json
import platform
import re
import tempfile
from pathlib import Path

import instructions
from processes import Failed, output_of
from proxies import HERE, ROOT

FILE = HERE / "instructions.json"
# In per cent of what was accepted.
LIMIT = 3
# What happens beside the requests can only add to a count, so the least of several is the truest.
ATTEMPTS = 3
ACCEPT = "tests/bench/run --accept-instructions --s3cors PROGRAM, with a program of deploy/build"


def conditions():
    """What counts depend on, besides the program."""
    toolchain = re.search(r'^channel = "(.*)"$', (ROOT / "rust-toolchain.toml").read_text(), re.MULTILINE)
    return {
        "architecture": platform.machine(),
        "rust": toolchain[1],
        "valgrind": output_of("valgrind", "--version").strip().removeprefix("valgrind-"),
    }


def incomparable(then, now):
    """Why counts from this machine say nothing about those that were accepted."""
    if now["architecture"] != then["architecture"]:
        return f"this machine is {now['architecture']}, not {then['architecture']}"
    flags = re.search(r"^flags\s*:(.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    if now["architecture"] == "x86_64" and not (flags and "avx2" in flags[1].split()):
        return "this processor has no AVX2"
    return None


def count(proxy, folder, cpus):
    """By test."""
    home = Path(tempfile.mkdtemp(dir=folder))
    return instructions.measure([proxy], home, cpus)[proxy.name]


def accept(proxy, folder, cpus):
    """Writes down what this program takes."""
    counts = [count(proxy, folder, cpus) for _ in range(ATTEMPTS)]
    least = {name: min(each[name] for each in counts) for name in counts[0]}
    FILE.write_text(json.dumps(conditions() | {"instructions": least}, indent=1) + "\n")
    return ", ".join(f"{name} {number:,}" for name, number in least.items()) + f": written to {FILE.relative_to(ROOT)}"


def check(proxy, folder, cpus):
    """Compares a program with what was accepted, and describes the difference. It fails if the program takes clearly more."""
    then, now = json.loads(FILE.read_text()), conditions()
    if reason := incomparable(then, now):
        return f"instructions: NOT COMPARED, {reason}"
    allowed = then["instructions"]
    least = count(proxy, folder, cpus)
    for _ in range(ATTEMPTS - 1):
        if not above(least, allowed):
            break
        again = count(proxy, folder, cpus)
        least = {name: min(least[name], again[name]) for name in least}
    lines = [described(name, number, allowed[name]) for name, number in least.items()]
    if above(least, allowed):
        changed = [f"{key} {then[key]} -> {now[key]}" for key in now if now[key] != then[key]]
        lines += [f"Since then changed, too: {', '.join(changed)}."] * bool(changed)
        raise Failed("\n".join([*lines, f"That is more than {LIMIT} % above. If it is intended: {ACCEPT}"]))
    if above(allowed, least):
        lines.append(f"That is less. Keep it: {ACCEPT}")
    return "\n".join(lines)


def above(counts, allowed):
    return any(number > allowed[name] * (1 + LIMIT / 100) for name, number in counts.items())


def described(name, number, before):
    return f"{name}: {number:,} instructions, {before:,} were accepted ({(number / before - 1) * 100:+.1f} %)"
