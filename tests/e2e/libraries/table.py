"""The libraries: what each reads or writes, what comes of it, and the rules that it has to work with."""

import dataclasses
from typing import Any


@dataclasses.dataclass(frozen=True)
class Library:
    """A page of `pages/`, and the client of `s3cors check --profile` that it is."""

    page: str
    package: str
    profile: str
    expected: dict[str, Any]
    objects: tuple[str, ...] = ()
    # Of which it reads ranges, not the whole.
    ranges_of: str | None = None
    # Whether it begins with the whole and turns to ranges when it sees that there are some.
    begins_whole: bool = False
    # For which the page gets links with a signature.
    links: tuple[str, ...] = ()
    # What becomes of HEAD on a link for GET: `presigned.head`.
    head: str = "by_get"
    # What the page is told with the rules of the profile, and what more comes of an option.
    options: dict[str, Any] = dataclasses.field(default_factory=dict)
    expected_more: dict[str, dict[str, Any]] = dataclasses.field(default_factory=dict)
    # What its profile may lack: headers of a request that no browser of today asks permission for, and of a response that it works
    # without.
    sends_too: tuple[str, ...] = ()
    reads_too: tuple[str, ...] = ()
    # The documents of conf/rules that are for it, and what the page is told then.
    shipped: dict[str, dict[str, Any]] = dataclasses.field(default_factory=dict)

    @property
    def name(self):
        name = self.package or "no library"
        return name if self.head == "by_get" else f"{name}, its HEAD rejected"

    def result(self, options):
        """What comes of it."""
        more = (self.expected_more.get(option, {}) for option in options)
        return self.expected | {name: value for result in more for name, value in result.items()}


PUBLIC = {"public-read.xml": {}}
UPLOADS = {"uploads.xml": {}}
ROWS = [10_000, 99_999]
READ = {"whole": 10_000, "range": "0123456789", "length": 10_000, "etags": [True, True]}
FILES = {"names": ["noise.bin", "hello.txt", "more.bin"], "text": "Hello from a zip file."}

LIBRARIES = (
    Library(
        page="hls",
        package="hls.js",
        profile="hls",
        objects=("playlist.m3u8", "silence.aac"),
        ranges_of="silence.aac",
        options={"cmcd": True},
        expected={"seconds": 4},
        shipped=PUBLIC | {"media.json": {}},
    ),
    Library(
        page="shaka-player",
        package="shaka-player",
        profile="hls",
        objects=("playlist.m3u8", "silence.aac"),
        ranges_of="silence.aac",
        options={"cmcd": True},
        expected={"segments": 2},
        shipped=PUBLIC | {"media.json": {}},
    ),
    Library(
        page="pdfjs",
        package="pdfjs-dist",
        profile="pdfjs",
        objects=("document.pdf",),
        ranges_of="document.pdf",
        begins_whole=True,
        # A document that is compressed has a length that says nothing of its ranges.
        reads_too=("content-encoding",),
        expected={"text": "This is page 7."},
        shipped=PUBLIC,
    ),
    Library(
        page="pmtiles",
        package="pmtiles",
        profile="pmtiles",
        objects=("map.pmtiles",),
        ranges_of="map.pmtiles",
        # The second one is of the map that replaced the first.
        expected={"before": [1, 0], "after": [2, 1]},
        shipped=PUBLIC | {"media.json": {}},
    ),
    Library(
        page="duckdb-wasm",
        package="@duckdb/duckdb-wasm",
        profile="duckdb-wasm",
        objects=("table.parquet",),
        links=("table.parquet",),
        ranges_of="table.parquet",
        options={"write": True},
        expected={"plain": ROWS, "signed": ROWS, "withKeys": ROWS},
        expected_more={"write": {"written": 42}},
        shipped=PUBLIC,
    ),
    Library(
        page="hyparquet",
        package="hyparquet",
        profile="range-reader",
        objects=("table.parquet",),
        links=("table.parquet",),
        ranges_of="table.parquet",
        expected={"plain": [50_000, 50_001], "signed": [50_000, 50_001]},
        shipped=PUBLIC,
    ),
    # Its HEAD on the signed link is rejected, so it learns the length from a range.
    Library(
        page="hyparquet",
        package="hyparquet",
        profile="range-reader",
        objects=("table.parquet",),
        links=("table.parquet",),
        head="as_signed",
        ranges_of="table.parquet",
        expected={"plain": [50_000, 50_001], "signed": [50_000, 50_001]},
        shipped=PUBLIC,
    ),
    Library(
        page="unzipit",
        package="unzipit",
        profile="range-reader",
        objects=("files.zip",),
        ranges_of="files.zip",
        expected=FILES,
        shipped=PUBLIC,
    ),
    Library(
        page="sql-js-httpvfs",
        package="sql.js-httpvfs",
        profile="range-reader",
        objects=("rows.sqlite",),
        ranges_of="rows.sqlite",
        # As PDF.js.
        reads_too=("content-encoding",),
        expected={"rows": [{"text": "row  4321" + "." * 90}]},
        shipped=PUBLIC,
    ),
    Library(
        page="zip-js",
        package="@zip.js/zip.js",
        profile="zip.js",
        objects=("files.zip",),
        ranges_of="files.zip",
        expected=FILES,
        shipped=PUBLIC,
    ),
    Library(
        page="zarrita",
        package="zarrita",
        profile="zarrita",
        objects=("*.zarr/*",),
        ranges_of="shards.zarr/c/1/0",
        expected={name: [2112, 2113, 2114] for name in ("chunks", "shards", "suffix")},
        shipped=PUBLIC,
    ),
    Library(
        page="geotiff",
        package="geotiff",
        profile="geotiff",
        objects=("image.tif",),
        ranges_of="image.tif",
        expected={"size": [512, 512], "pixels": [44, 44, 45, 45]},
        shipped=PUBLIC,
    ),
    Library(
        page="aws4fetch",
        package="aws4fetch",
        profile="aws4fetch",
        expected={"read": {"a": 1}, "reader": {"a": 1}},
        shipped=UPLOADS,
    ),
    Library(
        page="uppy",
        package="@uppy/aws-s3",
        profile="uppy",
        expected={"whole": 1, "form": 1, "parts": 1, "resumed": 1},
        shipped=UPLOADS,
    ),
    Library(
        page="aws-sdk-js-v3",
        package="@aws-sdk/client-s3",
        profile="aws-sdk-js-v3",
        objects=("text.txt",),
        options={"multipart": True},
        # Of a GetObject with a Range, which is the application's own.
        sends_too=("range",),
        expected=READ,
        expected_more={"multipart": {"parts": "parts.bin", "aborted": "AbortError"}},
        # Without POST there is no upload in parts.
        shipped={"uploads.xml": {"multipart": True}, "environments.xml": {}},
    ),
    Library(
        page="embed",
        package="",
        profile="embed",
        objects=("pixel.png", "sound.wav", "font.woff2", "module.js"),
        expected={"pixel": [255, 0, 0, 255], "seconds": 1, "font": "loaded", "answer": 42},
        shipped=PUBLIC | {"media.json": {}},
    ),
)
