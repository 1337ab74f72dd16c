"""The base class of the documents that a client sends to libvirt."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, ClassVar, Self

from attrs import evolve

from libstorage.foreign import Native
from libstorage.models.compare import Differences, differences
from libstorage.xml.document import Document, Element
from libstorage.xml.mapping import construct, mapping_of


class Spec(Document, Native):
    """A document that describes an object to be created."""

    __slots__ = ()

    EXAMPLE: ClassVar[str]
    """How one is usually made."""

    @classmethod
    def __attrs_init_subclass__(cls) -> None:
        super().__attrs_init_subclass__()
        type.__setattr__(cls, "__init__", _by_name(cls, cls.__init__))

    def request(self, **changes: Any) -> Self:
        """Return this document without reported fields and with ``changes`` applied, ready to be sent.

        Args:
            changes: Fields to change, as for ``attrs.evolve``.

        Raises:
            DocumentError: If the result is not sound.
        """
        evolved: Self = evolve(without_reported(self), **changes)
        return evolved

    def differences(self, want: Self) -> Differences:
        """Return the fields in which this document differs from ``want``, among those that ``want`` sets.

        Changes that libvirt itself makes when it accepts a document (``models.compare``) do not count.
        """
        return differences(self, want)


def _by_name(cls: type[Spec], plain: Callable[..., None]) -> Callable[..., None]:
    """Return a constructor that names a factory if fields are passed by position."""

    @wraps(plain)
    def __init__(self: Spec, *positional: object, **fields: Any) -> None:  # noqa: N807 -- it becomes one
        if positional:
            raise TypeError(f"{cls.__name__} takes its fields by name; use a factory, such as {cls.EXAMPLE}")
        plain(self, **fields)

    return __init__


def without_reported(element: Any) -> Any:
    """Return ``element`` with every reported field, in it and below it, reset to its default."""
    values: dict[str, Any] = {}
    for mapped in mapping_of(type(element)).fields:
        value = getattr(element, mapped.name)
        if mapped.place.reported:
            value = mapped.missing()
        elif isinstance(value, Element):
            value = without_reported(value)
        elif isinstance(value, tuple):
            value = tuple(without_reported(v) if isinstance(v, Element) else v for v in value)
        values[mapped.name] = value
    return construct(type(element), values)
