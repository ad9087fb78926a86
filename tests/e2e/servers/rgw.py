"""Ceph's RGW on the smallest cluster there is: one monitor and one OSD that keeps everything in memory."""

import contextlib
import re
import shutil
import uuid

from harness.environment import RESULTS
from harness.processes import Failed, connects, eventually, free_port, output_of, running
from servers import Keys, Server

TITLE = "Ceph RGW"
ATTEMPTS = 5
# Without it, a command that came before the monitor waits for minutes.
CEPH = ("ceph", "--connect-timeout", "10")

CONFIGURATION = """
[global]
fsid = {fsid}
mon_host = v1:{monitor}
mon_initial_members = a
public_addr = 127.0.0.1
cluster_addr = 127.0.0.1
ms_bind_msgr2 = false
auth_cluster_required = none
auth_service_required = none
auth_client_required = none
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_num = 4
osd_pool_default_pgp_num = 4
osd_crush_chooseleaf_type = 0
mon_allow_pool_size_one = true
mon_warn_on_pool_no_redundancy = false
mon_max_pg_per_osd = 1000
# Little disk space is no reason to stop.
mon_data_avail_crit = 1
osd_objectstore = memstore
memstore_device_bytes = 1073741824
run_dir = {folder}
admin_socket = {folder}/$name.asok
log_file = {logs}/$name.log
pid_file = {folder}/$name.pid
setuser_match_path =
[mon.a]
mon_data = {folder}/mon
host = localhost
[osd.0]
osd_data = {folder}/osd
[client.rgw]
rgw_frontends = beast endpoint={server}
rgw_data = {folder}/rgw
# Without rgw_dns_name no Host is a bucket's name.
rgw_enable_usage_log = false
# What is before it knows the client's address and whether the client uses TLS.
rgw_remote_addr_param = HTTP_X_FORWARDED_FOR
rgw_trust_forwarded_https = true
"""


def missing():
    absent = [tool for tool in ("radosgw", "ceph-mon", "ceph-osd", "ceph") if shutil.which(tool) is None]
    return f"not installed: {' '.join(absent)}" if absent else None


def version():
    return re.search(r"ceph version (\S+)", output_of("radosgw", "--version"))[1]


def _start(daemons, up, name, *command):
    """A running daemon. One that connects before it has the monitor's map is rejected ("wrong fsid") and exits: it is restarted."""
    for _ in range(ATTEMPTS):
        # -f: in the foreground, so that we can end it.
        process = daemons.enter_context(running(name, *command, "-f"))
        eventually(f"{name} is up", lambda process=process: process.poll() is not None or up())
        if process.poll() is None:
            return
    raise Failed(f"{name} does not stay up: see its log")


def _says(part, *command):
    """Whether a command works and prints this."""
    try:
        return part in output_of(*command)
    except Failed:
        return False


@contextlib.contextmanager
def start(folder):
    limited = Keys("RGWACCESSKEY00000002", "rgw-limited-key")
    server = Server("rgw", f"127.0.0.1:{free_port()}", "RGWACCESSKEY00000001", "rgw-secret-key", limited=limited)
    fsid, monitor, osd = uuid.uuid4(), f"127.0.0.1:{free_port()}", uuid.uuid4()
    for name in ("mon", "osd", "rgw"):
        (folder / name).mkdir(parents=True)
    file = folder / "ceph.conf"
    text = CONFIGURATION.format(fsid=fsid, monitor=monitor, folder=folder, logs=RESULTS, server=server.address)
    file.write_text(text)
    use = ("-c", file)

    def tell(*command, said=""):
        """Repeats a command to the monitor until it is accepted; each of them may be repeated."""
        eventually(f"ceph {' '.join(map(str, command))}", lambda: _says(said, *CEPH, *use, *command))

    output_of("monmaptool", "--create", "--fsid", fsid, "--addv", "a", f"v1:{monitor}", folder / "monmap")
    output_of("ceph-mon", *use, "--mkfs", "-i", "a", "--monmap", folder / "monmap", "--keyring", "/dev/null")
    with contextlib.ExitStack() as daemons:
        _start(daemons, lambda: _says("", *CEPH, *use, "mon", "stat"), "ceph-mon", "ceph-mon", *use, "-i", "a")
        tell("osd", "create", osd, said="0")
        output_of("ceph-osd", *use, "-i", "0", "--mkfs", "--osd-uuid", osd)
        tell("osd", "crush", "add", "osd.0", "1", "root=default", "host=localhost")
        _start(daemons, lambda: _says("1 up", *CEPH, *use, "osd", "stat"), "ceph-osd", "ceph-osd", *use, "-i", "0")
        port = int(server.address.rpartition(":")[2])
        _start(daemons, lambda: connects(port), "radosgw", "radosgw", *use, "-n", "client.rgw")
        for name, user in (("e2e", server), ("limited", limited)):
            about = (f"--uid={name}", f"--display-name={name}")
            keys = (f"--access-key={user.access_key}", f"--secret={user.secret_key}")
            output_of("radosgw-admin", *use, "-n", "client.rgw", "user", "create", *about, *keys)
        yield server
