"""The parts of the fleet: each can be killed, and begins again where it was."""

import os
import subprocess

from harness.environment import PROGRAM, RESULTS
from harness.processes import connects, eventually, free_port
from servers import Server


class Part:
    """A process that listens on one port for as long as the run lasts, whatever happens to it."""

    def __init__(self, name, port, command, environment):
        self.name, self.port, self.command, self.environment = name, port, command, environment
        self.process = None

    def start(self):
        with (RESULTS / f"{self.name}.log").open("ab") as output:
            self.process = subprocess.Popen(
                [str(part) for part in self.command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=os.environ | self.environment,
                start_new_session=True,
            )
        eventually(f"{self.name} listens", lambda: connects(self.port), self.process)

    def kill(self):
        """Without a word, as a machine that loses power."""
        self.process.kill()
        self.process.wait()


def minio(name, folder):
    """A MinIO, with a server's address and keys."""
    server = Server(name, f"127.0.0.1:{free_port()}", "fleet-access-key", "fleet-secret-key")
    settings = {
        "MINIO_ROOT_USER": server.access_key,
        "MINIO_ROOT_PASSWORD": server.secret_key,
        "MINIO_BROWSER": "off",
        "MINIO_UPDATE": "off",
    }
    command = [os.environ["MINIO"], "server", "--quiet", "--address", server.address, folder / name]
    return server, Part(name, int(server.address.rpartition(":")[2]), command, settings)


def versitygw(name, folder):
    """A versitygw with the same keys."""
    server = Server(name, f"127.0.0.1:{free_port()}", "fleet-access-key", "fleet-secret-key")
    objects, metadata = folder / name / "objects", folder / name / "metadata"
    for each in (objects, metadata):
        each.mkdir(parents=True)
    command = [os.environ["VERSITYGW"], "--port", server.address, "--region", server.region, "--keep-alive", "--quiet"]
    command += ["posix", "--sidecar", metadata, objects]
    settings = {"ROOT_ACCESS_KEY": server.access_key, "ROOT_SECRET_KEY": server.secret_key}
    return server, Part(name, int(server.address.rpartition(":")[2]), command, settings)


def replica(name, folder, configuration, keys):
    """An s3cors with this configuration, without its listeners; also the address of its admin listener."""
    port, admin = free_port(), free_port()
    file = folder / f"{name}.yaml"
    file.write_text(f"listen: 127.0.0.1:{port}\nadmin: 127.0.0.1:{admin}\n{configuration}")
    environment = {"AWS_ACCESS_KEY_ID": keys.access_key, "AWS_SECRET_ACCESS_KEY": keys.secret_key}
    return Part(name, port, [PROGRAM, "serve", "--config", file], environment | {"AWS_EC2_METADATA_DISABLED": "true"})
