"""Detects images by their first bytes: format, size as a guest sees it, and references to other files."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final
from uuid import UUID

import attrs

from libstorage.display.shown import Shown
from libstorage.enums import VolumeFormat
from libstorage.errors import InvalidRequestError
from libstorage.models.info import values_page
from libstorage.transfer.pieces.archives import packed_by
from libstorage.transfer.pieces.layouts import follow
from libstorage.transfer.pieces.piece import Piece, Source, joined
from libstorage.transfer.pieces.plain import text_of
from libstorage.transfer.pieces.tables import AHEAD, CutOffError, Peek, Tables
from libstorage.units import Size
from libstorage.xml.kinds import UnknownWord

if TYPE_CHECKING:
    from libstorage.display.page import Page

HEAD: Final = 2 << 20
"""Number of bytes to read: a qcow2 image names its backing file in its first cluster."""

VHDX: Final = UnknownWord("vhdx")
"""A format that libvirt has no name for."""

_SECTOR: Final = 512
_LONGEST_NAME: Final = 1023  # qemu's limit for the name of a backing file
_DESCRIPTION: Final = 10240  # what qemu reads, whatever the header says
_ISO_PLACE: Final = 32769


@attrs.frozen
class ImageInfo(Shown):
    """Format, size and references of an image.

    Attributes:
        format: Format of the image; ``"vhdx"`` is a format that libvirt does not know.
        virtual_size: Size as a guest sees it, in bytes; ``None`` if the first bytes do not state it.
        backing_file: The backing file, as the image names it. A program that opens the image opens that file, too.
        data_file: Whether the data is in other files, which the image names.
        packed: Archives and compressions around the content, outermost first: ``("xz", "tar")``. The format is ``raw``
            then, and a guest would see the archive.
        text: What a raw image plainly is in place of a disk: ``HTML``, ``XML``, ``Git LFS pointer``, ``JSON``, ``text`` or
            ``nothing``.
        fixed_vhd: Whether this is a VHD of fixed size, whose only mark ends it. libvirt takes it for a raw image,
            and so a guest sees 512 bytes more: the mark.
    """

    format: VolumeFormat | UnknownWord
    virtual_size: Size | None
    backing_file: str | None = None
    data_file: bool = False
    packed: tuple[str, ...] = ()
    text: str | None = None
    fixed_vhd: bool = False

    def _page(self, most: int | None) -> Page:
        return values_page(self)


class Probed:
    """An image that is read, and whose tables are followed meanwhile.

    Args:
        head: The first pieces: ``HEAD`` bytes, or the whole image if it is shorter.
        source: Source of the pieces, for its name and length.
        peek: Reads elsewhere in the image.
        follows: Whether the tables are followed.

    Attributes:
        info: Format, size and references of the image.

    Raises:
        InvalidRequestError: If the image has the mark of a format, and breaks its rules or is cut off.
    """

    def __init__(
        self, head: list[Piece], source: Source, peek: Peek | None = None, *, follows: bool = True
    ) -> None:
        data = joined(head)
        length = len(data) if source.length is None and len(data) < HEAD else source.length
        self._name = source.name
        self._tables = Tables(length)
        with _refused(self._name):
            self.info: ImageInfo = _probed(_Head(data, length))
            if follows:
                self._follow(data, peek)

    @property
    def is_whole(self) -> bool:
        """Whether the last bytes of the image were seen."""
        return self._tables.has_end

    def feed(self, piece: Piece) -> None:
        """Take the next piece of the image.

        Raises:
            InvalidRequestError: If the image is cut off, or breaks the rules of its format.
        """
        with _refused(self._name):
            self._tables.feed(piece)

    def finish(self) -> None:
        """Take the end of the image.

        Raises:
            InvalidRequestError: If the image is cut off, or breaks the rules of its format.
        """
        with _refused(self._name):
            self._tables.finish()

    @property
    def has_missed(self) -> bool:
        """Whether tables went by before anything pointed to them."""
        return self._tables.has_missed

    def look_back(self, peek: Peek) -> None:
        """Read the tables that went by, where the image is now.

        Raises:
            InvalidRequestError: If the image is cut off, or breaks the rules of its format.
        """
        with _refused(self._name):
            self._tables.look_back(peek)

    def _follow(self, data: bytes, peek: Peek | None) -> None:
        """Follow the tables, those first that can be read now."""
        if self.info.format == VolumeFormat.RAW:
            self._tables.read_end(_SECTOR, self._see_end)
        follow(self.info.format, data, self._tables)
        self._tables.look(lambda place, most: data[place : place + most], HEAD * 4)
        if peek is not None:
            self._tables.look(peek, AHEAD)

    def _see_end(self, data: bytes) -> None:
        if data[:8] == b"conectix" and data[60:64] == b"\0\0\0\2":
            self.info = attrs.evolve(self.info, fixed_vhd=True)


@contextmanager
def _refused(name: str) -> Iterator[None]:
    """Turn what is found in an image into an error that names the image."""
    try:
        yield
    except CutOffError as error:
        raise InvalidRequestError(
            f"{name} is cut off, or damaged: {error}", hint="Get it again, and compare its checksum."
        ) from None
    except (struct.error, ValueError, _BrokenError) as error:
        raise InvalidRequestError(
            f"{name} begins like an image, but is not valid: {error}",
            hint="The image is damaged, or crafted to be misread.",
        ) from None


class _BrokenError(Exception):
    """A header that breaks its format's rules."""


@attrs.frozen
class _Head:
    """The first bytes of an image, and its length if that is known."""

    data: bytes
    length: int | None

    def number(self, place: int, form: str) -> int:
        """Return a number, in the notation of ``struct``."""
        if place + struct.calcsize(form) > len(self.data):
            raise _BrokenError("it ends within its header")
        found: int = struct.unpack_from(form, self.data, place)[0]
        return found

    def text(self, place: int, length: int) -> bytes:
        """Return bytes, which must exist."""
        if not length or length > _LONGEST_NAME or place + length > len(self.data):
            raise _BrokenError("it refers to another file at an impossible offset")
        return self.data[place : place + length]

    def plain(self, format: VolumeFormat = VolumeFormat.RAW) -> ImageInfo:
        """Return the facts of an image whose bytes are what a guest sees."""
        return ImageInfo(format, None if self.length is None else Size(self.length))


def _probed(head: _Head) -> ImageInfo:
    for place, magic, read in _MAGIC:
        if head.data[place : place + len(magic)] == magic:
            return read(head)
    if _is_descriptor(head.data):
        return ImageInfo(VolumeFormat.VMDK, None, data_file=True)
    plain = head.plain()
    whole = head.length == len(head.data)
    return attrs.evolve(plain, packed=packed_by(head.data), text=text_of(head.data, whole=whole))


def _qcow(head: _Head) -> ImageInfo:
    version = head.number(4, ">I")
    if version not in (1, 2, 3):
        raise _BrokenError(f"qcow has no version {version}")
    place, length = head.number(8, ">Q"), head.number(16, ">I")
    return ImageInfo(
        VolumeFormat.QCOW if version == 1 else VolumeFormat.QCOW2,
        Size(head.number(24, ">Q")),
        _name(head.text(place, length)) if place and length else None,
        data_file=version == 3 and bool(head.number(72, ">Q") & 4),
    )


def _qed(head: _Head) -> ImageInfo:
    backing = None
    if head.number(16, "<Q") & 1:
        backing = _name(head.text(head.number(56, "<I"), head.number(60, "<I")))
    return ImageInfo(VolumeFormat.QED, Size(head.number(48, "<Q")), backing)


def _vmdk(head: _Head) -> ImageInfo:
    sectors, place, length = (head.number(at, "<Q") for at in (12, 28, 36))
    start, end = place * _SECTOR, (place + length) * _SECTOR
    if end > len(head.data):
        raise _BrokenError("its description is not at the stated offset")
    parent = re.search(
        rb'parentFileNameHint[ \t]*=[ \t]*"([^"\n]+)"', head.data[start : max(end, start + _DESCRIPTION)]
    )
    backing = _name(parent[1]) if parent else None
    # qemu takes the extents of the description, which may be any file, when there is no capacity
    return ImageInfo(VolumeFormat.VMDK, Size(sectors * _SECTOR), backing, data_file=not sectors)


def _vdi(head: _Head) -> ImageInfo:
    parent = UUID(bytes_le=head.data[424:440])
    return ImageInfo(VolumeFormat.VDI, Size(head.number(368, "<Q")), str(parent) if parent.int else None)


def _vpc(head: _Head) -> ImageInfo:
    backing = None
    if head.number(60, ">I") == 4:
        name = head.number(16, ">Q") + 64
        backing = head.text(name, 512).decode("utf-16-be", "replace").rstrip("\0")
    return ImageInfo(VolumeFormat.VPC, Size(head.number(40, ">Q")), backing)


def _luks(head: _Head) -> ImageInfo:
    payload = head.number(104, ">I") * _SECTOR if head.number(6, ">H") == 1 else None
    if payload is None or head.length is None:
        return ImageInfo(VolumeFormat.LUKS, None)
    return ImageInfo(VolumeFormat.LUKS, Size(head.length - payload))


def _ploop(head: _Head) -> ImageInfo:
    return ImageInfo(VolumeFormat.PLOOP, Size(head.number(36, "<Q") * _SECTOR))


def _is_descriptor(data: bytes) -> bool:
    """Return whether qemu takes the data for the text description of a vmdk image."""
    for line in data[:_SECTOR].splitlines():
        if line.strip() and not line.startswith(b"#"):
            return line.startswith(b"version=")
    return data[:21].lower() == b"# disk descriptorfile"


def _name(name: bytes) -> str:
    return name.decode("utf-8", "backslashreplace")


_MAGIC: Final[tuple[tuple[int, bytes, Callable[[_Head], ImageInfo]], ...]] = (
    (0, b"QFI\xfb", _qcow),
    (0, b"QED\0", _qed),
    (0, b"KDMV", _vmdk),
    (0, b"conectix", _vpc),
    (0, b"vhdxfile", lambda _: ImageInfo(VHDX, None)),
    (0, b"LUKS\xba\xbe", _luks),
    (0, b"WithoutFreeSpace", _ploop),
    (0, b"WithouFreSpacExt", _ploop),
    (64, b"\x7f\x10\xda\xbe", _vdi),
    (_ISO_PLACE, b"CD001", lambda head: head.plain(VolumeFormat.ISO)),
)
