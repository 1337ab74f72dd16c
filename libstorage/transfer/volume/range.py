"""Ranges of volumes: the caller's request, resolved against the volume's document."""

from __future__ import annotations

import attrs

from libstorage.connection.identity import VolumeId
from libstorage.enums import VolumeType
from libstorage.errors import InvalidRequestError
from libstorage.models.volume import VolumeSpec
from libstorage.operations import VOLUME_DOWNLOAD, Operation
from libstorage.session.arguments import size_of
from libstorage.session.calls import volume_xml
from libstorage.session.channel import Channel
from libstorage.units import SizeLike


@attrs.frozen
class Part:
    """The part of a volume to transfer; ``length`` is ``None`` for the rest of the volume."""

    offset: int
    length: int | None

    @classmethod
    def of(cls, offset: SizeLike, length: SizeLike | None) -> Part:
        """Return the part that a caller asked for.

        Raises:
            InvalidRequestError: If ``offset`` or ``length`` is not a size.
        """
        return cls(int(size_of("offset", offset)), None if length is None else int(size_of("length", length)))


@attrs.frozen
class VolumeRange:
    """A range of a volume to receive.

    Attributes:
        volume: The volume.
        offset: First byte.
        length: Length in bytes; the transfer fails if the volume has fewer.
        holes: Whether holes of the volume's file stay holes, instead of zeros.
    """

    volume: VolumeId
    offset: int
    length: int
    holes: bool


def refusal(
    operation: Operation, volume: VolumeId, message: str, hint: str | None = None
) -> InvalidRequestError:
    """Return the error for a transfer that is refused."""
    return InvalidRequestError(
        message,
        operation=operation.name,
        target=str(volume),
        uri=volume.uri,
        hint=hint,
    )


def read_document(channel: Channel, volume: VolumeId) -> VolumeSpec:
    """Read the document of a volume."""
    return VolumeSpec.from_libvirt(volume_xml(channel, volume).encode("utf-8", "backslashreplace"))


def check_bytes(operation: Operation, volume: VolumeId, spec: VolumeSpec) -> None:
    """Check that a volume has bytes of its own.

    Raises:
        InvalidRequestError: If the volume is a directory.
    """
    if spec.type in (VolumeType.DIR, VolumeType.NETDIR):
        raise refusal(
            operation, volume, f"{volume} is a directory: it contains files, but has no bytes of its own"
        )


def is_file(spec: VolumeSpec) -> bool:
    """Return whether the volume is a file, which can have holes."""
    return spec.type in (None, VolumeType.FILE)


def readable_spec(channel: Channel, volume: VolumeId) -> VolumeSpec:
    """Read the document of a volume whose bytes are to be read.

    Raises:
        InvalidRequestError: If the volume is a directory.
    """
    spec = read_document(channel, volume)
    check_bytes(VOLUME_DOWNLOAD, volume, spec)
    return spec


def volume_range(volume: VolumeId, spec: VolumeSpec, part: Part, *, holes: bool) -> VolumeRange:
    """Resolve a part of a volume; only files can have holes.

    Raises:
        InvalidRequestError: If the part is past the end of the volume.
    """
    size = int(spec.physical or spec.capacity or 0)
    end = size if part.length is None else part.offset + part.length
    if max(end, part.offset) > size:
        raise refusal(
            VOLUME_DOWNLOAD,
            volume,
            f"bytes {part.offset} to {end} are past the end of {volume}, which has {size} bytes",
        )
    return VolumeRange(volume, part.offset, end - part.offset, holes and is_file(spec))
