"""Cases on file systems and block devices of this machine, and of types that libvirt has no driver for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final

from libstorage import (
    Encryption,
    Host,
    PoolSpec,
    PoolType,
    SecretSpec,
    Volume,
    VolumeFormat,
    VolumeSpec,
    connect,
)
from libstorage.testing import PrivateDaemon
from tests.lab.boot import boot
from tests.lab.case import Case, Mistake, Place
from tests.lab.servers.programs import run, scratch
from tests.patience import make_patient_qemu_img

MiB: Final = 1 << 20
_FS_SIZE: Final = 320 * MiB  # mkfs.xfs makes no smaller ones


@contextmanager
def loop_device(folder: Path, size: int) -> Iterator[str]:
    """A loop device with a blank file under it."""
    file = folder / "disk"
    with file.open("wb") as blank:
        blank.truncate(size)
    device = run("losetup", "--find", "--show", file).strip()
    try:
        yield device
    finally:
        run("losetup", "--detach", device)


@contextmanager
def mounted(folder: Path, kind: str) -> Iterator[Path]:
    """A new file system of that sort."""
    with loop_device(folder, _FS_SIZE) as device:
        run(f"mkfs.{kind}", "-q", device)
        path = folder / "mounted"
        path.mkdir()
        run("mount", device, path)
        try:
            yield path
        finally:
            run("umount", path)


def raw(name: str, size: int) -> VolumeSpec:
    """A raw volume."""
    return VolumeSpec.image(name, VolumeFormat.RAW, size)


def qcow2(name: str, size: int) -> VolumeSpec:
    """A qcow2 volume."""
    return VolumeSpec.qcow2(name, size)


# ---- dir ------------------------------------------------------------------------------------------------------------


@contextmanager
def dir_place(kind: str, nocow: bool = False) -> Iterator[Place]:
    """A directory on a file system of that sort."""
    with scratch("dir") as folder, mounted(folder, kind) as path, PrivateDaemon() as daemon:
        yield Place(
            uri=daemon.uri,
            spec=PoolSpec.dir("lab", str(path / "pool")),
            volume=partial(VolumeSpec.raw, nocow=True) if nocow else raw,
            restart=partial(boot, daemon),
            mistakes=_dir_mistakes(path, kind),
            remark="Volumes without copy-on-write." if nocow else "",
        )


@contextmanager
def qcow2_place() -> Iterator[Place]:
    """A directory of images that are not raw."""
    with scratch("dir") as folder, PrivateDaemon() as daemon:
        yield Place(
            uri=daemon.uri,
            spec=PoolSpec.dir("lab", str(folder / "pool")),
            volume=qcow2,
            any_bytes=False,
            restart=partial(boot, daemon),
        )


def _dir_mistakes(path: Path, kind: str) -> dict[str, Mistake]:
    spec = PoolSpec.dir("wrong", str(path / "wrong"))

    def built(host: Host) -> None:
        host.pools.define(spec).build().start()

    def conflict(host: Host) -> None:
        built(host)
        host.pools.define(PoolSpec.dir("other", str(path / "wrong")))

    def in_a_file(host: Host) -> None:
        (path / "file").write_text("text")
        host.pools.define(PoolSpec.dir("wrong", str(path / "file"))).build().start()

    def not_empty(host: Host) -> None:
        built(host)
        host.pools["wrong"].volumes.create(raw("volume", MiB))
        host.pools["wrong"].stop().delete()

    def too_large(host: Host) -> None:
        built(host)
        host.pools["wrong"].volumes.create(VolumeSpec.raw("large", _FS_SIZE * 2, allocation=_FS_SIZE * 2))

    def nocow(host: Host) -> None:
        built(host)
        host.pools["wrong"].volumes.create(VolumeSpec.raw("nocow", MiB, nocow=True))

    mistakes: dict[str, Mistake] = {
        "directory not built": lambda host: host.pools.define(spec).start(),
        "directory of another pool": conflict,
        "a file in place of the directory": in_a_file,
        "deleted with volumes in it": not_empty,
        "a volume larger than the file system": too_large,
    }
    return mistakes if kind == "btrfs" else mistakes | {"nocow": nocow}


# ---- fs -------------------------------------------------------------------------------------------------------------


@contextmanager
def fs_place(kind: str) -> Iterator[Place]:
    """A file system of that sort, which the pool makes itself."""
    with scratch("fs") as folder, loop_device(folder, _FS_SIZE) as device, PrivateDaemon() as daemon:
        yield Place(
            uri=daemon.uri,
            spec=PoolSpec.fs("lab", str(folder / "mounted"), device, format=kind),
            volume=raw,
            restart=partial(boot, daemon),
            mistakes=_fs_mistakes(folder, device, kind),
        )


def _fs_mistakes(folder: Path, device: str, kind: str) -> dict[str, Mistake]:
    other = "xfs" if kind == "ext4" else "ext4"

    def spec(name: str, format: str = kind, path: str = device) -> PoolSpec:
        return PoolSpec.fs(name, str(folder / name), path, format=format)

    def conflict(host: Host) -> None:
        host.pools.define(spec("wrong"))
        host.pools.define(spec("other"))

    def formatted(host: Host) -> None:
        host.pools.define(spec("wrong", other)).build(overwrite=False)

    def wrong_format(host: Host) -> None:
        host.pools.define(spec("wrong", other)).build().start()

    def blank(host: Host) -> None:
        run("wipefs", "--all", "--quiet", device)
        host.pools.define(spec("wrong")).build().start()

    return {
        "mount point not built": lambda host: host.pools.define(spec("wrong")).start(),
        "device of another pool": conflict,
        "device with another file system": formatted,
        "another file system than declared": wrong_format,
        "device without a file system": blank,
        "no such device": lambda host: host.pools.define(spec("wrong", path="/dev/nosuch")).build().start(),
        "no such device, to be formatted": lambda host: host.pools.define(
            spec("wrong", path="/dev/nosuch")
        ).build(overwrite=True),
        "no program for the file system": lambda host: host.pools.define(spec("wrong", "gfs2")).build(
            overwrite=True
        ),
    }


# ---- disk -----------------------------------------------------------------------------------------------------------


@contextmanager
def disk_place(label: str) -> Iterator[Place]:
    """A disk with that label."""
    with scratch("disk") as folder, loop_device(folder, 256 * MiB) as device, PrivateDaemon() as daemon:
        _forget_partitions(device)
        try:
            yield Place(
                uri=daemon.uri,
                spec=PoolSpec.disk("lab", device, format=label),
                volume=partial(_partition, device),
                restart=partial(boot, daemon),
                mistakes=_disk_mistakes(device, label),
                remark="libvirt names the partitions.",
            )
        finally:
            _forget_partitions(device)


def _forget_partitions(device: str) -> None:
    """The kernel keeps the partitions of a loop device for whoever has it next."""
    for partition in Path("/dev").glob(f"{device.removeprefix('/dev/')}p*"):
        run("partx", "--delete", "--nr", partition.name.rpartition("p")[2], device)


def _partition(device: str, name: str, size: int) -> VolumeSpec:
    number = 1 if name == "volume" else 2
    return VolumeSpec(name=f"{device.removeprefix('/dev/')}p{number}", capacity=size)


def _disk_mistakes(device: str, label: str) -> dict[str, Mistake]:
    spec = PoolSpec.disk("wrong", device, format=label)

    def built(host: Host) -> None:
        host.pools.define(spec).build(overwrite=True).start()

    def conflict(host: Host) -> None:
        host.pools.define(spec)
        host.pools.define(PoolSpec.disk("other", device, format=label))

    def labelled(host: Host) -> None:
        built(host)
        host.pools["wrong"].stop().build(overwrite=False)

    def blank(host: Host) -> None:
        run("wipefs", "--all", "--quiet", device)
        host.pools.define(spec).start()

    def wrong_name(host: Host) -> None:
        built(host)
        host.pools["wrong"].volumes.create(VolumeSpec(name="data", capacity=MiB))

    def too_large(host: Host) -> None:
        built(host)
        host.pools["wrong"].volumes.create(
            VolumeSpec(name=_partition(device, "volume", 0).name, capacity=1 << 40)
        )

    def missing(host: Host) -> None:
        host.pools.define(PoolSpec.disk("wrong", "/dev/nosuch", format=label)).build()

    return {
        "disk without a label": blank,
        "disk with a label": labelled,
        "disk of another pool": conflict,
        "a partition of another name": wrong_name,
        "a partition larger than the disk": too_large,
        "no such disk": missing,
    }


# ---- LUKS -----------------------------------------------------------------------------------------------------------


@contextmanager
def luks_place() -> Iterator[Place]:
    """A directory of encrypted volumes."""
    with scratch("luks") as folder:
        make_patient_qemu_img(folder)
        with PrivateDaemon(path=[folder]) as daemon:
            with connect(daemon.uri) as host:
                secret = host.secrets.define(SecretSpec.volume(f"{folder}/pool/volume")).set_value(
                    b"open sesame"
                )
                empty = host.secrets.define(SecretSpec.volume("/srv/empty"))
            encryption = Encryption.luks(uuid=secret.uuid)
            yield Place(
                uri=daemon.uri,
                spec=PoolSpec.dir("lab", str(folder / "pool")),
                volume=lambda name, size: VolumeSpec.raw(name, size, encryption=encryption),
                any_bytes=False,
                restart=partial(boot, daemon),
                mistakes=_luks_mistakes(folder, empty.uuid, secret.uuid),
                remark="Raw volumes with LUKS.",
            )


def _luks_mistakes(folder: Path, empty: str, secret: str) -> dict[str, Mistake]:
    nobody = "6d1c7aa3-9d3b-4b6e-8a53-0d2a7d6e1f00"

    def create(uuid: str, format: str, host: Host) -> None:
        pool = host.pools.define(PoolSpec.dir("wrong", str(folder / "wrong"))).build().start()
        encryption = Encryption.luks(uuid=uuid)
        pool.volumes.create(VolumeSpec.image(f"{format}-{uuid}", format, MiB, encryption=encryption))

    def refreshed(host: Host) -> Volume:
        if (folder / "wrong" / f"raw-{secret}").exists():  # it takes seconds to make one
            pool = host.pools.define(PoolSpec.dir("wrong", str(folder / "wrong"))).start()
        else:
            create(secret, "raw", host)
            pool = host.pools["wrong"].refresh()
        return pool.volumes[f"raw-{secret}"]  # its path is not the secret's usage

    return {
        "resized after a refresh": lambda host: refreshed(host).resize(2 * MiB),
        "cloned after a refresh": lambda host: refreshed(host).clone("copy"),
        "no such secret": partial(create, nobody, "raw"),
        "secret without a value": partial(create, empty, "raw"),
        "a format that cannot be encrypted": partial(create, secret, "vmdk"),
    }


# ---- without a driver ------------------------------------------------------------------------------------------------


@contextmanager
def absent_place(spec: PoolSpec) -> Iterator[Place]:
    """A daemon that cannot make pools of that type."""
    with PrivateDaemon() as daemon:
        yield Place(
            uri=daemon.uri,
            spec=spec,
            volume=None,
            restart=partial(boot, daemon),
            remark="Debian's libvirt does not have a driver for this type.",
        )


_SHEEPDOG: Final = PoolSpec.sheepdog("lab", host="127.0.0.1:7000", source_name="cluster")
_VSTORAGE: Final = PoolSpec.vstorage("lab", "/tmp/lab-vstorage", source_name="cluster")

CASES: Final = [
    *(
        Case(f"dir-{kind}", f"dir on {kind}", PoolType.DIR, "this machine", partial(dir_place, kind))
        for kind in ("ext4", "xfs", "btrfs")
    ),
    Case("dir-nocow", "dir, nocow", PoolType.DIR, "this machine", partial(dir_place, "btrfs", nocow=True)),
    Case("dir-qcow2", "dir, qcow2", PoolType.DIR, "this machine", qcow2_place),
    Case("dir-luks", "dir, LUKS", PoolType.DIR, "this machine", luks_place),
    *(
        Case(f"fs-{kind}", f"fs, {kind}", PoolType.FS, "this machine", partial(fs_place, kind))
        for kind in ("ext4", "xfs")
    ),
    *(
        Case(f"disk-{label}", f"disk, {label}", PoolType.DISK, "this machine", partial(disk_place, label))
        for label in ("gpt", "dos")
    ),
    Case("sheepdog", "sheepdog", PoolType.SHEEPDOG, "this machine", partial(absent_place, _SHEEPDOG)),
    Case("vstorage", "vstorage", PoolType.VSTORAGE, "this machine", partial(absent_place, _VSTORAGE)),
]
