"""Who is at a volume's bytes: libvirt does not count its streams, so two transfers into one volume would both end well."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from libstorage.connection import process
from libstorage.connection.target import VolumeId
from libstorage.errors import VolumeBusyError
from libstorage.operations import Operation


class Leases:
    """The volumes of this process whose bytes are being read, or changed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._reading: Counter[VolumeId] = Counter()
        self._changing: dict[VolumeId, str] = {}

    @contextmanager
    def changing(self, volume: VolumeId, operation: Operation) -> Iterator[None]:
        """Nobody else of this process is at the volume's bytes meanwhile.

        Raises:
            VolumeBusyError: Somebody is already.
        """
        with self._lock:
            if volume in self._changing or self._reading[volume]:
                raise _busy(volume, operation, self._changing.get(volume, "being read"))
            self._changing[volume] = f"in the middle of {operation.name}"
        try:
            yield
        finally:
            with self._lock:
                del self._changing[volume]

    @contextmanager
    def reading(self, volume: VolumeId, operation: Operation) -> Iterator[None]:
        """Nobody of this process changes the volume's bytes meanwhile.

        Raises:
            VolumeBusyError: Somebody does already.
        """
        with self._lock:
            if volume in self._changing:
                raise _busy(volume, operation, self._changing[volume])
            self._reading[volume] += 1
        try:
            yield
        finally:
            with self._lock:
                self._reading[volume] -= 1
                self._reading += Counter()  # drops zeros


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
