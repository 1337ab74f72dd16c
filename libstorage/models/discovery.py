"""Discovery of sources: the query ``<source>`` and the result ``<sources>`` of ``virConnectFindStoragePoolSources``."""

from __future__ import annotations

from typing import ClassVar

from attrs import field, frozen

from libstorage.enums import LogicalFormat, NetfsFormat, PoolType
from libstorage.models import sources
from libstorage.models.source_parts import (
    DIR,
    Device,
    Initiator,
    SourceHost,
    to_devices,
    to_hosts,
    to_optional_initiator,
)
from libstorage.xml.document import Document, Element
from libstorage.xml.fields import Unknown, child, children, text, unknown, value
from libstorage.xml.kinds import matching

_WORDS = tuple(dict.fromkeys((*LogicalFormat, *NetfsFormat)))
_FORMAT = matching("found format", "|".join(_WORDS), f"one of {', '.join(_WORDS)}")
_HOSTS = children("host", SourceHost, doc="The servers.")
_INITIATOR = child("initiator", Initiator, doc="Identity that this host presents to the iSCSI target.")


@frozen(kw_only=True, eq=False, repr=False, weakref_slot=False)
class SourceQuery(Document):
    """The query for discovery: the document that says where to look for sources."""

    ROOT: ClassVar[str] = "source"

    hosts: tuple[SourceHost, ...] = field(default=(), converter=to_hosts, metadata=_HOSTS)
    initiator: Initiator | None = field(default=None, converter=to_optional_initiator, metadata=_INITIATOR)
    unknown: tuple[Unknown, ...] = unknown()


@frozen(kw_only=True, eq=False, repr=False, weakref_slot=False)
class FoundSource(Element):
    """One source that discovery found, with all fields of the document, whatever the pool type."""

    TAG: ClassVar[str] = "source"

    hosts: tuple[SourceHost, ...] = field(default=(), converter=to_hosts, metadata=_HOSTS)
    devices: tuple[Device, ...] = field(
        default=(),
        converter=to_devices,
        metadata=children("device", Device, doc="The devices, or the iSCSI target."),
    )
    dir: str | None = field(
        default=None, metadata=value("dir", "path", DIR, doc="The exported directory or volume.")
    )
    name: str | None = field(default=None, metadata=text("name", doc="The volume group or Gluster volume."))
    initiator: Initiator | None = field(default=None, converter=to_optional_initiator, metadata=_INITIATOR)
    format: str | None = field(
        default=None,
        metadata=value("format", "type", _FORMAT, doc="The network file system or volume manager."),
    )

    def as_source(self, type: PoolType | str) -> sources.Source:
        """Return the source of a pool of that type, ready for a ``PoolSpec``.

        Raises:
            DocumentError: If the type requires a field that discovery did not find.
            ValueError: If libvirt has no discovery for the type.
        """
        match PoolType(type):
            case PoolType.NETFS:
                return sources.NetfsSource(hosts=self.hosts, dir=self.dir or "", format=self.format)
            case PoolType.GLUSTER:
                return sources.GlusterSource(hosts=self.hosts, dir=self.dir, name=self.name or "")
            case PoolType.LOGICAL:
                return sources.LogicalSource(devices=self.devices, name=self.name, format=self.format)
            case PoolType.ISCSI:
                return sources.IscsiSource(hosts=self.hosts, device=self._device(), initiator=self.initiator)
            case PoolType.ISCSI_DIRECT:
                initiator = self.initiator or Initiator(iqn="")
                return sources.IscsiDirectSource(hosts=self.hosts, device=self._device(), initiator=initiator)
            case other:
                raise ValueError(f"libvirt has no discovery of sources for {other} pools")

    def _device(self) -> Device:
        return self.devices[0] if self.devices else Device(path="")


@frozen(kw_only=True, eq=False, repr=False, weakref_slot=False)
class PoolSources(Document):
    """The sources that discovery found.

    https://libvirt.org/html/libvirt-libvirt-storage.html#virConnectFindStoragePoolSources
    """

    ROOT: ClassVar[str] = "sources"

    found: tuple[FoundSource, ...] = field(
        default=(), metadata=children("source", FoundSource, doc="One entry for each source.")
    )
    unknown: tuple[Unknown, ...] = unknown()
