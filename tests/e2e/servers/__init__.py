"""The S3 servers, one file each: what it needs, and how it is started on loopback."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Server:
    """A running S3 server."""

    name: str
    address: str
    access_key: str
    secret_key: str
    region: str = "us-east-1"

    @property
    def url(self):
        return f"http://{self.address}"


def by_name(name):
    """The module that starts a server."""
    from servers import garage, minio, rgw, s3s_fs

    return {"s3s-fs": s3s_fs, "minio": minio, "rgw": rgw, "garage": garage}[name]


# In the order in which they are tested; Garage only on request, because it takes a quarter of an hour to build.
USUAL = ("s3s-fs", "minio", "rgw")
ON_REQUEST = ("garage",)
