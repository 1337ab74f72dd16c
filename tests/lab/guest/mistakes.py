"""What users get wrong, as functions that the lab calls with a host."""

from __future__ import annotations

from libstorage import Host, PoolSpec, VolumeSpec
from tests.lab.case import Mistake


def build(spec: PoolSpec, overwrite: bool | None = None) -> Mistake:
    """Build a pool of this spec."""
    return lambda host: host.pools.define(spec).build(overwrite)


def start(spec: PoolSpec) -> Mistake:
    """Build a pool of this spec, which may have no effect, and start it."""
    return lambda host: host.pools.define(spec).build().start()


def start_unbuilt(spec: PoolSpec) -> Mistake:
    """Start a pool of this spec."""
    return lambda host: host.pools.define(spec).start()


def define(*specs: PoolSpec) -> Mistake:
    """Define pools of these specs, one after the other."""

    def make(host: Host) -> None:
        for spec in specs:
            host.pools.define(spec)

    return make


def create(pool: PoolSpec, *volumes: VolumeSpec, overwrite: bool | None = True) -> Mistake:
    """Create these volumes, one after the other, in a newly built pool."""

    def make(host: Host) -> None:
        running = host.pools.define(pool).build(overwrite).start()
        for spec in volumes:
            running.volumes.create(spec)

    return make
