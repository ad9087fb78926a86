"""Processes that the benchmark starts and, whatever happens, stops: these and no others."""

import contextlib
import shutil
import signal
import socket
import subprocess
import sys
import time

START = 30
STOP = 15
# valgrind multiplies the time of a start.
START_SLOWLY = 120


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
    """Ports that are free now."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


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
