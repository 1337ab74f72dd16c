"""tests/README.md knows every folder of tests, every live file and every package."""

from __future__ import annotations

import re
from pathlib import Path

from tests.support import CHECKOUT

TESTS = CHECKOUT / "tests"
PAGE = (TESTS / "README.md").read_text("utf-8")
FOLDERS, PACKAGES = (re.findall(r"(?:^\|.*\n)+", PAGE, re.MULTILINE)[number] for number in (0, 1))


def firsts(table: str) -> list[str]:
    """Return what stands in backticks in the first column."""
    return re.findall(r"^\| `([\w/]+)` \|", table, re.MULTILINE)


def files_named(table: str) -> set[str]:
    return set(re.findall(r"`(test_\w+\.py)`", table))


def live_files(folder: Path) -> set[str]:
    return {path.name for path in folder.glob("test_*.py")}


def packages(root: Path) -> set[str]:
    """Return the packages below a package, down to the second floor, except those that only hold data."""
    found = [*root.glob("*/__init__.py"), *root.glob("*/*/__init__.py")]
    return {str(path.parent.relative_to(root)) for path in found}


def test_each_live_file_is_in_the_table_and_each_file_there_exists() -> None:
    assert files_named(PACKAGES) == live_files(TESTS / "live")


def test_each_file_that_the_text_names_exists() -> None:
    assert files_named(PAGE) <= live_files(TESTS / "live")


def test_each_package_is_in_the_table() -> None:
    assert packages(CHECKOUT / "libstorage") <= set(firsts(PACKAGES))
    assert len(set(firsts(PACKAGES))) == len(firsts(PACKAGES))


def test_each_folder_is_in_the_table() -> None:
    folders = {path.name for path in TESTS.iterdir() if any(path.glob("*.py"))}
    assert set(firsts(FOLDERS)) == folders


def test_what_is_missing_is_found(tmp_path: Path) -> None:
    (tmp_path / "attic" / "floor").mkdir(parents=True)
    for path in ("test_attic.py", "attic/__init__.py", "attic/floor/__init__.py"):
        (tmp_path / path).touch()

    assert live_files(tmp_path) - files_named(PACKAGES) == {"test_attic.py"}
    assert packages(tmp_path) - set(firsts(PACKAGES)) == {"attic", "attic/floor"}
