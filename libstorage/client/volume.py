"""A volume of a pool."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Literal, Self, TypeVar, overload

from libstorage.client.called import must_be_called
from libstorage.client.handle import Handle
from libstorage.connection.arguments import check_count
from libstorage.connection.identity import VolumeId
from libstorage.connection.raw import RawVolume
from libstorage.connection.resolve import decoded
from libstorage.enums import (
    VolumeCreateFlags,
    VolumeDeleteFlags,
    VolumeInfoFlags,
    VolumeResizeFlags,
    VolumeType,
    WipeAlgorithm,
)
from libstorage.errors import HelperError, InvalidRequestError, UnsupportedError
from libstorage.foreign import answer_foreign_names
from libstorage.models.compare import has_capacity
from libstorage.models.info import VolumeInfo
from libstorage.models.volume import BackingStore, VolumeSpec
from libstorage.operations import (
    VOLUME_DELETE,
    VOLUME_INFO,
    VOLUME_KEY,
    VOLUME_PATH,
    VOLUME_RESIZE,
    VOLUME_WIPE,
    Operation,
)
from libstorage.provision import clone
from libstorage.provision.checks import backing
from libstorage.provision.clone import CloneMode
from libstorage.provision.header import check_header
from libstorage.session.arguments import NoFlags, combined, member_of, size_of
from libstorage.session.calls import ask_volume, change_volume, volume_xml
from libstorage.transfer import download, upload
from libstorage.transfer.bar import watched_by
from libstorage.transfer.ends.opening import DownloadTarget, UploadSource
from libstorage.transfer.ends.sinks import SaveOptions
from libstorage.transfer.pieces.checksum import Checks
from libstorage.transfer.pieces.piece import Openable
from libstorage.transfer.progress import Progress, Watch
from libstorage.transfer.reader import BUFFER, VolumeReader
from libstorage.transfer.upload import Sparse, Tail
from libstorage.transfer.volume.content import VolumeContent
from libstorage.transfer.volume.range import Part
from libstorage.transfer.writer import VolumeWriter
from libstorage.units import Size, SizeLike, counted

if TYPE_CHECKING:
    from libstorage.client.pool import Pool

R = TypeVar("R")

_LARGEST_BUFFER: Final = 1 << 30


class Volume(Handle[VolumeId]):
    """A volume on a host, identified by its pool and its name."""

    __slots__ = ()
    _SEE = "volume.info() and volume.spec() ask the host."

    # ---- what it is -------------------------------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """Name of the volume."""
        return self._id.name

    @property
    def pool(self) -> Pool:
        """The pool that the volume is in."""
        from libstorage.client.pool import Pool

        return Pool(self._channel, self._id.pool)

    @must_be_called
    def key(self) -> str:
        """Return libvirt's key: the path for most pool types, so neither stable nor secret (``virStorageVolGetKey``).

        Raises:
            VolumeNotFoundError: If the volume is gone.
        """
        return self._ask(VOLUME_KEY, lambda raw: decoded(raw.key))

    @must_be_called
    def path(self) -> str:
        """Return the path of the volume on the host (``virStorageVolGetPath``).

        Raises:
            VolumeNotFoundError: If the volume is gone.
        """
        return self._ask(VOLUME_PATH, lambda raw: decoded(raw.path))

    @must_be_called
    def type(self) -> VolumeType:
        """Return the type of the volume: a file, a block device, a directory and so on.

        Raises:
            VolumeNotFoundError: If the volume is gone.
        """
        return self.info().type

    def info(self, physical: bool = False) -> VolumeInfo:
        """Return type and sizes, in bytes (``virStorageVolGetInfoFlags``).

        If an image is cut off or damaged, libvirt can report more bytes than a volume can have; ``capacity`` is 0 then.

        Args:
            physical: Ask for the size of the volume's file instead of the space that is charged for the volume.

        Raises:
            VolumeNotFoundError: If the volume is gone.
        """
        flag = VolumeInfoFlags.GET_PHYSICAL if physical else VolumeInfoFlags.USE_ALLOCATION
        try:
            kind, capacity, space = self._ask(VOLUME_INFO, lambda raw: raw.infoFlags(flag))
        except UnsupportedError:
            if physical:
                raise
            kind, capacity, space = self._ask(VOLUME_INFO, lambda raw: raw.info())  # a driver of before 3.0
        return VolumeInfo(
            type=VolumeType(kind),
            capacity=counted(capacity),
            allocation=None if physical else Size(space),
            physical=Size(space) if physical else None,
        )

    def spec(self) -> VolumeSpec:
        """Return what the volume's document says.

        Raises:
            VolumeNotFoundError: If the volume is gone.
            DocumentError: If the name or the path is not UTF-8, which makes the document unreadable as XML.
        """
        return VolumeSpec.from_libvirt(self.xml())

    def xml(self) -> str:
        """Return the volume's document as libvirt writes it (``virStorageVolGetXMLDesc``).

        Raises:
            VolumeNotFoundError: If the volume is gone.
        """
        return volume_xml(self._channel, self._id)

    def as_backing(self) -> BackingStore:
        """Return this volume as the backing store of another volume, with its format.

        Raises:
            VolumeNotFoundError: If the volume is gone.
            UnsupportedError: If the volume is encrypted, is a directory, or has no absolute path.
            StateError: If the file begins like an image of another format than libvirt takes it for.
        """
        spec = self.spec()
        check_header(self._channel, self._id, spec)
        return backing(spec)

    # ---- verbs ------------------------------------------------------------------------------------------------------

    def clone(
        self,
        new: str | VolumeSpec,
        *,
        pool: Pool | None = None,
        mode: CloneMode = "copy",
        allow_unknown: bool = False,
        validate: bool = True,
        flags: VolumeCreateFlags | NoFlags = 0,
    ) -> Volume:
        """Create another volume with the same content (``virStorageVolCreateXMLFrom``; ``virStorageVolCreateXML`` for a link).

        Only the content comes from this volume. Format, permissions and the rest are what ``new`` says. A copy of a linked
        volume does not depend on the backing store. libvirt copies raw volumes in whole blocks: if the size is not a
        multiple of the file system's block size (usually 4096 bytes), the clone gets zeros at its end.

        Args:
            new: The document of the clone. A name alone means this volume's own document under that name. If the
                capacity is above this volume's, the clone is grown to it, and deleted again if that fails.
            pool: The pool of the clone, on the same host. ``None`` is this volume's pool.
            mode: ``copy`` copies all data, ``reflink`` shares blocks, ``linked`` holds only what differs from this volume.
            allow_unknown: Also send parts of ``new`` that libstorage does not know.
            validate: Check the document first.
            flags: More flags.

        Raises:
            VolumeExistsError: If the pool has a volume of that name, or a file in its place that libvirt has not seen yet.
            VolumeBusyError: If this volume is being built, wiped, or changed by this process.
            NoSpaceError: If the clone does not fit into the pool.
            InvalidRequestError: If the name is not allowed for a new volume, the mode does not go with ``new``, or the
                capacity is below this volume's.
            UnsupportedError: If the pool type, format or file system cannot do that; the hint names the alternative.
        """
        into = self._id.pool if pool is None else pool._id
        checked = new.with_unknown_allowed() if allow_unknown and isinstance(new, VolumeSpec) else new
        return Volume(
            self._channel, clone.clone(self._channel, self._id, checked, into, mode, flags, validate=validate)
        )

    def resize(
        self,
        capacity: SizeLike,
        *,
        shrink: bool = False,
        allocate: bool = False,
        delta: bool = False,
        flags: VolumeResizeFlags | NoFlags = 0,
    ) -> Self:
        """Change the capacity (``virStorageVolResize``). libvirt does not know whether a guest uses the volume.

        If the volume has that capacity already, as far as its format can have it, nothing is done.

        Args:
            capacity: The new capacity, in bytes or as text with a unit.
            shrink: Allow a smaller capacity; the data behind the new end is lost.
            allocate: Allocate the new space at once (raw only).
            delta: Add ``capacity`` to the present capacity, or with ``shrink`` subtract it.
            flags: More flags.

        Raises:
            InvalidRequestError: If ``capacity`` is not a size, or is below the present capacity without ``shrink``, or
                below the allocation.
            VolumeNotFoundError: If the volume is gone.
            VolumeBusyError: If the volume is being built, cloned or wiped.
            NoSpaceError: If the pool has too little space.
            UnsupportedError: If pools of this type do not resize volumes.
        """
        wanted = combined(
            VolumeResizeFlags,
            flags,
            VolumeResizeFlags.SHRINK if shrink else None,
            VolumeResizeFlags.ALLOCATE if allocate else None,
            VolumeResizeFlags.DELTA if delta else None,
        )
        size = size_of("capacity", capacity)
        try:
            return self._change(VOLUME_RESIZE, lambda raw: raw.resize(size, wanted))
        except (InvalidRequestError, UnsupportedError, HelperError):
            if wanted or not has_capacity(self.spec(), size):
                raise
        return self

    def wipe(self, algorithm: WipeAlgorithm | str = WipeAlgorithm.ZERO) -> Self:
        """Overwrite the data (``virStorageVolWipePattern``).

        libvirt writes whole blocks: a file whose size is not a multiple of the file system's block size (usually 4096
        bytes) becomes longer. A sparse file is truncated and made sparse again instead. A qcow2 volume loses its header,
        too: after the next refresh it is ``raw``.

        Args:
            algorithm: The pattern, as an enum member or as libvirt's word for it. Every pattern but zeros needs the
                program ``scrub`` on the host; ``trim`` works on rbd only.

        Raises:
            InvalidRequestError: If there is no such algorithm.
            VolumeNotFoundError: If the volume is gone.
            VolumeBusyError: If the volume is being built, cloned or wiped.
            UnsupportedError: If the pool type or the host cannot do that.
        """
        wanted = member_of(WipeAlgorithm, algorithm)
        return self._change(VOLUME_WIPE, lambda raw: raw.wipePattern(wanted, 0))

    def delete(self, *, with_snapshots: bool = False, flags: VolumeDeleteFlags | NoFlags = 0) -> None:
        """Delete the volume and its data from the pool (``virStorageVolDelete``).

        Args:
            with_snapshots: Delete the volume's snapshots, too (rbd only).
            flags: More flags.

        Raises:
            VolumeNotFoundError: If the volume is gone.
            VolumeBusyError: If the volume is being built, cloned or wiped.
            UnsupportedError: If pools of this type do not delete volumes.
        """
        snapshots = VolumeDeleteFlags.WITH_SNAPSHOTS if with_snapshots else None
        wanted = combined(VolumeDeleteFlags, flags, snapshots)
        self._change(VOLUME_DELETE, lambda raw: raw.delete(wanted))

    def upload(
        self,
        source: UploadSource | Volume,
        *,
        offset: SizeLike = 0,
        length: SizeLike | None = None,
        sparse: Sparse = "auto",
        tail: Tail = "keep",
        resume: bool = False,
        checksum: str | None = None,
        verify: bool = False,
        progress: Progress | bool = False,
        deadline: float | None = None,
    ) -> Self:
        """Write into the volume (``virStorageVolUpload``), then refresh the pool so that libvirt sees format and size.

        The bytes are stored unchanged: a qcow2 volume takes a qcow2 file. A raw volume takes at most its capacity; to
        upload more, resize it first.

        Args:
            source: A path or URL, a file object in binary mode (read from its current position), bytes, an iterable of
                bytes, or another volume. A URL needs ``libstorage[url]``.
            offset: First byte of the volume to write.
            length: Number of bytes to send. ``None`` sends all that the source has.
            sparse: Skip holes that the source reports, where the volume already reads as zeros. ``True`` also treats long
                runs of zeros as holes, ``False`` skips nothing. Where the volume holds data, zeros are written.
            tail: If a raw volume is longer than the source, ``keep`` leaves its end unchanged, ``zero`` overwrites it
                with zeros.
            resume: Read the volume back, and send only what follows the longest prefix that source and volume share.
            checksum: The digest that the source's bytes must have, such as ``"sha256:…"``.
            verify: Read back what was sent, and compare (sha256).
            progress: Called with a [TransferProgress][libstorage.TransferProgress] after each part. ``True`` shows a
                bar, which needs ``libstorage[progress]``.
            deadline: Seconds for the whole upload.

        Raises:
            InvalidRequestError: If the source does not fit into the volume, or cannot be read.
            VolumeBusyError: If another transfer of this process uses the volume.
            TransferError: If the transfer broke off, the source was shorter than its stated length, or the bytes do not
                match the checksum. The message says what state the volume is in.
            NoSpaceError: If the storage under the pool is full.
            DeadlineError: If the upload took longer than ``deadline``.
            VolumeNotFoundError: If the volume is gone.
            PoolBusyError: If all data arrived, but volumes were being built in the pool for too long to refresh it.
            OSError: If the local file cannot be read.
        """
        with watched_by(progress) as watcher:
            given = readable(source)
            watch = Watch(str(self._id), watcher, deadline, has_lane=isinstance(given, Openable))
            part, checks = Part.of(offset, length), Checks.of(checksum, verify=verify)
            upload.upload(
                self._channel, self._id, given, part, watch, checks, sparse=sparse, tail=tail, resume=resume
            )
        return self

    def download(
        self,
        target: DownloadTarget,
        *,
        offset: SizeLike = 0,
        length: SizeLike | None = None,
        sparse: bool = True,
        overwrite: bool = False,
        durable: bool = False,
        resume: bool = False,
        parallel: int | None = None,
        checksum: str | None = None,
        progress: Progress | bool = False,
        deadline: float | None = None,
    ) -> Self:
        """Copy the bytes to a local file (``virStorageVolDownload``): for a qcow2 volume, the qcow2 file.

        The file gets its name only when it is complete. Only its owner can read it.

        Args:
            target: A path or URL, or a file object in binary mode.
            offset: First byte of the volume to read.
            length: Number of bytes to read. ``None`` reads to the end.
            sparse: Make holes in a new file where the volume's file has them.
            overwrite: Replace an existing file.
            durable: Sync the file to disk before it gets its name.
            resume: If the download breaks off, keep what was received as ``.NAME.part`` beside the path. If that file
                exists, write only what follows the longest prefix that it shares with the volume.
            parallel: Number of ranges to receive at once, each over its own lane; fewer if no lane can be spared. Only
                for a path, and not with ``resume``. ``None`` uses ranges where they are faster: for a large volume
                that is not mostly holes, into a path, without ``checksum``.
            checksum: The digest that the bytes must have, such as ``"sha256:…"``. If it differs, no file is left.
            progress: Called with a [TransferProgress][libstorage.TransferProgress] after each part. ``True`` shows a
                bar, which needs ``libstorage[progress]``.
            deadline: Seconds for the whole download.

        Raises:
            ExistsError: If the file exists and ``overwrite`` is not set.
            InvalidRequestError: If the volume has no such range; or if the file to resume is a link, belongs to another
                user, or is readable by others.
            BusyError: If another download resumes the same file.
            VolumeBusyError: If an upload of this process uses the volume.
            TransferError: If the transfer broke off, the volume was shorter than its stated length, or the bytes do not
                match the checksum.
            DeadlineError: If the download took longer than ``deadline``.
            VolumeNotFoundError: If the volume is gone.
            OSError: If the local file cannot be written.
        """
        with watched_by(progress) as watcher:
            watch = Watch(str(self._id), watcher, deadline)
            saving = SaveOptions(overwrite=overwrite, durable=durable, sparse=sparse, resume=resume)
            part, checks = Part.of(offset, length), Checks.of(checksum)
            download.download(self._channel, self._id, target, part, watch, checks, saving, parallel=parallel)
        return self

    def copy_to(
        self,
        pool: Pool,
        new: str | VolumeSpec | None = None,
        *,
        sparse: Sparse = "auto",
        verify: bool = False,
        progress: Progress | bool = False,
        deadline: float | None = None,
    ) -> Volume:
        """Copy the volume into a pool of any host: its bytes pass through this program, a few MiB at a time.

        On one host ``clone`` is faster, and can change the format; ``copy_to`` copies the bytes unchanged. If the copy
        fails, it is deleted.

        The bytes of an encrypted volume stay encrypted, so the copy has the same passphrase. The host of the copy needs a
        secret with that passphrase: when the pool is refreshed, libvirt finds a secret whose usage is the path of the
        copy. A guest names its own secret.

        Args:
            pool: The pool of the copy.
            new: The document of the copy. A name alone means this volume's own document under that name; ``None`` keeps
                the name, too. The format must be this volume's. If the capacity is larger, the copy is grown afterwards.
                Other properties of the image (compat, clusters, encryption) are in its bytes.
            sparse: As for ``upload``.
            verify: Read the copy back, and compare (sha256).
            progress: Called with a [TransferProgress][libstorage.TransferProgress] after each part. ``True`` shows a
                bar, which needs ``libstorage[progress]``.
            deadline: Seconds for the transfer of the bytes.

        Raises:
            VolumeExistsError: If the pool has a volume of that name.
            InvalidRequestError: If this volume is linked to another one and ``new`` does not have the same backing store,
                or if this volume holds another format than libvirt states.
            UnsupportedError: If pools of that type have no volumes of this format.
            VolumeBusyError: If an upload of this process uses the volume.
            NoSpaceError: If the copy does not fit into the pool.
            TransferError: If the transfer broke off, or the copy differs from this volume.
            DeadlineError: If the transfer took longer than ``deadline``.
            VolumeNotFoundError: If the volume is gone.
        """
        from libstorage.provision.copy import copy_volume

        with watched_by(progress) as watcher:
            content = VolumeContent(self._channel, self._id)
            watch = Watch(str(self._id), watcher, deadline, has_lane=True)
            made = copy_volume(content, pool._channel, pool._id, new, watch, sparse=sparse, verify=verify)
            return Volume(pool._channel, made)

    @overload
    def open(self, mode: Literal["rb"] = "rb", *, buffering: int = BUFFER) -> io.BufferedReader: ...
    @overload
    def open(self, mode: Literal["wb"], *, buffering: int = BUFFER) -> VolumeWriter: ...
    def open(
        self, mode: Literal["rb", "wb"] = "rb", *, buffering: int = BUFFER
    ) -> io.BufferedReader | VolumeWriter:
        """Open the volume as a file object: for qcow2, the qcow2 file (``virStorageVolDownload``, ``virStorageVolUpload``).

        ``rb`` supports random access. Sequential reads share one stream, which occupies a lane until the next seek.
        ``wb`` writes sequentially from the start; bytes beyond the last one written are left unchanged. The volume is
        complete when ``close()`` returns. If the ``with`` block ends with an error, the upload is aborted. A wrapper such
        as ``io.TextIOWrapper`` belongs in a ``with`` block inside that one. While the volume is open, no other transfer of
        this process can change it.

        Args:
            mode: ``rb`` to read, ``wb`` to write.
            buffering: Bytes to read ahead after a seek, at most 1 GiB. 0 and -1 use the default of 256 KiB.

        Raises:
            InvalidRequestError: If there is no such mode or buffer size, or the volume is a directory.
            VolumeBusyError: If another transfer of this process uses the volume.
            VolumeNotFoundError: If the volume is gone.
        """
        check_count("buffering", buffering, least=-1, most=_LARGEST_BUFFER)
        if mode == "rb":
            size = buffering if buffering > 0 else BUFFER
            return io.BufferedReader(VolumeReader(self._channel, self._id, self.spec, size), size)
        if mode != "wb":
            raise InvalidRequestError(
                f"mode is 'rb' or 'wb', not {mode!r}",
                hint="For text, wrap it: io.TextIOWrapper(volume.open()).",
            )
        return VolumeWriter(str(self._id), self.upload)

    # ---- inside -----------------------------------------------------------------------------------------------------

    def _ask(self, operation: Operation, read: Callable[[RawVolume], R]) -> R:
        return ask_volume(self._channel, operation, self._id, read)

    def _change(self, operation: Operation, act: Callable[[RawVolume], object]) -> Self:
        change_volume(self._channel, operation, self._id, act)
        return self

    def _label(self) -> str:
        return f"{self.name!r} in pool {self._id.pool.name!r}"

    def _fields(self) -> list[tuple[str, str]]:
        return [("name", self.name), ("pool", self._id.pool.name)]


def readable(source: UploadSource | Volume) -> UploadSource:
    """Return what a transfer reads from: for a volume, its content."""
    return VolumeContent(source._channel, source._id) if isinstance(source, Volume) else source


answer_foreign_names(Volume)
