"""SeaweedFS: master, volume server, filer and S3 gateway in one process."""

import contextlib
import json
import os
import re

from harness.processes import eventually, free_port, output_of, responds, running
from servers import Keys, Server

TITLE = "SeaweedFS"


def missing():
    return None if "SEAWEEDFS" in os.environ else "SeaweedFS is not there: building it takes Go 1.26.6 or newer"


def version():
    return re.search(r"(\d+\.\d+)", output_of(os.environ["SEAWEEDFS"], "version"))[1]


def _identity(user, *actions):
    keys = {"accessKey": user.access_key, "secretKey": user.secret_key}
    return {"name": user.access_key, "credentials": [keys], "actions": actions}


@contextlib.contextmanager
def start(folder):
    address, limited = f"127.0.0.1:{free_port()}", Keys("seaweed-limited", "seaweed-limited-key")
    server = Server("seaweedfs", address, "seaweed-access-key", "seaweed-secret-key", limited=limited)
    folder.mkdir(parents=True)
    identities = folder / "identities.json"
    identities.write_text(json.dumps({"identities": [_identity(server, "Admin"), _identity(limited, "Read", "List")]}))
    options = {
        "dir": folder,
        "ip": "127.0.0.1",
        "ip.bind": "127.0.0.1",
        "master.telemetry": "false",
        # Each bucket has volumes of its own.
        "master.volumeSizeLimitMB": 64,
        "volume.max": 200,
        "volume.preStopSeconds": 0,
        "filer": "true",
        "filer.localSocket": folder / "filer.sock",
        "s3": "true",
        "s3.port": server.address.rpartition(":")[2],
        "s3.config": identities,
        "s3.localSocket": folder / "s3.sock",
        # These have ports of their own.
        "s3.port.iceberg": 0,
        "s3.port.lance": 0,
    }
    options |= {f"{part}.port": free_port() for part in ("master", "volume", "filer")}
    options |= {f"{part}.port.grpc": free_port() for part in ("master", "volume", "filer", "s3")}
    command = (os.environ["SEAWEEDFS"], "server", *(f"-{name}={value}" for name, value in options.items()))
    with running("seaweedfs", *command) as process:
        # The gateway is up before the master knows the volume server, and cannot store an object then.
        master = f"http://127.0.0.1:{options['master.port']}"
        eventually("SeaweedFS has a volume", lambda: responds(f"{master}/dir/assign"), process)
        eventually("SeaweedFS is up", lambda: responds(f"{server.url}/healthz"), process)
        yield server
