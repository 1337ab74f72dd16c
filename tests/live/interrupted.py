"""Transfers that Ctrl-C interrupts, for a process of its own: the signal may arrive at any time.

    python -m tests.live.interrupted URI FOLDER ROUNDS

tells what is left of each that should not be.
"""

from __future__ import annotations

import faulthandler
import gc
import os
import random
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from time import monotonic

from libstorage import Host, MiB, VolumeSpec, connect
from libstorage.session.leases import leases
from libstorage.transfer.progress import Progress, TransferProgress
from tests.inside import connection_of
from tests.live.rest import wait_until

SIZE = 6 * MiB


def interrupt() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def files_open() -> int:
    """How many files, pipes and folders are open; a lane has a socket and an eventfd, and may stay open."""
    links = []
    for descriptor in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            links.append(str(descriptor.readlink()))
    return sum(not link.startswith(("socket:", "anon_inode:[eventfd]")) for link in links)


def left(host: Host, folder: Path, threads: int, descriptors: int) -> str:
    """What is left that should not be; a thread that has just ended may have left a cycle behind."""
    lanes = connection_of(host)._lanes
    things: dict[str, Callable[[], bool]] = {
        "a busy lane": lambda: not lanes._busy(),
        "a call that waits": lambda: not [waiter for waiter in lanes._waiters if waiter.holder() is not None],
        "a lease": lambda: not leases()._held,
        "a thread": lambda: threading.active_count() <= threads,
        "a descriptor": lambda: files_open() <= descriptors,
        "a file": lambda: not [path for path in folder.iterdir() if path.name.startswith(".copy")],
    }
    return ", ".join(
        name for name, is_gone in things.items() if not wait_until(partial(collected, is_gone), 20.0)
    )


def collected(is_gone: Callable[[], bool]) -> bool:
    """Whether it is gone once garbage is."""
    gc.collect()
    return is_gone()


def by_timer(transfer: Callable[..., object], after: float) -> bool:
    """Interrupt it after so many seconds; whether that came in time."""
    done = threading.Event()
    timer = threading.Timer(after, lambda: None if done.is_set() else interrupt())
    try:
        try:
            timer.start()
            transfer()
        finally:
            done.set()
            timer.join()
            for _ in range(100):  # the signal may still be on its way
                pass
    except KeyboardInterrupt:
        return True
    return False


def by_progress(transfer: Callable[..., object], at: int) -> bool:
    """Interrupt it when so many bytes are done."""

    def progress(told: TransferProgress) -> None:
        if told.done >= at:
            interrupt()

    try:
        transfer(progress=progress)
    except KeyboardInterrupt:
        return True
    return False


class Rounds:
    """Some interrupted transfers of one kind, over a connection of their own."""

    def __init__(self, uri: str, folder: Path, data: bytes) -> None:
        self.uri, self.folder, self.data = uri, folder, data
        self.source, self.copy = folder / "source", folder / "copy"
        self.source.write_bytes(data)
        self.chance = random.Random(6)
        self.problems: list[str] = []
        self.struck = 0

    def run(self, name: str, places: range) -> None:
        """Interrupt it at these places, and by a timer as often."""
        with connect(self.uri) as host:
            volume = host.pools["interrupted"].volumes["v.img"]

            def transfer(progress: Progress | bool = False) -> object:
                if name == "upload":
                    return volume.upload(self.source, progress=progress)
                return volume.download(self.copy, overwrite=True, progress=progress)

            start = monotonic()
            transfer()
            seconds = monotonic() - start
            self.copy.unlink(missing_ok=True)
            threads, descriptors = threading.active_count(), files_open()
            for place in places:
                for was_struck in (
                    by_progress(transfer, place),
                    by_timer(transfer, self.chance.uniform(0, seconds)),
                ):
                    self.struck += was_struck
                if what := left(host, self.folder, threads, descriptors):
                    self.problems.append(f"{what} is left of the {name} at {place}")
            volume.upload(self.source).download(self.copy, overwrite=True)
            if self.copy.read_bytes() != self.data:
                self.problems.append("the bytes are others")
            self.copy.unlink()


def main(uri: str, folder: Path, rounds: int) -> None:
    """Interrupt uploads and downloads, and look what is left."""
    faulthandler.dump_traceback_later(90, exit=True)
    with connect(uri) as host:
        host.pools["interrupted"].volumes.create(VolumeSpec.raw("v.img", SIZE, allocation=0))
    all_of_them = Rounds(uri, folder, random.Random(5).randbytes(SIZE))
    for name in ("upload", "download"):
        for start in range(0, rounds, 10):
            places = range(start * SIZE // rounds, (start + 10) * SIZE // rounds, SIZE // rounds)
            all_of_them.run(name, places)
    if all_of_them.struck < 2 * rounds:
        all_of_them.problems.append(f"only {all_of_them.struck} were interrupted")
    sys.stdout.write("\n".join(all_of_them.problems))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
