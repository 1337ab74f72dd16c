"""Cases on file systems and block devices of this machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Final

from libstorage import PoolSpec, PoolType, VolumeFormat, VolumeSpec
from libstorage.testing import PrivateDaemon
from tests.lab.case import Case, Place
from tests.lab.servers.programs import run, scratch


@contextmanager
def loop_device(folder: Path, size: int) -> Iterator[str]:
    """A loop device with a blank file under it."""
    file = folder / f"disk-{size}"
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
    with loop_device(folder, 512 << 20) as device:
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


@contextmanager
def dir_place(kind: str) -> Iterator[Place]:
    """A directory on a file system of that sort."""
    with scratch("dir") as folder, mounted(folder, kind) as path, PrivateDaemon() as daemon:
        yield Place(
            uri=daemon.uri,
            spec=PoolSpec.dir("lab", str(path / "pool")),
            volume=raw,
            restart=daemon.restart,
        )


CASES: Final = [
    Case(f"dir-{kind}", f"dir on {kind}", PoolType.DIR, "this machine", partial(dir_place, kind))
    for kind in ("ext4", "xfs", "btrfs")
]
