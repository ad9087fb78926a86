"""The AWS SDK for Rust: a small program, built with the tests (`rust.rs`)."""

import re

from clients import presigned
from clients.command import Command
from clients.operations import BUCKET, COPY, KEY, LARGE, MISSING, PART, PRESIGNED, RANGE, STREAMED
from harness.environment import REPOSITORY, TARGET


class RustSdk(Command):
    name = "AWS SDK for Rust"

    @staticmethod
    def version():
        return re.search(r'name = "aws-sdk-s3"\nversion = "([^"]+)"', (REPOSITORY / "Cargo.lock").read_text())[1]

    def settings(self, secret):
        return {"AWS_ACCESS_KEY_ID": self.server.access_key, "AWS_SECRET_ACCESS_KEY": secret}

    def _sdk(self, *arguments, secret=None):
        program = TARGET / "debug" / "examples" / "e2e-sdk"
        return self.text(program, self.url, self.server.region, BUCKET, *arguments, secret=secret)

    def upload(self):
        return self._sdk("put", KEY, self.content)

    def list(self):
        return self._sdk("list", "notes/")

    def head(self):
        return self._sdk("head", KEY)

    def download(self):
        return self._sdk("get", KEY, self.got) + self.take()

    def range(self):
        return self._sdk("get", KEY, self.got, "bytes={}-{}".format(*RANGE)) + self.take()

    def copy(self):
        return self._sdk("copy", KEY, COPY)

    def multipart(self):
        return self._sdk("multipart", LARGE, self.large, PART)

    def streamed(self):
        return self._sdk("stream", STREAMED, self.large)

    def presigned_get(self):
        return self._presigned("GET", "presign-get", KEY)

    def presigned_put(self):
        return self._presigned("PUT", "presign-put", PRESIGNED, body=self.small.read_bytes())

    def _presigned(self, method, operation, key, **content):
        return presigned.send(method, self._sdk(operation, key).strip(), **content)

    def missing(self):
        return self._sdk("get", MISSING, self.got)

    def forbidden(self):
        return self._sdk("get", KEY, self.got, secret="wrong")

    def delete(self):
        return self._sdk("delete", KEY)
