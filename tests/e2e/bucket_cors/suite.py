"""Puts, reads and deletes the rules of a bucket through s3cors, and tries what must be refused."""

import contextlib
import dataclasses
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import urllib3
from botocore.exceptions import ClientError

from bucket_cors.published import TESTS
from bucket_cors.refusals import ATTEMPTS, BEFORE, PASSES, SERVER
from bucket_cors.scene import APP, BUCKET, EVIL, OTHER, PLAIN, Scene, code, document
from bucket_cors.signature import next_second
from bucket_cors.tools import RULES, TOOLS, canonical
from clients import Refused
from clients.boto3_sdk import connect
from clients.limits import limit
from harness.processes import Failed
from harness.proxy import proxy
from servers import s3s_fs

SUITE = "rules of a bucket"
LISTEN = "listen: [{address: '127.0.0.1:0', http2: true}]\n"
SERVED = LISTEN + "rules: {api: on}\n"
# Where the server has the operation, s3cors follows its rules.
FOLLOWED = LISTEN + "rules: {api: on, source: upstream, poll: 200ms}\n"
POOL = urllib3.PoolManager(retries=False)


def _tool(kind, scene):
    """Put, get and delete: each is obeyed at once, and what was put is what is read."""
    with tempfile.TemporaryDirectory(prefix="s3cors-e2e-") as folder:
        tool = kind(scene.server, scene.s3cors.url, BUCKET, Path(folder))
        scene.obeys(APP, False)
        tool.put(RULES)
        scene.obeys(APP, True)
        scene.obeys(EVIL, False)
        assert canonical(tool.get()) == canonical(RULES), tool.get()
        tool.delete()
        scene.obeys(APP, False)
        try:
            raise AssertionError(f"there are rules after the deletion: {tool.get()}")
        except Refused:
            pass
        # Deleting what is not there succeeds.
        tool.delete()


def _attempt(attempt, scene):
    """The request is refused, by the server in its own words where it does; the rules stay. Returns what was said."""
    before = scene.rules()
    request = attempt.make(scene)
    own = scene.send(request, scene.server.address)
    answer = scene.send(request, http2=attempt.http2)
    if attempt.judge == BEFORE:
        assert answer.status in (400, 403), f"{code(answer)}: {answer.body[:300]}"
    elif not scene.served and own.status == 501:
        # The server says so before it looks at the signature: then it has judged nothing, and s3cors writes nothing.
        assert answer.status >= 400, f"{code(answer)}: {answer.body[:300]}"
        assert not scene.written(), "s3cors has written rules"
    elif attempt.judge in (SERVER, PASSES) or not scene.served:
        assert code(answer) == code(own), f"the server says {code(own)}, s3cors {code(answer)}: {answer.body[:300]}"
    if scene.served:
        assert answer.status >= 400 or attempt.judge == PASSES, f"{code(answer)}: {answer.body[:300]}"
        assert scene.rules() == before, "the rules have changed"
        assert scene.options(EVIL) == 403, "the stranger's origin is allowed"
    return f"{code(answer)}, the server itself: {code(own)}"


def _replay(scene):
    """An older write, sent again, does not bring its document back; the last one, sent again, succeeds."""
    old = scene.owner.request("PUT", scene.path, body=document(PLAIN))
    next_second()
    new = scene.owner.request("PUT", scene.path, body=document(APP))
    for request in (old, new):
        answer = scene.send(request)
        assert answer.status == 200, code(answer)
    answer = scene.send(old)
    assert answer.status >= 400, f"the replay is {code(answer)}"
    scene.obeys(APP, True)
    scene.obeys(PLAIN, False)
    answer = scene.send(new)
    assert answer.status == 200, f"the retry is {code(answer)}"


def _verbatim(scene):
    """Every value is read as it was written."""
    rules = [
        {
            "ID": "größe & <x>",
            "AllowedOrigins": ["https://APP.example", "http://localhost:*", "app:"],
            "AllowedMethods": ["POST", "GET"],
            "AllowedHeaders": ["X-Amz-*", "*"],
            "MaxAgeSeconds": 0,
        }
    ]
    s3 = connect(scene.server, scene.s3cors.url)
    s3.put_bucket_cors(Bucket=BUCKET, CORSConfiguration={"CORSRules": rules})
    read = s3.get_bucket_cors(Bucket=BUCKET)["CORSRules"]
    assert read == rules, read


def _stays_with_the_server(scene):
    """What was put through s3cors is at the server, and s3cors wrote nothing itself."""
    scene.put(APP)
    own = scene.direct.get_bucket_cors(Bucket=BUCKET)["CORSRules"]
    assert own[0]["AllowedOrigins"] == [APP], own
    assert not scene.written(), scene.written()


def _request(scene, case):
    """The response to a request of a published test."""
    path = scene.path + case.place
    names = {
        "Origin": case.origin,
        "Access-Control-Request-Method": case.asks,
        "Access-Control-Request-Headers": case.headers,
    }
    headers = {name: value for name, value in names.items() if value}
    if case.link:
        signer = connect(scene.server, scene.s3cors.url)
        url = signer.generate_presigned_url(case.link, {"Bucket": scene.bucket, "Key": "foo"})
    elif case.signed:
        key = case.place.lstrip("/")
        operation, about = ("get_object", {"Key": key}) if key else ("list_objects_v2", {})
        url = connect(scene.server, scene.s3cors.url).generate_presigned_url(operation, {"Bucket": scene.bucket, **about})
    else:
        url = scene.s3cors.url + path
    body = {"body": b""} if case.method == "PUT" else {}
    return POOL.request(case.method, url, headers=headers, **body)


def _published(rules, cases, verdict, scene):
    """The rules are put, the requests sent, the rules deleted."""
    s3 = connect(scene.server, scene.s3cors.url)
    method, origin = rules[0]["AllowedMethods"][0], rules[0]["AllowedOrigins"][0].replace("*", "x")
    s3.put_bucket_cors(Bucket=scene.bucket, CORSConfiguration={"CORSRules": list(rules)})
    scene.obeys(origin, True, method)
    for case in cases:
        answer = _request(scene, case)
        grant = tuple(answer.headers.get(f"access-control-allow-{name}") for name in ("origin", "methods"))
        said = f"{answer.status}, {grant}, expected {case.status}, {case.grant}"
        verdict(case.name, None if (answer.status, grant) == (case.status, case.grant) else said)
    s3.delete_bucket_cors(Bucket=scene.bucket)
    scene.obeys(origin, False, method)


def _set_cors(scene):
    """`test_set_cors`: 404 before and after, and what was put between."""
    scene.has_no_rules()
    rules = [{"AllowedMethods": ["GET", "PUT"], "AllowedOrigins": ["*.get", "*.put"]}]
    s3 = connect(scene.server, scene.s3cors.url)
    s3.put_bucket_cors(Bucket=scene.bucket, CORSConfiguration={"CORSRules": rules})
    assert s3.get_bucket_cors(Bucket=scene.bucket)["CORSRules"] == rules
    s3.delete_bucket_cors(Bucket=scene.bucket)
    scene.has_no_rules()


@dataclasses.dataclass
class _Suite:
    """Turns what a test says into results."""

    scene: Scene
    results: object

    def verdict(self, name, wrong, said=""):
        if wrong:
            self.results.failed(self.scene.server.name, SUITE, name, wrong)
        else:
            self.results.passed(self.scene.server.name, SUITE, name, said)

    def absent(self, kind, reason):
        """No package brings Terraform's provider: where it is not there, that is said and counts as nothing."""
        if kind.is_packaged:
            self.results.skipped(self.scene.server.name, SUITE, kind.name, reason)
        else:
            self.results.say(f"not run: {kind.name}: {reason}")

    def test(self, name, test, *arguments):
        reason = limit(self.scene.server.name, SUITE, name)
        try:
            said = test(*arguments, self.scene) or ""
            self.verdict(name, reason and f"works, though it is listed: {reason}", said)
        except (AssertionError, ClientError, Refused, Failed, OSError) as error:
            wrong = f"{type(error).__name__}: {error}"
            self.verdict(name, None if reason else wrong, reason and f"the server's own limit ({reason}): {wrong}")

    def afresh(self, name, test, *arguments):
        """A test of a bucket without rules."""
        # Two deletions that are signed in one second are one and the same request, so the later one could be a replay.
        next_second()
        with contextlib.suppress(AssertionError):
            self.scene.clear()
        self.test(name, test, *arguments)


def run(server, folder, results):
    """Everything, with s3cors as the one that writes or as the one that follows."""
    direct = connect(server, server.url)
    for bucket in (BUCKET, OTHER):
        direct.create_bucket(Bucket=bucket)
    direct.put_object(Bucket=BUCKET, Key="foo", Body=b"foo")
    rules = folder / "written"
    rules.mkdir()
    served = _is_served(direct)
    keys = {"AWS_ACCESS_KEY_ID": server.access_key, "AWS_SECRET_ACCESS_KEY": server.secret_key}
    keys["AWS_REGION"] = server.region
    about = (f"s3cors-{server.name}-rules", rules, server.url, SERVED if served else FOLLOWED, None)
    with proxy(*about, **({} if served else keys)) as s3cors:
        _everything(Scene(server, s3cors, served, rules), results)
    for bucket in (BUCKET, OTHER):
        for key in direct.list_objects_v2(Bucket=bucket).get("Contents", ()):
            direct.delete_object(Bucket=bucket, Key=key["Key"])
        direct.delete_bucket(Bucket=bucket)


def run_routed(server, folder, results):
    """The published tests through one s3cors at two servers at once: each bucket's rules are written and judged at its own."""
    second_folder = folder / "second"
    with s3s_fs.start(second_folder) as second:
        scenes = {"routed-first": server, "routed-second": second}
        for bucket, at in scenes.items():
            direct = connect(at, at.url)
            direct.create_bucket(Bucket=bucket)
            direct.put_object(Bucket=bucket, Key="foo", Body=b"foo")
        rules = folder / "routed"
        rules.mkdir()
        config = f"{SERVED}upstreams: {{one: '{server.url}', two: '{second.url}'}}\n"
        config += "routes: [{bucket: '*-second', upstream: two}, {bucket: '*', upstream: one}]\n"
        with proxy(f"s3cors-{server.name}-routed", rules, None, config, None) as s3cors:
            with ThreadPoolExecutor(len(scenes)) as pool:
                both = [pool.submit(_published_at, Scene(at, s3cors, True, rules, bucket), results) for bucket, at in scenes.items()]
            for each in both:
                each.result()
    direct = connect(server, server.url)
    direct.delete_object(Bucket="routed-first", Key="foo")
    direct.delete_bucket(Bucket="routed-first")


def _published_at(scene, results):
    suite = _Suite(scene, results)
    name = f"routed to {scene.server.name}"
    suite.afresh(f"{name}: test_set_cors", _set_cors)
    for rules, cases in TESTS:
        verdict = lambda case, wrong, said="": suite.verdict(f"{name}: {case}", wrong, said)  # noqa: E731
        suite.afresh(f"{name}: {cases[0].test}: put and delete", _published, rules, cases, verdict)


def _is_served(direct):
    try:
        direct.put_bucket_cors(Bucket=BUCKET, CORSConfiguration={"CORSRules": RULES})
    except ClientError as error:
        if error.response["Error"]["Code"] != "NotImplemented":
            raise
        return True
    direct.delete_bucket_cors(Bucket=BUCKET)
    return False


def _everything(scene, results):
    suite = _Suite(scene, results)
    for kind in TOOLS:
        if not (kind.is_packaged or scene.served):
            # It takes its time, and what it does differs from the others in nothing that a server sees.
            continue
        if reason := kind.missing_tools():
            suite.absent(kind, reason)
        else:
            suite.afresh(f"{kind.name}: put, get and delete", _tool, kind)
    suite.afresh("test_set_cors", _set_cors)
    for rules, cases in TESTS:
        suite.afresh(f"{cases[0].test}: put and delete", _published, rules, cases, suite.verdict)
    if scene.served:
        suite.afresh("values are kept as they are", _verbatim)
        suite.afresh("a replay is refused, a retry succeeds", _replay)
    else:
        suite.afresh("the server keeps the rules", _stays_with_the_server)
    suite.afresh("the rules that stay", lambda scene: scene.put(APP))
    for attempt in ATTEMPTS:
        if attempt.limited and not scene.limited:
            continue
        suite.test(f"refused: {attempt.name}", _attempt, attempt)
