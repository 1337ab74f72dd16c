"""The form of each field as plain data, taken from the field's one declaration.

``convert`` reads and writes by these forms, and ``schema`` says the same in JSON Schema.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any

import attrs

from libstorage.units import Size
from libstorage.xml.code import once_per_class
from libstorage.xml.document import Element
from libstorage.xml.fields import MANY, Shape
from libstorage.xml.kinds import MODE, ON_OFF, SIZE, YES_NO, Kind
from libstorage.xml.mapping import Mapped, mapping_of

TYPE = "type"
"""Key that selects the class of a variant."""


@attrs.frozen(kw_only=True)
class Form:
    """One field of a model as plain data.

    Attributes:
        mapped: The field's declaration.
        types: Types of a single value; for a table they are empty.
        model: Class of a table; ``None`` for values, variants and unknown parts.
        variants: Classes of a table that its ``type`` selects, by word.
        converter: What the constructor does with a value before it checks it.
    """

    mapped: Mapped
    types: tuple[type, ...]
    model: type[Element] | None
    variants: Mapping[str, type[Element]]
    converter: Callable[[Any], Any]

    @property
    def name(self) -> str:
        """The name of the field, which is its key."""
        return self.mapped.name

    @property
    def kind(self) -> Kind:
        """The kind of a single value."""
        return self.mapped.place.kind

    @property
    def is_many(self) -> bool:
        """Whether the value is a list."""
        return self.mapped.place.shape in MANY

    @property
    def is_unknown(self) -> bool:
        """Whether the field holds the parts of a document that libstorage does not know."""
        return self.mapped.place.shape is Shape.UNKNOWN

    @property
    def fallback(self) -> type[Element] | None:
        """The class of a variant whose ``type`` libstorage does not know."""
        return self.mapped.place.variants.fallback if self.mapped.place.variants else None

    @property
    def expected(self) -> str:
        """The values that the field takes, for a message."""
        return "true or false" if self.types == (bool,) else self.kind.expected


def check_model(model: object) -> None:
    """Check that ``model`` is a class of documents or elements.

    Raises:
        TypeError: If it is anything else.
    """
    if not (isinstance(model, type) and issubclass(model, Element)):
        raise TypeError(f"{model!r} is not a model of libstorage")


@once_per_class
def forms_of(model: type) -> Mapping[str, Form]:
    """Return the forms of a model's fields by name, in the order in which libvirt prints them."""
    converters = {attribute.name: attribute.converter for attribute in attrs.fields(model)}
    return {mapped.name: _form(mapped, converters[mapped.name]) for mapped in mapping_of(model).fields}


def _form(mapped: Mapped, converter: Any) -> Form:
    place = mapped.place
    models = place.variants.models if place.variants else ()
    is_table = bool(models or place.model or place.shape is Shape.UNKNOWN)
    return Form(
        mapped=mapped,
        types=() if is_table else (bool,) if place.shape is Shape.FLAG else _types(place.kind),
        model=place.model,
        variants={word_of(model): model for model in models},
        converter=converter or _unchanged,
    )


def _types(kind: Kind) -> tuple[type, ...]:
    if kind in (YES_NO, ON_OFF):
        return (bool,)
    if kind in (SIZE, MODE):
        return (int, str)
    return (str,) if kind.limits is None else (int,)


def _unchanged(value: Any) -> Any:
    return value


def word_of(variant: Any) -> str:
    """Return the word that selects the class of a variant, which is given itself or as one of its instances."""
    return str(variant.type)


def plain(kind: Kind, value: Any) -> Any:
    """Return a single value as ``str``, ``int`` or ``bool``; sizes, modes and words as text that reads back."""
    if kind is MODE:
        return MODE.template.format(v=value)
    if isinstance(value, Size):
        return str(value)
    if isinstance(value, Enum) and kind.vocabulary:
        return kind.vocabulary[1][value.value]
    return str(value) if isinstance(value, str) else value
