#!/usr/bin/env python3
"""The dashboard is well formed, and every query in it returns data: a real Prometheus scrapes a running proxy under traffic.

Everything is on loopback and ends by itself. The program is in $S3CORS; a file of Prometheus rules is loaded beside, so that they
are evaluated over the same data."""

import json
import math
import os
import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
DASHBOARD = ROOT / "deploy/grafana/s3cors.json"
RULES = ROOT / "deploy/prometheus/rules.yaml"
# The values that Grafana substitutes, with a Prometheus that scrapes every second.
VARIABLES = {"$__rate_interval": "10s", "$__interval": "10s", "$__range": "30s", "$job": ".+", "$bucket": ".*"}
DEADLINE = 50
MORE_RULES = '{"CORSRules": [{"AllowedOrigins": ["https://app.example.com"], "AllowedMethods": ["GET"]}]}'


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def request(method, url, headers=None):
    """The body, for any status; None without a connection."""
    try:
        asked = urllib.request.Request(url, method=method, headers=headers or {})
        with urllib.request.urlopen(asked, timeout=5) as answer:
            return answer.read()
    except urllib.error.HTTPError as error:
        return error.read()
    except OSError:
        return None


def substitute(query):
    for variable, value in VARIABLES.items():
        query = query.replace(variable, value)
    assert "$" not in query, f"an unknown variable: {query}"
    return query


def data_sources(part):
    """Every data source that a part of the dashboard names."""
    if isinstance(part, dict):
        if "datasource" in part:
            yield part["datasource"]
        part = list(part.values())
    if isinstance(part, list):
        for below in part:
            yield from data_sources(below)


def shape(dashboard):
    """What Grafana requires besides the queries."""
    for source in data_sources(dashboard):
        assert source == {"type": "prometheus", "uid": "${datasource}"}, f"not the chosen data source: {source}"
    variables = [variable["name"] for variable in dashboard["templating"]["list"]]
    assert variables == ["datasource", "job", "bucket"], variables
    panels = dashboard["panels"]
    ids = [panel["id"] for panel in panels]
    assert len(ids) == len(set(ids)), "two panels have the same id"
    taken = {}
    for panel in panels:
        title, place = panel["title"], panel["gridPos"]
        assert place["x"] + place["w"] <= 24, f"{title} is wider than the page"
        for cell in ((x, y) for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])):
            assert cell not in taken, f"{title} overlaps {taken[cell]}"
            taken[cell] = title
        if panel["type"] == "row":
            continue
        assert panel["type"] in ("timeseries", "stat", "table"), f"{title}: {panel['type']}"
        assert panel["fieldConfig"]["defaults"]["unit"], f"{title} has no unit"
        assert panel["targets"], f"{title} has no query"
        assert all("datasource" in target for target in panel["targets"]), f"{title} has a query without a data source"


def queries(dashboard):
    for panel in dashboard["panels"]:
        for target in panel.get("targets", []):
            yield f"{panel['title']} {target['refId']}", substitute(target["expr"])
    for annotation in dashboard["annotations"]["list"]:
        yield f"annotation {annotation['name']}", substitute(annotation["expr"])


class Prometheus:
    def __init__(self, address):
        self.address = address

    def ask(self, path, **parameters):
        body = request("GET", f"http://{self.address}/api/v1/{path}?{urllib.parse.urlencode(parameters)}")
        # While it starts, it says 503 in plain text.
        if not body or not body.startswith(b"{"):
            raise RuntimeError("no answer")
        answer = json.loads(body)
        if answer["status"] != "success":
            raise RuntimeError(answer["error"])
        return answer["data"]

    def has_data(self, query):
        """Whether there is a number, even 0."""
        series = self.ask("query", query=query)["result"]
        return any(math.isfinite(float(one["value"][1])) for one in series)

    def label_values(self, definition):
        metric, label = re.fullmatch(r"label_values\((.*), (\w+)\)", substitute(definition)).groups()
        return self.ask(f"label/{label}/values", **{"match[]": metric})


def traffic(proxy, admin, signed, rules):
    """One event of each kind that the panels distinguish."""
    # A change of rules: one more bucket, or the same bucket without rules.
    more = rules / "more.json"
    more.unlink() if more.exists() else more.write_text(MORE_RULES)
    allowed, stranger = {"Origin": "http://localhost:3000"}, {"Origin": "https://elsewhere.example"}
    preflight = {**allowed, "Access-Control-Request-Method": "PUT"}
    request("OPTIONS", f"{proxy}/demo/hello.txt", preflight)
    request("OPTIONS", f"{proxy}/demo/hello.txt", {**stranger, "Access-Control-Request-Method": "PUT"})
    request("OPTIONS", f"{proxy}/unknown/hello.txt", preflight)
    request("OPTIONS", f"{proxy}/demo/hello.txt", {**allowed, "Access-Control-Request-Method": "PATCH"})
    request("GET", signed, allowed)
    request("GET", signed, stranger)
    request("GET", f"{proxy}/demo/hello.txt", allowed)
    request("POST", f"http://{admin}/-/reload")


def measure(work, stop):
    listen, admin, address = (f"127.0.0.1:{free_port()}" for _ in range(3))
    said = work / "demo"
    command = [os.environ["S3CORS"], "demo", "--listen", listen, "--admin", admin, "--data", work / "store"]
    with said.open("w") as output:
        stop.append(subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT))
    (work / "prometheus.yaml").write_text(
        "global: {scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}\n"
        f"rule_files: [{RULES}]\n"
        f"scrape_configs: [{{job_name: s3cors, static_configs: [{{targets: ['{admin}']}}]}}]\n"
    )
    command = ["prometheus", f"--config.file={work}/prometheus.yaml", f"--storage.tsdb.path={work}/data"]
    with (work / "log").open("w") as output:
        stop.append(subprocess.Popen([*command, f"--web.listen-address={address}"], stdout=output, stderr=subprocess.STDOUT))

    dashboard = json.loads(DASHBOARD.read_text())
    shape(dashboard)
    everything = dict(queries(dashboard))
    prometheus = Prometheus(address)
    ends = time.monotonic() + DEADLINE
    waiting = set(everything)
    while waiting and time.monotonic() < ends:
        for process in stop:
            assert process.poll() is None, f"{process.args[0]} has exited:\n{(work / 'log').read_text()}\n{said.read_text()}"
        signed = re.search(r"link +(http\S+)", said.read_text())
        if signed:
            traffic(f"http://{listen}", admin, signed.group(1), work / "store/rules")
        try:
            waiting = {name for name in waiting if not prometheus.has_data(everything[name])}
        except RuntimeError as error:
            if "no answer" not in str(error):
                raise
        time.sleep(0.2)
    metrics = (request("GET", f"http://{admin}/metrics") or b"").decode()
    rules = [] if waiting else prometheus.ask("rules")["groups"]
    return dashboard, everything, waiting, metrics, prometheus, rules


def main():
    stop = []
    with tempfile.TemporaryDirectory() as directory:
        try:
            dashboard, everything, waiting, metrics, prometheus, rules = measure(pathlib.Path(directory), stop)
            for name in sorted(waiting):
                print(f"no data: {name}: {everything[name]}")
            if waiting:
                sys.exit(1)
            for variable in dashboard["templating"]["list"][1:]:
                assert prometheus.label_values(variable["definition"]), f"variable {variable['name']} has no values"
        finally:
            for process in stop:
                process.terminate()
            for process in stop:
                process.wait(timeout=10)

    unhealthy = [f"{rule['name']}: {rule.get('lastError')}" for group in rules for rule in group["rules"] if rule["health"] != "ok"]
    assert rules and not unhealthy, f"rules that cannot be evaluated: {unhealthy}"
    # A query for a metric that does not exist never returns data; a metric that no panel shows was forgotten.
    exported = set(re.findall(r"^# TYPE (\w+)", metrics, re.MULTILINE))
    shown = " ".join(everything.values())
    asked = set(re.findall(r"(?<!:)\b(?:s3cors|process)_\w+", shown + RULES.read_text()))
    unknown = {name for name in asked if not {name, re.sub(r"_(bucket|sum|count)$", "", name)} & exported}
    # The proxy under traffic has no certificate, signs nothing, and has one upstream.
    unknown -= {"s3cors_certificate_expiry_timestamp_seconds", "s3cors_credentials_available", "s3cors_upstream_responses_total"}
    assert not unknown, f"not exported: {sorted(unknown)}"
    forgotten = {name for name in exported if name.startswith("s3cors_") and name not in shown}
    assert not forgotten, f"shown by no panel: {sorted(forgotten)}"
    print(f"{len(everything)} queries return data")


main()
