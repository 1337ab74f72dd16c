"""The promises of docs/upgrading.md and docs/threads.md, as far as they can be held without a daemon."""

from __future__ import annotations

import ast
import inspect
import pickle
import pydoc
import re
import tomllib
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any

import attrs
import pytest
from packaging.requirements import Requirement

import libstorage
import libstorage.testing
from libstorage.xml.document import Element
from tests.support import CHECKOUT

UPGRADING = (CHECKOUT / "docs" / "upgrading.md").read_text("utf-8")
THREADS = (CHECKOUT / "docs" / "threads.md").read_text("utf-8")
PROJECT = tomllib.loads((CHECKOUT / "pyproject.toml").read_text("utf-8"))["project"]
REQUIREMENTS = [Requirement(each) for each in PROJECT["dependencies"]]


def rows(page: str, title: str) -> list[list[str]]:
    """Return the rows of the first table under a title, without the head."""
    section = page.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    lines = re.findall(r"(?:^\|.*\n)+", section, re.MULTILINE)[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


SHARED = rows(THREADS, "What threads may share")


def shared_names(verdict: str) -> set[str]:
    """Return the names in the rows of the sharing table with this verdict."""
    return {name for row in SHARED if row[1] == verdict for name in re.findall(r"`([\w.]+)", row[0])}


def classes() -> list[type[Any]]:
    return [thing for name in libstorage.__all__ if inspect.isclass(thing := getattr(libstorage, name))]


def is_immutable(thing: type[Any]) -> bool:
    return issubclass(thing, Element | Enum | int | str) or (attrs.has(thing) and is_frozen(thing))


def is_frozen(thing: type[Any]) -> bool:
    empty: Any = object.__new__(thing)
    field = attrs.fields(thing)[0].name
    try:
        setattr(empty, field, None)
    except attrs.exceptions.FrozenInstanceError:
        return True
    return False


def unnamed(things: list[type[Any]]) -> Iterator[str]:
    """The classes that the sharing table neither names nor covers by a sentence on all of their kind."""
    named = shared_names("yes") | shared_names("one thread at a time")
    for thing in things:
        if thing.__name__ not in named and not issubclass(thing, Exception) and not is_immutable(thing):
            yield thing.__name__


@pytest.mark.parametrize("name", sorted(shared_names("yes") | shared_names("one thread at a time")))
def test_the_sharing_table_names_what_exists(name: str) -> None:
    path = name.removeprefix("libstorage.")
    owner: Any = libstorage
    for part in path.split("."):
        owner = getattr(owner, part)
    assert name.startswith("libstorage.testing.") or path.partition(".")[0] in libstorage.__all__


def test_every_public_class_is_in_the_sharing_table() -> None:
    assert list(unnamed(classes())) == []


def test_a_class_that_is_missing_there_is_found() -> None:
    @attrs.define
    class Mutable:
        field: int = 0

    @attrs.frozen
    class Value:
        field: int = 0

    assert list(unnamed([Mutable, Value, libstorage.Host, KeyError])) == ["Mutable"]


def threads_started(folder: Path) -> set[str]:
    """Return the names that are given to threads, by the calls in the sources."""
    return {
        value.value
        for path in folder.rglob("*.py")
        for call in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(call, ast.Call)
        for value in [*call.args, *(keyword.value for keyword in call.keywords)]
        if isinstance(value, ast.Constant)
        and isinstance(value.value, str)
        and re.fullmatch("libstorage-[a-z]+", value.value)
    }


def test_every_thread_is_named_in_the_page() -> None:
    section = THREADS.partition("\n## Threads of libstorage\n")[2].partition("\n## ")[0]
    assert set(re.findall(r"`(libstorage-[a-z]+)`", section)) == threads_started(CHECKOUT / "libstorage")


def test_the_top_level_stays_small() -> None:
    (limit,) = re.findall(r"`libstorage\.__all__` stays under (\d+)", UPGRADING)
    assert len(libstorage.__all__) < int(limit) == 170


def test_help_begins_with_the_names_to_start_with() -> None:
    shown = pydoc.plain(pydoc.render_doc(libstorage)).partition("PACKAGE CONTENTS")[0]
    listed = re.findall(r"^ +- \[(\w+)\]\[libstorage\.(\w+)\]: \S", shown, re.MULTILINE)
    assert {first == second for first, second in listed} == {True}
    names = [name for name, _ in listed]
    assert 12 <= len(names) <= 15
    assert set(names) <= set(libstorage.__all__)
    assert {"connect", "Host", "Pool", "Volume", "PoolSpec", "VolumeSpec", "StorageError"} <= set(names)


def test_the_version_has_its_part_of_the_changelog() -> None:
    titles = re.findall(r"^## \[(.+?)\]", (CHECKOUT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert next(title for title in titles if title != "Unreleased") == libstorage.__version__


def test_the_public_namespaces_are_those_of_the_page() -> None:
    section = UPGRADING.partition("\n## What is public\n")[2].partition("\n## ")[0]
    (testing,) = re.findall(r"`libstorage\.testing`: (.*)\.", section)
    assert sorted(re.findall(r"`(\w+)`", testing)) == sorted(libstorage.testing.__all__)


def test_each_deprecation_is_in_the_table() -> None:
    sources = "".join(path.read_text("utf-8") for path in (CHECKOUT / "libstorage").rglob("*.py"))
    warned = len(re.findall(r"^\s*(?:@deprecated\(|DeprecationWarning,)", sources, re.MULTILINE))
    assert len(rows(UPGRADING, "How a name goes away")) == warned


def test_the_oldest_supported_versions_are_those_of_the_package() -> None:
    oldest = rows(UPGRADING, "Which versions are supported")[0][0]
    assert PROJECT["requires-python"] == f">={oldest}"
    (libvirt,) = [each for each in REQUIREMENTS if each.name == "libvirt-python"]
    assert f"\n| {str(libvirt.specifier).removeprefix('>=')} (" in UPGRADING


def test_the_classifiers_name_the_versions_of_the_page() -> None:
    named = [each.rpartition(" ")[2] for each in PROJECT["classifiers"] if ":: Python :: 3." in each]
    assert named == [row[0] for row in rows(UPGRADING, "Which versions are supported") if row[0][:2] == "3."]


@pytest.mark.parametrize("platform", ["darwin", "linux", "win32"])
def test_documents_install_where_libvirts_binding_does_not(platform: str) -> None:
    environment = {"sys_platform": platform}
    needed = {each.name for each in REQUIREMENTS if not each.marker or each.marker.evaluate(environment)}
    assert ("libvirt-python" in needed) == (platform == "linux")
    assert needed >= {"attrs", "lxml"}


def test_a_secret_value_cannot_be_pickled() -> None:
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(libstorage.SecretValue("x"))
