#!/usr/bin/env python3
"""Follows the sections of deploy/README.md that go from nothing to a preflight: runs their commands in a tree like that of a release archive,
and looks for what they say that comes back. Each section is short.

The programs that this machine cannot have are stood in for: systemctl runs the commands of the unit, kubectl and helm render with the real
ones and run what is in the containers of the pod. It all happens in a root, a network and processes of its own.

  tests/deploy/readme.py [FOLDER]     in a release archive that was unpacked there, instead of such a tree

The program is in $S3CORS, the storage comes from tests/e2e/install."""

import base64
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
README = ROOT / "deploy/README.md"
LONGEST = 15
# Each section is followed after others, on the same machine. The other sections have a test of their own, or a server that is not here.
FOLLOWED = [["systemd", "Prometheus"], ["Kustomize"], ["Helm"]]
ELSEWHERE = ["From a package", "Docker Compose", "Grafana"]
DEADLINE = 60
# Where the stand-ins keep what they know.
STATE = pathlib.Path("/run/s3cors-readme")

SYSTEMCTL = """#!/bin/sh -eu
[ "$*" = "enable --now s3cors" ]
unit=/etc/systemd/system/s3cors.service
sh -c "$(sed -n 's/^ExecStartPre=//p' $unit)"
sh -c "exec $(sed -n 's/^ExecStart=//p' $unit)" >/dev/null 2>&1 &
until /usr/local/bin/s3cors healthcheck 2>/dev/null; do sleep 0.1; done
"""

# A root with the folders of this machine, but for those that the commands write to.
ENTER = """root=$1
mount -t tmpfs -o mode=755 root "$root"
for path in /*; do
    name=${path#/}
    if [ -L "$path" ]; then cp -a "$path" "$root/"; continue; fi
    [ -d "$path" ] || continue
    mkdir "$root/$name"
    case $name in
        etc) cp -a /etc/. "$root/etc/" 2>/dev/null || true ;;
        data | run) ;;
        proc) mount -t proc proc "$root/proc" ;;
        *) mount --rbind "$path" "$root/$name" ;;
    esac
done
mkdir -p "$root/data" "$root/run"
mount -t tmpfs bin "$root/usr/local/bin"
ip link set lo up
shift
exec chroot "$root" "$@" """


def sections():
    """The text of each section by its heading."""
    parts = re.split(r"^## (.*)\n", README.read_text(), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2]))


def commands(section):
    return [block for block in re.findall(r"^```sh\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)]


def expected(section):
    """The lines of a response that a section names."""
    return re.findall(r"`((?:HTTP/1\.1 |access-control-)[^`]+)`", section)


def shape():
    """What is wrong with the form of the sections."""
    found = sections()
    for name in [name for names in FOLLOWED for name in names] + ELSEWHERE:
        lines = [line for line in found[name].splitlines() if line]
        if len(lines) > LONGEST:
            yield f"{name}: {len(lines)} lines, more than {LONGEST}"
        if name != "Grafana" and not any("-X OPTIONS" in block for block in commands(found[name])):
            yield f"{name}: no preflight"
        for path in re.findall(r"(?<![\w/.])((?:conf|deploy)/[\w./-]+)", "".join(commands(found[name]))):
            if not (ROOT / path).exists():
                yield f"{name}: {path} does not exist"


def eventually(is_so):
    """Whether something is so before long."""
    until = time.monotonic() + DEADLINE / 4
    while not is_so():
        if time.monotonic() > until:
            return False
        time.sleep(0.1)
    return True


# The stand-in for a cluster.


def documents():
    return list(yaml.safe_load_all((STATE / "manifests").read_text()))


def named(kind, name):
    return next(one for one in documents() if one["kind"] == kind and one["metadata"]["name"] == name)


def secret(name):
    """The values of a Secret."""
    created = STATE / f"secret-{name}"
    if created.exists():
        return dict(line.split("=", 1) for line in created.read_text().splitlines())
    given = named("Secret", name)
    return given.get("stringData", {}) | {key: base64.b64decode(value).decode() for key, value in given.get("data", {}).items()}


def applied(manifests):
    """Runs the pod of what is applied."""
    (STATE / "manifests").write_text(manifests)
    (workload,) = (one for one in documents() if one and one["kind"] in ("StatefulSet", "Deployment"))
    pod = workload["spec"]["template"]["spec"]
    volumes = {volume["name"]: volume["configMap"]["name"] for volume in pod["volumes"] if "configMap" in volume}
    programs = {"s3cors": os.environ["S3CORS"], "versitygw": os.environ["VERSITYGW"]}
    for container in [*pod.get("initContainers", []), *pod["containers"]]:
        for mount in container["volumeMounts"]:
            folder = pathlib.Path(mount["mountPath"])
            folder.mkdir(parents=True, exist_ok=True)
            if mount["name"] in volumes:
                for name, text in named("ConfigMap", volumes[mount["name"]])["data"].items():
                    (folder / name).write_text(text)
        values = {key: value for source in container.get("envFrom", []) for key, value in secret(source["secretRef"]["name"]).items()}
        program = programs[re.search(r"(\w+):[\w.-]+$", container["image"]).group(1)]
        if "command" in container:
            subprocess.run(container["command"], check=True)
        else:
            with (STATE / "log").open("a") as log:
                subprocess.Popen([program, *container["args"]], env=os.environ | values, stdout=log, stderr=log)


def rolled_out(workload):
    """Waits until the pod is ready, as the kubelet finds out."""
    kind, name = workload.split("/")
    containers = named({"statefulset": "StatefulSet", "deployment": "Deployment"}[kind], name)["spec"]["template"]["spec"]["containers"]
    (proxy,) = (one for one in containers if one["name"] == "s3cors")
    probe = proxy["readinessProbe"]["httpGet"]
    (port,) = (one["containerPort"] for one in proxy["ports"] if one["name"] == probe["port"])

    def ready():
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}{probe['path']}", timeout=5).close()
        except OSError:
            return False
        return True

    if not eventually(ready):
        sys.exit(f"{workload} is not ready")


def forwarded(service, ports):
    """The pod is on this machine: the port has to be that of the container."""
    here, port = map(int, ports.split(":"))
    (wanted,) = (one["targetPort"] for one in named("Service", service.removeprefix("service/"))["spec"]["ports"] if one["port"] == port)
    containers = [one for document in documents() if "template" in document.get("spec", {}) for one in document["spec"]["template"]["spec"]["containers"]]
    assert here in [one["containerPort"] for one in containers for one in one.get("ports", []) if one["name"] == wanted], f"{here} is not {wanted}"
    (STATE / "forwarded").touch()


def stand_in(program, *arguments):
    STATE.mkdir(parents=True, exist_ok=True)
    render = {"capture_output": True, "text": True}
    match [program, *arguments]:
        case ["kubectl", "create", "secret", "generic", name, *literals]:
            (STATE / f"secret-{name}").write_text("".join(f"{one.removeprefix('--from-literal=')}\n" for one in literals))
        case ["kubectl", "apply", "-k", folder]:
            applied(subprocess.run([os.environ["KUBECTL"], "kustomize", folder], check=True, **render).stdout)
        case ["kubectl", "rollout", "status", workload]:
            rolled_out(workload)
        case ["kubectl", "port-forward", service, ports]:
            forwarded(service, ports)
        case ["helm", "install", *rest]:
            applied(subprocess.run([os.environ["HELM"], "template", *rest, "--kube-version", "1.32.0"], check=True, **render).stdout)
        case ["docker", ("build" | "push"), *_]:
            # tests/deploy/image builds it.
            pass
        case other:
            sys.exit(f"no stand-in for {shlex.join(other)}")


def follow(place, names):
    """Runs the commands of sections; returns what is wrong."""
    binaries = place / "bin"
    binaries.mkdir()
    scripts = {"sudo": '#!/bin/sh\nexec "$@"\n', "systemctl": SYSTEMCTL}
    scripts |= {name: f'#!/bin/sh\nexec {sys.executable} {pathlib.Path(__file__).resolve()} --stand-in {name} "$@"\n' for name in ("kubectl", "helm", "docker")}
    for name, script in scripts.items():
        (binaries / name).write_text(script)
        (binaries / name).chmod(0o755)
    environment = os.environ | {"PATH": f"{binaries}:/usr/local/bin:{os.environ['PATH']}", "TMPDIR": str(place)}
    pathlib.Path("/etc/systemd/system").mkdir(parents=True, exist_ok=True)
    for name in names:
        section, output = sections()[name], ""
        for block in commands(section):
            # What goes on in the background keeps a pipe open: the output is in a file.
            with tempfile.TemporaryFile("w+") as file:
                command = ["timeout", str(DEADLINE), "bash", "-euo", "pipefail", "-c", block]
                done = subprocess.run(command, cwd=place / "tree", env=environment, stdin=subprocess.DEVNULL, stdout=file, stderr=file)
                file.seek(0)
                output += file.read()
            if done.returncode or "port-forward" in block and not eventually((STATE / "forwarded").exists):
                log = (STATE / "log").read_text() if (STATE / "log").exists() else ""
                return f"{name}: a command fails:\n{block}{output}{log}"
        if missing := [line for line in expected(section) if line not in output] or not expected(section):
            return f"{name}: {missing} is not in the output:\n{output}"
        print(f"{name}: {', '.join(expected(section))}", flush=True)
    return ""


def tree(folder, unpacked):
    """The files of a release archive, and the program."""
    if unpacked:
        shutil.copytree(unpacked[0], folder, symlinks=True)
        return
    files = subprocess.run(["git", "ls-files", "-z", "conf", "deploy"], cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout
    for name in filter(None, files.decode().split("\0")):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).exists():
            shutil.copy(ROOT / name, folder / name, follow_symlinks=False)
    (folder / "s3cors").write_text(f'#!/bin/sh\nexec {os.environ["S3CORS"]} "$@"\n')


def main():
    match sys.argv[1:]:
        case ["--stand-in", *command]:
            return stand_in(*command)
        case ["--follow", place, *names]:
            sys.exit(follow(pathlib.Path(place), names) or None)
    wrong = list(shape())
    told = subprocess.run([ROOT / "tests/e2e/install"], text=True, stdout=subprocess.PIPE, check=True).stdout
    os.environ |= dict(shlex.split(line)[0].split("=", 1) for line in told.splitlines())
    os.environ |= {"KUBECTL": shutil.which("kubectl"), "HELM": shutil.which("helm")}
    user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    unshare = ["unshare", *user, "--net", "--pid", "--fork", "--kill-child", "--mount"]
    for names in FOLLOWED:
        with tempfile.TemporaryDirectory() as place:
            root, files = pathlib.Path(place, "root"), pathlib.Path(place, "tree")
            root.mkdir()
            tree(files, sys.argv[1:])
            inside = [root, sys.executable, pathlib.Path(__file__).resolve(), "--follow", place, *names]
            done = subprocess.run([*unshare, "sh", "-euc", ENTER, "sh", *inside], stderr=subprocess.PIPE, text=True)
            if done.returncode:
                wrong.append(done.stderr)
    print(*wrong, f"{sum(map(len, FOLLOWED))} sections", sep="\n")
    sys.exit(bool(wrong))


main()
