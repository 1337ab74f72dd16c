"""Servers, devices and initiators: the parts of pool sources."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Iterator
from typing import Any, ClassVar

from attrs import field, frozen

from libstorage.errors import Problem
from libstorage.models.convert import PathText, many, to_path_text
from libstorage.xml.document import Element
from libstorage.xml.fields import attribute, children, value
from libstorage.xml.kinds import OFFSET, YES_NO, matching, number

_HEX = "[0-9A-Fa-f]{1,4}"
_BYTE = "(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_IPV4 = rf"({_BYTE}\.){{3}}{_BYTE}"
_IPV6 = "|".join(
    (
        f"({_HEX}:){{7}}{_HEX}",
        f"({_HEX}:){{6}}:{_HEX}",
        f"({_HEX}:){{5}}:({_HEX}:)?{_HEX}",
        f"({_HEX}:){{4}}:({_HEX}:){{0,2}}{_HEX}",
        f"({_HEX}:){{3}}:({_HEX}:){{0,3}}{_HEX}",
        f"({_HEX}:){{2}}:({_HEX}:){{0,4}}{_HEX}",
        f"({_HEX}:){{6}}{_IPV4}",
        f"::({_HEX}:){{0,5}}{_IPV4}",
        f"{_HEX}::({_HEX}:){{0,5}}{_HEX}",
        f"::({_HEX}:){{0,6}}{_HEX}",
        f"({_HEX}:){{1,7}}:",
        "::",
    )
)
_QUALIFIED = r"iqn\.[0-9]{4}-(0[1-9]|1[0-2])\.[a-zA-Z0-9.\-]+(:[^\n\r]+)?"
_NUMBERED = r"eui\.[0-9A-Fa-f]{16}|naa\.([0-9A-Fa-f]{16}|[0-9A-Fa-f]{32})"
_ABSOLUTE = r"(/|[a-zA-Z]:\\)[^\n\r]+"

HOST_NAME = matching(
    "host name",
    rf"[a-zA-Z0-9.\-]+|{_IPV6}",
    "a DNS name, an IPv4 address or an IPv6 address without brackets",
    also=rf"\[({_IPV6})\]",
)
PORT = number("port", -1, 65535, "a port from 0 to 65535, or -1 to leave it to libvirt")
ABSOLUTE_PATH = matching("absolute path", _ABSOLUTE, "an absolute path below /, such as /srv/images")
ABSOLUTE_DIR = matching("absolute directory", r"/[^\n\r]*", "an absolute path")
DIR = matching("directory", r"[^\n\r]+", "a path, or the name of a share")
SOURCE_NAME = matching("source name", ".+", "a name")
DEVICE_PATH = matching(
    "device path",
    rf"{_ABSOLUTE}|[a-zA-Z0-9_+\-]+|{_QUALIFIED}",
    "an absolute path, a plain name, or an iSCSI name such as iqn.2013-06.com.example:target",
    also=_NUMBERED,
)
IQN = matching("IQN", _QUALIFIED, "an iSCSI name such as iqn.2013-06.com.example:target", also=_NUMBERED)
VOLUME_PATH = matching(
    "path of a volume",
    _ABSOLUTE,
    "an absolute path below /, such as /srv/images, or the pool and image of Ceph, such as rbd/web",
    also=r"[^/\n\r]+/[^\n\r]+",
)

_WITH_PORT = re.compile(r"(?:\[(?P<v6>[^\]]+)\]|(?P<name>[^:]+))(?::(?P<port>[0-9]+))?")


@frozen(kw_only=True, eq=False, repr=False, weakref_slot=False)
class SourceHost(Element):
    """A server of a pool's source: the ``<host>`` element."""

    TAG: ClassVar[str] = "host"

    name: str = field(metadata=attribute("name", HOST_NAME, doc="Host name, IPv4 or IPv6 address."))
    port: int | None = field(
        default=None,
        metadata=attribute("port", PORT, doc="Port; libvirt's default is the port of the protocol."),
    )


@frozen(kw_only=True, eq=False, repr=False, weakref_slot=False)
class FreeExtent(Element):
    """A free range of a disk: the ``<freeExtent>`` element. Only libvirt reports this element."""

    TAG: ClassVar[str] = "freeExtent"

    start: int = field(metadata=attribute("start", OFFSET, doc="Offset of the first byte."))
    end: int = field(metadata=attribute("end", OFFSET, doc="Offset after the last byte."))


@frozen(kw_only=True, eq=False, repr=False, weakref_slot=False)
class Device(Element):
    """A device of a pool's source: the ``<device>`` element."""

    TAG: ClassVar[str] = "device"

    path: str = field(
        converter=to_path_text,
        metadata=attribute(
            "path", DEVICE_PATH, doc="Absolute path of a block device, or name of an iSCSI target."
        ),
    )
    part_separator: bool | None = field(
        default=None,
        metadata=attribute(
            "part_separator",
            YES_NO,
            doc="Whether the names of a multipath device's partitions have a p before the number.",
        ),
    )
    free_extents: tuple[FreeExtent, ...] = field(
        default=(),
        metadata=children("freeExtent", FreeExtent, reported=True, doc="Free ranges of the disk."),
    )


@frozen(kw_only=True, eq=False, repr=False, weakref_slot=False)
class Initiator(Element):
    """The identity that a host presents to an iSCSI target: the ``<initiator>`` element."""

    TAG: ClassVar[str] = "initiator"

    iqn: str = field(metadata=value("iqn", "name", doc="The initiator's iSCSI qualified name."))

    def _rules(self) -> Iterator[Problem]:
        if not self.iqn:
            yield self._broken("iqn", "is empty", expected=IQN.expected)


def _host(given: Any) -> Any:
    if not isinstance(given, str):
        return given
    if match := _WITH_PORT.fullmatch(given):
        port = match["port"]
        return SourceHost(name=match["v6"] or match["name"], port=int(port) if port else None)
    return SourceHost(name=given)


def to_hosts(value: Iterable[SourceHost | str] | SourceHost | str) -> tuple[SourceHost, ...]:
    """Return one server or several as a tuple; text is ``name``, ``name:port`` or ``[v6]:port``."""
    return tuple(_host(item) for item in many(value))


def to_mounted_hosts(value: Iterable[SourceHost | str] | SourceHost | str) -> tuple[SourceHost, ...]:
    """Return one server or several as a tuple, as ``mount`` takes them: an IPv6 address keeps its brackets."""
    return tuple(_mounted(item) for item in many(value))


def _mounted(given: Any) -> Any:
    match = _WITH_PORT.fullmatch(given) if isinstance(given, str) else None
    if match is None or not match["v6"]:
        return _host(given)
    port = match["port"]
    return SourceHost(name=f"[{match['v6']}]", port=int(port) if port else None)


def to_device(value: Device | PathText) -> Device:
    """Return a device, built from its path if needed."""
    return value if isinstance(value, Device) else Device(path=value)


def to_devices(value: Iterable[Device | PathText] | Device | PathText) -> tuple[Device, ...]:
    """Return one device or several as a tuple; each may be given as its path."""
    return tuple(to_device(item) for item in many(value))


def to_devices_or_device(
    devices: Iterable[Device | PathText] | Device | PathText, device: Device | PathText | None
) -> Iterable[Device | PathText] | Device | PathText:
    """Return ``devices``, or what a caller gave by the old name ``device``, which is deprecated."""
    if device is None:
        return devices
    warnings.warn("device= is deprecated: use devices=", DeprecationWarning, stacklevel=3)
    return device


def to_initiator(value: Initiator | str) -> Initiator:
    """Return an initiator, built from its IQN if needed."""
    return Initiator(iqn=value) if isinstance(value, str) else value


def to_optional_initiator(value: Initiator | str | None) -> Initiator | None:
    """Return an initiator, built from its IQN if needed, or ``None``."""
    return None if value is None else to_initiator(value)
