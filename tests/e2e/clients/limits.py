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
    ("minio", "AWS SDK for JavaScript in Chromium", "range"): "says the whole object's checksum of a range",
    ("rgw", "AWS SDK for Rust", "streamed"): "does not support checksums after a body (aws-chunked with a trailer)",
}


def limit(server, client, operation):
    return LIMITS.get((server, client, operation)) or LIMITS.get((server, "*", operation))
