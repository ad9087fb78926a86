"""A server with two buckets, and s3cors in front of it."""

import subprocess
import time

from bucket_cors.signature import Signer
from clients.boto3_sdk import connect
from report.wire import Answer, send

BUCKET, OTHER = "e2e-rules", "e2e-others"
APP, EVIL, PLAIN = "https://app.example", "https://evil.example", "https://good.example"
NO_RULES = (404, "NoSuchCORSConfiguration")
# For rules that s3cors polls; those that it writes itself hold when the response is there.
PATIENCE = 5


def document(origin):
    rule = f"<CORSRule><AllowedOrigin>{origin}</AllowedOrigin><AllowedMethod>GET</AllowedMethod></CORSRule>"
    return f"<CORSConfiguration>{rule}</CORSConfiguration>".encode()


def code(answer):
    """The status and S3's code of an error."""
    found = answer.body.partition("<Code>")[2].partition("</Code>")[0]
    return answer.status, found


class Scene:
    """`served` says that s3cors writes the rules itself, because the server has no such operation."""

    other = f"/{OTHER}"
    # Of the same length, so that one can take the other's place.
    evil, harmless = document(EVIL), document(PLAIN)

    def __init__(self, server, s3cors, served, folder, bucket=BUCKET):
        self.server, self.s3cors, self.served, self.folder = server, s3cors, served, folder
        self.bucket, self.path = bucket, f"/{bucket}"
        self.direct = connect(server, server.url)
        self.owner = Signer(server, server.access_key, server.secret_key)
        self.wrong = Signer(server, server.access_key, "wrong")
        self.unknown = Signer(server, "UNKNOWNACCESSKEY0000", server.secret_key)
        self.limited = server.limited and Signer(
            server, server.limited.access_key, server.limited.secret_key, server.limited.token
        )

    def send(self, request, address=None, http2=False):
        address = address or self.s3cors.address
        if http2:
            return _over_http2(address, request)
        return send(address, request.method, request.target, request.headers, request.body)

    def options(self, origin, method="GET", bucket=None):
        """The status of a preflight."""
        bucket = bucket or self.bucket
        asked = (("Host", self.server.address), ("Origin", origin), ("Access-Control-Request-Method", method))
        return send(self.s3cors.address, "OPTIONS", f"/{bucket}/key", asked).status

    def obeys(self, origin, allowed, method="GET"):
        """A preflight is decided so: as soon as a write has its response, or once s3cors has polled the server's rules."""
        wanted = 200 if allowed else 403
        until = time.monotonic() + (0 if self.served else PATIENCE)
        while (status := self.options(origin, method)) != wanted:
            assert time.monotonic() < until, f"a preflight of {origin} is {status} and must be {wanted}"
            time.sleep(0.05)

    def put(self, origin):
        """Writes the document that allows this origin."""
        answer = self.send(self.owner.request("PUT", self.path, body=document(origin)))
        assert answer.status == 200, code(answer)

    def written(self):
        """The documents that s3cors wrote itself; what begins with a dot is its copy of another source."""
        return [file.name for file in self.folder.iterdir() if not file.name.startswith(".")]

    def clear(self):
        """Deletes the rules."""
        answer = self.send(self.owner.request("DELETE", self.path))
        assert answer.status == 204, code(answer)

    def has_no_rules(self):
        """The bucket's owner reads that there are none: at once, or once a server that is polled has forgotten what it kept in memory."""
        until = time.monotonic() + (0 if self.served else PATIENCE)
        while (rules := self.rules()) != NO_RULES:
            assert time.monotonic() < until, rules
            time.sleep(0.05)

    def rules(self):
        """What the bucket's owner reads through s3cors: the rules, or S3's code."""
        answer = self.send(self.owner.request("GET", self.path))
        return answer.body if answer.status == 200 else code(answer)


def _over_http2(address, request):
    headers = [part for name, value in request.headers for part in ("--header", f"{name}: {value}")]
    command = ["curl", "--silent", "--show-error", "--http2-prior-knowledge", "--request", request.method]
    command += [*headers, "--data-binary", "@-", "--write-out", "\n%{http_version} %{http_code}"]
    done = subprocess.run(
        [*command, f"http://{address}{request.target}"], input=request.body, capture_output=True, timeout=30
    )
    body, _, said = done.stdout.decode(errors="replace").rpartition("\n")
    version, status = said.split()
    assert version == "2", f"curl spoke HTTP/{version}"
    return Answer(int(status), (), body)
