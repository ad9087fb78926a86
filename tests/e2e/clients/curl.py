"""curl: with presigned URLs, and with its own signatures where it can."""

from urllib.parse import unquote_plus

from clients import Refused
from clients.boto3_sdk import connect
from clients.command import Command
from clients.operations import BUCKET, FORM, KEY, MISSING, PRESIGNED, RANGE
from harness.processes import output_of


class Curl(Command):
    name = "curl"
    program = "curl"

    @staticmethod
    def version():
        return output_of("curl", "--version").split()[1]

    def _curl(self, *arguments):
        status = self.text(
            "curl", "--silent", "--show-error", "--output", self.got, "--write-out", "%{http_code}", *arguments
        )
        if int(status) >= 300:
            raise Refused(f"{status} {self.got.read_text(errors='replace') if self.got.exists() else ''}")
        return status

    def _sign(self, operation, secret=None, **parameters):
        signer = connect(self.server, self.url, secret)
        return signer.generate_presigned_url(operation, {"Bucket": BUCKET, **parameters})

    def upload(self):
        return self._curl("--upload-file", self.content, self._sign("put_object", Key=KEY))

    def list(self):
        self._curl(self._sign("list_objects_v2", Prefix="notes/", MaxKeys=10))
        # boto3 asks for encoded keys in the links that it signs.
        return unquote_plus(self.got.read_text())

    def head(self):
        head = self.text("curl", "--silent", "--show-error", "--fail", "--head", self._sign("head_object", Key=KEY))
        # The difference report compares all of it; here only what people look for.
        wanted = ("http/", "content-", "etag", "last-modified", "x-amz-meta-")
        # versitygw sends them in another order each time.
        return "\n".join(sorted(line for line in head.lower().splitlines() if line.startswith(wanted)))

    def download(self):
        return self._curl(self._sign("get_object", Key=KEY)) + self.take()

    def range(self):
        return self._curl("--range", "{}-{}".format(*RANGE), self._sign("get_object", Key=KEY)) + self.take()

    def presigned_put(self):
        return self._curl("--upload-file", self.small, self._sign("put_object", Key=PRESIGNED))

    def post_form(self):
        form = connect(self.server, self.url).generate_presigned_post(BUCKET, FORM)
        fields = [part for name, value in form["fields"].items() for part in ("--form-string", f"{name}={value}")]
        return self._curl(*fields, "--form", f"file=@{self.small}", form["url"])

    def signed_by_curl(self):
        # A key without characters that curl encodes in one way and signs in another.
        user = f"{self.server.access_key}:{self.server.secret_key}"
        signature = ("--aws-sigv4", f"aws:amz:{self.server.region}:s3", "--user", user)
        # curl signs the hash of the empty body and leaves it to the user to send it to S3.
        empty = "x-amz-content-sha256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        return self._curl(*signature, "--header", empty, f"{self.url}/{BUCKET}/{PRESIGNED}") + self.take()

    def missing(self):
        return self._curl(self._sign("get_object", Key=MISSING))

    def forbidden(self):
        return self._curl(self._sign("get_object", secret="wrong", Key=KEY))

    def delete(self):
        return self._curl("--request", "DELETE", self._sign("delete_object", Key=KEY))
