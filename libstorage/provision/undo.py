"""Deletes a new volume of which a later step failed."""

from __future__ import annotations

from libstorage.connection.identity import VolumeId
from libstorage.errors import StorageError
from libstorage.operations import VOLUME_DELETE, Operation
from libstorage.session.calls import change_volume
from libstorage.session.channel import Channel


def take_back(channel: Channel, volume: VolumeId, reason: BaseException, operation: Operation) -> None:
    """Delete the incomplete volume, and record the outcome in the error.

    Args:
        channel: The host.
        volume: The incomplete volume.
        reason: The error that left it incomplete; the caller raises it again.
        operation: The operation that failed, for an error that does not state one.
    """
    problem: BaseException | None = None
    try:
        change_volume(channel, VOLUME_DELETE, volume, lambda raw: raw.delete(0))
    except BaseException as failure:  # noqa: BLE001 -- the first error is the one to report
        problem = failure
    told = (
        f"{volume} was deleted again."
        if problem is None
        else f"{volume} is incomplete and could not be deleted: delete it. ({problem})"
    )
    if not isinstance(reason, StorageError):
        reason.add_note(told)
        return
    reason.operation, reason.uri = reason.operation or operation.name, volume.uri
    reason.target = str(volume)
    reason.add_hint(told)
    reason.outcome = "not_started" if problem is None else "unknown"
    if problem is not None or reason.retry == "after_reconcile":
        reason.retry = "backoff" if problem is None else "after_reconcile"
