#!/usr/bin/env python3
"""The Compose file is valid, listens on loopback, and everything that it mounts or names exists, including what Grafana is provisioned with.

The program that checks rules is in $S3CORS."""

import os
import pathlib
import re
import subprocess
import urllib.parse

import yaml

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "deploy/compose"
COMPOSE = FOLDER / "compose.yaml"


def read(path):
    return yaml.safe_load(path.read_text())


def mounts(service):
    """The files of this repository by their path in the container."""
    pairs = (volume.split(":")[:2] for volume in service.get("volumes", []))
    return {target: (FOLDER / source).resolve() for source, target in pairs if source.startswith(".")}


def check_services(compose):
    services, volumes = compose["services"], compose["volumes"]
    for name, service in services.items():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert source in volumes or (FOLDER / source).exists(), f"{name}: {source} does not exist"
        for port in service.get("ports", []):
            assert port.startswith("127.0.0.1:"), f"{name}: {port} is reachable from other machines"
        for other in service.get("depends_on", []):
            assert other in services, f"{name} depends on {other}, which does not exist"
    build = services["s3cors"]["build"]
    assert (FOLDER / build["context"] / build["dockerfile"]).exists(), f"no {build['dockerfile']}"
    published = [port for service in services.values() for port in service.get("ports", [])]
    assert len(published) == len(set(published)), f"a port is published twice: {published}"


def check_grafana(compose):
    """Grafana finds Prometheus and its dashboard, and opens with it."""
    services = compose["services"]
    files = mounts(services["grafana"])
    by_folder = {str(pathlib.PurePath(target).parent): read(source) for target, source in files.items() if source.suffix == ".yaml"}
    (source,) = by_folder["/etc/grafana/provisioning/datasources"]["datasources"]
    url = urllib.parse.urlsplit(source["url"])
    assert url.hostname in services, f"the data source is {source['url']}"
    (provider,) = by_folder["/etc/grafana/provisioning/dashboards"]["providers"]
    home = services["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert home in files and home.startswith(provider["options"]["path"]), f"{home} is not a dashboard"
    scrape = read(FOLDER / "prometheus.yaml")
    assert source["jsonData"]["timeInterval"] == scrape["global"]["scrape_interval"], "timeInterval is not scrape_interval"


def check_proxy(compose):
    """s3cors has its upstream, its rules and enough time to stop, and Prometheus reaches it."""
    services = compose["services"]
    proxy = services["s3cors"]
    upstream = re.fullmatch(r"\$\{UPSTREAM:-http://(\w+):\d+\}", proxy["environment"]["S3CORS_UPSTREAM"])
    assert upstream and upstream.group(1) in services, "no service is the upstream"
    (job,) = read(FOLDER / "prometheus.yaml")["scrape_configs"]
    (target,) = job["static_configs"][0]["targets"]
    host, port = target.split(":")
    assert host in services and proxy["environment"]["S3CORS_ADMIN"].endswith(f":{port}"), f"{target} is not s3cors"
    rules = mounts(proxy)["/etc/s3cors/rules"]
    subprocess.run([os.environ["S3CORS"], "check", "--strict", rules], check=True)


def main():
    subprocess.run(["check-jsonschema", "--builtin-schema", "vendor.compose-spec", COMPOSE], check=True)
    compose = read(COMPOSE)
    check_services(compose)
    check_proxy(compose)
    check_grafana(compose)
    print(*compose["services"])


main()
