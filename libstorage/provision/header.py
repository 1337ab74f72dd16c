"""Compares the format that libvirt remembers of a volume with what the volume's file begins with.

libvirt looks at a file when it refreshes the pool. If another program replaces the file afterwards, or a guest writes the
header of an image into a raw volume, the two differ, and a link or clone would record the wrong format.
"""

from __future__ import annotations

from typing import Final

import attrs

from libstorage.connection.clock import NEVER
from libstorage.connection.identity import VolumeId
from libstorage.enums import VolumeFormat
from libstorage.errors import InvalidRequestError, StateError
from libstorage.models.volume import VolumeSpec
from libstorage.session.channel import Channel
from libstorage.transfer.pieces.image import VHDX, Probed
from libstorage.transfer.pieces.piece import taken
from libstorage.transfer.volume.range import VolumeRange, is_file
from libstorage.transfer.volume.receiver import receiving
from libstorage.xml.kinds import UnknownWord

_HEADER: Final = 64 << 10  # bytes; the last mark that counts is that of an ISO image, in the first 40 KiB
_PLAIN: Final = (None, VolumeFormat.RAW, VolumeFormat.ISO, VolumeFormat.NONE, VolumeFormat.UNKNOWN)
_LIKE_RAW: Final = (VolumeFormat.RAW, VolumeFormat.ISO, VolumeFormat.LUKS, VHDX)
"""What libvirt takes for raw, whether it knows the format or not."""


@attrs.frozen
class _Whole:
    """Name and size of a volume, of which only the head is read."""

    name: str
    length: int

    def read(self, most: int) -> bytes:
        """Return nothing more than the head."""
        return b""


def check_header(channel: Channel, volume: VolumeId, spec: VolumeSpec) -> None:
    """Check that a volume that is a file begins like an image of the format in its document.

    Args:
        channel: The host.
        volume: The volume.
        spec: Its document.

    Raises:
        StateError: If the file begins like an image of another format.
    """
    said = spec.target.format
    if not is_file(spec) or spec.target.encryption is not None or isinstance(said, UnknownWord):
        return
    length = min(_HEADER, int(spec.physical or 0))
    with receiving(channel, VolumeRange(volume, 0, length, holes=False), latest=NEVER) as source:
        head = taken(source, length)
    try:
        found = Probed(head, _Whole(str(volume), int(spec.physical or 0)), follows=False).info.format
    except InvalidRequestError:  # a broken header: the call that follows says so
        return
    if found == said or (said in _PLAIN and found in _LIKE_RAW):
        return
    raise StateError(
        f"libvirt takes {volume} for {said or VolumeFormat.RAW}, but its file begins like {_article(found)} image",
        target=str(volume),
        uri=volume.uri,
        hint="If the file was replaced on purpose, call pool.refresh(). If a guest may have written that header, do not: "
        "a guest could name any file of the host in it. A spec that states the backing store with its format insists.",
        outcome="not_started",
        retry="no",
    )


def _article(word: str) -> str:
    return f"{'an' if word[0] in 'aeiou' else 'a'} {word}"
