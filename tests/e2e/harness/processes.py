"""Processes that this run starts and ends."""

import contextlib
import os
import socket
import subprocess
import time
import urllib.request

from harness.environment import RESULTS

DEADLINE = 60


class Failed(Exception):
    """Something that the tests depend on did not work."""


def free_port():
    """A port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def eventually(what, condition, process=None):
    """Waits until the condition holds, and returns its value."""
    until = time.monotonic() + DEADLINE
    while time.monotonic() < until:
        if process is not None and process.poll() is not None:
            raise Failed(f"{what}: the process ended with {process.returncode}")
        if held := condition():
            return held
        time.sleep(0.05)
    raise Failed(f"{what}: not within {DEADLINE} s")


def connects(port):
    """Whether something listens there."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def responds(url):
    """Whether a GET succeeds."""
    with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=1) as answer:
        return answer.status == 200
    return False


@contextlib.contextmanager
def running(name, *command, **environment):
    """A process for as long as the block runs. Its output is in the log of its name, after that of earlier processes."""
    log = RESULTS / f"{name}.log"
    with log.open("ab") as output:
        begun = output.tell()
        process = subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=os.environ | environment,
            # Ctrl-C is for this run, which ends its processes itself, in order.
            start_new_session=True,
        )
    process.log = log
    process.output = lambda: log.read_bytes()[begun:].decode()
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def output_of(*command, **options):
    """The output of a command. A failure is raised with its reason."""
    done = subprocess.run(
        [str(part) for part in command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=DEADLINE,
        **options,
    )
    if done.returncode != 0:
        raise Failed(f"{command[0]} {command[1] if len(command) > 1 else ''}: {done.stdout.strip()[-2000:]}")
    return done.stdout
