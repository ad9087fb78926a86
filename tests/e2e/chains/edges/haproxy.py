"""HAProxy: over HTTP with X-Forwarded-For in a line of its own, and over TCP with PROXY v2, which also says whether TLS ended here."""

import re
import shutil

from chains.edges import FIRST_HOP
from harness.processes import output_of

NAME, FILE = "haproxy", "haproxy.cfg"
FRONTENDS = (
    "haproxy",
    "haproxy-tls",
    "haproxy-tcp",
    "haproxy-tcp-tls",
    "haproxy-passing-tls",
    "haproxy-first",
    "haproxy-first-tls",
)

CONFIGURATION = """
defaults
    mode http
    timeout connect 5s
    timeout client 60s
    timeout server 60s

frontend http
    bind 127.0.0.1:{haproxy}
    bind 127.0.0.1:{haproxy_tls} ssl crt {both} alpn h2,http/1.1
    option forwardfor
    http-request set-header X-Forwarded-Proto %[ssl_fc,iif(https,http)]
    http-request set-header X-Forwarded-Host %[req.hdr(Host)]
    default_backend s3cors

backend s3cors
    server s3cors 127.0.0.1:{plain}

listen tcp
    mode tcp
    bind 127.0.0.1:{haproxy_tcp}
    bind 127.0.0.1:{haproxy_tcp_tls} ssl crt {both}
    server s3cors 127.0.0.1:{proxied} send-proxy-v2-ssl

listen passing
    mode tcp
    bind 127.0.0.1:{haproxy_passing_tls}
    server s3cors 127.0.0.1:{proxied_tls} send-proxy-v2

listen first
    bind 127.0.0.1:{haproxy_first}
    bind 127.0.0.1:{haproxy_first_tls} ssl crt {both}
    option forwardfor
    http-request set-header X-Forwarded-Proto %[ssl_fc,iif(https,http)]
    http-request set-header X-Forwarded-Host %[req.hdr(Host)]
    server nginx 127.0.0.1:{nginx_second} source {first}
"""


def missing():
    return None if shutil.which("haproxy") else "not installed: haproxy"


def version():
    return re.search(r"version (\S+)", output_of("haproxy", "-v"))[1]


def configuration(place):
    others = ("plain", "proxied", "proxied-tls", "nginx-second")
    names = {name.replace("-", "_"): place.ports[name] for name in (*FRONTENDS, *others)}
    return CONFIGURATION.format(both=place.tls.both, first=FIRST_HOP, **names)


def command(file):
    # -db: in the foreground.
    return "haproxy", "-db", "-f", file
