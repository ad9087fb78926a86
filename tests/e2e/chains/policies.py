"""Bucket policies about the client's address and the connection's scheme, and which storage has them."""

import json

from clients.boto3_sdk import connect

# Two clients: the policies know the first one's address.
ALLOWED, OTHER = "127.0.0.2", "127.0.0.3"

KEY = "object.txt"
CONTENT = b"The object of the chains."

# By bucket, the condition under which anyone may read. `inside` is what an operator may write for programs beside the storage: the address
# from which s3cors itself connects.
CONDITIONS = {
    "by-address": {"IpAddress": {"aws:SourceIp": f"{ALLOWED}/32"}},
    "inside": {"IpAddress": {"aws:SourceIp": "127.0.0.1/32"}},
    "by-scheme": {"Bool": {"aws:SecureTransport": "true"}},
}
PRESIGNED = "presigned"


def target(bucket):
    return f"/{bucket}/{KEY}"


def create(server):
    """Creates the buckets with an object and their policies."""
    s3 = connect(server, server.url)
    s3.create_bucket(Bucket=PRESIGNED)
    for bucket, condition in CONDITIONS.items():
        s3.create_bucket(Bucket=bucket)
        s3.put_object(Bucket=bucket, Key=KEY, Body=CONTENT)
        allow = {
            "Effect": "Allow",
            "Principal": {"AWS": ["*"]},
            "Action": ["s3:GetObject"],
            "Resource": [f"arn:aws:s3:::{bucket}/*"],
            "Condition": condition,
        }
        s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [allow]}))
