"""No private name crosses a package: what another package uses is public where it is defined."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import CHECKOUT

LIBRARY = CHECKOUT / "libstorage"

INSIDE_CLIENT = {"_channel", "_id"}
"""Handles are made of these two, and their modules hand them on to each other."""

NOT_OURS = {
    "_Element": "lxml's type of an element, which has no public name",
    "_getframe": "sys._getframe, which the standard library documents",
    "_value2member_map_": "of enum, whose lookup by value is too slow where a document is read",
}


def crossings(path: Path, package: str) -> Iterator[str]:
    """The private names that a module uses, and that it does not define."""
    tree = ast.parse(path.read_text("utf-8"))
    known = {*defined(tree), *NOT_OURS, *(INSIDE_CLIENT if package == "client" else ())}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("libstorage"):
            yield from (f"{node.module}.{alias.name}" for alias in node.names if is_private(alias.name))
        if isinstance(node, ast.Attribute) and is_private(node.attr) and node.attr not in known:
            own = isinstance(node.value, ast.Name) and node.value.id in {"self", "cls"}  # of a base class
            if not own:
                yield f".{node.attr} in line {node.lineno}"


def defined(tree: ast.Module) -> Iterator[str]:
    """Every name that a module defines: functions, classes, variables, attributes that it assigns, slots."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value  # __slots__


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def modules(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.py"))


def package_of(path: Path, folder: Path) -> str:
    return path.relative_to(folder).parts[0]


@pytest.mark.parametrize("path", modules(LIBRARY), ids=lambda path: str(path.relative_to(LIBRARY)))
def test_no_private_name_comes_from_another_module(path: Path) -> None:
    assert not list(crossings(path, package_of(path, LIBRARY)))


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("transfer/pump.py", "from libstorage.session.names import _problem"),
        ("transfer/pump.py", "def planted(channel): return channel._session"),
        ("client/pool.py", "def planted(host): return host._channel._session"),
        ("fsspec/entries.py", "def planted(volume): return volume._id"),
    ],
)
def test_a_planted_crossing_is_found(tmp_path: Path, module: str, line: str) -> None:
    path = tmp_path / "module.py"
    path.write_text(f"{(LIBRARY / module).read_text('utf-8')}\n{line}\n", "utf-8")

    assert list(crossings(path, package_of(LIBRARY / module, LIBRARY)))


@pytest.mark.parametrize(
    "path", modules(CHECKOUT / "tests"), ids=lambda path: str(path.relative_to(CHECKOUT))
)
def test_no_test_imports_a_private_name(path: Path) -> None:
    tree = ast.parse(path.read_text("utf-8"))
    imported = [
        f"{node.module}.{alias.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("libstorage")
        for alias in node.names
        if is_private(alias.name)
    ]
    assert not imported
