"""What documents that a person sends to libvirt have in common."""

from __future__ import annotations

from typing import Any, Self

from attrs import evolve

from libstorage.models.compare import Difference, differences
from libstorage.xml.document import Document, Element
from libstorage.xml.mapping import construct, mapping_of


class Spec(Document):
    """A document that describes something to be made."""

    __slots__ = ()

    def request(self, **changes: Any) -> Self:
        """This document without what libvirt reported, changed as asked, ready to be sent.

        Args:
            changes: Fields to change, as for ``attrs.evolve``.

        Raises:
            DocumentError: If the result is not sound.
        """
        evolved: Self = evolve(without_reported(self), **changes)
        return evolved

    def differences(self, want: Self) -> tuple[Difference, ...]:
        """Where this document is not what ``want`` asks for: only over what ``want`` sets.

        Differences that libvirt makes itself when it takes a document (``models.compare``) do not count.
        """
        return differences(self, want)


def without_reported(element: Any) -> Any:
    """``element`` with every reported field, here and below, back at its default."""
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
