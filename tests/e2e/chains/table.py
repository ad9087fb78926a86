"""The chains of proxies: how a client's connection reaches s3cors, and what tells s3cors whose it is."""

import dataclasses

from chains.edges import FIRST_HOP

FORWARDED = "`X-Forwarded-For`"


@dataclasses.dataclass(frozen=True)
class Chain:
    """A way to s3cors. `http` and `https` name the port that a client connects to."""

    title: str
    tells: str
    http: str
    https: str
    # The proxies that it needs.
    edges: tuple = ()
    # Whether a proxy in it reads the requests.
    reads: bool = True


CHAINS = (
    Chain("s3cors alone", "the connection", "plain", "tls", reads=False),
    Chain("nginx", FORWARDED, "nginx", "nginx-tls", ("nginx",)),
    Chain("nginx, `stream`", "PROXY v1", "nginx-tcp", "nginx-tcp-tls", ("nginx",), reads=False),
    Chain("HAProxy", FORWARDED, "haproxy", "haproxy-tls", ("haproxy",)),
    Chain(
        "HAProxy, `mode tcp`, which ends TLS",
        "PROXY v2 with its TLS field",
        "haproxy-tcp",
        "haproxy-tcp-tls",
        ("haproxy",),
        reads=False,
    ),
    Chain(
        "HAProxy, `mode tcp`, TLS to s3cors",
        "PROXY v2",
        "haproxy-tcp",
        "haproxy-passing-tls",
        ("haproxy",),
        reads=False,
    ),
    Chain("Caddy", FORWARDED, "caddy", "caddy-tls", ("caddy",)),
    Chain("Envoy", FORWARDED, "envoy", "envoy-tls", ("envoy",)),
    Chain("Envoy, HTTP/2 to s3cors", FORWARDED, "envoy-h2", "envoy-h2-tls", ("envoy",)),
    Chain("Envoy, `tcp_proxy`, TLS to s3cors", "PROXY v2", "envoy-tcp", "envoy-tcp-tls", ("envoy",), reads=False),
    Chain(
        "HAProxy, then nginx",
        f"{FORWARDED} of two",
        "haproxy-first",
        "haproxy-first-tls",
        ("haproxy", "nginx"),
    ),
)

# The listeners of s3cors, by the names that the configurations of the proxies use.
LISTENERS = {
    "plain": {},
    "tls": {"tls": True},
    "h2c": {"http2": True},
    "proxied": {"proxy_protocol": True},
    "proxied-tls": {"proxy_protocol": True, "tls": True},
}


def configuration(ports, tls):
    """The configuration of s3cors in all chains."""
    lines = ["listen:"]
    for name, settings in LISTENERS.items():
        parts = [f"address: 127.0.0.1:{ports[name]}"]
        if "tls" in settings:
            parts.append(f"tls: {{certificate: {tls.certificate}, key: {tls.key}}}")
        parts += [f"{key}: true" for key in ("http2", "proxy_protocol") if key in settings]
        lines.append("- {" + ", ".join(parts) + "}")
    # The proxies connect from these. Clients have other addresses of the loopback network.
    lines += ["forwarded:", f"  trusted: [127.0.0.1/32, {FIRST_HOP}/32]"]
    return "\n".join(lines) + "\n"
