"""How long ``pool.volumes.specs()`` takes, against a bare loop of libvirt-python's calls, in turns in one process.

Run it with ``python benchmarks/listing.py [--volumes 1000] [--rounds 15]``. It starts a daemon of its own.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

import libvirt

from libstorage import Pool, PoolSpec, connect
from libstorage.testing import private_daemon


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--volumes", type=int, default=1000)
    options.add_argument("--rounds", type=int, default=15)
    given = options.parse_args()
    with private_daemon() as uri, tempfile.TemporaryDirectory() as folder, connect(uri) as host:
        for number in range(given.volumes):
            Path(folder, f"volume-{number:05}.img").write_bytes(b"\0" * 512)
        pool = host.pools.define(PoolSpec.dir("listing", folder)).start()
        compare(pool, uri, given.volumes, given.rounds)


def compare(pool: Pool, uri: str, volumes: int, rounds: int) -> None:
    raw = libvirt.open(uri).storagePoolLookupByName(pool.name)
    ways: dict[str, Callable[[], int]] = {
        "bare loop: listAllVolumes, then XMLDesc of each": lambda: len(
            [v.XMLDesc(0) for v in raw.listAllVolumes(0)]
        ),
        "pool.volumes.specs()": lambda: len([e.spec for e in pool.volumes.specs() if e.spec is not None]),
        "host.inventory()": lambda: len(pool.host.inventory().pools[0].volumes),
    }
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds + 1):
        for name, way in ways.items():
            start = perf_counter()
            assert way() == volumes
            times[name].append(perf_counter() - start)
    bare = times[next(iter(ways))]
    for name, taken in times.items():
        ratios = [one / other for one, other in zip(taken[1:], bare[1:], strict=True)]
        print(
            f"{name:50} best {min(taken[1:]) * 1000:7.1f} ms, median {statistics.median(taken[1:]) * 1000:7.1f} ms; "
            f"ratio of the best {min(taken[1:]) / min(bare[1:]):.2f}, median ratio {statistics.median(ratios):.2f}"
        )


if __name__ == "__main__":
    main()
