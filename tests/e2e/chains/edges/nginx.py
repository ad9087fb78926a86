"""nginx: over HTTP with X-Forwarded-For, which it appends to the client's own, and over TCP with PROXY v1."""

import re
import shutil
from pathlib import Path

from harness.processes import output_of

NAME, FILE = "nginx", "nginx.conf"
FRONTENDS = ("nginx", "nginx-tls", "nginx-tcp", "nginx-tcp-tls", "nginx-second")
STREAM = Path("/usr/lib/nginx/modules/ngx_stream_module.so")

CONFIGURATION = """
load_module {stream};
daemon off;
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
    underscores_in_headers on;
    proxy_http_version 1.1;
    proxy_request_buffering off;
    proxy_buffering off;
    server {{
        listen 127.0.0.1:{nginx};
        listen 127.0.0.1:{nginx_tls} ssl http2;
        ssl_certificate {certificate};
        ssl_certificate_key {key};
        location / {{
            proxy_pass http://127.0.0.1:{plain};
            proxy_set_header Host $http_host;
            proxy_set_header Connection "";
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            proxy_set_header X-Forwarded-Proto $scheme;
            proxy_set_header X-Forwarded-Host $http_host;
        }}
    }}
    # After another proxy, which knows the scheme.
    server {{
        listen 127.0.0.1:{nginx_second};
        location / {{
            proxy_pass http://127.0.0.1:{plain};
            proxy_set_header Host $http_host;
            proxy_set_header Connection "";
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
        }}
    }}
}}
stream {{
    proxy_protocol on;
    server {{
        listen 127.0.0.1:{nginx_tcp};
        proxy_pass 127.0.0.1:{proxied};
    }}
    server {{
        listen 127.0.0.1:{nginx_tcp_tls};
        proxy_pass 127.0.0.1:{proxied_tls};
    }}
}}
"""


def missing():
    return None if shutil.which("nginx") and STREAM.exists() else "not installed: nginx with its stream module"


def version():
    return re.search(r"nginx/(\S+)", output_of("nginx", "-v"))[1]


def configuration(place):
    names = {name.replace("-", "_"): place.ports[name] for name in (*FRONTENDS, "plain", "proxied", "proxied-tls")}
    tls = {"certificate": place.tls.certificate, "key": place.tls.key}
    return CONFIGURATION.format(folder=place.folder, stream=STREAM, **tls, **names)


def command(file):
    return "nginx", "-c", file
