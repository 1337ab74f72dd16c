"""The page on the architecture shows the floors that import-linter checks, and names modules that exist."""

from __future__ import annotations

import re
import tomllib

import pytest

from tests.support import CHECKOUT

PAGE = (CHECKOUT / "docs" / "architecture.md").read_text("utf-8")
CONTRACTS = tomllib.loads((CHECKOUT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"][
    "contracts"
]


def floors(name: str) -> list[list[str]]:
    """The layers of a contract that exist already, from the top."""
    (contract,) = (one for one in CONTRACTS if one["name"] == name)
    rows = [[word.strip() for word in layer.split("|")] for layer in contract["layers"]]
    there = [[word for word in row if word[0] != "("] for row in rows]
    return [sorted(row) for row in there if row]


def test_the_floors_are_those_of_the_contract() -> None:
    table = PAGE.partition("| floor |")[2].partition("\n\n")[0]
    rows = [re.findall(r"`(\w+)`", line.split("|")[1]) for line in table.splitlines()[2:]]
    assert [sorted(row) for row in rows] == floors("the floors")


def test_the_floors_of_a_transfer_are_those_of_the_contract() -> None:
    drawing = PAGE.partition("data flows between two ends")[2].split("```")[1]
    rows = [re.findall(r"\w+", line[:43].replace("/", "")) for line in drawing.strip().splitlines()]
    assert [sorted(row) for row in rows] == floors("the floors of a transfer")


def test_the_ways_up_are_those_of_the_contract() -> None:
    (contract,) = (one for one in CONTRACTS if one["type"] == "acyclic_siblings")
    assert contract["ignore_imports"] == [
        "libstorage.client.handle -> libstorage.client.host",
        "libstorage.client.volume -> libstorage.client.pool",
    ]


@pytest.mark.parametrize("module", sorted(set(re.findall(r"(?:\w+/)+\w+\.py", PAGE))))
def test_a_module_that_is_named_exists(module: str) -> None:
    places = [CHECKOUT, CHECKOUT / "libstorage", CHECKOUT / "libstorage" / "transfer"]
    places.append(CHECKOUT / "libstorage" / "connection" / "failures")
    assert any((place / module).exists() for place in places)


def test_a_walk_names_what_the_modules_define() -> None:
    walk = PAGE.partition("to the socket\n")[2].split("```")[1]
    steps = re.findall(r"^ *([\w/]+\.py) +(\w+)(?:\.(\w+))?", walk, re.MULTILINE)
    assert len(steps) > 9
    for module, name, member in steps:
        places = [CHECKOUT / "libstorage" / module, CHECKOUT / "libstorage" / "transfer" / module]
        text = next(place for place in places if place.exists()).read_text("utf-8")
        assert re.search(rf"^(class|def) {name}\b", text, re.MULTILINE), name
        assert not member or re.search(rf"^    def {member}\b", text, re.MULTILINE), member
