"""A user with a key whom a policy keeps to one address, and who signs another address.

s3cors does not touch a header that a request signs, because the signature would break. Ceph RGW applies such a policy to the bucket's owner
too, whose key we have.
"""

import json

from botocore.auth import S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from chains.policies import ALLOWED, CONTENT, KEY, OTHER, target
from chains.wire import request
from clients.boto3_sdk import connect

BUCKET = "only-from"
FOR = "X-Forwarded-For"


def create(server):
    s3 = connect(server, server.url)
    s3.create_bucket(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key=KEY, Body=CONTENT)
    deny = {
        "Effect": "Deny",
        "Principal": {"AWS": ["*"]},
        "Action": ["s3:GetObject"],
        "Resource": [f"arn:aws:s3:::{BUCKET}/*"],
        "Condition": {"NotIpAddress": {"aws:SourceIp": f"{ALLOWED}/32"}},
    }
    s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps({"Version": "2012-10-17", "Statement": [deny]}))


def _read(server, door, client, **headers):
    """Reads with a presigned URL that signs these headers."""
    presigned = AWSRequest("GET", door.url + target(BUCKET), headers=headers)
    credentials = Credentials(server.access_key, server.secret_key)
    S3SigV4QueryAuth(credentials, "s3", server.region, expires=600).add_auth(presigned)
    lines = tuple(f"{name}: {value}" for name, value in headers.items())
    return door.send(client, request(presigned.url.removeprefix(door.url), door.host, lines)).outcome


def outcomes(server, door):
    """From the allowed address, from another one, and from another one with the allowed one signed."""
    return _read(server, door, ALLOWED), _read(server, door, OTHER), _read(server, door, OTHER, **{FOR: ALLOWED})
