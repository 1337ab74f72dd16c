"""Cases on the disks of the guest."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from attrs import evolve

from libstorage import BackingStore, PoolSpec, VolumeSpec
from tests.lab.case import Place
from tests.lab.guest import guest, mistakes
from tests.lab.guest.machine import Machine

MiB = 1 << 20
FORMATTED = "mkfs.ext4 -q /dev/sdb"
"""Makes a file system on a disk that no pool of a case uses."""

_ONE_PATH = """
multipathd shutdown
until multipath -F; do sleep 0.1; done
modprobe -r scsi_debug
modprobe scsi_debug dev_size_mb=4 add_host=1 max_luns=2
udevadm settle
"""
_VERSIONS = {
    "linux": "uname -r | cut -d- -f1",
    "lvm2": "lvm version | awk '/LVM version/ {print $3}' | cut -d'(' -f1",
    "parted": "parted --version | awk 'NR == 1 {print $NF}'",
    "multipath-tools": "multipath -h 2>&1 | awk '/^multipath-tools/ {print $2}' | tr -d v",
    "open-iscsi": "iscsiadm --version | awk '{print $NF}'",
    "nfs-utils": "mount.nfs -V | awk '{print $NF}' | tr -d ')'",
}


def raw(name: str, size: int) -> VolumeSpec:
    """A raw volume."""
    return VolumeSpec.raw(name, size)


@contextmanager
def logical() -> Iterator[Place]:
    """A volume group of two disks; another one is there already."""
    spec = PoolSpec.logical("lab", devices=["/dev/vdb", "/dev/vdc"])
    origin = BackingStore(path="/dev/lab/volume", format="raw")
    snapshot = VolumeSpec(name="before", capacity=16 * MiB, backing_store=origin)
    sparse = evolve(snapshot, allocation=8 * MiB)
    with guest() as machine:
        machine.run(f"{FORMATTED}; vgcreate found /dev/sda")
        yield Place(
            uri=machine.uri(),
            spec=spec,
            volume=raw,
            restart=lambda: machine.run("lab-daemon"),
            sources={},
            versions=versions(machine, "lvm2"),
            mistakes={
                "no such volume group": mistakes.start_unbuilt(PoolSpec.logical("none")),
                "missing device": mistakes.build(PoolSpec.logical("none", devices="/dev/missing")),
                "formatted device": mistakes.build(PoolSpec.logical("none", devices="/dev/sdb")),
                "formatted device, keep": mistakes.build(PoolSpec.logical("none", devices="/dev/sdb"), False),
                "device of another group": mistakes.build(PoolSpec.logical("none", devices="/dev/sda")),
                "group exists": mistakes.build(
                    PoolSpec.logical("none", source_name="found", devices="/dev/vdb"), True
                ),
                "device of two pools": mistakes.define(spec, PoolSpec.logical("other", devices="/dev/vdb")),
                "too large": mistakes.create(spec, raw("volume", 1 << 40)),
                "name taken": mistakes.create(spec, raw("volume", 16 * MiB), raw("volume", 16 * MiB)),
                "name that LVM refuses": mistakes.create(spec, raw("a volume", 16 * MiB)),
                "name that LVM reserves": mistakes.create(spec, raw("snapshot", 4 * MiB)),
                "sparse snapshot": mistakes.create(spec, raw("volume", 16 * MiB), sparse),
                "snapshot of nothing": mistakes.create(spec, snapshot),
            },
        )


@contextmanager
def disk(device: str, format: str) -> Iterator[Place]:
    """A disk with a label of that format; its first partition is the volume, its second one the clones."""

    def partition(name: str, size: int) -> VolumeSpec:
        return VolumeSpec(name=f"{device}{1 if name == 'volume' else 2}", capacity=size)

    def pool(name: str, path: str, format: str = format) -> PoolSpec:
        return PoolSpec.disk(name, f"/dev/{path}", format=format)

    spec = pool("lab", device)
    small = partition("volume", 16 * MiB)
    with guest() as machine:
        machine.run(FORMATTED)
        yield Place(
            uri=machine.uri(),
            spec=spec,
            volume=partition,
            restart=lambda: machine.run("lab-daemon"),
            versions=versions(machine, "parted"),
            mistakes={
                "no label": mistakes.start_unbuilt(pool("lab", "vdc")),
                "missing device": mistakes.build(pool("lab", "missing")),
                "formatted device": mistakes.build(pool("lab", "sdb")),
                "formatted device, keep": mistakes.build(pool("lab", "sdb"), False),
                "label that parted lacks": mistakes.build(pool("lab", device, "lvm2"), True),
                "device of two pools": mistakes.define(spec, pool("other", device)),
                "wrong name": mistakes.create(spec, VolumeSpec(name="data", capacity=16 * MiB)),
                "name taken": mistakes.create(spec, small, small),
                "too large": mistakes.create(spec, partition("volume", 1 << 40)),
            },
        )


@contextmanager
def scsi() -> Iterator[Place]:
    """The LUNs of a SCSI host that the kernel makes up."""
    with guest() as machine:
        machine.run(_ONE_PATH)
        adapter = machine.run("basename $(dirname $(grep -l scsi_debug /sys/class/scsi_host/*/proc_name))")
        spec = PoolSpec.scsi("lab", adapter, path="/dev/disk/by-id")
        yield Place(
            uri=machine.uri(),
            spec=spec,
            volume=None,
            restart=lambda: machine.run("lab-daemon"),
            versions=versions(machine),
            mistakes={
                "no such adapter": mistakes.start(PoolSpec.scsi("lab", "host99", path="/dev/disk/by-id")),
                "missing target": mistakes.start(PoolSpec.scsi("lab", adapter, path="/dev/missing")),
                "adapter of two pools": mistakes.define(
                    spec, PoolSpec.scsi("other", adapter, path="/dev/disk/by-path")
                ),
            },
        )


@contextmanager
def mpath() -> Iterator[Place]:
    """A disk with two paths."""
    spec = PoolSpec.mpath("lab")
    with guest() as machine:
        yield Place(
            uri=machine.uri(),
            spec=spec,
            volume=None,
            restart=lambda: machine.run("lab-daemon"),
            versions=versions(machine, "multipath-tools"),
            mistakes={"two pools": mistakes.define(spec, PoolSpec.mpath("other"))},
        )


@contextmanager
def fs(format: str) -> Iterator[Place]:
    """A disk with a file system."""

    def pool(device: str, name: str = "lab") -> PoolSpec:
        return PoolSpec.fs(name, f"/mnt/{name}", f"/dev/{device}", format=format)

    spec = pool("vdb")
    with guest() as machine:
        machine.run(f"mkfs.{'xfs' if format == 'ext4' else 'ext4'} -q /dev/sdb")
        yield Place(
            uri=machine.uri(),
            spec=spec,
            volume=raw,
            restart=lambda: machine.run("lab-daemon"),
            versions=versions(machine),
            mistakes={
                "missing device": mistakes.build(pool("missing"), True),
                "missing device, started": mistakes.start(pool("missing")),
                "not formatted": mistakes.start(pool("vdc")),
                "other file system": mistakes.start(pool("sdb")),
                "other file system, keep": mistakes.build(pool("sdb"), False),
                "no mount point": mistakes.start_unbuilt(pool("vdb", "elsewhere")),
                "device in use": lambda host: (
                    machine.run("mkfs.ext4 -q /dev/sda && mount /dev/sda /srv"),
                    host.pools.define(pool("sda")).build(True),
                ),
                "device of two pools": mistakes.define(spec, pool("vdb", "other")),
                "too large": mistakes.create(spec, raw("volume", 1 << 40)),
            },
        )


def versions(machine: Machine, *programs: str) -> dict[str, str]:
    """The versions of the guest's kernel and of these programs in it."""
    return {program: machine.run(_VERSIONS[program]) for program in ("linux", *programs)}
