#!/usr/bin/env python3
"""Follows the guides: writes the files that they show, runs their commands, and compares the output with the page.

A fenced block whose first line names a file (```xml rules/photos.xml) is that file. In a ```console block, a line that begins with "$ "
is run by bash in the folder of those files, and the lines below it are the expected output; there, "..." stands for any text. A command
that ends with "&" is a server: the next command runs once it listens. Each page has a network and processes of its own, so that it can
show the usual ports and all of it ends with the page, and can write only to its own folder.

  tests/deploy/guides.py [--write] [PAGE]...     --write updates the pages

The program is in $S3CORS. Other programs come from tests/e2e/install."""

import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGES = sorted((ROOT / "deploy/guides").glob("*.md"))
BLOCK = re.compile(r"^( *)```(\w+)(?: (\S+))?\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", re.MULTILINE)
DEADLINE = 60
# A look into a server's log. The reader who types it is slower than the server, which may write its lines after the response; this program is not.
LOOK = re.compile(r"^grep .*\.log$")
PATIENCE = 5
# Debian's nginx and haproxy are in /usr/sbin, which a user's path may lack.
PATH = f"{os.environ['PATH']}:/usr/sbin"
QUIET = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
# tests/e2e/install builds them only on request, because it takes long.
ON_REQUEST = {"traefik"}
# Says to this program that it is inside the namespaces of a page.
INSIDE = "--inside"

# As root, Chromium needs the first one. The others keep it from looking for hosts that a closed network does not have.
CHROMIUM = "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-sync --disable-component-update"


def blocks(text):
    """Language, file name, content and indent; a block in a list is indented."""
    for indent, language, name, content in BLOCK.findall(text):
        yield language, name, re.sub(f"^{indent}", "", content, flags=re.MULTILINE), indent


def indented(block, indent):
    return re.sub("^(?=.)", indent, block, flags=re.MULTILINE)


def fits(expected, output):
    """Whether an output is the expected one."""
    pattern = ".*".join(re.escape(part) for part in expected.split("..."))
    return re.fullmatch(pattern, output, re.DOTALL) is not None


def installed():
    """What tests/e2e/install has: assignments of the shell."""
    told = subprocess.run([ROOT / "tests/e2e/install"], text=True, stdout=subprocess.PIPE, check=True).stdout
    return dict(shlex.split(line)[0].split("=", 1) for line in told.splitlines())


def programs(folder, tools):
    """A folder with the programs by the names that a reader types; returns the environment of the commands."""
    wanted = {"s3cors": os.environ["S3CORS"], "minio": tools.get("MINIO"), "envoy": tools.get("ENVOY"), "versitygw": tools.get("VERSITYGW")}
    wanted |= {"traefik": tools.get("TRAEFIK")}
    wanted |= {"python3": tools["PYTHON"], "aws": f"{tools['PYTHON']} -m awscli"}
    if chromium := shutil.which("chromium"):
        wanted["chromium"] = f"{chromium} {CHROMIUM}" if os.geteuid() == 0 else chromium
    folder.mkdir()
    for name, command in wanted.items():
        if command:
            script = folder / name
            script.write_text(f'#!/bin/sh\nexec {command} "$@"\n')
            script.chmod(0o755)
    # The last one keeps the AWS CLI from asking the network for keys.
    own = {"HOME": str(folder), "TMPDIR": str(folder), "AWS_EC2_METADATA_DISABLED": "true"}
    return {"PATH": f"{folder}:{PATH}", "LC_ALL": "C.UTF-8", "TZ": "UTC", **own}


def listening():
    """The sockets that listen in this network."""
    tables = (pathlib.Path("/proc/net", name).read_text() for name in ("tcp", "tcp6"))
    lines = (line.split() for table in tables for line in table.splitlines())
    return {line[1] for line in lines if line[3] == "0A"}


class Terminal:
    """A reader's terminal, in the folder of a page's files."""

    def __init__(self, folder, environment):
        self.folder = folder
        self.environment = environment
        self.log = folder.parent / "servers.log"

    def type(self, command):
        """What a command prints."""
        if command.startswith("export "):
            self.environment |= dict(part.split("=", 1) for part in shlex.split(command)[1:])
            return ""
        if command.endswith("&"):
            return self.start(command.removesuffix("&"))
        how = {"text": True, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "stdin": subprocess.DEVNULL}
        try:
            how |= {"cwd": self.folder, "env": self.environment, "timeout": DEADLINE}
            return subprocess.run(["bash", "-c", command], **how).stdout
        except subprocess.TimeoutExpired:
            return f"does not end within {DEADLINE} s\n"

    def look(self, command, expected):
        """What a command finds in a log, once it is there."""
        until = time.monotonic() + PATIENCE
        while not fits(expected, output := self.type(command)) and time.monotonic() < until:
            time.sleep(0.1)
        return output

    def start(self, command):
        """Starts a server. What it prints is not part of the page."""
        before, until = listening(), time.monotonic() + DEADLINE
        with self.log.open("a") as log:
            server = subprocess.Popen(
                ["bash", "-c", command],
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        # Some open their ports one after the other: wait until no more come.
        now, then = before, None
        while now <= before or now != then:
            if server.poll() is not None or time.monotonic() > until:
                return f"does not listen:\n{self.log.read_text()}"
            time.sleep(0.25)
            now, then = listening(), now
        return ""


def follow(page, place, write):
    """Runs a page in a folder; returns how many commands it has and what is wrong with it."""
    text, run, wrong = page.read_text(), 0, []
    folder = place / "page"
    folder.mkdir()
    terminal = Terminal(folder, programs(place / "bin", dict(os.environ)))
    for _, name, block, _ in blocks(text):
        if name:
            file = folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(block)
    for language, _, block, indent in blocks(text):
        if language != "console":
            continue
        shown = ""
        for command, expected in COMMAND.findall(block):
            run += 1
            output = terminal.look(command, expected) if LOOK.match(command) else terminal.type(command)
            shown += f"$ {command}\n{expected if fits(expected, output) else output}"
        if shown != block and write:
            text = text.replace(indented(block, indent), indented(shown, indent))
            page.write_text(text)
        elif shown != block:
            log = terminal.log.read_text()[-4000:] if terminal.log.exists() else ""
            wrong.append(f"{page.relative_to(ROOT)} says:\n{block}but the output is:\n{shown}{log}")
    return run, wrong


def lacking(page):
    """The programs of a page that are not there."""
    commands = [
        command
        for language, _, block, _ in blocks(page.read_text())
        for command, _ in COMMAND.findall(block)
        if language == "console"
    ]
    first = {re.sub(r"^(\w+=\S+ )+", "", command).split()[0] for command in commands}
    needed = {name for name in first - {"s3cors", "aws", "python3"} if not os.environ.get(name.upper())}
    # bash knows its own words, too.
    known = {name: subprocess.run(["bash", "-c", f"PATH=$1; type {name}", "bash", PATH], **QUIET) for name in needed}
    return sorted(name for name, done in known.items() if done.returncode != 0)


# Everything is read-only but the folder of the page, and the pages themselves where they are to be written. Debian's nginx makes its folders
# for temporary files when it first starts, which may be here.
NAMESPACE = """ip link set lo up
[ ! -d /var/lib/nginx ] || mount -t tmpfs -o mode=755 nginx /var/lib/nginx
while [ "$1" != -- ]; do mount --bind "$1" "$1"; shift; done
mount -o remount,bind,ro /
shift
exec "$@" """


def alone(*command, **options):
    """Runs a command with a network, processes and mounts of its own; as another user than root, as root of a namespace."""
    user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    unshare = ["unshare", *user, "--net", "--pid", "--fork", "--kill-child", "--mount", "--mount-proc"]
    return subprocess.run([*unshare, *command], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options)


def follow_alone(page, options):
    """Whether a page is right, and what to print about it."""
    if absent := lacking(page):
        return os.environ.get("CI") != "true" or ON_REQUEST.issuperset(absent), f"{page.relative_to(ROOT)}: not followed without {', '.join(absent)}\n"
    with tempfile.TemporaryDirectory() as place:
        writable = [place, *([page.parent] if "--write" in options else [])]
        inside = [sys.executable, __file__, INSIDE, *options, page, place]
        command = ["sh", "-euc", NAMESPACE, "sh", *writable, "--", *inside]
        done = alone(*command, env=os.environ | {"TMPDIR": place})
        return done.returncode == 0, done.stdout


def main():
    options = [argument for argument in sys.argv[1:] if argument.startswith("--")]
    paths = [pathlib.Path(argument).resolve() for argument in sys.argv[1:] if argument not in options]
    if INSIDE in options:
        page, place = paths
        run, wrong = follow(page, place, "--write" in options)
        print(*wrong, f"{page.relative_to(ROOT)}: {run} commands run", sep="\n")
        sys.exit(bool(wrong))
    if alone("true").returncode != 0:
        print("not followed: this user may not make namespaces")
        sys.exit(os.environ.get("CI") == "true")
    os.environ |= installed()
    right = True
    # Most of the time a page waits for its servers.
    with ThreadPoolExecutor(max_workers=3) as pool:
        for good, told in pool.map(lambda page: follow_alone(page, options), paths or PAGES):
            right &= good
            print(told, end="", flush=True)
    sys.exit(not right)


main()
