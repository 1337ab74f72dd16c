"""The places where scenarios are played: a pool of each of four types on real storage."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import attrs

from libstorage import Host, Pool, PoolSpec, SizeLike, StorageError, VolumeFormat, VolumeSpec, connect
from libstorage.testing import PrivateDaemon
from tests.lab.guest.machine import Machine

MiB = 1 << 20


@attrs.frozen
class Scene:
    """A host with storage for one pool, which is not there yet.

    Attributes:
        host: The host.
        spec: The pool.
        other: Another pool, on other storage of the same host.
        clash: Another pool, on the same storage.
        volume: The specification of its n-th volume of that size; partitions are numbered, so that n counts from 1.
        make_outside: Makes the n-th volume, of 8 MiB, behind libvirt's back.
        run: What a shell prints for a command where the storage is.
        restart: Ends the daemon and starts it again.
        reboot: The same, and what it remembers of its running pools is gone, as after a reboot of its host.
        wipe: Makes its disk blank, when no pool is left.
    """

    host: Host
    spec: PoolSpec
    other: PoolSpec
    clash: PoolSpec
    volume: Callable[[int, SizeLike], VolumeSpec]
    make_outside: Callable[[int], str]
    run: Callable[[str], str]
    restart: Callable[[], None]
    reboot: Callable[[], None]
    wipe: Callable[[], object]

    @property
    def has_files(self) -> bool:
        """Whether its volumes are files."""
        return self.spec.type in {"dir", "fs"}


@contextmanager
def dir_scene() -> Iterator[Scene]:
    """A directory of this machine, on a file system that nobody else writes to."""
    with (
        _scratch() as folder,
        file_system(folder) as place,
        PrivateDaemon() as daemon,
        connect(daemon.uri) as host,
    ):
        path = str(place / "pool")
        spec, clash = PoolSpec.dir("scene", path), PoolSpec.dir("clash", path)
        yield _scene_of_files(daemon, host, spec, clash, folder)


@contextmanager
def fs_scene() -> Iterator[Scene]:
    """An ext4 file system on a loop device of this machine."""
    with (
        _scratch() as folder,
        loop_device(folder, 128 * MiB) as device,
        PrivateDaemon() as daemon,
        connect(daemon.uri) as host,
    ):
        spec = PoolSpec.fs("scene", str(folder / "pool"), device, format="ext4")
        clash = PoolSpec.fs("clash", str(folder / "clash"), device, format="ext4")
        yield _scene_of_files(daemon, host, spec, clash, folder)


@contextmanager
def logical_scene(machine: Machine) -> Iterator[Scene]:
    """A volume group of the guest."""
    with connect(machine.uri()) as host:
        yield Scene(
            host=host,
            spec=PoolSpec.logical("scene", source_name="vg_scene", devices=["/dev/vdb"]),
            other=PoolSpec.dir("other", "/srv/other"),
            clash=PoolSpec.logical("clash", source_name="vg_scene", devices=["/dev/vdb"]),
            volume=lambda number, size: VolumeSpec(name=f"volume-{number}", capacity=size),
            make_outside=_maker(
                machine.run, "lvcreate --yes --quiet --size 8m --name volume-{n} vg_scene", "volume-{n}"
            ),
            run=machine.run,
            restart=lambda: _restart_in(machine),
            reboot=lambda: _restart_in(machine, "rm -rf /run/libvirt/storage;"),
            wipe=lambda: machine.run(
                "rm -rf /srv/other; vgchange --quiet --activate n vg_scene >/dev/null 2>&1; "
                "wipefs --all --force --quiet /dev/vdb"
            ),
        )


@contextmanager
def disk_scene(machine: Machine) -> Iterator[Scene]:
    """A disk of the guest, with a GPT label."""
    with connect(machine.uri()) as host:
        yield Scene(
            host=host,
            spec=PoolSpec.disk("scene", "/dev/sda", format="gpt"),
            other=PoolSpec.dir("other", "/srv/other"),
            clash=PoolSpec.disk("clash", "/dev/sda", format="gpt"),
            volume=lambda number, size: VolumeSpec(name=f"sda{number}", capacity=size),
            make_outside=_maker(
                machine.run, "parted --script /dev/sda mkpart data 200MiB 208MiB && udevadm settle", "sda{n}"
            ),
            run=machine.run,
            restart=lambda: _restart_in(machine),
            reboot=lambda: _restart_in(machine, "rm -rf /run/libvirt/storage;"),
            wipe=lambda: machine.run(
                "rm -rf /srv/other; wipefs --all --force --quiet /dev/sda; blockdev --rereadpt /dev/sda; udevadm settle"
            ),
        )


@contextmanager
def loop_device(folder: Path, size: int) -> Iterator[str]:
    """A loop device of this machine with a blank file under it."""
    file = folder / "disk"
    file.touch()
    os.truncate(file, size)
    command = ["losetup", "--find", "--show", str(file)]
    device = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    try:
        yield device
    finally:
        subprocess.run(["losetup", "--detach", device], check=True)


@contextmanager
def file_system(folder: Path) -> Iterator[Path]:
    """A new ext4 file system of this machine."""
    with loop_device(folder, 128 * MiB) as device:
        place = folder / "mounted"
        place.mkdir()
        subprocess.run(["mkfs.ext4", "-q", device], check=True)
        subprocess.run(["mount", device, place], check=True)
        try:
            yield place
        finally:
            subprocess.run(["umount", place], check=True)


def clean(scene: Scene) -> None:
    """Leave nothing on the host of what a scenario has made."""
    for pool in scene.host.pools.list():
        if pool.is_active():
            pool.stop()
    for pool in scene.host.pools.list():
        pool.undefine()
    scene.wipe()


def emptied(scene: Scene) -> Pool | None:
    """The scene's pool, if an earlier scenario left it in order; its volumes are deleted."""
    if scene.host.pools.names() != (scene.spec.name,):
        return None
    pool = scene.host.pools[scene.spec.name]
    if pool.type() != scene.spec.type or not (pool.is_active() and pool.is_persistent()):
        return None
    try:
        for volume in pool.refresh().volumes:
            volume.delete()
    except StorageError:
        return None
    return pool.refresh()


def _scene_of_files(
    daemon: PrivateDaemon, host: Host, spec: PoolSpec, clash: PoolSpec, folder: Path
) -> Scene:
    def run(command: str) -> str:
        # The daemon mounts in a namespace of its own.
        inside = ["nsenter", f"--mount=/proc/{daemon.pid}/ns/mnt", "sh", "-c", command]
        return subprocess.run(inside, check=True, capture_output=True, text=True).stdout.rstrip("\n")

    assert spec.target is not None
    return Scene(
        host=host,
        spec=spec,
        other=PoolSpec.dir("other", str(folder / "other")),
        clash=clash,
        volume=lambda number, size: VolumeSpec.image(f"volume-{number}", VolumeFormat.RAW, size),
        make_outside=_maker(run, f"truncate --size 8M {spec.target.path}/volume-{{n}}", "volume-{n}"),
        run=run,
        restart=daemon.restart,
        reboot=lambda: _reboot(daemon),
        wipe=lambda: None,
    )


def _maker(run: Callable[[str], str], command: str, name: str) -> Callable[[int], str]:
    def make(number: int) -> str:
        run(command.format(n=number))
        return name.format(n=number)

    return make


def _restart_in(machine: Machine, before: str = "") -> None:
    machine.run(f"{before} lab-daemon >/dev/null 2>&1 </dev/null")


def _reboot(daemon: PrivateDaemon) -> None:
    daemon.stop()
    shutil.rmtree(daemon.folder / "run" / "libvirt" / "storage")
    daemon.start()


def names(pool: Pool) -> tuple[str, ...]:
    """The volumes of a pool, without what a new file system has by itself."""
    return tuple(sorted(name for name in pool.volumes.names() if name != "lost+found"))


@contextmanager
def _scratch() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="libstorage-scene-", dir="/tmp") as folder:
        yield Path(folder)
