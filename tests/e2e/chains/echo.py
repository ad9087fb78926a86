"""A storage that returns the header lines of each request: what proxies tell about a client."""

import contextlib
import http.server
import json
import threading

from servers import Server


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = json.dumps(self.headers.items()).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def start():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield Server("echo", f"127.0.0.1:{server.server_port}", "", "")
        server.shutdown()


def about_the_client(body):
    """The lines of a response that say whose a request is, by name; servers that read CGI variables do not tell `_` from `-`."""
    lines = [(name.lower().replace("_", "-"), value) for name, value in json.loads(body)]
    known = ("x-real-ip", "forwarded")
    return [(name, value) for name, value in lines if name.startswith("x-forwarded") or name in known]
