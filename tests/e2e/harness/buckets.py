"""The buckets of all tests, and their rules: the same documents for s3cors and, where it takes them, for the server itself."""

import json
from pathlib import Path

from botocore.exceptions import ClientError

from clients.boto3_sdk import connect
from harness.environment import PROGRAM
from harness.processes import output_of

DOCUMENTS = Path(__file__).resolve().parent.parent / "rules"
WITHOUT_RULES = "bare"


def write_rules(folder, pages):
    """Writes each bucket's rules, with the port of the pages' origins, to a folder for s3cors."""
    folder.mkdir()
    for document in DOCUMENTS.glob("*.xml"):
        (folder / document.name).write_text(document.read_text().replace("PAGES", str(pages)))


def create(server, rules):
    """Creates the buckets, sends their rules to the server, and returns its response to that."""
    s3 = connect(server, server.url)
    s3.create_bucket(Bucket=WITHOUT_RULES)
    answer = "takes rules for a bucket"
    for document in sorted(rules.glob("*.xml")):
        s3.create_bucket(Bucket=document.stem)
        configuration = json.loads(output_of(PROGRAM, "convert", "--to", "json", document))
        try:
            s3.put_bucket_cors(Bucket=document.stem, CORSConfiguration=configuration)
        except ClientError as error:
            metadata = error.response["ResponseMetadata"]
            answer = f"takes no rules for a bucket: {metadata['HTTPStatusCode']} {error.response['Error']['Code']}"
    return answer
