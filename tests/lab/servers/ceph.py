"""A Ceph cluster of one monitor, one manager and one OSD in memory, with cephx.

The manager's modules are in Python and nothing here needs them: it is given an empty folder of them, which spares ten
seconds and 270 MB.
"""

from __future__ import annotations

import base64
import json
import os
import struct
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from attrs import frozen

from tests.lab.servers.programs import ServerError, free_ports, run, running, scratch, wait_for

POOL = "libvirt"
USER = "libvirt"
_ADDRESS = "127.0.0.1"
_CONFIGURATION = """[global]
fsid = {fsid}
mon initial members = a
mon host = {monitors}
public addr = {address}
cluster addr = {address}
auth cluster required = cephx
auth service required = cephx
auth client required = cephx
auth allow insecure global id reclaim = false
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 8
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
mon allow pool size one = true
mon data avail warn = 1
mon data avail crit = 0
osd objectstore = memstore
memstore device bytes = 1073741824
mgr initial modules =
mgr module path = {folder}/mgr
mgr stats period = 1
mgr tick period = 1
run dir = {folder}
admin socket = {folder}/$name.asok
pid file = {folder}/$name.pid
log file = {folder}/$name.log
keyring = {folder}/keyring
mon data = {folder}/mon
mgr data = {folder}/mgr
osd data = {folder}/osd
"""
_ALL = dict.fromkeys(("mon", "mgr", "osd", "mds"), "allow *")
_USERS = {
    "mon.": {"mon": "allow *"},
    "client.admin": _ALL,
    "mgr.x": {"mon": "allow profile mgr", "osd": "allow *", "mds": "allow *"},
    "osd.0": {"mon": "allow profile osd", "mgr": "allow profile osd", "osd": "allow *"},
    f"client.{USER}": {"mon": "profile rbd", "osd": f"profile rbd pool={POOL}"},
}


@frozen
class CephServer:
    """A running cluster.

    Attributes:
        address: Host name or address of the monitor.
        port: Where the monitor listens for clients of the old and the new protocol.
        key: The key of user ``libvirt``: the bytes, not their base64 text.
        configuration: For the programs ``ceph``, ``rados`` and ``rbd``.
    """

    address: str
    port: int
    key: bytes
    configuration: Path

    @property
    def monitor(self) -> str:
        """Address and port in one."""
        return f"{self.address}:{self.port}"


@contextmanager
def ceph_server() -> Iterator[CephServer]:
    """A cluster with the pool ``libvirt`` and the user ``libvirt`` who may do all in it."""
    with scratch("ceph") as folder, ExitStack() as programs:
        new, old = free_ports(2, _ADDRESS)
        monitors = f"[v2:{_ADDRESS}:{new},v1:{_ADDRESS}:{old}]"
        configuration = _configure(folder, monitors)
        keys = {name: new_key() for name in _USERS}
        _write_keyring(folder / "keyring", keys)

        def start(kind: str, name: str) -> None:
            command = (f"ceph-{kind}", f"--conf={configuration}", f"--id={name}", "--foreground")
            programs.enter_context(running(*command, log=folder / f"{kind}.output"))

        def prepare(kind: str, name: str, *more: str | Path) -> None:
            run(f"ceph-{kind}", f"--conf={configuration}", f"--id={name}", "--mkfs", *more)

        ceph = partial(run, "ceph", f"--conf={configuration}", "--connect-timeout=30")
        fsid = configuration.read_text("ascii").split("fsid = ")[1].splitlines()[0]
        run("monmaptool", "--create", "--addv", "a", monitors, "--fsid", fsid, folder / "monmap")
        prepare("mon", "a", "--monmap", folder / "monmap")
        start("mon", "a")
        start("mgr", "x")
        osd = str(uuid.uuid4())
        ceph("osd", "new", osd)
        prepare("osd", "0", "--osd-uuid", osd)
        start("osd", "0")
        ceph("osd", "pool", "create", POOL, "8", "8", "replicated")
        ceph("osd", "pool", "application", "enable", POOL, "rbd")
        run("rados", f"--conf={configuration}", f"--pool={POOL}", "create", "probe")  # it waits for the OSD
        run("rados", f"--conf={configuration}", f"--pool={POOL}", "rm", "probe")
        wait_for(lambda: _check_sizes(ceph("df", "--format=json")), "ceph df")
        yield CephServer(_ADDRESS, old, keys[f"client.{USER}"], configuration)


def _check_sizes(answer: str) -> None:
    """The manager needs a while to learn how large the cluster is; until then libvirt sees none."""
    pools = {pool["name"]: pool["stats"] for pool in json.loads(answer)["pools"]}
    if not (POOL in pools and pools[POOL]["max_avail"]):
        raise ServerError("the sizes are not known yet")


def _configure(folder: Path, monitors: str) -> Path:
    for name in ("mon", "mgr", "osd"):
        (folder / name).mkdir()
    path = folder / "ceph.conf"
    text = _CONFIGURATION.format(fsid=uuid.uuid4(), monitors=monitors, address=_ADDRESS, folder=folder)
    path.write_text(text, "ascii")
    return path


def new_key() -> bytes:
    """A key as ``ceph-authtool --gen-key`` makes them: AES, the time, 16 bytes."""
    return struct.pack("<HIIH", 1, int(time.time()), 0, 16) + os.urandom(16)


def _write_keyring(path: Path, keys: dict[str, bytes]) -> None:
    lines = []
    for name, may in _USERS.items():
        lines += [f"[{name}]", f"\tkey = {base64.b64encode(keys[name]).decode('ascii')}"]
        lines += [f'\tcaps {service} = "{what}"' for service, what in may.items()]
    path.write_text("\n".join(lines) + "\n", "ascii")
    path.chmod(0o600)
