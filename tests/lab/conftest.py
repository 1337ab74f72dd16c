"""Which cases there are."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

import pytest

from tests.lab.case import Case

MODULES = ("tests.lab.files", "tests.lab.network", "tests.lab.guest.cases")


def cases() -> list[Case]:
    """All of them."""
    return [case for name in MODULES if find_spec(name) for case in import_module(name).CASES]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "case" in metafunc.fixturenames:
        metafunc.parametrize("case", cases(), ids=lambda case: case.name)
