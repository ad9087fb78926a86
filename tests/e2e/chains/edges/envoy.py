"""Envoy: over HTTP with X-Forwarded-For, to s3cors over HTTP/1.1 and HTTP/2, and over TCP with PROXY v2."""

import json
import os
import re

from harness.processes import output_of

NAME, FILE = "envoy", "envoy.json"
FRONTENDS = ("envoy", "envoy-tls", "envoy-h2", "envoy-h2-tls", "envoy-tcp", "envoy-tcp-tls")
TYPES = "type.googleapis.com/envoy.extensions"


def missing():
    return None if "ENVOY" in os.environ else "Envoy is not there: it comes from PyPI, for Linux with glibc"


def version():
    return re.search(r"/(\d+\.\d+\.\d+)/", output_of(os.environ["ENVOY"], "--version"))[1]


def command(file):
    # Several may run at the same time, each with shared memory of its own.
    return os.environ["ENVOY"], "--use-dynamic-base-id", "--log-level", "warning", "-c", file


def _extension(name, kind, **settings):
    return {"name": name, "typed_config": {"@type": f"{TYPES}.{kind}"} | settings}


def _address(port):
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


def _file(path):
    return {"filename": str(path)}


def _listener(place, name, chain_filter, ends_tls):
    chain = {"filters": [chain_filter]}
    if ends_tls:
        certificate = {
            "certificate_chain": _file(place.tls.certificate),
            "private_key": _file(place.tls.key),
        }
        chain["transport_socket"] = _extension(
            "tls",
            "transport_sockets.tls.v3.DownstreamTlsContext",
            common_tls_context={"tls_certificates": [certificate], "alpn_protocols": ["h2", "http/1.1"]},
        )
    return {"name": name, "address": _address(place.ports[name]), "filter_chains": [chain]}


def _http(cluster):
    route = {"match": {"prefix": "/"}, "route": {"cluster": cluster, "timeout": "0s"}}
    # Envoy does not set this one.
    forwarded_host = {
        "header": {"key": "x-forwarded-host", "value": "%REQ(:authority)%"},
        "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
    }
    host = {"name": "all", "domains": ["*"], "routes": [route], "request_headers_to_add": [forwarded_host]}
    return _extension(
        "http",
        "filters.network.http_connection_manager.v3.HttpConnectionManager",
        stat_prefix="http",
        # Envoy faces the clients: it appends the address of each to X-Forwarded-For, and sets X-Forwarded-Proto.
        use_remote_address=True,
        route_config={"virtual_hosts": [host]},
        http_filters=[_extension("router", "filters.http.router.v3.Router")],
    )


def _tcp(cluster):
    return _extension("tcp", "filters.network.tcp_proxy.v3.TcpProxy", stat_prefix="tcp", cluster=cluster)


def _cluster(place, port, **settings):
    endpoint = {"endpoint": {"address": _address(place.ports[port])}}
    assigned = {"cluster_name": port, "endpoints": [{"lb_endpoints": [endpoint]}]}
    return {"name": port, "load_assignment": assigned} | settings


def _says_proxy():
    """PROXY v2 first on each connection."""
    socket = _extension(
        "proxy",
        "transport_sockets.proxy_protocol.v3.ProxyProtocolUpstreamTransport",
        config={"version": "V2"},
        transport_socket=_extension("raw", "transport_sockets.raw_buffer.v3.RawBuffer"),
    )
    return {"transport_socket": socket}


def configuration(place):
    options = "upstreams.http.v3.HttpProtocolOptions"
    http2 = {"@type": f"{TYPES}.{options}", "explicit_http_config": {"http2_protocol_options": {}}}
    listeners = [
        _listener(place, f"{name}{'-tls' if tls else ''}", _http(cluster), tls)
        for name, cluster in (("envoy", "plain"), ("envoy-h2", "h2c"))
        for tls in (False, True)
    ]
    listeners += [
        _listener(place, "envoy-tcp", _tcp("proxied"), False),
        _listener(place, "envoy-tcp-tls", _tcp("proxied-tls"), False),
    ]
    clusters = [
        _cluster(place, "plain"),
        _cluster(
            place,
            "h2c",
            typed_extension_protocol_options={f"envoy.extensions.{options}": http2},
        ),
        _cluster(place, "proxied", **_says_proxy()),
        _cluster(place, "proxied-tls", **_says_proxy()),
    ]
    return json.dumps({"static_resources": {"listeners": listeners, "clusters": clusters}}, indent=2)
