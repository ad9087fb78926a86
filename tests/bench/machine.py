"""What the kernel reports: CPU time and memory of a process with its children, and the machine that the figures belong to."""

import os
import re
import resource
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def family(pid):
    """The process and its descendants: nginx works in a child of the process that was started."""
    found, waiting = [], [pid]
    while waiting:
        found.append(waiting.pop())
        for task in Path(f"/proc/{found[-1]}/task").glob("*/children"):
            waiting += [int(child) for child in task.read_text().split()]
    return found


def cpu_seconds(pid):
    """User and system time so far."""
    ticks = 0
    for member in family(pid):
        # The command's name, in parentheses, may hold spaces: count the fields after it.
        fields = Path(f"/proc/{member}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / TICKS


def memory(pid, field="VmRSS"):
    """Resident memory in KiB; with `VmHWM` the highest since the start or since `forget_peak`."""
    total = 0
    for member in family(pid):
        status = Path(f"/proc/{member}/status").read_text()
        total += int(re.search(rf"^{field}:\s+(\d+) kB", status, re.MULTILINE)[1])
    return total


def forget_peak(pid):
    """Lets `VmHWM` begin again at what is resident now."""
    for member in family(pid):
        Path(f"/proc/{member}/clear_refs").write_text("5")


def busy_seconds():
    """CPU time that the whole machine has spent so far, including what other guests of the host have taken from it."""
    fields = [int(field) for field in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    idle, waiting = fields[3], fields[4]
    return (sum(fields) - idle - waiting) / TICKS


def children_seconds():
    """CPU time of the load generators that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def processors():
    """One CPU for the proxy and one for the load. They are the same on a machine with a single CPU."""
    usable = sorted(os.sched_getaffinity(0))
    return usable[0], usable[1] if len(usable) > 1 else usable[0]


def raise_descriptor_limit(wanted):
    """Thousands of connections need as many descriptors, here and in the processes that this one starts."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = hard if hard != resource.RLIM_INFINITY else max(wanted, 65536)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
    return limit >= wanted


def describe():
    """The machine, in the words of its kernel."""
    model = re.search(r"^(?:model name|Model)\s*:\s*(.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    size = re.search(r"^MemTotal:\s+(\d+)", Path("/proc/meminfo").read_text(), re.MULTILINE)
    return {
        "cpu": model[1] if model else os.uname().machine,
        "cpus": len(os.sched_getaffinity(0)),
        "memory_gib": round(int(size[1]) / 2**20, 1),
        "kernel": f"{os.uname().sysname} {os.uname().release.partition('-')[0]}",
        "load": round(os.getloadavg()[0], 1),
    }
