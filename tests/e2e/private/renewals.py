"""Credentials of a program that live for seconds, renewed under load; and credentials that are away at the start and during a run."""

import contextlib
import json
import stat
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import urllib3

from clients.boto3_sdk import connect
from harness.processes import eventually
from harness.proxy import proxy
from private import scene
from private.attempts import LISTED, VAULT

# One that does not know how long a key lives, so that the same key can be given again and again.
SERVERS = ("minio",)
# Half of it is left when they are renewed: more than a busy machine takes to start a program.
LIFE = 5
RENEWALS = 10
READERS = 4
PUBLIC = "for-everyone"
PROCESS = """#!{python}
import datetime, json, pathlib, sys
folder = pathlib.Path({folder!r})
with (folder / "calls").open("a") as calls:
    calls.write(".")
if not (folder / "present").exists():
    sys.exit("the safe is locked")
end = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds={life})
keys = {{"AccessKeyId": {access_key!r}, "SecretAccessKey": {secret_key!r}}}
print(json.dumps({{"Version": 1, **keys, "Expiration": end.isoformat(timespec="seconds").replace("+00:00", "Z")}}))
"""
CONFIGURATION = json.dumps({"sign": [{"bucket": VAULT, "prefix": "open/"}]})


class _Safe:
    """A program that gives keys while it is open."""

    def __init__(self, server, folder):
        folder.mkdir()
        self._folder = folder
        program = folder / "process"
        about = {"access_key": server.access_key, "secret_key": server.secret_key, "life": LIFE}
        program.write_text(PROCESS.format(python=sys.executable, folder=str(folder), **about))
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        profile = folder / "config"
        profile.write_text(f"[default]\nregion = {server.region}\ncredential_process = {program}\n")
        self.environment = {"AWS_CONFIG_FILE": str(profile), "AWS_SHARED_CREDENTIALS_FILE": str(folder / "none")}

    def open(self):
        (self._folder / "present").touch()

    def lock(self):
        (self._folder / "present").unlink()

    def calls(self):
        with contextlib.suppress(FileNotFoundError):
            return (self._folder / "calls").stat().st_size
        return 0


class _Scene:
    def __init__(self, server, s3cors, safe):
        self.server, self.s3cors, self.safe = server, s3cors, safe
        self._pool = urllib3.PoolManager(maxsize=READERS, retries=False)

    def get(self, target):
        return self._pool.request("GET", self.s3cors.url + target)

    def signed_here(self):
        answer = self.get(LISTED)
        return answer.status == 200 and answer.data == scene.LISTED

    def others_go_on(self):
        """Everything that s3cors does not sign."""
        everyones, own = self.get(f"/{PUBLIC}/hello.txt"), scene.link(self.server, self.s3cors.url, VAULT, "secret.txt")
        assert everyones.status == 200, f"a bucket for everyone: {everyones.status} {everyones.data}"
        signed = self.get(own.removeprefix(self.s3cors.url))
        assert signed.status == 200, f"a client's own signature: {signed.status} {signed.data}"

    def refused_with_the_reason(self):
        answer = self.get(LISTED)
        assert answer.status == 503, f"{answer.status} {answer.data}"
        assert b"credentials" in answer.data.lower(), answer.data
        assert self.s3cors.metric("s3cors_credentials_available") == 0

    def are_away_at_the_start(self):
        eventually("s3cors has asked for credentials", lambda: self.safe.calls() > 0)
        self.refused_with_the_reason()
        self.others_go_on()

    def come_later(self):
        self.safe.open()
        eventually("s3cors has credentials", self.signed_here)
        assert self.s3cors.metric("s3cors_credentials_available") == 1

    def are_renewed_under_load(self):
        calls, done, failed, asked = self.safe.calls(), threading.Event(), [], []

        def read():
            while not done.is_set():
                answer = self.get(LISTED)
                asked.append(answer.status)
                if answer.status != 200 or answer.data != scene.LISTED:
                    failed.append(f"{answer.status} {answer.data[:200]}")

        with ThreadPoolExecutor(READERS) as readers:
            reading = [readers.submit(read) for _ in range(READERS)]
            try:
                eventually(f"{RENEWALS} renewals", lambda: self.safe.calls() >= calls + RENEWALS)
            finally:
                done.set()
            for each in reading:
                each.result()
        assert asked and not failed, f"{len(failed)} of {len(asked)} requests failed, the first: {failed[0]}"
        return f"{len(asked)} requests"

    def are_away_during_a_run(self):
        self.safe.lock()
        eventually("the credentials have ended", lambda: not self.signed_here())
        eventually("the log says so", lambda: "the AWS credentials have expired" in self.s3cors.log.read_text())
        self.refused_with_the_reason()
        self.others_go_on()

    def come_back(self):
        self.come_later()
        self.others_go_on()


# In this order: each begins where the one before it ended.
CASES = (
    _Scene.are_away_at_the_start,
    _Scene.come_later,
    _Scene.are_renewed_under_load,
    _Scene.are_away_during_a_run,
    _Scene.come_back,
)


def _for_everyone(s3):
    s3.create_bucket(Bucket=PUBLIC)
    resource = [f"arn:aws:s3:::{PUBLIC}/*"]
    allowed = {"Effect": "Allow", "Principal": "*", "Action": ["s3:GetObject"], "Resource": resource}
    s3.put_bucket_policy(Bucket=PUBLIC, Policy=json.dumps({"Version": "2012-10-17", "Statement": [allowed]}))
    s3.put_object(Bucket=PUBLIC, Key="hello.txt", Body=b"hello")


def run(server, rules, suite, results):
    """All cases; the objects of the scene are there."""
    s3 = connect(server, server.url)
    _for_everyone(s3)
    safe = _Safe(server, rules.parent / "safe")
    with proxy(f"s3cors-{server.name}-renewals", rules, server.url, CONFIGURATION, **safe.environment) as s3cors:
        played = _Scene(server, s3cors, safe)
        for case in CASES:
            name = f"credentials {case.__name__.replace('_', ' ')}"
            try:
                results.passed(server.name, suite, name, case(played) or "")
            except Exception as error:  # the next case shows what came of it
                results.failed(server.name, suite, name, repr(error))
    s3.delete_object(Bucket=PUBLIC, Key="hello.txt")
    s3.delete_bucket(Bucket=PUBLIC)
