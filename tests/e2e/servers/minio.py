"""MinIO's community edition: one CORS setting for all buckets."""

import contextlib
import os
import re
import urllib.request

from harness.processes import eventually, free_port, output_of, running
from servers import Server

TITLE = "MinIO"


def missing():
    return None if "MINIO" in os.environ else "MinIO is not there: building it takes Go 1.24 or newer"


def version():
    about = output_of("go", "version", "-m", os.environ["MINIO"])
    return re.search(r"mod\s+github.com/minio/minio\s+(\S+)", about)[1]


def _ready(url):
    # `live` and `ready` succeed before it accepts requests.
    with contextlib.suppress(OSError), urllib.request.urlopen(f"{url}/minio/health/cluster", timeout=1) as answer:
        return answer.status == 200
    return False


@contextlib.contextmanager
def start(folder):
    server = Server("minio", f"127.0.0.1:{free_port()}", "minio-access-key", "minio-secret-key")
    settings = {
        "MINIO_ROOT_USER": server.access_key,
        "MINIO_ROOT_PASSWORD": server.secret_key,
        "MINIO_BROWSER": "off",
        # It would look for a newer one.
        "MINIO_UPDATE": "off",
    }
    command = [os.environ["MINIO"], "server", "--quiet", "--address", server.address, folder]
    with running("minio", *command, **settings) as process:
        eventually("MinIO is up", lambda: _ready(server.url), process)
        yield server
