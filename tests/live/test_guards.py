"""Every change asks the session's guards first, on a real daemon: what a guard refuses is not done."""

from __future__ import annotations

import inspect
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from libstorage import Host, Pool, PoolSpec, SecretSpec, StateError, Volume, VolumeSpec, connect, operations
from libstorage.client.handle import Collection, Handle
from libstorage.foreign import FOREIGN
from libstorage.operations import Effect, Operation
from libstorage.session.guards import Change
from tests.inside import session_of

CHANGES = {
    row.name
    for row in vars(operations).values()
    if isinstance(row, Operation) and row.effect is not Effect.READ
}


class Things:
    """A pool with a volume, another that is not started, and a secret; and what a guard was asked."""

    def __init__(self, host: Host, folder: Path) -> None:
        self.host, self.folder = host, folder
        self.pool = host.pools.define(PoolSpec.dir("guarded", str(folder / "pool"))).build().start()
        self.volume = self.pool.volumes.create(VolumeSpec.raw("v.img", 1 << 20, allocation=0)).upload(
            b"x" * 9
        )
        self.idle = host.pools.define(PoolSpec.dir("idle", str(folder / "idle"))).build()
        self.secret = host.secrets.define(SecretSpec.volume(str(folder / "v"))).set_value(b"sesame")
        self.asked: list[Change] = []
        self.before = self.state()
        session_of(host).guards.add(self._refuse)
        self.is_armed = True

    def _refuse(self, change: Change) -> None:
        if self.is_armed:
            self.asked.append(change)
            raise StateError("refused by a guard")

    def state(self) -> object:
        """Everything that the host and the file system can be asked for."""
        files = sorted((str(path), path.stat().st_size) for path in self.folder.rglob("*"))
        content = Path(self.volume.path()).read_bytes()[:9]
        secrets = [(secret.xml(), secret.value().reveal()) for secret in self.host.secrets]
        return self.host.inventory(), files, content, secrets

    def remove(self) -> None:
        self.is_armed = False
        self.secret.undefine()
        self.volume.delete()
        self.pool.stop().undefine()
        self.idle.undefine()


@pytest.fixture(scope="module")
def things(uri: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Things]:
    with connect(uri) as host:
        things = Things(host, tmp_path_factory.mktemp("guarded"))
        yield things
        things.remove()


def transient(things: Things) -> object:
    return things.host.pools.create_transient(PoolSpec.dir("t", str(things.folder / "pool")))


def write(things: Things) -> None:
    with things.volume.open("wb") as file:
        file.write(b"y")


VERBS: dict[str, tuple[str, Callable[[Things], object]]] = {
    "Pools.define": ("pool.define", lambda t: t.host.pools.define(PoolSpec.dir("new", "/nosuch"))),
    "Pools.create_transient": ("pool.create_transient", transient),
    "Pools.ensure": ("pool.define", lambda t: t.host.pools.ensure(PoolSpec.dir("new", "/nosuch"))),
    "Pool.build": ("pool.build", lambda t: t.idle.build()),
    "Pool.start": ("pool.start", lambda t: t.idle.start()),
    "Pool.stop": ("pool.stop", lambda t: t.pool.stop()),
    "Pool.refresh": ("pool.refresh", lambda t: t.pool.refresh()),
    "Pool.undefine": ("pool.undefine", lambda t: t.idle.undefine()),
    "Pool.delete": ("pool.delete", lambda t: t.idle.delete()),
    "Pool.set_autostart": ("pool.set_autostart", lambda t: t.pool.set_autostart()),
    "Volumes.create": ("volume.create", lambda t: t.pool.volumes.create(VolumeSpec.raw("n", 1))),
    "Volumes.import_image": ("volume.create", lambda t: t.pool.volumes.import_image(b"x" * 512, name="n")),
    "Volume.clone": ("volume.clone", lambda t: t.volume.clone("n")),
    "Volume.clone linked": ("volume.create", lambda t: t.volume.clone("n", mode="linked")),
    "Volume.copy_to": ("volume.create", lambda t: t.volume.copy_to(t.pool, "n")),
    "Volume.resize": ("volume.resize", lambda t: t.volume.resize(2 << 20)),
    "Volume.wipe": ("volume.wipe", lambda t: t.volume.wipe()),
    "Volume.delete": ("volume.delete", lambda t: t.volume.delete()),
    "Volume.upload": ("volume.upload", lambda t: t.volume.upload(io.BytesIO(b"y"))),
    "Volume.open": ("volume.upload", write),
    "Secrets.define": ("secret.define", lambda t: t.host.secrets.define(SecretSpec.volume("/x"))),
    "Secrets.ensure_ceph": (
        "secret.define",
        lambda t: t.host.secrets.ensure_ceph("web", b"\1\0" + bytes(26)),
    ),
    "Secret.set_value": ("secret.set_value", lambda t: t.secret.set_value(b"other")),
    "Secret.undefine": ("secret.undefine", lambda t: t.secret.undefine()),
}

READS = {
    "Handle.with_options", "Collection.exists", "Collection.get", "Collection.lookup",
    "Pool.autostart", "Pool.info", "Pool.is_active", "Pool.is_persistent", "Pool.spec", "Pool.type", "Pool.xml",
    "Pools.by_target_path", "Pools.by_uuid", "Pools.count", "Pools.list", "Pools.lookup", "Pools.names",
    "Secret.spec", "Secret.value", "Secret.xml", "Secrets.by_usage", "Secrets.count", "Secrets.list", "Secrets.lookup",
    "Volume.as_backing", "Volume.download", "Volume.info", "Volume.key", "Volume.path", "Volume.spec", "Volume.type",
    "Volume.xml", "Volumes.count", "Volumes.list", "Volumes.lookup", "Volumes.names", "Volumes.specs",
}  # fmt: skip


@pytest.mark.parametrize("verb", VERBS)
def test_what_a_guard_refuses_is_not_done(things: Things, verb: str) -> None:
    operation, act = VERBS[verb]
    things.asked.clear()

    with pytest.raises(StateError, match="refused by a guard"):
        act(things)

    assert operation in {change.operation.name for change in things.asked}
    assert things.state() == things.before


def test_every_change_is_in_the_table() -> None:
    assert {operation for operation, _ in VERBS.values()} == CHANGES


def test_every_verb_is_in_the_table() -> None:
    handles: list[type[Any]] = [Handle, Collection, *Handle.__subclasses__(), *Collection.__subclasses__()]
    verbs = {
        f"{kind.__name__}.{name}"
        for kind in handles
        for name in set(vars(kind)) - set(FOREIGN.get(kind.__name__, ()))
        if name[0] != "_" and inspect.isfunction(getattr(kind, name))
    }
    assert verbs == READS | {verb.split()[0] for verb in VERBS}


def test_a_guard_sees_what_is_sent(things: Things) -> None:
    things.asked.clear()
    spec = VolumeSpec.raw("n", 1)
    with pytest.raises(StateError):
        things.pool.volumes.create(spec)
    (change,) = things.asked
    assert change.spec == spec
    assert "'n'" in str(change.target)


def test_a_handle_of_an_unpickled_host_has_guards_of_its_own(things: Things, uri: str) -> None:
    with connect(uri) as other:
        pool: Pool = other.pools["guarded"]
        volume: Volume = pool.volumes["v.img"]
        assert volume.resize(1 << 20).info().capacity == 1 << 20  # nobody guards that host
