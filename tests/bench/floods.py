#!/usr/bin/env python3
"""Floods from a few clients, and the cost for everyone else: memory, descriptors, and the requests of others meanwhile.

    tests/bench/floods.py --s3cors PROGRAM [--s3cors PROGRAM]...

Every program, and nginx, is started afresh for each flood, with 1,024 descriptors. The table of RESULTS.md is what this prints.
"""

import argparse
import asyncio
import concurrent.futures
import contextlib
import socket
import ssl
import statistics
import sys
import tempfile
import time
from pathlib import Path
from urllib.request import urlopen

import machine
import proxies
from processes import Failed, end_on_signals, free_ports, require, running
from table import line_of

DESCRIPTORS = 1024
SECONDS = 6
# Another client asks so often, and gives up then.
EVERY, PATIENCE = 0.05, 2
CLIENTS = 1500
STREAMS = 256
BODY = bytes(1024)
LARGE = bytes(1 << 18)


# The upstream: what it does stands in the path.


async def respond(reader, writer):
    with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
        while head := await reader.readuntil(b"\r\n\r\n"):
            path = head.split(b" ", 2)[1]
            if path.endswith(b"/silent"):
                await reader.read()
                return
            if path.endswith(b"/interim"):
                while True:
                    writer.write(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 500)
                    await writer.drain()
            parts = [LARGE] * 40 if path.endswith(b"/large") else [BODY]
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % sum(map(len, parts)))
            for part in parts:
                writer.write(part)
                await writer.drain()
    writer.close()


async def serve(port):
    server = await asyncio.start_server(respond, "127.0.0.1", port, backlog=2048)
    async with server:
        await server.serve_forever()


# HTTP/2, as far as a flood needs it.


def frame(kind, flags, stream, payload=b""):
    return len(payload).to_bytes(3) + bytes([kind, flags]) + stream.to_bytes(4) + payload


def get(stream, path):
    """HEADERS of a GET, with literal fields."""

    def text(value):
        return bytes([len(value)]) + value

    fields = {b":method": b"GET", b":scheme": b"https", b":authority": b"127.0.0.1", b":path": path}
    block = b"".join(b"\0" + text(name) + text(value) for name, value in fields.items())
    return frame(1, 5, stream, block)


def preface(window=None):
    settings = b"" if window is None else (4).to_bytes(2) + window.to_bytes(4)
    return b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0, settings)


async def http2(ports, sent, again=b"", pause=0.0):
    """One connection that sends bytes, then others for as long as it may."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    reader, writer = await asyncio.open_connection("127.0.0.1", ports.tls, ssl=context)
    writer.write(sent)
    reading = asyncio.ensure_future(drain(reader))
    try:
        while again and not reading.done():
            writer.write(again)
            await writer.drain()
            await asyncio.sleep(pause)
        await reading
    finally:
        reading.cancel()
        writer.close()


async def drain(reader):
    with contextlib.suppress(OSError):
        while await reader.read(1 << 16):
            pass


async def plain(port, sent):
    """A connection that sends so much and waits."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(sent)
    await drain(reader)
    writer.close()


# The floods: each is a list of clients.


def silence(ports):
    return [plain(ports.plain, b"") for _ in range(CLIENTS)]


def handshakes(ports):
    """The first bytes of a ClientHello, and no more."""
    return [plain(ports.tls, b"\x16\x03\x01\x02\x00\x01\x00") for _ in range(CLIENTS)]


def heads(ports):
    return [plain(ports.plain, b"GET /bench/1k HTTP/1.1\r\nHost: 127.0.0.1\r\nX-A: ") for _ in range(CLIENTS)]


def streams(ports):
    """Requests whose upstream says nothing."""
    asked = b"".join(get(1 + 2 * at, b"/bench/silent") for at in range(STREAMS))
    return [http2(ports, preface() + asked) for _ in range(5)]


def unread(ports):
    """Downloads of 10 MiB that are never read: the window is 0."""
    asked = b"".join(get(1 + 2 * at, b"/bench/large") for at in range(100))
    return [http2(ports, preface(0) + asked) for _ in range(4)]


def interim(ports):
    head = b"GET /bench/interim HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    return [plain(ports.plain, head) for _ in range(4)]


def pings(ports):
    return [http2(ports, preface(), frame(6, 0, 0, bytes(8)) * 2000) for _ in range(4)]


def settings(ports):
    return [http2(ports, preface(), frame(4, 0, 0, (4).to_bytes(2) + (65535).to_bytes(4)) * 2000) for _ in range(4)]


FLOODS = {
    "1,500 connections that send nothing": silence,
    "1,500 unfinished TLS handshakes": handshakes,
    "1,500 unfinished heads": heads,
    "5 HTTP/2 connections, 256 requests each, a silent upstream": streams,
    "4 HTTP/2 connections, 100 downloads each that are not read": unread,
    "4 requests with endless interim responses": interim,
    "4 HTTP/2 connections that send PING": pings,
    "4 HTTP/2 connections that send SETTINGS": settings,
}


# Everyone else, in a process of its own.


def others(port, seconds):
    """The status of each request on a new connection, empty without a response, and its milliseconds."""
    taken, until = [], time.monotonic() + seconds
    while time.monotonic() < until:
        started = time.monotonic()
        taken.append((status(port), (time.monotonic() - started) * 1000))
        time.sleep(EVERY)
    return taken


def status(port):
    received = b""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as client:
        client.sendall(b"GET /bench/1k HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
        while piece := client.recv(1 << 16):
            received += piece
    return received[9:12].decode()


def is_healthy(port, seconds):
    """Returns true if the admin listener answers all the time."""
    until = time.monotonic() + seconds
    with contextlib.suppress(OSError):
        while time.monotonic() < until:
            with urlopen(f"http://127.0.0.1:{port}/healthz", timeout=PATIENCE) as response:
                response.read()
            time.sleep(0.5)
        return True
    return False


async def run(flood, process, ports, admin_port):
    before = machine.memory(process.pid)
    machine.forget_peak(process.pid)
    clients = [asyncio.ensure_future(client) for client in flood(ports)]
    # No one is asked while the flood still rises.
    await asyncio.sleep(1)
    with concurrent.futures.ProcessPoolExecutor(2) as apart:
        asked = [apart.submit(others, ports.plain, SECONDS)]
        if admin_port:
            asked.append(apart.submit(is_healthy, admin_port, SECONDS))
        taken, *healthy = await asyncio.gather(*map(asyncio.wrap_future, asked))
    descriptors = max(len(list(Path(f"/proc/{pid}/fd").iterdir())) for pid in machine.family(process.pid))
    peak = machine.memory(process.pid, "VmHWM") - before
    for client in clients:
        client.cancel()
    await asyncio.gather(*clients, return_exceptions=True)
    served = [time for status, time in taken if status == "200"]
    answered = sum(status != "" for status, _ in taken)
    return {
        "memory": f"{peak / 1024:.0f}",
        "descriptors": f"{descriptors:,}",
        "answered": f"{answered / len(taken):.0%}",
        "served": f"{len(served) / len(taken):.0%}",
        "median": f"{statistics.median(served):.1f}" if served else "-",
        "worst": f"{max(served):.0f}" if served else "-",
        "admin": "".join("yes" if each else "no" for each in healthy),
    }


def one(name, program, flood, folder):
    """One flood on a process of its own."""
    upstream, plain_port, tls = free_ports(3)
    ports = proxies.Ports(plain_port, tls)
    home = folder / f"{name}-{flood.__name__}".replace(" ", "-")
    home.mkdir()
    make = proxies.nginx(1) if program is None else proxies.s3cors(program, False, 1)
    command = [str(part) for part in make(home, ports, upstream)]
    admin_port = None
    if program is not None:
        text = (home / "s3cors.yaml").read_text()
        admin_port = int(text.split("admin: 127.0.0.1:")[1].split()[0])
    limited = ["sh", "-c", f'ulimit -n {DESCRIPTORS}; exec "$@"', "sh", *command]
    behind = [sys.executable, "-B", __file__, "--upstream", str(upstream)]
    with running("upstream", behind, upstream, home), running(name, limited, ports.plain, home) as process:
        return asyncio.run(run(flood, process, ports, admin_port))


def main():
    parser = argparse.ArgumentParser(prog="tests/bench/floods.py", description=__doc__)
    parser.add_argument("--s3cors", action="append", default=[], type=Path, metavar="PROGRAM")
    parser.add_argument("--only", help="floods whose function has this name")
    parser.add_argument("--upstream", type=int, help=argparse.SUPPRESS)
    wanted = parser.parse_args()
    if wanted.upstream:
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(serve(wanted.upstream))
        return
    require("nginx", "openssl")
    end_on_signals(900)
    machine.raise_descriptor_limit(16384)
    compared = {"nginx": None} | {
        f"s3cors {proxies.output_of(program, '--version').split()[1]} {at}".strip(): program.resolve()
        for at, program in enumerate(wanted.s3cors, 1)
    }
    header = ["flood", "proxy", "memory, MiB more", "descriptors", "others answered", "with 200", "median, ms", "worst, ms", "admin"]
    print("\n".join([line_of(header), "|" + "---|" * len(header)]))
    with tempfile.TemporaryDirectory() as scratch:
        for title, flood in FLOODS.items():
            if wanted.only and flood.__name__ != wanted.only:
                continue
            for name, program in compared.items():
                try:
                    found = one(name, program, flood, Path(scratch)).values()
                except Failed as failed:
                    print(failed, file=sys.stderr)
                    found = ["ended"] + [""] * 6
                print(line_of([title, name, *found]), flush=True)


if __name__ == "__main__":
    main()
