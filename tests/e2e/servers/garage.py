"""Garage, on request: the server whose own CORS responds to an error whatever the rules are."""

import contextlib
import os
import re

from harness.processes import connects, eventually, free_port, output_of, running
from servers import Server

TITLE = "Garage"

CONFIGURATION = """
metadata_dir = "{folder}/meta"
data_dir = "{folder}/data"
db_engine = "sqlite"
replication_factor = 1
rpc_bind_addr = "127.0.0.1:{rpc}"
rpc_secret = "{secret}"
[s3_api]
s3_region = "us-east-1"
api_bind_addr = "{server}"
"""


def missing():
    return None if "GARAGE" in os.environ else "Garage is not there: ask for it by `--with garage`"


def version():
    return re.search(r"(\d+\.\d+\.\d+)", output_of(os.environ["GARAGE"], "--version"))[1]


@contextlib.contextmanager
def start(folder):
    server = Server("garage", f"127.0.0.1:{free_port()}", "GK" + "0123456789ab" * 2, "0123456789abcdef" * 4)
    folder.mkdir(parents=True)
    file = folder / "garage.toml"
    text = CONFIGURATION.format(folder=folder, rpc=free_port(), secret="0" * 64, server=server.address)
    file.write_text(text)
    settings = {
        "GARAGE_CONFIG_FILE": str(file),
        "GARAGE_DEFAULT_ACCESS_KEY": server.access_key,
        "GARAGE_DEFAULT_SECRET_KEY": server.secret_key,
        "GARAGE_DEFAULT_BUCKET": "first",
    }
    command = [os.environ["GARAGE"], "server", "--single-node", "--default-bucket"]
    with running("garage", *command, **settings) as process:
        eventually("Garage is up", lambda: connects(int(server.address.rpartition(":")[2])), process)
        yield server
