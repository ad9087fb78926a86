"""s3s-fs: the store in `s3cors demo`, which has its own address. It has no CORS at all."""

import contextlib
import re
import urllib.request

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
            return re.search(pattern, process.output())

        status = eventually("the demo says where its status page is", lambda: said(r"status +(http://\S+)/status"), process)
        # The store is the demo's upstream. A user has no need of its address, so only the metrics tell it.
        with urllib.request.urlopen(f"{status[1]}/metrics") as metrics:
            store = re.search(r's3cors_upstream_up\{upstream="http://([^"]+)"\}', metrics.read().decode())[1]
        yield Server("s3s-fs", store, *said(r"keys +(\S+) +(\S+)").groups())
