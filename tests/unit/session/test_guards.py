"""Guards: each is asked, in order, until one refuses."""

from __future__ import annotations

import pytest

from libstorage.connection.identity import PoolId
from libstorage.errors import StateError
from libstorage.operations import POOL_STOP
from libstorage.session.guards import Change, Guards

CHANGE = Change(POOL_STOP, PoolId("test:///", "images", "0" * 36))


def test_each_is_asked_in_order() -> None:
    guards, asked = Guards(), list[tuple[str, Change]]()
    guards.check(CHANGE)
    for name in ("first", "second", "third"):
        guards.add(lambda change, name=name: asked.append((name, change)))  # type: ignore[misc]
    guards.check(CHANGE)
    assert asked == [("first", CHANGE), ("second", CHANGE), ("third", CHANGE)]


def test_the_first_that_refuses_ends_it() -> None:
    guards, asked = Guards(), list[Change]()

    def refuse(change: Change) -> None:
        raise StateError(f"not now: {change.operation}")

    for guard in (asked.append, refuse, asked.append):
        guards.add(guard)
    with pytest.raises(StateError, match=r"not now: pool\.stop"):
        guards.check(CHANGE)
    assert asked == [CHANGE]
