"""What our models say of each kind of document: its fields, and the places of its XML."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from attrs import evolve

from libstorage.enums import VolumeType
from libstorage.models.capabilities import PoolCapabilities
from libstorage.models.discovery import PoolSources, SourceQuery
from libstorage.models.pool import FS, PoolSpec
from libstorage.models.pool_parts import RBD
from libstorage.models.secret import SecretSpec
from libstorage.models.sources import SOURCES, Presence
from libstorage.models.volume import VolumeSpec
from libstorage.xml.describe import FieldDescription, describe
from libstorage.xml.document import Element
from tests.contract.rng import Place, both_of, one_of

DOCUMENTS = (PoolSpec, VolumeSpec, SecretSpec, PoolCapabilities, PoolSources, SourceQuery)
PREFIXES = {f"{{{space.uri}}}": f"{space.prefix}:" for space in (FS, RBD)}
WORDS = {
    "yes/no": frozenset({"yes", "no"}),
    "on/off": frozenset({"on", "off"}),
    "VolumeType": frozenset(member.word for member in VolumeType),
}


def models_of(model: type[Element]) -> Iterator[type[Element]]:
    """A model and all that stand in it."""
    yield model
    for field in describe(model).fields:
        for inner in field.models:
            yield from models_of(inner)


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


def places_of_documents() -> dict[str, Place]:
    """Every kind of document, pools by their type, with what our classes say of it."""
    pools = {f"pool {source.type}": pool_place(source) for source in SOURCES.models}  # type: ignore[attr-defined]
    return pools | {model.ROOT: place_of(model) for model in DOCUMENTS if model is not PoolSpec}
