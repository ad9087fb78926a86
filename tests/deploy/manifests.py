"""Checks manifests from any tool: valid for Kubernetes, and correct for s3cors.

Reads documents from standard input. The program that checks configuration and rules is in $S3CORS."""

import os
import pathlib
import re
import subprocess
import sys
import tempfile

import kubernetes_validate
import yaml
from cloudcoil.models.prometheus_operator import v1 as operator

KUBERNETES = "1.32.0"


def dropped(given, kept, path=""):
    """The keys that a model dropped: it ignores unknown keys silently."""
    if isinstance(given, dict) and isinstance(kept, dict):
        for key, value in given.items():
            if key in kept:
                yield from dropped(value, kept[key], f"{path}.{key}")
            else:
                yield f"{path}.{key}"
    elif isinstance(given, list) and isinstance(kept, list):
        for index, (one, other) in enumerate(zip(given, kept)):
            yield from dropped(one, other, f"{path}[{index}]")


def validate(document):
    """Validates with the schemas of Kubernetes or of the Prometheus operator."""
    if document["apiVersion"].startswith("monitoring.coreos.com/"):
        model = getattr(operator, document["kind"]).model_validate(document)
        kept = model.model_dump(mode="json", by_alias=True, exclude_unset=True)
        unknown = list(dropped(document, kept))
        if unknown:
            raise ValueError(f"unknown: {', '.join(unknown)}")
    else:
        kubernetes_validate.validate(document, KUBERNETES, strict=True)


def seconds(text):
    number, unit = re.fullmatch(r"(\d+)(ms|s|m)", text).groups()
    return int(number) * {"ms": 0.001, "s": 1, "m": 60}[unit]


def config_map(documents, name):
    for document in documents:
        if document["kind"] == "ConfigMap" and document["metadata"]["name"] == name:
            return document.get("data", {})
    raise ValueError(f"no ConfigMap {name}")


def restricted(pod, container):
    """The parts of the Pod Security Standard "restricted" that a pod must state, and a read-only root."""
    context = {**pod.get("securityContext", {}), **container.get("securityContext", {})}
    wanted = {
        "runAsNonRoot": True,
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "seccompProfile": {"type": "RuntimeDefault"},
        "capabilities": {"drop": ["ALL"]},
    }
    for key, value in wanted.items():
        assert context.get(key) == value, f"container {container['name']}: securityContext.{key} is not {value}"
    assert context.get("runAsUser", 0) > 0, f"container {container['name']} runs as root"


def check_pod(documents, workload):
    pod = workload["spec"]["template"]["spec"]
    for container in pod["containers"]:
        restricted(pod, container)
    proxy = next(container for container in pod["containers"] if container["name"] == "s3cors")
    assert not any("subPath" in mount for mount in proxy["volumeMounts"]), "mounted with subPath, which is never updated"
    mounted = {mount["mountPath"]: mount["name"] for mount in proxy["volumeMounts"]}
    volumes = {volume["name"]: volume.get("configMap", {}).get("name") for volume in pod["volumes"]}
    arguments = dict(argument.removeprefix("--").split("=") for argument in proxy["args"][1:])
    rules = config_map(documents, volumes[mounted[arguments["rules"]]])
    config = config_map(documents, volumes[mounted[str(pathlib.PurePath(arguments["config"]).parent)]])["s3cors.yaml"]

    shutdown = yaml.safe_load(config)["shutdown"]
    ends = seconds(shutdown["delay"]) + seconds(shutdown["drain"])
    assert pod["terminationGracePeriodSeconds"] > ends, f"a pod is killed before it has drained, which takes {ends} s"

    ports = {port["name"]: port["containerPort"] for port in proxy["ports"]}
    for name, flag in (("http", "listen"), ("admin", "admin")):
        assert arguments[flag].endswith(f":{ports[name]}"), f"--{flag} is not the port {name}"
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert proxy[probe]["httpGet"]["port"] in ports, f"{probe} uses a port that does not exist"
    secrets = {volume["name"] for volume in pod["volumes"] if "secret" in volume}
    token_file = (yaml.safe_load(config).get("admin") or {}).get("token_file")
    if token_file:
        assert mounted.get(str(pathlib.PurePath(token_file).parent)) in secrets, f"no Secret is mounted for {token_file}"
    check_configuration(config, rules, token_file)


def check_configuration(config, rules, token_file):
    """Checks it with the program itself."""
    with tempfile.TemporaryDirectory() as directory:
        if token_file:
            token = pathlib.Path(directory, "token")
            token.write_text("token\n")
            config = config.replace(token_file, str(token))
        file = pathlib.Path(directory, "s3cors.yaml")
        file.write_text(config)
        folder = pathlib.Path(directory, "rules")
        folder.mkdir()
        for name, text in rules.items():
            (folder / name).write_text(text)
        command = [os.environ["S3CORS"], "check", "--strict", "--config", file, folder]
        result = subprocess.run(command, capture_output=True, text=True)
        assert result.returncode == 0, result.stdout + result.stderr
        assert rules, "no rules"


def check_selectors(documents, workloads):
    """Every selector matches the pods of a workload, and every named port exists there."""
    pods = [workload["spec"]["template"] for workload in workloads]
    ports = {port["name"] for pod in pods for c in pod["spec"]["containers"] for port in c.get("ports", [])}
    named = {
        "Service": lambda spec: (spec["selector"], [port["targetPort"] for port in spec["ports"]]),
        "NetworkPolicy": lambda spec: (
            spec["podSelector"]["matchLabels"],
            [port["port"] for rule in spec["ingress"] for port in rule["ports"]],
        ),
        "PodMonitor": lambda spec: (
            spec["selector"]["matchLabels"],
            [endpoint["port"] for endpoint in spec["podMetricsEndpoints"]],
        ),
        "PodDisruptionBudget": lambda spec: (spec["selector"]["matchLabels"], []),
    }
    for document in documents:
        if document["kind"] not in named:
            continue
        selector, wanted = named[document["kind"]](document["spec"])
        what = f"{document['kind']} {document['metadata']['name']}"
        assert any(selector.items() <= pod["metadata"]["labels"].items() for pod in pods), f"{what} selects no pod"
        assert ports.issuperset(wanted), f"{what} names a port that no pod has: {wanted}"


def main():
    documents = [document for document in yaml.safe_load_all(sys.stdin) if document]
    failed = False
    for document in documents:
        try:
            validate(document)
        except Exception as error:  # each schema has its own
            failed = True
            print(f"{document.get('kind')} {document.get('metadata', {}).get('name')}: {error}")
    workloads = [document for document in documents if document["kind"] in ("Deployment", "StatefulSet")]
    try:
        assert workloads, "no workload"
        for workload in workloads:
            check_pod(documents, workload)
        check_selectors(documents, workloads)
    except (AssertionError, KeyError, StopIteration, ValueError) as error:
        failed = True
        print(f"{type(error).__name__}: {error}")
    print(" ".join(sorted(document["kind"] for document in documents)))
    sys.exit(failed)


main()
