"""Every client through the proxy, each call compared with the same call made directly to the server."""

import dataclasses
import json
import tempfile
from pathlib import Path

from clients import Refused
from clients.boto3_sdk import connect
from clients.limits import limit
from clients.normal import normal
from clients.operations import BUCKET, OPERATIONS


@dataclasses.dataclass(frozen=True)
class Outcome:
    """A client's result of an operation."""

    done: bool
    text: str

    def __str__(self):
        return f"{'done' if self.done else 'refused'}: {self.text[:600]}"


def _text(said):
    """A client's output, without what changes from call to call."""
    return normal(said if isinstance(said, str) else json.dumps(said, default=str, ensure_ascii=False, sort_keys=True))


def _outcomes(client, pages):
    """The client's result of each operation that it supports, in order."""
    if hasattr(client, "everything"):
        said = client.everything(pages)
        return {name: Outcome(one["done"], _text(one["text"])) for name, one in said.items()}
    outcomes = {}
    for operation in OPERATIONS:
        if method := getattr(client, operation.name, None):
            try:
                outcomes[operation.name] = Outcome(True, _text(method()))
            except Refused as refused:
                outcomes[operation.name] = Outcome(False, _text(str(refused)))
    return outcomes


class Judge:
    """boto3, directly at the server: what is stored there, whatever a client says."""

    def __init__(self, server):
        self._s3 = connect(server, server.url)

    def content(self, key):
        try:
            return self._s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        except self._s3.exceptions.NoSuchKey:
            return None

    def clear(self):
        for operation in OPERATIONS:
            if operation.leaves:
                self._s3.delete_object(Bucket=BUCKET, Key=operation.leaves[0])


def _wrong(operation, outcome, judge):
    """What is wrong with an outcome, or None."""
    if outcome.done == operation.refused:
        return str(outcome)
    if operation.says not in outcome.text:
        return f"{operation.says!r} is not in {outcome}"
    if operation.leaves and judge.content(operation.leaves[0]) != operation.leaves[1]:
        return f"{operation.leaves[0]} is not at the server what it should be; {outcome}"
    return None


def _perform(client_class, server, url, pages, judge):
    """The outcomes of all operations at an address, and what is wrong with each."""
    judge.clear()
    with tempfile.TemporaryDirectory(prefix="s3cors-e2e-") as folder:
        outcomes = _outcomes(client_class(server, url, Path(folder)), pages)
    known = [operation for operation in OPERATIONS if operation.name in outcomes]
    # `delete` takes away what `upload` left, so that one is judged by what the others read.
    gone = {operation.leaves[0] for operation in known if operation.leaves and operation.leaves[1] is None}
    wrong = {}
    for operation in known:
        if operation.leaves and operation.leaves[0] in gone and operation.leaves[1] is not None:
            operation = dataclasses.replace(operation, leaves=())
        wrong[operation.name] = _wrong(operation, outcomes[operation.name], judge)
    return outcomes, wrong


def run(client_class, server, url, pages, results):
    """One client's operations, directly and through the proxy."""
    judge = Judge(server)
    suite = client_class.name
    if reason := client_class.missing_tools():
        results.skipped(server.name, suite, "all operations", reason)
        return
    direct, wrong_direct = _perform(client_class, server, server.url, pages, judge)
    proxied, wrong = _perform(client_class, server, url, pages, judge)
    for name, outcome in proxied.items():
        reason = limit(server.name, suite, name)
        if bool(reason) != bool(wrong_direct[name]):
            unexpected = wrong_direct[name] or f"works, though it is listed: {reason}"
            results.failed(server.name, suite, name, f"directly at the server: {unexpected}")
        elif outcome != direct[name]:
            results.failed(server.name, suite, name, f"through s3cors: {outcome}\n    directly: {direct[name]}")
        elif wrong[name] and not reason:
            results.failed(server.name, suite, name, wrong[name])
        else:
            results.passed(
                server.name,
                suite,
                name,
                reason and f"the server's own limit ({reason}), with and without s3cors: {outcome}",
            )
