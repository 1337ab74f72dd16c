"""Each planted fault of `make mutants` still applies to the code, and the tests that should notice it exist."""

from __future__ import annotations

import ast
from collections import Counter
from functools import cache
from pathlib import Path

import attrs
import pytest

from tests.mutants.fault import Fault, NotThereError
from tests.mutants.faults import FAULTS
from tests.support import CHECKOUT

LIBRARY = CHECKOUT / "libstorage"


@cache
def names_in(path: str) -> set[str]:
    """The tests of a file: functions, classes, and methods as ``Class::method``."""
    found: set[str] = set()
    for node in ast.parse((CHECKOUT / path).read_text("utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        if isinstance(node, ast.ClassDef):
            found |= {f"{node.name}::{at.name}" for at in node.body if isinstance(at, ast.FunctionDef)}
    return found


def unknown_tests(fault: Fault) -> list[str]:
    """The selected tests that do not exist."""
    split = [(test, *test.partition("[")[0].partition("::")[::2]) for test in fault.selection]
    return [
        test
        for test, path, name in split
        if not (CHECKOUT / path).is_file() or (name and name not in names_in(path))
    ]


def test_names_are_given_once() -> None:
    assert not [name for name, times in Counter(fault.name for fault in FAULTS).items() if times > 1]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_it_applies_and_its_tests_exist(fault: Fault) -> None:
    planted = fault.planted_in(LIBRARY)
    assert planted != (LIBRARY / fault.file).read_text("utf-8")
    ast.parse(planted)
    assert fault.selection
    assert not unknown_tests(fault)
    assert fault.why


def test_one_that_does_not_apply_is_found(tmp_path: Path) -> None:
    fault = Fault("twice", "module.py", "x", "y", "tests/contract/test_nowhere.py", "nothing")
    for text in ("x x", ""):
        (tmp_path / "module.py").write_text(text)
        with pytest.raises(NotThereError, match="twice"):
            fault.planted_in(tmp_path)
    assert unknown_tests(fault)
    here = "tests/contract/test_mutants.py"
    assert not unknown_tests(attrs.evolve(fault, tests=f"{here}::test_names_are_given_once[x] {here}"))
    assert unknown_tests(attrs.evolve(fault, tests=f"{here}::test_that_is_not_there"))
