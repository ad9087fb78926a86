"""Clients that are programs."""

import os
import shutil
import subprocess

from clients import Refused
from clients.operations import CONTENT, LARGE_CONTENT, SMALL, digest

DEADLINE = 120


class Command:
    """What the programs share: files to send and to get, and how they are called."""

    # What has to be installed.
    program = None
    deadline = DEADLINE

    def __init__(self, server, url, folder):
        self.server = server
        self.url = url
        self.address = url.removeprefix("http://")
        self.content = self._file(folder / "content", CONTENT)
        self.large = self._file(folder / "large", LARGE_CONTENT)
        self.small = self._file(folder / "small", SMALL)
        self.got = folder / "got"

    @classmethod
    def missing_tools(cls):
        """Why it cannot run here, or None."""
        return None if cls.program is None or shutil.which(cls.program) else f"{cls.program} is not installed"

    @staticmethod
    def _file(path, content):
        path.write_bytes(content)
        return path

    def call(self, *command, secret=None, **environment):
        """The output of the program. A failure is raised with the program's own text."""
        variables = os.environ | self.settings(secret or self.server.secret_key) | environment
        done = subprocess.run(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=self.deadline,
            env=variables,
        )
        if done.returncode != 0:
            said = (done.stdout + done.stderr).decode(errors="replace")
            raise Refused(f"exit {done.returncode}: {said.strip()}")
        return done.stdout

    def text(self, *command, **options):
        return self.call(*command, **options).decode()

    def settings(self, secret):
        """The environment that configures the server for the program."""
        return {}

    def take(self):
        """The bytes that the program has written into `got`."""
        content = self.got.read_bytes()
        self.got.unlink()
        return digest(content)
