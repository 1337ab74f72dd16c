"""Which cases there are."""

from __future__ import annotations

import pytest

from tests.lab import files, network
from tests.lab.case import Case
from tests.lab.guest import cases as guest


def cases() -> list[Case]:
    """All of them."""
    return [*files.CASES, *network.CASES, *guest.CASES]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "case" in metafunc.fixturenames:
        metafunc.parametrize("case", cases(), ids=lambda case: case.name)
