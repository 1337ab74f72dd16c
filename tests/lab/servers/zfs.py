"""ZFS in user space: zfs-fuse, which is all of ZFS that Debian can run without a kernel module of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from attrs import frozen

from tests.lab.servers.programs import run, running_apart, scratch, wait_for

_ENTER = """#!/bin/sh
exec nsenter --target {pid} --mount --pid /sbin/{program} "$@"
"""


@frozen
class ZfsServer:
    """A running zfs-fuse.

    Attributes:
        programs: A folder with the programs ``zpool`` and ``zfs`` that talk to it, for a daemon's PATH.
        disks: Two files to make a zpool of.
    """

    programs: Path
    disks: tuple[Path, ...]

    def zfs(self, *arguments: str) -> str:
        """What its program ``zfs`` prints."""
        return run(self.programs / "zfs", *arguments)

    def zpool(self, *arguments: str) -> str:
        """What its program ``zpool`` prints."""
        return run(self.programs / "zpool", *arguments)


@contextmanager
def zfs_server() -> Iterator[ZfsServer]:
    """A zfs-fuse that nobody else on the machine sees, and whose mounts nobody else has."""
    with scratch("zfs") as folder:
        for name in ("programs", "state", "run/zfs", "run/lock/zfs"):
            (folder / name).mkdir(parents=True)
        hidden = {folder / "state": "/var/lib/zfs", folder / "run": "/run"}
        server = ZfsServer(folder / "programs", (folder / "one.img", folder / "two.img"))
        for disk in server.disks:
            with disk.open("wb") as file:
                file.truncate(128 << 20)
        log = folder / "log"
        command = ("zfs-fuse", "--no-daemon", "--no-kstat-mount", "--pidfile", folder / "pid")
        with running_apart(*command, log=log, hidden=hidden) as pid:
            for name in ("zpool", "zfs"):
                program = server.programs / name
                program.write_text(_ENTER.format(pid=pid, program=name), "ascii")
                program.chmod(0o755)
            wait_for(lambda: server.zpool("list"), "zfs-fuse", log=log)
            yield server
