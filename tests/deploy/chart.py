#!/usr/bin/env python3
"""The chart's value "config" is all of s3cors.yaml: each setting of the sample reaches the program as it was given."""

import pathlib
import re
import subprocess
import sys
import tempfile

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
CHART = ROOT / "deploy/helm/s3cors"
# A pod is reached from outside, and TLS and tokens are in ci/all-values.yaml.
OTHER = {
    "listen": [{"address": "0.0.0.0:8080", "http2": True, "health_path": "/-/ready"}, ":8081"],
    "admin": {"address": "[::]:9999", "hosts": ["s3cors.example.com"]},
    "drivers": "own",
}


def sample():
    """The sample, with the settings that it has as comments."""
    text = re.sub(r"^( *)#(?=\w+: )", r"\1", (ROOT / "conf/s3cors.yaml").read_text(), flags=re.MULTILINE)
    # A copy of the rules in a store is kept below path.
    return yaml.safe_load(text) | OTHER


def rendered(values):
    """s3cors.yaml and the arguments of the program, and the pod."""
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        yaml.safe_dump(values, file)
        file.flush()
        command = ["helm", "template", "release", CHART, "--kube-version", "1.32.0", "--values", file.name]
        done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{values}: {done.stderr}")
    documents = [document for document in yaml.safe_load_all(done.stdout) if document]
    (config,) = (document["data"]["s3cors.yaml"] for document in documents if document["metadata"]["name"].endswith("-config"))
    (pod,) = (document["spec"]["template"]["spec"] for document in documents if document["kind"] == "Deployment")
    return yaml.safe_load(config), pod["containers"][0]["args"], pod


def main():
    given = sample()
    config, arguments, _ = rendered({"config": given})
    lost = [key for key, value in given.items() if config.get(key) != value]
    assert not lost, f"changed on the way: {', '.join(lost)}"
    assert not any(argument.startswith(("--listen", "--rules")) for argument in arguments), arguments
    assert "--admin=[::]:9999" in arguments, arguments

    # Of the upstream, the chart sets the address alone.
    config, _, _ = rendered({"upstream": ["http://minio:9000"], "config": {"upstream": {"url": "http://other:1", "balance": "round_robin"}}})
    assert config["upstream"] == {"url": ["http://minio:9000"], "balance": "round_robin"}, config

    for drain, ends in (("500ms", 11), ("25s", 35), ("1m 30s", 100), ("2min", 130), ("0s", 10)):
        _, _, pod = rendered({"upstream": ["http://minio:9000"], "config": {"shutdown": {"drain": drain}}})
        assert pod["terminationGracePeriodSeconds"] == ends, f"{drain}: {pod['terminationGracePeriodSeconds']}"
    print(len(given), "settings")


main()
