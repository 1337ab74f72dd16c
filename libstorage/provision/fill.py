"""A new volume, filled with an image and compared with it; or not there at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final

import attrs

from libstorage.connection.identity import PoolId, VolumeId
from libstorage.enums import VolumeFormat
from libstorage.errors import InvalidRequestError, StorageError, TransferError, UnsupportedError
from libstorage.models.support import has_files
from libstorage.models.volume import VolumeSpec
from libstorage.operations import VOLUME_DELETE, VOLUME_RESIZE, VOLUME_UPLOAD
from libstorage.provision.create import create_volume
from libstorage.provision.undo import take_back
from libstorage.session.calls import capacity_of, change_volume, pool_spec, volume_spec
from libstorage.session.channel import Channel
from libstorage.session.names import check_volume_name
from libstorage.transfer.pieces.ceiling import Capped, check_held, check_shown
from libstorage.transfer.pieces.filters import Preceded
from libstorage.transfer.pieces.image import HEAD, VHDX, ImageInfo, probe
from libstorage.transfer.pieces.piece import Piece, Source, length_of, taken
from libstorage.transfer.progress import Watch
from libstorage.transfer.upload import Sparse, fill_new
from libstorage.units import Size

_PLAIN: Final = (VolumeFormat.RAW, VolumeFormat.ISO, VolumeFormat.LUKS)
"""What a volume of plain bytes can hold."""


_FOREIGN: Final = (VHDX, VolumeFormat.PLOOP)
"""What libvirt does not read."""


@attrs.frozen(kw_only=True)
class Wanted:
    """What is to become of an image.

    Attributes:
        spec: Its name, permissions and so on.
        name: Its name, before all others.
        min_capacity: Grow it to this if it has less.
        max_capacity: Refuse it if it has more; what the document says if it is not given.
        allow_backing_file: It may refer to other files.
        sparse: What becomes of holes and zeros.
        verify: Read it back.
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
        """How many bytes a guest may see."""
        if self.max_capacity is not None:
            return self.max_capacity
        return None if self.spec is None else self.spec.capacity

    def request(self, default_name: Callable[[], str], *, strict_name: bool) -> VolumeSpec:
        """The document of the volume.

        Raises:
            InvalidRequestError: It has no name, or a bad one.
        """
        name = self.name or (self.spec.name if self.spec else default_name())
        check_volume_name(name, strict=strict_name)
        return VolumeSpec(name=name) if self.spec is None else attrs.evolve(self.spec, name=name)


class Image:
    """The bytes of an image, which are all that its source has.

    Args:
        source: Where they come from.
        check: Called at the end, while nobody has seen the volume yet.
        ceiling: How many bytes a guest may see of it.

    Attributes:
        info: What kind of image it is.
        done: How many bytes were read.
    """

    def __init__(
        self, source: Source, check: Callable[[], object] = lambda: None, ceiling: int | None = None
    ) -> None:
        head = taken(source, HEAD)
        self.name, self.length = source.name, source.length
        self.info: ImageInfo = probe(head, source)
        self.done = 0
        self._source: Source = Preceded(head, source)
        self._check = check
        if ceiling is not None:
            check_shown(self.name, self.info.virtual_size or 0, ceiling)
            plain = self.info.format in (VolumeFormat.RAW, VolumeFormat.ISO)
            check_held(self.name, sum(map(length_of, head)), ceiling, tables=not plain)
            self._source = Capped(self._source, ceiling, tables=not plain)
        self._is_over = False

    def read(self, most: int) -> Piece:
        """The next piece.

        Raises:
            TransferError: The source has more than it said, or other bytes.
        """
        piece = self._source.read(most)
        self.done += length_of(piece)
        if not self._is_over and (not length_of(piece) or self.done == self.length):
            self._is_over = True
            if length_of(piece) and length_of(self._source.read(1)):
                raise TransferError(f"{self.name} goes on after the {self.length} bytes that it said it has")
            self._check()
        return piece


@contextmanager
def nothing_made() -> Iterator[None]:
    """Say in an error of the source's that there is no volume yet."""
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
    with _new_volume(channel, pool, start) as volume:
        fill_new(channel, volume, image, watch, sparse=wanted.sparse, verify=wanted.verify)
        limited = channel.with_options(timeout=watch.limited(channel).options.timeout)
        if is_file:
            _check_made(volume_spec(limited, volume), image, request)
            if capacity_of(limited, volume) < floor:
                change_volume(limited, VOLUME_RESIZE, volume, lambda raw: raw.resize(floor, 0))
        return volume


def _check_image(image: Image, request: VolumeSpec, wanted: Wanted) -> None:
    """Refuse what cannot become the volume that is wanted.

    Raises:
        InvalidRequestError: It refers to other files, or is something else than the document says.
        UnsupportedError: libvirt does not know its format.
    """
    info = image.info
    if (info.backing_file is not None or info.data_file) and not wanted.allow_backing_file:
        other = "other files" if info.backing_file is None else repr(info.backing_file)
        raise _refusal(
            f"{image.name} is a {info.format} image that refers to {other}: a guest could read them on the host",
            hint="Make an image of it that stands on its own (qemu-img convert), or insist with allow_backing_file=True.",
        )
    if request.backing_store is not None and info.backing_file is None:
        raise _refusal(f"{image.name} has no backing file, but volume {request.name!r} is to have one")
    if info.format in _FOREIGN:
        raise _unsupported(f"{image.name} is a {info.format} image, which libvirt has no volumes of", "qcow2")
    said = request.target.format
    if said is not None and said != info.format and not (said == VolumeFormat.RAW and info.format in _PLAIN):
        raise _refusal(
            f"{image.name} is a {info.format} image, and not {said}, as volume {request.name!r} is to be",
            hint="Bytes are taken as they are: convert it before, or clone the volume into another format.",
        )


def _start(image: Image, request: VolumeSpec, floor: int, *, is_file: bool) -> VolumeSpec:
    """The document to begin with: of a file, one without content, in which libvirt finds the image afterwards.

    Raises:
        InvalidRequestError: Nobody knows how large it must be.
        UnsupportedError: The pool's volumes hold plain bytes only.
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
            f"{image.name} cannot tell its length, and volumes of this pool do not grow as they are filled",
            hint="Say how large the volume has to be, with min_capacity.",
        )
    return VolumeSpec(
        name=request.name,
        capacity=max(floor, image.length or 0),
        allocation=request.allocation,
        target=attrs.evolve(target, format=None, encryption=None),
    )


def _check_made(have: VolumeSpec, image: Image, request: VolumeSpec) -> None:
    """Compare what libvirt sees with what was found.

    Raises:
        TransferError: It is something else.
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
            hint="Somebody else wrote to it meanwhile, or it is made to be misread.",
        )
    if encrypted < (request.target.encryption is not None):
        raise TransferError(
            f"{image.name} is not encrypted, and its bytes are taken as they are",
            hint="Make an encrypted volume, and clone into it.",
        )


@contextmanager
def _new_volume(channel: Channel, pool: PoolId, start: VolumeSpec) -> Iterator[VolumeId]:
    """A new volume that is gone again if the block fails."""
    try:
        volume = create_volume(channel, pool, start)
    except StorageError:
        raise
    except BaseException:  # Ctrl-C, when it may be there already: then it is empty
        with suppress(StorageError):
            _drop_empty(channel, VolumeId(pool, start.name))
        raise
    try:
        yield volume
    except BaseException as error:
        take_back(channel, volume, error, VOLUME_UPLOAD)
        raise


def _drop_empty(channel: Channel, volume: VolumeId) -> None:
    if not capacity_of(channel, volume):
        change_volume(channel, VOLUME_DELETE, volume, lambda raw: raw.delete(0))


def _refusal(message: str, hint: str | None = None) -> InvalidRequestError:
    return InvalidRequestError(message, hint=hint)


def _unsupported(message: str, instead: str) -> UnsupportedError:
    return UnsupportedError(message, hint=f"Convert it before: qemu-img convert -O {instead}.")
