"""The upstream and the proxies that are compared: their configuration, their command, their version."""

import dataclasses
import functools
import getpass
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import origins
from processes import Failed, free_ports, output_of

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
BASE = "nginx"
# What states its version, beside the proxies: nginx and haproxy encrypt with OpenSSL.
TOOLS = {"wrk": ("wrk", "-v"), "h2load": ("h2load", "--version"), "OpenSSL": ("openssl", "version")}
OBJECTS = {"1k": 1 << 10, "16k": 16 << 10, "64k": 64 << 10, "1m": 1 << 20, "10m": 10 << 20, "100m": 100 << 20}
# The rest of a larger one is a hole, which takes no space on the disk.
WRITTEN = 10 << 20
BUILD = 3600


@dataclasses.dataclass(frozen=True)
class Proxy:
    """A proxy that is compared. `command` takes its folder, its ports, and the upstream's port."""

    name: str
    title: str
    command: Callable
    version: tuple = ()
    answers_preflights: bool = True
    speaks_tls: bool = True
    # Its command for a number of threads.
    with_threads: Callable | None = None
    # Its command for a number of rules.
    with_rules: Callable | None = None
    # Where its standard output goes, if not to its log.
    output: Path | None = None

    def can(self, test):
        return (self.answers_preflights or not test.is_preflight) and (self.speaks_tls or not test.is_tls)


class Ports(NamedTuple):
    """Where a proxy listens."""

    plain: int
    tls: int


def free_ports_for(proxies):
    """A pair of ports for each proxy, and one for the upstream."""
    upstream, *ports = free_ports(2 * len(proxies) + 1)
    return upstream, [Ports(*pair) for pair in zip(ports[::2], ports[1::2], strict=True)]


def configure(name, folder, **values):
    """Writes a configuration with the values of this run, and returns its path."""
    text = (HERE / "conf" / name).read_text()
    for key, value in values.items():
        text = text.replace(f"@{key.upper()}@", str(value))
    path = folder / name
    path.write_text(text)
    return path


def nginx_command(folder, configuration, processes="daemon off;"):
    (folder / "temp").mkdir(exist_ok=True)
    # Started by root, its workers would be another user, who cannot read a private folder.
    user = f" user {getpass.getuser()};" if os.getuid() == 0 else ""
    return ["nginx", "-e", "stderr", "-p", f"{folder}/", "-c", configuration, "-g", processes + user]


def upstream(folder, port):
    """The upstream's command, and the objects that it serves."""
    objects = folder / "objects/bench"
    objects.mkdir(parents=True, exist_ok=True)
    for name, size in OBJECTS.items():
        with (objects / name).open("wb") as file:
            file.write(os.urandom(min(size, WRITTEN)))
            file.truncate(size)
    return nginx_command(folder, configure("upstream.conf", folder, port=port))


def certificate(folder):
    """A certificate of its own for the run, and its key, both as files."""
    pair = {"certificate": folder / "tls.crt", "key": folder / "tls.key", "pair": folder / "tls.pem"}
    if not pair["pair"].exists():
        command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=bench"
        names = ["-addext", "subjectAltName=IP:127.0.0.1"]
        files = ["-keyout", pair["key"], "-out", pair["certificate"]]
        output = output_of(*command.split(), *names, *files)
        if not pair["certificate"].exists():
            raise Failed(f"openssl: {output}")
        # haproxy reads both from one file.
        pair["pair"].write_text(pair["certificate"].read_text() + pair["key"].read_text())
    return pair


def values(folder, ports, upstream_port):
    """What every proxy's configuration holds."""
    # All folders are in that of the run.
    return {"port": ports.plain, "tls": ports.tls, "upstream": upstream_port} | certificate(folder.parent)


def nginx(threads, exact=0):
    def command(folder, ports, upstream_port):
        allowed = r'"~^https://[a-z0-9-]+\.example\.com$" $http_origin;'
        if exact:
            (folder / "origins.map").write_text("".join(f'"{each}" $http_origin;\n' for each in origins.exact(exact)))
            allowed = "include origins.map;"
        filled = values(folder, ports, upstream_port) | {"threads": threads, "origins": allowed}
        return nginx_command(folder, configure("nginx.conf", folder, **filled))

    return command


def haproxy(exact=0):
    def command(folder, ports, upstream_port):
        allowed = r"-m reg ^https://[a-z0-9-]+\.example\.com$"
        if exact:
            file = folder / "origins.list"
            file.write_text("".join(f"{each}\n" for each in origins.exact(exact)))
            allowed = f"-m str -f {file}"
        filled = values(folder, ports, upstream_port) | {"origins": allowed}
        return ["haproxy", "-db", "-f", configure("haproxy.cfg", folder, **filled)]

    return command


def bare_pingora(program):
    return lambda _, ports, upstream_port: [program, f"127.0.0.1:{ports.plain}", f"127.0.0.1:{upstream_port}"]


def s3cors(program, access_log, threads, exact=0):
    def command(folder, ports, upstream_port):
        rules = folder / "rules"
        rules.mkdir(exist_ok=True)
        document = configure("bench.xml", rules)
        if exact:
            origins.write_documents(document, exact)
        (admin,) = free_ports(1)
        own = {"admin": admin, "rules": rules, "access": str(access_log).lower(), "threads": threads}
        filled = values(folder, ports, upstream_port) | own
        return [program, "serve", "--config", configure("s3cors.yaml", folder, **filled)]

    return command


def built(what, program, path):
    """Builds a program of the workspace with optimisations, and returns its path."""
    command = ["cargo", "build", "--release", "--locked", "--package", "s3cors-proxy", "--no-default-features", *what]
    subprocess.run(command, cwd=ROOT, check=True, timeout=BUILD)
    metadata = ["cargo", "metadata", "--format-version", "1", "--no-deps", "--locked"]
    target = json.loads(subprocess.run(metadata, cwd=ROOT, check=True, capture_output=True).stdout)["target_directory"]
    return Path(target, "release", path, program)


def chosen(names, s3cors_program, bare_program, access_log):
    """The proxies with these names. Programs of the workspace that were not given are built."""
    proxies = []
    for name in names:
        if name == BASE:
            ruled = functools.partial(nginx, 1)
            proxies.append(Proxy(name, "nginx, tuned", nginx(1), ("nginx", "-v"), with_threads=nginx, with_rules=ruled))
        elif name == "haproxy":
            proxies.append(Proxy(name, "haproxy", haproxy(), ("haproxy", "-v"), with_rules=haproxy))
        elif name == "bare-pingora":
            program = existing(bare_program or built(["--example", "bare-pingora"], "bare-pingora", "examples"))
            proxies.append(
                Proxy(name, "bare Pingora", bare_pingora(program), answers_preflights=False, speaks_tls=False)
            )
        elif name == "s3cors":
            program = existing(s3cors_program or built(["--bin", "s3cors"], "s3cors", "."))
            own = functools.partial(s3cors, program, False)
            ruled = functools.partial(own, 1)
            proxies.append(Proxy(name, "s3cors", own(1), (program, "--version"), with_threads=own, with_rules=ruled))
            if access_log:
                logging = s3cors(program, True, 1)
                proxies.append(Proxy("s3cors-log", "s3cors, access log on", logging, output=Path("/dev/null")))
    return proxies


def named(proxies, name):
    for proxy in proxies:
        if proxy.name == name:
            return proxy
    raise Failed(f"{name} must be among the proxies")


def handshake_client(program):
    """The load generator for handshakes, built if none was given."""
    return existing(program or built(["--example", "bench-handshakes"], "bench-handshakes", "examples"))


def program_of(proxies):
    """The program of s3cors."""
    return named(proxies, "s3cors").version[0]


def existing(program):
    program = Path(program).resolve()
    if not os.access(program, os.X_OK):
        raise Failed(f"{program}: not a program")
    return program


def versions(proxies):
    """The versions of the programs that were compared, and of the load generators."""
    asked = {proxy.name: proxy.version for proxy in proxies if proxy.version}
    asked |= {name: command for name, command in TOOLS.items() if shutil.which(command[0])}
    found = {}
    for name, command in asked.items():
        # The revision too, where a program states it.
        number = re.search(r"\d+\.\d+(?:\.\d+)?(?: \([0-9a-f]{7,}\))?", output_of(*command))
        found[name] = number[0] if number else "unknown"
    if any(proxy.name == "bare-pingora" for proxy in proxies):
        locked = re.search(r'^name = "pingora"\nversion = "(.*)"$', (ROOT / "Cargo.lock").read_text(), re.MULTILINE)
        found["Pingora"] = locked[1] if locked else "unknown"
    return found
