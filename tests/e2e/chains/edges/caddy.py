"""Caddy, as it comes: it replaces the client's X-Forwarded-For, -Proto and -Host."""

import shutil

from harness.processes import output_of

NAME, FILE = "caddy", "Caddyfile"
FRONTENDS = ("caddy", "caddy-tls")

CONFIGURATION = """
{{
    admin off
    auto_https off
}}
http://:{caddy} {{
    bind 127.0.0.1
    reverse_proxy 127.0.0.1:{plain}
}}
https://:{caddy_tls} {{
    bind 127.0.0.1
    tls {certificate} {key}
    reverse_proxy 127.0.0.1:{plain}
}}
"""


def missing():
    return None if shutil.which("caddy") else "not installed: caddy"


def version():
    return output_of("caddy", "version").split()[0].removeprefix("v")


def configuration(place):
    names = {name.replace("-", "_"): place.ports[name] for name in (*FRONTENDS, "plain")}
    return CONFIGURATION.format(certificate=place.tls.certificate, key=place.tls.key, **names)


def command(file):
    return "caddy", "run", "--adapter", "caddyfile", "--config", file
