"""Slow calls: how many run at once, and in which order they get their turn."""

from __future__ import annotations

import threading
from time import sleep

import pytest

from libstorage.connection.lane import TimeLimit
from libstorage.connection.limits import SlowCalls
from libstorage.connection.process import NEVER
from libstorage.connection.target import PoolId, VolumeId
from libstorage.operations import POOL_REFRESH, VOLUME_CREATE

POOL, OTHER = (PoolId("test:///default", name, name) for name in ("pool", "other"))
VOLUME = VolumeId(POOL, "volume")


@pytest.fixture
def slow() -> SlowCalls:
    return SlowCalls(2)


def enters(slow: SlowCalls, patience: float = 0.02) -> bool:
    return slow.enter(VOLUME_CREATE, VOLUME, TimeLimit(patience))


def test_no_more_than_so_many_at_once(slow: SlowCalls) -> None:
    assert enters(slow)
    assert enters(slow)
    assert not enters(slow)
    slow.leave(VOLUME_CREATE, VOLUME)
    assert enters(slow)


def test_one_refresh_of_a_pool_at_a_time(slow: SlowCalls) -> None:
    assert slow.enter(POOL_REFRESH, POOL, TimeLimit(1))
    assert not slow.enter(POOL_REFRESH, POOL, TimeLimit(0.02))
    assert slow.enter(POOL_REFRESH, OTHER, TimeLimit(1))
    slow.leave(POOL_REFRESH, POOL)
    assert slow.enter(POOL_REFRESH, POOL, TimeLimit(1))


def test_first_come_first_served(slow: SlowCalls) -> None:
    """Whoever leaves and comes back at once is behind those who waited."""
    assert enters(slow)
    assert enters(slow)
    order: list[int] = []

    def wait(number: int) -> None:
        assert slow.enter(VOLUME_CREATE, VOLUME, TimeLimit(NEVER))
        order.append(number)

    threads = [threading.Thread(target=wait, args=(number,)) for number in range(10)]
    for thread in threads:
        thread.start()
        sleep(0.005)
    for thread in threads:
        slow.leave(VOLUME_CREATE, VOLUME)
        assert not enters(slow, 0)
        thread.join(5)
    assert order == list(range(10))


def test_a_refresh_that_waits_holds_up_nobody_else(slow: SlowCalls) -> None:
    assert slow.enter(POOL_REFRESH, POOL, TimeLimit(1))
    waiting = threading.Thread(target=slow.enter, args=(POOL_REFRESH, POOL, TimeLimit(1)))
    waiting.start()
    sleep(0.01)
    assert enters(slow)
    slow.leave(POOL_REFRESH, POOL)
    waiting.join()
    assert not enters(slow)
