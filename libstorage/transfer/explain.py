"""What an error says of a transfer that broke off."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from libstorage.connection.identity import VolumeId
from libstorage.errors import StorageError
from libstorage.operations import VOLUME_UPLOAD, Operation

if TYPE_CHECKING:
    pass


@contextmanager
def explained(
    operation: Operation, volume: VolumeId, state: Callable[[], tuple[str, bool]]
) -> Iterator[None]:
    """Say in an error what state things are in; one of the caller's own keeps its class and gets a note."""
    try:
        yield
    except BaseException as error:
        told, begun = state()
        if not isinstance(error, StorageError):
            error.add_note(f"{operation} on {volume} broke off. {told}".rstrip())
            raise
        if error.target in (None, str(volume)):  # and not about the source
            error.operation, error.target, error.uri = operation.name, str(volume), volume.uri
        error.hint = "\n".join(filter(None, (error.hint, told)))
        if begun:
            error.outcome, error.retry = "unknown", "after_reconcile"
        elif operation is VOLUME_UPLOAD:
            error.outcome = "not_started"
        raise
