"""What a server does not do for any client, with or without the proxy.

A call that fails at the server itself is no skip: it has to be listed here, has to fail through the proxy with the same words, and
is printed. One that is listed and works is a failure, so that this list stays true.
"""

# (server, client or *, operation): why
LIMITS = {
    ("s3s-fs", "boto3", "list"): "says that keys are encoded and does not encode them, so a plus becomes a space",
    ("s3s-fs", "aws-cli", "list"): "says that keys are encoded and does not encode them, so a plus becomes a space",
    ("s3s-fs", "curl", "list"): "says that keys are encoded and does not encode them, so a plus becomes a space",
    ("s3s-fs", "rclone", "list"): "finds nothing with an empty delimiter",
    ("s3s-fs", "rules of a bucket", "refused: a bucket that does not exist"): (
        "says NotImplemented of every bucket, so s3cors cannot know"
    ),
    ("versitygw", "aws-cli", "presigned_get"): "accepts no signature of version 2, which the CLI uses for links",
    ("versitygw", "s3cmd", "presigned_get"): "accepts no signature of version 2, the only one that s3cmd has for links",
    ("versitygw", "curl", "list"): "does not encode keys when the request asks for it",
    ("seaweedfs", "AWS SDK for JavaScript in Chromium", "presigned_put"): (
        "verifies the checksum in the link, which the SDK computes of an empty body"
    ),
    ("seaweedfs", "rules of a bucket", "test_set_cors"): "accepts a pattern of origins only after http:// or https://",
    ("seaweedfs", "rules of a bucket", "test_cors_origin_response: put and delete"): (
        "accepts a pattern of origins only after http:// or https://"
    ),
    ("rgw", "AWS SDK for Rust", "streamed"): "does not support checksums after a body (aws-chunked with a trailer)",
}


def limit(server, client, operation):
    return LIMITS.get((server, client, operation)) or LIMITS.get((server, "*", operation))
