"""The volumes of a pool."""

from __future__ import annotations

from typing import TYPE_CHECKING

from libstorage.client.handle import Collection
from libstorage.client.volume import Volume, readable
from libstorage.connection.identity import PoolId, VolumeId
from libstorage.connection.lane import Lane
from libstorage.connection.resolve import list_volumes, raw_volume
from libstorage.enums import VolumeCreateFlags
from libstorage.listing.volumes import read_volumes
from libstorage.models.inventory import VolumeEntry
from libstorage.models.volume import VolumeSpec
from libstorage.operations import VOLUME_LOOKUP_BY_NAME, VOLUMES_COUNT, VOLUMES_LIST
from libstorage.provision.checks import check_volume_spec
from libstorage.provision.create import create_volume
from libstorage.session.arguments import NoFlags, check_name, size_of
from libstorage.transfer.bar import watched_by
from libstorage.transfer.ends.opening import UploadSource
from libstorage.transfer.ends.web.asking import Asking, Headers, Redirects
from libstorage.transfer.pieces.checksum import Checks
from libstorage.transfer.pieces.piece import Openable
from libstorage.transfer.progress import Progress, Watch
from libstorage.transfer.upload import Sparse
from libstorage.units import SizeLike

if TYPE_CHECKING:
    from libstorage.transfer.pieces.decompress import Compression


class Volumes(Collection[Volume, PoolId]):
    """The volumes of a pool, by name. Iterating asks for all of them in one call.

    A name that is not UTF-8 appears as ``os.fsdecode`` would show it, and can be used like any other.
    """

    __slots__ = ()

    # ---- finding ----------------------------------------------------------------------------------------------------

    def lookup(self, name: str, /) -> Volume:
        """The volume with this name (``virStorageVolLookupByName``).

        Raises:
            VolumeNotFoundError: There is none, or libvirt has not seen it yet: ``pool.refresh()`` looks.
            PoolInactiveError: The pool is not running.
        """
        identity = VolumeId(self._scope, check_name(name))
        self._call(VOLUME_LOOKUP_BY_NAME, lambda lane: _look_up(lane, identity), identity)
        return Volume(self._channel, identity)

    def list(self) -> tuple[Volume, ...]:
        """All of them, in one call (``virStoragePoolListAllVolumes``).

        Raises:
            PoolInactiveError: The pool is not running.
            UnsupportedError: There are more than libvirt can list.
        """
        return tuple(Volume(self._channel, VolumeId(self._scope, name)) for name in self.names())

    def names(self) -> tuple[str, ...]:
        """The names of all of them, in one call.

        Raises:
            PoolInactiveError: The pool is not running.
            UnsupportedError: There are more than libvirt can list.
        """
        return self._call(VOLUMES_LIST, lambda lane: (*list_volumes(lane, self._scope),))

    def count(self) -> int:
        """How many there are (``virStoragePoolNumOfVolumes``).

        Raises:
            PoolInactiveError: The pool is not running.
        """
        return self._call(VOLUMES_COUNT, lambda lane: lane.pool(self._scope).numOfVolumes())

    def specs(self) -> tuple[VolumeEntry, ...]:
        """What the documents of all of them say, read over several lanes, in the order of ``list()``.

        What cannot be read (a volume vanished, a name is not UTF-8) is that entry's ``error``.

        Raises:
            PoolInactiveError: The pool is not running.
            UnsupportedError: There are more than libvirt can list.
        """
        return read_volumes(self._channel, self._scope)

    # ---- making -----------------------------------------------------------------------------------------------------

    def create(
        self, spec: VolumeSpec, *, preallocate_metadata: bool = False, flags: VolumeCreateFlags | NoFlags = 0
    ) -> Volume:
        """Make a volume (``virStorageVolCreateXML``).

        Args:
            spec: What to make. Without an ``allocation`` a raw volume is allocated as a whole.
            preallocate_metadata: Allocate the metadata of a qcow2 image at once.
            flags: More flags.

        Raises:
            VolumeExistsError: The pool has it already, or a file in its place that libvirt has not seen yet.
            PoolInactiveError: The pool is not running.
            NoSpaceError: It does not fit.
            InvalidRequestError: The name is not one to give to a new volume, or the backing store has no format.
            DocumentError: libvirt does not take the document.
            UnsupportedError: This type of pool does not make volumes, or none of that format.
        """
        made = create_volume(
            self._channel, self._scope, spec, preallocate_metadata=preallocate_metadata, flags=flags
        )
        return Volume(self._channel, made)

    def import_image(
        self,
        source: UploadSource | Volume,
        spec: VolumeSpec | None = None,
        *,
        name: str | None = None,
        min_capacity: SizeLike | None = None,
        max_capacity: SizeLike | None = None,
        headers: Headers | None = None,
        redirects: Redirects = "follow",
        checksum: str | None = None,
        decompress: Compression | None = "auto",
        sparse: Sparse = "auto",
        verify: bool = False,
        allow_backing_file: bool = False,
        progress: Progress | bool = False,
        deadline: float | None = None,
    ) -> Volume:
        """Make a volume of an image: its format and size are found out, and the volume has them in the end.

        Nothing is left of an import that fails, whatever the reason. The image passes through this program a few MiB at
        a time, decompressed on the way; zeros of a compressed one become holes.

        Args:
            source: A path or URL, a file object opened in binary mode (read from where it stands), bytes, an iterable of
                bytes, or another volume. A URL needs ``libstorage[url]``.
            spec: Name and permissions of the volume. A format must be the image's, a larger capacity is as
                ``min_capacity``; other properties (compat, clusters, allocation) are the image's own.
            name: Its name; without it that of ``spec``, and without that the source's file name, without the suffix
                of a compression that was undone.
            min_capacity: Make the volume larger if it has less, in bytes or as text with a unit. A pool whose volumes
                are no files needs it for a source that cannot tell its length.
            max_capacity: Refuse an image that has more, in bytes or as text with a unit; without it, one that has more
                than the capacity of ``spec``. It bounds what is received and decompressed, too; a format with tables of
                its own, or a compression, may have a sixteenth and 16 MiB more than that.
            headers: What to tell a web server besides, such as ``{"Authorization": "Bearer …"}``; a value may be a
                [SecretValue][libstorage.SecretValue]. No other server gets them: not after a redirect to another host,
                port or scheme. No error, log or traceback of ours shows a value.
            redirects: Where a web server may redirect to: ``follow`` is anywhere; ``public`` is no address of this
                machine, of a private network or of a link, unless it is that of the URL itself; ``forbid`` is nowhere.
            checksum: The digest that the source's bytes must have, as they are given (compressed, if they are):
                ``"sha256:…"``.
            decompress: ``gzip``, ``xz``, ``bzip2`` or ``zstd`` (which needs ``libstorage[zstd]``); ``auto`` is what the
                first bytes say, ``None`` takes all as it is.
            sparse: As for ``upload``; ``auto`` also makes holes of the zeros in a compressed source.
            verify: Read back what was sent, and compare (sha256).
            allow_backing_file: Take an image that refers to other files. Whoever opens it opens these files of the
                host, too.
            progress: Called with a [TransferProgress][libstorage.TransferProgress] after every part; ``True`` shows a
                bar, which needs ``libstorage[progress]``.
            deadline: Seconds that the bytes may take.

        Raises:
            VolumeExistsError: The pool has a volume of that name.
            PoolInactiveError: The pool is not running.
            InvalidRequestError: The image refers to other files, is not of the format or size that ``spec`` says, or has
                a broken header; the name is missing, or not one to give to a new volume.
            UnsupportedError: The pool, or libvirt, has no volumes of that format, or a package is missing.
            TransferError: The transfer broke off, the bytes are not those of the checksum, the compressed data is
                damaged, or libvirt sees something else in the volume than was found.
            NoSpaceError: It does not fit.
            DeadlineError: It took too long.
            OSError: The local file cannot be read.
        """
        from libstorage.provision.fill import Wanted
        from libstorage.provision.image_import import import_image

        asking, headers = Asking.of(headers, redirects), None  # no traceback of ours shows them
        with watched_by(progress) as watcher:
            given = readable(source)
            watch = Watch(
                f"import into {self._scope}", watcher, deadline, has_lane=isinstance(given, Openable)
            )
            wanted = Wanted(
                spec=None if spec is None else check_volume_spec(spec, strict_name=False),
                name=name,
                min_capacity=None if min_capacity is None else size_of("min_capacity", min_capacity),
                max_capacity=None if max_capacity is None else size_of("max_capacity", max_capacity),
                allow_backing_file=allow_backing_file,
                sparse=sparse,
                verify=verify,
            )
            made = import_image(
                self._channel, self._scope, given, wanted, Checks.of(checksum), decompress, watch, asking
            )
            return Volume(self._channel, made)

    def _all(self) -> tuple[Volume, ...]:
        return self.list()


def _look_up(lane: Lane, identity: VolumeId) -> None:
    lane.forget(identity)  # what the lane knows does not say that it is still there
    raw_volume(lane, identity)
