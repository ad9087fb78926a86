"""What arrives where s3cors is in each report's chain: the name and the path, and what became of the signed headers."""

import contextlib
import http.server
import json
import threading

from harness.processes import connects, eventually
from replays import stack
from replays.asked import BUCKET
from report.wire import send


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = json.dumps({"path": self.path, "headers": self.headers.items()}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def _echo():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        eventually("the echo is up", lambda: connects(server.server_port))
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()


def _shown(replay, arrived):
    lines = {name.lower(): value for name, value in arrived["headers"]}
    changed = [
        f"`{name}: {lines[name]}`" if name in lines else f"no `{name}`"
        for name, value in replay.covers
        if lines.get(name) != value
    ]
    return "<br>".join([f"`{lines['host']}{arrived['path']}`", *changed])


def at_s3cors(folder):
    """By report, for the page."""
    shown = {}
    with _echo() as echo, stack.ending_at(echo, folder) as chains:
        for replay, address in chains.items():
            headers = (("Host", replay.host), *replay.covers)
            answer = send(address, "GET", f"{replay.prefix}/{BUCKET}/KEY", headers)
            shown[replay.source] = _shown(replay, json.loads(answer.body))
    return shown
