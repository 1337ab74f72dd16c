"""A host's report on the pool types that its libvirt knows: ``<storagepoolCapabilities>``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

from attrs import field, frozen

from libstorage.enums import PoolType
from libstorage.errors import Problem
from libstorage.models.convert import to_names, to_pool_type
from libstorage.xml.document import Document, Element
from libstorage.xml.fields import Unknown, attribute, child, children, texts, unknown, value
from libstorage.xml.kinds import YES_NO, UnknownWord, words

if TYPE_CHECKING:
    from libstorage.display.page import Page


@frozen(kw_only=True, eq=False, repr=False, weakref_slot=False)
class CapabilityEnum(Element):
    """A list of allowed words: the ``<enum>`` element."""

    TAG: ClassVar[str] = "enum"

    name: str = field(
        metadata=attribute("name", doc="Meaning of the words: sourceFormatType or targetFormatType.")
    )
    values: tuple[str, ...] = field(
        default=(), converter=to_names, metadata=texts("value", doc="The allowed words.")
    )


@frozen(kw_only=True, eq=False, repr=False, weakref_slot=False)
class CapabilityOptions(Element):
    """The formats of pools or volumes: the ``<poolOptions>`` and ``<volOptions>`` elements."""

    default_format: str | None = field(
        default=None,
        metadata=value("defaultFormat", "type", doc="The format that libvirt uses if a document names none."),
    )
    enums: tuple[CapabilityEnum, ...] = field(
        default=(), metadata=children("enum", CapabilityEnum, doc="The lists of words.")
    )

    @property
    def formats(self) -> tuple[str, ...]:
        """The formats that libvirt lists. Whether libvirt can create each of them depends on its tools."""
        return tuple(word for enum in self.enums if enum.name.endswith("FormatType") for word in enum.values)


@frozen(kw_only=True, eq=False, repr=False, weakref_slot=False)
class PoolTypeCapabilities(Element):
    """A host's report on one pool type: the ``<pool>`` element."""

    TAG: ClassVar[str] = "pool"

    type: PoolType | UnknownWord = field(
        converter=to_pool_type, metadata=attribute("type", words(PoolType), doc="The pool type.")
    )
    supported: bool = field(
        metadata=attribute("supported", YES_NO, doc="Whether the host has a driver for the pool type.")
    )
    pool_options: CapabilityOptions | None = field(
        default=None, metadata=child("poolOptions", CapabilityOptions, doc="Formats of the pool's source.")
    )
    volume_options: CapabilityOptions | None = field(
        default=None, metadata=child("volOptions", CapabilityOptions, doc="Formats of volumes.")
    )

    def _rules(self) -> Iterator[Problem]:
        if self.volume_options and self.volume_options.default_format is None:
            yield self._broken("volume_options.default_format", "libvirt's schema requires this field")


@frozen(kw_only=True, eq=False, repr=False, weakref_slot=False)
class PoolCapabilities(Document):
    """A host's report on the pool types that its libvirt knows.

    https://libvirt.org/html/libvirt-libvirt-storage.html#virConnectGetStoragePoolCapabilities
    """

    ROOT: ClassVar[str] = "storagepoolCapabilities"

    pools: tuple[PoolTypeCapabilities, ...] = field(
        default=(), metadata=children("pool", PoolTypeCapabilities, doc="One entry for each pool type.")
    )
    unknown: tuple[Unknown, ...] = unknown()

    def _page(self, most: int | None) -> Page:
        from libstorage.models.matrix import matrix_page

        ordered = sorted(self.pools, key=lambda pool: (not pool.supported, str(pool.type)))
        return matrix_page(
            [
                (str(pool.type), pool.supported, _formats(pool.pool_options), _formats(pool.volume_options))
                for pool in ordered
            ],
            most,
        )

    def get(self, type: PoolType | str) -> PoolTypeCapabilities | None:
        """Return the entry of pool type ``type``, or ``None`` if the document lacks it."""
        return next((pool for pool in self.pools if pool.type == type), None)

    def supports(self, type: PoolType | str) -> bool:
        """Return whether the host has a driver for pool type ``type``."""
        found = self.get(type)
        return found is not None and found.supported


def _formats(options: CapabilityOptions | None) -> str:
    """Return the formats of a pool type, with a star at libvirt's default."""
    if options is None:
        return ""
    return ", ".join(f"{word}*" if word == options.default_format else word for word in options.formats)
