"""rclone."""

from clients import presigned
from clients.command import Command
from clients.operations import BUCKET, COPY, KEY, LARGE, MISSING, PART, RANGE, digest
from harness.processes import output_of


class Rclone(Command):
    name = "rclone"
    program = "rclone"

    @staticmethod
    def version():
        return output_of("rclone", "--version").split()[1].removeprefix("v")

    def settings(self, secret):
        about = {
            "TYPE": "s3",
            "PROVIDER": "Other",
            "ENDPOINT": self.url,
            "REGION": self.server.region,
            "ACCESS_KEY_ID": self.server.access_key,
            "SECRET_ACCESS_KEY": secret,
            "FORCE_PATH_STYLE": "true",
        }
        return {f"RCLONE_CONFIG_E2E_{name}": value for name, value in about.items()}

    def _rclone(self, *arguments, secret=None):
        once = ("--config=", "--retries=1", "--low-level-retries=1", "--s3-no-check-bucket")
        return self.call("rclone", *once, *arguments, secret=secret)

    def _object(self, key):
        return f"e2e:{BUCKET}/{key}"

    def upload(self):
        return self._rclone("copyto", self.content, self._object(KEY)).decode()

    def list(self):
        return self._rclone("lsjson", "--recursive", self._object("")).decode()

    def head(self):
        return self._rclone("lsjson", "--stat", self._object(KEY)).decode()

    def download(self):
        return digest(self._rclone("cat", self._object(KEY)))

    def range(self):
        first, last = RANGE
        return digest(self._rclone("cat", f"--offset={first}", f"--count={last - first + 1}", self._object(KEY)))

    def copy(self):
        return self._rclone("copyto", self._object(KEY), self._object(COPY)).decode()

    def multipart(self):
        pieces = (f"--s3-upload-cutoff={PART}B", f"--s3-chunk-size={PART}B")
        return self._rclone("copyto", *pieces, self.large, self._object(LARGE)).decode()

    def presigned_get(self):
        return presigned.send("GET", self._rclone("link", "--expire=10m", self._object(KEY)).decode().strip())

    def missing(self):
        # Reading it would not fail: rclone treats a missing key as an empty folder.
        return self._rclone("deletefile", self._object(MISSING)).decode()

    def forbidden(self):
        return self._rclone("cat", self._object(KEY), secret="wrong").decode()

    def delete(self):
        return self._rclone("deletefile", self._object(KEY)).decode()
