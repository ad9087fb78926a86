"""A stranger asks s3cors for what is not listed, over HTTP/1.1 and HTTP/2, and gets nothing; then credentials are renewed under load."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from harness.proxy import proxy
from private import made, recorder, renewals, scene, wire
from private.attempts import ATTEMPTS, FILMS, LISTED, VAULT, Attempt
from streams.suite import keys_of

SUITE = "private buckets"
SERVERS = ("minio", "rgw", "s3s-fs")
# Attempts at one time: some servers take 40 ms for each.
AT_ONCE = 8


class _Stranger:
    """Sends what the table says, with what it stands for."""

    def __init__(self, address, upstream, token, version):
        self._address = address
        self._words = {"TOKEN": token, "UPSTREAM": upstream, "VERSION": version}
        self._tokens = scene.changed(token)

    def _filled(self, text):
        for name, token in self._tokens.items():
            text = text.replace(f"/~{name}/", f"/~{token}/")
        for word, value in self._words.items():
            text = text.replace(word, value)
        return text

    def http1(self, attempt):
        """The head and the body that come back."""
        host = self._address if attempt.host is None else self._filled(attempt.host)
        first = f"{attempt.method} {self._filled(attempt.target)} HTTP/{attempt.version}"
        lines = [first, f"Host: {host}", *map(self._filled, attempt.lines), f"Connection: {attempt.connection}"]
        content = "\r\n".join([*lines, "", attempt.content])
        return scene.parsed(wire.http1(self._address, content.encode("latin-1")))

    def http2(self, attempt):
        """The status, since the head is compressed, and the body."""
        host = self._address if attempt.host is None else self._filled(attempt.host)
        target = self._filled(attempt.target)
        pseudo = {":method": attempt.method, ":scheme": "http", ":authority": host, ":path": target}
        lines = (self._filled(line).partition(":")[::2] for line in attempt.lines)
        fields = [*pseudo.items(), *((name.lower(), value.strip()) for name, value in lines)]
        return wire.http2(self._address, [(name.encode(), value.encode()) for name, value in fields])


def _controls(server, s3cors):
    """What can be read, and its content. The last one is the owner's: what is recognised as a leak arrives when it may."""
    owners = scene.link(server, s3cors.url, VAULT, "secret.txt").removeprefix(s3cors.url)
    return (
        (Attempt("a listed object", LISTED), scene.LISTED),
        (Attempt("a listed page", f"/{VAULT}/site/"), scene.PAGE),
        (Attempt("a segment below a token", f"/{FILMS}/~TOKEN/films/7/segment.ts"), scene.FILM),
        (Attempt("a secret with its owner's signature", owners), scene.SECRET),
    )


def _tried(attempts, ask, add, title):
    """Each attempt with what it got that it must not, or None."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = list(pool.map(ask, attempts))
    statuses = Counter(scene.status(head) for head, _ in answers)
    shown = ", ".join(f"{status}: {count}" for status, count in sorted(statuses.items()))
    add(f"{len(attempts)} {title}", None, shown)
    for attempt, (head, body) in zip(attempts, answers, strict=True):
        fault = scene.leak(head, body)
        yield attempt, fault and f"{fault} ({scene.status(head)})"


def _record(server, protocol, stranger, s3cors, storage, results):
    ask = {"HTTP/1.1": stranger.http1, "HTTP/2": stranger.http2}[protocol]
    access_key = keys_of(server)["AWS_ACCESS_KEY_ID"]

    def add(name, fault, detail=""):
        if fault:
            results.failed(server.name, SUITE, f"{protocol}: {name}", fault)
        else:
            results.passed(server.name, SUITE, f"{protocol}: {name}", detail)

    for attempt, content in _controls(server, s3cors):
        head, body = ask(attempt)
        add(f"{attempt.title} can be read", None if body == content else f"{head!r} {body!r}")
    attempts = [attempt for attempt in ATTEMPTS if protocol == "HTTP/1.1" or not attempt.http1_only]
    for attempt, fault in _tried(attempts, ask, add, "attempts"):
        add(f"nothing by {attempt.title}", fault)
    tried = _tried(list(made.attempts()), ask, add, "made-up paths")
    faults = [f"{attempt.host} {attempt.target}: {fault}" for attempt, fault in tried if fault]
    add("nothing by made-up paths", "\n    ".join(faults))
    # The controls are among them: what is recognised as signed here is signed here.
    arrived = storage.take()
    signed = [head for head in arrived if scene.is_signed_here(head, access_key)]
    faults = {scene.wrong(head, storage.address) for head in signed} - {None}
    detail = f"{len(signed)} of {len(arrived)} at the storage"
    add("what is signed is listed", None if signed and not faults else "; ".join(sorted(faults)) or detail, detail)


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
        token = scene.token(server, s3cors)
        stranger = _Stranger(s3cors.address, storage.address, token, version)
        for protocol in ("HTTP/1.1", "HTTP/2"):
            _record(server, protocol, stranger, s3cors, storage, results)
    if scene.stored(server) != scene.OBJECTS:
        results.failed(server.name, SUITE, "everything is as it was", str(scene.stored(server))[:300])
    if server.name in renewals.SERVERS:
        renewals.run(server, rules, SUITE, results)
    scene.clear(server)
