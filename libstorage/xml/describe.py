"""The public description of a model, used by documentation tables, strategies, comparison and tests."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from inspect import cleandoc
from typing import Any

from attrs import frozen, has

from libstorage.display.page import Page
from libstorage.display.shown import Shown
from libstorage.display.table import Table, soft
from libstorage.xml.document import Element
from libstorage.xml.fields import MANY, Shape, Unknown
from libstorage.xml.mapping import Mapped, mapping_of


@frozen(kw_only=True)
class FieldDescription:
    """One field of a model.

    ``path`` is the place of the field in XML, relative to the element. ``models`` are the classes that it allows.
    ``words`` is the enum of the words that the field allows.
    """

    name: str
    path: str
    shape: str
    kind: str
    doc: str
    required: bool
    reported: bool
    write_only: bool
    many: bool
    expected: str
    default: Any
    words: type[StrEnum] | None
    pattern: str | None
    limits: tuple[int, int] | None
    models: tuple[type, ...]


@frozen(kw_only=True)
class Description(Shown):
    """A model: its class, its meaning, and its fields in the order in which libvirt prints them."""

    model: type
    doc: str
    fields: tuple[FieldDescription, ...]

    def paths(self, prefix: str = "") -> Iterator[str]:
        """Yield every place in XML that this model reads and writes, relative to its element."""
        for field in self.fields:
            if field.path:
                yield prefix + field.path
            for model in field.models:
                yield from describe(model).paths(f"{prefix}{field.path}/")

    def _page(self, most: int | None) -> Page:
        fields = self.fields[:most]
        rows = [(f.name, f.path, f.expected, "libvirt" if f.reported else "you", f.doc) for f in fields]
        table = Table(
            ("field", "in XML", "takes", "set by", "meaning"), rows, more=len(self.fields) - len(fields)
        )
        return Page(
            title=self.model.__name__,
            about=(soft(self.doc.partition("\n")[0].replace("``", "")),),
            blocks=(table,),
        )


def describe(model: type[Element]) -> Description:
    """Describe a model class: every field with its place in XML, its allowed values and its meaning.

    Raises:
        TypeError: If ``model`` is not a model of libstorage.
    """
    if not (has(model) and issubclass(model, Element)):
        raise TypeError(f"{model!r} is not a model of libstorage")
    fields = tuple(_field(mapped) for mapped in mapping_of(model).fields)
    return Description(model=model, doc=cleandoc(model.__doc__ or ""), fields=fields)


def _field(mapped: Mapped) -> FieldDescription:
    place = mapped.place
    variants = place.variants
    models = variants.models if variants else (place.model,) if place.model else ()
    plain = not models and place.shape not in (Shape.FLAG, Shape.UNKNOWN, Shape.WORD)
    return FieldDescription(
        name=mapped.name,
        path=_path(mapped),
        shape=str(place.shape),
        kind=place.kind.name if plain else "",
        doc=place.doc,
        required=mapped.required,
        reported=place.reported,
        write_only=place.write_only,
        many=place.shape in MANY,
        expected=place.kind.expected if plain else _expected(place.shape, models),
        default=None if mapped.required else mapped.missing(),
        words=place.kind.words,
        pattern=place.kind.pattern,
        limits=place.kind.limits,
        models=models,
    )


def _expected(shape: Shape, models: tuple[type, ...]) -> str:
    if shape is Shape.FLAG:
        return "True or False"
    names = [model.__name__ for model in models] or [Unknown.__name__]
    return (
        " or ".join(names) if len(names) <= 2 else f"one of {len(names)} classes, {names[0]} to {names[-1]}"
    )


def _path(mapped: Mapped) -> str:
    place = mapped.place
    match place.shape:
        case Shape.ATTRIBUTE:
            return f"@{place.tag}"
        case Shape.VALUE:
            return f"{place.printed}/@{place.attribute}"
        case Shape.VALUES:
            return f"{place.printed}/{place.prefixed(place.item)}/@{place.attribute}"
        case Shape.WRAPPED:
            return f"{place.printed}/{place.prefixed(place.item)}"
        case _:
            return place.printed
