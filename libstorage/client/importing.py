"""A new volume that is an image from somewhere else: made, filled, compared with what was found; or not there at all."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import unquote, urlsplit

import attrs

from libstorage.client import sources
from libstorage.client.asking import USUAL, Asking
from libstorage.client.ceiling import Capped, check_held, check_shown
from libstorage.client.checks import Checks
from libstorage.client.clone import check_volume_spec
from libstorage.client.decompress import SUFFIXES, Compression, Decompressed, decompressed
from libstorage.client.handle import Handle
from libstorage.client.image import HEAD, VHDX, ImageInfo, probe
from libstorage.client.names import check_volume_name
from libstorage.client.pieces import Hashed, Piece, Preceded, Source, length_of, taken
from libstorage.client.progress import Watch
from libstorage.client.sources import Given
from libstorage.client.undo import take_back
from libstorage.client.upload import Sparse, fill_new
from libstorage.connection.identity import VolumeId
from libstorage.enums import VolumeFormat
from libstorage.errors import InvalidRequestError, StorageError, TransferError, UnsupportedError
from libstorage.models.support import has_files
from libstorage.models.volume import VolumeSpec
from libstorage.operations import VOLUME_UPLOAD
from libstorage.units import Size

if TYPE_CHECKING:
    from libstorage.client.pool import Pool
    from libstorage.client.volume import Volume

H = TypeVar("H", bound=Handle[Any])

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


def import_image(
    pool: Pool,
    given: Given,
    wanted: Wanted,
    checks: Checks,
    how: Compression | None,
    watch: Watch,
    asking: Asking = USUAL,
) -> Volume:
    """Make a volume of an image. See [Volumes.import_image][libstorage.Volumes.import_image]."""
    watch.has_lane = isinstance(given, sources.Readable)
    _check_asked(given, wanted, asking)
    with sources.opened(
        given, holes=wanted.sparse is not False, latest=watch.latest, asking=asking
    ) as opened:
        source = opened if wanted.ceiling is None else Capped(opened, wanted.ceiling, tables=True)
        digest = checks.digest()
        with _nothing_made():
            content = decompressed(Hashed(source, digest) if digest else source, how)
        suffixes = SUFFIXES[content.how] if isinstance(content, Decompressed) else ()
        request = wanted.request(
            lambda: _file_name(given, suffixes), strict_name=pool.host.options.strict_names
        )
        with _nothing_made():
            image = _Image(content, lambda: checks.check(digest, source.name), wanted.ceiling)
        if isinstance(content, Decompressed) and wanted.sparse == "auto":
            wanted = attrs.evolve(wanted, sparse=True)
        return _made(pool, image, request, wanted, watch)


def copy_volume(
    volume: Volume, pool: Pool, new: str | VolumeSpec | None, watch: Watch, *, sparse: Sparse, verify: bool
) -> Volume:
    """Copy a volume into a pool of any host. See [Volume.copy_to][libstorage.Volume.copy_to]."""
    strict, have = pool.host.options.strict_names, _in_time(volume, watch).spec()
    if isinstance(new, VolumeSpec):
        request = check_volume_spec(new, strict_name=strict)
    else:
        name = volume.name if new is None else new
        check_volume_name(name, strict=strict)
        request = have.request(name=name, backing_store=None)
    linked = have.backing_store is not None
    if have.backing_store and (
        request.backing_store is None or request.backing_store.path != have.backing_store.path
    ):
        raise _refusal(
            f"{volume._id} holds only what differs from {have.backing_store.path}",
            hint="Copy a clone of it, which stands on its own; or pass a VolumeSpec with the same backing store, "
            "if that is there on the other host.",
        )
    if request.target.format is None:
        request = request.with_target(format=have.target.format or VolumeFormat.RAW)
    watch.has_lane = True
    with sources.opened(volume, holes=sparse is not False, latest=watch.latest) as source:
        wanted, image = Wanted(allow_backing_file=linked, sparse=sparse, verify=verify), _Image(source)
        if request.capacity is not None:
            check_shown(image.name, image.info.virtual_size or 0, request.capacity)
        return _made(pool, image, request, wanted, watch)


class _Image:
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
def _nothing_made() -> Iterator[None]:
    """Say in an error of the source's that there is no volume yet."""
    try:
        yield
    except StorageError as error:
        error.outcome = error.outcome or "not_started"
        raise


def _check_asked(given: Given, wanted: Wanted, asking: Asking) -> None:
    """Refuse what contradicts itself.

    Raises:
        InvalidRequestError: A floor is above the ceiling; a server cannot be asked like that, or there is none to ask.
    """
    asking.check()
    floor = max(wanted.min_capacity or 0, (wanted.spec.capacity if wanted.spec else None) or 0)
    if wanted.max_capacity is not None and floor > wanted.max_capacity:
        raise _refusal(f"the volume is to have {Size(floor)} at least, and {wanted.max_capacity} at most")
    if asking.headers and not (isinstance(given, str) and sources.is_url(given)):
        raise _refusal("headers are for URLs, and the source is none")


def _made(pool: Pool, image: _Image, request: VolumeSpec, wanted: Wanted, watch: Watch) -> Volume:
    is_file = has_files(_in_time(pool, watch).type())
    _check_image(image, request, wanted)
    floor = max(request.capacity or 0, wanted.min_capacity or 0)
    start = _start(image, request, floor, is_file=is_file)
    identity = VolumeId(pool._id, request.name)
    watch.name = str(identity)
    with _new_volume(pool, start) as volume:
        fill_new(pool.host, identity, image, watch, sparse=wanted.sparse, verify=wanted.verify)
        limited = volume.with_options(timeout=watch.limited(pool.host).options.timeout)
        if is_file:
            _check_made(limited, image, request)
            if limited.info().capacity < floor:
                limited.resize(floor)
        return volume


def _check_image(image: _Image, request: VolumeSpec, wanted: Wanted) -> None:
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


def _start(image: _Image, request: VolumeSpec, floor: int, *, is_file: bool) -> VolumeSpec:
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


def _check_made(volume: Volume, image: _Image, request: VolumeSpec) -> None:
    """Compare what libvirt sees with what was found.

    Raises:
        TransferError: It is something else.
    """
    have, info = volume.spec(), image.info
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
def _new_volume(pool: Pool, start: VolumeSpec) -> Iterator[Volume]:
    """A new volume that is gone again if the block fails."""
    try:
        volume = pool.volumes.create(start)
    except StorageError:
        raise
    except BaseException:  # Ctrl-C, when it may be there already: then it is empty
        with suppress(StorageError):
            found = pool.volumes.lookup(start.name)
            if not found.info().capacity:
                found.delete()
        raise
    try:
        yield volume
    except BaseException as error:
        take_back(volume, error, VOLUME_UPLOAD)
        raise


def _in_time(handle: H, watch: Watch) -> H:
    """The same thing, for calls that end when the transfer must be over."""
    limits = watch.limited(handle.host).options
    return handle.with_options(timeout=limits.timeout, long_timeout=limits.long_timeout)


def _file_name(given: Given, suffixes: tuple[str, ...]) -> str:
    """What a source's file is called, without the suffix of its compression.

    Raises:
        InvalidRequestError: It is no file.
    """
    place: object = given if isinstance(given, str | os.PathLike) else getattr(given, "name", None)
    if isinstance(given, str) and "://" in given:
        place = unquote(urlsplit(given).path)
    name = Path(place).name if isinstance(place, str | os.PathLike) else ""
    for suffix in suffixes:
        name = name.removesuffix(suffix)
    if not name:
        raise _refusal("the volume has no name, and the source has none either", hint="Give it with name=.")
    return name


def _refusal(message: str, hint: str | None = None) -> InvalidRequestError:
    return InvalidRequestError(message, hint=hint, outcome="not_started", retry="no")


def _unsupported(message: str, instead: str) -> UnsupportedError:
    hint = f"Convert it before: qemu-img convert -O {instead}."
    return UnsupportedError(message, hint=hint, outcome="not_started", retry="no")
