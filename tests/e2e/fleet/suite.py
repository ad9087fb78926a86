"""Three s3cors with their rules in a store, before two stores: each part is killed in turn, under load, and what can be served is."""

import os
import statistics
import threading
import time

import urllib3
from botocore.exceptions import BotoCoreError, ClientError

from clients.boto3_sdk import connect
from fleet.parts import minio, replica, versitygw
from harness.processes import eventually

SUITE = "fleet"
WRITES = 100
BUCKETS = 5
PAGE = "https://app.example"
AFTER_KILL, AFTER_START = 2, 1
CONFIGURATION = """upstreams:
  one: {{url: {one}}}
  two: {{url: {two}}}
routes:
  - {{bucket: two-*, upstream: two}}
  - {{bucket: '*', upstream: one}}
rules:
  source: store
  path: {copy}
  api: on
  unsigned_payload: any
  poll: 500ms
  store: {{endpoint: {rules}, bucket: rules}}
"""
RULES = {"CORSRules": [{"AllowedOrigins": [PAGE], "AllowedMethods": ["GET"], "AllowedHeaders": ["*"]}]}


class Clients:
    """Clients that go on to the next replica where one does not take the connection or breaks off, as behind a load balancer."""

    def __init__(self, replicas, links):
        self.replicas, self.links = replicas, links
        self.pools = {part.name: urllib3.HTTPConnectionPool("127.0.0.1", part.port, maxsize=8, retries=False) for part in replicas}
        self.ended, self.lock = threading.Event(), threading.Lock()
        self.requests, self.retried, self.failures, self.away = 0, 0, [], None

    def _ask(self, at, method, path, headers):
        error = None
        for turn in range(len(self.replicas)):
            part = self.replicas[(at + turn) % len(self.replicas)]
            try:
                return self.pools[part.name].request(method, path, headers=headers, timeout=20)
            except urllib3.exceptions.HTTPError as broken:
                error = broken
                with self.lock:
                    self.retried += 1
        raise error

    def _one(self, at):
        bucket, link = self.links[at % len(self.links)]
        store = "two" if bucket.startswith("two") else "one"
        away = self.away
        preflight = self._ask(at, "OPTIONS", f"/{bucket}/key", {"Origin": PAGE, "Access-Control-Request-Method": "GET"})
        actual = self._ask(at, "GET", link, {"Origin": PAGE, "Host": "fleet.example"})
        # Only a store that is away, or was when the request was sent, makes a request that cannot be served.
        can_fail = store in (away, self.away)
        faults = []
        if preflight.status != 200:
            faults.append(f"preflight of {bucket}: {preflight.status}")
        if actual.status != 200 and not can_fail:
            faults.append(f"GET of {bucket} while {away} is away: {actual.status}")
        if actual.headers.get("access-control-allow-origin") != PAGE:
            faults.append(f"GET of {bucket}: {actual.status} without a grant")
        return faults

    def run(self, first):
        at = first
        while not self.ended.is_set():
            try:
                faults = self._one(at)
            except urllib3.exceptions.HTTPError as error:
                faults = [repr(error)[:300]]
            with self.lock:
                self.requests += 2
                self.failures += faults
            at += 1


class Writes(threading.Thread):
    """PutBucketCors through one replica after the other, with the time until every replica that is there has the rules."""

    def __init__(self, server, replicas):
        super().__init__()
        self.replicas, self.clients = replicas, [connect(server, f"http://127.0.0.1:{part.port}") for part in replicas]
        self.done, self.failures, self.spread, self.may_fail = 0, [], [], False

    def run(self):
        for number in range(WRITES):
            bucket, origin = f"one-{number % BUCKETS}", f"https://write-{number}.example"
            rules = {"CORSRules": [*RULES["CORSRules"], {"AllowedOrigins": [origin], "AllowedMethods": ["PUT"]}]}
            if fault := self._write(number, bucket, rules):
                self.failures.append(fault)
            self.done += 1
            if number % 10 == 0:
                self._follow(bucket, origin)
            time.sleep(0.1)

    def _write(self, number, bucket, rules):
        """A write that does not come through is sent again, as an SDK does, for as long as a part may be away."""
        until = time.monotonic() + 15
        for turn in range(1000):
            client = self.clients[(number + turn) % len(self.clients)]
            try:
                client.put_bucket_cors(Bucket=bucket, CORSConfiguration=rules)
                return None
            except (BotoCoreError, ClientError) as error:
                if time.monotonic() > until:
                    return f"write {number}: {error!r}"[:300]
                time.sleep(0.2)
        return f"write {number}: never"

    def _follow(self, bucket, origin):
        started, pool = time.monotonic(), urllib3.PoolManager(retries=False)
        headers = {"Origin": origin, "Access-Control-Request-Method": "PUT"}

        def has(part):
            try:
                return pool.request("OPTIONS", f"http://127.0.0.1:{part.port}/{bucket}/key", headers=headers).status == 200
            except urllib3.exceptions.HTTPError:
                # It reads the rules when it begins again.
                return True

        eventually("the rules are everywhere", lambda: all(has(part) for part in self.replicas))
        self.spread.append(time.monotonic() - started)


def _prepare(one, two, rules):
    links = []
    connect(rules, rules.url).create_bucket(Bucket="rules")
    for server, names in ((one, [f"one-{number}" for number in range(BUCKETS)]), (two, ["two-a"])):
        s3, signer = connect(server, server.url), connect(server, "http://fleet.example")
        for bucket in names:
            s3.create_bucket(Bucket=bucket)
            s3.put_object(Bucket=bucket, Key="key", Body=b"object")
            url = signer.generate_presigned_url("get_object", {"Bucket": bucket, "Key": "key"}, ExpiresIn=3600)
            links.append((bucket, url.removeprefix("http://fleet.example")))
    document = '{"CORSRules": [{"AllowedOrigins": ["%s"], "AllowedMethods": ["GET"], "AllowedHeaders": ["*"]}]}' % PAGE
    for bucket, _ in links:
        connect(rules, rules.url).put_object(Bucket="rules", Key=f"{bucket}.json", Body=document.encode())
    return links


def run(folder, results):
    if "MINIO" not in os.environ or "VERSITYGW" not in os.environ:
        results.skipped("all", SUITE, "fleet", "MinIO or versitygw is not there")
        return
    one, first = minio("fleet-one", folder)
    rules, of_rules = minio("fleet-rules", folder)
    two, second = versitygw("fleet-two", folder)
    stores = [first, of_rules, second]
    replicas = []
    try:
        for part in stores:
            part.start()
        links = eventually("the stores take requests", lambda: _prepared(one, two, rules))
        for number in range(3):
            copy = folder / f"copy-{number}"
            text = CONFIGURATION.format(one=one.url, two=two.url, rules=rules.url, copy=copy)
            replicas.append(replica(f"fleet-s3cors-{number}", folder, text, one))
            replicas[-1].start()
        _run(Clients(replicas, links), Writes(one, replicas), stores, replicas, results)
    finally:
        for part in (*replicas, *stores):
            if part.process:
                part.kill()


def _prepared(one, two, rules):
    try:
        return _prepare(one, two, rules)
    except (BotoCoreError, ClientError):
        return None


def _run(clients, writes, stores, replicas, results):
    threads = [threading.Thread(target=clients.run, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    time.sleep(AFTER_START)
    writes.start()
    away = {"fleet-one": "one", "fleet-two": "two"}
    try:
        for part in (*replicas, *stores):
            clients.away = away.get(part.name)
            part.kill()
            time.sleep(AFTER_KILL)
            part.start()
            # A server that listens again may not take requests yet.
            time.sleep(AFTER_START + (2 if part in stores else 0))
            clients.away = None
            results.say(f"{SUITE}: {part.name} was killed; {clients.requests} requests, {len(clients.failures)} failed")
        writes.join(120)
    finally:
        clients.ended.set()
        for thread in threads:
            thread.join(60)
    if clients.failures:
        results.failed("all", SUITE, "what can be served is", f"{len(clients.failures)} of {clients.requests}: {clients.failures[:3]}")
    else:
        results.passed("all", SUITE, f"none of {clients.requests} requests that can be served fails; {clients.retried} went on to the next replica")
    if writes.failures or writes.done != WRITES:
        results.failed("all", SUITE, "every write is carried out", f"{writes.done} of {WRITES}, {writes.failures[:3]}")
    else:
        results.passed("all", SUITE, f"all of {WRITES} writes are carried out")
    median, longest = statistics.median(writes.spread), max(writes.spread)
    results.say(f"{SUITE}: a write is everywhere after {median:.2f} s (median), {longest:.2f} s at most")
