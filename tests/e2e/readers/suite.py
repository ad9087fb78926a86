"""What HEAD on a link for GET comes to in front of each server, alone and for DuckDB, which reads ranges of a Parquet file."""

import contextlib
from pathlib import Path

import duckdb
import duckdb_extension_httpfs
import urllib3

from clients.boto3_sdk import connect
from harness.proxy import proxy

SUITE = "range readers"
BUCKET = "clients"
METADATA = {"ContentType": "application/vnd.apache.parquet", "CacheControl": "max-age=60", "Metadata": {"note": "a"}}
ROWS = 100_000
# Of each response or of the range, not of the object.
OWN = {"connection", "content-range", "date", "vary", "x-amz-id-2", "x-amz-request-id"}
POOL = urllib3.PoolManager(retries=False)


def _head(url):
    """The status and the object's headers."""
    answer = POOL.request("HEAD", url)
    headers = {name.lower(): value for name, value in answer.headers.items()}
    return answer.status, {name: value for name, value in headers.items() if not name.startswith("x-ratelimit")}


def _differences(by_get, as_head):
    """How the headers of the two responses differ."""
    names = (by_get.keys() | as_head.keys()) - OWN
    # A range has no checksum of the whole.
    names -= {name for name in names if name.startswith(("access-control-", "x-amz-checksum-"))}
    return {name: (by_get.get(name), as_head.get(name)) for name in names if by_get.get(name) != as_head.get(name)}


class _Scene:
    """A server with two objects, and s3cors in front of it in both ways."""

    def __init__(self, server, as_signed, by_get):
        self.server, self.as_signed, self.by_get = server, as_signed, by_get
        self.direct = connect(server, server.url)

    def store(self, file):
        self.direct.put_object(Bucket=BUCKET, Key="table.parquet", Body=file.read_bytes(), **METADATA)
        self.direct.put_object(Bucket=BUCKET, Key="empty", Body=b"")

    def link(self, url, key="table.parquet", operation="get_object"):
        return connect(self.server, url).generate_presigned_url(operation, {"Bucket": BUCKET, "Key": key})

    def head_is_rejected_as_signed(self):
        status, _ = _head(self.link(self.as_signed.url))
        assert status == 403, status

    def head_by_get_says_what_head_says(self):
        status, by_get = _head(self.link(self.by_get.url))
        direct, as_head = _head(self.link(self.server.url, operation="head_object"))
        assert (status, direct) == (200, 200), (status, direct)
        assert not (found := _differences(by_get, as_head)), found

    def an_empty_object_has_a_length(self):
        status, headers = _head(self.link(self.by_get.url, "empty"))
        assert (status, headers.get("content-length")) == (200, "0"), (status, headers)

    def a_wrong_key_stays_rejected(self):
        link = self.link(self.by_get.url)
        status, _ = _head(link[:-4] + "0000")
        assert status == 403, status

    def duckdb_reads_a_parquet_file(self):
        def heads(code):
            return self.by_get.metric("s3cors_http_requests_total", method="HEAD", code=code)

        before = heads("200"), heads("403")
        with contextlib.closing(duckdb.connect(config={"autoinstall_known_extensions": False})) as reader:
            # Signed by DuckDB, and in a package of its own: nothing is downloaded while the test runs.
            (extension,) = Path(duckdb_extension_httpfs.__file__).parent.rglob("httpfs.duckdb_extension")
            reader.execute(f"LOAD '{extension}'")
            query = "SELECT count(*), sum(number), max(text) FROM read_parquet(?)"
            rows = reader.execute(query, [self.link(self.by_get.url)]).fetchall()
        assert rows == [(ROWS, ROWS * (ROWS - 1) // 2, f"row {ROWS - 1}")], rows
        after = heads("200"), heads("403")
        assert after[0] > before[0] and after[1] == before[1], (before, after)


CASES = (
    _Scene.head_is_rejected_as_signed,
    _Scene.head_by_get_says_what_head_says,
    _Scene.an_empty_object_has_a_length,
    _Scene.a_wrong_key_stays_rejected,
    _Scene.duckdb_reads_a_parquet_file,
)


def run(server, rules, as_signed, results):
    """All cases; `as_signed` is s3cors with its defaults."""
    file = rules.parent / "table.parquet"
    numbers = f"SELECT range AS number, 'row ' || lpad(range::VARCHAR, 5, ' ') AS text FROM range({ROWS})"
    with contextlib.closing(duckdb.connect()) as writer:
        writer.execute(f"COPY ({numbers}) TO '{file}' (FORMAT parquet, ROW_GROUP_SIZE 10000)")
    config = "presigned: {head: by_get}\n"
    with proxy(f"s3cors-{server.name}-by-get", rules, server.url, config) as by_get:
        scene = _Scene(server, as_signed, by_get)
        scene.store(file)
        for case in CASES:
            name = case.__name__.replace("_", " ")
            try:
                case(scene)
                results.passed(server.name, SUITE, name)
            except (AssertionError, duckdb.Error, urllib3.exceptions.HTTPError) as error:
                results.failed(server.name, SUITE, name, repr(error))
    for key in ("table.parquet", "empty"):
        scene.direct.delete_object(Bucket=BUCKET, Key=key)
