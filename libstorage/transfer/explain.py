"""The error of a transfer that broke off."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from libstorage.connection.identity import VolumeId
from libstorage.errors import StorageError
from libstorage.operations import VOLUME_UPLOAD, Operation


@contextmanager
def explained(
    operation: Operation, volume: VolumeId, state: Callable[[], tuple[str, bool]]
) -> Iterator[None]:
    """Add the resulting state to any error raised in the block.

    A ``StorageError`` gets hint, outcome and retry; any other exception keeps its type and gets a note.
    """
    try:
        yield
    except BaseException as error:
        told, begun = state()
        if not isinstance(error, StorageError):
            error.add_note(f"{operation} on {volume} broke off. {told}".rstrip())
            raise
        if error.target in (None, str(volume)):  # an error of the volume, and not of the source
            error.operation, error.target, error.uri = operation.name, str(volume), volume.uri
        error.add_hint(told)
        if begun:
            error.outcome, error.retry = "unknown", "after_reconcile"
        elif operation is VOLUME_UPLOAD:
            error.outcome = "not_started"
        raise
