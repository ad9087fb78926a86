"""Processes that this run starts, and that end with it."""

import contextlib
import os
import socket
import subprocess
import time

from harness.environment import RESULTS

DEADLINE = 60


class Failed(Exception):
    """Something that has to work for the tests to be possible did not."""


def free_port():
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def eventually(what, condition, process=None):
    """Waits until the condition holds, and gives what it gave."""
    until = time.monotonic() + DEADLINE
    while time.monotonic() < until:
        if process is not None and process.poll() is not None:
            raise Failed(f"{what}: the process ended with {process.returncode}")
        if held := condition():
            return held
        time.sleep(0.05)
    raise Failed(f"{what}: not within {DEADLINE} s")


def connects(port):
    """Whether somebody listens there."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


@contextlib.contextmanager
def running(name, *command, **environment):
    """A process for as long as the block runs; its output is in a log of its own."""
    log = RESULTS / f"{name}.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=os.environ | environment,
            # A Ctrl-C is for this run; what it started it ends itself, in order.
            start_new_session=True,
        )
    process.log = log
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
    """What a command prints; one that fails says why."""
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
