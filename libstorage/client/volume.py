"""A volume of a pool."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Literal, Self, TypeVar, overload

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
from libstorage.errors import InvalidRequestError
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
from libstorage.units import Size, SizeLike

if TYPE_CHECKING:
    from libstorage.client.pool import Pool

R = TypeVar("R")

_LARGEST_BUFFER: Final = 1 << 30


class Volume(Handle[VolumeId]):
    """A volume on a host, known by its pool and its name."""

    __slots__ = ()

    # ---- what it is -------------------------------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """Its name."""
        return self._id.name

    @property
    def pool(self) -> Pool:
        """The pool that it is in."""
        from libstorage.client.pool import Pool

        return Pool(self._channel, self._id.pool)

    def key(self) -> str:
        """What libvirt calls its key: the path for most pool types, so neither stable nor secret (``virStorageVolGetKey``).

        Raises:
            VolumeNotFoundError: It is gone.
        """
        return self._ask(VOLUME_KEY, lambda raw: decoded(raw.key))

    def path(self) -> str:
        """Its path on the host (``virStorageVolGetPath``).

        Raises:
            VolumeNotFoundError: It is gone.
        """
        return self._ask(VOLUME_PATH, lambda raw: decoded(raw.path))

    def type(self) -> VolumeType:
        """What it is: a file, a block device, a directory and so on.

        Raises:
            VolumeNotFoundError: It is gone.
        """
        return self.info().type

    def info(self, physical: bool = False) -> VolumeInfo:
        """Type and sizes, in bytes (``virStorageVolGetInfoFlags``).

        Args:
            physical: Ask for the size of its file instead of the space that is charged for it.

        Raises:
            VolumeNotFoundError: It is gone.
        """
        flag = VolumeInfoFlags.GET_PHYSICAL if physical else VolumeInfoFlags.USE_ALLOCATION
        kind, capacity, space = self._ask(VOLUME_INFO, lambda raw: raw.infoFlags(flag))
        return VolumeInfo(
            type=VolumeType(kind),
            capacity=Size(capacity),
            allocation=None if physical else Size(space),
            physical=Size(space) if physical else None,
        )

    def spec(self) -> VolumeSpec:
        """What its document says.

        Raises:
            VolumeNotFoundError: It is gone.
            DocumentError: Its name or path is not UTF-8, so that its document is no XML.
        """
        return VolumeSpec.from_xml(self.xml())

    def xml(self) -> str:
        """Its document as libvirt writes it (``virStorageVolGetXMLDesc``).

        Raises:
            VolumeNotFoundError: It is gone.
        """
        return volume_xml(self._channel, self._id)

    def as_backing(self) -> BackingStore:
        """This volume as the backing store of another, its format included.

        Raises:
            VolumeNotFoundError: It is gone.
            UnsupportedError: It is encrypted.
        """
        return backing(self.spec())

    # ---- verbs ------------------------------------------------------------------------------------------------------

    def clone(
        self,
        new: str | VolumeSpec,
        *,
        pool: Pool | None = None,
        mode: CloneMode = "copy",
        flags: VolumeCreateFlags | NoFlags = 0,
    ) -> Volume:
        """Make another volume with the same content (``virStorageVolCreateXMLFrom``; a link by ``virStorageVolCreateXML``).

        Only the content comes from this volume: format, permissions and so on are what ``new`` says. A copy of a linked
        volume stands on its own. libvirt copies raw volumes in whole blocks: one whose size is no multiple of the file
        system's block size (usually 4096 bytes) gets zeros at its end.

        Args:
            new: The new volume; a name alone means this volume's own document under that name. With a capacity above
                this volume's, the clone is grown to it, and deleted again if that fails.
            pool: Where to make it, instead of this volume's pool; on the same host.
            mode: ``copy`` all data, share blocks (``reflink``), or hold only what will differ (``linked``).
            flags: More flags.

        Raises:
            VolumeExistsError: The pool has it already, or a file in its place that libvirt has not seen yet.
            VolumeBusyError: This volume is being built, wiped, or changed by this process.
            NoSpaceError: It does not fit.
            InvalidRequestError: The name is not one to give to a new volume, the mode does not go with ``new``, or the
                capacity is below this volume's.
            UnsupportedError: The pool type, format or file system cannot do that; the hint says what to use instead.
        """
        into = self._id.pool if pool is None else pool._id
        return Volume(self._channel, clone.clone(self._channel, self._id, new, into, mode, flags))

    def resize(
        self,
        capacity: SizeLike,
        *,
        shrink: bool = False,
        allocate: bool = False,
        delta: bool = False,
        flags: VolumeResizeFlags | NoFlags = 0,
    ) -> Self:
        """Change its capacity (``virStorageVolResize``). libvirt does not know whether a guest is using it.

        Args:
            capacity: The new capacity, in bytes or as text with a unit.
            shrink: Allow it to become smaller; what is behind the new end is lost.
            allocate: Allocate the new space at once (raw only).
            delta: ``capacity`` is how much to add, or with ``shrink`` how much to take away.
            flags: More flags.

        Raises:
            InvalidRequestError: That is no size, or it is less than now (or than is allocated).
            VolumeNotFoundError: It is gone.
            VolumeBusyError: It is being built, cloned or wiped.
            NoSpaceError: It does not fit.
            UnsupportedError: This type of pool does not resize volumes.
        """
        wanted = combined(
            VolumeResizeFlags,
            flags,
            VolumeResizeFlags.SHRINK if shrink else None,
            VolumeResizeFlags.ALLOCATE if allocate else None,
            VolumeResizeFlags.DELTA if delta else None,
        )
        size = size_of("capacity", capacity)
        return self._change(VOLUME_RESIZE, lambda raw: raw.resize(size, wanted))

    def wipe(self, algorithm: WipeAlgorithm | str = WipeAlgorithm.ZERO) -> Self:
        """Overwrite its data (``virStorageVolWipePattern``).

        libvirt writes whole blocks: a file whose size is no multiple of the file system's block size (usually 4096
        bytes) becomes longer. A sparse file is cut off and made sparse again instead. Of a qcow2 volume the header goes, too: it is ``raw``
        after the next refresh.

        Args:
            algorithm: What to overwrite it with, also as libvirt's word for it. All but zeros need the program ``scrub``
                on the host; ``trim`` works on rbd only.

        Raises:
            InvalidRequestError: That is no algorithm.
            VolumeNotFoundError: It is gone.
            VolumeBusyError: It is being built, cloned or wiped.
            UnsupportedError: The pool type or the host cannot do that.
        """
        wanted = member_of(WipeAlgorithm, algorithm)
        return self._change(VOLUME_WIPE, lambda raw: raw.wipePattern(wanted, 0))

    def delete(self, *, with_snapshots: bool = False, flags: VolumeDeleteFlags | NoFlags = 0) -> None:
        """Remove it from the pool, data included (``virStorageVolDelete``).

        Args:
            with_snapshots: Delete its snapshots, too (rbd only).
            flags: More flags.

        Raises:
            VolumeNotFoundError: It is gone.
            VolumeBusyError: It is being built, cloned or wiped.
            UnsupportedError: This type of pool does not delete volumes.
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
        """Fill it (``virStorageVolUpload``), and let the pool see what it is then.

        The bytes are taken as they are: a qcow2 volume takes a qcow2 file. A raw volume takes no more than its capacity;
        resize it first.

        Args:
            source: A path or URL, a file object opened in binary mode (read from where it stands), bytes, an iterable of
                bytes, or another volume. A URL needs ``libstorage[url]``.
            offset: Where in the volume to begin, in bytes.
            length: How many bytes to send; all that the source has.
            sparse: Leave holes of the source out where the volume reads as zeros anyway; ``True`` also takes long runs
                of zeros for holes, ``False`` none. Where the volume holds data, zeros are written.
            tail: What becomes of the end of a raw volume that is longer than the source: ``keep`` it as it is, or
                ``zero`` it.
            resume: Read back what is there, and send only what comes after the longest beginning that is the same.
            checksum: The digest that the source's bytes must have, such as ``"sha256:…"``.
            verify: Read back what was sent, and compare (sha256).
            progress: Called with a [TransferProgress][libstorage.TransferProgress] after every part; ``True`` shows a
                bar, which needs ``libstorage[progress]``.
            deadline: Seconds that all may take together.

        Raises:
            InvalidRequestError: It does not fit into the volume, or the source cannot be read like that.
            VolumeBusyError: Another transfer of this process is at the volume.
            TransferError: The transfer broke off, the source was shorter than it said, or the bytes are not those of the
                checksum; the message says what state the volume is in.
            NoSpaceError: The storage under it is full.
            DeadlineError: It took too long.
            VolumeNotFoundError: It is gone.
            PoolBusyError: All has arrived, but volumes are being built in the pool for so long that it could not see that.
            OSError: The local file cannot be read.
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
        """Copy it to a local file (``virStorageVolDownload``), as it is: of a qcow2 volume, the qcow2 file.

        A file appears under its name only when all is there; it can be read by its owner only.

        Args:
            target: A path or URL, or a file object opened in binary mode.
            offset: Where in the volume to begin, in bytes.
            length: How many bytes to read; all that follow.
            sparse: Leave holes in a new file where the volume's file has them.
            overwrite: Replace the file if there is one.
            durable: Have the file on the disk before it gets its name.
            resume: Keep what a broken download has received, as ``.NAME.part`` beside the path, and write only what
                comes after the longest beginning of it that is the same in the volume.
            parallel: Receive so many ranges of it at once, each over a lane of its own, or fewer if lanes cannot be
                spared. Only for a path, and not to be resumed. ``None`` does so where it is faster: a large volume that
                is not mostly holes, into a path, without ``checksum``.
            checksum: The digest that the bytes must have, such as ``"sha256:…"``; else there is no file.
            progress: Called with a [TransferProgress][libstorage.TransferProgress] after every part; ``True`` shows a
                bar, which needs ``libstorage[progress]``.
            deadline: Seconds that all may take together.

        Raises:
            ExistsError: The file is there already, and ``overwrite`` is not set.
            InvalidRequestError: The volume has no such part; or what is to be resumed is a link, somebody else's, or for
                others to read.
            BusyError: Another download resumes the same file.
            VolumeBusyError: An upload of this process is at the volume.
            TransferError: The transfer broke off, the volume was shorter than it said, or the bytes are not those of the
                checksum.
            DeadlineError: It took too long.
            VolumeNotFoundError: It is gone.
            OSError: The local file cannot be written.
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
        """Copy it into a pool of any host: its bytes pass through this program, a few MiB at a time.

        On one host ``clone`` is faster, and can change the format; this is a copy of the bytes as they are. Nothing is
        left of a copy that fails.

        The bytes of an encrypted volume stay encrypted, so that the copy has the same passphrase. Its host needs a
        secret with that passphrase: libvirt finds one whose usage is the path of the copy when the pool is refreshed,
        and a guest names its own.

        Args:
            pool: Where to make it.
            new: The new volume: a name alone means this volume's own document under that name, ``None`` also the same
                name. Its format must be this volume's, a larger capacity is given to the copy afterwards. Other
                properties of the image (compat, clusters, encryption) are in its bytes.
            sparse: As for ``upload``.
            verify: Read back the copy, and compare (sha256).
            progress: Called with a [TransferProgress][libstorage.TransferProgress] after every part; ``True`` shows a
                bar, which needs ``libstorage[progress]``.
            deadline: Seconds that the bytes may take.

        Raises:
            VolumeExistsError: The pool has a volume of that name.
            InvalidRequestError: It is linked to another volume, and ``new`` does not have the same backing store; or it
                holds another format than libvirt knows of.
            UnsupportedError: That type of pool has no volumes of this format.
            VolumeBusyError: An upload of this process is at the volume.
            NoSpaceError: It does not fit.
            TransferError: The transfer broke off, or the copy is not what this volume is.
            DeadlineError: It took too long.
            VolumeNotFoundError: It is gone.
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
        """Open it as a file object: of a qcow2 volume, the qcow2 file (``virStorageVolDownload``, ``virStorageVolUpload``).

        ``rb`` reads anywhere; who reads on from where they are gets a stream, which holds one of the host's lanes until
        the next jump. ``wb`` writes from the start, in order; what is behind the last byte stays as it was. It is complete
        when ``close()`` returns, and aborted if its ``with`` block ends with an error; an object around it, such as
        ``io.TextIOWrapper``, belongs into a ``with`` block inside that one. No transfer of this process changes the volume
        while it is open; to read text, wrap it.

        Args:
            mode: ``rb`` to read, ``wb`` to write.
            buffering: How many bytes to read ahead after a jump, at least, and 1 GiB at most; 0 and -1 leave that to us.

        Raises:
            InvalidRequestError: There is no such mode or buffer, or the volume is a directory.
            VolumeBusyError: Another transfer of this process is at the volume.
            VolumeNotFoundError: It is gone.
        """
        check_count("buffering", buffering, least=-1, most=_LARGEST_BUFFER)
        if mode == "rb":
            size = buffering if buffering > 0 else BUFFER
            return io.BufferedReader(VolumeReader(self._channel, self._id, self.spec, size), size)
        if mode != "wb":
            raise InvalidRequestError(
                f"a volume is not opened as {mode!r}, but as 'rb' or 'wb'",
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


def readable(source: UploadSource | Volume) -> UploadSource:
    """What a transfer reads from: of a volume, its content."""
    return VolumeContent(source._channel, source._id) if isinstance(source, Volume) else source
