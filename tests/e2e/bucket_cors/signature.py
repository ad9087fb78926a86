"""Requests signed with version 4 in every detail of one's choice: the SDKs sign only what is right."""

import base64
import dataclasses
import datetime
import hashlib
import hmac
import time
from email.utils import format_datetime
from urllib.parse import urlencode

SERVICE = "s3"
ALGORITHM = "AWS4-HMAC-SHA256"
UNSIGNED = "UNSIGNED-PAYLOAD"
STREAMING = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"


def now():
    return datetime.datetime.now(datetime.UTC)


def ago(**duration):
    return now() - datetime.timedelta(**duration)


def next_second():
    """Waits until a request has another time than one that was signed before."""
    current = now().replace(microsecond=0)
    while now().replace(microsecond=0) == current:
        time.sleep(0.02)


def sha256(content):
    return hashlib.sha256(content).hexdigest()


def md5(content):
    """The value of Content-MD5."""
    return base64.b64encode(hashlib.md5(content).digest()).decode()


def _mac(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


@dataclasses.dataclass(frozen=True)
class Request:
    method: str
    target: str
    headers: tuple
    body: bytes = b""


@dataclasses.dataclass(frozen=True)
class Signer:
    """A user's keys, for a server."""

    server: object
    access_key: str
    secret_key: str
    token: str | None = None

    def request(self, method, path, query="cors=", body=b"", when=None, says=None, headers=()):
        """A signed request. `query` is in its canonical form; `says` replaces the hash of the body."""
        when = when or now()
        says = says or sha256(body)
        signed = {"host": self.server.address, "x-amz-content-sha256": says, "x-amz-date": f"{when:%Y%m%dT%H%M%SZ}"}
        signed |= {"x-amz-security-token": self.token} if self.token else {}
        # S3 requires one of the digests in headers, also where the signature is over the body; some servers do.
        if body and says == sha256(body):
            signed["content-md5"] = md5(body)
        signed |= dict(headers)
        signature = self._signature(method, path, query, signed, says, when)
        authorization = (
            f"{ALGORITHM} Credential={self.access_key}/{self._scope(when)}, "
            f"SignedHeaders={';'.join(sorted(signed))}, Signature={signature}"
        )
        length = (("content-length", str(len(body))),) if body or method == "PUT" else ()
        target = f"{path}?{query}" if query else path
        return Request(method, target, (*signed.items(), *length, ("authorization", authorization)), body)

    def link(self, method, path, when=None, seconds=600, body=b"", query=(("cors", ""),)):
        """A presigned request, by default for `?cors`."""
        when = when or now()
        about = {
            "X-Amz-Algorithm": ALGORITHM,
            "X-Amz-Credential": f"{self.access_key}/{self._scope(when)}",
            "X-Amz-Date": f"{when:%Y%m%dT%H%M%SZ}",
            "X-Amz-Expires": str(seconds),
            "X-Amz-SignedHeaders": "host",
        } | dict(query)
        query = urlencode(sorted(about.items()))
        host = {"host": self.server.address}
        signature = self._signature(method, path, query, host, UNSIGNED, when)
        headers = (*host.items(), ("content-length", str(len(body))))
        return Request(method, f"{path}?{query}&X-Amz-Signature={signature}", headers, body)

    def version2(self, method, path, body):
        """Signed with version 2 over the digest of this body."""
        date = format_datetime(now(), usegmt=True)
        text = f"{method}\n{md5(body)}\n\n{date}\n{path}?cors"
        signature = base64.b64encode(hmac.new(self.secret_key.encode(), text.encode(), hashlib.sha1).digest()).decode()
        headers = {
            "host": self.server.address,
            "content-md5": md5(body),
            "content-length": str(len(body)),
            "date": date,
        }
        headers |= {"authorization": f"AWS {self.access_key}:{signature}"}
        return Request(method, f"{path}?cors", tuple(headers.items()), body)

    def chunked(self, path, content, sent=None, query="cors="):
        """A PUT whose body is signed in chunks; `sent` takes the content's place after it was signed."""
        when = now()
        headers = {"content-encoding": "aws-chunked", "x-amz-decoded-content-length": str(len(content))}
        head = self.request("PUT", path, query, when=when, says=STREAMING, headers=headers.items())
        seed = head.headers[-1][1].rpartition("=")[2]
        body = b""
        for chunk, put in ((content, sent or content), (b"", b"")):
            text = f"{ALGORITHM}-PAYLOAD\n{when:%Y%m%dT%H%M%SZ}\n{self._scope(when)}\n{seed}\n{sha256(b'')}\n{sha256(chunk)}"
            seed = _mac(self._key(when), text).hex()
            body += f"{len(put):x};chunk-signature={seed}\r\n".encode() + put + b"\r\n"
        kept = tuple((name, value) for name, value in head.headers if name != "content-length")
        return Request("PUT", head.target, (*kept, ("content-length", str(len(body)))), body)

    def _scope(self, when):
        return f"{when:%Y%m%d}/{self.server.region}/{SERVICE}/aws4_request"

    def _key(self, when):
        key = f"AWS4{self.secret_key}".encode()
        for part in (f"{when:%Y%m%d}", self.server.region, SERVICE, "aws4_request"):
            key = _mac(key, part)
        return key

    def _signature(self, method, path, query, headers, says, when):
        lines = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
        canonical = f"{method}\n{path}\n{query}\n{lines}\n{';'.join(sorted(headers))}\n{says}"
        text = f"{ALGORITHM}\n{when:%Y%m%dT%H%M%SZ}\n{self._scope(when)}\n{sha256(canonical.encode())}"
        return _mac(self._key(when), text).hex()
