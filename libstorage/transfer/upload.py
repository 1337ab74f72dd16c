"""Uploads: bytes into a volume."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, Literal, TypeAlias, get_args

import attrs

from libstorage.connection.identity import VolumeId
from libstorage.enums import VolumeFormat
from libstorage.errors import (
    ConnectionLostError,
    InvalidRequestError,
    NoSpaceError,
    TransferError,
)
from libstorage.known_faults import FULL_STREAM
from libstorage.models.volume import VolumeSpec
from libstorage.operations import VOLUME_UPLOAD
from libstorage.session.calls import changing_volume
from libstorage.session.channel import Channel
from libstorage.transfer.ends.opening import UploadSource, opened_source
from libstorage.transfer.explain import explained
from libstorage.transfer.pieces.checksum import Checks, Digest
from libstorage.transfer.pieces.filters import Hashed, Padded, Preceded, Sparsified
from libstorage.transfer.pieces.piece import Source, joined, taken
from libstorage.transfer.pieces.resume import after_what_is_there
from libstorage.transfer.pieces.stub import HEADER, stops_a_pool
from libstorage.transfer.progress import Content, Watch
from libstorage.transfer.pump import pump
from libstorage.transfer.settle import let_pool_see
from libstorage.transfer.volume.ending import MissingBytes
from libstorage.transfer.volume.range import Part, VolumeRange, check_bytes, is_file, read_document, refusal
from libstorage.transfer.volume.receiver import receiving
from libstorage.transfer.volume.room import Room, is_full
from libstorage.transfer.volume.streams import Sender, Take, sending

Sparse: TypeAlias = bool | Literal["auto"]
"""``auto``: holes of the source stay holes. ``True``: long runs of zeros become holes, too. ``False``: no holes."""

Tail: TypeAlias = Literal["keep", "zero"]
"""Handling of the volume's end behind a shorter source: keep it unchanged, or zero it."""

_PLAIN = (None, VolumeFormat.RAW, VolumeFormat.ISO, VolumeFormat.NONE, VolumeFormat.UNKNOWN)
_FARTHEST: Final = 1 << 63  # bytes; the first offset that libvirt cannot express
_SOON: Final = 5.0  # seconds; the daemon may be gone


def upload(
    channel: Channel,
    volume: VolumeId,
    given: UploadSource,
    part: Part,
    watch: Watch,
    checks: Checks,
    *,
    sparse: Sparse = "auto",
    tail: Tail = "keep",
    resume: bool = False,
) -> None:
    """Upload into a volume, then refresh its pool. See [Volume.upload][libstorage.Volume.upload]."""
    _check_word("sparse", sparse, (True, False, "auto"))
    _check_word("tail", tail, get_args(Tail))
    channel = watch.limited(channel)
    with (
        changing_volume(channel, VOLUME_UPLOAD, volume),
        opened_source(given, holes=sparse is not False, latest=watch.latest) as source,
    ):
        place = _Region.find(volume, read_document(channel, volume), source, part)
        with explained(VOLUME_UPLOAD, volume, place.state):
            _fill(channel, source, place, watch, checks, sparse=sparse, tail=tail, resume=resume)
    if place.done or place.same:
        let_pool_see(watch.limited(channel), volume.pool)


def fill_new(
    channel: Channel,
    volume: VolumeId,
    spec: VolumeSpec,
    source: Source,
    watch: Watch,
    *,
    sparse: Sparse,
    verify: bool,
    check_open: Callable[[], object],
) -> None:
    """Fill a new volume; a file grows as it is filled. The caller cleans up after an error.

    Args:
        channel: The host.
        volume: The volume.
        spec: The volume's document.
        source: What to fill the volume with.
        watch: Progress and deadline.
        sparse: How holes and zeros are handled.
        verify: Read the volume back, and compare.
        check_open: Called when the daemon has the volume open, before any data is sent; raises to send none.
    """
    channel = watch.limited(channel)
    with changing_volume(channel, VOLUME_UPLOAD, volume):
        place = _Region.find(volume, spec, source, Part(0, None), grows=True)
        place.check_open = check_open
        _fill(channel, source, place, watch, Checks(verify=verify), sparse=sparse, tail="zero")
    let_pool_see(channel, volume.pool)


def _fill(
    channel: Channel,
    source: Source,
    place: _Region,
    watch: Watch,
    checks: Checks,
    *,
    sparse: Sparse,
    tail: Tail,
    resume: bool = False,
) -> None:
    source, volume, digest = _checked(source, place), place.volume, checks.digest()
    sent = Digest() if checks.verify else None
    reading = Hashed(source, digest) if digest else source
    if tail == "zero" or (place.is_empty and sparse is not False):
        reading = place.padded(reading)
    if sparse is True:
        reading = Sparsified(reading)
    if sent is not None:
        reading = Hashed(reading, sent)
    if resume:
        reading = _behind_what_is_there(channel, reading, place, watch)
    _send(channel, volume, reading, place, watch)
    checks.check(digest, source.name)
    if sent is not None:
        _read_back(channel, volume, place, sent, watch)


@attrs.define
class _Region:
    """The region of a volume that an upload writes, and its progress.

    Attributes:
        volume: The volume.
        offset: First byte of the region.
        length: Number of bytes; ``None`` if the source does not know its length.
        room: Number of bytes that fit; ``None`` if the volume grows as it is filled.
        end: Present end of the volume's bytes.
        is_empty: Whether the volume's file holds only zeros.
        is_file: Whether the volume is a file, which can have holes.
        paid_to: Offset up to which the volume has its space already.
        same: Number of bytes that the volume already had.
        done: Number of bytes sent.
        content: Returns how many bytes come before the padding; ``None`` if nothing is padded.
        begun: Whether the volume may have been changed.
        check_open: Called when the daemon has the volume open.
    """

    volume: VolumeId
    offset: int
    length: int | None
    room: int | None
    end: int
    is_empty: bool
    is_file: bool
    paid_to: int
    same: int = 0
    done: int = 0
    content: Content | None = None
    begun: bool = False
    check_open: Callable[[], object] = lambda: None

    @classmethod
    def find(
        cls, volume: VolumeId, spec: VolumeSpec, source: Source, part: Part, *, grows: bool = False
    ) -> _Region:
        """Find the region for ``part`` of a volume. The file may grow if ``grows`` is set, or if its format grows.

        Raises:
            InvalidRequestError: If the part does not fit; libvirt would let the file grow.
        """
        check_bytes(VOLUME_UPLOAD, volume, spec)
        grows = is_file(spec) and (grows or spec.target.format not in _PLAIN)
        size = int(max(spec.capacity or 0, spec.physical or 0))
        length = _length_to_send(source, part)
        if not grows and part.offset + (length or 0) > size:
            raise refusal(
                VOLUME_UPLOAD,
                volume,
                f"{length} bytes from byte {part.offset} on do not fit into {volume}, which has {size} bytes",
                hint=f"Resize it first: resize({part.offset + (length or 0)}).",
            )
        if grows and (part.offset > size or part.offset + (length or 0) >= _FARTHEST):
            raise refusal(
                VOLUME_UPLOAD,
                volume,
                f"{volume} cannot grow to hold {length} bytes from byte {part.offset} on: "
                f"it has {size} bytes, and no file has more than {_FARTHEST - 1}",
            )
        end = int(spec.physical or spec.capacity or 0)
        return cls(
            volume=volume,
            offset=part.offset,
            length=length,
            room=None if grows else size - part.offset,
            end=end,
            is_empty=is_file(spec) and spec.allocation == 0,
            is_file=is_file(spec),
            paid_to=end if (spec.allocation or 0) >= end else 0,
        )

    @property
    def there(self) -> int:
        """Number of bytes of this region that the volume has now."""
        there = max(0, self.end - self.offset)
        return there if self.length is None else min(there, self.length)

    @property
    def clean_from(self) -> int | None:
        """Offset from which the volume reads as zeros, so that holes can be skipped.

        libvirt truncates a file where a hole ends, so a hole must not precede bytes that are kept.
        """
        ends = self.offset + (self.length or 0)
        if not self.is_file or ends < self.end:
            return None
        return 0 if self.is_empty else self.end

    def padded(self, source: Source) -> Source:
        """Return the source followed by zeros up to the end of the volume."""
        if self.room is None:
            return source
        padded = Padded(source, self.length, self.room)
        self.length = self.room
        self.content = lambda: None if padded.content is None else max(0, padded.content - self.same)
        return padded

    def state(self) -> tuple[str, bool]:
        """Return the state that a failure leaves, and whether the volume was changed."""
        if not self.begun:
            return f"Nothing was sent; {self.volume} is unchanged.", False
        sent = f"{self.same + self.done}" + ("" if self.length is None else f" of {self.length}")
        end = "the end" if self.length is None else self.offset + self.length
        told = f"{sent} bytes were sent; bytes {self.offset} to {end} of {self.volume} are now undefined."
        return f"{told} Upload it again from the start, or with resume=True.", True


def _checked(source: Source, place: _Region) -> Source:
    """Return the source, unless it would leave a file because of which libvirt stops the pool.

    Raises:
        InvalidRequestError: If it would.
    """
    length = max(place.end, source.length or 0)
    if not place.is_file or place.room == 0 or place.offset or length >= HEADER:
        return source
    head = taken(source, HEADER)
    if stops_a_pool(joined(head)):
        raise InvalidRequestError(
            f"{source.name} has only the first bytes of a qcow2 image, and libvirt stops a pool with such a file",
            hint="Upload the whole image.",
        )
    return Preceded(head, source)


def _check_word(what: str, word: object, words: tuple[object, ...]) -> None:
    if word not in words:
        raise InvalidRequestError(f"{what} must be one of {', '.join(map(repr, words))}, not {word!r}")


def _length_to_send(source: Source, part: Part) -> int | None:
    if part.length is not None and source.length is not None and source.length < part.length:
        raise InvalidRequestError(f"{source.name} has {source.length} bytes, not {part.length}")
    return source.length if part.length is None else part.length


def _send(channel: Channel, volume: VolumeId, source: Source, place: _Region, watch: Watch) -> None:
    total = None if place.length is None else place.length - place.same
    meter = watch.phase("upload", total, place.content)
    if total == 0:  # libvirt takes a length of 0 as no limit
        if meter.told[1] is None:
            source.read(1)  # raises if there is a byte
            meter.add(0)
        return
    room = None if place.room is None else place.room - place.same
    with (
        _arriving(channel, place),
        _room(channel, place, watch) as take,
        channel.lane(VOLUME_UPLOAD, volume, latest=watch.latest, last=watch.has_lane) as lane,
    ):
        begin = place.offset + place.same
        sender: Sender | None = None
        try:
            with sending(lane, volume, begin, total or room or 0, place.clean_from, take) as sender:
                place.check_open()
                pump(source, sender, meter, lane, room=room)
        finally:
            if sender is not None:
                place.begun, place.done = True, sender.sent


@contextmanager
def _room(channel: Channel, place: _Region, watch: Watch) -> Iterator[Take | None]:
    """Look after the room in the pool while data is sent, if the daemon would die of a full disk."""
    if not (place.is_file and FULL_STREAM.affects(channel.versions.daemon)):
        yield None
        return
    with channel.apart(watch.latest) as other:
        soon = other.with_options(timeout=_SOON, open_timeout=_SOON)
        yield Room(soon, place.volume, place.paid_to).take


@contextmanager
def _arriving(channel: Channel, place: _Region) -> Iterator[None]:
    """Explain a missing end of an upload for which libvirt reported success.

    Raises:
        NoSpaceError: If the pool is full.
        TransferError: If the end is missing for another reason.
    """
    try:
        yield
    except ConnectionLostError as lost:
        # libvirt 9.0 closes the connection if a hole arrives just when it has ended the stream because of a full disk.
        pool = place.volume.pool
        soon = channel.with_options(timeout=_SOON, open_timeout=_SOON, long_timeout=_SOON)
        if place.clean_from is None or not is_full(soon, pool):
            raise
        raise NoSpaceError(
            f"{pool} is full, and the daemon closed the connection",
            hint="Free some space, or use a larger pool.",
        ) from lost
    except MissingBytes as missing:
        told = f"libvirt reported success, but the bytes from {missing.offset} on are missing"
        pool = place.volume.pool
        if missing.again and place.is_file and is_full(channel, pool):
            raise NoSpaceError(
                f"{told}: {pool} is full", hint="Free some space, or use a larger pool."
            ) from None
        raise TransferError(
            told, hint="Another client wrote to the volume meanwhile, or the storage is broken."
        ) from None


def _behind_what_is_there(channel: Channel, source: Source, place: _Region, watch: Watch) -> Source:
    meter = watch.phase("compare", place.there)
    extent = VolumeRange(place.volume, place.offset, place.there, place.is_file)
    with receiving(channel, extent, latest=watch.latest) as have:
        rest = after_what_is_there(source, have, meter)
    place.same = meter.done
    return rest


def _read_back(channel: Channel, volume: VolumeId, place: _Region, sent: Digest, watch: Watch) -> None:
    """Read back what was sent, and compare.

    Raises:
        TransferError: If the volume holds other bytes.
    """
    length, found = place.same + place.done, Digest()
    meter = watch.phase("verify", length)
    extent = VolumeRange(volume, place.offset, length, place.is_file)
    with receiving(channel, extent, latest=watch.latest) as source:
        pump(Hashed(source, found), None, meter)
    if found.hex() != sent.hex():
        raise TransferError(
            f"{volume} holds other bytes than were sent: its sha256 is {found.hex()}, not {sent.hex()}",
            hint="Another client wrote to the volume meanwhile, or the storage is broken.",
        )
