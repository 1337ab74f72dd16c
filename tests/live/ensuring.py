"""Many processes ensure one pool at once, which another client left in some state.

    python -m tests.live.ensuring URI FOLDER ROUNDS PROCESSES

tells what went wrong.
"""

from __future__ import annotations

import random
import shutil
import sys
from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.connection import Connection as Pipe
from pathlib import Path

from libstorage import Host, Pool, PoolSpec, StorageError, connect

STATES: dict[str, Callable[[Host, PoolSpec], object]] = {
    "nothing": lambda host, spec: None,
    "defined": lambda host, spec: host.pools.define(spec),
    "built": lambda host, spec: host.pools.define(spec).build(),
    "started": lambda host, spec: host.pools.define(spec).build().start(),
    "stopped": lambda host, spec: host.pools.define(spec).build().start().stop(),
    "transient": lambda host, spec: host.pools.create_transient(spec, build=True),
    "directory": lambda host, spec: folder_of(spec).mkdir(),
}


def folder_of(spec: PoolSpec) -> Path:
    assert spec.target is not None
    return Path(str(spec.target.path))


def work(uri: str, pipe: Pipe) -> None:
    """Ensure each pool that comes; tell its uuid, or what went wrong."""
    with connect(uri, timeout=60) as host:
        while (spec := pipe.recv()) is not None:
            try:
                pool: Pool = host.pools.ensure(spec)
                pipe.send(pool.uuid if pool.is_active() else "it does not run")
            except StorageError as error:
                pipe.send(f"{type(error).__name__}: {error}")


def main(uri: str, folder: Path, rounds: int, processes: int) -> None:
    """Play the rounds."""
    spawn, chance = get_context("spawn"), random.Random(5)
    pipes = [spawn.Pipe() for _ in range(processes)]
    workers = [spawn.Process(target=work, args=(uri, theirs)) for _, theirs in pipes]
    for worker in workers:
        worker.start()
    with connect(uri) as host:
        for number in range(rounds):
            spec = PoolSpec.dir(f"ensured-{number}", str(folder / f"ensured-{number}"))
            state = (
                list(STATES)[number % len(STATES)] if number < len(STATES) else chance.choice(list(STATES))
            )
            STATES[state](host, spec)
            for ours, _ in pipes:
                ours.send(spec)
            answers = {ours.recv() for ours, _ in pipes}
            pool = host.pools.get(spec.name)
            if pool is None or answers != {pool.uuid} or not pool.is_active() or not pool.is_persistent():
                sys.stdout.write(f"round {number}, from {state}: {answers}\n")
            if pool is not None:
                pool.stop().undefine()
            shutil.rmtree(folder_of(spec))
    for ours, _ in pipes:
        ours.send(None)
    for worker in workers:
        worker.join()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
