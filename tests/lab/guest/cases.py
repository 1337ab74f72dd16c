"""The cases whose storage runs in the guest."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from typing import Final

from libstorage import PoolType
from tests.lab.case import Case, Place
from tests.lab.guest import block, served


def _case(name: str, title: str, type: PoolType, start: Callable[[], AbstractContextManager[Place]]) -> Case:
    return Case(name, title, type, "guest", start)


CASES: Final = [
    _case("logical", "logical, LVM on two disks", PoolType.LOGICAL, block.logical),
    _case("guest-disk-gpt", "disk, GPT on virtio", PoolType.DISK, partial(block.disk, "vdb", "gpt")),
    _case("guest-disk-dos", "disk, DOS label on SCSI", PoolType.DISK, partial(block.disk, "sda", "dos")),
    _case("scsi", "scsi, made up by the kernel", PoolType.SCSI, block.scsi),
    _case("mpath", "mpath, two paths", PoolType.MPATH, block.mpath),
    _case("guest-fs-ext4", "fs, ext4 on virtio", PoolType.FS, partial(block.fs, "ext4")),
    _case("guest-fs-xfs", "fs, XFS on virtio", PoolType.FS, partial(block.fs, "xfs")),
    _case("iscsi", "iscsi, LIO", PoolType.ISCSI, served.iscsi),
    _case("iscsi-chap", "iscsi, LIO with CHAP", PoolType.ISCSI, served.iscsi_chap),
    _case("guest-iscsi-direct", "iscsi-direct, LIO", PoolType.ISCSI_DIRECT, served.iscsi_direct),
    _case(
        "guest-iscsi-direct-chap",
        "iscsi-direct, LIO with CHAP",
        PoolType.ISCSI_DIRECT,
        served.iscsi_direct_chap,
    ),
    _case("nfs-v3", "netfs, NFS 3", PoolType.NETFS, partial(served.nfs, "3")),
    _case("nfs-v4", "netfs, NFS 4.2", PoolType.NETFS, partial(served.nfs, "4.2")),
]
