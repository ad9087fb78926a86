"""The Versity S3 Gateway on a folder of files: it accepts rules for a bucket."""

import contextlib
import os

from harness.processes import eventually, free_port, output_of, responds, running
from servers import Keys, Server, module_version

TITLE = "versitygw"


def missing():
    return None if "VERSITYGW" in os.environ else "versitygw is not there: building it takes Go 1.25 or newer"


def version():
    return module_version(os.environ["VERSITYGW"])


@contextlib.contextmanager
def start(folder):
    address, limited = f"127.0.0.1:{free_port()}", Keys("versity-limited", "versity-limited-key")
    server = Server("versitygw", address, "versity-access-key", "versity-secret-key", limited=limited)
    objects, metadata, users = (folder / name for name in ("objects", "metadata", "users"))
    for one in (objects, metadata, users):
        one.mkdir(parents=True)
    where = ("--port", server.address, "--health", "/health", "--region", server.region, "--keep-alive", "--quiet")
    # Metadata in files: not every file system has extended attributes.
    backend = ("--iam-dir", users, "posix", "--sidecar", metadata, objects)
    settings = {"ROOT_ACCESS_KEY": server.access_key, "ROOT_SECRET_KEY": server.secret_key}
    with running("versitygw", os.environ["VERSITYGW"], *where, *backend, **settings) as process:
        eventually("versitygw is up", lambda: responds(f"{server.url}/health"), process)
        root = ("--access", server.access_key, "--secret", server.secret_key, "--endpoint-url", server.url)
        user = ("--access", limited.access_key, "--secret", limited.secret_key, "--role", "user")
        output_of(os.environ["VERSITYGW"], "admin", *root, "create-user", *user)
        yield server
