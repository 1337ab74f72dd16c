"""The error of a transfer that broke off: the state that it leaves, and whether it may be repeated."""

from __future__ import annotations

import pytest

from libstorage.errors import NotFoundError, Outcome, Retry, StorageError, TransferError
from libstorage.operations import VOLUME_DOWNLOAD, VOLUME_UPLOAD, Operation
from libstorage.transfer.explain import explained
from tests.unit.transfer.memory import VOLUME


def broken(operation: Operation, error: BaseException, *, begun: bool) -> None:
    with pytest.raises(type(error)), explained(operation, VOLUME, lambda: ("The state.", begun)):
        raise error


@pytest.mark.parametrize(
    ("operation", "begun", "outcome", "retry"),
    [
        (VOLUME_UPLOAD, True, "unknown", "after_reconcile"),
        (VOLUME_UPLOAD, False, "not_started", "backoff"),
        (VOLUME_DOWNLOAD, False, "done", "backoff"),
    ],
)
def test_outcome_and_retry(operation: Operation, begun: bool, outcome: Outcome, retry: Retry) -> None:
    error = TransferError("broke", outcome="done", retry="backoff", hint="A hint.")
    broken(operation, error, begun=begun)
    assert (error.outcome, error.retry, error.hint) == (outcome, retry, "A hint.\nThe state.")
    assert (error.operation, error.target, error.uri) == (operation.name, str(VOLUME), VOLUME.uri)


def test_an_error_of_the_source_stays_one() -> None:
    error: StorageError = NotFoundError("none", target="volume 'other'", operation="volume.download")
    broken(VOLUME_UPLOAD, error, begun=True)
    assert (error.target, error.operation) == ("volume 'other'", "volume.download")
    assert (error.outcome, error.retry) == ("unknown", "after_reconcile")


@pytest.mark.parametrize("error", [KeyError("mine"), KeyboardInterrupt()])
def test_any_other_error_keeps_its_type_and_gets_a_note(error: BaseException) -> None:
    broken(VOLUME_UPLOAD, error, begun=True)
    assert error.__notes__ == [f"volume.upload on {VOLUME} broke off. The state."]
