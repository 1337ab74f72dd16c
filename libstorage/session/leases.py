"""In-process leases on volume contents.

libvirt does not track open streams, so without a lease two concurrent uploads into one volume would both report success.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import attrs

from libstorage.connection import process
from libstorage.connection.identity import VolumeId
from libstorage.errors import VolumeBusyError
from libstorage.operations import Operation


@attrs.frozen(eq=False)
class _Lease:
    volume: VolumeId
    changes: bool
    told: str


class Leases:
    """The volumes whose contents this process is reading or changing."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: dict[_Lease, None] = {}

    @contextmanager
    def changing(self, volume: VolumeId, operation: Operation) -> Iterator[None]:
        """Hold an exclusive lease on the volume's contents.

        Raises:
            VolumeBusyError: If another operation in this process already holds a lease on the volume.
        """
        lease = _Lease(volume, True, f"in the middle of {operation.name}")
        try:
            self._take(lease, operation)
            yield
        finally:
            self._held.pop(lease, None)  # one step: Ctrl-C cannot interrupt it

    @contextmanager
    def reading(self, volume: VolumeId, operation: Operation) -> Iterator[None]:
        """Hold a shared lease on the volume's contents, which excludes changes.

        Raises:
            VolumeBusyError: If another operation in this process is changing the volume.
        """
        lease = _Lease(volume, False, "being read")
        try:
            self._take(lease, operation)
            yield
        finally:
            self._held.pop(lease, None)

    def _take(self, lease: _Lease, operation: Operation) -> None:
        with self._lock:
            for held in list(self._held):
                if held.volume == lease.volume and (held.changes or lease.changes):
                    raise _busy(lease.volume, operation, held.told)
            self._held[lease] = None


def leases() -> Leases:
    """Return the leases of this process."""
    return process.current().shared("leases", Leases)


def _busy(volume: VolumeId, operation: Operation, why: str) -> VolumeBusyError:
    return VolumeBusyError(
        f"{volume} is {why} in this process",
        hint="Wait until that operation ends.",
        operation=operation.name,
        target=str(volume),
        uri=volume.uri,
        outcome="not_started",
        retry="backoff",
    )
