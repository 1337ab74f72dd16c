"""Every declared field against libvirt's schemas."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatch
from typing import Any

import pytest
from attrs import evolve, frozen

from libstorage.enums import PoolType
from libstorage.models.pool import PoolSpec
from libstorage.models.sources import SOURCES, Presence
from libstorage.xml.describe import describe
from tests.contract.places import places, places_of_documents
from tests.contract.rng import Place, newest, pattern, schema

SCHEMAS = {
    "volume": ("storagevol.rng", "vol"),
    "secret": ("secret.rng", "secret"),
    "storagepoolCapabilities": ("storagepoolcaps.rng", "storagepoolCapabilities"),
}


def documents_of_schemas() -> Iterator[tuple[str, Place, Place]]:
    """Every kind of document with what our classes and what libvirt's schema say of it."""
    for name, place in places_of_documents().items():
        if name.startswith("pool "):
            yield name, place, pattern("storagepool.rng", name.replace(" ", "").replace("-", ""))
        elif name in SCHEMAS:
            yield name, place, pattern(*SCHEMAS[name]).places[name]


def complaints() -> Iterator[tuple[str, str, str]]:
    for name, ours, theirs in documents_of_schemas():
        us, them = places(ours), places(theirs)
        for path in sorted({*us, *them}):
            if path not in us:
                yield name, path, "only libvirt's"
            elif path not in them:
                yield name, path, "only ours"
            else:
                if us[path].required != them[path].required:
                    yield name, path, f"required by {'us' if us[path].required else 'libvirt'} only"
                if us[path].words != them[path].words:
                    yield name, path, "other words"


@frozen
class Departure:
    """Where our fields are not what libvirt's schema says, and why that is right."""

    schema: str
    path: str
    what: str
    reason: str

    def covers(self, schema: str, path: str, what: str) -> bool:
        return fnmatch(schema, self.schema) and fnmatch(path, self.path) and what == self.what


DEPARTURES = (
    Departure("*", "*@unit", "only libvirt's", "sizes are read in any unit and kept in bytes"),
    Departure("pool *", "@type", "only libvirt's", "chooses the class of the source"),
    Departure("pool scsi", "source/adapter/@type", "only libvirt's", "chooses the class of the adapter"),
    Departure("volume", "target/encryption/secret/@type", "only libvirt's", "it is always passphrase"),
    Departure("pool *", "name", "required by us only", "the reader fills it in from the source"),
    Departure(
        "pool *",
        "source",
        "required by us only",
        "written and read as if it were there: its class is the type",
    ),
    Departure("pool *", "target/path", "required by libvirt only", "one class of target; a rule of PoolSpec"),
    Departure("volume", "target", "required by libvirt only", "never None; a document without is readable"),
    Departure(
        "storagepoolCapabilities",
        "pool/volOptions/defaultFormat",
        "required by libvirt only",
        "one class for both kinds of options",
    ),
    Departure(
        "pool *",
        "source/format/[vp]*",
        "only libvirt's",
        "libvirt's parser looks for vendor and product beside <format>, not inside",
    ),
    Departure(
        "pool iscsi-direct",
        "source/device/[@f]*",
        "only ours",
        "one class of device; a rule of IscsiDirectSource",
    ),
    Departure("volume", "@type", "other words", "libvirt's parser knows ploop, which its schema forgot"),
    Departure(
        "storagepoolCapabilities", "pool/@type", "other words", "pool types, of which we know the words"
    ),
    *(
        Departure("volume", "target/encryption/@format", "other words", f"since {row.since}: {row.name}")
        for row in newest().lacks
        if row.name == "format luks-any"
    ),
)


def test_fields_are_the_places_of_libvirts_schemas() -> None:
    assert [c for c in complaints() if not any(row.covers(*c) for row in DEPARTURES)] == []


@pytest.mark.parametrize("row", [pytest.param(row, id=f"{row.schema} {row.path}") for row in DEPARTURES])
def test_the_table_says_nothing_too_much(row: Departure) -> None:
    assert any(row.covers(*complaint) for complaint in complaints())


def test_every_type_of_pool_has_a_class() -> None:
    assert [source.type for source in SOURCES.models] == list(PoolType)  # type: ignore[attr-defined]
    assert {frozenset({str(t)}) for t in PoolType} == {
        pattern("storagepool.rng", str(ref.get("name"))).places["@type"].words
        for ref in schema("storagepool.rng")["pool"].iter("{*}ref")
    }


@pytest.mark.parametrize("source", SOURCES.models, ids=lambda source: source.type)
def test_the_table_of_pool_types_is_libvirts(source: Any) -> None:
    """``target`` and ``allows`` of every source class, worked out from libvirt's schema."""
    switched = {"features", "refresh", "fs:mount_opts", "rbd:config_opts"}
    rng = pattern("storagepool.rng", f"pool{source.type.replace('-', '')}")
    top = places(Place(places={name: evolve(place, places={}) for name, place in rng.places.items()}))
    fields = {field.path.split("/")[0]: field.name for field in describe(PoolSpec).fields}

    assert {fields[name] for name in switched & top.keys()} == source.allows
    if "target" not in top:
        assert source.target is Presence.FORBIDDEN
    else:
        assert source.target is (Presence.REQUIRED if top["target"].required else Presence.OPTIONAL)
