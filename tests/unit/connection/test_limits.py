"""Admission: how many are inside at once, in which order they get their turn, and what becomes of lost ones."""

from __future__ import annotations

import threading
from time import sleep

import pytest

from libstorage.connection.clock import NEVER, TimeLimit
from libstorage.connection.limits import Admission, Holder
from tests.live.rest import wait_until


@pytest.fixture
def two() -> Admission:
    return Admission(lambda: 2)


def enters(admission: Admission, holder: Holder, patience: float = 0.02) -> bool:
    return admission.enter(holder, TimeLimit(patience))


def test_no_more_than_so_many_at_once(two: Admission) -> None:
    first, second, third = Holder(), Holder(), Holder()
    assert enters(two, first)
    assert enters(two, second)
    assert not enters(two, third)
    assert not two.join(third)
    two.leave(first)
    assert two.join(third)


def test_one_of_a_key_at_a_time(two: Admission) -> None:
    first, second, third = Holder(), Holder(), Holder()
    assert two.enter(first, TimeLimit(1), key="pool")
    assert not two.enter(second, TimeLimit(0.02), key="pool")
    assert two.enter(third, TimeLimit(1), key="other")
    two.leave(first)
    assert two.enter(second, TimeLimit(1), key="pool")


def test_first_come_first_served(two: Admission) -> None:
    """Whoever leaves and comes back at once is behind those who waited; whoever only helps waits for all of them."""
    inside = [Holder(), Holder()]
    assert all(enters(two, holder) for holder in inside)
    waiting = [Holder() for _ in range(10)]
    order: list[int] = []

    def wait(number: int) -> None:
        assert two.enter(waiting[number], TimeLimit(NEVER))
        order.append(number)

    threads = [threading.Thread(target=wait, args=(number,)) for number in range(10)]
    for number, thread in enumerate(threads):
        thread.start()
        assert wait_until(lambda number=number: len(two._waiting) == number + 1)  # type: ignore[misc]
    for number, thread in enumerate(threads):
        late = Holder()
        two.leave(inside.pop(0))
        assert not enters(two, late, 0)
        assert not two.join(late)
        thread.join(5)
        inside.append(waiting[number])
    assert order == list(range(10))


def test_one_that_waits_for_its_key_holds_up_nobody_else(two: Admission) -> None:
    first, second, third = Holder(), Holder(), Holder()
    assert two.enter(first, TimeLimit(1), key="pool")
    waiting = threading.Thread(target=two.enter, args=(second, TimeLimit(5)), kwargs={"key": "pool"})
    waiting.start()
    assert wait_until(lambda: two.is_wanted)
    assert enters(two, third)
    two.leave(first)
    waiting.join()
    assert not enters(two, Holder())


def test_who_only_helps_does_not_overtake_one_that_waits_for_its_key(two: Admission) -> None:
    first, second, helper = Holder(), Holder(), Holder()
    assert two.enter(first, TimeLimit(1), key="pool")
    waiting = threading.Thread(target=two.enter, args=(second, TimeLimit(5)), kwargs={"key": "pool"})
    waiting.start()
    assert wait_until(lambda: two.is_wanted)
    assert not two.join(helper)  # though there is room
    two.leave(first)
    waiting.join()
    assert two.join(helper)


def test_a_place_whose_holder_is_gone_is_free(two: Admission) -> None:
    held = [Holder(), Holder()]
    assert all(enters(two, holder) for holder in held)
    timer = threading.Timer(0.05, held.clear)
    timer.start()
    assert two.enter(Holder(), TimeLimit(30))
    timer.join()


def test_one_who_is_interrupted_while_it_waits_leaves_nothing(
    two: Admission, monkeypatch: pytest.MonkeyPatch
) -> None:
    holders = [Holder(), Holder(), Holder()]
    assert all(enters(two, holder) for holder in holders[:2])

    def strike() -> bool:
        raise KeyboardInterrupt

    limit = TimeLimit(5)
    monkeypatch.setattr(TimeLimit, "patience", lambda self: strike())
    with pytest.raises(KeyboardInterrupt):
        two.enter(holders[2], limit)
    monkeypatch.undo()
    assert not two.is_wanted
    two.leave(holders[0])
    sleep(0.01)
    assert two.join(holders[0])
