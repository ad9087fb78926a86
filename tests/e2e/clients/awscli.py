"""The AWS CLI."""

import sys

import awscli

from clients import presigned
from clients.command import Command
from clients.operations import BUCKET, COPY, KEY, LARGE, MISSING, RANGE


class AwsCli(Command):
    name = "aws-cli"

    @staticmethod
    def version():
        return awscli.__version__

    def settings(self, secret):
        return {"AWS_ACCESS_KEY_ID": self.server.access_key, "AWS_SECRET_ACCESS_KEY": secret}

    def _aws(self, *arguments, secret=None):
        command = (sys.executable, "-m", "awscli", "--endpoint-url", self.url, *arguments)
        return self.text(*command, secret=secret)

    def _object(self, operation, *arguments, key=KEY, secret=None):
        return self._aws("s3api", operation, "--bucket", BUCKET, "--key", key, *arguments, secret=secret)

    def upload(self):
        about = ("--content-type", "text/x-test", "--metadata", "note=a b")
        return self._object("put-object", "--body", self.content, *about)

    def list(self):
        # As it is in the XML: the CLI's JSON escapes what is not ASCII.
        return self._aws("s3api", "list-objects-v2", "--bucket", BUCKET, "--prefix", "notes/", "--output", "text")

    def head(self):
        return self._object("head-object")

    def download(self):
        return self._object("get-object", self.got) + self.take()

    def range(self):
        return self._object("get-object", "--range", "bytes={}-{}".format(*RANGE), self.got) + self.take()

    def copy(self):
        return self._aws("s3", "cp", "--no-progress", f"s3://{BUCKET}/{KEY}", f"s3://{BUCKET}/{COPY}")

    def multipart(self):
        # More than 8 MiB go in parts.
        return self._aws("s3", "cp", "--no-progress", self.large, f"s3://{BUCKET}/{LARGE}")

    def presigned_get(self):
        return presigned.send("GET", self._aws("s3", "presign", f"s3://{BUCKET}/{KEY}").strip())

    def missing(self):
        return self._object("get-object", self.got, key=MISSING)

    def forbidden(self):
        return self._object("get-object", self.got, secret="wrong")

    def delete(self):
        return self._object("delete-object")
