"""Scenarios of a host: odd names, discovery, capabilities, and clients that get in each other's way."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import attrs
import pytest

from libstorage import (
    AccessDeniedError,
    Host,
    InvalidRequestError,
    NotFoundError,
    PoolExistsError,
    PoolInactiveError,
    PoolNotFoundError,
    PoolSpec,
    PoolType,
    UnsupportedError,
    VolumeFormat,
    VolumeSpec,
    connect,
)
from libstorage.testing import PrivateDaemon
from tests.lab.scenarios.scene import Scene, names

HERE = pytest.mark.parametrize("place", ["dir"], indirect=True)
LOGICAL = pytest.mark.parametrize("place", ["logical"], indirect=True)


@HERE
@pytest.mark.parametrize("name", [".test_pool", "a b", "pöol", "x" * 247])
def test_names_that_pools_may_have(scene: Scene, name: str) -> None:
    pool = scene.host.pools.define(attrs.evolve(scene.spec, name=name)).build().start()
    assert scene.host.pools[name].name == name
    scene.reboot()
    assert name in scene.host.pools
    assert pool.spec().name == name


@HERE
@pytest.mark.parametrize("name", ["defaul/t", "", "a\nb", "..", "x" * 248, " "])
def test_names_that_pools_may_not_have(scene: Scene, name: str) -> None:
    for make in (scene.host.pools.define, scene.host.pools.create_transient):
        with pytest.raises(InvalidRequestError):
            make(attrs.evolve(scene.spec, name=name))
    assert scene.host.pools.names() == ()


@HERE
def test_pools_that_are_not_there(scene: Scene) -> None:
    assert scene.host.pools.get("none") is None
    with pytest.raises(PoolNotFoundError):
        scene.host.pools["none"]
    with pytest.raises(PoolNotFoundError):
        scene.host.pools.by_uuid("11111111-1111-4111-8111-111111111111")
    with pytest.raises(InvalidRequestError):
        scene.host.pools.by_uuid("no uuid")
    with pytest.raises(PoolNotFoundError):
        scene.host.pools.by_target_path("/nowhere")


@HERE
def test_a_definition_is_edited(scene: Scene) -> None:
    pool = scene.host.pools.define(scene.spec)
    moved = attrs.evolve(scene.other, name="scene", uuid=pool.uuid)
    scene.host.pools.define(moved)
    assert not pool.spec(inactive=True).differences(moved)
    pool.build().start()
    with pytest.raises(PoolExistsError):
        scene.host.pools.define(attrs.evolve(moved, name="renamed"))
    with pytest.raises(PoolExistsError):
        scene.host.pools.define(attrs.evolve(scene.spec, uuid="11111111-1111-4111-8111-111111111111"))
    assert scene.host.pools.names() == ("scene",)


@HERE
def test_what_a_host_can_do(scene: Scene) -> None:
    able = scene.host.pool_capabilities()
    assert able.supports(PoolType.DIR)
    assert not able.supports(PoolType.SHEEPDOG)
    here = able.get(PoolType.DIR)
    assert here is not None
    assert here.volume_options is not None
    assert VolumeFormat.QCOW2 in here.volume_options.formats


@HERE
def test_discovery_where_there_is_none(scene: Scene) -> None:
    for kind in ("dir", "quux"):
        with pytest.raises(UnsupportedError):
            scene.host.find_sources(kind)
    with pytest.raises(InvalidRequestError):
        scene.host.find_sources("netfs")  # on which server?
    with pytest.raises(NotFoundError):
        scene.host.find_sources("netfs", hosts=["127.0.0.1"])
    with connect(scene.host.uri, readonly=True) as reader, pytest.raises(AccessDeniedError):
        reader.find_sources("logical")


@LOGICAL
def test_discovery_of_volume_groups(scene: Scene) -> None:
    assert not scene.host.find_sources("logical").found
    pool = scene.host.pools.define(scene.spec).build()
    (found,) = scene.host.find_sources("logical").found
    assert found.name == "vg_scene"
    assert [device.path for device in found.devices] == ["/dev/vdb"]
    pool.undefine()
    again = scene.host.pools.define(PoolSpec.logical("scene", source_name=found.name)).start()
    assert names(again) == ()


def test_clients_that_list_while_pools_come_and_go(tmp_path: Path) -> None:
    """A daemon that looks at a pool without locking it may die of that."""
    with PrivateDaemon() as daemon, ThreadPoolExecutor(8) as threads:
        pid = daemon.pid

        def come_and_go(host: Host, number: int) -> None:
            spec = PoolSpec.dir(f"pool-{number}", str(tmp_path / str(number)))
            for _ in range(15):
                pool = host.pools.create_transient(spec, build=True)
                pool.volumes.create(VolumeSpec.raw("volume", "1 KiB")).delete()
                pool.stop()

        def look(host: Host) -> None:
            for _ in range(60):
                for pool in host.pools:
                    with suppress(NotFoundError):
                        host.volume_at(f"{tmp_path}/1/volume")
                    with suppress(PoolNotFoundError, PoolInactiveError):
                        pool.volumes.specs()

        with connect(daemon.uri) as one, connect(daemon.uri) as two:
            work = [threads.submit(come_and_go, one, number) for number in range(4)]
            work += [threads.submit(look, two) for _ in range(4)]
            for each in work:
                each.result(60)
            assert two.pools.names() == ()
        assert daemon.pid == pid
        with connect(daemon.uri) as host:
            assert host.is_alive()
