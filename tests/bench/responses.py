"""Whether a proxy responds rightly: one that does not is not measured."""

import load
from processes import Failed, output_of

VERSIONS = {"http/1.1": ("1.1", "--http1.1"), "tls": ("1.1", "--http1.1"), "h2": ("2", "--http2")}
SHOWN = "\n%{http_version} %{http_code} %{size_download} %header{access-control-allow-origin}"


def check(proxy, test, ports, certificate, folder):
    """Sends one request. A proxy without CORS is checked for protocol, status and length only."""
    version, option = VERSIONS[test.protocol]
    command = ["curl", "--silent", "--show-error", "--max-time", 30, "--cacert", certificate, option]
    command += ["--request", test.method, "--output", folder / "body", "--write-out", SHOWN]
    for name, value in test.headers.items():
        command += ["--header", f"{name}: {value}"]
    if test.sent:
        (folder / "upload").write_bytes(b"x" * test.sent)
        command += ["--data-binary", f"@{folder / 'upload'}"]
    output = output_of(*command, test.url(ports), timeout=60)
    spoken, status, length, *granted = output.splitlines()[-1].split() or [""] * 3
    if (spoken, length) != (version, str(test.received)) or status not in ("200", "204"):
        raise Failed(f"{proxy.title}, {test.title}: {output.strip()}")
    if proxy.answers_preflights and granted not in ([load.ORIGIN], ["*"]):
        raise Failed(f"{proxy.title}, {test.title}: no access for {load.ORIGIN}: {granted}")
