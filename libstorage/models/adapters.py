"""Adapters of scsi pools: ``<adapter>``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from attrs import field, frozen

from libstorage.enums import AdapterType
from libstorage.errors import Problem
from libstorage.xml.document import Element
from libstorage.xml.fields import Variants, attribute, child, word
from libstorage.xml.kinds import ON_OFF, YES_NO, matching, number, pci

WWN = matching(
    "world wide name",
    "(0x)?[0-9a-fA-F]{16}",
    "a World Wide Name: 16 hexadecimal digits, with or without 0x before them",
)


@frozen(kw_only=True, eq=False, repr=False, weakref_slot=False)
class PciAddress(Element):
    """A PCI address: the ``<address>`` element."""

    TAG: ClassVar[str] = "address"

    domain: int | None = field(
        default=None, metadata=attribute("domain", pci("PCI domain", 4, 0xFFFFFFFF), doc="PCI domain.")
    )
    bus: int | None = field(
        default=None,
        metadata=attribute(
            "bus",
            pci("PCI bus", 2, 0xFF, spelt="a number from 0 to 0xff, in hexadecimal with 0x"),
            doc="PCI bus.",
        ),
    )
    slot: int | None = field(
        default=None, metadata=attribute("slot", pci("PCI slot", 2, 0x1F), doc="PCI slot.")
    )
    function: int | None = field(
        default=None, metadata=attribute("function", pci("PCI function", 1, 7), doc="PCI function.")
    )
    multifunction: bool | None = field(
        default=None,
        metadata=attribute("multifunction", ON_OFF, doc="Whether the slot has several functions."),
    )


@frozen(kw_only=True, eq=False, repr=False, weakref_slot=False)
class ParentAddress(Element):
    """The PCI device of an adapter, which stays the same across reboots: the ``<parentaddr>`` element."""

    TAG: ClassVar[str] = "parentaddr"

    unique_id: int | None = field(
        default=None,
        metadata=attribute(
            "unique_id",
            number("unique id", 1, 2**31 - 1, spelt="a whole number from 1 on"),
            doc="Number of the adapter on the PCI device.",
        ),
    )
    address: PciAddress = field(metadata=child("address", PciAddress, doc="The PCI device."))

    def _rules(self) -> Iterator[Problem]:
        if self.unique_id is None:
            yield self._broken("unique_id", "libvirt requires this field, although its schema does not")


@frozen(kw_only=True, eq=False, repr=False, weakref_slot=False)
class ScsiHostAdapter(Element):
    """A SCSI host adapter, identified by its name or by its PCI device."""

    TAG: ClassVar[str] = "adapter"
    IS_TYPED: ClassVar[bool] = True
    type: ClassVar[AdapterType] = AdapterType.SCSI_HOST

    name: str | None = field(
        default=None, metadata=attribute("name", doc="Name, such as host0 or scsi_host0.")
    )
    parent: ParentAddress | None = field(
        default=None,
        metadata=child("parentaddr", ParentAddress, doc="PCI device of the adapter."),
    )

    def _rules(self) -> Iterator[Problem]:
        if (self.name is None) == (self.parent is None):
            yield self._broken(
                "name", "an adapter is identified by either its name or its parent; give exactly one of them"
            )
        if self.name and {*self.name} & {*"<&'"}:
            yield self._broken(
                "name",
                f"{self.name!r} contains <, & or ', which libvirt writes into its XML without escaping",
            )


@frozen(kw_only=True, eq=False, repr=False, weakref_slot=False)
class FcHostAdapter(Element):
    """A virtual Fibre Channel adapter (NPIV), identified by its world wide names."""

    TAG: ClassVar[str] = "adapter"
    IS_TYPED: ClassVar[bool] = True
    type: ClassVar[AdapterType] = AdapterType.FC_HOST

    parent: str | None = field(
        default=None,
        metadata=attribute(
            "parent", doc="Adapter on which libvirt creates the virtual adapter, such as scsi_host5."
        ),
    )
    managed: bool | None = field(
        default=None,
        metadata=attribute("managed", YES_NO, doc="Whether stopping the pool removes the adapter."),
    )
    parent_wwnn: str | None = field(
        default=None, metadata=attribute("parent_wwnn", WWN, doc="World wide node name of the parent.")
    )
    parent_wwpn: str | None = field(
        default=None, metadata=attribute("parent_wwpn", WWN, doc="World wide port name of the parent.")
    )
    parent_fabric_wwn: str | None = field(
        default=None,
        metadata=attribute("parent_fabric_wwn", WWN, doc="World wide name of the parent's fabric."),
    )
    wwnn: str = field(metadata=attribute("wwnn", WWN, doc="World wide node name."))
    wwpn: str = field(metadata=attribute("wwpn", WWN, doc="World wide port name."))

    def _rules(self) -> Iterator[Problem]:
        if (self.parent_wwnn is None) != (self.parent_wwpn is None):
            yield self._broken(
                "parent_wwnn", "parent_wwnn and parent_wwpn must be given together or not at all"
            )


@frozen(kw_only=True, eq=False, repr=False, weakref_slot=False)
class UnknownAdapter(Element):
    """An adapter of a kind that libstorage does not know; the adapter's content is in the document's ``unknown``."""

    TAG: ClassVar[str] = "adapter"
    IS_TYPED: ClassVar[bool] = True

    type: str = field(metadata=word(doc="The kind of adapter that the document names."))


Adapter = ScsiHostAdapter | FcHostAdapter | UnknownAdapter


def to_adapter(value: Adapter | str) -> Adapter:
    """Return an adapter; text is the name of a SCSI host adapter."""
    return ScsiHostAdapter(name=value) if isinstance(value, str) else value


ADAPTERS = Variants(models=(ScsiHostAdapter, FcHostAdapter), absent="scsi_host", fallback=UnknownAdapter)
