"""MinIO's community edition: one CORS setting for all buckets."""

import contextlib
import dataclasses
import json
import os

import boto3

from harness.processes import eventually, free_port, responds, running
from servers import Keys, Server, module_version

TITLE = "MinIO"


def missing():
    return None if "MINIO" in os.environ else "MinIO is not there: building it takes Go 1.24 or newer"


def version():
    return module_version(os.environ["MINIO"])


def _reader(server):
    """A user who may read objects and nothing else: it needs no encrypted call, as the server's own users do."""
    sts = boto3.client(
        "sts",
        endpoint_url=server.url,
        region_name=server.region,
        aws_access_key_id=server.access_key,
        aws_secret_access_key=server.secret_key,
    )
    statement = {"Effect": "Allow", "Action": ["s3:GetObject", "s3:ListBucket"], "Resource": ["arn:aws:s3:::*"]}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    role = {"RoleArn": "arn:aws:iam::123456789012:role/reader", "RoleSessionName": "reader"}
    keys = sts.assume_role(**role, Policy=policy)["Credentials"]
    return Keys(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])


@contextlib.contextmanager
def start(folder, keys=Keys("minio-access-key", "minio-secret-key"), region="us-east-1", name="minio"):
    """With the keys and the region of another server, where that one is to follow it."""
    server = Server("minio", f"127.0.0.1:{free_port()}", keys.access_key, keys.secret_key, region)
    settings = {
        "MINIO_ROOT_USER": server.access_key,
        "MINIO_ROOT_PASSWORD": server.secret_key,
        "MINIO_REGION": server.region,
        "MINIO_BROWSER": "off",
        # It would look for a newer one.
        "MINIO_UPDATE": "off",
    }
    command = [os.environ["MINIO"], "server", "--quiet", "--address", server.address, folder]
    with running(name, *command, **settings) as process:
        # `live` and `ready` succeed before it accepts requests.
        eventually("MinIO is up", lambda: responds(f"{server.url}/minio/health/cluster"), process)
        yield dataclasses.replace(server, limited=_reader(server))
