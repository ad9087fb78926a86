"""Processes that the benchmark starts and, whatever happens, stops: these and no others."""

import contextlib
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

START = 30
STOP = 15
# valgrind multiplies the time of a start.
START_SLOWLY = 120


# The ports of outgoing connections; of those below, how many and from which one a proxy may get one.
OUTGOING = Path("/proc/sys/net/ipv4/ip_local_port_range")
LISTENING, LOWEST, MANY_PORTS = 16384, 4096, 1000


class Failed(Exception):
    """Something that the benchmark depends on did not work."""


def require(*tools):
    """Names all missing tools at once, and how to get them."""
    if missing := [tool for tool in tools if shutil.which(tool) is None]:
        raise Failed(
            f"{', '.join(missing)}: not found. Install them: deploy/prerequisites bench; for --rgw tests/e2e/install"
        )


def end_on_signals(seconds):
    """Turns signals and the end of the allowed time into exceptions, so that every process is stopped on the way out."""

    def end(number, _):
        # A second signal must not interrupt the stopping.
        for each in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGALRM):
            signal.signal(each, signal.SIG_IGN)
        if number == signal.SIGALRM:
            raise Failed(f"not finished after {seconds:.0f} s")
        sys.exit(128 + number)

    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGALRM):
        signal.signal(number, end)
    signal.alarm(int(seconds))


def free_ports(count):
    """Ports that are free now. They lie below those of outgoing connections, of which one could take a port before a proxy listens there."""
    first_outgoing = int(OUTGOING.read_text().split()[0])
    listening = range(max(LOWEST, first_outgoing - LISTENING), first_outgoing)
    # Where outgoing connections have nearly all ports, the kernel chooses.
    tried = random.sample(listening, len(listening)) if len(listening) > MANY_PORTS else [0] * count
    with contextlib.ExitStack() as stack:
        found = []
        for port in tried:
            each = stack.enter_context(socket.socket())
            with contextlib.suppress(OSError):
                each.bind(("127.0.0.1", port))
                found.append(each.getsockname()[1])
            if len(found) == count:
                return found
    raise Failed(f"there are no {count} free ports")


def accepts(port):
    """Whether something listens there."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


@contextlib.contextmanager
def running(name, command, port, folder, cpu=None, output=None, start=START):
    """A process for as long as the block runs, from the moment at which its port accepts connections."""
    pinned = [] if cpu is None else ["taskset", "--cpu-list", str(cpu)]
    log = folder / f"{name}.log"
    with (output or log).open("ab") as stdout, log.open("ab") as stderr:
        process = subprocess.Popen(
            [*pinned, *map(str, command)],
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            cwd=folder,
            # Ctrl-C is for the benchmark, which stops its processes itself.
            start_new_session=True,
        )
    try:
        until = time.monotonic() + start
        while not accepts(port):
            if process.poll() is not None or time.monotonic() > until:
                raise Failed(f"{name} did not start: {log.read_text(errors='replace')[-2000:]}")
            time.sleep(0.02)
        yield process
        if process.poll() is not None:
            raise Failed(f"{name} ended with {process.returncode}: {log.read_text(errors='replace')[-2000:]}")
    finally:
        stop(process)


def stop(process):
    until = time.monotonic() + STOP
    while process.poll() is None and time.monotonic() < until:
        # Again from time to time: nginx without a master misses a signal that arrives just before it waits for events.
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(2)
    if process.poll() is None:
        process.kill()
        process.wait()


def output_of(*command, timeout=STOP):
    """What a command prints, on either stream."""
    done = subprocess.run(
        [str(part) for part in command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=timeout,
    )
    return done.stdout
