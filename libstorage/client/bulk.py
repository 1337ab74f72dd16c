"""Reading the documents of many volumes at once."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from libstorage.client.crew import Crew, Worker
from libstorage.client.raw import raw_volume
from libstorage.connection.failure import fields, map_error
from libstorage.connection.lane import Lane
from libstorage.connection.libvirt import answer
from libstorage.connection.raw import RawVolume
from libstorage.connection.target import PoolId, Target, VolumeId
from libstorage.errors import DocumentError, Problem, StorageError
from libstorage.models.inventory import VolumeEntry
from libstorage.models.volume import VolumeSpec
from libstorage.operations import VOLUME_XML, VOLUMES_LIST, Operation

if TYPE_CHECKING:
    from libstorage.client.host import Host

_LOCAL_SLICE: Final = 16
_REMOTE_SLICE: Final = 2
"""How many volumes a lane reads at a time. Small slices let all lanes finish together; each costs some 10 microseconds."""


class VolumeReading:
    """The volumes of one pool, while they are being read."""

    def __init__(self, crew: Crew, host: Host, pool: PoolId) -> None:
        self._crew = crew
        self._pool = pool
        self._slice = _LOCAL_SLICE if host._connected().connection.local else _REMOTE_SLICE
        self._names: list[str] = []
        self._entries: list[VolumeEntry | None] = []

    def begin(self, worker: Worker) -> None:
        """List them, read the first, and leave the rest to whoever is free."""
        self._names = list(worker.volumes(self._pool))
        self._entries = [None] * len(self._names)
        self._crew.add(
            partial(self._read, start) for start in range(self._slice, len(self._names), self._slice)
        )
        self._read(0, worker)

    def entries(self) -> tuple[VolumeEntry, ...]:
        """What was read."""
        return tuple(entry for entry in self._entries if entry is not None)

    def _read(self, start: int, worker: Worker) -> None:
        """Get the documents, then read them: taking turns would be slower, for each begins with cold caches then."""
        pool, lane, known = self._pool, worker.lane, worker.volumes(self._pool)
        names = self._names[start : start + self._slice]
        documents = [_document(lane, pool, name, known.get(name)) for name in names]
        self._entries[start : start + self._slice] = map(_entry, names, documents)


def read_volumes(host: Host, pool: PoolId) -> tuple[VolumeEntry, ...]:
    """The documents of all volumes of a pool. See [Volumes.specs][libstorage.Volumes.specs]."""
    crew = Crew(host, VOLUMES_LIST, pool)
    reading = VolumeReading(crew, host, pool)
    crew.run(reading.begin)
    return reading.entries()


def error_of(error: Exception, operation: Operation, target: Target, lane: Lane) -> StorageError:
    """What one thing's failure is as that thing's error; a failure of the lane is raised instead."""
    if isinstance(error, StorageError):
        return error
    if answer(error) is None or not lane.is_alive():
        raise error
    return map_error(error, operation, target, lane, target.uri)


def _document(lane: Lane, pool: PoolId, name: str, raw: RawVolume | None) -> str | StorageError:
    try:
        return (raw or raw_volume(lane, VolumeId(pool, name))).XMLDesc(0)
    except UnicodeDecodeError:
        problem = Problem("/volume/name", "is not UTF-8", found=ascii(name))
        return DocumentError([problem], **fields(VOLUME_XML, VolumeId(pool, name), pool.uri))
    except Exception as failure:  # noqa: BLE001 -- what is not this volume's is raised again
        return error_of(failure, VOLUME_XML, VolumeId(pool, name), lane)
    finally:
        lane.renew()


def _entry(name: str, document: str | StorageError) -> VolumeEntry:
    if isinstance(document, StorageError):
        return VolumeEntry(name=name, error=document)
    try:
        return VolumeEntry(name=name, spec=VolumeSpec.from_xml(document))
    except DocumentError as error:
        return VolumeEntry(name=name, error=error)
