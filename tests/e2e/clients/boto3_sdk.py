"""boto3, the AWS SDK for Python."""

import functools
import io

import boto3
import botocore.exceptions
from boto3.s3.transfer import TransferConfig
from botocore.config import Config

from clients import Refused, presigned
from clients.operations import (
    BUCKET,
    CONTENT,
    COPY,
    FORM,
    KEY,
    LARGE,
    LARGE_CONTENT,
    MISSING,
    PART,
    PRESIGNED,
    RANGE,
    SMALL,
    digest,
)


def connect(server, url, secret=None):
    """boto3's client for an address of a server."""
    return boto3.client(
        "s3",
        endpoint_url=url,
        region_name=server.region,
        aws_access_key_id=server.access_key,
        aws_secret_access_key=secret or server.secret_key,
        config=Config(
            signature_version="s3v4",
            s3={"addressing_style": "path"},
            retries={"total_max_attempts": 1},
            proxies={},
        ),
    )


def _plain(answer):
    """A response without headers: those are the subject of the difference report."""
    metadata = answer.pop("ResponseMetadata")
    if "Body" in answer:
        answer["Body"] = digest(answer["Body"].read())
    return {"status": metadata["HTTPStatusCode"], **answer}


def _call(method):
    """A failure, in botocore's own words."""

    @functools.wraps(method)
    def called(self):
        try:
            return method(self)
        except (botocore.exceptions.ClientError, boto3.exceptions.Boto3Error) as error:
            raise Refused(str(error)) from error

    return called


class Boto3:
    name = "boto3"

    def __init__(self, server, url, folder):
        self._server = server
        self._url = url
        self._s3 = connect(server, url)

    @staticmethod
    def missing_tools():
        return None

    @staticmethod
    def version():
        return boto3.__version__

    @_call
    def upload(self):
        content = {"Body": CONTENT, "ContentType": "text/x-test", "Metadata": {"note": "a b"}}
        return _plain(self._s3.put_object(Bucket=BUCKET, Key=KEY, **content))

    @_call
    def list(self):
        return _plain(self._s3.list_objects_v2(Bucket=BUCKET, Prefix="notes/", MaxKeys=10))

    @_call
    def head(self):
        return _plain(self._s3.head_object(Bucket=BUCKET, Key=KEY))

    @_call
    def download(self):
        return _plain(self._s3.get_object(Bucket=BUCKET, Key=KEY))

    @_call
    def range(self):
        return _plain(self._s3.get_object(Bucket=BUCKET, Key=KEY, Range="bytes={}-{}".format(*RANGE)))

    @_call
    def copy(self):
        return _plain(self._s3.copy_object(Bucket=BUCKET, Key=COPY, CopySource={"Bucket": BUCKET, "Key": KEY}))

    @_call
    def multipart(self):
        pieces = TransferConfig(multipart_threshold=PART, multipart_chunksize=PART)
        self._s3.upload_fileobj(io.BytesIO(LARGE_CONTENT), BUCKET, LARGE, Config=pieces)
        return _plain(self._s3.head_object(Bucket=BUCKET, Key=LARGE))

    def presigned_get(self):
        return presigned.send("GET", self._s3.generate_presigned_url("get_object", {"Bucket": BUCKET, "Key": KEY}))

    def presigned_put(self):
        url = self._s3.generate_presigned_url("put_object", {"Bucket": BUCKET, "Key": PRESIGNED})
        return presigned.send("PUT", url, body=SMALL)

    def post_form(self):
        form = self._s3.generate_presigned_post(BUCKET, FORM)
        return presigned.send("POST", form["url"], fields={**form["fields"], "file": ("form.txt", SMALL)})

    @_call
    def missing(self):
        return _plain(self._s3.get_object(Bucket=BUCKET, Key=MISSING))

    @_call
    def forbidden(self):
        return _plain(connect(self._server, self._url, "wrong").get_object(Bucket=BUCKET, Key=KEY))

    @_call
    def delete(self):
        return _plain(self._s3.delete_object(Bucket=BUCKET, Key=KEY))
