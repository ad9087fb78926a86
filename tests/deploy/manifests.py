"""Checks manifests from any tool: valid for Kubernetes, and correct for s3cors.

Reads documents from standard input. The program that checks configuration and rules is in $S3CORS."""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import jsonschema
import kubernetes_validate
import yaml
from cloudcoil.models.prometheus_operator import v1 as operator

KUBERNETES = "1.32.0"
SCHEMA = pathlib.Path(__file__).resolve().parents[2] / "conf/s3cors.schema.json"
ANY_RULES = '{"CORSRules": [{"AllowedOrigins": ["https://app.example.com"], "AllowedMethods": ["GET"]}]}'
# The parts of https://gateway-api.sigs.k8s.io/reference/spec/#httproute that a route to one Service has.
NAME = {"type": "string", "minLength": 1}
HTTP_ROUTE = {
    "properties": {
        "kind": {"const": "HTTPRoute"},
        "spec": {
            "additionalProperties": False,
            "required": ["parentRefs", "rules"],
            "properties": {
                "parentRefs": {
                    "minItems": 1,
                    "items": {
                        "additionalProperties": False,
                        "required": ["name"],
                        "properties": {key: NAME for key in ("group", "kind", "name", "namespace", "sectionName")} | {"port": {}},
                    },
                },
                "hostnames": {"minItems": 1, "items": NAME},
                "rules": {
                    "items": {
                        "additionalProperties": False,
                        "properties": {
                            "matches": {"const": [{"path": {"type": "PathPrefix", "value": "/"}}]},
                            "backendRefs": {"items": {"required": ["name", "port"]}},
                            "timeouts": {
                                "additionalProperties": False,
                                "properties": {key: {"pattern": r"^(\d{1,5}(h|m|s|ms)){1,4}$"} for key in ("request", "backendRequest")},
                            },
                        },
                    },
                },
            },
        },
    },
}


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
    elif document["apiVersion"].startswith("gateway.networking.k8s.io/"):
        jsonschema.validate(document, HTTP_ROUTE)
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
    for container in [*pod["containers"], *pod.get("initContainers", [])]:
        restricted(pod, container)
    proxy = next(container for container in pod["containers"] if container["name"] == "s3cors")
    assert not any("subPath" in mount for mount in proxy["volumeMounts"]), "mounted with subPath, which is never updated"
    mounted = {mount["mountPath"]: mount["name"] for mount in proxy["volumeMounts"]}
    volumes = {volume["name"]: volume.get("configMap", {}).get("name") for volume in pod["volumes"]}
    arguments = dict(argument.removeprefix("--").split("=") for argument in proxy["args"][1:])
    config = config_map(documents, volumes[mounted[str(pathlib.PurePath(arguments["config"]).parent)]])["s3cors.yaml"]
    settings = yaml.safe_load(config)
    rules = None
    if "rules" in arguments:
        rules = config_map(documents, volumes[mounted[arguments["rules"]]])

    shutdown = settings["shutdown"]
    ends = seconds(shutdown["delay"]) + seconds(shutdown["drain"])
    assert pod["terminationGracePeriodSeconds"] > ends, f"a pod is killed before it has drained, which takes {ends} s"

    ports = {port["name"]: port["containerPort"] for port in proxy["ports"]}
    listeners = listed(arguments.get("listen") or settings["listen"])
    addresses = [listener["address"] for listener in listeners]
    wanted = {port_of(address) for address in addresses if not address.startswith("127.")} | {port_of(arguments["admin"])}
    assert set(ports.values()) == wanted, f"the ports are {ports}, and the addresses {addresses}"
    assert ports["admin"] == port_of(arguments["admin"]), "--admin is not the port admin"
    admin = settings.get("admin") if isinstance(settings.get("admin"), dict) else {}
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        asked = proxy[probe]["httpGet"]
        assert asked["port"] in ports, f"{probe} uses a port that does not exist"
        assert (asked.get("scheme") == "HTTPS") == ("tls" in admin), f"{probe} does not speak as admin does"
    for monitor in (document for document in documents if document["kind"] == "PodMonitor"):
        for endpoint in monitor["spec"]["podMetricsEndpoints"]:
            assert (endpoint.get("scheme") == "https") == ("tls" in admin), "PodMonitor does not speak as admin does"
    provided = {volume["name"] for volume in pod["volumes"] if {"secret", "configMap", "projected"} & volume.keys()}
    files = [admin[key] for key in ("token_file",) if key in admin]
    files += [file for part in [*listeners, admin] for file in part.get("tls", {}).values()]
    for file in files:
        assert mounted.get(str(pathlib.PurePath(file).parent)) in provided, f"nothing is mounted for {file}"
    check_configuration(settings, rules, files)


def listed(listen):
    """The listeners of s3cors.yaml, each as an object."""
    given = listen if isinstance(listen, list) else [listen]
    return [{"address": one} if isinstance(one, str) else one for one in given]


def port_of(address):
    return int(address.rpartition(":")[2])


def check_configuration(settings, rules, files):
    """Checks it with the program itself. Files of Secrets are some here."""
    with tempfile.TemporaryDirectory() as directory:
        certificate, key = pathlib.Path(directory, "tls.crt"), pathlib.Path(directory, "tls.key")
        if any(file.endswith((".crt", ".key")) for file in files):
            command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "9", "-subj", "/CN=s3"]
            subprocess.run([*command, "-keyout", key, "-out", certificate], check=True, capture_output=True)
        jsonschema.validate(settings, json.loads(SCHEMA.read_text()))
        if rules is None:
            # They are in a store that does not exist here.
            settings = {key: value for key, value in settings.items() if key != "rules"}
        config = yaml.safe_dump(settings)
        for file in files:
            here = pathlib.Path(directory, pathlib.PurePath(file).name)
            if not here.exists():
                here.write_text("token\n")
            config = config.replace(file, str(here))
        file = pathlib.Path(directory, "s3cors.yaml")
        file.write_text(config)
        folder = pathlib.Path(directory, "rules")
        folder.mkdir()
        for name, text in (rules or {"_default.json": ANY_RULES}).items():
            (folder / name).write_text(text)
        command = [os.environ["S3CORS"], "check", "--strict", "--config", file, folder]
        result = subprocess.run(command, capture_output=True, text=True)
        assert result.returncode == 0, result.stdout + result.stderr
        assert rules is None or rules, "no rules"


def check_backends(documents):
    """An Ingress and an HTTPRoute lead to a port of a Service."""
    ports = {(one["metadata"]["name"], port["port"]) for one in documents if one["kind"] == "Service" for port in one["spec"]["ports"]}
    for document in documents:
        found = []
        if document["kind"] == "Ingress":
            backends = [path["backend"]["service"] for rule in document["spec"]["rules"] for path in rule["http"]["paths"]]
            found = [(backend["name"], backend["port"]["number"]) for backend in backends]
        if document["kind"] == "HTTPRoute":
            found = [(backend["name"], backend["port"]) for rule in document["spec"]["rules"] for backend in rule["backendRefs"]]
        assert ports.issuperset(found), f"{document['kind']}: no Service has {found}"


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


def check_autoscaler(documents, workloads):
    """An autoscaler adds a pod when the others use most of a core: its target is a part of what a pod requests."""
    requested = {}
    for workload in workloads:
        containers = workload["spec"]["template"]["spec"]["containers"]
        cpus = [str(container["resources"]["requests"]["cpu"]) for container in containers if "resources" in container]
        requested[workload["metadata"]["name"]] = sum(int(cpu[:-1]) if cpu.endswith("m") else 1000 * float(cpu) for cpu in cpus)
    for document in (one for one in documents if one["kind"] == "HorizontalPodAutoscaler"):
        (metric,) = document["spec"]["metrics"]
        used = requested[document["spec"]["scaleTargetRef"]["name"]] * metric["resource"]["target"]["averageUtilization"] / 100
        assert 500 <= used <= 1000, f"a pod is added from {used} millicores each"


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
        check_backends(documents)
        check_autoscaler(documents, workloads)
    except (AssertionError, KeyError, StopIteration, ValueError) as error:
        failed = True
        print(f"{type(error).__name__}: {error}")
    print(" ".join(sorted(document["kind"] for document in documents)))
    sys.exit(failed)


main()
