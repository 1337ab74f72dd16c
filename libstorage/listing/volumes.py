"""Reading the documents of many volumes at once."""

from __future__ import annotations

from functools import partial
from typing import Final, TypeVar

from libstorage.connection.binding import answer
from libstorage.connection.failures.translate import fields, map_error
from libstorage.connection.identity import Identity, PoolId, VolumeId
from libstorage.connection.lane import Lane
from libstorage.connection.raw import RawVolume
from libstorage.connection.resolve import is_utf8, raw_volume
from libstorage.errors import DocumentError, ErrorFields, Problem, StorageError
from libstorage.listing.crew import Crew, Worker
from libstorage.models.entries import VolumeEntry
from libstorage.models.listing import Listing
from libstorage.models.volume import VolumeSpec
from libstorage.operations import VOLUME_XML, VOLUMES_LIST, Operation
from libstorage.session.channel import Channel
from libstorage.xml.document import Document
from libstorage.xml.wording import unexpected

S = TypeVar("S", bound=Document)

_LOCAL_SLICE: Final = 16
_REMOTE_SLICE: Final = 2
"""Number of volumes that a lane reads at a time. Small slices let all lanes finish together; each costs about 10 µs."""


class VolumeReading:
    """Reads the volumes of one pool."""

    def __init__(self, crew: Crew, channel: Channel, pool: PoolId) -> None:
        self._crew = crew
        self._pool = pool
        self._slice = _LOCAL_SLICE if channel.session().connection.local else _REMOTE_SLICE
        self._names: list[str] = []
        self._entries: list[VolumeEntry | None] = []

    def begin(self, worker: Worker) -> None:
        """List the volumes, read the first slice, and queue the rest for the next free lane."""
        self._names = list(worker.volumes(self._pool))
        self._entries = [None] * len(self._names)
        self._crew.add(
            partial(self._read, start) for start in range(self._slice, len(self._names), self._slice)
        )
        self._read(0, worker)

    def entries(self) -> tuple[VolumeEntry, ...]:
        """Return the entries that were read."""
        return tuple(entry for entry in self._entries if entry is not None)

    def _read(self, start: int, worker: Worker) -> None:
        """Fetch all documents of the slice, then parse them: alternating would be slower, because of cold caches."""
        pool, lane, known = self._pool, worker.lane, worker.volumes(self._pool)
        names = self._names[start : start + self._slice]
        documents = [_document(lane, pool, name, known.get(name)) for name in names]
        self._entries[start : start + self._slice] = map(partial(_entry, pool), names, documents)


def read_volumes(channel: Channel, pool: PoolId) -> Listing:
    """Read the documents of all volumes of a pool. See [Volumes.specs][libstorage.Volumes.specs]."""
    crew = Crew(channel, VOLUMES_LIST, pool)
    reading = VolumeReading(crew, channel, pool)
    crew.run(reading.begin)
    return Listing(reading.entries(), uri=pool.uri, pool=pool.name, pool_uuid=pool.uuid)


def error_of(error: Exception, operation: Operation, target: Identity, lane: Lane) -> StorageError:
    """Return a failure as the error of one object; raise it instead if the lane has failed."""
    if isinstance(error, StorageError):
        return error
    if answer(error) is None:
        return _unreadable(error, operation, target)
    if not lane.is_alive():
        raise error
    return map_error(error, operation, target, lane, target.uri)


def _unreadable(error: Exception, operation: Operation, target: Identity) -> DocumentError:
    """Return the error for a document that the binding could not decode, or that we failed on: the listing goes on."""
    about = fields(operation, target, target.uri)
    if isinstance(error, UnicodeDecodeError):  # its text would quote the document
        byte = f"byte {error.object[error.start]:#04x}"
        return DocumentError([Problem("/", f"the document is not UTF-8: {byte} is out of place")], **about)
    found = unexpected(error, "read")
    return DocumentError(found.problems, **(about | ErrorFields(hint=found.hint)))


def _document(lane: Lane, pool: PoolId, name: str, raw: RawVolume | None) -> str | StorageError:
    try:
        return (raw or raw_volume(lane, VolumeId(pool, name))).XMLDesc(0)
    except Exception as failure:  # noqa: BLE001 -- a failure of the lane is raised again
        if isinstance(failure, UnicodeDecodeError) and not is_utf8(name):
            problem = Problem("/volume/name", "is not UTF-8", found=ascii(name))
            return DocumentError([problem], **fields(VOLUME_XML, VolumeId(pool, name), pool.uri))
        return error_of(failure, VOLUME_XML, VolumeId(pool, name), lane)
    finally:
        lane.renew()


def _entry(pool: PoolId, name: str, document: str | StorageError) -> VolumeEntry:
    if isinstance(document, StorageError):
        return VolumeEntry(name=name, error=document)
    found = read(VolumeSpec, document, VOLUME_XML, VolumeId(pool, name))
    if isinstance(found, StorageError):
        return VolumeEntry(name=name, error=found)
    return VolumeEntry(name=name, spec=found)


def read(model: type[S], document: str, operation: Operation, target: Identity) -> S | DocumentError:
    """Parse a document; if it is not readable, return its error."""
    try:
        return model.from_libvirt(document)
    except DocumentError as error:
        about = fields(operation, target, target.uri)
        return DocumentError(error.problems, **(about | ErrorFields(hint=error.hint)))
    except Exception as error:  # noqa: BLE001 -- our own bug must not lose the listing
        return _unreadable(error, operation, target)
