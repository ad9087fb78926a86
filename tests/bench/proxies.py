"""The upstream and the proxies that are compared: their configuration, their command, their version."""

import dataclasses
import getpass
import json
import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

from processes import Failed, free_ports, output_of

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
BASE = "nginx"
OBJECTS = {"1k": 1 << 10, "64k": 64 << 10, "10m": 10 << 20}
BUILD = 3600


@dataclasses.dataclass(frozen=True)
class Proxy:
    """A proxy that is compared. `command` takes its folder, its port, and the upstream's port."""

    name: str
    title: str
    command: Callable
    version: tuple = ()
    answers_preflights: bool = True
    # Where its standard output goes, if not to its log.
    output: Path | None = None


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
        (objects / name).write_bytes(os.urandom(size))
    return nginx_command(folder, configure("upstream.conf", folder, port=port))


def nginx(folder, port, upstream_port):
    return nginx_command(folder, configure("nginx.conf", folder, port=port, upstream=upstream_port))


def haproxy(folder, port, upstream_port):
    return ["haproxy", "-db", "-f", configure("haproxy.cfg", folder, port=port, upstream=upstream_port)]


def bare_pingora(program):
    return lambda _, port, upstream_port: [program, f"127.0.0.1:{port}", f"127.0.0.1:{upstream_port}"]


def s3cors(program, access_log):
    def command(folder, port, upstream_port):
        rules = folder / "rules"
        rules.mkdir(exist_ok=True)
        configure("bench.xml", rules)
        (admin,) = free_ports(1)
        access = str(access_log).lower()
        values = {"port": port, "admin": admin, "upstream": upstream_port, "rules": rules, "access": access}
        return [program, "serve", "--config", configure("s3cors.yaml", folder, **values)]

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
            proxies.append(Proxy(name, "nginx, tuned", nginx, ("nginx", "-v")))
        elif name == "haproxy":
            proxies.append(Proxy(name, "haproxy", haproxy, ("haproxy", "-v")))
        elif name == "bare-pingora":
            program = existing(bare_program or built(["--example", "bare-pingora"], "bare-pingora", "examples"))
            proxies.append(Proxy(name, "bare Pingora", bare_pingora(program), answers_preflights=False))
        elif name == "s3cors":
            program = existing(s3cors_program or built(["--bin", "s3cors"], "s3cors", "."))
            proxies.append(Proxy(name, "s3cors", s3cors(program, False), (program, "--version")))
            if access_log:
                logging = s3cors(program, True)
                proxies.append(Proxy("s3cors-log", "s3cors, access log on", logging, output=Path("/dev/null")))
    return proxies


def existing(program):
    program = Path(program).resolve()
    if not os.access(program, os.X_OK):
        raise Failed(f"{program}: not a program")
    return program


def versions(proxies):
    """The versions of the programs that were compared, and of the load generator."""
    asked = {proxy.name: proxy.version for proxy in proxies if proxy.version} | {"wrk": ("wrk", "-v")}
    found = {}
    for name, command in asked.items():
        # The revision too, where a program states it.
        number = re.search(r"\d+\.\d+(?:\.\d+)?(?: \([0-9a-f]{7,}\))?", output_of(*command))
        found[name] = number[0] if number else "unknown"
    if any(proxy.name == "bare-pingora" for proxy in proxies):
        locked = re.search(r'^name = "pingora"\nversion = "(.*)"$', (ROOT / "Cargo.lock").read_text(), re.MULTILINE)
        found["Pingora"] = locked[1] if locked else "unknown"
    return found
