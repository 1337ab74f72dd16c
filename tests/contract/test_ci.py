"""What CI runs ends in time, and every phase can be run by hand."""

from __future__ import annotations

import re

from tests.contract.test_makefile import phony
from tests.support import CHECKOUT

PHASES = re.findall(r"^phase (\S+) (\d+)m$", (CHECKOUT / ".ci" / "run").read_text("utf-8"), re.MULTILINE)
NAMES = [name for name, _ in PHASES]


def test_its_limits_add_up_to_75_minutes() -> None:
    assert 60 < sum(int(minutes) for _, minutes in PHASES) <= 75


def test_each_phase_is_a_target() -> None:
    assert set(NAMES) <= set(phony(CHECKOUT / "Makefile"))
    assert len(set(NAMES)) == len(NAMES) > 5


def test_debian_13_gates_and_debian_testing_does_not() -> None:
    assert "test-trixie" in NAMES
    assert "test-forky" not in NAMES
