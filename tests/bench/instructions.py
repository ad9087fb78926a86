"""User-space instructions of one request, counted by valgrind. The count hardly varies, whatever else the machine does."""

import re
import socket
import sys

import load
import proxies
from processes import START_SLOWLY, Failed, running

TESTS = ("preflight", "get1k")
# The difference of two runs leaves out start, stop and the first request. A start varies by some 100,000 instructions.
FEW, MANY = 100, 3100
STREAM = 64 << 10


def measure(compared, folder, cpus):
    """By proxy, by test."""
    proxy_cpu, load_cpu = cpus
    upstream, all_ports = proxies.free_ports_for(compared)
    counts = {}
    with running("upstream-counted", proxies.upstream(folder, upstream), upstream, folder, load_cpu):
        for proxy, ports in zip(compared, all_ports, strict=True):
            home = folder / f"{proxy.name}-counted"
            home.mkdir()
            for name in TESTS:
                test = load.TESTS[name]
                if not proxy.can(test):
                    continue
                few, many = (count(proxy, test, home, ports, upstream, sent, proxy_cpu) for sent in (FEW, MANY))
                counts.setdefault(proxy.name, {})[name] = round((many - few) / (MANY - FEW))
            print(f"{proxy.title}: instructions counted", file=sys.stderr)
    return counts


def count(proxy, test, home, ports, upstream, requests, cpu):
    """The instructions of a process that serves so many requests, from its start to its end."""
    command = proxy.command(home, ports, upstream)
    if proxy.name == proxies.BASE:
        # valgrind must see the process that serves.
        command[-1] += " master_process off;"
    log = home / f"{test.name}-{requests}.valgrind"
    valgrind = [
        "valgrind",
        "--tool=cachegrind",
        "--cache-sim=no",
        "--cachegrind-out-file=/dev/null",
        f"--log-file={log}",
    ]
    with running(f"{proxy.name}-counted", valgrind + command, ports.plain, home, cpu, proxy.output, START_SLOWLY):
        exchange(test, ports.plain, requests)
    found = re.search(r"I\s+refs:\s+([\d,]+)", log.read_text(errors="replace"))
    if not found:
        raise Failed(f"valgrind counted nothing for {proxy.title}: {log.read_text(errors='replace')[-500:]}")
    return int(found[1].replace(",", ""))


def exchange(test, port, requests):
    """Sends the same request many times on one connection, each after the response to the one before."""
    head = test.head(port)
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        for _ in range(requests):
            connection.sendall(head)
            status, length = receive(connection)
            if status not in (200, 204) or length != test.received:
                raise Failed(f"{test.title}: status {status}, {length} bytes")


def receive(connection):
    """Status and body length of one response, which must state its length."""
    received = b""
    while b"\r\n\r\n" not in received:
        received += more(connection)
    head, _, body = received.partition(b"\r\n\r\n")
    stated = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
    length, arrived = int(stated[1]) if stated else 0, len(body)
    while arrived < length:
        arrived += len(more(connection))
    return int(head.split()[1]), arrived


def more(connection):
    received = connection.recv(STREAM)
    if not received:
        raise Failed("the connection was closed")
    return received
