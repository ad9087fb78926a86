"""The environment of every process: none of this machine's settings, and no network access."""

import os
import tempfile
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[3]
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", REPOSITORY / "target")).resolve()
# Logs, and screenshots of failures.
RESULTS = TARGET / "e2e"
PROGRAM = TARGET / "debug" / "s3cors"

# Only what programs need to be found and to print: no proxies, CA roots or credentials of this machine.
KEPT = (
    "PATH",
    "LANG",
    "TMPDIR",
    "CI",
    "PYTHON",
    "NODE_PATH",
    "MINIO",
    "VERSITYGW",
    "SEAWEEDFS",
    "GARAGE",
    "ENVOY",
    "TERRAFORM_PLUGINS",
)


def seal():
    """Replaces the environment of this process, which all others inherit; returns the folder that is their home."""
    home = Path(tempfile.mkdtemp(prefix="s3cors-e2e-"))
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    os.environ.clear()
    os.environ.update(kept)
    os.environ.update(
        HOME=str(home),
        LC_ALL="C.UTF-8",
        TZ="UTC",
        # Without these two the SDKs ask the network for credentials and for the region.
        AWS_EC2_METADATA_DISABLED="true",
        AWS_DEFAULT_REGION="us-east-1",
        AWS_PAGER="",
        # A failed request must show, not be retried.
        AWS_MAX_ATTEMPTS="1",
    )
    return home
