"""System calls of one request, counted by strace: with one connection, and with many that send at the same time.

strace attaches when all connections are open and have had a response, so that only requests are counted.
"""

import contextlib
import re
import select
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import load
import machine
import proxies
from instructions import receive
from processes import Failed, running

TESTS = ("preflight", "get1k")
CONNECTIONS = (1, 64)
REQUESTS = 1024
WARM, ATTACHED = 3, 15
# By what they do; any other call is counted under its own name.
KINDS = {
    "read": ("read", "readv", "recvfrom", "recvmsg"),
    "write": ("write", "writev", "sendto", "sendmsg", "sendfile"),
    "wait": ("epoll_wait", "epoll_pwait", "epoll_pwait2", "poll", "ppoll"),
}
LINE = re.compile(r"^\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?(\w+)$", re.MULTILINE)


def measure(compared, folder, cpus):
    """By proxy, by test, by number of connections: the calls of each kind for one request."""
    proxy_cpu, load_cpu = cpus
    upstream, all_ports = proxies.free_ports_for(compared)
    found = {}
    with running("upstream-called", proxies.upstream(folder, upstream), upstream, folder, load_cpu):
        for proxy, ports in zip(compared, all_ports, strict=True):
            home = folder / f"{proxy.name}-called"
            home.mkdir()
            command = proxy.command(home, ports, upstream)
            with running(f"{proxy.name}-called", command, ports.plain, home, proxy_cpu, proxy.output) as process:
                able = [load.TESTS[name] for name in TESTS if proxy.can(load.TESTS[name])]
                found[proxy.name] = {test.name: of_test(process.pid, test, ports.plain, home) for test in able}
            print(f"{proxy.title}: system calls counted", file=sys.stderr)
    return found


def of_test(pid, test, port, folder):
    return {str(number): count(pid, test, port, number, folder) for number in CONNECTIONS}


def count(pid, test, port, connections, folder):
    """Calls a request, by kind."""
    with contextlib.ExitStack() as stack:
        clients = [
            stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=60)) for _ in range(connections)
        ]
        for _ in range(WARM):
            turn(clients, test, port)
        with traced(pid, folder) as calls:
            for _ in range(REQUESTS // connections):
                turn(clients, test, port)
    return {kind: round(number / REQUESTS, 3) for kind, number in calls.items()}


def turn(clients, test, port):
    """One request on every connection, all sent before the first response is read."""
    head = test.head(port)
    for client in clients:
        client.sendall(head)
    for client in clients:
        status, length = receive(client)
        if status not in (200, 204) or length != test.received:
            raise Failed(f"{test.title}: status {status}, {length} bytes")


@contextlib.contextmanager
def traced(pid, folder):
    """Counts the calls of a process and its children while the block runs, by kind."""
    calls, summary = {}, folder / "strace"
    members = [str(member) for member in machine.family(pid)]
    command = ["strace", "--follow-forks", "--summary-only", f"--output={summary}", f"--attach={','.join(members)}"]
    strace = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        until = time.monotonic() + ATTACHED
        while not all(map(is_traced, members)):
            if strace.poll() is not None or time.monotonic() > until:
                strace.kill()
                raise Failed(f"strace: {strace.stderr.read().decode(errors='replace')[-1000:]}")
            select.select([], [], [], 0.02)
        yield calls
    finally:
        strace.send_signal(signal.SIGINT)
        strace.communicate(timeout=ATTACHED)
    for number, name in LINE.findall(summary.read_text()):
        kind = next((kind for kind, names in KINDS.items() if name in names), name)
        if name != "total":
            calls[kind] = calls.get(kind, 0) + int(number)


def is_traced(member):
    statuses = [status.read_text() for status in Path(f"/proc/{member}/task").glob("*/status")]
    return statuses and not any(re.search(r"^TracerPid:\s+0$", status, re.MULTILINE) for status in statuses)


def table(figures, titles):
    """Calls that a request causes less often than every twentieth time are left out: they belong to something else."""
    header = ["proxy", "test", "connections", *KINDS, "other calls"]
    rows = []
    for proxy, of_proxy in ((proxy, figures[proxy]) for proxy in titles if proxy in figures):
        for name, by_connections in of_proxy.items():
            for connections, kinds in by_connections.items():
                others = [
                    f"{kinds[kind]:.2f} {kind}" for kind in sorted(kinds) if kind not in KINDS and kinds[kind] >= 0.05
                ]
                cells = [f"{kinds.get(kind, 0):.2f}" for kind in KINDS]
                rows.append([titles[proxy], load.TESTS[name].title, connections, *cells, ", ".join(others) or "-"])
    return "System calls a request", header, rows
