"""The table of libvirt's acceptance scenarios names tests that exist, and forgets neither script nor test."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.support import CHECKOUT

FOLDER = CHECKOUT / "tests" / "lab" / "scenarios"
TABLE: dict[str, list[dict[str, Any]]] = tomllib.loads((FOLDER / "scenarios.toml").read_text("utf-8"))
ROWS = [*TABLE["script"], *TABLE["scenario"], *TABLE["fault"]]
SCRIPTS = [
    "050",
    "051",
    "060",
    "061",
    "065",
    "070",
    "080",
    "081",
    "082",
    "090",
    "100",
    "110",
    "120",
    "200",
    "250",
    "255",
    "400",
    "405",
    "410",
    "415",
    "420",
    "425",
]


def names_in(path: Path) -> Iterator[str]:
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.ClassDef):
            names = [f"{node.name}::{each.name}" for each in node.body if isinstance(each, ast.FunctionDef)]
        else:
            names = [node.name] if isinstance(node, ast.FunctionDef) else []
        yield from (f"{path.name}::{name}" for name in names if name.rpartition("::")[2].startswith("test_"))


def test_every_script_has_its_row() -> None:
    assert [row["number"] for row in TABLE["script"]] == SCRIPTS


def test_every_row_names_a_test_or_says_why_not() -> None:
    there = {name for path in FOLDER.glob("test_*.py") for name in names_in(path)}
    for row in ROWS:
        assert row["intent"]
        assert row.get("tests") or row.get("instead"), row
        assert set(row.get("tests", ())) <= there, row
        elsewhere = re.findall(r"tests/[\w/.]+\.py", row.get("instead", ""))
        assert all((CHECKOUT / path).exists() for path in elsewhere), row


def test_every_test_of_a_scenario_is_in_the_table() -> None:
    named = {name for row in ROWS for name in row.get("tests", ())}
    there = {name for path in FOLDER.glob("test_*.py") for name in names_in(path)}
    assert there - named == set()
