"""Listings: the documents of all volumes of a pool, near and far, against libvirt-python's bare loop and virsh.

Near: over a private daemon's own socket.  The bare loop runs in a process of its own, which has no event loop: a loop
makes every call dearer, and ours has one.  The garbage collector is on while a variant runs, as it is for a user.
Far: the same daemon behind a link that takes 10 ms each way.

Run: python -m benchmarks.listing [--rounds 9] [--volumes 100 1000 10000] [--far 1000]
"""

from __future__ import annotations

import argparse
import gc
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from inspect import signature
from pathlib import Path
from time import perf_counter
from typing import Any

from benchmarks.clock import alternately
from benchmarks.link import slow_link
from benchmarks.results import Result, Table, compared, installed, save
from libstorage import Host, PoolSpec, connect
from libstorage.testing import private_daemon

POOL = "listing"
BARE = "libvirt-python: listAllVolumes, then XMLDesc of each, as text"
VIRSH = "virsh vol-list --details"
START = "virsh, a process that only counts pools"
SPECS = "pool.volumes.specs(), typed"
COLD = "connect(), then pool.volumes.specs()"
INVENTORY = "host.inventory(), typed"
NAMES = "pool.volumes.names()"

DELAY = 0.01  # seconds each way
LANES = (None, 16, 32)

_BARE_LOOP = """
import sys, libvirt
pool = libvirt.open(sys.argv[1]).storagePoolLookupByName(sys.argv[2])
for _ in sys.stdin:
    print(len([volume.XMLDesc(0) for volume in pool.listAllVolumes(0)]), flush=True)
"""


def main() -> None:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--rounds", type=int, default=9)
    options.add_argument("--volumes", type=int, nargs="*", default=[100, 1000, 10_000])
    options.add_argument(
        "--far", type=int, default=1000, help="volumes behind the slow link; 0 leaves that out"
    )
    given = options.parse_args()
    if shutil.which("virsh") is None:
        raise SystemExit("this compares with virsh: apt-get install libvirt-clients")
    near = {volumes: near_table(volumes, given.rounds) for volumes in given.volumes}
    far = [far_table(given.far, given.rounds)] if given.far else []
    virsh = subprocess.run(["virsh", "--version"], capture_output=True, text=True, check=True).stdout.strip()
    tables = [*near.values(), growth_table(near), *far]
    save("listing", tables, {"virsh": virsh, **installed("libvirt-python", "lxml")})


def near_table(volumes: int, rounds: int) -> Table:
    """A pool on this machine: milliseconds for all of it."""
    with filled_daemon(volumes) as uri, bare_loop(uri) as bare, connect(uri) as host:
        ways: dict[str, Callable[[], int]] = {
            BARE: bare,
            **our_ways(uri, host),
            VIRSH: lambda: virsh(uri, "vol-list", POOL, "--details"),
        }
        checked = {name: as_a_user(way, volumes) for name, way in ways.items()}
        times = alternately({**checked, START: lambda: virsh(uri, "pool-list")}, rounds)
    slow = min(times[VIRSH])
    notes = {name: f"{slow / min(times[name]):.2f} × as fast as virsh" for name in (SPECS, COLD, INVENTORY)}
    return Table(
        name=f"near-{volumes}",
        title=f"{volumes:,} volumes, near",
        unit="ms",
        about=f"A `dir` pool of {volumes:,} volumes on the same machine; the least of {rounds} rounds in turn. virsh is timed "
        "as a whole process, with its start-up.",
        floor=BARE,
        results=compared(times, BARE, scale=1000, notes=notes),
        picture=volumes == 10_000,
    )


def our_ways(uri: str, host: Host) -> dict[str, Callable[[], int]]:
    """libstorage's ways through the pool, each of which counts what it found."""
    pool = host.pools[POOL]
    return {
        SPECS: lambda: sum(entry.spec is not None for entry in pool.volumes.specs()),
        COLD: lambda: specs_from_nothing(uri, None),
        INVENTORY: lambda: sum(volume.spec is not None for _, volume in host.inventory().volumes),
        NAMES: lambda: len(pool.volumes.names()),
    }


def growth_table(near: dict[int, Table]) -> Table:
    """What one more volume costs, in pools of several sizes."""
    each = {
        volumes: value / volumes * 1000
        for volumes, table in near.items()
        for row in table.results
        if row.name == SPECS and (value := row.value) is not None
    }
    floor = next(iter(each), 0)
    return Table(
        name="growth",
        title="Growth of pool.volumes.specs()",
        unit="µs a volume",
        about="Linear growth is a constant time for each volume. Small pools are read over one lane.",
        floor=f"{floor:,} volumes",
        results=[
            Result(name=f"{volumes:,} volumes", value=value, ratio=value / each[floor])
            for volumes, value in each.items()
        ],
    )


def far_table(volumes: int, rounds: int, delay: float = DELAY) -> Table:
    """A pool behind a slow link: seconds for all of it."""
    with filled_daemon(volumes) as near, slow_link(near, delay) as uri:
        times = {VIRSH: [_seconds(lambda: virsh(uri, "vol-list", POOL, "--details"))]}
        for lanes in LANES:
            bound = "default lanes" if lanes is None else f"lanes={lanes}"
            cold = as_a_user(lambda lanes=lanes: specs_from_nothing(uri, lanes), volumes)  # type: ignore[misc]
            times[f"{COLD}, {bound}"] = [_seconds(cold) for _ in range(rounds)]
            with connected(uri, lanes=lanes) as host:
                specs = host.pools[POOL].volumes.specs
                warm = as_a_user(lambda specs=specs: len(specs()), volumes)  # type: ignore[misc]
                warm()
                times[f"{SPECS}, {bound}"] = [_seconds(warm) for _ in range(rounds)]
        with connected(uri) as host:
            names = host.pools[POOL].volumes.names
            times[NAMES] = [_seconds(names) for _ in range(rounds)]
    slow = min(times[VIRSH])
    return Table(
        name="far",
        title=f"{volumes:,} volumes, {delay * 2000:g} ms away",
        unit="s",
        about=f"The same over TCP through a relay that holds every piece of data for {delay * 1000:g} ms each way; the least of "
        f"{rounds} runs, virsh once. With `connect()` the time begins before the first connection is opened.",
        floor=VIRSH,
        results=[
            Result(
                name=name,
                value=min(taken),
                ratio=min(taken) / slow,
                note="" if name == VIRSH else f"{slow / min(taken):.1f} × as fast as virsh",
            )
            for name, taken in times.items()
        ],
        picture=True,
    )


@contextmanager
def filled_daemon(volumes: int) -> Iterator[str]:
    """The address of a private daemon with one pool of so many volumes."""
    with private_daemon() as uri, tempfile.TemporaryDirectory() as folder:
        for number in range(volumes):
            Path(folder, f"volume-{number:05}.img").write_bytes(b"\0" * 512)
        with connect(uri) as host:
            host.pools.define(PoolSpec.dir(POOL, folder)).start()
        yield uri


@contextmanager
def bare_loop(uri: str) -> Iterator[Callable[[], int]]:
    """Runs libvirt-python's calls, one after the other, in a process without libstorage."""
    command = [sys.executable, "-c", _BARE_LOOP, uri, POOL]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        asked, answered = process.stdin, process.stdout
        assert asked is not None
        assert answered is not None

        def run() -> int:
            asked.write("\n")
            asked.flush()
            return int(answered.readline())

        yield run


def connected(uri: str, **options: Any) -> Host:
    """A host at the far end.  A revision that refuses plain TCP is told that this address is meant."""
    if "allow" in signature(connect).parameters:
        options["allow"] = {"tcp"}
    return connect(uri, **options)


def specs_from_nothing(uri: str, lanes: int | None) -> int:
    with connected(uri, lanes=lanes) as host:
        return len(host.pools[POOL].volumes.specs())


def virsh(uri: str, *command: str) -> int:
    """How many lines of a table virsh prints."""
    run = subprocess.run(["virsh", "--connect", uri, *command], capture_output=True, text=True, check=True)
    return len(run.stdout.strip().splitlines()) - 2


def as_a_user(way: Callable[[], int], volumes: int) -> Callable[[], None]:
    """It has to find so many volumes, with the garbage collector on."""

    def run() -> None:
        collects = gc.isenabled()
        gc.enable()
        try:
            found = way()
        finally:
            if not collects:
                gc.disable()
        if found != volumes:
            raise AssertionError(f"{found} of {volumes} volumes")

    return run


def _seconds(run: Callable[[], object]) -> float:
    start = perf_counter()
    run()
    return perf_counter() - start


if __name__ == "__main__":
    main()
