"""The column *calls* of the page on operations: every public verb, counted on the wire of a real daemon."""

from __future__ import annotations

import inspect
import io
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from docs.calls import CALLS
from libstorage import (
    Host,
    Pool,
    Pools,
    PoolSpec,
    Secret,
    Secrets,
    SecretSpec,
    StorageError,
    Volume,
    Volumes,
    VolumeSpec,
    connect,
)
from libstorage.operations import OPERATIONS
from libstorage.testing import PrivateDaemon
from tests.inside import channel_of
from tests.live.conftest import started_daemon
from tests.live.rpc import RpcCounter

KINDS = (Host, Pool, Pools, Secret, Secrets, Volume, Volumes)
CALL_NOBODY = {"Handle.with_options", "Host.close", "Host.with_options"}


class Ground:
    """A daemon of one's own, a host to prepare things with, and a counter in front of the daemon."""

    def __init__(self, daemon: PrivateDaemon, host: Host, counter: RpcCounter, folder: Path) -> None:
        self.daemon, self.host, self.counter, self.folder = daemon, host, counter, folder
        self._numbers = count()
        self.opening = self.calls(lambda: connect(counter.uri, lanes=1).close())
        """Calls that open a connection, which differ between versions of libvirt."""

    def name(self) -> str:
        return f"n{next(self._numbers)}"

    def spec(self) -> PoolSpec:
        name = self.name()
        return PoolSpec.dir(name, str(self.folder / name))

    def idle(self) -> Pool:
        return self.host.pools.define(self.spec()).build()

    def pool(self) -> Pool:
        return self.idle().start()

    def filled(self, volumes: int = 1) -> Pool:
        pool = self.pool()
        for number in range(volumes):
            pool.volumes.create(VolumeSpec.raw(f"{number}.img", 8192))
        return pool

    def volume(self) -> Volume:
        return self.filled().volumes["0.img"]

    def secret(self) -> Secret:
        usage = SecretSpec.volume(str(self.folder / self.name()))
        return self.host.secrets.define(usage).set_value(b"sesame")

    def calls(self, act: Callable[[], object]) -> int:
        before = self.counter.calls
        act()
        return self.counter.calls - before


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    with started_daemon() as daemon, connect(daemon.uri) as host:
        counter = RpcCounter(daemon.uri, tmp_path_factory.mktemp("counter"))
        try:
            yield Ground(daemon, host, counter, tmp_path_factory.mktemp("costs"))
        finally:
            counter.close()


Made = Callable[[Ground], Any]
Act = Callable[[Any, Ground], object]


def pool_verb(act: Callable[[Pool], object], make: Made = Ground.pool) -> tuple[Made, Act, Act | None]:
    return make, lambda pool, _: act(pool), lambda pool, _: pool.info()


def volume_verb(act: Callable[[Volume], object]) -> tuple[Made, Act, Act | None]:
    return Ground.volume, lambda volume, _: act(volume), lambda volume, _: volume.info()


def again(make: Made, act: Act) -> tuple[Made, Act, Act | None]:
    return make, act, act


def hosts(ground: Ground) -> Host:
    return ground.host


def find_sources(host: Host, _: Ground) -> None:
    with suppress(StorageError):  # the host may not have the program; it was called nevertheless
        host.find_sources("logical")


def path_of(volume: Volume, ground: Ground) -> str:
    return str(ground.folder / volume.pool.name / volume.name)


def by_usage(secret: Secret, ground: Ground) -> Secret:
    spec = ground.host.secrets[secret.uuid].spec()
    assert spec.usage is not None
    return secret.host.secrets.by_usage("volume", spec.usage.id or "")


def read_all(volume: Volume) -> None:
    with volume.open() as file:
        file.read()


VERBS: dict[str, tuple[Made, Act, Act | None]] = {
    "Host.find_sources": again(hosts, find_sources),
    "Host.inventory": again(hosts, lambda host, _: host.inventory()),
    "Host.is_alive": again(hosts, lambda host, _: host.is_alive()),
    "Host.pool_capabilities": again(hosts, lambda host, _: host.pool_capabilities()),
    "Host.volume_at": again(
        Ground.volume, lambda volume, ground: volume.host.volume_at(path_of(volume, ground))
    ),
    "Host.volume_by_key": again(
        Ground.volume, lambda volume, ground: volume.host.volume_by_key(path_of(volume, ground))
    ),
    "Pool.autostart": pool_verb(Pool.autostart),
    "Pool.build": pool_verb(Pool.build, Ground.idle),
    "Pool.delete": pool_verb(Pool.delete, Ground.idle),
    "Pool.info": pool_verb(Pool.info),
    "Pool.is_active": pool_verb(Pool.is_active),
    "Pool.is_persistent": pool_verb(Pool.is_persistent),
    "Pool.refresh": pool_verb(Pool.refresh),
    "Pool.set_autostart": pool_verb(Pool.set_autostart),
    "Pool.spec": pool_verb(Pool.spec),
    "Pool.start": pool_verb(Pool.start, Ground.idle),
    "Pool.stop": pool_verb(Pool.stop),
    "Pool.type": pool_verb(Pool.type),
    "Pool.undefine": pool_verb(Pool.undefine, Ground.idle),
    "Pool.xml": pool_verb(Pool.xml),
    "Pools.by_target_path": again(
        Ground.pool, lambda pool, ground: pool.host.pools.by_target_path(ground.folder / pool.name)
    ),
    "Pools.by_uuid": again(Ground.pool, lambda pool, _: pool.host.pools.by_uuid(pool.uuid)),
    "Pools.count": again(hosts, lambda host, _: host.pools.count()),
    "Pools.create_transient": again(
        hosts, lambda host, ground: host.pools.create_transient(ground.spec(), build=True)
    ),
    "Pools.define": again(hosts, lambda host, ground: host.pools.define(ground.spec())),
    "Pools.ensure": (
        hosts,
        lambda host, ground: host.pools.ensure(ground.spec()),
        None,
    ),
    "Pools.exists": again(Ground.pool, lambda pool, _: pool.host.pools.exists(pool.name)),
    "Pools.get": again(Ground.pool, lambda pool, _: pool.host.pools.get(pool.name)),
    "Pools.list": again(hosts, lambda host, _: host.pools.list()),
    "Pools.lookup": again(Ground.pool, lambda pool, _: pool.host.pools[pool.name]),
    "Pools.names": again(hosts, lambda host, _: host.pools.names()),
    "Secret.set_value": again(Ground.secret, lambda secret, _: secret.set_value(b"other")),
    "Secret.spec": again(Ground.secret, lambda secret, _: secret.spec()),
    "Secret.undefine": (Ground.secret, lambda secret, _: secret.undefine(), lambda secret, _: secret.xml()),
    "Secret.value": again(Ground.secret, lambda secret, _: secret.value()),
    "Secret.xml": again(Ground.secret, lambda secret, _: secret.xml()),
    "Secrets.by_usage": again(Ground.secret, by_usage),
    "Secrets.count": again(hosts, lambda host, _: host.secrets.count()),
    "Secrets.define": again(
        hosts, lambda host, ground: host.secrets.define(SecretSpec.volume(f"/{ground.name()}"))
    ),
    "Secrets.ensure_ceph": (
        hosts,
        lambda host, ground: host.secrets.ensure_ceph("web", b"\1\0" + bytes(26)),
        None,
    ),
    "Secrets.exists": again(Ground.secret, lambda secret, _: secret.host.secrets.exists(secret.uuid)),
    "Secrets.get": again(Ground.secret, lambda secret, _: secret.host.secrets.get(secret.uuid)),
    "Secrets.list": again(hosts, lambda host, _: host.secrets.list()),
    "Secrets.lookup": again(Ground.secret, lambda secret, _: secret.host.secrets[secret.uuid]),
    "Volume.as_backing": volume_verb(Volume.as_backing),
    "Volume.clone": again(Ground.volume, lambda volume, ground: volume.clone(ground.name())),
    "Volume.copy_to": again(Ground.volume, lambda volume, ground: volume.copy_to(volume.pool, ground.name())),
    "Volume.delete": volume_verb(Volume.delete),
    "Volume.download": volume_verb(lambda volume: volume.download(io.BytesIO())),
    "Volume.info": volume_verb(Volume.info),
    "Volume.key": volume_verb(Volume.key),
    "Volume.open": volume_verb(read_all),
    "Volume.path": volume_verb(Volume.path),
    "Volume.resize": volume_verb(lambda volume: volume.resize(16384)),
    "Volume.spec": volume_verb(Volume.spec),
    "Volume.type": volume_verb(Volume.type),
    "Volume.upload": volume_verb(lambda volume: volume.upload(b"x" * 8192)),
    "Volume.wipe": volume_verb(Volume.wipe),
    "Volume.xml": volume_verb(Volume.xml),
    "Volumes.count": pool_verb(lambda pool: pool.volumes.count()),
    "Volumes.create": again(
        Ground.pool, lambda pool, ground: pool.volumes.create(VolumeSpec.raw(ground.name(), 4096))
    ),
    "Volumes.exists": pool_verb(lambda pool: pool.volumes.exists("0.img"), Ground.filled),
    "Volumes.get": pool_verb(lambda pool: pool.volumes.get("0.img"), Ground.filled),
    "Volumes.import_image": again(
        Ground.pool, lambda pool, ground: pool.volumes.import_image(b"x" * 4096, name=ground.name())
    ),
    "Volumes.list": pool_verb(lambda pool: pool.volumes.list(), Ground.filled),
    "Volumes.lookup": pool_verb(lambda pool: pool.volumes["0.img"], Ground.filled),
    "Volumes.names": pool_verb(lambda pool: pool.volumes.names(), Ground.filled),
    "Volumes.specs": pool_verb(lambda pool: pool.volumes.specs(), lambda ground: ground.filled(3)),
}
"""How to make a thing, without being counted; the verb on it; and what makes the lane know the thing."""


def elsewhere(thing: Any, host: Host) -> Any:
    """The same thing on a host whose lane does not know it."""
    return host if isinstance(thing, Host) else type(thing)(channel_of(host), thing._id)


def measured(ground: Ground, verb: str) -> tuple[int, int, dict[str, int]]:
    """Calls at first, calls later, and how many running pools and volumes there were."""
    make, act, warm = VERBS[verb]
    with connect(ground.counter.uri, lanes=1) as host:
        host.secrets.count()  # opens their connection
        thing = elsewhere(make(ground), host)
        numbers = sizes(ground, verb)
        first = ground.calls(lambda: act(thing, ground))
    with connect(ground.counter.uri, lanes=1) as host:
        host.secrets.count()
        thing = elsewhere(make(ground), host)
        if warm is not None:
            warm(thing, ground)
        later = ground.calls(lambda: act(thing, ground))
    return first, later, numbers


def sizes(ground: Ground, verb: str) -> dict[str, int]:
    if verb == "Volumes.specs":
        return {"volumes": 3}
    if verb == "Volume.copy_to":
        return {"opening": ground.opening}
    entries = [entry for entry in ground.host.inventory().pools if entry.active]
    return {"pools": len(entries), "volumes": sum(len(entry.volumes) for entry in entries)}


def value(formula: str, numbers: dict[str, int]) -> int:
    return int(eval(formula, {}, dict(numbers)))


@pytest.mark.usefixtures("a_full_disk_is_harmless")
@pytest.mark.parametrize("verb", CALLS)
def test_a_verb_makes_as_many_calls_as_the_page_says(ground: Ground, verb: str) -> None:
    cost = CALLS[verb]
    if verb == "Host.inventory":
        for pool in ground.host.pools.list(active=False):
            pool.undefine()
        ground.filled(2)

    first, later, numbers = measured(ground, verb)

    more = numbers.get(
        "opening", 0
    )  # the threads of a copy may meet at any time, and open one more connection then
    assert first - value(cost.first, numbers) in {0, more}
    assert later - value(cost.later, numbers) in {0, more}


def test_every_public_verb_is_in_the_table() -> None:
    verbs = {
        f"{kind.__name__}.{name}"
        for kind in KINDS
        for name, member in inspect.getmembers(kind, inspect.isfunction)
        if name[0] != "_" and f"{owner(kind, name)}.{name}" not in CALL_NOBODY
    }
    assert verbs == set(CALLS) == set(VERBS)


def owner(kind: type[Any], name: str) -> str:
    return next(base.__name__ for base in kind.__mro__ if name in vars(base))


def test_every_operation_of_the_table_exists() -> None:
    assert {cost.operation for cost in CALLS.values()} <= set(OPERATIONS)


def test_one_call_more_is_seen(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    ask = Volume.info

    def twice(volume: Volume, physical: bool = False) -> object:
        ask(volume, physical)
        return ask(volume, physical)

    monkeypatch.setattr(Volume, "info", twice)
    make, _, _ = VERBS["Volume.info"]
    with connect(ground.counter.uri, lanes=1) as host:
        volume = elsewhere(make(ground), host)
        assert ground.calls(volume.info) == value(CALLS["Volume.info"].first, {}) + 1
