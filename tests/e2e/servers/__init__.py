"""The S3 servers, one file each: what it needs, and how it is started on loopback."""

import dataclasses
import importlib
import re

from harness.processes import output_of


@dataclasses.dataclass(frozen=True)
class Keys:
    """Of a user."""

    access_key: str
    secret_key: str
    token: str | None = None


@dataclasses.dataclass(frozen=True)
class Server:
    """A running S3 server."""

    name: str
    address: str
    access_key: str
    secret_key: str
    region: str = "us-east-1"
    # Of a user who may not change the rules of a bucket, where the server has users.
    limited: Keys | None = None

    @property
    def url(self):
        return f"http://{self.address}"


def by_name(name):
    """The module that starts a server."""
    return importlib.import_module(f"servers.{name.replace('-', '_')}")


def module_version(program):
    """The version of the Go module that a program was built from."""
    return re.search(r"^\s*mod\s+\S+\s+(\S+)", output_of("go", "version", "-m", program), re.MULTILINE)[1]


# In the order in which they are tested; Garage only on request, because it takes a quarter of an hour to build.
USUAL = ("s3s-fs", "minio", "rgw", "versitygw", "seaweedfs")
ON_REQUEST = ("garage",)
