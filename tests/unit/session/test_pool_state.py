"""What an error says of the pool that a failed step has left, on a channel that answers as it is told to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import pytest

from libstorage.connection.identity import PoolId
from libstorage.errors import (
    ConnectionFailedError,
    ConnectionLostError,
    DeadlineError,
    Outcome,
    PoolInactiveError,
    PoolNotFoundError,
    Retry,
    StorageError,
    StorageIOError,
)
from libstorage.operations import POOL_IS_ACTIVE, POOL_REFRESH, POOL_START, Operation
from libstorage.session.channel import Channel
from libstorage.session.pool_state import add_state

POOL = PoolId("test:///", "images", "0" * 36)


class Answering:
    """A channel on which the pool is (active, persistent), or cannot be asked for."""

    def __init__(self, answer: tuple[int, int] | StorageError) -> None:
        self.answer = answer
        self.calls: list[Operation] = []

    def call(self, operation: Operation, target: object, body: Callable[[Any], Any]) -> object:
        self.calls.append(operation)
        if isinstance(self.answer, StorageError):
            raise self.answer
        return self.answer


def told(
    answer: tuple[int, int] | StorageError, error: StorageError, operation: Operation = POOL_REFRESH
) -> list[str]:
    """The lines of the hint."""
    add_state(cast(Channel, Answering(answer)), operation, POOL, error)
    return (error.hint or "").splitlines()


def failed() -> StorageError:
    return StorageIOError("no", outcome="not_started", retry="backoff")


@pytest.mark.parametrize(
    ("answer", "state", "advice", "outcome", "retry"),
    [
        ((1, 1), "Pool 'images' is defined and running.", None, "not_started", "backoff"),
        ((1, 0), "Pool 'images' is transient and running.", None, "not_started", "backoff"),
        ((0, 1), "Pool 'images' is defined and not started.", "fix the cause", "unknown", "no"),
        (PoolNotFoundError("gone"), "Pool 'images' is gone.", "create it again", "unknown", "no"),
    ],
)
def test_after_a_refresh(
    answer: tuple[int, int] | StorageError, state: str, advice: str | None, outcome: Outcome, retry: Retry
) -> None:
    lines = told(answer, error := failed())
    assert lines[0] == state
    assert len(lines) == (1 if advice is None else 2)
    assert advice is None or advice in lines[1]
    assert (error.outcome, error.retry) == (outcome, retry)


def test_another_step_does_not_stop_a_pool() -> None:
    lines = told((0, 1), error := failed(), POOL_START)
    assert lines == ["Pool 'images' is defined and not started."]
    assert (error.outcome, error.retry) == ("not_started", "backoff")


@pytest.mark.parametrize("kind", [PoolInactiveError, PoolNotFoundError])
def test_one_that_was_stopped_before(kind: type[StorageError]) -> None:
    lines = told((0, 1), error := kind("no", outcome="not_started", retry="no"))
    assert lines == ["Pool 'images' is defined and not started."]
    assert error.outcome == "not_started"


@pytest.mark.parametrize("kind", [ConnectionFailedError, ConnectionLostError, DeadlineError])
def test_a_host_that_does_not_answer_is_not_asked_again(kind: type[StorageError]) -> None:
    channel, error = Answering((1, 1)), kind("no")
    add_state(cast(Channel, channel), POOL_REFRESH, POOL, error)
    assert channel.calls == []
    assert error.hint is None


def test_a_state_that_cannot_be_read_is_not_told() -> None:
    channel, error = Answering(ConnectionLostError("lost")), failed()
    add_state(cast(Channel, channel), POOL_REFRESH, POOL, error)
    assert channel.calls == [POOL_IS_ACTIVE]
    assert (error.hint, error.outcome, error.retry) == (None, "not_started", "backoff")
