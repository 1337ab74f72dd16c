"""Cross references in docstrings, ``[text][libstorage.Name]``: each leads somewhere, from the public surface to it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from importlib import import_module
from typing import Any

import attrs
import pytest

import libstorage
from tests.contract.prose import Text, texts

NAMESPACES = ("libstorage.testing.", "libstorage.fsspec.")
HOMES = {
    name: getattr(libstorage, name).__module__
    for name in libstorage.__all__
    if hasattr(getattr(libstorage, name), "__module__")
}


def references(documented: Iterable[Text]) -> Iterator[tuple[Text, str]]:
    for text in documented:
        if text.owner is not None:
            for target in re.findall(
                r"\]\[([^\]]*)\]", re.sub(r"``.*?``|```.*?```", "", text.text, flags=re.DOTALL)
            ):
                yield text, target


def resolves(target: str) -> bool:
    """Whether a dotted name is that of a module of libstorage, or of something in one."""
    parts = target.split(".")
    if parts[0] != "libstorage":
        return False
    thing: Any = libstorage
    for number, part in enumerate(parts[1:], 2):
        try:
            thing = getattr(thing, part, None) or import_module(".".join(parts[:number]))
        except ImportError:
            return has_field(thing, part) and number == len(parts)
    return True


def has_field(thing: Any, name: str) -> bool:
    return isinstance(thing, type) and attrs.has(thing) and name in attrs.fields_dict(thing)


def is_public(target: str) -> bool:
    return target.split(".")[1] in libstorage.__all__ or target.startswith(NAMESPACES)


def is_read_by_users(text: Text) -> bool:
    """Whether it documents a public name, or an attribute of one."""
    names = (text.owner or "").split(".")
    module = "libstorage." + text.module.removesuffix(".py").replace("/", ".").removesuffix(".__init__")
    return HOMES.get(names[0]) == module and not any(name.startswith("_") for name in names)


ALL = list(references(texts()))


def test_there_are_references() -> None:
    assert len(ALL) > 30


@pytest.mark.parametrize(
    ("text", "target"), ALL, ids=lambda each: each if isinstance(each, str) else each.module
)
def test_a_reference_leads_somewhere(text: Text, target: str) -> None:
    assert resolves(target)


def test_users_are_led_to_public_names_only() -> None:
    assert not [
        (text.module, text.line, target)
        for text, target in ALL
        if is_read_by_users(text) and not is_public(target)
    ]


def test_a_wrong_reference_is_found() -> None:
    planted = Text(
        "client/host.py",
        1,
        "Host",
        "[a][libstorage.Host.pools], [b][libstorage.Hosts], [c][os.path], ``x[1][2]``",
    )
    assert [target for _, target in references([planted])] == [
        "libstorage.Host.pools",
        "libstorage.Hosts",
        "os.path",
    ]
    assert [resolves(target) for _, target in references([planted])] == [True, False, False]


@pytest.mark.parametrize(
    ("target", "leads", "public"),
    [
        ("libstorage.VolumeSpec.capacity", True, True),
        ("libstorage.Volume.clone", True, True),
        ("libstorage.Volume.klone", False, True),
        ("libstorage.VolumeSpec.capacity.nothing", False, True),
        ("libstorage.testing.PrivateDaemon", True, True),
        ("libstorage.errors.StorageError", True, False),
        ("libstorage.units", True, False),
        ("libstorage.attic", False, False),
    ],
)
def test_targets(target: str, leads: bool, public: bool) -> None:
    assert (resolves(target), is_public(target)) == (leads, public)


def test_a_private_docstring_is_told_from_a_public_one() -> None:
    home = HOMES["Host"].removeprefix("libstorage.").replace(".", "/") + ".py"
    assert is_read_by_users(Text(home, 1, "Host.pools", ""))
    assert not is_read_by_users(Text(home, 1, "Host._call", ""))
    assert not is_read_by_users(Text(home, 1, "", ""))
