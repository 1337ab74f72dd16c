"""Cases on what the guest serves to itself: iSCSI targets and NFS exports."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from libstorage import Auth, Host, PoolSpec, SecretSpec, connect
from tests.lab.case import Place
from tests.lab.guest import guest, mistakes
from tests.lab.guest.block import raw, versions

_PLAIN, _CHAP = "iqn.2024-01.org.libstorage:plain", "iqn.2024-01.org.libstorage:chap"
_INITIATOR = "iqn.2024-01.org.libstorage:guest"
_USER, _PASSWORD = "reader", "secret1234567"
_SECRET = "lab"

_Make = Callable[..., PoolSpec]


def _iscsi(
    target: str = _PLAIN, name: str = "lab", host: str = "127.0.0.1", auth: Auth | None = None
) -> PoolSpec:
    return PoolSpec.iscsi(name, host=host, device=target, auth=auth)


def _direct(
    target: str = _PLAIN, name: str = "lab", host: str = "127.0.0.1", auth: Auth | None = None
) -> PoolSpec:
    return PoolSpec.iscsi_direct(name, host=host, device=target, initiator=_INITIATOR, auth=auth)


def _set_secret(host: Host, usage: str, value: str | None) -> None:
    secret = host.secrets.define(SecretSpec.iscsi(usage))
    if value is not None:
        secret.set_value(value)


@contextmanager
def _targets(make: _Make, target: str, auth: Auth | None, sources: dict[str, str] | None) -> Iterator[Place]:
    with guest() as machine:
        with connect(machine.uri()) as host:
            _set_secret(host, _SECRET, _PASSWORD)
            _set_secret(host, "wrong", "anothersecret")
            _set_secret(host, "empty", None)
        spec = make(target, auth=auth)
        two = mistakes.define(spec, make(target, "other", auth=auth))
        yield Place(
            uri=machine.uri(),
            spec=spec,
            volume=None,
            restart=lambda: machine.run("lab-daemon"),
            sources=sources,
            versions=versions(machine, "open-iscsi"),
            mistakes={
                "no such target": mistakes.start(make("iqn.2024-01.org.libstorage:missing")),
                "closed port": mistakes.start(make(target, host="127.0.0.1:3261", auth=auth)),
                "no password": mistakes.start(make(_CHAP)),
                "wrong user": mistakes.start(make(_CHAP, auth=Auth.chap("writer", usage=_SECRET))),
                "wrong password": mistakes.start(make(_CHAP, auth=Auth.chap(_USER, usage="wrong"))),
                "secret without value": mistakes.start(make(_CHAP, auth=Auth.chap(_USER, usage="empty"))),
                "no such secret": mistakes.start(make(_CHAP, auth=Auth.chap(_USER, usage="missing"))),
            }
            | ({"target of two pools": two} if make is _iscsi else {}),  # libvirt allows it to iscsi-direct
        )


@contextmanager
def iscsi() -> Iterator[Place]:
    """Two LUNs for everyone."""
    with _targets(_iscsi, _PLAIN, None, {"hosts": "127.0.0.1"}) as place:
        yield place


@contextmanager
def iscsi_chap() -> Iterator[Place]:
    """A LUN for those who know the password, which the daemon keeps."""
    with _targets(_iscsi, _CHAP, Auth.chap(_USER, usage=_SECRET), {"hosts": "127.0.0.1"}) as place:
        yield place


@contextmanager
def iscsi_direct() -> Iterator[Place]:
    """Two LUNs for everyone, without the kernel's initiator."""
    with _targets(_direct, _PLAIN, None, {"hosts": "127.0.0.1", "initiator": _INITIATOR}) as place:
        yield place


@contextmanager
def iscsi_direct_chap() -> Iterator[Place]:
    """A LUN for those who know the password, without the kernel's initiator."""
    sources = {"hosts": "127.0.0.1", "initiator": _INITIATOR}
    with _targets(_direct, _CHAP, Auth.chap(_USER, usage=_SECRET), sources) as place:
        yield place


@contextmanager
def nfs(version: str) -> Iterator[Place]:
    """A directory of an NFS server."""

    def pool(
        dir: str = "/srv/nfs/data", name: str = "lab", host: str = "127.0.0.1", v: str = version
    ) -> PoolSpec:
        path = f"/mnt/{name}"
        return PoolSpec.netfs(name, path, host=host, dir=dir, format="nfs", protocol_version=v)

    spec = pool()
    with guest() as machine:
        yield Place(
            uri=machine.uri(),
            spec=spec,
            volume=raw,
            restart=lambda: machine.run("lab-daemon"),
            sources={"hosts": "127.0.0.1"},
            versions=versions(machine, "nfs-utils"),
            mistakes={
                "no such export": mistakes.start(pool("/srv/nfs/missing")),
                "not exported": mistakes.start(pool("/etc")),
                "no mount point": mistakes.start_unbuilt(pool(name="elsewhere")),
                "version that the server lacks": mistakes.start(pool(v="2")),
                "export that is read-only": mistakes.create(
                    pool("/srv/nfs/readonly"), raw("volume", 1 << 20), overwrite=None
                ),
                "export of two pools": mistakes.define(spec, pool(name="other")),
            },
        )
