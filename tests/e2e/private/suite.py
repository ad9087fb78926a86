"""A stranger asks s3cors for what is not listed, over HTTP/1.1 and HTTP/2, and gets nothing; then credentials are renewed under load."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import urllib3

from harness.proxy import proxy
from private import made, recorder, renewals, scene
from private.attempts import APP, ATTEMPTS, DOMAIN, FILMS, LISTED, PUBLIC, VAULT, Attempt
from private.stranger import Stranger
from streams.suite import keys_of

SUITE = "private buckets"
SERVERS = ("minio", "rgw", "s3s-fs")
# Attempts at one time: some servers take 40 ms for each.
AT_ONCE = 8
# What of its keys s3cors tells no one, and where it could.
SECRET = ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
TOLD = ("/metrics", "/status")


def _controls(server, s3cors):
    """What can be read, and its content. The last one is the owner's: what is recognised as a leak arrives when it may."""
    owners = scene.link(server, s3cors.url, VAULT, "secret.txt").removeprefix(s3cors.url)
    segment = f"/{FILMS}/~TOKEN/films/7/segment.ts"
    return (
        (Attempt("a listed object", LISTED), scene.LISTED),
        (Attempt("a listed page", f"/{VAULT}/site/"), scene.PAGE),
        (Attempt("a segment below a token", segment), scene.FILM),
        (Attempt("a listed object by its bucket's host", "/open/listed.txt", host=f"{VAULT}.{DOMAIN}"), scene.LISTED),
        (Attempt("a listed object by a public name", "/open/listed.txt", host=PUBLIC), scene.LISTED),
        (Attempt("a listed object below a prefix of a host", f"/storage{LISTED}", host=APP), scene.LISTED),
        (Attempt("a segment by its bucket's host", "/~TOKEN/films/7/segment.ts", host=f"{FILMS}.{DOMAIN}"), scene.FILM),
        (Attempt("a segment below a prefix of a host", f"/storage{segment}", host=APP), scene.FILM),
        (Attempt("a secret with its owner's signature", owners), scene.SECRET),
    )


class _Attack:
    """What a stranger does to s3cors with a recorder between it and the storage."""

    def __init__(self, server, s3cors, storage, version, results):
        self._server, self._s3cors, self._storage, self._results = server, s3cors, storage, results
        self._keys = keys_of(server)
        self._token = scene.token(server, s3cors)
        stranger = Stranger(s3cors.address, storage.address, self._token, version)
        self._protocols = {"HTTP/1.1": stranger.http1, "HTTP/2": stranger.http2}

    def _add(self, name, fault, detail=""):
        if fault:
            self._results.failed(self._server.name, SUITE, name, fault)
        else:
            self._results.passed(self._server.name, SUITE, name, detail)

    def _told(self, secrets):
        """Where s3cors tells something that it must keep to itself, or None."""
        pages = {path: urllib3.request("GET", f"http://{self._s3cors.admin}{path}").data for path in TOLD}
        pages["the log"] = self._s3cors.log.read_bytes()
        found = [page for page, text in pages.items() for secret in secrets if secret.encode() in text]
        return f"it is in {found[0]}" if found else None

    def controls(self):
        for protocol, ask in self._protocols.items():
            for attempt, content in _controls(self._server, self._s3cors):
                head, body = ask(attempt)
                fault = None if body == content else f"{head!r} {body!r}"
                self._add(f"{protocol}: {attempt.title} can be read", fault)
        # Before the attempts, which name it where no token belongs.
        self._add("nothing is told of the token", self._told([self._token]))

    def _tried(self, title, protocol, attempts):
        """Each attempt with what it got that it must not, or None."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            answers = list(pool.map(self._protocols[protocol], attempts))
        statuses = Counter(scene.status(head) for head, _ in answers)
        shown = ", ".join(f"{status}: {count}" for status, count in sorted(statuses.items()))
        self._add(f"{protocol}: {len(attempts)} {title}", None, shown)
        for attempt, (head, body) in zip(attempts, answers, strict=True):
            fault = scene.leak(head, body)
            yield attempt, fault and f"{fault} ({scene.status(head)})"

    def attempts(self):
        for protocol in self._protocols:
            attempts = [attempt for attempt in ATTEMPTS if protocol == "HTTP/1.1" or not attempt.http1_only]
            for attempt, fault in self._tried("attempts", protocol, attempts):
                self._add(f"{protocol}: nothing by {attempt.title}", fault)
            tried = self._tried("made-up paths", protocol, list(made.attempts()))
            faults = [f"{attempt.host} {attempt.target}: {fault}" for attempt, fault in tried if fault]
            self._add(f"{protocol}: nothing by made-up paths", "\n    ".join(faults))
        self._add(
            "nothing is told of the keys", self._told([self._keys[name] for name in SECRET if name in self._keys])
        )

    def arrived(self):
        """What reached the storage. The controls are among it: what is recognised as signed here is signed here."""
        heads = self._storage.take()
        signed = [head for head in heads if scene.is_signed_here(head, self._keys["AWS_ACCESS_KEY_ID"])]
        faults = {scene.wrong(head, self._storage.address) for head in signed} - {None}
        detail = f"{len(signed)} of {len(heads)} requests"
        self._add("what is signed is listed", "; ".join(sorted(faults)) if signed else detail, detail)


def run(server, folder, results):
    """All attempts, and with MinIO the renewals."""
    rules = folder / "private-rules"
    rules.mkdir()
    for bucket in scene.OBJECTS:
        (rules / f"{bucket}.xml").write_text(scene.RULES)
    version = scene.store(server)
    name = f"s3cors-{server.name}-private"
    with (
        recorder.started(server.address) as storage,
        proxy(name, rules, storage.url, scene.CONFIGURATION, listen=None, **keys_of(server)) as s3cors,
    ):
        attack = _Attack(server, s3cors, storage, version, results)
        attack.controls()
        attack.attempts()
        attack.arrived()
    if scene.stored(server) != scene.OBJECTS:
        results.failed(server.name, SUITE, "everything is as it was", str(scene.stored(server))[:300])
    if server.name in renewals.SERVERS:
        renewals.run(server, rules, SUITE, results)
    scene.clear(server)
