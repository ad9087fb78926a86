#!/usr/bin/env python3
"""Every image that deploy/ names has a source in deploy/images.txt, with its registry, and deploy/pin pins it.

In CI the registries are asked whether they still have the images; elsewhere the registry is one on loopback."""

import hashlib
import http.server
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import threading

ROOT = pathlib.Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
# Where files name an image: a key, with the default of a variable of Compose; a base image; a path with a tag, wherever it is.
NAMED = [
    re.compile(r"^[ #-]*(?:\w*[iI]mage|newName|repository): *[\"']?(?:\$\{\w+:?-)?([^\s\"'{}]+)", re.MULTILINE),
    re.compile(r"^(?:ARG BUILDER=|FROM )(?!scratch$)([^\s$]+)", re.MULTILINE),
    re.compile(r"(?<![\w./:-])([a-z0-9.-]+(?:/[a-z0-9._-]+)+:(?:latest|v?\d|RELEASE)[\w.-]*(?:@sha256:[0-9a-f]{64})?)"),
]
# The name of this repository's own image in the files: tests/deploy/files.py compares its versions.
OWN = re.compile(r"(?:registry\.example\.com/)?s3cors(?::[\d.]+)?")
QUALIFIED = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)+/[a-z0-9._/-]+:[\w.-]+(?:@sha256:[0-9a-f]{64})?")
TAG = "127.0.0.1:{port}/owner/name:1.0"
MANIFEST = b'{"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": []}'


def tracked():
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", "deploy"]
    names = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines()
    # The dashboard's panels have no images, and 60 KB.
    return [name for name in names if not name.endswith((".json", "images.txt", "deploy/pin")) and (ROOT / name).is_file()]


def images(text):
    """The images that a text names."""
    return {found.rstrip(".:,") for pattern in NAMED for found in pattern.findall(text)}


def sources():
    """The images of the list, with their sources."""
    lines = [line for line in (DEPLOY / "images.txt").read_text().splitlines() if line and not line.startswith("#")]
    return dict((line.split(maxsplit=1) + [""])[:2] for line in lines)


def unlisted(named, listed):
    """What is wrong with the images that the files name."""
    for image, files in sorted(named.items()):
        if OWN.fullmatch(image):
            continue
        where = ", ".join(sorted(files))
        if image not in listed:
            yield f"{image} ({where}): no source in deploy/images.txt"
    for image, source in listed.items():
        if not QUALIFIED.fullmatch(image):
            yield f"deploy/images.txt: {image}: name the registry and the tag"
        if not source.startswith("https://") and not (ROOT / source).is_file():
            yield f"deploy/images.txt: {image}: {source or 'nothing'} is no source"
        if image not in named and not OWN.fullmatch(image):
            yield f"deploy/images.txt: {image}: no file names it"


class Registry(http.server.BaseHTTPRequestHandler):
    """A registry that wants a token, as the public ones do, and has one image."""

    def do_GET(self):
        host = self.headers["Host"]
        if self.path.startswith("/token?"):
            return self.respond(200, b'{"token": "let-me"}')
        if self.headers.get("Authorization") != "Bearer let-me":
            challenge = f'Bearer realm="http://{host}/token",service="{host}",scope="repository:owner/name:pull"'
            return self.respond(401, b"{}", {"WWW-Authenticate": challenge})
        if self.path != "/v2/owner/name/manifests/1.0" or "image.index" not in self.headers["Accept"]:
            return self.respond(404, b"{}")
        return self.respond(200, MANIFEST, {"Docker-Content-Digest": f"sha256:{hashlib.sha256(MANIFEST).hexdigest()}"})

    def respond(self, status, body, headers=None):
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def check_pin():
    """deploy/pin writes the digest to each file, again after a change, and fails for an image that is gone."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Registry)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as place:
        folder = pathlib.Path(place, "deploy")
        folder.mkdir()
        shutil.copy(DEPLOY / "pin", folder)
        image = TAG.format(port=server.server_port)
        listed, named = folder / "images.txt", folder / "compose.yaml"
        listed.write_text(f"# a comment\n{image} https://example.com/\nregistry.example.com/s3cors:0.1.0 deploy/Dockerfile\n")
        named.write_text(f"image: ${{IMAGE:-{image}}}\nother: {image}.1\n")
        pinned = f"{image}@sha256:{hashlib.sha256(MANIFEST).hexdigest()}"

        def run(*options):
            environment = os.environ | {"no_proxy": "127.0.0.1"}
            return subprocess.run([sys.executable, folder / "pin", *options], capture_output=True, text=True, env=environment)

        assert run("--check").returncode == 0, "an image without a digest is no error"
        assert image in named.read_text() and pinned not in named.read_text(), "--check wrote a file"
        for _ in range(2):
            done = run()
            assert done.returncode == 0, done.stdout + done.stderr
            assert named.read_text() == f"image: ${{IMAGE:-{pinned}}}\nother: {image}.1\n", named.read_text()
            assert f"{pinned} https://example.com/" in listed.read_text(), listed.read_text()
        listed.write_text(listed.read_text().replace("@sha256:", "@sha256:" + "0" * 8)[:-1].replace(pinned[-8:] + " ", " "))
        done = run("--check")
        assert done.returncode == 1 and "run deploy/pin" in done.stdout, done.stdout + done.stderr
        listed.write_text(f"{image.replace('name', 'gone')} https://example.com/\n")
        done = run("--check")
        assert done.returncode == 1 and "gone, renamed or private" in done.stdout, done.stdout + done.stderr
        server.shutdown()
        server.server_close()
        done = run("--check")
        assert done.returncode == 75, f"{done.returncode}: {done.stdout}{done.stderr}"


def main():
    named = {}
    for name in tracked():
        for image in images((ROOT / name).read_text()):
            named.setdefault(image, set()).add(name)
    listed = sources()
    wrong = list(unlisted(named, listed))
    check_pin()
    if os.environ.get("CI") == "true":
        done = subprocess.run([DEPLOY / "pin", "--check"], capture_output=True, text=True)
        print(done.stdout, end="")
        # A registry that does not answer says nothing about its images.
        if done.returncode not in (0, 75):
            wrong.append("an image is gone, or is not the pinned one")
    print(*wrong, f"{len(listed)} images", sep="\n")
    sys.exit(bool(wrong))


main()
