"""A new volume of which a later step failed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from libstorage.errors import StorageError
from libstorage.operations import Operation

if TYPE_CHECKING:
    from libstorage.client.volume import Volume


def take_back(volume: Volume, reason: BaseException, operation: Operation) -> None:
    """Delete what is incomplete, and say so in the error.

    Args:
        volume: What was made.
        reason: Why it is not complete; the caller raises it again.
        operation: What was to be done, where the error does not say that.
    """
    problem: BaseException | None = None
    try:
        volume.delete()
    except BaseException as failure:  # noqa: BLE001 -- the first error is the one to tell
        problem = failure
    told = (
        f"{volume._id} was deleted again."
        if problem is None
        else f"{volume._id} is there and incomplete, for it could not be deleted: delete it. ({problem})"
    )
    if not isinstance(reason, StorageError):
        reason.add_note(told)
        return
    reason.operation, reason.uri = reason.operation or operation.name, volume.host.uri
    reason.target = str(volume._id)
    reason.hint = "\n".join(filter(None, (reason.hint, told)))
    reason.outcome = "not_started" if problem is None else "unknown"
    if problem is not None or reason.retry == "after_reconcile":
        reason.retry = "backoff" if problem is None else "after_reconcile"
