"""Transfers: into a volume and out of it, against virsh; several at once; and how much memory they take.

All on a private daemon over its own socket, from and to files in one folder: what is timed is the page cache, not a disk,
and neither side waits for one.  Uploads go into a new volume each time, downloads into a new file.

Run: python -m benchmarks.transfer [--rounds 9] [--mib 1024] [--memory 64 1024 4096] [--pieces 192 1024] [--folder /dev/shm]
"""

from __future__ import annotations

import argparse
import filecmp
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Literal

from attrs import evolve, frozen

from benchmarks.clock import alternately
from benchmarks.results import Result, Table, compared, installed, save
from libstorage import GiB, Host, MiB, Pool, PoolSpec, Volume, VolumeSpec, connect
from libstorage.testing import private_daemon

POOL = "transfer"
BLOCK = 16 * MiB
AT_ONCE = 4
RANGES = 3
HOLES = 10 * GiB
ISLANDS = 64  # of 1 MiB, in as many GiB as there are holes

Way = Literal["upload", "download"]

# VmHWM, and not ru_maxrss: that begins with what the process had that started this one.
_ALONE = """
import sys, libstorage
uri, way, name, path = sys.argv[1:]

def most():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))

with libstorage.connect(uri) as host:
    volume = host.pools["transfer"].volumes[name]
    idle = most()
    getattr(volume, way)(path, sparse=False)
    print(idle, most())
"""


def main() -> None:
    given = _options()
    if shutil.which("virsh") is None:
        raise SystemExit("this compares with virsh: apt-get install libvirt-clients")
    size = given.mib * MiB
    with workshop(given.folder) as here:
        tables = [
            *dense_tables(here, size, given.rounds),
            *sparse_tables(here, given.rounds),
            *at_once_tables(here, size // AT_ONCE, given.rounds),
            memory_table(here, [mib * MiB for mib in given.memory]),
        ]
    if given.pieces:
        tables.append(piece_table(given.folder, given.pieces, size, given.rounds))
    virsh = subprocess.run(["virsh", "--version"], capture_output=True, text=True, check=True).stdout.strip()
    save("transfer", tables, {"virsh": virsh, **installed("libvirt-python")})


def _options() -> argparse.Namespace:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--rounds", type=int, default=9)
    options.add_argument("--mib", type=int, default=1024, help="size of what is moved")
    options.add_argument("--memory", type=int, nargs="*", default=[64, 1024, 4096], help="sizes in MiB")
    options.add_argument("--pieces", type=int, nargs="*", help="uploads by so many KiB at once, too")
    options.add_argument("--folder", help="where files are, instead of the usual place for temporary ones")
    return options.parse_args()


@frozen
class Workshop:
    """A daemon, a running pool of it, and a folder for files."""

    host: Host
    folder: Path

    @property
    def pool(self) -> Pool:
        """The pool."""
        return self.host.pools[POOL]

    def file(self, name: str) -> Path:
        """A file of the folder, which need not be there."""
        return self.folder / name

    def volume(self, name: str, size: int) -> Volume:
        """A new volume that takes no space, in place of the one that had the name."""
        old = self.pool.volumes.get(name)
        if old is not None:
            old.delete()
        return self.pool.volumes.create(VolumeSpec.raw(name, size, allocation=0))

    def virsh(self, *command: str | Path) -> None:
        """Run virsh with the daemon."""
        subprocess.run(["virsh", "--quiet", "--connect", self.host.uri, *command], check=True)

    def virsh_way(self, way: Way, name: str, *options: str, to: str = "target") -> None:
        """virsh's upload of ``source`` or download to a file."""
        file = self.file("source" if way == "upload" else to)
        self.virsh(f"vol-{way}", name, file, "--pool", POOL, *options)


@contextmanager
def workshop(folder: str | None) -> Iterator[Workshop]:
    with (
        tempfile.TemporaryDirectory(dir=folder) as files,
        private_daemon() as uri,
        connect(uri) as host,
    ):
        host.pools.define(PoolSpec.dir(POOL, os.path.join(files, "pool"))).build().start()  # noqa: PTH118
        yield Workshop(host, Path(files))


def dense_tables(here: Workshop, size: int, rounds: int) -> Iterator[Table]:
    """Random bytes, all of them."""
    block = random.Random(1).randbytes(min(BLOCK, size))
    with here.file("source").open("wb") as file:
        for _ in range(0, size, len(block)):
            file.write(block)
    for way in ("upload", "download"):
        yield _against_virsh(
            here,
            way,
            size,
            rounds,
            name=way,
            title=f"{way.capitalize()} of {size // MiB:,} MiB",
            about=f"Random bytes; the least of {rounds} rounds in turn. virsh is timed as a whole process, whose start-up is "
            "some 15 ms.",
        )


def piece_table(folder: str | None, pieces: Sequence[int], size: int, rounds: int) -> Table:
    """Uploads by other sizes of what is sent at once, each with a daemon of its own: malloc learns from what it sees."""
    from libstorage.transfer.ends import sources
    from libstorage.transfer.volume import streams

    rows = []
    usual = streams.SEND_BYTES
    for kib in pieces:
        for module, name in ((streams, "SEND_BYTES"), (sources, "PIECE")):
            setattr(module, name, kib * 1024)  # what is sent first stays as it is
        with workshop(folder) as here:
            table = next(dense_tables(here, size, rounds))
        rows.append(evolve(table.results[1], name=f"libstorage, {kib:,} KiB"))
    for module, name in ((streams, "SEND_BYTES"), (sources, "PIECE")):
        setattr(module, name, usual)
    return Table(
        name="pieces",
        title=f"Upload of {size // MiB:,} MiB, by what is sent at once",
        unit="s",
        about=f"libstorage sends {usual // 1024} KiB at once. Each size has a daemon of its own, in which it takes turns with "
        "virsh.",
        floor="virsh vol-upload",
        results=rows,
    )


def sparse_tables(here: Workshop, rounds: int) -> Iterator[Table]:
    """Islands in a sea of zeros."""
    with here.file("source").open("wb") as file:
        island = random.Random(2).randbytes(MiB)
        for number in range(ISLANDS):
            file.seek(HOLES // ISLANDS * number)
            file.write(island)
        file.truncate(HOLES)
    for way in ("upload", "download"):
        yield _against_virsh(
            here,
            way,
            HOLES,
            rounds,
            "--sparse",
            name=f"sparse-{way}",
            title=f"Sparse {way} of {HOLES // GiB} GiB",
            about=f"{ISLANDS} times 1 MiB of data, holes between; the least of {rounds} rounds in turn.",
        )


def _against_virsh(
    here: Workshop, way: Way, size: int, rounds: int, *options: str, name: str, title: str, about: str
) -> Table:
    """One direction, libstorage's and virsh's in turn; both must have moved what is in ``source``."""
    volume, target, source = here.volume("one", size), here.file("target"), here.file("source")
    if way == "download":
        volume.upload(source)
    result = Path(volume.path()) if way == "upload" else target

    def afresh() -> None:
        if way == "upload":
            here.volume("one", size)
        else:
            target.unlink(missing_ok=True)

    ours = partial(volume.upload, source) if way == "upload" else partial(volume.download, target)
    virsh = f"virsh vol-{' '.join((way, *options))}"
    ways: dict[str, Callable[[], object]] = {
        virsh: lambda: here.virsh_way(way, "one", *options),
        f"libstorage: volume.{way}()": ours,
    }
    if way == "download" and not options:
        ways[f"libstorage: volume.download(parallel={RANGES})"] = partial(
            volume.download, target, parallel=RANGES
        )
    for run in ways.values():
        afresh()
        run()
        if not filecmp.cmp(source, result, shallow=False):
            raise AssertionError(f"{run} moved something else than {source}")
    times = alternately(ways, rounds, before=afresh)
    afresh()
    volume.delete()
    return Table(
        name=name, title=title, unit="s", about=about, floor=virsh, results=_rows(times, virsh, "virsh")
    )


def at_once_tables(here: Workshop, size: int, rounds: int) -> Iterator[Table]:
    """Several volumes, each over a lane of its own."""
    with here.file("source").open("r+b") as file:
        file.truncate(0)
        file.write(random.Random(3).randbytes(min(BLOCK, size)) * max(1, size // BLOCK))
    names = [f"volume-{number}" for number in range(AT_ONCE)]
    for way in ("upload", "download"):
        volumes = [here.volume(name, size) for name in names]
        if way == "download":
            for volume in volumes:
                volume.upload(here.file("source"))
        move = partial(_move, here, way)
        in_turn, at_once = "libstorage, one after the other", f"libstorage, {AT_ONCE} threads"
        ways: dict[str, Callable[[], object]] = {
            in_turn: lambda volumes=volumes, move=move: [move(volume) for volume in volumes],  # type: ignore[misc]
            at_once: lambda volumes=volumes, move=move: _in_threads(move, volumes),  # type: ignore[misc]
            f"virsh vol-{way}, one after the other": partial(_virsh_in_turn, here, way, names),
            f"virsh vol-{way}, {AT_ONCE} processes": partial(_virsh_at_once, here, way, names),
        }
        afresh = partial(_remove_results, here, way, names, size)
        times = alternately(ways, rounds, before=afresh)
        busy = {name: _cores_busy(run, afresh) for name, run in ways.items()}
        rows = [
            evolve(row, note="; ".join(filter(None, (row.note, f"{busy[row.name]:.1f} cores busy"))))
            for row in _rows(times, in_turn, "one after the other")
        ]
        yield Table(
            name=f"at-once-{way}",
            title=f"{AT_ONCE} {way}s of {size // MiB} MiB",
            unit="s",
            about=f"{AT_ONCE} volumes; the least of {rounds} rounds in turn. The daemon and we share {os.cpu_count()} cores: "
            "what keeps them busy one after the other gains little at once.",
            floor=in_turn,
            results=rows,
        )
        here.file("target").unlink(missing_ok=True)
        for name in names:
            here.pool.volumes[name].delete()


def _move(here: Workshop, way: Way, volume: Volume) -> None:
    if way == "upload":
        volume.upload(here.file("source"))
    else:
        volume.download(here.file(f"target-{volume.name}"))


def _virsh_in_turn(here: Workshop, way: Way, names: Sequence[str]) -> None:
    for name in names:
        here.virsh_way(way, name)


def _virsh_at_once(here: Workshop, way: Way, names: Sequence[str]) -> None:
    with ThreadPoolExecutor(len(names)) as threads:
        list(threads.map(lambda name: here.virsh_way(way, name, to=f"target-{name}"), names))


def _cores_busy(run: Callable[[], object], afresh: Callable[[], object]) -> float:
    """How many processors of the machine are at work meanwhile: the middle of three runs."""
    seen = []
    for _ in range(3):
        afresh()
        begin, busy = perf_counter(), _processor_seconds()
        run()
        seen.append((_processor_seconds() - busy) / (perf_counter() - begin))
    return sorted(seen)[1]


def _processor_seconds() -> float:
    """What all processors have worked since the machine was started."""
    user, nice, system, _, _, *others = map(int, Path("/proc/stat").read_text().split("\n")[0].split()[1:])
    return (user + nice + system + sum(others[:3])) / os.sysconf("SC_CLK_TCK")


def _in_threads(move: Callable[[Volume], None], volumes: Sequence[Volume]) -> None:
    with ThreadPoolExecutor(len(volumes)) as threads:
        list(threads.map(move, volumes))


def _remove_results(here: Workshop, way: Way, names: Sequence[str], size: int) -> None:
    for name in names:
        if way == "upload":
            here.volume(name, size)
        here.file(f"target-{name}").unlink(missing_ok=True)
    here.file("target").unlink(missing_ok=True)


def memory_table(here: Workshop, sizes: Sequence[int]) -> Table:
    """The most memory that a process has which does nothing but one transfer."""
    rows = []
    for size in sizes:
        source, target = here.file("source"), here.file("target")
        source.write_bytes(b"")
        os.truncate(source, size)
        here.volume("one", size)
        for way, file in (("upload", source), ("download", target)):
            idle, most = _alone(here.host.uri, way, "one", file)
            note = f"{(most - idle) / 1024:.1f} MiB more than when it had only connected"
            rows.append(Result(name=f"{way}, {size // MiB:,} MiB", value=most / 1024, note=note))
        target.unlink()
    here.pool.volumes["one"].delete()
    return Table(
        name="memory",
        title="Peak memory",
        unit="MiB",
        about="The most that was resident in a process which imports libstorage, connects and does one transfer.",
        results=rows,
    )


def peak(here: Workshop, way: Way, file: Path, size: int) -> float:
    """The most memory in MiB of a process that only moves so many bytes."""
    here.volume("one", size)
    return _alone(here.host.uri, way, "one", file)[1] / 1024


def _alone(uri: str, way: str, volume: str, file: Path) -> tuple[int, int]:
    command = [sys.executable, "-c", _ALONE, uri, way, volume, str(file)]
    idle, most = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    return int(idle), int(most)


def _rows(times: Mapping[str, Sequence[float]], floor: str, whom: str) -> list[Result]:
    slow = min(times[floor])
    notes = {
        name: f"{slow / min(taken):.2f} × as fast as {whom}" for name, taken in times.items() if name != floor
    }
    return compared(times, floor, scale=1, notes=notes)


if __name__ == "__main__":
    main()
