"""What libvirt does wrong, or unlike what one expects, on a real daemon: what users are told of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from libstorage import (
    HelperError,
    InvalidRequestError,
    NoSpaceError,
    Pool,
    PoolInactiveError,
    PoolNotFoundError,
    PoolSpec,
    StateError,
    StorageError,
    UnsupportedError,
    VolumeCreateFlags,
    VolumeSpec,
)
from libstorage.transfer.settle import let_pool_see
from tests.inside import channel_of
from tests.lab.scenarios.scene import MiB, Scene, loop_device, names

FS = pytest.mark.parametrize("place", ["fs"], indirect=True)
DIR = pytest.mark.parametrize("place", ["dir"], indirect=True)
LOGICAL = pytest.mark.parametrize("place", ["logical"], indirect=True)
DISK = pytest.mark.parametrize("place", ["disk"], indirect=True)


class TestPartitionsOfADiskWhoseNameEndsInADigit:
    """libvirt 9.0 gives parted the number ``p1`` where that wants ``1``."""

    def pool(self, scene: Scene, device: str, label: str = "gpt") -> Pool:
        spec = PoolSpec.disk("loop", device, format=label)
        return scene.host.pools.define(spec).build(overwrite=True).start()

    @DIR
    def test_deleting_says_that_it_is_still_there(self, scene: Scene, tmp_path: Path) -> None:
        with loop_device(tmp_path, 64 * MiB) as device:
            pool = self.pool(scene, device)
            first = Path(device).name + "p1"
            volume = pool.volumes.create(VolumeSpec(name=first, capacity=5 * MiB))
            with pytest.raises(HelperError, match="still exists") as error:
                volume.delete()
            assert (error.value.program, error.value.exit_status) == ("parted", 1)
            assert error.value.stderr is not None
            assert "doesn't exist" in error.value.stderr
            assert names(pool.refresh()) == (first,)
            scene.run(f"parted --script {device} rm 1")  # as the hint says
            assert names(pool.refresh()) == ()
            pool.stop()

    @DIR
    def test_a_wrong_name_may_leave_a_partition(self, scene: Scene, tmp_path: Path) -> None:
        with loop_device(tmp_path, 64 * MiB) as device:
            pool = self.pool(scene, device)
            with pytest.raises(InvalidRequestError, match=r"pool\.refresh\(\) lists it") as error:
                pool.volumes.create(VolumeSpec(name="data", capacity=5 * MiB))
            assert error.value.outcome == "unknown"
            assert names(pool) == ()
            assert names(pool.refresh()) == (Path(device).name + "p1",)
            pool.stop()

    @DIR
    def test_no_room_has_its_class(self, scene: Scene, tmp_path: Path) -> None:
        with loop_device(tmp_path, 64 * MiB) as device:
            pool, name = self.pool(scene, device, "dos"), Path(device).name
            with pytest.raises(NoSpaceError, match="free extents") as error:
                pool.volumes.create(VolumeSpec(name=name + "p1", capacity=1 << 30))
            assert (error.value.code, error.value.outcome) == (1, "not_started")
            for number in range(1, 5):
                pool.volumes.create(VolumeSpec(name=f"{name}p{number}", capacity=4 * MiB))
            with pytest.raises(NoSpaceError, match="no room for another partition"):
                pool.volumes.create(VolumeSpec(name=name + "p5", capacity=4 * MiB))
            pool.stop()

    @DIR
    @pytest.mark.parametrize("label", ["bsd", "sun"])
    def test_labels_without_partitions_of_libvirts(self, scene: Scene, tmp_path: Path, label: str) -> None:
        with loop_device(tmp_path, 64 * MiB) as device:
            pool = self.pool(scene, device, label)
            with pytest.raises(UnsupportedError, match="gpt and dos only") as error:
                pool.volumes.create(VolumeSpec(name=Path(device).name + "p1", capacity=4 * MiB))
            assert error.value.program == "parted"
            pool.stop()


@DISK
def test_a_wrong_name_on_another_disk(scene: Scene, pool: Pool) -> None:
    with pytest.raises(InvalidRequestError, match="name that the host's kernel gives it") as error:
        pool.volumes.create(VolumeSpec(name="data", capacity=8 * MiB))
    assert error.value.outcome == "unknown"
    assert set(names(pool.refresh())) <= {"sda1"}


@DISK
def test_a_disk_without_a_label(scene: Scene) -> None:
    pool = scene.host.pools.define(scene.spec)
    with pytest.raises(StateError, match=r"pool\.build\(\)"):
        pool.start()
    pool.build()
    with pytest.raises(StateError, match="already built"):
        pool.build()
    with pytest.raises(StateError, match="already built"):
        pool.build(overwrite=False)
    assert pool.start().is_active()


@FS
def test_mounting_what_cannot_be_mounted(scene: Scene) -> None:
    pool = scene.host.pools.define(scene.spec)
    said = []
    for build in (False, True):
        with pytest.raises(HelperError) as error:
            (pool.build() if build else pool).start()
        assert (error.value.program, error.value.exit_status) == ("mount", 32)
        said.append(str(error.value.hint))
    assert "Create the directory: pool.build()" in said[0]
    assert "overwrite=False" in said[1]
    assert pool.build(overwrite=False).start().stop() == pool
    with pytest.raises(StateError, match="already built"):
        pool.build(overwrite=False)
    assert pool.delete() == pool  # the directory is gone, the file system is not
    with pytest.raises(HelperError, match=r"pool\.build\(\)"):
        pool.start()
    assert pool.build().start().is_active()


@FS
def test_a_device_that_is_not_there(scene: Scene, tmp_path: Path) -> None:
    spec = PoolSpec.fs("missing", str(tmp_path / "missing"), "/dev/nope", format="ext4")
    pool = scene.host.pools.define(spec).build()
    with pytest.raises(HelperError, match="Check that /dev/nope exists"):
        pool.start()
    with pytest.raises(StateError, match="Check that the source device exists"):
        pool.build(overwrite=True)


@FS
def test_a_file_system_that_this_host_cannot_make(scene: Scene, tmp_path: Path) -> None:
    with loop_device(tmp_path, 32 * MiB) as device:
        spec = PoolSpec.fs("ocfs2", str(tmp_path / "ocfs2"), device, format="ocfs2")
        pool = scene.host.pools.define(spec)
        with pytest.raises(UnsupportedError, match=r"Install mkfs\.ocfs2") as error:
            pool.build(overwrite=True)
        assert error.value.program == "mkfs"
        with pytest.raises(UnsupportedError, match=r"ocfs2") as error:
            pool.build().start()
        assert error.value.program == "mount"
        small = PoolSpec.fs("ocfs2", str(tmp_path / "ocfs2"), device, format="xfs", uuid=pool.uuid)
        with pytest.raises(HelperError, match="too small"):
            scene.host.pools.define(small).build(overwrite=True)


@LOGICAL
def test_what_lvm_says(scene: Scene) -> None:
    pool = scene.host.pools.define(scene.spec)
    with pytest.raises(StateError, match="does not have that volume group"):
        pool.start()
    pool.build().start()
    with pytest.raises(NoSpaceError, match="vgextend") as error:
        pool.volumes.create(scene.volume(1, 1 << 30))
    assert error.value.program == "lvcreate"
    assert error.value.exit_status
    scene.make_outside(1)
    with pytest.raises(HelperError, match=r"pool\.refresh\(\)") as known:
        pool.volumes.create(scene.volume(1, "8 MiB"))
    assert known.value.program == "lvcreate"
    assert names(pool.refresh()) == ("volume-1",)
    scene.run(
        "mkfs.ext4 -q /dev/vg_scene/volume-1 && mkdir -p /srv/mnt && mount /dev/vg_scene/volume-1 /srv/mnt"
    )
    try:
        with pytest.raises(HelperError, match="in use on the host") as used:
            pool.volumes["volume-1"].delete()
        assert used.value.program in {"lvremove", "lvchange"}
    finally:
        scene.run("umount /srv/mnt")


class TestARefreshThatFails:
    """It stops the pool, and a transient pool is gone then."""

    def break_it(self, scene: Scene, pool: Pool) -> None:
        how = {
            "dir": "mv {0} {0}.away",
            "fs": "umount {0} && rmdir {0}",
            "logical": "vgremove --yes --quiet --force vg_scene",
        }
        target = pool.spec().target
        assert target is not None
        scene.run(how[scene.spec.type].format(target.path))

    @pytest.mark.parametrize("place", ["dir", "fs", "logical"], indirect=True)
    def test_is_told(self, scene: Scene, pool: Pool) -> None:
        self.break_it(scene, pool)
        with pytest.raises(StorageError, match="stops a pool when a refresh fails") as error:
            pool.refresh()
        assert (error.value.outcome, error.value.retry) == ("unknown", "no")
        assert not pool.is_active()
        with pytest.raises(PoolInactiveError) as later:
            pool.refresh()
        assert "refresh fails" not in str(later.value)

    @DIR
    def test_of_a_transient_pool(self, scene: Scene) -> None:
        pool = scene.host.pools.create_transient(scene.spec, build=True)
        self.break_it(scene, pool)
        with pytest.raises(StorageError, match="a transient pool vanishes then"):
            pool.refresh()
        with pytest.raises(PoolNotFoundError):
            pool.info()

    @DIR
    def test_after_an_upload(self, scene: Scene, pool: Pool) -> None:
        self.break_it(scene, pool)
        with pytest.raises(StorageError, match="stops a pool when a refresh fails") as error:
            let_pool_see(channel_of(scene.host), pool._id)  # as every upload does, after its last byte
        assert "All data has arrived" in str(error.value)
        assert error.value.outcome == "done"
        assert not pool.is_active()

    @DIR
    def test_in_the_midst_of_an_upload(self, scene: Scene, pool: Pool) -> None:
        """libvirt refreshes, too, and tells nobody that it failed: the pool runs then, and seems to be empty."""
        volume = pool.volumes.create(scene.volume(1, "1 MiB"))

        def source() -> Iterator[bytes]:
            yield bytes(1 << 10)
            self.break_it(scene, pool)
            yield bytes(1 << 10)

        with pytest.raises(StorageError, match="refresh"):
            volume.upload(source())
        with pytest.raises(StorageError):
            pool.refresh()
        assert not pool.is_active()


@DIR
def test_a_stopped_pool_runs_again_after_a_restart(scene: Scene, pool: Pool) -> None:
    """Without autostart: libvirt takes a pool whose directory is there for a running one."""
    pool.stop()
    assert not pool.autostart()
    scene.restart()
    assert pool.is_active()


@FS
def test_autostart_happens_once_after_a_boot(scene: Scene, pool: Pool) -> None:
    pool.set_autostart().stop()
    scene.restart()
    assert not pool.is_active()
    scene.reboot()
    assert pool.is_active()


@DIR
def test_a_host_does_not_check_volumes_it_cannot_check(scene: Scene, pool: Pool) -> None:
    """VALIDATE fails on every volume in libvirt 9.0, so that it is not asked for."""
    pool.volumes.create(scene.volume(1, "1 KiB"))
    if scene.host.versions.daemon < 9_001_000:
        with pytest.raises(InvalidRequestError, match="unsupported flags"):
            pool.volumes.create(scene.volume(2, "1 KiB"), flags=VolumeCreateFlags.VALIDATE)
