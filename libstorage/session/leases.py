"""Who is at a volume's bytes: libvirt does not count its streams, so two transfers into one volume would both end well."""

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
    """The volumes of this process whose bytes are being read, or changed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: dict[_Lease, None] = {}

    @contextmanager
    def changing(self, volume: VolumeId, operation: Operation) -> Iterator[None]:
        """Nobody else of this process is at the volume's bytes meanwhile.

        Raises:
            VolumeBusyError: Somebody is already.
        """
        lease = _Lease(volume, True, f"in the middle of {operation.name}")
        try:
            self._take(lease, operation)
            yield
        finally:
            self._held.pop(lease, None)  # one step, into which Ctrl-C cannot strike

    @contextmanager
    def reading(self, volume: VolumeId, operation: Operation) -> Iterator[None]:
        """Nobody of this process changes the volume's bytes meanwhile.

        Raises:
            VolumeBusyError: Somebody does already.
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
    """Those of this process."""
    return process.current().shared("leases", Leases)


def _busy(volume: VolumeId, operation: Operation, why: str) -> VolumeBusyError:
    return VolumeBusyError(
        f"{volume} is {why} in this process",
        hint="Wait until that is over.",
        operation=operation.name,
        target=str(volume),
        uri=volume.uri,
        outcome="not_started",
        retry="backoff",
    )
