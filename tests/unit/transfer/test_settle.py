"""The refresh after an upload, on a channel without a daemon: what is retried, and what an error says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from time import monotonic, sleep
from typing import Any, cast

import pytest

from libstorage import PoolBusyError, StorageError, StorageIOError
from libstorage.connection.identity import PoolId
from libstorage.operations import POOL_IS_ACTIVE, POOL_REFRESH, Operation
from libstorage.session.channel import Channel
from libstorage.session.guards import Change, Guards
from libstorage.session.turns import MOMENT, Turns
from libstorage.transfer import settle
from libstorage.transfer.settle import let_pool_see

POOL = PoolId("test:///", "images", "0" * 36)


class FakeSession:
    def __init__(self) -> None:
        self.turns = Turns()


class FakeChannel:
    """A channel whose refreshes go as they are told to; the pool is found stopped."""

    uri = "test:///"

    def __init__(self, answers: Iterator[StorageError | None]) -> None:
        self.calls: list[Operation] = []
        self.asked: list[Change] = []
        self._answers, self._session = answers, FakeSession()
        self._guards = Guards()
        self._guards.add(self.asked.append)

    def session(self) -> FakeSession:
        return self._session

    def guards(self, operation: Operation, target: object) -> Guards:
        return self._guards

    def call(self, operation: Operation, target: object, body: Callable[[Any], Any]) -> object:
        self.calls.append(operation)
        if operation is POOL_IS_ACTIVE:
            return 0, 1
        error = next(self._answers)
        if error is not None:
            raise error
        return None


def see(*answers: StorageError | None) -> FakeChannel:
    channel = FakeChannel(iter(answers))
    let_pool_see(cast(Channel, channel), POOL)
    return channel


def test_a_busy_pool_is_asked_again() -> None:
    channel = see(PoolBusyError("busy"), PoolBusyError("busy"), None)
    assert channel.calls == [POOL_REFRESH] * 3
    assert {change.operation for change in channel.asked} == {POOL_REFRESH}


def test_a_pool_that_is_busy_for_longer_than_a_moment_is_asked_again() -> None:
    began, longer = monotonic(), 3 * MOMENT

    def answers() -> Iterator[StorageError | None]:
        while monotonic() < began + longer:
            yield PoolBusyError("busy")
        yield None

    let_pool_see(cast(Channel, FakeChannel(answers())), POOL)
    assert monotonic() >= began + longer


def test_another_error_is_not_retried_and_says_what_has_arrived() -> None:
    channel = FakeChannel(iter([StorageIOError("no such directory"), None]))
    with pytest.raises(StorageIOError) as failed:
        let_pool_see(cast(Channel, channel), POOL)
    assert channel.calls == [POOL_REFRESH, POOL_IS_ACTIVE]
    assert failed.value.outcome == "done"
    first, second, third = (failed.value.hint or "").splitlines()
    assert first == "Pool 'images' is defined and not started."
    assert "stops a pool when a refresh fails" in second
    assert "All data has arrived" in third


def test_patience_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settle, "PATIENCE", 0.0)
    with pytest.raises(PoolBusyError) as failed:
        see(*[PoolBusyError("busy")] * 1000)
    assert failed.value.outcome == "done"


def test_a_refresh_counts_from_its_beginning() -> None:
    """It may have seen nothing of what arrived while it ran."""
    while_it_ran: list[float] = []

    class Slow(FakeChannel):
        def call(self, operation: Operation, target: object, body: Callable[[Any], Any]) -> object:
            while_it_ran.append(monotonic())
            sleep(0.05)  # the clock may be a coarse one
            return super().call(operation, target, body)

    channel, began = Slow(iter([None, None])), monotonic()
    turn = channel.session().turns.of(POOL)
    let_pool_see(cast(Channel, channel), POOL)
    assert not turn.has_seen(while_it_ran[0])
    assert turn.has_seen(began - 1)
    turn.saw(began)
    let_pool_see(cast(Channel, channel), POOL)
    assert channel.calls == [POOL_REFRESH] * 2


def test_a_refresh_that_others_made_meanwhile_is_enough() -> None:
    channel = FakeChannel(iter([]))
    turn = channel.session().turns.of(POOL)
    turn.saw(float("inf"))
    let_pool_see(cast(Channel, channel), POOL)
    assert channel.calls == []
