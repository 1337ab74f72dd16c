"""The elements of a pool other than its source."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import ClassVar, cast

from attrs import field, frozen

from libstorage.enums import RefreshAllocation
from libstorage.errors import Problem
from libstorage.models.convert import many, to_path, to_refresh_allocation
from libstorage.models.permissions import Permissions
from libstorage.models.source_parts import ABSOLUTE_PATH
from libstorage.xml.document import Element
from libstorage.xml.fields import Namespace, attribute, child, text, value
from libstorage.xml.kinds import YES_NO, UnknownWord, words

RBD = Namespace(prefix="rbd", uri="http://libvirt.org/schemas/storagepool/rbd/1.0")


@frozen(kw_only=True, eq=False, repr=False, weakref_slot=False)
class PoolTarget(Element):
    """The location of a pool on the host: the ``<target>`` element."""

    TAG: ClassVar[str] = "target"

    path: str | None = field(
        default=None,
        converter=to_path,
        metadata=text("path", ABSOLUTE_PATH, doc="The directory that holds the volumes."),
    )
    permissions: Permissions | None = field(
        default=None, metadata=child("permissions", Permissions, doc="Permissions of that directory.")
    )


@frozen(kw_only=True, eq=False, repr=False, weakref_slot=False)
class PoolFeatures(Element):
    """Optional features of a pool: the ``<features>`` element."""

    TAG: ClassVar[str] = "features"

    cow: bool | None = field(
        default=None,
        metadata=value("cow", "state", YES_NO, doc="Whether a btrfs directory copies on write."),
    )


@frozen(kw_only=True, eq=False, repr=False, weakref_slot=False)
class RefreshVolume(Element):
    """The way in which a refresh determines a volume's allocation: the ``<volume>`` element inside ``<refresh>``."""

    TAG: ClassVar[str] = "volume"

    allocation: RefreshAllocation | UnknownWord | None = field(
        default=None,
        converter=to_refresh_allocation,
        metadata=attribute(
            "allocation",
            words(RefreshAllocation),
            doc="How to determine the allocation: ask the storage (slow), or take the capacity.",
        ),
    )


@frozen(kw_only=True, eq=False, repr=False, weakref_slot=False)
class PoolRefresh(Element):
    """The refresh settings of a pool: the ``<refresh>`` element."""

    TAG: ClassVar[str] = "refresh"

    volume: RefreshVolume | None = field(
        default=None, metadata=child("volume", RefreshVolume, doc="What a refresh does for each volume.")
    )


@frozen(kw_only=True, eq=False, repr=False, weakref_slot=False)
class ConfigOption(Element):
    """One option for the Ceph client: the ``<rbd:option>`` element."""

    TAG: ClassVar[str] = "option"
    NAMESPACE: ClassVar[Namespace | None] = RBD

    name: str = field(metadata=attribute("name", doc="Name of the option, such as client_mount_timeout."))
    value: str = field(metadata=attribute("value", doc="Value of the option."))

    def _rules(self) -> Iterator[Problem]:
        for name in ("name", "value"):
            if not getattr(self, name):
                yield self._broken(name, "is empty, which libvirt refuses", expected="some text")


Options = Mapping[str, str] | Iterable[ConfigOption]


def to_config_options(value: Options) -> tuple[ConfigOption, ...]:
    """Return options of the Ceph client as a tuple; they may be given as a mapping from name to value."""
    if isinstance(value, Mapping):
        options = cast("Mapping[str, str]", value)
        return tuple(ConfigOption(name=name, value=text) for name, text in options.items())
    return many(value)
