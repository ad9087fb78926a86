"""s3s-fs: the store in `s3cors demo`, which has its own address. It has no CORS at all."""

import contextlib
import re

from harness.environment import PROGRAM, REPOSITORY
from harness.processes import eventually, running
from servers import Server

TITLE = "s3s-fs"


def missing():
    return None


def version():
    lock = (REPOSITORY / "Cargo.lock").read_text()
    return re.search(r'name = "s3s-fs"\nversion = "([^"]+)"', lock)[1]


@contextlib.contextmanager
def start(folder):
    command = [PROGRAM, "demo", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--data", folder]
    with running("s3s-fs", *command) as process:

        def said(pattern):
            return re.search(pattern, process.log.read_text())

        address = eventually("s3s-fs says its address", lambda: said(r"the store itself is on (\S+)\)"), process)[1]
        keys = [said(rf"{name} key +(\S+)")[1] for name in ("access", "secret")]
        yield Server("s3s-fs", address, *keys)
