"""s3cmd."""

from clients import presigned
from clients.command import Command
from clients.operations import BUCKET, COPY, KEY, LARGE, MIB, MISSING, PART
from harness.processes import output_of


class S3cmd(Command):
    name = "s3cmd"
    program = "s3cmd"

    @staticmethod
    def version():
        return output_of("s3cmd", "--version").split()[-1]

    def _s3cmd(self, *arguments, secret=None):
        # A bucket host without a placeholder for the bucket means path style.
        where = (
            f"--host={self.address}",
            f"--host-bucket={self.address}",
            "--no-ssl",
            f"--region={self.server.region}",
        )
        keys = (f"--access_key={self.server.access_key}", f"--secret_key={secret or self.server.secret_key}")
        return self.text("s3cmd", "--config=/dev/null", "--no-progress", *where, *keys, *arguments)

    def upload(self):
        return self._s3cmd(
            "put", "--no-preserve", "--add-header=x-amz-meta-note: a b", self.content, f"s3://{BUCKET}/{KEY}"
        )

    def list(self):
        return self._s3cmd("ls", f"s3://{BUCKET}/notes/")

    def head(self):
        # s3s-fs sends an object's metadata in another order each time.
        return "\n".join(sorted(self._s3cmd("info", f"s3://{BUCKET}/{KEY}").splitlines()))

    def download(self):
        return self._s3cmd("get", f"s3://{BUCKET}/{KEY}", self.got) + self.take()

    def copy(self):
        return self._s3cmd("cp", f"s3://{BUCKET}/{KEY}", f"s3://{BUCKET}/{COPY}")

    def multipart(self):
        return self._s3cmd("put", f"--multipart-chunk-size-mb={PART // MIB}", self.large, f"s3://{BUCKET}/{LARGE}")

    def presigned_get(self):
        return presigned.send("GET", self._s3cmd("signurl", f"s3://{BUCKET}/{KEY}", "+600").strip())

    def missing(self):
        return self._s3cmd("get", f"s3://{BUCKET}/{MISSING}", self.got)

    def forbidden(self):
        return self._s3cmd("get", f"s3://{BUCKET}/{KEY}", self.got, secret="wrong")

    def delete(self):
        return self._s3cmd("del", f"s3://{BUCKET}/{KEY}")
