"""Faults in sessions, guards, leases, turns, and bulk listings."""

from __future__ import annotations

from typing import Final

from tests.mutants.fault import Fault

FAULTS: Final[tuple[Fault, ...]] = (
    Fault(
        "change-a-volume-not-fresh",
        "session/calls.py",
        "lambda lane: act(raw_volume(lane, volume, fresh=True))",
        "lambda lane: act(raw_volume(lane, volume))",
        "tests/live/test_volumes.py::TestFinding::test_a_pool_that_was_renamed_is_still_the_same tests/live/test_volumes.py::TestFinding::test_a_pool_made_again_under_the_same_name_is_another",
        "a delete strikes the volume of another pool of the same name",
    ),
    Fault(
        "any-refresh-counts",
        "session/turns.py",
        "return self._seen_at > time",
        "return self._seen_at > 0",
        "tests/unit/transfer/test_settle.py",
        "the pool shows old sizes after an upload",
    ),
    Fault(
        "no-refresh-counts",
        "session/turns.py",
        "        self._seen_at = time\n",
        "        self._seen_at = 0.0\n",
        "tests/unit/transfer/test_settle.py",
        "every upload refreshes the pool, however many end at once",
    ),
)
