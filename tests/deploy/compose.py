#!/usr/bin/env python3
"""The Compose file is valid, listens on loopback, and everything that it mounts or names exists, including what Grafana is provisioned with.
Storage and s3cors are started as it says, without containers, and what it prints to try works.

The program is in $S3CORS, the storage comes from tests/e2e/install."""

import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

import yaml

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "deploy/compose"
COMPOSE = FOLDER / "compose.yaml"
ROOT = FOLDER.parents[1]
TRY = FOLDER / "try.txt"
# Says to this program that it has a network of its own, so that the ports are free.
INSIDE = "--inside"
DEADLINE = 30


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


def links():
    """The links of the lines that Compose prints, by port."""
    return {urllib.parse.urlsplit(link).port: link for link in re.findall(r"^ +(http://\S+)", TRY.read_text(), re.MULTILINE)}


def check_links(compose):
    published = {int(port.split(":")[1]) for service in compose["services"].values() for port in service.get("ports", [])}
    assert published >= set(links()), f"{TRY.name} links to a port that no service publishes: {links()}"


def interpolated(value):
    """A value with the defaults of its variables."""
    return re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", str(value))


def argument(value, data):
    """An argument with the storage's volume in a folder here."""
    return re.sub("^/data(?=/)", str(data), interpolated(value))


def environment(service):
    """A service's environment. The names of other services are this machine."""
    values = {name: interpolated(value) for name, value in service["environment"].items()}
    return {name: re.sub(r"//storage(?=:)", "//127.0.0.1", value) for name, value in values.items()}


def answer(url):
    """Waits for a response; returns its body."""
    until = time.monotonic() + DEADLINE
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5) as response:
                return response.read().decode()
        except (OSError, urllib.error.URLError):
            assert time.monotonic() < until, f"{url} does not answer"
            time.sleep(0.1)


def run(command, **options):
    done = subprocess.run(command, text=True, capture_output=True, timeout=DEADLINE, **options)
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


def try_it(compose, place):
    """Does what the services do, and then what a reader is told to try."""
    services = compose["services"]
    data = place / "data"
    bucket, *arguments = services["bucket"]["entrypoint"]
    run([bucket, *(argument(one, data) for one in arguments)])
    storage, proxy = environment(services["storage"]), environment(services["s3cors"])
    # The image's configuration names the folder that the rules are mounted to.
    proxy |= {"S3CORS_RULES": str(mounts(services["s3cors"])["/etc/s3cors/rules"])}
    started = [
        ([os.environ["VERSITYGW"], *(argument(one, data) for one in services["storage"]["command"])], storage),
        ([os.environ["S3CORS"], "serve", "--config", ROOT / "deploy/image/s3cors.yaml"], proxy),
    ]
    with (place / "log").open("w") as log:
        for command, values in started:
            subprocess.Popen(command, env=os.environ | values, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    healthcheck = services["s3cors"]["healthcheck"]["test"]
    answer("http://localhost:9180/readyz")
    run([os.environ["S3CORS"], *healthcheck[2:]], env=os.environ | proxy)
    (command,) = re.findall(r"^ +(curl .*)", TRY.read_text(), re.MULTILINE)
    preflight = run(["bash", "-c", f"{command} --silent"])
    assert preflight.startswith("HTTP/1.1 200 OK") and "access-control-allow-origin: http://localhost:5173" in preflight, preflight
    assert "VersityGW" in answer(links()[7071]) and "s3cors" in answer(links()[9180]), links()
    # As the file browser uploads, with the keys that the text names.
    keys = (storage["ROOT_ACCESS_KEY_ID"], storage["ROOT_SECRET_ACCESS_KEY"])
    assert f"sign in as {', '.join(keys)}," in TRY.read_text(), f"{TRY.name} names other keys"
    upload = ["curl", "--silent", "--include", "--aws-sigv4", "aws:amz:us-east-1:s3", "--user", ":".join(keys), "--upload-file", TRY]
    headers = ["--header", "Origin: http://localhost:7071", "--header", "x-amz-content-sha256: UNSIGNED-PAYLOAD"]
    stored = run([*upload, *headers, f"{storage['VGW_WEBUI_GATEWAYS']}/photos/try.txt"])
    assert " 200 OK" in stored and "access-control-allow-origin: http://localhost:7071" in stored, stored


def main():
    compose = read(COMPOSE)
    if INSIDE in sys.argv:
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        try_it(compose, pathlib.Path(sys.argv[2]))
        return
    subprocess.run(["check-jsonschema", "--builtin-schema", "vendor.compose-spec", COMPOSE], check=True)
    check_services(compose)
    check_proxy(compose)
    check_grafana(compose)
    check_links(compose)
    told = run([ROOT / "tests/e2e/install"])
    os.environ |= dict(shlex.split(line)[0].split("=", 1) for line in told.splitlines())
    if "VERSITYGW" not in os.environ:
        print("not tried: the storage could not be built")
        sys.exit(os.environ.get("CI") == "true")
    user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    with tempfile.TemporaryDirectory() as place:
        alone = ["unshare", *user, "--net", "--pid", "--fork", "--kill-child", "--mount-proc"]
        subprocess.run([*alone, sys.executable, __file__, INSIDE, place], check=True)
    print(*compose["services"], "tried: preflight, file browser, status page, upload", sep="\n")


main()
