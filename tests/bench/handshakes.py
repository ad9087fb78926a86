"""Handshakes of TLS 1.3: what a new connection costs a proxy, and how many it can open in a second.

OpenSSL before 3.5 has no hybrid group: nginx and haproxy then agree on the classical one, which the runs name.
"""

import dataclasses
from pathlib import Path

import load
import proxies
import rounds
from processes import Failed

# By name: the title, what each connection does, and which groups it offers.
KINDS = {
    "handshake": ("full handshake, classical group", "full", "classical"),
    "handshake-hybrid": ("full handshake, hybrid group", "full", "hybrid"),
    "handshake-resumed": ("resumed handshake, classical group", "resumed", "classical"),
    "handshake-resumed-hybrid": ("resumed handshake, hybrid group", "resumed", "hybrid"),
    "connection": ("connection with one GET of 1 KiB, classical group", "request", "classical"),
    "connection-hybrid": ("connection with one GET of 1 KiB, hybrid group", "request", "hybrid"),
}
# The connections that handshakes.rs opens at the same time.
AT_ONCE = 16


@dataclasses.dataclass(frozen=True)
class Handshakes(load.Test):
    """New connections, one after the other on each of a few threads."""

    client: Path = None
    certificate: Path = None
    kind: str = "full"
    groups: str = "classical"

    @property
    def generator(self):
        return self

    def command(self, _, ports, seconds, __):
        return [self.client, f"127.0.0.1:{ports.tls}", self.certificate, self.kind, self.groups, seconds]

    def counted(self, _, output, __):
        """Connections as `requests`, so that the tables of other tests serve."""
        lines = [line.split()[1:] for line in output.splitlines() if line.startswith("result ")]
        if len(lines) != 1:
            raise Failed(f"{self.client}: {output[-1000:]}")
        done, failed, resumed, rate, p50, p99, group = lines[0]
        # The first connections of a client, as many as it opens at the same time, have nothing to resume.
        if self.kind == "resumed" and int(resumed) < 0.9 * (int(done) - AT_ONCE):
            raise Failed(f"{self.title}: {resumed} of {done} connections resumed a session")
        return {
            "requests": int(done),
            "errors": int(failed),
            "rate": float(rate),
            "p50_us": int(p50),
            "p99_us": int(p99),
            "group": group,
        }


def measure(compared, turns, folder, cpus, client):
    """As in rounds: by kind, by proxy, one entry a round."""
    home = folder / "handshakes"
    home.mkdir()
    certificate = proxies.certificate(home)["certificate"]
    base = load.over("tls", "", "", load.GET_1K, 1)
    fields = {field.name: getattr(base, field.name) for field in dataclasses.fields(base)}
    tests = [
        Handshakes(
            **fields
            | {
                "name": name,
                "title": title,
                "client": client,
                "certificate": certificate,
                "kind": kind,
                "groups": groups,
            }
        )
        for name, (title, kind, groups) in KINDS.items()
    ]
    return rounds.measure([proxy for proxy in compared if proxy.speaks_tls], tests, turns, home, cpus)
