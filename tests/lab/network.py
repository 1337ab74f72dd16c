"""Cases on servers that this machine reaches over the network: Gluster, iSCSI, Ceph."""

from __future__ import annotations

import base64
import os
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, Final

import attrs
import libvirt

from libstorage import Auth, Host, PoolSpec, PoolType, SecretSpec, Volume, VolumeFormat, VolumeSpec, connect
from libstorage.connection.address.uri import parse
from libstorage.testing import PrivateDaemon
from tests.lab.boot import boot
from tests.lab.case import Case, Mistake, Place
from tests.lab.servers import ceph, gluster, tgt
from tests.lab.servers.ceph import CephServer, ceph_server
from tests.lab.servers.gluster import GlusterServer, gluster_server
from tests.lab.servers.programs import run, scratch
from tests.lab.servers.tgt import IscsiServer, iscsi_server

CLOSED: Final = "127.0.0.1:1"
UNKNOWN: Final = "nosuch.invalid"


def raw(name: str, size: int) -> VolumeSpec:
    """A raw volume."""
    return VolumeSpec.image(name, VolumeFormat.RAW, size)


def starting(spec: PoolSpec, *, build: bool = False) -> Mistake:
    """Define that pool and start it."""

    def mistake(host: Host) -> object:
        pool = host.pools.define(spec)
        return (pool.build() if build else pool).start()

    return mistake


def conflicting(spec: PoolSpec) -> Mistake:
    """Define two pools of the same source."""

    def mistake(host: Host) -> object:
        host.pools.define(spec)
        return host.pools.define(attrs.evolve(spec, name="other"))

    return mistake


def looking(type: PoolType, server: str) -> Mistake:
    """Look for sources on that server."""
    return lambda host: host.find_sources(type, hosts=server)


def version(*command: str) -> str:
    """The version that a program prints, without its name."""
    return next(word for word in run(*command).split() if word[0].isdigit())


# ---- Gluster ----------------------------------------------------------------------------------------------------------


@contextmanager
def netfs_gluster() -> Iterator[Place]:
    """A Gluster volume that libvirt mounts."""
    with _gluster() as (server, folder, daemon):
        spec = _mounting(server, folder)

        def elsewhere(name: str, **source: str) -> Mistake:
            """Another mount point each time: a failed mount stays there for a moment."""
            return starting(spec.with_target(path=folder / name).with_source(**source), build=True)

        yield Place(
            uri=daemon.uri,
            spec=spec,
            volume=raw,
            restart=partial(boot, daemon),
            sources={"hosts": server.address},
            mistakes={
                "pool not built": starting(spec.with_target(path=folder / "nosuch")),
                "no such volume": elsewhere("volume", dir="nosuch"),
                "no server answers": elsewhere("closed", hosts="127.0.0.1"),
                "unknown server": elsewhere("unknown", hosts=UNKNOWN),
                "source conflict": conflicting(spec),
                "discovery without a Gluster server": looking(PoolType.NETFS, "127.0.0.1"),
            },
            versions={"gluster": version("glusterd", "--version")},
        )


@contextmanager
def gluster_alone() -> Iterator[Place]:
    """A Gluster volume that libvirt reads itself, with a file in it."""
    with _gluster() as (server, folder, daemon):
        with connect(daemon.uri) as host:
            pool = host.pools.define(_mounting(server, folder)).build().start()
            pool.volumes.create(raw("image.raw", 4 << 20))
            pool.stop().undefine()
        spec = PoolSpec.gluster("lab", host=server.address, source_name=gluster.VOLUME)
        yield Place(
            uri=daemon.uri,
            spec=spec,
            volume=None,
            restart=partial(boot, daemon),
            sources={"hosts": server.address},
            mistakes={
                "no such volume": starting(spec.with_source(name="nosuch")),
                "no server answers": starting(spec.with_source(hosts=CLOSED)),
                "unknown server": starting(spec.with_source(hosts=UNKNOWN)),
                "source conflict": conflicting(spec),
                "discovery without a Gluster server": looking(PoolType.GLUSTER, "127.0.0.1"),
            },
            versions={"gluster": version("glusterd", "--version")},
            remark="Starting, refreshing, and deleting a volume take 10 s or more each, because libgfapi closes that slowly.",
        )


@contextmanager
def _gluster() -> Iterator[tuple[GlusterServer, Path, PrivateDaemon]]:
    with (
        gluster_server() as server,
        scratch("gluster-client") as folder,
        _without_mounts(folder),
        PrivateDaemon() as daemon,
        _stopped_at_last(daemon),
    ):
        yield server, folder, daemon


def _mounting(server: GlusterServer, folder: Path) -> PoolSpec:
    return PoolSpec.netfs("lab", folder / "pool", host=server.address, dir=gluster.VOLUME, format="glusterfs")


@contextmanager
def _stopped_at_last(daemon: PrivateDaemon) -> Iterator[None]:
    try:
        yield
    finally:
        with connect(daemon.uri) as host:
            for pool in host.pools.list(active=True):
                pool.stop()


@contextmanager
def _without_mounts(folder: Path) -> Iterator[None]:
    """End what still serves a mount below the folder, and remove the logs that mount.glusterfs wrote of them."""
    try:
        yield
    finally:
        below = os.fsencode(f"{folder}/")
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                *_, mount_point = (process / "cmdline").read_bytes().rstrip(b"\0").split(b"\0")
                if mount_point.startswith(below):
                    os.kill(int(process.name), signal.SIGTERM)
        for log in Path("/var/log/glusterfs").glob(f"{str(folder)[1:].replace('/', '-')}-*.log*"):
            log.unlink()


# ---- iSCSI ------------------------------------------------------------------------------------------------------------


@contextmanager
def iscsi_direct() -> Iterator[Place]:
    """An iSCSI target that lets everybody in."""
    with iscsi_server() as server, PrivateDaemon() as daemon:
        spec = _luns(server, tgt.PLAIN)
        nosuch = "iqn.2024-01.lab:nosuch"
        yield Place(
            uri=daemon.uri,
            spec=spec,
            volume=None,
            restart=partial(boot, daemon),
            sources={"hosts": server.portal, "initiator": tgt.INITIATOR},
            mistakes={
                "no such target": starting(spec.with_source(device=nosuch)),
                "no server answers": starting(spec.with_source(hosts=CLOSED)),
                "unknown server": starting(spec.with_source(hosts=UNKNOWN)),
                "no initiator": lambda host: host.pools.define(spec.with_source(initiator="")),
            },
            versions={"tgt": version("tgtd", "--version")},
            remark="LUN 0 is the target's controller, of size 0. libvirt 9.0 reports each LUN one block smaller than it is. Two pools may have the same source: libvirt does not detect this.",
        )


@contextmanager
def iscsi_direct_chap() -> Iterator[Place]:
    """An iSCSI target that wants a CHAP password, which is a secret of the daemon."""
    with iscsi_server() as server, PrivateDaemon() as daemon:
        passwords: dict[str, bytes | str | None] = {
            "right": tgt.PASSWORD,
            "wrong": "another-password",
            "empty": None,
        }
        with connect(daemon.uri) as host:
            for name, password in passwords.items():
                _keep(host, SecretSpec.iscsi(name), password)
        spec = _luns(server, tgt.CHAP).with_source(auth=Auth.chap(tgt.USER, usage="right"))

        def logging_in(auth: Auth | None) -> Mistake:
            return starting(spec.with_source(auth=auth))

        yield Place(
            uri=daemon.uri,
            spec=spec,
            volume=None,
            restart=partial(boot, daemon),
            sources={"hosts": server.portal, "initiator": tgt.INITIATOR},
            mistakes={
                "no login": logging_in(None),
                "wrong password": logging_in(Auth.chap(tgt.USER, usage="wrong")),
                "unknown user": logging_in(Auth.chap("nobody", usage="right")),
                "no such secret": logging_in(Auth.chap(tgt.USER, usage="nosuch")),
                "secret without value": logging_in(Auth.chap(tgt.USER, usage="empty")),
            },
            versions={"tgt": version("tgtd", "--version")},
            remark="LUN 0 is the target's controller, of size 0. libvirt 9.0 reports each LUN one block smaller than it is.",
        )


def _luns(server: IscsiServer, target: str) -> PoolSpec:
    return PoolSpec.iscsi_direct("lab", host=server.portal, device=target, initiator=tgt.INITIATOR)


def _keep(host: Host, spec: SecretSpec, value: bytes | str | None) -> None:
    secret = host.secrets.define(spec)
    if value is not None:
        secret.set_value(value)


def _keep_text(uri: str, name: str, text: bytes) -> None:
    """Store the text of a key, as other programs do; libstorage refuses it."""
    raw = libvirt.open(parse(uri).secret_twin().uri)
    secret: Any = raw.secretLookupByUsage(libvirt.VIR_SECRET_USAGE_TYPE_CEPH, name)
    secret.setValue(text)
    raw.close()


# ---- Ceph -------------------------------------------------------------------------------------------------------------


@contextmanager
def rbd() -> Iterator[Place]:
    """A pool of a Ceph cluster with cephx, whose key is a secret of the daemon."""
    with ceph_server() as server, PrivateDaemon() as daemon:
        with connect(daemon.uri) as host:
            for name, key in _keys(server).items():
                _keep(host, SecretSpec.ceph(name), key)
        _keep_text(daemon.uri, "as text", base64.b64encode(server.key))
        spec = PoolSpec.rbd(
            "lab",
            hosts=server.monitor,
            source_name=ceph.POOL,
            auth=Auth.ceph(ceph.USER, usage="right"),
        )
        yield Place(
            uri=daemon.uri,
            spec=spec,
            volume=raw,
            restart=partial(boot, daemon),
            keeps_snapshots=True,
            mistakes=_ceph_mistakes(attrs.evolve(spec, config_options={"client_mount_timeout": "1"})),
            versions={"ceph": version("ceph", "--version")},
            remark="A wrong monitor or login shows only after 30 s; config_options={'client_mount_timeout': '2'} makes that 2 s. "
            "Cloning leaves a snapshot on the source volume, which only delete(with_snapshots=True) deletes. "
            "Two pools may have the same source: libvirt does not detect this.",
        )


def _keys(server: CephServer) -> Mapping[str, bytes | None]:
    return {
        "right": server.key,
        "wrong": ceph.new_key(),
        "as text": None,
        "empty": None,
    }


def _ceph_mistakes(spec: PoolSpec) -> dict[str, Mistake]:
    def logging_in(auth: Auth | None) -> Mistake:
        return starting(spec.with_source(auth=auth))

    def with_clone(host: Host) -> Volume:
        """A volume that was cloned."""
        volumes = host.pools.define(spec).start().volumes
        volume = volumes["cloned"] if "cloned" in volumes else volumes.create(raw("cloned", 4 << 20))
        if "clone" not in volumes:
            volume.clone("clone")
        return volume

    return {
        "no server answers": starting(spec.with_source(hosts=CLOSED)),
        "unknown server": starting(spec.with_source(hosts=UNKNOWN)),
        "no such Ceph pool": starting(spec.with_source(name="nosuch")),
        "no login": logging_in(None),
        "wrong key": logging_in(Auth.ceph(ceph.USER, usage="wrong")),
        "the key's base64 text": logging_in(Auth.ceph(ceph.USER, usage="as text")),
        "unknown user": logging_in(Auth.ceph("nobody", usage="right")),
        "no such secret": logging_in(Auth.ceph(ceph.USER, usage="nosuch")),
        "secret without value": logging_in(Auth.ceph(ceph.USER, usage="empty")),
        "a volume of format qcow2": lambda host: (
            host.pools.define(spec).start().volumes.create(VolumeSpec.qcow2("volume", 4 << 20))
        ),
        "deleting what was cloned": lambda host: with_clone(host).delete(),
        "deleting its snapshots under a clone": lambda host: with_clone(host).delete(with_snapshots=True),
    }


CASES: Final = [
    Case("netfs-glusterfs", "netfs, glusterfs", PoolType.NETFS, "this machine", netfs_gluster),
    Case("gluster", "gluster", PoolType.GLUSTER, "this machine", gluster_alone),
    Case("iscsi-direct", "iscsi-direct", PoolType.ISCSI_DIRECT, "this machine", iscsi_direct),
    Case(
        "iscsi-direct-chap",
        "iscsi-direct with CHAP",
        PoolType.ISCSI_DIRECT,
        "this machine",
        iscsi_direct_chap,
    ),
    Case("rbd", "rbd with cephx", PoolType.RBD, "this machine", rbd),
]
