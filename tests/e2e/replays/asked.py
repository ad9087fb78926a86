"""What a client of a report asks, signed for one name and sent to another address, as a client is whose name resolution leads there."""

import contextlib
import dataclasses
import io
from urllib.parse import quote, urlencode, urlsplit

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.auth import S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import BotoCoreError, ClientError

from bucket_cors.signature import Signer
from clients.boto3_sdk import connect
from replays import table
from report.wire import Answer, send

BUCKET, PRIVATE = "replayed", "not-shared"
ORIGIN = "https://app.example"
CONTENT = b"The object of a report, long enough for a range of it."
UPLOADED = b"What a client uploads, one time or in parts."
SECRET = b"There is no link for this."
SLICED = "bytes=4-9"
# The smallest part that is not the last.
PART = 5 * 1024 * 1024
WRONG = "wrong-secret-key-0123456789abcdef"

_SESSION = boto3.session.Session()


@dataclasses.dataclass(frozen=True)
class Client:
    """A client of a storage: what it signs for, and where its requests arrive."""

    storage: object
    replay: table.Replay
    # The name that it signs for.
    name: str
    # Where the name that it opens leads.
    address: str
    secret: str | None = None

    @property
    def secret_key(self):
        return self.secret or self.storage.secret_key

    @property
    def upload(self):
        """The key that it uploads to."""
        return f"uploads/{self.replay.key}"

    def path(self, key, bucket=BUCKET):
        return f"/{bucket}/{quote(key, safe='/~')}"

    def signer(self, **about):
        """Signs every detail of one's choice, for the same name."""
        named = dataclasses.replace(self.storage, address=self.name)
        return Signer(named, about.get("access_key", self.storage.access_key), self.secret_key)

    def send(self, method, target, headers=(), body=None):
        """Sends this where the name that is opened leads, below its prefix, from a page."""
        kept = [pair for pair in headers if pair[0].lower() != "host"]
        # Two ways to say a length are none.
        length = [] if body is None or any(pair[0].lower() == "content-length" for pair in kept) else [len(body)]
        lines = (
            ("Host", self.replay.host),
            *kept,
            *(("Content-Length", str(number)) for number in length),
            ("Origin", ORIGIN),
        )
        return send(self.address, method, self.replay.prefix + target, lines, body)

    def link(self, method, key, bucket=BUCKET, seconds=600, parameters=(), headers=()):
        """The target of a link, signed by the SDK for Python."""
        query = f"?{urlencode(parameters, quote_via=quote)}" if parameters else ""
        asked = AWSRequest(method, f"http://{self.name}{self.path(key, bucket)}{query}", headers=dict(headers))
        credentials = Credentials(self.storage.access_key, self.secret_key)
        S3SigV4QueryAuth(credentials, "s3", self.storage.region, expires=seconds).add_auth(asked)
        parts = urlsplit(asked.url)
        return f"{parts.path}?{parts.query}"

    def plain(self, method, key, query="", headers=(), body=b"", says=None):
        """A request that is signed in `Authorization`, with the headers that the report's client covers."""
        about = {"query": query, "body": body, "says": says, "headers": (*self.replay.covers, *headers)}
        request = self.signer().request(method, self.path(key).rstrip("/"), **about)
        return self.send(method, request.target, request.headers, body if method == "PUT" else None)

    @contextlib.contextmanager
    def sdk(self, scheme="http"):
        """The SDK for Python, whose requests are led to where the name leads after they are signed."""
        s3 = _SESSION.client(
            "s3",
            endpoint_url=f"{scheme}://{self.name}",
            region_name=self.storage.region,
            aws_access_key_id=self.storage.access_key,
            aws_secret_access_key=self.secret_key,
            config=Config(
                signature_version="s3v4", s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}, proxies={}
            ),
        )

        def lead(request, **_):
            parts = urlsplit(request.url)
            query = f"?{parts.query}" if parts.query else ""
            # The SDK has signed the prefix where it is in its endpoint.
            prefix = "" if self.replay.prefix and self.name.endswith(self.replay.prefix) else self.replay.prefix
            request.headers["Host"] = self.replay.host
            request.headers["Origin"] = ORIGIN
            request.url = f"http://{self.address}{prefix}{parts.path}{query}"

        s3.meta.events.register("before-send.s3", lead)
        try:
            yield s3
        finally:
            s3.close()

    def call(self, operation, scheme="http", **about):
        """An operation of the SDK, as a response."""
        try:
            with self.sdk(scheme) as s3:
                answer = getattr(s3, operation)(Bucket=BUCKET, **about)
        except (ClientError, BotoCoreError) as error:
            return _failure(error)
        metadata = answer["ResponseMetadata"]
        body = answer["Body"].read().decode() if "Body" in answer else ""
        return Answer(metadata["HTTPStatusCode"], tuple(metadata["HTTPHeaders"].items()), body)

    def parts(self):
        """A multipart upload with two parts."""
        content = io.BytesIO(UPLOADED * (PART // len(UPLOADED) + 1))
        pieces = TransferConfig(multipart_threshold=PART, multipart_chunksize=PART, use_threads=False)
        try:
            with self.sdk() as s3:
                s3.upload_fileobj(content, BUCKET, self.upload, Config=pieces)
        except (ClientError, BotoCoreError) as error:
            return _failure(error)
        return Answer(200, (), "")


def _failure(error):
    """The SDK's error, as a response; 0 is one without a response."""
    metadata = getattr(error, "response", {}).get("ResponseMetadata", {})
    return Answer(metadata.get("HTTPStatusCode", 0), (), str(error))


def _by_link(method, headers=()):
    def asked(client):
        replay = client.replay
        parameters = tuple((_parameter(name), value) for name, value in replay.parameters)
        target = client.link(method, replay.key, parameters=parameters)
        return client.send(method, target, headers)

    return asked


def _parameter(name):
    """`ResponseContentDisposition`, as it is in a URL."""
    return "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("-")


def _put_by_link(client):
    target = client.link("PUT", client.upload, headers=client.replay.covers)
    return client.send("PUT", target, client.replay.covers, UPLOADED)


def _part_by_link(client):
    """A part, by a link; the upload is begun and completed beside the storage, as the reports' applications do."""
    s3 = connect(client.storage, client.storage.url)
    about = {"Bucket": BUCKET, "Key": client.upload}
    upload = s3.create_multipart_upload(**about)["UploadId"]
    target = client.link("PUT", client.upload, parameters=(("partNumber", "1"), ("uploadId", upload)))
    answer = client.send("PUT", target, (), UPLOADED)
    if answer.status != 200:
        s3.abort_multipart_upload(**about, UploadId=upload)
        return answer
    (tag,) = answer.values("etag")
    s3.complete_multipart_upload(**about, UploadId=upload, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": tag}]})
    return answer


def _signed(method, headers=(), query="", key=None):
    """Through the SDK, unless the report's client signs more than it does."""

    def asked(client):
        return client.plain(method, client.replay.key if key is None else key, query=query, headers=headers)

    return asked


def _either(operation, by_hand, **about):
    def asked(client):
        if client.replay.covers or client.replay.signs_port:
            return by_hand(client)
        return client.call(operation, **{name: value(client) for name, value in about.items()})

    return asked


def _key(client):
    return client.replay.key


def _target_key(client):
    return client.upload


def _chunks(client):
    request = client.signer().chunked(client.path(client.upload), UPLOADED, query="")
    return client.send("PUT", request.target, request.headers, request.body)


def _write_by_hand(client):
    return client.plain("PUT", client.upload, body=UPLOADED)


def stored(storage, key):
    """An object's content, or what the storage says instead."""
    request = Signer(storage, storage.access_key, storage.secret_key).request(
        "GET", f"/{BUCKET}/{quote(key, safe='/~')}", query=""
    )
    return send(storage.address, "GET", request.target, request.headers).body


ASKS = {
    table.GET: _by_link("GET"),
    table.HEAD: _by_link("HEAD"),
    table.RANGE: _by_link("GET", (("Range", SLICED),)),
    table.HEAD_BY_GET: lambda client: client.send("HEAD", client.link("GET", client.replay.key)),
    table.PUT: _put_by_link,
    table.PART: _part_by_link,
    table.READ: _either("get_object", _signed("GET"), Key=_key),
    table.LOOK: _either("head_object", _signed("HEAD"), Key=_key),
    table.SLICE: _either("get_object", _signed("GET", (("range", SLICED),)), Key=_key, Range=lambda _: SLICED),
    table.LIST: _either("list_objects_v2", _signed("GET", query="list-type=2", key="")),
    table.WRITE: _either("put_object", _write_by_hand, Key=_target_key, Body=lambda _: UPLOADED),
    table.TRAILER: lambda client: client.call("put_object", "https", Key=client.upload, Body=io.BytesIO(UPLOADED)),
    table.CHUNKS: _chunks,
    table.PARTS: Client.parts,
}
WRITES = {table.PUT, table.PART, table.WRITE, table.TRAILER, table.CHUNKS, table.PARTS}
READS = {table.GET: CONTENT, table.RANGE: CONTENT[4:10], table.READ: CONTENT, table.SLICE: CONTENT[4:10]}
