"""The status page in Chromium: for everyone, whatever others send; and the demo, from a page's CORS error to a rule that allows it."""

import contextlib
import http.server
import json
import re
import shutil
import subprocess
import threading
import urllib.error
import urllib.request
from pathlib import Path

from browser.suite import missing_tools
from harness.environment import PROGRAM, RESULTS
from harness.processes import Failed, eventually, free_port, running
from harness.proxy import proxy

SUITE = "status page"
PROGRAM_OF_CASES = Path(__file__).parent / "judge.js"
RULES = Path(__file__).parent / "rules"
PICTURES = Path(__file__).resolve().parent.parent / "screenshots"
DEADLINE = 600
# File names cannot have a slash, so none of these ends an element.
HOSTILE_NAMES = ("<script>alert('file')<script>.xml", '"><img src=x onerror=alert(2)>.xml')


def _reload(running_proxy):
    """Has the rules read again. That some are not valid is what the page shows."""
    request = urllib.request.Request(f"http://{running_proxy.admin}/-/reload", method="POST")
    with contextlib.suppress(urllib.error.HTTPError):
        urllib.request.urlopen(request, timeout=10).close()


class _Object(http.server.BaseHTTPRequestHandler):
    """A server with the same object everywhere."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def _server():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Object) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@contextlib.contextmanager
def _proxies(folder):
    """Proxies with nothing to show, one that no case sends a request to, one for numbers and one with everything: each in front of a
    server that is not there. And one for the pictures, whose server is."""
    nowhere = f"http://127.0.0.1:{free_port()}"
    for name in ("empty", "idle", "hour", "full", "pictures"):
        (folder / name).mkdir(parents=True)
    for document in RULES.glob("*.xml"):
        for name in ("hour", "full", "pictures"):
            shutil.copy(document, folder / name)
    for name in HOSTILE_NAMES:
        shutil.copy(RULES / "photos.xml", folder / "full" / name)
    hostile = (RULES / "photos.xml").read_text().replace("<ID>app</ID>", "<ID>&lt;script>alert('id')&lt;/script></ID>")
    (folder / "full" / "hostile.xml").write_text(hostile)
    with contextlib.ExitStack() as stack:
        started = {
            name: stack.enter_context(proxy(f"s3cors-status-{name}", folder / name, nowhere))
            for name in ("empty", "idle", "hour", "full")
        }
        server = stack.enter_context(_server())
        # A picture has no temporary path.
        in_folder = {"rules": Path("pictures"), "folder": folder}
        started["pictures"] = stack.enter_context(proxy("s3cors-status-pictures", upstream=server, **in_folder))
        (folder / "full" / "broken.xml").write_text(
            "<CORSConfiguration><script>alert('document')</script></CORSConfiguration>"
        )
        (folder / "pictures" / "reports.xml").write_text("<CORSConfiguration>\n  <CORSRules/>\n</CORSConfiguration>\n")
        for name in ("full", "pictures"):
            _reload(started[name])
        yield {name: {"url": running.url, "admin": f"http://{running.admin}"} for name, running in started.items()}


@contextlib.contextmanager
def _demo(folder):
    """The demo, and what it prints to try."""
    ports = ("--listen", "--admin", "--page", "--other-page")
    command = [PROGRAM, "demo", "--data", folder, *(word for flag in ports for word in (flag, "127.0.0.1:0"))]
    with running("demo", *command) as process:

        def printed(pattern):
            return eventually(f"the demo says {pattern}", lambda: re.search(pattern, process.output()), process)[1]

        yield {
            "allowed": printed(r"1\. (http\S+)"),
            "denied": printed(r"2\. (http\S+)"),
            "rules": printed(r"rules +(/\S+)"),
            "status": printed(r"status +(\S+)"),
        }


def run(folder, write, results):
    """All cases. `write` replaces the pictures in the documentation."""
    if reason := missing_tools():
        results.skipped("s3cors", SUITE, "all cases", reason)
        return
    with _proxies(folder) as proxies, _demo(folder / "demo") as demo:
        task = {"port": free_port(), "results": str(RESULTS), "demo": demo, **proxies}
        done = subprocess.run(
            ["node", str(PROGRAM_OF_CASES)], input=json.dumps(task), capture_output=True, text=True, timeout=DEADLINE
        )
    for line in done.stdout.splitlines():
        case = json.loads(line)
        if "error" in case:
            results.failed("s3cors", SUITE, case["name"], "\n    ".join([case["error"], *case["console"]]))
        else:
            results.passed("s3cors", SUITE, case["name"], case.get("detail") or "")
    if done.returncode != 0:
        raise Failed(f"the cases could not be run: {done.stderr[-2000:]}")
    if write:
        for picture in RESULTS.glob("status*.png"):
            PICTURES.mkdir(exist_ok=True)
            shutil.copy(picture, PICTURES)
