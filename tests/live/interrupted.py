"""Transfers that Ctrl-C interrupts, for a process of its own: the signal may arrive at any time.

    python -m tests.live.interrupted URI FOLDER ROUNDS

tells what is left of each that should not be.
"""

from __future__ import annotations

import gc
import os
import random
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from time import monotonic

from libstorage import MiB, Volume, VolumeSpec, connect
from libstorage.client.leases import leases
from libstorage.client.progress import TransferProgress
from libstorage.connection.sockets import all_sockets
from tests.live.rest import wait_until

SIZE = 6 * MiB


def interrupt() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def files_open() -> int:
    """How many files, pipes and folders are open; the sockets belong to lanes, which stay open."""
    return len(os.listdir("/proc/self/fd")) - len(all_sockets())  # noqa: PTH208


def left(folder: Path, threads: int, descriptors: int) -> str:
    """What is left that should not be."""
    gc.collect()
    things = {
        "a lease": lambda: not leases()._held,
        "a thread": lambda: threading.active_count() <= threads,
        "a descriptor": lambda: files_open() <= descriptors,
        "a file": lambda: not [path for path in folder.iterdir() if "copy" in path.name],
    }
    return ", ".join(name for name, is_gone in things.items() if not wait_until(is_gone))


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


def main(uri: str, folder: Path, rounds: int) -> None:
    """Interrupt uploads and downloads, and look what is left."""
    data, chance = random.Random(5).randbytes(SIZE), random.Random(6)
    with connect(uri) as host:
        pool = host.pools["interrupted"]
        volume: Volume = pool.volumes.create(VolumeSpec.raw("v.img", SIZE, allocation=0))
        (folder / "source").write_bytes(data)

        def upload(**options: object) -> object:
            return volume.upload(folder / "source", **options)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

        def download(**options: object) -> object:
            return volume.download(folder / "copy", **options)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

        problems: list[str] = []
        for name, transfer in (("upload", upload), ("download", download)):
            transfer()
            start = monotonic()
            (folder / "copy").unlink(missing_ok=True)
            transfer()
            seconds = monotonic() - start
            (folder / "copy").unlink(missing_ok=True)
            threads, descriptors = threading.active_count(), files_open()
            struck = 0
            for number in range(rounds):
                if number % 2:
                    struck += by_timer(transfer, chance.uniform(0, seconds))
                else:
                    struck += by_progress(transfer, SIZE * number // rounds)
                if number % 2 and (folder / "copy").exists():  # it was too late
                    (folder / "copy").unlink()
                if what := left(folder, threads, descriptors):
                    problems.append(f"round {number}: {what} is left of the {name}")
            if struck < rounds // 2:
                problems.append(f"only {struck} of {rounds} were interrupted")
        upload()
        download()
        if (folder / "copy").read_bytes() != data:
            problems.append("the bytes are others")
    sys.stdout.write("\n".join(problems))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
