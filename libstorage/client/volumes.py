"""The volumes of a pool."""

from __future__ import annotations

from typing import TYPE_CHECKING

from libstorage.client.handle import Collection
from libstorage.client.spec_first import spec_first
from libstorage.client.volume import Volume, readable
from libstorage.connection.identity import PoolId, VolumeId
from libstorage.connection.lane import Lane
from libstorage.connection.resolve import list_volumes, raw_volume
from libstorage.enums import VolumeCreateFlags
from libstorage.errors import VolumeNotFoundError
from libstorage.foreign import answer_foreign_names
from libstorage.listing.volumes import read_volumes
from libstorage.models.listing import Listing
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
    """The volumes of a pool, by name. Iterating reads all of them in one call.

    A name that is not UTF-8 appears as ``os.fsdecode`` would show it, and can be used like any other name.
    """

    __slots__ = ()
    _SEE = "specs() shows all volumes; list() and names() ask the host for them; ['name'] looks one up."

    # ---- finding ----------------------------------------------------------------------------------------------------

    def lookup(self, name: str, /) -> Volume:
        """Look up a volume by name (``virStorageVolLookupByName``).

        Raises:
            VolumeNotFoundError: If the pool has no such volume, or libvirt has not seen it yet; ``pool.refresh()`` looks.
                The hint says which name is similar.
            PoolInactiveError: If the pool is not running.
        """
        try:
            return self._look_up(name)
        except VolumeNotFoundError as error:
            self._suggest(error, name)
            raise

    def _look_up(self, name: str, /) -> Volume:
        identity = VolumeId(self._scope, check_name(name))
        try:
            self._call(VOLUME_LOOKUP_BY_NAME, lambda lane: _look_up(lane, identity), identity)
        except VolumeNotFoundError as error:
            if "/" in name:
                error.add_hint(
                    "A volume has a name without a path. To look it up by its path: host.volume_at(path)."
                )
            raise
        return Volume(self._channel, identity)

    def list(self) -> tuple[Volume, ...]:
        """Return all volumes, in one call (``virStoragePoolListAllVolumes``).

        Raises:
            PoolInactiveError: If the pool is not running.
            UnsupportedError: If the pool has more volumes than libvirt can list.
        """
        return tuple(Volume(self._channel, VolumeId(self._scope, name)) for name in self.names())

    def names(self) -> tuple[str, ...]:
        """Return the names of all volumes, sorted, in one call.

        Raises:
            PoolInactiveError: If the pool is not running.
            UnsupportedError: If the pool has more volumes than libvirt can list.
        """
        found = self._call(VOLUMES_LIST, lambda lane: (*list_volumes(lane, self._scope),))
        self._keep(found)
        return found

    def count(self) -> int:
        """Return the number of volumes (``virStoragePoolNumOfVolumes``).

        Raises:
            PoolInactiveError: If the pool is not running.
        """
        return self._call(VOLUMES_COUNT, lambda lane: lane.pool(self._scope).numOfVolumes())

    def specs(self) -> Listing:
        """Return the documents of all volumes, read over several lanes, in the order of ``list()``.

        The result is a tuple of [VolumeEntry][libstorage.VolumeEntry], which a notebook shows as a table.

        If a document cannot be read (the volume vanished, the name is not UTF-8), the entry has an ``error``.

        Raises:
            PoolInactiveError: If the pool is not running.
            UnsupportedError: If the pool has more volumes than libvirt can list.
        """
        return read_volumes(self._channel, self._scope)

    # ---- making -----------------------------------------------------------------------------------------------------

    @spec_first("VolumeSpec.qcow2")
    def create(
        self,
        spec: VolumeSpec,
        *,
        preallocate_metadata: bool = False,
        allow_unknown: bool = False,
        validate: bool = True,
        flags: VolumeCreateFlags | NoFlags = 0,
    ) -> Volume:
        """Create a volume (``virStorageVolCreateXML``).

        Args:
            spec: The volume to create. Without an ``allocation``, a raw volume is fully allocated.
            preallocate_metadata: Allocate the metadata of a qcow2 image at once.
            allow_unknown: Also send parts that libstorage does not know, for a libvirt that is newer than this version.
            validate: Check the document first.
            flags: More flags.

        Raises:
            VolumeExistsError: If the pool has a volume of that name, or a file in its place that libvirt has not seen yet.
            PoolInactiveError: If the pool is not running.
            NoSpaceError: If the volume does not fit into the pool.
            InvalidRequestError: If the name is not allowed for a new volume, or the backing store has no format.
            DocumentError: If libvirt rejects the document.
            UnsupportedError: If pools of this type cannot create volumes, or none of that format.
        """
        made = create_volume(
            self._channel,
            self._scope,
            spec,
            preallocate_metadata=preallocate_metadata,
            allow_unknown=allow_unknown,
            validate=validate,
            flags=flags,
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
        """Create a volume from an image: the volume gets the format and size that the image has.

        If the import fails, for whatever reason, the volume is deleted. The image passes through this program a few MiB
        at a time, and is decompressed on the way. Zeros of a compressed image become holes.

        Args:
            source: A path or URL, a file object in binary mode (read from its current position), bytes, an iterable of
                bytes, or another volume. A URL needs ``libstorage[url]``.
            spec: Name and permissions of the volume. If it states a format, the image must have that format; ``raw`` also
                accepts text, and a file that is named like an image and is none. A larger
                capacity acts as ``min_capacity``. Other properties (compat, clusters, allocation) are the image's own.
            name: Name of the volume. Without it, the name of ``spec``; without ``spec``, the source's file name without
                the suffix of the compression.
            min_capacity: Grow the volume to this capacity if the image is smaller; bytes, or text with a unit. Required
                if the pool's volumes are not files and the source does not know its length.
            max_capacity: Refuse an image with a larger capacity; bytes, or text with a unit. The default is the capacity
                of ``spec``. It also limits what is received and decompressed: a format with tables of its own, or a
                compression, may take a sixteenth and 16 MiB more.
            headers: More headers for a web server, such as ``{"Authorization": "Bearer …"}``. A value may be a
                [SecretValue][libstorage.SecretValue]. After a redirect to another host, port or scheme, the headers are
                not sent. No error, log or traceback of this library shows a value.
            redirects: Where a web server may redirect to. ``follow``: anywhere. ``public``: to no address of this
                machine, of a private network or of a link, except the address of the URL itself. ``forbid``: nowhere.
            checksum: The digest of the source's bytes as they are given, compressed or not: ``"sha256:…"``.
            decompress: ``gzip``, ``xz``, ``bzip2`` or ``zstd`` (which needs ``libstorage[zstd]``). ``auto`` detects the
                compression by the first bytes, ``None`` takes the bytes unchanged, even those of an archive.
            sparse: As for ``upload``; ``auto`` also turns zeros in a compressed source into holes.
            verify: Read back what was sent, and compare (sha256).
            allow_backing_file: Accept an image that refers to other files. A program that opens the image also opens
                these files of the host.
            progress: Called with a [TransferProgress][libstorage.TransferProgress] after each part. ``True`` shows a
                bar, which needs ``libstorage[progress]``.
            deadline: Seconds for the transfer of the bytes.

        Raises:
            VolumeExistsError: If the pool has a volume of that name.
            PoolInactiveError: If the pool is not running.
            InvalidRequestError: If the image refers to other files, differs from ``spec`` in format or size, or has a
                broken header; if it is cut off, is an archive or a text, or is not what its file name states; or if the name
                is missing, or not allowed for a new volume.
            UnsupportedError: If the pool or libvirt has no volumes of that format, or a package is missing.
            TransferError: If the transfer broke off, the bytes do not match the checksum, the compressed data is damaged,
                or libvirt detects another format or size in the volume than the image has.
            NoSpaceError: If the image does not fit into the pool.
            DeadlineError: If the transfer took longer than ``deadline``.
            OSError: If the local file cannot be read.
        """
        from libstorage.provision.fill import Wanted
        from libstorage.provision.image_import import import_image

        asking, headers = Asking.of(headers, redirects), None  # tracebacks show this frame
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

    def _keys(self) -> tuple[str, ...]:
        return self.names()


def _look_up(lane: Lane, identity: VolumeId) -> None:
    lane.forget(identity)  # the lane's copy does not prove that the volume still exists
    raw_volume(lane, identity)


answer_foreign_names(Volumes)
