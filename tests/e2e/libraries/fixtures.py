"""The objects that the libraries read: small files of each kind, made here, larger than what a library reads of them."""

import base64
import contextlib
import dataclasses
import io
import itertools
import json
import os
import random
import sqlite3
import struct
import wave
import zipfile
from pathlib import Path

import duckdb

KIB = 1024
ROWS = 100_000
FONT = "@fontsource/abel/files/abel-latin-400-normal.woff2"
# The same in each run. Nothing compresses it, so no file becomes small enough to be read at once.
NOISE = random.Random(1)


def _parquet(folder):
    """The file of the range readers, larger: ten row groups of text that does not compress."""
    file = folder / "table.parquet"
    rows = f"SELECT range AS number, md5(range::VARCHAR) AS text FROM range({ROWS})"
    with contextlib.closing(duckdb.connect()) as writer:
        writer.execute(f"COPY ({rows}) TO '{file}' (FORMAT parquet, ROW_GROUP_SIZE 10000)")
    return file.read_bytes()


def _sqlite(folder):
    """Ten thousand rows, found by their number."""
    file = folder / "rows.sqlite"
    with contextlib.closing(sqlite3.connect(file)) as writer:
        writer.execute("CREATE TABLE rows (number INTEGER PRIMARY KEY, text TEXT)")
        writer.executemany("INSERT INTO rows VALUES (?, ?)", ((n, f"row {n:5}" + "." * 90) for n in range(10_000)))
        writer.commit()
    return file.read_bytes()


def _zip():
    """A short text behind a long file."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("noise.bin", NOISE.randbytes(512 * KIB))
        archive.writestr("hello.txt", "Hello from a zip file.")
        archive.writestr("more.bin", NOISE.randbytes(256 * KIB))
    return packed.getvalue()


def _pdf():
    """Twelve pages with a line of text each (PDF 1.7, 7.5: header, objects, table of their places, trailer)."""
    pages = range(1, 13)
    objects = {1: b"<< /Type /Catalog /Pages 2 0 R >>"}
    kids = " ".join(f"{2 * page + 2} 0 R" for page in pages)
    objects[2] = f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode()
    objects[3] = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"
    for page in pages:
        resources = "/Resources << /Font << /F1 3 0 R >> >>"
        objects[2 * page + 2] = (
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] {resources} /Contents {2 * page + 3} 0 R >>".encode()
        )
        text = f"BT /F1 24 Tf 72 700 Td (This is page {page}.) Tj ET\n%".encode() + b"x" * (150 * KIB)
        objects[2 * page + 3] = b"<< /Length %d >>\nstream\n%b\nendstream" % (len(text), text)
    out, places = io.BytesIO(b"%PDF-1.7\n"), {}
    out.seek(0, io.SEEK_END)
    for number in sorted(objects):
        places[number] = out.tell()
        out.write(b"%d 0 obj\n%b\nendobj\n" % (number, objects[number]))
    table = out.tell()
    out.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1))
    out.writelines(b"%010d 00000 n \n" % places[number] for number in sorted(objects))
    out.write(b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, table))
    return out.getvalue()


def pmtiles(first):
    """Zoom 0 and 1, five tiles that begin with this byte (PMTiles 3: header of 127 bytes, directory, metadata, tiles)."""
    tiles = [bytes([first, number]) + NOISE.randbytes(64 * KIB) for number in range(5)]

    def varint(value):
        while value >= 0x80:
            yield value & 0x7F | 0x80
            value >>= 7
        yield value

    ids = [0, *([1] * 4)]
    columns = [len(tiles)], ids, [1] * len(tiles), [len(tile) for tile in tiles], [1, 0, 0, 0, 0]
    directory = bytes(itertools.chain.from_iterable(varint(value) for column in columns for value in column))
    metadata = b"{}"
    # Behind the first 16 KiB, which are read at once.
    data = 32 * KIB
    places = [127, len(directory), 127 + len(directory), len(metadata), 0, 0, data, sum(map(len, tiles)), 5, 5, 5]
    world = [-1_800_000_000, -850_000_000, 1_800_000_000, 850_000_000]
    # Clustered, not compressed, tiles of an unknown type, zoom 0 to 1; the center.
    header = struct.pack("<7sB11Q6B4iB2i", b"PMTiles", 3, *places, 1, 1, 1, 0, 0, 1, *world, 0, 0, 0)
    return (header + directory + metadata).ljust(data, b"\0") + b"".join(tiles)


def _tiff():
    """512 by 512 gray pixels, each the number of its row modulo 256, in strips of 16 rows (TIFF 6.0)."""
    side, rows = 512, 16
    strips = side // rows
    # Tag, type (3 is 16 bits, 4 is 32 bits), count, value or its place.
    fields = 8
    arrays = 8 + 2 + fields * 12 + 4
    pixels = arrays + strips * 8
    entries = [
        (256, 3, 1, side),
        (257, 3, 1, side),
        (258, 3, 1, 8),
        (259, 3, 1, 1),
        (262, 3, 1, 1),
        (273, 4, strips, arrays),
        (278, 3, 1, rows),
        (279, 4, strips, arrays + strips * 4),
    ]
    out = struct.pack("<2sHIH", b"II", 42, 8, len(entries))
    out += b"".join(struct.pack("<HHII", *entry) for entry in entries) + bytes(4)
    out += struct.pack(f"<{strips}I", *(pixels + strip * rows * side for strip in range(strips)))
    out += struct.pack(f"<{strips}I", *[rows * side] * strips)
    return out + b"".join(bytes([row % 256]) * side for row in range(side))


def _zarr():
    """Two arrays of 64 by 64 numbers, 0 to 4095 (Zarr 3): one in four chunks, one in four shards of four chunks each."""
    little = {"name": "bytes", "configuration": {"endian": "little"}}
    sharded = {"chunk_shape": [16, 16], "codecs": [little], "index_codecs": [little], "index_location": "end"}

    def about(codecs):
        return json.dumps(
            {
                "zarr_format": 3,
                "node_type": "array",
                "shape": [64, 64],
                "data_type": "uint16",
                "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [32, 32]}},
                "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
                "fill_value": 0,
                "codecs": codecs,
                "attributes": {},
            }
        ).encode()

    def block(row, column, side):
        values = [(row + y) * 64 + column + x for y in range(side) for x in range(side)]
        return struct.pack(f"<{len(values)}H", *values)

    files = {"chunks.zarr/zarr.json": about([little])}
    files["shards.zarr/zarr.json"] = about([{"name": "sharding_indexed", "configuration": sharded}])
    for y, x in itertools.product(range(2), repeat=2):
        files[f"chunks.zarr/c/{y}/{x}"] = block(y * 32, x * 32, 32)
        inner = [block(y * 32 + a * 16, x * 32 + b * 16, 16) for a, b in itertools.product(range(2), repeat=2)]
        index = b"".join(struct.pack("<QQ", number * len(part), len(part)) for number, part in enumerate(inner))
        files[f"shards.zarr/c/{y}/{x}"] = b"".join(inner) + index
    return files


def _hls():
    """Two segments of two seconds that are ranges of one file of silence: frames of AAC in ADTS, 44100 Hz, one channel."""
    silence = bytes.fromhex("00c800802380")
    length = len(silence) + 7
    head = bytes([0xFF, 0xF1, 0x50, 0x40 | length >> 11, length >> 3 & 0xFF, (length & 7) << 5 | 0x1F, 0xFC])
    segment = (head + silence) * 86
    seconds = 86 * 1024 / 44100
    size = len(segment)
    lines = ["#EXTM3U", "#EXT-X-VERSION:4", "#EXT-X-TARGETDURATION:2", "#EXT-X-PLAYLIST-TYPE:VOD"]
    for number in range(2):
        lines += [f"#EXTINF:{seconds:.3f},", f"#EXT-X-BYTERANGE:{size}@{number * size}", "silence.aac"]
    return {"playlist.m3u8": "\n".join([*lines, "#EXT-X-ENDLIST", ""]).encode(), "silence.aac": segment * 2}


def _wav():
    """A second of silence, which every browser can play."""
    packed = io.BytesIO()
    with wave.open(packed, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(1)
        sound.setframerate(8000)
        sound.writeframes(b"\x80" * 8000)
    return packed.getvalue()


# One pixel, red.
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg=="
)


# Long enough for a browser to answer a range from an object that it has.
KEPT = "max-age=60"
# PDF.js begins with the whole, and stops it. Where that was too late, the browser would answer the ranges from its cache.
NOT_KEPT = "no-store"


@dataclasses.dataclass(frozen=True)
class Object:
    """As it is stored."""

    data: bytes
    kind: str = "application/octet-stream"
    cache: str | None = None

    def settings(self):
        """For boto3."""
        cache = {"CacheControl": self.cache} if self.cache else {}
        return {"Body": self.data, "ContentType": self.kind, **cache}


def make(folder):
    """All of them, by name."""
    hls = _hls()
    return {
        "table.parquet": Object(_parquet(folder)),
        "rows.sqlite": Object(_sqlite(folder)),
        "files.zip": Object(_zip(), "application/zip"),
        "document.pdf": Object(_pdf(), "application/pdf", NOT_KEPT),
        "map.pmtiles": Object(pmtiles(1)),
        "image.tif": Object(_tiff(), "image/tiff"),
        **{name: Object(data) for name, data in _zarr().items()},
        "playlist.m3u8": Object(hls["playlist.m3u8"], "application/vnd.apple.mpegurl"),
        "silence.aac": Object(hls["silence.aac"], "audio/aac"),
        "sound.wav": Object(_wav(), "audio/wav"),
        "pixel.png": Object(PIXEL, "image/png"),
        "font.woff2": Object((Path(os.environ["NODE_PATH"]) / FONT).read_bytes(), "font/woff2"),
        "module.js": Object(b"export const answer = 42;", "text/javascript"),
        "text.txt": Object(b"0123456789" * 1000, "text/plain", KEPT),
    }
