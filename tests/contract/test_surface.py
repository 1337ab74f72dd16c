"""The public surface: what checkers see, what is there at run time and what ``__all__`` lists are the same names."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import libstorage
from libstorage import enums, tables


def seen_by_checkers() -> dict[str, str]:
    """Name -> module of the imports that only type checkers see."""
    tree = ast.parse(Path(libstorage.__file__).read_text())
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    return {
        alias.name: node.module or ""
        for node in imports
        for alias in node.names
        if (node.module or "").startswith("libstorage.")
    }


def test_all_lists_what_checkers_see() -> None:
    assert sorted(libstorage.__all__) == sorted(seen_by_checkers())
    assert len(set(libstorage.__all__)) == len(libstorage.__all__)


@pytest.mark.parametrize("name", libstorage.__all__)
def test_every_name_loads_from_where_checkers_see_it(name: str) -> None:
    module = __import__(seen_by_checkers()[name], fromlist=[name])
    assert getattr(libstorage, name) is getattr(module, name)


def test_unknown_names_are_refused() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'VolumSpec'"):
        getattr(libstorage, "VolumSpec")  # noqa: B009 (checkers refuse the plain spelling, as they should)


@pytest.mark.parametrize("name", [*tables.__all__, "StreamEvent", "StreamFlags", "StreamRecvFlags"])
def test_a_name_that_moved_still_works_and_warns(name: str) -> None:
    if name in {"KNOWN_FAULTS", "KnownFault"}:  # they were never at the top
        assert not hasattr(libstorage, name)
        return
    home = enums if name.startswith("Stream") else tables
    with pytest.warns(DeprecationWarning, match=rf"use {home.__name__}\.{name}$") as warned:
        found = getattr(libstorage, name)
    assert found is getattr(home, name)
    assert {warning.filename for warning in warned} == {__file__}


def test_a_namespace_is_loaded_when_it_is_touched() -> None:
    assert libstorage.tables is tables
    assert "tables" in dir(libstorage)


def test_dir_shows_the_surface() -> None:
    assert set(libstorage.__all__) < set(dir(libstorage))
