"""Every declared field against libvirt's schemas, and against documents that use it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve, frozen

from libstorage.enums import PoolType, VolumeType
from libstorage.models.capabilities import PoolCapabilities
from libstorage.models.discovery import PoolSources, SourceQuery
from libstorage.models.pool import FS, RBD, PoolSpec
from libstorage.models.secret import SecretSpec
from libstorage.models.sources import SOURCES, Presence
from libstorage.models.volume import VolumeSpec
from libstorage.xml.describe import FieldDescription, describe
from libstorage.xml.document import Document, Element
from libstorage.xml.mapping import mapping_of
from libstorage.xml.parse import parse
from tests.contract.rng import Place, both_of, one_of, pattern, schema
from tests.support import CHECKOUT

DOCUMENTS = (PoolSpec, VolumeSpec, SecretSpec, PoolCapabilities, PoolSources, SourceQuery)
OURS = CHECKOUT / "tests" / "corpus" / "ours"

# ---- every field is exercised ---------------------------------------------------------------------------------------


def models_of(model: type[Element]) -> Iterator[type[Element]]:
    """A model and all that stand in it."""
    yield model
    for field in describe(model).fields:
        for inner in field.models:
            yield from models_of(inner)


FIELDS = sorted(
    {
        (model, field.name)
        for document in DOCUMENTS
        for model in models_of(document)
        for field in describe(model).fields
    },
    key=str,
)


def exercised(element: Element) -> Iterator[tuple[type[Element], str]]:
    """The fields of a document that are set, here and below."""
    for mapped in mapping_of(type(element)).fields:
        value = getattr(element, mapped.name)
        if mapped.required or value != mapped.missing():
            yield type(element), mapped.name
        for item in value if isinstance(value, tuple) else (value,):
            if isinstance(item, Element):
                yield from exercised(item)


def documents() -> list[Document]:
    models = {model.ROOT: model for model in DOCUMENTS}
    paths: Iterable[Path] = sorted(OURS.glob("*.xml"))
    return [models[str(parse(path.read_bytes()).tag)].from_xml(path.read_bytes()) for path in paths]


@pytest.fixture(scope="module")
def used() -> frozenset[tuple[type[Element], str]]:
    return frozenset(use for document in documents() for use in exercised(document))


@pytest.mark.parametrize(("model", "name"), [pytest.param(m, n, id=f"{m.__name__}.{n}") for m, n in FIELDS])
def test_every_field_is_exercised(
    model: type[Element], name: str, used: frozenset[tuple[type[Element], str]]
) -> None:
    assert (model, name) in used, "give it a value in a document of tests/corpus/ours"


# ---- our fields are the places of libvirt's schemas -----------------------------------------------------------------

PREFIXES = {f"{{{space.uri}}}": f"{space.prefix}:" for space in (FS, RBD)}
WORDS = {
    "yes/no": frozenset({"yes", "no"}),
    "on/off": frozenset({"on", "off"}),
    "VolumeType": frozenset(member.word for member in VolumeType),
}


def place_of(model: type[Element], *, without: Iterable[str] = ()) -> Place:
    """What a model's description says of its element, in the terms of a schema."""
    whole = Place()
    for field in describe(model).fields:
        if field.path and field.name not in without:
            whole = both_of(whole, Place(places=nested(field)))
    return whole


def nested(field: FieldDescription) -> dict[str, Place]:
    """The places of one field; in ``format/@type`` one stands in the other."""
    *outer, last = field.path.split("/")
    inside = (
        one_of([place_of(model) for model in field.models]) if field.models else Place(words=words_of(field))
    )
    required = field.shape != "wrapped" if outer else field.required
    place = {last: evolve(inside, required=required)}
    for name in reversed(outer):
        place = {name: Place(required=field.required, places=place)}
    return place


def words_of(field: FieldDescription) -> frozenset[str] | None:
    if field.words is not None:
        return frozenset(field.words)
    return frozenset() if field.shape == "flag" else WORDS.get(field.kind)


def places(place: Place) -> dict[str, Place]:
    return {printed(path): inner for path, inner in place.paths()}


def printed(path: str) -> str:
    for space, prefix in PREFIXES.items():
        path = path.replace(space, prefix)
    return path


def pool_place(source: type[Element]) -> Place:
    """What our classes say of pools of one type."""
    switched = {"features", "refresh", "mount_options", "config_options"} - source.allows  # type: ignore[attr-defined]
    presence: Presence = source.target  # type: ignore[attr-defined]
    without = {"source", "target"} | switched
    whole = place_of(PoolSpec, without=without)
    whole.places["source"] = place_of(source)
    if presence is not Presence.FORBIDDEN:
        inner = next(f for f in describe(PoolSpec).fields if f.name == "target").models[0]
        whole.places["target"] = evolve(place_of(inner), required=presence is Presence.REQUIRED)
    return whole


def documents_of_schemas() -> Iterator[tuple[str, Place, Place]]:
    """Every kind of document with what our classes and what libvirt's schema say of it."""
    for source in SOURCES.models:
        name = str(source.type)  # type: ignore[attr-defined]
        yield f"pool {name}", pool_place(source), pattern("storagepool.rng", f"pool{name.replace('-', '')}")
    for model, file, name in (
        (VolumeSpec, "storagevol.rng", "vol"),
        (SecretSpec, "secret.rng", "secret"),
        (PoolCapabilities, "storagepoolcaps.rng", "storagepoolCapabilities"),
    ):
        yield model.ROOT, place_of(model), pattern(file, name).places[model.ROOT]


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
