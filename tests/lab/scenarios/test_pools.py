"""Scenarios of pools: how they are defined, started and ended, and what is refused on the way."""

from __future__ import annotations

from collections.abc import Callable

import attrs
import pytest

from libstorage import (
    Host,
    NoSpaceError,
    Pool,
    PoolActiveError,
    PoolExistsError,
    PoolInactiveError,
    PoolNotFoundError,
    PoolSpec,
    PoolState,
    SourceConflictError,
    StateError,
    StorageError,
    VolumeNotFoundError,
)
from tests.lab.scenarios.scene import MiB, Scene, names

UUIDS = ("11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222")


def built(pool: Pool) -> Pool:
    """The pool, with its storage made."""
    return pool.build(overwrite=True if pool.spec().type == "fs" else None)


def target_path(spec: PoolSpec) -> str:
    assert spec.target is not None
    return str(spec.target.path)


def transient(scene: Scene, spec: PoolSpec | None = None) -> Pool:
    """A running pool without a definition."""
    overwrite = True if scene.spec.type == "fs" else None
    return scene.host.pools.create_transient(spec or scene.spec, build=True, overwrite=overwrite)


def test_a_transient_pool_lives_until_it_is_stopped(scene: Scene) -> None:
    pool = transient(scene)
    assert pool in scene.host.pools.list(active=True, persistent=False)
    assert pool.info().state == PoolState.RUNNING
    pool.stop()
    assert "scene" not in scene.host.pools
    with pytest.raises(PoolNotFoundError):
        pool.info()


def test_a_transient_pool_does_not_start_with_the_daemon(scene: Scene) -> None:
    pool = transient(scene)
    assert not pool.autostart()
    with pytest.raises(StateError, match="define the pool first"):
        pool.set_autostart()
    assert not pool.autostart()


def test_a_definition_outlives_starts_and_stops(scene: Scene) -> None:
    pool = scene.host.pools.define(scene.spec)
    assert pool in scene.host.pools.list(active=False, persistent=True)
    defined = pool.spec(inactive=True)
    built(pool).start()
    assert pool in scene.host.pools.list(active=True)
    assert not pool.spec(inactive=True).differences(scene.spec)
    pool.stop()
    assert pool in scene.host.pools.list(active=False)
    assert not pool.spec(inactive=True).differences(defined)
    pool.undefine()
    assert "scene" not in scene.host.pools


def test_autostart_is_kept_across_states(scene: Scene) -> None:
    pool = scene.host.pools.define(scene.spec)
    assert not pool.autostart()
    assert pool.set_autostart().autostart()
    assert pool in scene.host.pools.list(autostart=True)
    built(pool).start()
    assert pool.autostart()
    assert not pool.set_autostart(False).autostart()
    assert pool.set_autostart().stop().autostart()
    scene.reboot()
    assert pool.is_active()
    assert pool.autostart()
    assert not pool.stop().set_autostart(False).autostart()
    scene.reboot()
    assert not pool.autostart()


def test_a_running_pool_is_defined_anew(scene: Scene, pool: Pool) -> None:
    changed = attrs.evolve(scene.spec.with_source(vendor="changed"), uuid=pool.uuid)
    assert scene.host.pools.define(changed) == pool
    assert pool.is_active()
    assert not pool.spec(inactive=True).differences(changed)
    assert pool.spec().differences(changed)
    assert not pool.stop().start().spec().differences(changed)
    scene.host.pools.define(attrs.evolve(scene.spec, uuid=pool.uuid))
    assert pool.stop().start().is_active()


def test_a_running_transient_pool_gets_a_definition(scene: Scene) -> None:
    pool = transient(scene)
    assert scene.host.pools.define(attrs.evolve(scene.spec, uuid=pool.uuid)) == pool
    assert pool.is_active()
    assert pool.is_persistent()
    assert not pool.stop().is_active()
    assert pool in scene.host.pools.list(persistent=True)


Make = Callable[[Host, PoolSpec], Pool]


def define(host: Host, spec: PoolSpec) -> Pool:
    return host.pools.define(spec)


def create(host: Host, spec: PoolSpec) -> Pool:
    return host.pools.create_transient(spec, build=spec.type == "dir")


def test_name_and_uuid_belong_to_one_pool(scene: Scene) -> None:
    pool = built(scene.host.pools.define(attrs.evolve(scene.spec, uuid=UUIDS[0])))
    for make in (define, create):
        check_matrix(scene, pool.start(), make)
        check_matrix(scene, pool.stop(), make)
        if pool.is_active():
            pool.stop()


def check_matrix(scene: Scene, pool: Pool, make: Make) -> None:
    """Whether another pool with the same name, uuid, both or neither may be made."""
    running = pool.is_active()
    for name, uuid in (("scene", UUIDS[1]), ("another", UUIDS[0])):
        with pytest.raises(PoolExistsError):
            make(scene.host, attrs.evolve(scene.other, name=name, uuid=uuid))
    with pytest.raises(SourceConflictError):
        make(scene.host, attrs.evolve(scene.clash, uuid=UUIDS[1]))
    assert scene.host.pools.names() == ("scene",)
    if make is create and running:
        with pytest.raises(PoolActiveError):
            make(scene.host, attrs.evolve(scene.spec, uuid=UUIDS[0]))
    else:
        assert make(scene.host, attrs.evolve(scene.spec, uuid=UUIDS[0])) == pool
    assert pool.is_active() is (running or make is create)
    assert pool.is_persistent()
    other = make(scene.host, attrs.evolve(scene.other, uuid=UUIDS[1]))
    assert sorted(scene.host.pools.names()) == ["other", "scene"]
    if other.is_active():
        other.stop()
    else:
        other.undefine()


def test_an_old_handle_is_not_for_a_new_pool_of_that_name(scene: Scene) -> None:
    old = transient(scene, attrs.evolve(scene.spec, uuid=UUIDS[0]))
    old.stop()
    new = scene.host.pools.define(attrs.evolve(scene.spec, uuid=UUIDS[1]))
    assert (old.uuid, new.uuid) == UUIDS
    assert scene.host.pools["scene"].uuid == UUIDS[1]
    for look in (old.info, old.spec, old.start, old.delete):
        with pytest.raises(PoolNotFoundError):
            look()
    assert scene.host.pools["scene"] == new != old


def test_a_stopped_pool_refuses_what_needs_its_storage(scene: Scene, pool: Pool) -> None:
    volume = pool.volumes.create(scene.volume(1, "8 MiB"))
    pool.stop()
    refused: tuple[Callable[[], object], ...] = (
        pool.stop,
        pool.refresh,
        pool.volumes.names,
        pool.volumes.specs,
        lambda: pool.volumes.lookup(volume.name),
        lambda: pool.volumes.create(scene.volume(2, "8 MiB")),
        lambda: volume.clone(scene.volume(2, "8 MiB")),
        volume.info,
        volume.delete,
    )
    for call in refused:
        with pytest.raises(PoolInactiveError) as error:
            call()
        assert error.value.outcome == "not_started"
    assert names(pool.start()) == (volume.name,)


def test_what_can_be_asked_of_pool_and_volume(scene: Scene, pool: Pool) -> None:
    assert pool.name == "scene"
    assert pool.uuid == pool.spec().uuid
    assert scene.host.pools["scene"] == scene.host.pools.by_uuid(pool.uuid) == pool
    assert scene.host.pools.by_target_path(target_path(pool.spec())) == pool
    volume = pool.refresh().volumes.create(scene.volume(1, "8 MiB"))
    assert pool.volumes[volume.name] == volume == scene.host.volume_at(volume.path())
    assert scene.host.volume_by_key(volume.key()) == volume
    assert volume.pool == pool
    assert volume.spec().name == volume.name
    assert volume.spec().key == volume.key()
    assert abs(volume.info().capacity - 8 * MiB) <= MiB
    info = pool.refresh().info()
    assert info.state == PoolState.RUNNING
    assert 0 < info.available <= info.capacity
    assert pool.spec().capacity == info.capacity


def test_a_whole_life(scene: Scene) -> None:
    pool = scene.host.pools.define(PoolSpec.from_xml(scene.spec.to_xml()))
    pool.undefine()
    pool = built(scene.host.pools.define(scene.spec)).start().set_autostart()
    scene.reboot()
    assert pool.is_active()
    pool.set_autostart(False).stop().start()
    outside = scene.make_outside(1)
    assert outside not in pool.volumes
    assert outside in pool.refresh().volumes
    before = pool.info()
    with pytest.raises(NoSpaceError):
        pool.volumes.create(scene.volume(2, before.capacity * 64))
    assert pool.info() == before
    assert names(pool) == (outside,)
    with pytest.raises(PoolActiveError):
        pool.undefine()
    pool.volumes[outside].delete()
    assert pool.stop().delete() == pool
    pool.undefine()
    assert "scene" not in scene.host.pools


@pytest.mark.parametrize("place", ["dir", "logical", "disk"], indirect=True)
def test_a_pool_that_runs_still_runs_after_a_restart(scene: Scene, pool: Pool) -> None:
    volume = pool.volumes.create(scene.volume(1, "8 MiB"))
    scene.restart()
    assert pool.is_active()
    assert not pool.autostart()
    assert volume in pool.volumes


def test_autostart_of_a_pool_whose_storage_is_gone(scene: Scene, pool: Pool) -> None:
    pool.set_autostart().stop().delete()
    scene.reboot()
    assert not pool.is_active()
    with pytest.raises(StorageError) as error:
        pool.start()
    assert "pool.build()" in str(error.value) or "overwrite" in str(error.value)
    assert pool.set_autostart(False).is_persistent()


def test_ensure_makes_a_pool_once(scene: Scene) -> None:
    if scene.spec.type == "fs":
        built(scene.host.pools.define(scene.spec)).undefine()
    pool = scene.host.pools.ensure(scene.spec)
    volume = pool.volumes.create(scene.volume(1, "8 MiB"))
    assert scene.host.pools.ensure(scene.spec) == pool
    assert scene.host.pools.ensure(scene.spec).stop().name == "scene"
    assert volume in scene.host.pools.ensure(scene.spec).volumes
    with pytest.raises(PoolExistsError) as error:
        scene.host.pools.ensure(attrs.evolve(scene.other, name="scene"))
    assert error.value.differences


def test_a_refresh_sees_what_others_have_removed(scene: Scene, pool: Pool) -> None:
    volume = pool.volumes.create(scene.volume(1, "8 MiB"))
    path = volume.path()
    remove = {
        "logical": f"lvremove --yes --quiet {path}",
        "disk": "parted --script /dev/sda rm 1 && udevadm settle",
    }
    scene.run(remove.get(scene.spec.type, f"rm {path}"))
    assert volume.name in pool.volumes.names()
    assert names(pool.refresh()) == ()
    with pytest.raises(VolumeNotFoundError):
        volume.info()
