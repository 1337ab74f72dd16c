"""The mapping of one class: its fields with their places in XML, checked when the class is made."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import cached_property
from typing import Any, NoReturn

import attrs
from attrs.exceptions import FrozenInstanceError

from libstorage.xml.code import once_per_class
from libstorage.xml.fields import MANY, Field, Shape, declared


@attrs.frozen(kw_only=True)
class Mapped:
    """One field of a model: its name in Python and its place in XML."""

    name: str
    place: Field
    required: bool
    default: Any
    factory: Callable[[], Any] | None

    def missing(self) -> Any:
        """Return the value of the field if the document does not contain it."""
        return self.factory() if self.factory else self.default


@attrs.frozen(kw_only=True)
class Mapping:
    """All fields of a model, in the order in which libvirt prints them."""

    model: type
    fields: tuple[Mapped, ...]

    @cached_property
    def attributes(self) -> tuple[Mapped, ...]:
        """Fields that are attributes of the element itself."""
        return tuple(f for f in self.fields if f.place.shape is Shape.ATTRIBUTE)

    @cached_property
    def elements(self) -> tuple[Mapped, ...]:
        """Fields that are child elements."""
        return tuple(f for f in self.fields if f.place.tag and f.place.shape is not Shape.ATTRIBUTE)

    @cached_property
    def outside(self) -> Mapped | None:
        """The variant field whose word is an attribute of this element itself, or ``None``."""
        return next((f for f in self.fields if f.place.variants and f.place.variants.outside), None)

    @cached_property
    def unknown(self) -> Mapped | None:
        """The field of a document that keeps unknown parts, or ``None``."""
        return next((f for f in self.fields if f.place.shape is Shape.UNKNOWN), None)

    @cached_property
    def printed(self) -> dict[str, str]:
        """Tags of child elements: from lxml's spelling to the spelling in a document."""
        return {mapped.place.qname: mapped.place.printed for mapped in self.elements}


@once_per_class
def mapping_of(model: type) -> Mapping:
    """Return the mapping of a model class, computed once per class."""
    fields = []
    for attribute in attrs.fields(model):
        default = attribute.default
        factory = default.factory if isinstance(default, attrs.Factory) else None  # type: ignore[arg-type]
        fields.append(
            Mapped(
                name=attribute.name,
                place=declared(attribute),
                required=default is attrs.NOTHING,
                default=None if factory else default,
                factory=factory,
            )
        )
    return Mapping(model=model, fields=tuple(fields))


def check_declarations(model: type) -> None:
    """Reject a model whose declarations contradict each other.

    Raises:
        TypeError: If a declaration is wrong. The message names the class and the mistake.
    """
    places: Counter[str] = Counter()
    for attribute in attrs.fields(model):
        place = declared(attribute)
        if place.shape is not Shape.UNKNOWN and not place.doc:
            raise TypeError(f"{model.__name__}.{attribute.name} has no doc")
        if place.shape in MANY and attribute.default not in ((), attrs.NOTHING):
            raise TypeError(
                f"{model.__name__}.{attribute.name} holds several values, so its default must be ()"
            )
        places[("@" if place.shape is Shape.ATTRIBUTE else "") + place.qname] += 1
    if twice := [name for name, count in places.items() if count > 1 and name]:
        raise TypeError(f"{model.__name__} declares {', '.join(twice)} twice")


def refuse_change(self: Any, name: str, value: object) -> NoReturn:
    """Refuse to set a field, instead of the function that attrs makes, and say what makes a changed copy.

    Raises:
        attrs.exceptions.FrozenInstanceError: Always.
    """
    error = FrozenInstanceError()
    error.add_note(f"{type(self).__name__} is immutable; for a changed copy: attrs.evolve(it, {name}=...)")
    raise error


def construct(model: Any, values: dict[str, Any]) -> Any:
    """Return an instance with exactly these values, without the checks of the constructor.

    Values from a document are not checked like values that a person gives.
    """
    made = model.__new__(model)
    for name, value in values.items():
        object.__setattr__(made, name, value)
    return made
