"""The AWS SDK for JavaScript in a page in Chromium; for direct calls the page runs without CORS checks."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

from clients.command import Command
from clients.operations import BUCKET, COPY, FORM, KEY, LARGE, MISSING, PART, PRESIGNED, RANGE
from harness.environment import REPOSITORY
from harness.processes import Failed, output_of

PROGRAM = REPOSITORY / "tests" / "e2e" / "browser" / "sdk.js"
NAMES = {
    "bucket": BUCKET,
    "key": KEY,
    "copy": COPY,
    "large": LARGE,
    "presigned": PRESIGNED,
    "form": FORM,
    "missing": MISSING,
    "range": RANGE,
    "part": PART,
}


class JavaScriptSdk(Command):
    name = "AWS SDK for JavaScript in Chromium"

    @staticmethod
    def missing_tools():
        """Why it cannot run here, or None."""
        if "NODE_PATH" not in os.environ:
            return "there is no Node.js 20 or newer"
        return None if shutil.which("chromium") else "Chromium is not installed"

    @staticmethod
    def version():
        package = Path(os.environ["NODE_PATH"]) / "@aws-sdk" / "client-s3" / "package.json"
        browser = re.search(r"Chromium (\S+)", output_of("chromium", "--version"))[1]
        return f"{json.loads(package.read_text())['version']} (Chromium {browser})"

    def everything(self, pages):
        """What the SDK says to each operation, by its name."""
        direct = self.url == self.server.url
        task = {
            "server": {
                "url": self.url,
                "region": self.server.region,
                "accessKeyId": self.server.access_key,
                "secretAccessKey": self.server.secret_key,
            },
            "names": NAMES,
            "folder": str(self.content.parent),
            "port": pages,
        }
        done = subprocess.run(
            ["node", str(PROGRAM), *(["--without-cors"] if direct else [])],
            input=json.dumps(task),
            capture_output=True,
            text=True,
            timeout=120,
        )
        if done.returncode != 0:
            raise Failed(done.stderr[-2000:])
        return json.loads(done.stdout)
