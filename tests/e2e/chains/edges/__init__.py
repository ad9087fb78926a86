"""The proxies in front of s3cors, one file each: what they are started with, and on which ports they accept clients."""

import contextlib
import dataclasses
from pathlib import Path

from harness.processes import connects, eventually, free_port, running

# Where HAProxy connects from, as the first of two proxies: an address of its own.
FIRST_HOP = "127.0.0.8"


class Ports:
    """Ports by name, each chosen when it is first asked for."""

    def __init__(self):
        self._chosen = {}

    def __getitem__(self, name):
        while name not in self._chosen:
            # One that is chosen and not in use yet is still free.
            if (port := free_port()) not in self._chosen.values():
                self._chosen[name] = port
        return self._chosen[name]

    def all(self):
        return tuple(self._chosen.values())


@dataclasses.dataclass(frozen=True)
class Certificate:
    """A certificate for 127.0.0.1 with its key, as two files and as one."""

    certificate: Path
    key: Path
    both: Path


@dataclasses.dataclass(frozen=True)
class Place:
    """What a proxy's configuration needs to know."""

    folder: Path
    tls: Certificate
    # The listeners of s3cors, and of this proxy and of those before and after it.
    ports: Ports


def by_name():
    """The modules of all proxies, in the order of the chains."""
    from chains.edges import caddy, envoy, haproxy, nginx

    return {"nginx": nginx, "haproxy": haproxy, "caddy": caddy, "envoy": envoy}


@contextlib.contextmanager
def started(module, name, place):
    """A proxy for as long as the block runs."""
    file = place.folder / module.FILE
    file.write_text(module.configuration(place))
    with running(f"{name}-{module.NAME}", *module.command(file)) as process:
        for frontend in module.FRONTENDS:
            port = place.ports[frontend]
            eventually(f"{module.NAME} accepts connections", lambda port=port: connects(port), process)
        yield
