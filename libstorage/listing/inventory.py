"""The inventory of a host, in as few calls as libvirt allows: four, one or two per pool, one per volume."""

from __future__ import annotations

from functools import partial

from libstorage.connection.binding import answer
from libstorage.connection.identity import HostId, PoolId
from libstorage.connection.lane import Lane
from libstorage.connection.resolve import list_pools
from libstorage.enums import ListPoolsFlags, XmlFlags
from libstorage.errors import StorageError
from libstorage.listing.crew import Crew, Worker
from libstorage.listing.volumes import VolumeReading, error_of, read
from libstorage.models.inventory import Inventory, PoolEntry
from libstorage.models.pool import PoolSpec
from libstorage.operations import POOL_XML, POOLS_LIST, VOLUMES_LIST
from libstorage.session.channel import Channel


def take_inventory(channel: Channel, *, inactive: bool = False) -> Inventory:
    """All pools and volumes of a channel. See [Host.inventory][libstorage.Host.inventory]."""
    crew = Crew(channel, POOLS_LIST, HostId(channel.uri))
    pools: list[_PoolReading] = []

    def begin(worker: Worker) -> None:
        """List the pools by state: one call per state, instead of one per pool."""
        everything = _listed(worker.lane, channel.uri, ListPoolsFlags(0))
        active = _listed(worker.lane, channel.uri, ListPoolsFlags.ACTIVE)
        persistent = _listed(worker.lane, channel.uri, ListPoolsFlags.PERSISTENT)
        autostart = _listed(worker.lane, channel.uri, ListPoolsFlags.AUTOSTART)
        pools[:] = [
            _PoolReading(
                crew,
                channel,
                pool,
                active=pool in active,
                persistent=pool in persistent,
                autostart=pool in autostart,
                inactive=inactive and pool in active and pool in persistent,
            )
            for pool in everything
        ]
        crew.add(pool.read for pool in pools)

    crew.run(begin)
    return Inventory(uri=channel.uri, pools=tuple(pool.entry() for pool in pools))


def _listed(lane: Lane, uri: str, flags: ListPoolsFlags) -> dict[PoolId, None]:
    return dict.fromkeys(list_pools(lane, uri, flags))


class _PoolReading:
    """Reads one pool."""

    def __init__(
        self,
        crew: Crew,
        channel: Channel,
        pool: PoolId,
        *,
        active: bool,
        persistent: bool,
        autostart: bool,
        inactive: bool,
    ) -> None:
        self._pool = pool
        self._active = active
        self._inactive = inactive
        self._entry = partial(
            PoolEntry,
            name=pool.name,
            uuid=pool.uuid,
            active=active,
            persistent=persistent,
            autostart=autostart,
        )
        self._volumes = VolumeReading(crew, channel, pool)
        self._spec: PoolSpec | None = None
        self._inactive_spec: PoolSpec | None = None
        self._error: StorageError | None = None

    def read(self, worker: Worker) -> None:
        """Read the documents of the pool and of its volumes."""
        operation = POOL_XML
        try:
            self._spec = self._document(worker.lane, XmlFlags(0))
            if self._inactive:
                self._inactive_spec = self._document(worker.lane, XmlFlags.INACTIVE)
            if self._active:
                operation = VOLUMES_LIST
                self._volumes.begin(worker)
        except Exception as failure:  # noqa: BLE001 -- a failure of the lane is raised again
            self._error = error_of(failure, operation, self._pool, worker.lane)

    def _document(self, lane: Lane, flags: XmlFlags) -> PoolSpec | None:
        """Return what a document of the pool says; if it cannot be read, the volumes are read nevertheless."""
        found: PoolSpec | StorageError
        try:
            found = read(PoolSpec, lane.pool(self._pool).XMLDesc(flags), POOL_XML, self._pool)
        except Exception as failure:
            if answer(failure) is not None:
                raise
            found = error_of(failure, POOL_XML, self._pool, lane)
        lane.renew()
        if isinstance(found, StorageError):
            self._error = found
            return None
        return found

    def entry(self) -> PoolEntry:
        """Return what was read."""
        return self._entry(
            spec=self._spec,
            inactive_spec=self._inactive_spec,
            error=self._error,
            volumes=self._volumes.entries(),
        )
