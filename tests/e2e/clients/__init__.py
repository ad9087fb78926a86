"""The S3 clients, one file each, and what each of them is asked to do.

A client is a class with a method for each operation that it knows, named as in `operations.py`. A method gives what the client
says, as text or as something that becomes JSON, or raises `Refused` with the client's own words.
"""


class Refused(Exception):
    """The client says that it did not work; the text is the client's."""


def by_name():
    """Every client's class by its name."""
    from clients import awscli, boto3_sdk, curl, javascript, rclone, rust, s3cmd

    known = (
        boto3_sdk.Boto3,
        awscli.AwsCli,
        s3cmd.S3cmd,
        rclone.Rclone,
        rust.RustSdk,
        curl.Curl,
        javascript.JavaScriptSdk,
    )
    return {client.name: client for client in known}
