"""What people use to write the rules of a bucket, one class each: put, get and delete them."""

import json
import os
import re
import shutil
from pathlib import Path

from botocore.exceptions import ClientError

from clients import Refused
from clients.awscli import AwsCli
from clients.boto3_sdk import connect
from clients.command import Command
from clients.s3cmd import S3cmd
from harness.environment import PROGRAM
from harness.processes import output_of

RULES = [
    {
        "ID": "app",
        "AllowedOrigins": ["https://app.example", "https://*.preview.example"],
        "AllowedMethods": ["GET", "PUT"],
        "AllowedHeaders": ["content-type", "x-amz-*"],
        "ExposeHeaders": ["ETag", "x-amz-meta-note"],
        "MaxAgeSeconds": 600,
    },
    {"AllowedOrigins": ["https://reader.example"], "AllowedMethods": ["GET"]},
]


class WithBoto3:
    name = "boto3"
    is_packaged = True

    def __init__(self, server, url, bucket, folder):
        self._s3, self._bucket = connect(server, url), bucket

    @staticmethod
    def missing_tools():
        return None

    @staticmethod
    def _call(method, **parameters):
        try:
            return method(**parameters)
        except ClientError as error:
            raise Refused(str(error)) from error

    def put(self, rules):
        self._call(self._s3.put_bucket_cors, Bucket=self._bucket, CORSConfiguration={"CORSRules": rules})

    def get(self):
        return self._call(self._s3.get_bucket_cors, Bucket=self._bucket)["CORSRules"]

    def delete(self):
        self._call(self._s3.delete_bucket_cors, Bucket=self._bucket)


class WithAwsCli(AwsCli):
    is_packaged = True

    def __init__(self, server, url, bucket, folder):
        super().__init__(server, url, folder)
        self._bucket = bucket

    def _api(self, operation, *arguments):
        return self._aws("s3api", operation, "--bucket", self._bucket, *arguments)

    def put(self, rules):
        self._api("put-bucket-cors", "--cors-configuration", json.dumps({"CORSRules": rules}))

    def get(self):
        return json.loads(self._api("get-bucket-cors"))["CORSRules"]

    def delete(self):
        self._api("delete-bucket-cors")


class WithS3cmd(S3cmd):
    is_packaged = True

    def __init__(self, server, url, bucket, folder):
        super().__init__(server, url, folder)
        self._bucket, self._folder = f"s3://{bucket}", folder

    def put(self, rules):
        document = self._folder / "rules.json"
        document.write_text(json.dumps({"CORSRules": rules}))
        xml = self._folder / "rules.xml"
        xml.write_text(output_of(PROGRAM, "convert", "--to", "xml", document))
        self._s3cmd("setcors", xml, self._bucket)

    def get(self):
        shown = re.search(r"<CORSConfiguration.*</CORSConfiguration>", self._s3cmd("info", self._bucket), re.DOTALL)
        if not shown:
            raise Refused("s3cmd info shows no rules")
        document = self._folder / "shown.xml"
        document.write_text(shown[0])
        return json.loads(output_of(PROGRAM, "convert", "--to", "json", document))["CORSRules"]

    def delete(self):
        self._s3cmd("delcors", self._bucket)


class WithJavaScript(Command):
    name = "AWS SDK for JavaScript in Node.js"
    is_packaged = True
    program = "node"

    def __init__(self, server, url, bucket, folder):
        super().__init__(server, url, folder)
        self._bucket = bucket

    @classmethod
    def missing_tools(cls):
        return None if "NODE_PATH" in os.environ else "there is no Node.js 20 or newer"

    def settings(self, secret):
        return {"AWS_ACCESS_KEY_ID": self.server.access_key, "AWS_SECRET_ACCESS_KEY": secret}

    def _send(self, operation, **parameters):
        task = {"url": self.url, "region": self.server.region, "operation": operation}
        task["parameters"] = {"Bucket": self._bucket, **parameters}
        return json.loads(self.text("node", Path(__file__).with_name("node.js"), json.dumps(task)))

    def put(self, rules):
        self._send("PutBucketCors", CORSConfiguration={"CORSRules": rules})

    def get(self):
        return self._send("GetBucketCors")["CORSRules"]

    def delete(self):
        self._send("DeleteBucketCors")


class WithTerraform(Command):
    """`aws_s3_bucket_cors_configuration`, where the provider is there: Terraform loads it from nowhere but the disk."""

    name = "Terraform"
    is_packaged = False
    program = "terraform"
    # It waits until what it reads is what it wrote, more than once.
    deadline = 300
    CONFIGURATION = """
    provider "aws" {{
      region = "{region}"
      access_key = "{access_key}"
      secret_key = "{secret_key}"
      s3_use_path_style = true
      skip_credentials_validation = true
      skip_metadata_api_check = true
      skip_region_validation = true
      skip_requesting_account_id = true
      endpoints {{
        s3 = "{url}"
      }}
    }}
    """

    def __init__(self, server, url, bucket, folder):
        super().__init__(server, url, folder)
        self._bucket, self._folder = bucket, folder / "terraform"
        self._folder.mkdir()
        provider = self.CONFIGURATION.format(
            region=server.region, access_key=server.access_key, secret_key=server.secret_key, url=url
        )
        (self._folder / "provider.tf").write_text(provider)
        self._rules([])
        self._terraform("init", f"-plugin-dir={os.environ['TERRAFORM_PLUGINS']}")

    @classmethod
    def missing_tools(cls):
        if "TERRAFORM_PLUGINS" in os.environ and shutil.which("terraform"):
            return None
        return "Terraform and its provider for AWS are not there"

    def _terraform(self, command, *arguments):
        return self.text("terraform", f"-chdir={self._folder}", command, "-no-color", *arguments)

    def _rules(self, rules):
        names = {
            "id": "ID",
            "allowed_origins": "AllowedOrigins",
            "allowed_methods": "AllowedMethods",
            "allowed_headers": "AllowedHeaders",
            "expose_headers": "ExposeHeaders",
            "max_age_seconds": "MaxAgeSeconds",
        }
        blocks = [{name: rule[key] for name, key in names.items() if key in rule} for rule in rules]
        resource = {"aws_s3_bucket_cors_configuration": {"rules": {"bucket": self._bucket, "cors_rule": blocks}}}
        (self._folder / "rules.tf.json").write_text(json.dumps({"resource": resource} if rules else {}))

    def put(self, rules):
        self._rules(rules)
        self._terraform("apply", "-auto-approve", "-input=false")
        # What it reads back is what it wrote: there is nothing to do.
        self._terraform("plan", "-input=false", "-detailed-exitcode")

    def get(self):
        state = json.loads(self._terraform("show", "-json"))
        resources = state.get("values", {}).get("root_module", {}).get("resources", [])
        if not resources:
            raise Refused("Terraform has no rules")
        return [
            {
                "ID": rule["id"],
                "AllowedOrigins": rule["allowed_origins"],
                "AllowedMethods": rule["allowed_methods"],
                "AllowedHeaders": rule["allowed_headers"],
                "ExposeHeaders": rule["expose_headers"],
                "MaxAgeSeconds": rule["max_age_seconds"],
            }
            for rule in resources[0]["values"]["cors_rule"]
        ]

    def delete(self):
        self._rules([])
        self._terraform("apply", "-auto-approve", "-input=false")


TOOLS = (WithBoto3, WithAwsCli, WithS3cmd, WithJavaScript, WithTerraform)


def canonical(rules):
    """Rules without what is empty, and each list in order: Terraform has sets, and says what is not there."""
    return [
        {key: sorted(value) if isinstance(value, list) else value for key, value in rule.items() if value}
        for rule in rules
    ]
