"""A move from MinIO to each server, as the guide says it, under load: no request fails, and every object is right afterwards."""

import contextlib
import os
import random
import re
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import urllib3
from botocore.exceptions import BotoCoreError, ClientError

from clients.boto3_sdk import connect
from harness.processes import Failed, eventually, free_port
from harness.proxy import proxy
from servers import Keys, minio

SUITE = "move from MinIO"
GUIDE = Path(__file__).resolve().parents[3] / "deploy/guides/leaving-minio.md"
OBJECTS = 600
USUAL_TARGETS = ("versitygw", "seaweedfs")
BUCKET = "moved"
# Keys that are deleted and overwritten before the copy, as the guide says of what must not be touched in the moment of its copy.
DELETED, OVERWRITTEN = "deleted/", "overwritten/"
PAGE = "https://app.example"


def targets(objects):
    """The usual number goes to two servers, more go to every one."""
    from servers import ON_REQUEST, USUAL

    return USUAL_TARGETS if objects <= OBJECTS else tuple(name for name in USUAL + ON_REQUEST if name != "minio")


def _block(name):
    """A file that the guide shows."""
    return re.search(rf"^```\w+ {re.escape(name)}\n(.*?)^```$", GUIDE.read_text(), re.MULTILINE | re.DOTALL)[1]


def _configuration(name, listen, old, new, handover):
    """A configuration of the guide, with the addresses of this run."""
    text = _block(name).replace("http://127.0.0.1:9000", old.url).replace("http://127.0.0.1:9100", new.url)
    text = re.sub(r"^listen: .*$", f"listen: {listen}", text, flags=re.MULTILINE)
    # The harness says where the rules are.
    text = re.sub(r"^rules:\n  path: .*\n", "", text, flags=re.MULTILINE)
    return f"{text}\nshutdown: {{handover: {handover}}}\n"


class Load:
    """Readers and writers that go on until they are stopped, and what each object should be."""

    def __init__(self, server, url, content):
        self.client, self.url, self.content = connect(server, url), url, dict(content)
        self.stable = sorted(key for key in content if not key.startswith((DELETED, OVERWRITTEN)))
        self.pool, self.ended = urllib3.PoolManager(maxsize=8, retries=False), threading.Event()
        self.lock, self.requests, self.failures = threading.Lock(), 0, []

    def _count(self, what, fault=None):
        with self.lock:
            self.requests += 1
            if fault:
                self.failures.append(f"{what}: {fault}")

    def _try(self, what, act):
        try:
            self._count(what, act())
        except (BotoCoreError, ClientError, urllib3.exceptions.HTTPError) as error:
            self._count(what, repr(error)[:300])

    def _get(self, key):
        found = self.client.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        return None if found == self.content[key] else f"{found[:50]!r} in place of {self.content[key][:50]!r}"

    def _range(self, key):
        found = self.client.get_object(Bucket=BUCKET, Key=key, Range="bytes=2-5")["Body"].read()
        return None if found == self.content[key][2:6] else f"{found!r}"

    def _head(self, key):
        length = self.client.head_object(Bucket=BUCKET, Key=key)["ContentLength"]
        return None if length == len(self.content[key]) else f"{length} bytes"

    def _link(self, key):
        url = self.client.generate_presigned_url("get_object", {"Bucket": BUCKET, "Key": key})
        answer = self.pool.request("GET", url, headers={"Origin": PAGE})
        return None if answer.data == self.content[key] else f"{answer.status} {answer.data[:100]!r}"

    def read(self, number):
        choose = random.Random(number)
        while not self.ended.is_set():
            key = choose.choice(self.stable)
            act = choose.choice((self._get, self._range, self._head, self._link))
            self._try(f"{act.__name__[1:]} {key}", lambda: act(key))

    def write(self, number):
        """Its own keys: written, overwritten and deleted."""
        at = 0
        while not self.ended.is_set():
            key, at = f"new/{number}/{at % 50}", at + 1
            if at % 7 == 0 and key in self.content:
                self._try(f"delete {key}", lambda key=key: self._delete(key))
            else:
                self._try(f"put {key}", lambda key=key, at=at: self._put(key, f"{key} version {at}".encode()))

    def _put(self, key, body):
        self.client.put_object(Bucket=BUCKET, Key=key, Body=body)
        self.content[key] = body

    def _delete(self, key):
        self.client.delete_object(Bucket=BUCKET, Key=key)
        del self.content[key]

    def change(self):
        """Deletes and overwrites objects that are at the old server alone."""
        for key in sorted(self.content):
            if key.startswith(DELETED):
                self._try(f"delete {key}", lambda key=key: self._delete(key))
            elif key.startswith(OVERWRITTEN):
                self._try(f"put {key}", lambda key=key: self._put(key, b"overwritten " + key.encode()))

    @contextlib.contextmanager
    def running(self):
        workers = [threading.Thread(target=self.read, args=(number,)) for number in range(3)]
        workers += [threading.Thread(target=self.write, args=(number,)) for number in range(2)]
        for worker in workers:
            worker.start()
        try:
            yield
        finally:
            self.ended.set()
            for worker in workers:
                worker.join(60)


def _store(client, content):
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda item: client.put_object(Bucket=BUCKET, Key=item[0], Body=item[1]), content.items()))


def _rclone(folder, old, new, *command):
    """A command of the guide's, with this run's servers."""
    text = _block("rclone.conf")
    for server, url in ((old, "http://127.0.0.1:9000"), (new, "http://127.0.0.1:9100")):
        text = text.replace(url, server.url)
    text = re.sub(r"^access_key_id = .*$", f"access_key_id = {old.access_key}", text, flags=re.MULTILINE)
    text = re.sub(r"^secret_access_key = .*$", f"secret_access_key = {old.secret_key}\nregion = {old.region}", text, flags=re.MULTILINE)
    file = folder / "rclone.conf"
    file.write_text(text)
    done = subprocess.run(
        ["rclone", "--config", file, *command], capture_output=True, text=True, timeout=900, env=os.environ, check=False
    )
    if done.returncode:
        raise Failed(f"rclone {command[0]}: {done.stderr[-2000:]}")


def _copy_options():
    """The options with which the guide copies."""
    line = next(line for line in GUIDE.read_text().splitlines() if line.startswith("$ rclone") and " copy " in line)
    return [part for part in line.split() if part.startswith("--") and part not in ("--config", "--quiet")]


def _wrong(client, content):
    """What is not as it should be at the new server, alone."""
    listed = {
        found["Key"]
        for page in client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
        for found in page.get("Contents", ())
    }
    wrong = [f"{key} is missing" for key in sorted(set(content) - listed)]
    wrong += [f"{key} is back" for key in sorted(listed - set(content))]
    with ThreadPoolExecutor(8) as pool:
        read = lambda key: (key, client.get_object(Bucket=BUCKET, Key=key)["Body"].read())  # noqa: E731
        wrong += [f"{key} is {body[:40]!r}" for key, body in pool.map(read, sorted(listed & set(content))) if body != content[key]]
    return wrong


def run(server, rules, folder, objects, results):
    """Moves so many objects from a MinIO with the same keys to this server."""
    content = {f"kept/{number}": f"object {number} ".encode() * 5 for number in range(objects)}
    content |= {f"{DELETED}{number}": b"to be deleted" for number in range(objects // 20)}
    content |= {f"{OVERWRITTEN}{number}": b"to be overwritten" for number in range(objects // 20)}
    keys, started = Keys(server.access_key, server.secret_key), time.monotonic()
    handover, listen = folder / "handover.sock", f"127.0.0.1:{free_port()}"
    direct = connect(server, server.url)
    with minio.start(folder / "old", keys, server.region, "minio-old") as old:
        source = connect(old, old.url)
        for client in (source, direct):
            client.create_bucket(Bucket=BUCKET)
        _store(source, content)
        moving = _configuration("moving.yaml", listen, old, server, handover)
        with contextlib.ExitStack() as stack:
            first = stack.enter_context(proxy(f"s3cors-{server.name}-moving", rules, None, moving, listen=None))
            load = Load(server, first.url, content)
            with load.running():
                load.change()
                _rclone(folder, old, server, *_copy_options(), "copy", f"old:{BUCKET}", f"new:{BUCKET}")
                found = lambda: first.metric("s3cors_fallback_total", result="found")  # noqa: E731
                _settled(found)
                served = found()
                moved = _configuration("moved.yaml", listen, old, server, handover)
                stack.enter_context(proxy(f"s3cors-{server.name}-moved", rules, None, moved, listen=None))
                eventually("the first process ends", lambda: _has_ended(first))
                time.sleep(1)
                old_ends = time.monotonic()
            if load.failures:
                results.failed(server.name, SUITE, "no request fails", f"{len(load.failures)} of {load.requests}: {load.failures[:3]}")
            else:
                results.passed(server.name, SUITE, f"no request of {load.requests} fails")
    if wrong := _wrong(direct, load.content):
        results.failed(server.name, SUITE, "every object is right", f"{len(wrong)}: {wrong[:5]}")
    else:
        results.passed(server.name, SUITE, f"all {len(load.content)} objects are right, the deleted ones are gone")
    results.say(f"{SUITE}: {len(content)} objects, {load.requests} requests, {served:.0f} read from MinIO, {old_ends - started:.0f} s")
    for key in list(load.content):
        direct.delete_object(Bucket=BUCKET, Key=key)
    direct.delete_bucket(Bucket=BUCKET)


def _settled(found):
    """Waits until nothing is read from the old server any more."""
    before = found()
    time.sleep(1)
    eventually("nothing is read from MinIO", lambda: found() == before or time.sleep(1))


def _has_ended(first):
    try:
        first.metric("s3cors_fallback_total", result="found")
    except OSError:
        return True
    return False
