"""Storage volumes: ``<volume>``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, ClassVar, Self

import attrs
from attrs import field, frozen

from libstorage.enums import EncryptionEngine, EncryptionFormat, VolumeFormat, VolumeType
from libstorage.errors import Problem
from libstorage.foreign import answer_foreign_names
from libstorage.models.convert import to_size, to_volume_format, to_volume_type
from libstorage.models.encryption import Encryption
from libstorage.models.permissions import Permissions
from libstorage.models.source_parts import ABSOLUTE_PATH
from libstorage.models.spec import Spec
from libstorage.units import KiB, Size, SizeLike
from libstorage.xml.document import Element
from libstorage.xml.fields import (
    Unknown,
    attribute,
    child,
    children,
    flag,
    reported,
    size,
    text,
    unknown,
    value,
)
from libstorage.xml.kinds import OFFSET, TIMESTAMP, UnknownWord, matching, numbered, words

_LETTER = r"(?:[^\x00-\x20#%?\[\]/:]|%[0-9a-fA-F]{2})"
_REST = r"(?:[^\x00-\x20#%\[\]]|%[0-9a-fA-F]{2})*"
_HOST = r"(?:[a-zA-Z0-9._~\-]+|\[[0-9a-fA-F:.]+\])(?::[0-9]{1,5})?"
_REFERENCE = rf"{_LETTER}+(?:/{_REST})?"
_URI = rf"[a-zA-Z][a-zA-Z0-9+.\-]*:(?:(?!//){_REST}|//(?:{_HOST})?(?:/{_REST})?)"

VOLUME_NAME = matching(
    "volume name",
    r"(?![ \t\r\n]*\.{1,2}[ \t\r\n]*\Z)[^/]+",
    "a name without '/', and neither '.' nor '..'",
)
PATH_OR_URI = matching(
    "path or URI",
    rf"(/|[a-zA-Z]:\\)[^\n\r]+|{_URI}|{_REFERENCE}",
    "an absolute path or a URI",
)
COMPAT = matching("compat", r"[0-9]+\.[0-9]+", "a version with one dot, such as 1.1")

_FORMAT = value("format", "type", words(VolumeFormat), doc="Format; for files libvirt's default is raw.")
_PERMISSIONS = child("permissions", Permissions, doc="Permissions of the file.")
_QEMU_ID = re.compile(r"[a-zA-Z][a-zA-Z0-9._\-]*")  # from the name libvirt makes the id of qemu-img's secret
_CLUSTERS = [512 << power for power in range(13)]

# The backing formats that each format allows: qemu-img refuses vmdk over other formats, and libvirt never lists a qed
# volume over another format again.
_BACKED_BY = {
    VolumeFormat.COW: None,
    VolumeFormat.QCOW: None,
    VolumeFormat.QCOW2: None,
    VolumeFormat.QED: VolumeFormat.RAW,
    VolumeFormat.VMDK: VolumeFormat.VMDK,
}


@frozen(kw_only=True, eq=False, repr=False, weakref_slot=False)
class Timestamps(Element):
    """Times of access and change of a file, in nanoseconds since the epoch: the ``<timestamps>`` element."""

    TAG: ClassVar[str] = "timestamps"

    atime: int | None = field(default=None, metadata=text("atime", TIMESTAMP, doc="Time of the last read."))
    mtime: int | None = field(default=None, metadata=text("mtime", TIMESTAMP, doc="Time of the last write."))
    ctime: int | None = field(
        default=None, metadata=text("ctime", TIMESTAMP, doc="Time of the last change to the inode.")
    )
    btime: int | None = field(default=None, metadata=text("btime", TIMESTAMP, doc="Time of creation."))


_TIMESTAMPS = child("timestamps", Timestamps, reported=True, doc="Times of access and change of the file.")


@frozen(kw_only=True, eq=False, repr=False, weakref_slot=False)
class Extent(Element):
    """A contiguous range of a device: the ``<extent>`` element."""

    TAG: ClassVar[str] = "extent"

    start: int = field(metadata=attribute("start", OFFSET, doc="Offset of the first byte."))
    end: int = field(metadata=attribute("end", OFFSET, doc="Offset after the last byte."))


@frozen(kw_only=True, eq=False, repr=False, weakref_slot=False)
class VolumeDevice(Element):
    """A device that holds a volume's data: the ``<device>`` element."""

    TAG: ClassVar[str] = "device"

    path: str = field(metadata=attribute("path", ABSOLUTE_PATH, doc="Absolute path of the block device."))
    extents: tuple[Extent, ...] = field(
        default=(), metadata=children("extent", Extent, doc="The ranges that the volume occupies.")
    )


@frozen(kw_only=True, eq=False, repr=False, weakref_slot=False)
class VolumeSource(Element):
    """The devices that hold a volume of a logical or disk pool: the ``<source>`` element."""

    TAG: ClassVar[str] = "source"

    devices: tuple[VolumeDevice, ...] = field(
        default=(), metadata=children("device", VolumeDevice, doc="The devices.")
    )


@frozen(kw_only=True, eq=False, repr=False, weakref_slot=False)
class VolumeFeatures(Element):
    """Features of a qcow2 volume: the ``<features>`` element. Each needs compat 1.1, which libvirt then uses."""

    TAG: ClassVar[str] = "features"

    lazy_refcounts: bool = field(
        default=False,
        metadata=flag(
            "lazy_refcounts", doc="Delay reference count updates: faster, but needs a repair after a crash."
        ),
    )
    extended_l2: bool = field(
        default=False,
        metadata=flag("extended_l2", doc="Allocate space in subclusters, which are parts of a cluster."),
    )


@frozen(kw_only=True, eq=False, repr=False, weakref_slot=False)
class VolumeTarget(Element):
    """The path, format and other properties of a volume on the host: the ``<target>`` element."""

    TAG: ClassVar[str] = "target"

    path: str | None = field(
        default=None,
        metadata=text(
            "path",
            PATH_OR_URI,
            reported=True,
            doc="Path of the volume; libvirt derives it from the pool and the name.",
        ),
    )
    format: VolumeFormat | UnknownWord | None = field(
        default=None, converter=to_volume_format, metadata=_FORMAT
    )
    permissions: Permissions | None = field(default=None, metadata=_PERMISSIONS)
    timestamps: Timestamps | None = field(default=None, metadata=_TIMESTAMPS)
    encryption: Encryption | None = field(
        default=None, metadata=child("encryption", Encryption, doc="Encryption of the volume.")
    )
    compat: str | None = field(
        default=None,
        metadata=text(
            "compat", COMPAT, doc="qcow2 version: 0.10 (the default of libvirt 9.0) or 1.1 (that of 11.3)."
        ),
    )
    nocow: bool = field(
        default=False,
        metadata=flag("nocow", write_only=True, doc="Disable copy-on-write for this file; btrfs only."),
    )
    cluster_size: Size | None = field(
        default=None,
        converter=to_size,
        metadata=size("clusterSize", unit="B", doc="Cluster size of a qcow2 volume."),
    )
    features: VolumeFeatures | None = field(
        default=None, metadata=child("features", VolumeFeatures, doc="Features of a qcow2 volume.")
    )

    def _rules(self) -> Iterator[Problem]:
        if self.format == VolumeFormat.QCOW2:
            yield from self._qcow2_rules()
        elif not isinstance(self.format, UnknownWord):
            for name in ("compat", "cluster_size", "features"):
                if getattr(self, name) is not None:
                    yield self._broken(name, f"only qcow2 volumes have {name}", expected="format qcow2")
        luks = self.encryption and self.encryption.format == EncryptionFormat.LUKS
        by_qemu = self.encryption and self.encryption.engine != EncryptionEngine.LIBRBD
        if luks and by_qemu and self.format not in (None, VolumeFormat.RAW, VolumeFormat.QCOW2):
            yield self._broken("encryption", f"libvirt encrypts raw and qcow2 volumes, not {self.format}")

    def _qcow2_rules(self) -> Iterator[Problem]:
        if self.features and self.compat == "0.10":
            for name in ("lazy_refcounts", "extended_l2"):
                if getattr(self.features, name):
                    yield self._broken("compat", f"{name} needs compat 1.1, not 0.10", expected="1.1")
        if self.compat not in (None, "0.10", "1.1"):
            yield self._broken("compat", f"qcow2 has no version {self.compat}", expected="0.10 or 1.1")
        if self.cluster_size is not None and self.cluster_size not in _CLUSTERS:
            yield self._broken(
                "cluster_size",
                f"{self.cluster_size} is not a valid cluster size for qcow2",
                expected="512 bytes to 2 MiB, a power of 2",
            )
        elif self.features and self.features.extended_l2 and (self.cluster_size or 16 * KiB) < 16 * KiB:
            yield self._broken(
                "cluster_size", "extended_l2 needs clusters of 16 KiB or more", expected="16 KiB to 2 MiB"
            )


@frozen(kw_only=True, eq=False, repr=False, weakref_slot=False)
class BackingStore(Element):
    """The backing volume, below a volume that stores only the changes: the ``<backingStore>`` element."""

    TAG: ClassVar[str] = "backingStore"

    path: str = field(metadata=text("path", ABSOLUTE_PATH, doc="Absolute path on the host."))
    format: VolumeFormat | UnknownWord | None = field(
        default=None, converter=to_volume_format, metadata=_FORMAT
    )
    permissions: Permissions | None = field(default=None, metadata=reported(_PERMISSIONS))
    timestamps: Timestamps | None = field(default=None, metadata=_TIMESTAMPS)


@frozen(kw_only=True, eq=False, repr=False, weakref_slot=False)
class VolumeSpec(Spec):
    """A storage volume: the ``<volume>`` document.

    Factories create the common kinds of volumes: ``VolumeSpec.qcow2("web.qcow2", "20 GiB")``.
    """

    ROOT: ClassVar[str] = "volume"
    EXAMPLE: ClassVar[str] = 'VolumeSpec.qcow2("web.qcow2", "20 GiB")'

    type: VolumeType | UnknownWord | None = field(
        default=None,
        converter=to_volume_type,
        metadata=attribute(
            "type",
            numbered(VolumeType),
            reported=True,
            doc="Kind of volume: file, block, dir, network or netdir.",
        ),
    )
    name: str = field(metadata=text("name", VOLUME_NAME, doc="Name, unique within the pool."))
    key: str | None = field(
        default=None,
        metadata=text(
            "key", reported=True, doc="Identifier, unique on the host; for most volumes it is the path."
        ),
    )
    source: VolumeSource | None = field(
        default=None,
        metadata=child("source", VolumeSource, reported=True, doc="Devices that hold the volume's data."),
    )
    capacity: Size | None = field(
        default=None, converter=to_size, metadata=size("capacity", doc="Logical size, as a guest sees it.")
    )
    allocation: Size | None = field(
        default=None,
        converter=to_size,
        metadata=size(
            "allocation", doc="Space charged now; a request for less than the capacity makes a sparse volume."
        ),
    )
    physical: Size | None = field(
        default=None, converter=to_size, metadata=size("physical", reported=True, doc="Size of the file.")
    )
    target: VolumeTarget = field(
        factory=VolumeTarget,
        metadata=child("target", VolumeTarget, doc="Path, format and other properties on the host."),
    )
    backing_store: BackingStore | None = field(
        default=None,
        metadata=child(
            "backingStore",
            BackingStore,
            doc="The backing volume; this volume stores only the changes to its content.",
        ),
    )
    unknown: tuple[Unknown, ...] = unknown()

    def with_target(self, **changes: Any) -> Self:
        """Return a copy in which ``changes`` are applied to the target.

        Raises:
            DocumentError: If the result is not sound.
        """
        return attrs.evolve(self, target=attrs.evolve(self.target, **changes))

    def _rules(self) -> Iterator[Problem]:
        form = self.target.format
        if self.backing_store and isinstance(form, VolumeFormat):
            below, only = self.backing_store.format, _BACKED_BY.get(form)
            if form not in _BACKED_BY:
                yield self._broken(
                    "backing_store",
                    f"{form} volumes cannot have a backing store; use qcow2, or in a logical pool a snapshot, for "
                    "which the format is left out",
                )
            elif only and below not in (None, only):
                yield self._broken(
                    "backing_store", f"libvirt accepts {form} volumes over {only} only, not over {below}"
                )
        if form == VolumeFormat.QCOW and self.capacity == 0:
            yield self._broken("capacity", "a qcow volume needs a capacity of at least one byte")
        encryption = self.target.encryption
        by_qemu = encryption and encryption.engine != EncryptionEngine.LIBRBD
        if by_qemu and not _QEMU_ID.fullmatch(self.name):
            yield self._broken(
                "name",
                f"{self.name!r} is not a valid name for an encrypted volume",
                expected="a letter, followed by letters, digits and -._",
            )

    # ---- factories --------------------------------------------------------------------------------------------------

    @classmethod
    def image(
        cls,
        name: str,
        format: VolumeFormat | str,
        capacity: SizeLike | None = None,
        *,
        allocation: SizeLike | None = None,
        backing: BackingStore | None = None,
        permissions: Permissions | None = None,
        encryption: Encryption | None = None,
        nocow: bool = False,
    ) -> Self:
        """Describe a volume of any format.

        Args:
            name: Name of the volume, unique within the pool.
            format: Format of the volume.
            capacity: Logical size in bytes, or text with a unit. If it is ``None``, a clone has the capacity of its
                source, and a volume with a backing store has the capacity of that store.
            allocation: Space to charge at once, in bytes. libvirt's default is the whole capacity; 0 makes a sparse
                volume.
            backing: The backing volume; the new volume stores only the changes to its content.
            permissions: Permissions of the file.
            encryption: Encryption of the volume.
            nocow: Disable copy-on-write; btrfs only.

        Raises:
            DocumentError: If the arguments do not make a sound document.
        """
        target = VolumeTarget(format=format, permissions=permissions, encryption=encryption, nocow=nocow)
        return cls(name=name, capacity=capacity, allocation=allocation, target=target, backing_store=backing)

    @classmethod
    def raw(
        cls,
        name: str,
        capacity: SizeLike | None = None,
        *,
        allocation: SizeLike | None = None,
        permissions: Permissions | None = None,
        encryption: Encryption | None = None,
        nocow: bool = False,
    ) -> Self:
        """Describe a volume of plain bytes; see [image][libstorage.VolumeSpec.image] for the arguments.

        Raises:
            DocumentError: If the arguments do not make a sound document.
        """
        return cls.image(
            name,
            VolumeFormat.RAW,
            capacity,
            allocation=allocation,
            permissions=permissions,
            encryption=encryption,
            nocow=nocow,
        )

    @classmethod
    def qcow2(
        cls,
        name: str,
        capacity: SizeLike | None = None,
        *,
        backing: BackingStore | None = None,
        compat: str | None = None,
        cluster_size: SizeLike | None = None,
        lazy_refcounts: bool = False,
        extended_l2: bool = False,
        allocation: SizeLike | None = None,
        permissions: Permissions | None = None,
        encryption: Encryption | None = None,
        nocow: bool = False,
    ) -> Self:
        """Describe a qcow2 volume; see [image][libstorage.VolumeSpec.image] for the other arguments.

        Args:
            name: Name of the volume, unique within the pool.
            capacity: Logical size in bytes, or text with a unit.
            backing: The backing volume; the new volume stores only the changes to its content. Example:
                ``other.as_backing()``.
            compat: ``"1.1"``, the default of libvirt 11.3, or ``"0.10"``, that of 9.0.
            cluster_size: Cluster size in bytes, or text with a unit: a power of 2 from 512 bytes to 2 MiB.
            lazy_refcounts: Delay reference count updates.
            extended_l2: Allocate space in subclusters, which are parts of a cluster.
            allocation: Space to charge at once, in bytes; valid only with preallocated metadata.
            permissions: Permissions of the file.
            encryption: Encryption of the volume.
            nocow: Disable copy-on-write; btrfs only.

        Raises:
            DocumentError: If the arguments do not make a sound document.
        """
        wanted = lazy_refcounts or extended_l2
        target = VolumeTarget(
            format=VolumeFormat.QCOW2,
            permissions=permissions,
            encryption=encryption,
            compat=compat,
            nocow=nocow,
            cluster_size=cluster_size,
            features=VolumeFeatures(lazy_refcounts=lazy_refcounts, extended_l2=extended_l2)
            if wanted
            else None,
        )
        return cls(name=name, capacity=capacity, allocation=allocation, target=target, backing_store=backing)

    @classmethod
    def directory(cls, name: str, *, permissions: Permissions | None = None) -> Self:
        """Describe a volume that is a directory.

        Raises:
            DocumentError: If the arguments do not make a sound document.
        """
        return cls.image(name, VolumeFormat.DIR, 0, permissions=permissions)


answer_foreign_names(VolumeSpec)
