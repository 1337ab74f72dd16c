"""Faults in what users hold: handles, collections, and the file system of fsspec."""

from __future__ import annotations

from typing import Final

from tests.mutants.fault import Fault

FAULTS: Final[tuple[Fault, ...]] = (
    Fault(
        "durable-is-not-passed-on",
        "client/volume.py",
        "durable=durable, sparse=sparse",
        "durable=False, sparse=sparse",
        "tests/live/test_transfer.py::TestTheLocalFile::test_one_that_must_outlast_a_crash_is_synced_before_it_has_its_name",
        "durable=True does nothing",
    ),
    Fault(
        "always-durable",
        "client/volume.py",
        "durable=durable, sparse=sparse",
        "durable=True, sparse=sparse",
        "tests/live/test_transfer.py::TestTheLocalFile::test_one_that_must_outlast_a_crash_is_synced_before_it_has_its_name",
        "every download waits for the disk",
    ),
    Fault(
        "ensure-compares-what-runs",
        "client/pools.py",
        "pool.spec(inactive=True).differences(spec)",
        "pool.spec().differences(spec)",
        "tests/live/test_pools.py::TestEnsure",
        "ensure() accepts a pool that is another after the next start",
    ),
    Fault(
        "ensure-defines-persistent",
        "client/pools.py",
        "        if not pool.is_persistent():\n",
        "        if pool.is_persistent():\n",
        "tests/live/test_pools.py::TestEnsure",
        "ensure() leaves a transient pool transient",
    ),
    Fault(
        "ensure-forgets-uuid",
        "client/pools.py",
        "pool = self.define(attrs.evolve(spec, uuid=pool.uuid))",
        "pool = self.define(spec)",
        "tests/live/test_pools.py::TestEnsure",
        "ensure() fails for a transient pool",
    ),
    Fault(
        "ensure-does-not-start",
        "client/pools.py",
        "return pool if pool.is_active() else pool.start()",
        "return pool",
        "tests/live/test_pools.py::TestEnsure",
        "ensure() returns a pool that does not run",
    ),
)
