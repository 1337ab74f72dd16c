"""Creates a volume from an image, and verifies it; if a step fails, the volume is deleted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from io import RawIOBase
from time import time_ns
from typing import BinaryIO, Final

import attrs

from libstorage.connection.identity import PoolId, VolumeId
from libstorage.enums import VolumeFormat
from libstorage.errors import InvalidRequestError, StorageError, TransferError, UnsupportedError
from libstorage.models.support import has_files
from libstorage.models.volume import VolumeSpec
from libstorage.operations import VOLUME_RESIZE, VOLUME_UPLOAD
from libstorage.provision.create import create_volume
from libstorage.provision.undo import drop_if_new, made
from libstorage.session.calls import capacity_of, change_volume, pool_spec, volume_spec
from libstorage.session.channel import Channel
from libstorage.session.names import check_volume_name
from libstorage.transfer.pieces.ceiling import Capped, check_held, check_shown
from libstorage.transfer.pieces.filters import Preceded
from libstorage.transfer.pieces.image import HEAD, VHDX, ImageInfo, Probed
from libstorage.transfer.pieces.piece import Piece, Source, length_of, taken
from libstorage.transfer.pieces.tables import Peek
from libstorage.transfer.progress import Watch
from libstorage.transfer.reader import VolumeReader
from libstorage.transfer.upload import Sparse, fill_new
from libstorage.units import Size

_PLAIN: Final = (VolumeFormat.RAW, VolumeFormat.ISO, VolumeFormat.LUKS)
"""Formats that a volume of plain bytes can hold."""


_FOREIGN: Final = (VHDX, VolumeFormat.PLOOP)
"""Formats that libvirt cannot read."""


@attrs.frozen(kw_only=True)
class Wanted:
    """How an image is imported.

    Attributes:
        spec: Name, permissions and other properties of the volume.
        name: Name of the volume; takes precedence over ``spec``.
        min_capacity: Grow the volume to this capacity if the image has less.
        max_capacity: Refuse an image with more; the default is the capacity of ``spec``.
        allow_backing_file: Whether the image may refer to other files.
        sparse: How holes and zeros are handled.
        verify: Whether the volume is read back.
    """

    spec: VolumeSpec | None = None
    name: str | None = None
    min_capacity: Size | None = None
    max_capacity: Size | None = None
    allow_backing_file: bool = False
    sparse: Sparse = "auto"
    verify: bool = False

    @property
    def ceiling(self) -> int | None:
        """Largest capacity that a guest may see, in bytes."""
        if self.max_capacity is not None:
            return self.max_capacity
        return None if self.spec is None else self.spec.capacity

    def request(self, default_name: Callable[[], str], *, strict_name: bool) -> VolumeSpec:
        """Return the document of the volume.

        Raises:
            InvalidRequestError: If the name is missing or not allowed.
        """
        name = self.name or (self.spec.name if self.spec else default_name())
        check_volume_name(name, strict=strict_name)
        return VolumeSpec(name=name) if self.spec is None else attrs.evolve(self.spec, name=name)


class Image:
    """The bytes of an image: everything that its source has.

    Args:
        source: Source of the bytes.
        check: Called after the last byte, before any other client can see the volume.
        peek: Reads elsewhere in the image.
        follows: Whether the tables are followed, and an image that is cut off is an error.

    Attributes:
        done: Number of bytes read.
    """

    def __init__(
        self,
        source: Source,
        check: Callable[[], object] = lambda: None,
        peek: Peek | None = None,
        *,
        follows: bool = True,
    ) -> None:
        head = taken(source, HEAD)
        self.name: str = source.name
        self.length: int | None = source.length
        self._head = sum(map(length_of, head))
        self._probed = Probed(head, source, peek, follows=follows)
        self.done: int = 0
        self._source: Source = Preceded(head, source)
        self._check = check
        self._is_over = False

    @property
    def info(self) -> ImageInfo:
        """Format, size and references of the image."""
        return self._probed.info

    @property
    def is_known(self) -> bool:
        """Whether nothing that was not read yet can change ``info``."""
        return self._probed.is_whole

    def cap(self, ceiling: int) -> None:
        """Set the largest capacity that a guest may see, before anything is read.

        Raises:
            InvalidRequestError: If the image exceeds it; reading raises it, too.
        """
        tables = self.info.format not in (VolumeFormat.RAW, VolumeFormat.ISO)
        more = " (a VHD of fixed size, whose mark of 512 bytes libvirt shows)" if self.info.fixed_vhd else ""
        check_shown(self.name + more, self.info.virtual_size or 0, ceiling)
        check_held(self.name, self._head, ceiling, tables=tables)
        self._source = Capped(self._source, ceiling, tables=tables)

    def look_back(self, opened: Callable[[], AbstractContextManager[BinaryIO | RawIOBase]]) -> None:
        """Read the tables that went by before anything pointed to them, if there are any.

        Args:
            opened: Opens the image where it is now.

        Raises:
            InvalidRequestError: If the image is cut off.
        """
        if self._probed.has_missed:
            with opened() as file:
                self._probed.look_back(lambda place, most: _bytes_at(file, place, most))

    def read(self, most: int) -> Piece:
        """Return the next piece.

        Raises:
            TransferError: If the source is longer than its stated length, or the check fails.
            InvalidRequestError: If the image is cut off.
        """
        piece = self._source.read(most)
        self._probed.feed(piece)
        self.done += length_of(piece)
        if not self._is_over and (not length_of(piece) or self.done == self.length):
            self._is_over = True
            if length_of(piece) and length_of(self._source.read(1)):
                raise TransferError(f"{self.name} is longer than its stated length of {self.length} bytes")
            self._probed.finish()
            self._check()
        return piece


def _bytes_at(file: BinaryIO | RawIOBase, place: int, most: int) -> bytes:
    file.seek(place)
    return file.read(most) or b""


@contextmanager
def nothing_made() -> Iterator[None]:
    """Set the outcome of a source's error: no volume was created yet."""
    try:
        yield
    except StorageError as error:
        error.outcome = error.outcome or "not_started"
        raise


def fill_image(
    channel: Channel, pool: PoolId, image: Image, request: VolumeSpec, wanted: Wanted, watch: Watch
) -> VolumeId:
    """Make the volume that ``request`` describes, and fill it with an image.

    Raises:
        StorageError: If a step fails; the volume is deleted then.
    """
    is_file = has_files(pool_spec(watch.limited(channel), pool).type)
    _check_image(image, request, wanted)
    floor = max(request.capacity or 0, wanted.min_capacity or 0)
    start = _start(image, request, floor, is_file=is_file)
    watch.rename(str(VolumeId(pool, request.name)))
    volume = _created(channel, pool, start)
    with made(channel, volume, VOLUME_UPLOAD) as new:
        fill_new(
            channel,
            volume,
            new.spec,
            image,
            watch,
            sparse=wanted.sparse,
            verify=wanted.verify,
            check_open=new.check_open,
        )
        limited = channel.with_options(timeout=watch.limited(channel).options.timeout)
        image.look_back(lambda: VolumeReader(limited, volume, lambda: volume_spec(limited, volume)))
        if is_file:
            _check_made(volume_spec(limited, volume), image, request)
            if capacity_of(limited, volume) < floor:
                change_volume(limited, VOLUME_RESIZE, volume, lambda raw: raw.resize(floor, 0))
    return volume


def _check_image(image: Image, request: VolumeSpec, wanted: Wanted) -> None:
    """Check that the image can become the requested volume.

    Raises:
        InvalidRequestError: If the image refers to other files, or differs from the document.
        UnsupportedError: If libvirt does not know the image's format.
    """
    info = image.info
    if (info.backing_file is not None or info.data_file) and not wanted.allow_backing_file:
        other = "other files" if info.backing_file is None else repr(info.backing_file)
        raise _refusal(
            f"{image.name} is a {info.format} image that refers to {other}: a guest could read them on the host",
            hint="Convert it to an independent image (qemu-img convert), or allow it with allow_backing_file=True.",
        )
    if request.backing_store is not None and info.backing_file is None:
        raise _refusal(
            f"{image.name} has no backing file, but the spec of volume {request.name!r} has a backing store"
        )
    if info.format in _FOREIGN:
        raise _unsupported(
            f"{image.name} is a {info.format} image, a format that libvirt does not support", "qcow2"
        )
    said = request.target.format
    if said is not None and said != info.format and not (said == VolumeFormat.RAW and info.format in _PLAIN):
        raise _refusal(
            f"{image.name} is a {info.format} image, but volume {request.name!r} has format {said}",
            hint="An import does not convert: convert the image first, or clone the volume into another format.",
        )


def _start(image: Image, request: VolumeSpec, floor: int, *, is_file: bool) -> VolumeSpec:
    """Return the document to create the volume with: for a file, an empty one, where libvirt finds the image later.

    Raises:
        InvalidRequestError: If the required capacity is unknown.
        UnsupportedError: If the pool's volumes hold plain bytes only.
    """
    target = request.target
    if is_file:
        return VolumeSpec.raw(
            request.name, 0, allocation=0, permissions=target.permissions, nocow=target.nocow
        )
    if image.info.format not in _PLAIN:
        raise _unsupported(
            f"{image.name} is a {image.info.format} image, and volumes of this pool hold plain bytes only",
            "raw",
        )
    if image.length is None and not floor:
        raise _refusal(
            f"{image.name} does not know its length, and volumes of this pool do not grow while they are filled",
            hint="Give the capacity of the volume with min_capacity.",
        )
    return VolumeSpec(
        name=request.name,
        capacity=max(floor, image.length or 0),
        allocation=request.allocation,
        target=attrs.evolve(target, format=None, encryption=None),
    )


def _check_made(have: VolumeSpec, image: Image, request: VolumeSpec) -> None:
    """Compare the volume as libvirt sees it with the image.

    Raises:
        TransferError: If they differ.
    """
    info = image.info
    is_luks = info.format == VolumeFormat.LUKS
    expected = VolumeFormat.RAW if is_luks else info.format
    capacity = info.virtual_size or (None if is_luks else image.done)
    encrypted = have.target.encryption is not None
    if have.target.format != expected or (capacity is not None and have.capacity != capacity):
        raise TransferError(
            f"libvirt sees a {have.target.format} volume of {have.capacity}, but {image.name} is a {info.format} image "
            f"of {capacity} bytes",
            hint="Another client wrote to the volume meanwhile, or the image is crafted to be misread.",
        )
    if encrypted < (request.target.encryption is not None):
        raise TransferError(
            f"{image.name} is not encrypted, and an import does not encrypt",
            hint="Import the image unencrypted, then clone it into an encrypted volume.",
        )


def _created(channel: Channel, pool: PoolId, start: VolumeSpec) -> VolumeId:
    """Create the volume; if Ctrl-C strikes meanwhile, delete it if it is there."""
    since = time_ns()
    try:
        return create_volume(channel, pool, start)
    except StorageError:
        raise
    except BaseException:
        with suppress(StorageError):
            drop_if_new(channel, VolumeId(pool, start.name), since)
        raise


def _refusal(message: str, hint: str | None = None) -> InvalidRequestError:
    return InvalidRequestError(message, hint=hint)


def _unsupported(message: str, instead: str) -> UnsupportedError:
    return UnsupportedError(message, hint=f"Convert the image first: qemu-img convert -O {instead}.")
