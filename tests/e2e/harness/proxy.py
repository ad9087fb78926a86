"""s3cors, as a separate process."""

import contextlib
import json
import os
import re
import urllib.request
from pathlib import Path

from harness.environment import PROGRAM
from harness.processes import eventually, running


class Proxy:
    """A running s3cors."""

    def __init__(self, address, admin, log):
        self.address = address
        self.admin = admin
        self.url = f"http://{address}"
        self.log = log

    def _series(self, name):
        """The labels of each series of a metric as text, with its value."""
        with urllib.request.urlopen(f"http://{self.admin}/metrics", timeout=10) as answer:
            lines = answer.read().decode().splitlines()
        found = filter(None, (re.fullmatch(rf"{name}(?:\{{(.*)\}})? (\S+)", line) for line in lines))
        return [(series[1] or "", float(series[2])) for series in found]

    def metric(self, name, **labels):
        """The sum of the series of a metric that have these labels."""
        wanted = {f'{label}="{value}"' for label, value in labels.items()}
        return sum(value for known, value in self._series(name) if wanted <= set(known.split(",")))

    def by_label(self, name, label):
        """The values of a metric that has one label."""
        return {known.removeprefix(f'{label}="').removesuffix('"'): value for known, value in self._series(name)}


def _ready(output):
    for line in output.splitlines():
        if '"s3cors is ready"' in line:
            return json.loads(line)
    return None


@contextlib.contextmanager
def proxy(name, rules, upstream, config=None, listen="127.0.0.1:0", folder=None, **environment):
    """s3cors with these rules in front of this upstream, or those of the configuration, on ports that the system chooses, or on those of the configuration; started in
    this folder."""
    command = [*(["env", f"--chdir={folder}"] if folder else []), PROGRAM, "serve", "--admin", "127.0.0.1:0"]
    command += ["--listen", listen] if listen else []
    command += ["--rules", rules, *(["--upstream", upstream] if upstream else [])]
    # As for the other tests: the whole run can be repeated with Pingora serving HTTP/1.1.
    if os.environ.get("S3CORS_TEST_HTTP1") == "pingora":
        config = (config or "") + "\ndrivers: pingora\n"
    if config is not None:
        file = (folder or Path()) / rules.parent / f"{name}.yaml"
        file.write_text(config)
        command += ["--config", file]
    with running(name, *command, **environment) as process:
        ready = eventually(f"{name} is ready", lambda: _ready(process.output()), process)
        yield Proxy(ready["listen"].strip("[]"), ready["admin"].strip("[]"), process.log)
