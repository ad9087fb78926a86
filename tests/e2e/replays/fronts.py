"""The proxies of the reports: what each does to a request, as a block of a configuration that is written for the run.

A block listens on `{port}` and forwards to `{to}`. TLS is left out, since no signature covers the scheme. A proxy that the run does not have is
played by one that it has, and its title says so.
"""

import dataclasses
import shutil


@dataclasses.dataclass(frozen=True)
class Front:
    """One configuration of a proxy."""

    title: str
    # The program that runs it; none where the client reaches the storage's port itself.
    program: str = ""
    block: str = ""


NOTHING = Front("none")


def _nginx(title, directives, location="/", to=""):
    """`location` with `proxy_pass`, to which the path is given as it came, or with `to` in place of the location's prefix."""
    lines = "".join(f"            {directive};\n" for directive in directives)
    block = (
        "    server {{\n        listen 127.0.0.1:{port};\n"
        f"        location {location} {{{{\n            proxy_pass http://{{to}}{to};\n{lines}        }}}}\n    }}}}\n"
    )
    return Front(title, "nginx", block)


def _haproxy(title, *rules):
    lines = "".join(f"    {rule}\n" for rule in rules)
    return Front(
        title, "haproxy", f"listen front-{{port}}\n    bind 127.0.0.1:{{port}}\n{lines}    server storage {{to}}\n"
    )


def _caddy(title, *directives):
    lines = "".join(f"    {directive}\n" for directive in directives)
    return Front(title, "caddy", f"http://:{{port}} {{{{\n    bind 127.0.0.1\n{lines}}}}}\n")


HOST = "proxy_set_header Host"

# The client's Host with its port, and without.
NGINX_HTTP_HOST = _nginx("nginx, `Host $http_host`", (f"{HOST} $http_host",))
NGINX_HOST = _nginx("nginx, `Host $host`", (f"{HOST} $host",))
INGRESS_HOST = _nginx("ingress-nginx, which keeps Host without its port, played by nginx", (f"{HOST} $host",))


def nginx_sends(host, title=None):
    """Another Host: a fixed one, or what nginx sends by default, the name in `proxy_pass`."""
    return _nginx(title or f"nginx, `Host {host}`", (f"{HOST} {host}",))


def nginx_default(name):
    return nginx_sends(name, f"nginx, `proxy_pass http://{name}` and no `Host`")


def nginx_strips(prefix, host="$http_host"):
    return _nginx(
        f"nginx, `location {prefix}/` without its prefix, `Host {host}`", (f"{HOST} {host}",), f"{prefix}/", "/"
    )


def nginx_rewrites(prefix, host):
    directives = (f"rewrite ^{prefix}/(.*) /$1 break", f"{HOST} {host}")
    return _nginx(f"nginx, `rewrite {prefix}/(.*) /$1`, `Host {host}`", directives, prefix)


def nginx_keeps(prefix, host="$http_host"):
    return _nginx(f"nginx, `location {prefix}/` as it came, `Host {host}`", (f"{HOST} {host}",), f"{prefix}/")


def ingress_strips(prefix):
    return _nginx(f"an ingress that takes `{prefix}` off, played by nginx", (f"{HOST} $http_host",), f"{prefix}/", "/")


def ingress_vhost(host):
    return nginx_sends(host, f"ingress-nginx, `upstream-vhost: {host}`, played by nginx")


def apache_keeps(prefix):
    return _nginx(
        f"Apache, `ProxyPass {prefix}` as it came and `ProxyPreserveHost`, played by nginx",
        (f"{HOST} $http_host",),
        f"{prefix}/",
    )


HAPROXY = _haproxy("HAProxy")
TRAEFIK = _haproxy("Traefik, which keeps Host, played by HAProxy")
CADDY = _caddy("Caddy", "reverse_proxy {to}")


def haproxy_sends(host, title=None):
    return _haproxy(title or f"HAProxy, `set-header Host {host}`", f"http-request set-header Host {host}")


def haproxy_removes(header):
    return _haproxy(f"HAProxy, which removes `{header}`", f"http-request del-header {header}")


def envoy_strips(prefix):
    return _haproxy(
        f"Ambassador (Envoy), `prefix: {prefix}/` and `rewrite: /`, played by HAProxy",
        f"http-request replace-path {prefix}/(.*) /\\1",
        f"http-request set-header X-Envoy-Original-Path {prefix}%[path]",
    )


def caddy_strips(prefix):
    return _caddy(f"Caddy, `handle_path {prefix}/*`", f"handle_path {prefix}/* {{{{", "    reverse_proxy {to}", "}}")


def cloudflare(encoding="gzip"):
    """A CDN that asks the storage for what it wants to store."""
    directives = (
        f"{HOST} $http_host",
        f'proxy_set_header Accept-Encoding "{encoding}"',
        "proxy_set_header CDN-Loop cloudflare",
    )
    return _nginx(f"Cloudflare, which sends `Accept-Encoding: {encoding}`, played by nginx", directives)


def changes(title, header, value):
    """A proxy that replaces a header."""
    return _nginx(f"{title}, played by nginx", (f"{HOST} $http_host", f'proxy_set_header {header} "{value}"'))


# Behind s3cors, in place of a server that has the change.
REFUSES_ORIGIN = Front(
    "RGW with the change, played by nginx, which refuses a request with an `Origin`",
    "nginx",
    "    server {{\n        listen 127.0.0.1:{port};\n        location / {{\n            if ($http_origin) {{ return 403; }}\n"
    "            proxy_pass http://{to};\n            proxy_set_header Host $http_host;\n        }}\n    }}\n",
)

NGINX = """daemon off;
pid {folder}/nginx.pid;
error_log stderr;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;

    client_max_body_size 0;
    ignore_invalid_headers off;
    proxy_http_version 1.1;
    proxy_request_buffering off;
    proxy_buffering off;
"""

HAPROXY_DEFAULTS = """defaults
    mode http
    timeout connect 5s
    timeout client 60s
    timeout server 60s
"""

CADDY_OPTIONS = """{
    admin off
    auto_https off
}
"""


def configuration(program, blocks, folder):
    """The whole of a program's configuration."""
    text = "".join(blocks)
    match program:
        case "nginx":
            return NGINX.format(folder=folder) + text + "}\n"
        case "haproxy":
            return HAPROXY_DEFAULTS + text
        case "caddy":
            return CADDY_OPTIONS + text
    raise AssertionError(program)


def command(program, file):
    match program:
        case "nginx":
            return "nginx", "-c", file
        case "haproxy":
            return "haproxy", "-db", "-f", file
    return "caddy", "run", "--adapter", "caddyfile", "--config", file


def is_there(program):
    return shutil.which(program) is not None
