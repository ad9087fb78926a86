"""s3cors in front of a storage, and every proxy in front of s3cors."""

import contextlib
import json

from chains import edges
from chains.table import configuration
from chains.wire import Door
from harness.processes import output_of
from harness.proxy import proxy


class Stack:
    """What runs: doors by name, and what s3cors logs."""

    def __init__(self, place, s3cors, storage):
        self._place = place
        self._s3cors = s3cors
        self.storage = storage

    def door(self, name):
        roots = self._place.tls.certificate if name.endswith("tls") else None
        return Door(self._place.ports[name], roots)

    def logged(self, path):
        """The access line of a request for this path, or None."""
        lines = (line for line in self._s3cors.log.read_text().splitlines() if f'"{path}"' in line)
        return next(map(json.loads, lines), None)

    def without_ports(self, text):
        """A text with every port of the run replaced: they differ each time."""
        for port in self._place.ports.all():
            text = text.replace(f":{port}", ":PORT")
        return text


def _certificate(folder):
    """Made for the run."""
    made = edges.Certificate(folder / "tls.crt", folder / "tls.key", folder / "tls.pem")
    about = ("-subj", "/CN=s3cors e2e", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2")
    new = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    output_of("openssl", "req", "-x509", *new, *about, "-keyout", made.key, "-out", made.certificate)
    made.both.write_text(made.certificate.read_text() + made.key.read_text())
    # Caddy and nginx may read it as another user.
    made.both.chmod(0o600)
    return made


@contextlib.contextmanager
def running(storage, rules, folder, present):
    """s3cors and the proxies that are there, in front of a storage."""
    folder.mkdir(parents=True)
    place = edges.Place(folder, _certificate(folder), edges.Ports())
    name = f"chains-{storage.name}"
    with contextlib.ExitStack() as started:
        config = configuration(place.ports, place.tls)
        s3cors = started.enter_context(proxy(name, rules, storage.url, config, listen=None))
        for module in present:
            started.enter_context(edges.started(module, name, place))
        yield Stack(place, s3cors, storage)


def missing(chain):
    """Why a chain cannot be run, or None."""
    reasons = filter(None, (edges.by_name()[name].missing() for name in chain.edges))
    return "; ".join(reasons) or None


def present():
    """The proxies that are there."""
    return [module for module in edges.by_name().values() if not module.missing()]
