#!/usr/bin/env python3
"""Each file of deploy/ belongs to a check and is well formed, every link in Markdown has a target, and paths that the
developers' pages name exist."""

import fnmatch
import json
import pathlib
import re
import subprocess
import sys
import urllib.parse

from alerts import anchors

ROOT = pathlib.Path(__file__).resolve().parents[2]
# Which check covers which files, besides this one. A new kind of file needs a new line, and so a check.
CHECKED_BY = {
    "compose.py": ["deploy/compose/*"],
    "grafana.py": ["deploy/grafana/s3cors.json"],
    "guides.py": ["deploy/guides/*.md"],
    "helm": ["deploy/helm/*"],
    "images.py": ["deploy/images.txt", "deploy/pin"],
    "image": ["deploy/Dockerfile", "deploy/build", "deploy/image/*", "deploy/layout"],
    "kustomize": ["deploy/kubernetes/*", "deploy/grafana/kustomization.yaml"],
    "prometheus": ["deploy/prometheus/*", "deploy/runbooks.md"],
    "packages": ["deploy/packages/*"],
    "publish": ["deploy/publish"],
    "readme.py": ["deploy/README.md"],
    "release": ["deploy/release"],
    "run": ["deploy/generate", "deploy/demo", "deploy/prerequisites", "deploy/tool"],
    "systemd": ["deploy/systemd/*"],
    "files.py": ["deploy/*.md"],
}


def tracked(*patterns):
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *patterns]
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines()


def versions():
    """Each file that repeats the version of the program states the same one."""
    version = re.search(r'^version = "(.*)"', (ROOT / "Cargo.toml").read_text(), re.MULTILINE).group(1)
    said = {
        "deploy/Dockerfile": r"^ARG VERSION=(.*)$",
        "deploy/README.md": r"s3cors[:_-](\d[\d.]*\d)",
        "deploy/helm/s3cors/Chart.yaml": r"^(?:appV|v)ersion: (.*)$",
        "deploy/kubernetes/overlays/edge/kustomization.yaml": r"newTag: (.*)$",
        "deploy/kubernetes/overlays/sidecar/kustomization.yaml": r"newTag: (.*)$",
    }
    for file, pattern in said.items():
        found = re.findall(pattern, (ROOT / file).read_text(), re.MULTILINE)
        if set(found) != {version}:
            yield f"{file} states version {found}, the program is {version}"


def broken_links(page):
    text = re.sub(r"^```.*?^```", "", (ROOT / page).read_text(), flags=re.MULTILINE | re.DOTALL)
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        address, _, anchor = urllib.parse.unquote(link).partition("#")
        if "://" in address or address.startswith("mailto:"):
            continue
        target = (ROOT / page).parent / address if address else ROOT / page
        if not target.exists():
            yield f"{page}: {link} does not exist"
        elif anchor and anchor not in anchors(target):
            yield f"{page}: {link} points to no heading"


def missing_paths(page):
    """Paths in code spans that do not exist. Commands and patterns are not paths."""
    for span in set(re.findall(r"`([^`\n]+)`", (ROOT / page).read_text())):
        if re.fullmatch(r"(?:\.ci|\.github|conf|deploy|proxy|tests)/[\w./-]+", span) and not (ROOT / span).exists():
            yield f"{page}: {span} does not exist"


def altering(page):
    """The configurations for nginx on a page that forward to s3cors, and lack what keeps a signed request and a connection as they are."""
    needed = ("ignore_invalid_headers off;", "underscores_in_headers on;", "keepalive ", "proxy_http_version 1.1;", 'Connection "";')
    for block in re.findall(r"^```nginx.*?\n(.*?)^```$", (ROOT / page).read_text(), re.MULTILINE | re.DOTALL):
        # Those that do not pass the Host on are of someone who has no s3cors yet.
        lacking = [line for line in needed if line not in block] if "$http_host" in block else []
        if lacking:
            yield f"{page}: nginx without {', '.join(lacking)}"


def main():
    wrong = []
    files = tracked("deploy")
    for file in files:
        if not any(fnmatch.fnmatch(file, pattern) for patterns in CHECKED_BY.values() for pattern in patterns):
            wrong.append(f"{file}: no check covers it")
        if file.endswith(".json"):
            try:
                json.loads((ROOT / file).read_text())
            except ValueError as error:
                wrong.append(f"{file}: {error}")
    for check in CHECKED_BY:
        if not (ROOT / "tests/deploy" / check).exists():
            wrong.append(f"tests/deploy/{check} does not exist")

    # Helm templates are YAML only after rendering.
    documents = [file for file in files if file.endswith((".yaml", ".yml")) and "/templates/" not in file]
    rules = "{extends: default, rules: {braces: {max-spaces-inside: 0}, document-start: disable, line-length: {max: 140}}}"
    lint = subprocess.run(["yamllint", "--strict", "--config-data", rules, *documents], cwd=ROOT, check=False)
    if lint.returncode:
        wrong.append("yamllint reports problems")

    wrong += versions()
    pages = tracked("*.md")
    wrong += [problem for page in pages for problem in broken_links(page)]
    wrong += [problem for page in pages for problem in altering(page)]
    wrong += [problem for page in ("ARCHITECTURE.md", "CONTRIBUTING.md", "RELEASING.md") for problem in missing_paths(page)]
    print(*wrong, f"{len(files)} files, {len(pages)} pages", sep="\n")
    sys.exit(bool(wrong))


main()
