"""The file system of a host: its pools are folders, and its volumes are files."""

from __future__ import annotations

import errno
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, Final, NoReturn

from libstorage.client.handle import reached
from libstorage.client.host import Host
from libstorage.client.pool import Pool
from libstorage.client.volume import Volume
from libstorage.connection.address.uri import HostURI, parse
from libstorage.enums import VolumeFormat
from libstorage.errors import (
    ExistsError,
    InvalidRequestError,
    NotFoundError,
    UnsupportedError,
    VolumeNotFoundError,
)
from libstorage.fsspec.base import DEFAULT_CALLBACK, Base, Callback, isfilelike
from libstorage.fsspec.entries import file_entry, folder_entry
from libstorage.models.support import has_files
from libstorage.models.volume import VolumeSpec
from libstorage.operations import VOLUME_CREATE
from libstorage.provision.undo import Made, made
from libstorage.session.channel import Channel
from libstorage.session.options import Options
from libstorage.transfer.progress import Progress, TransferProgress, Watch
from libstorage.transfer.reader import BUFFER
from libstorage.transfer.upload import fill_new
from libstorage.transfer.writer import VolumeWriter

_BLOCK: Final = 4096
"""libvirt copies whole blocks of such a size."""


class LibvirtFileSystem(Base):
    """The volumes of a host as files ``pool/volume``.

    A new file becomes a raw volume that grows. A file that is overwritten is deleted and created again, except in pools
    whose volumes are not files. A file that is being written holds a lease on the volume until it is closed. If the
    ``with`` block fails, the new volume is deleted. A missing pool or volume raises ``FileNotFoundError``; all other
    errors are libstorage's.

    Args:
        uri: Address of the host, as for [connect][libstorage.connect]. The host is opened on first use, once per
            process. A dangerous address is refused: pass an open ``host`` instead.
        host: An open host, instead of an address.
        readonly: Allow only calls that change nothing; then the bytes of volumes cannot be read either.
        storage_options: Options of fsspec.

    Raises:
        InvalidRequestError: If both an address and a host are given, or neither; or if the address is malformed or dangerous.
    """

    protocol = "libvirt"
    root_marker = ""
    cachable = False  # a host that is closed would come back
    blocksize = BUFFER

    def __init__(
        self,
        uri: str | HostURI | None = None,
        host: Host | None = None,
        readonly: bool = False,
        **storage_options: Any,
    ) -> None:
        super().__init__(**storage_options)
        if (uri is None) == (host is None):
            raise InvalidRequestError(
                "pass either uri= or host=",
                hint='Pass an address as storage option, uri="qemu:///system", or an open host as host=….',
            )
        self.host: Host | None = (
            host if uri is None else Host(Channel(parse(uri).uri or "", readonly, Options()))
        )
        """The host."""

    @property
    def fsid(self) -> str:
        """Identifier of the file system: the address of its host."""
        return f"libvirt_{self._host.uri}"

    # ---- looking ----------------------------------------------------------------------------------------------------

    def ls(self, path: str, detail: bool = True, **kwargs: Any) -> list[Any]:
        """List the volumes of a pool, or the running pools; for a volume, the volume itself.

        Raises:
            FileNotFoundError: If there is no such pool or volume.
            PoolInactiveError: If the pool is not running.
        """
        pool, volume = self._split(path)
        if volume:
            found = [self.info(path)]
        elif pool:
            with _not_found(path):
                entries = self._host.pools[pool].volumes.specs()
            gone = [entry for entry in entries if isinstance(entry.error, VolumeNotFoundError)]
            found = [file_entry(pool, entry.name, entry.spec) for entry in entries if entry not in gone]
        else:
            found = [folder_entry(one.name) for one in self._host.pools.list(active=True)]
        found.sort(key=lambda entry: str(entry["name"]))
        return found if detail else [entry["name"] for entry in found]

    def info(self, path: str, **kwargs: Any) -> dict[str, Any]:
        """Return name, size in bytes and type; for a volume also format, capacity, allocation and times.

        Raises:
            FileNotFoundError: If there is no such pool or volume.
        """
        pool, volume = self._split(path)
        if volume:
            with _not_found(path):
                return file_entry(pool, volume, self._volume(path).spec())
        if pool:
            with _not_found(path):
                self._host.pools.lookup(pool)
        return folder_entry(pool)

    def exists(self, path: str, **kwargs: Any) -> bool:
        """Return whether a pool or volume exists.

        Raises:
            StorageError: If the host could not be asked.
        """
        name, volume = self._split(path)
        pool = self._host.pools.get(name) if name else None
        if pool is None or not volume:
            return pool is not None or not name
        return pool.volumes.exists(volume)

    def created(self, path: str) -> datetime:
        """Return when the volume was created.

        Raises:
            UnsupportedError: If the host does not know.
        """
        return self._time(path, "created")

    def modified(self, path: str) -> datetime:
        """Return when the volume was last written.

        Raises:
            UnsupportedError: If the host does not know.
        """
        return self._time(path, "modified")

    # ---- reading ----------------------------------------------------------------------------------------------------

    def cat_file(self, path: str, start: int | None = None, end: int | None = None, **kwargs: Any) -> bytes:
        """Return the bytes of a volume, or a range of them; negative offsets count from the end."""
        volume, size = self._volume(path), int(self.info(path)["size"] or 0)
        first, last, _ = slice(start, end).indices(size)
        found = io.BytesIO()
        volume.download(found, offset=first, length=max(0, last - first))
        return found.getvalue()

    def get_file(
        self,
        rpath: str,
        lpath: str | os.PathLike[str] | BinaryIO | None = None,
        callback: Callback = DEFAULT_CALLBACK,
        outfile: BinaryIO | None = None,
        **kwargs: Any,
    ) -> None:
        """Copy a volume into a local file, which appears when it is complete."""
        given: Any = lpath if outfile is None else outfile
        if bool(isfilelike(given)):
            self._volume(rpath).download(given, progress=_told(callback))
        elif self.isdir(rpath):
            Path(given).mkdir(parents=True, exist_ok=True)
        else:
            Path(given).parent.mkdir(parents=True, exist_ok=True)
            self._volume(rpath).download(Path(given), overwrite=True, progress=_told(callback))

    # ---- writing ----------------------------------------------------------------------------------------------------

    def put_file(
        self,
        lpath: str | os.PathLike[str],
        rpath: str,
        callback: Callback = DEFAULT_CALLBACK,
        mode: str = "overwrite",
        **kwargs: Any,
    ) -> None:
        """Copy a local file into a volume, created if it does not exist; holes stay holes.

        Raises:
            VolumeExistsError: If the volume exists and ``mode`` is ``create``.
        """
        given = Path(lpath)
        if given.is_dir():
            self.makedirs(rpath, exist_ok=True)
            return
        path = self._strip_protocol(rpath)
        with self._made(path, given.stat().st_size, is_new=mode == "create") as volume:
            volume.upload(given, progress=_told(callback))

    def cp_file(self, path1: str, path2: str, **kwargs: Any) -> None:
        """Copy a volume inside the host: by the daemon if it copies byte by byte, else through this program."""
        source, path = self._volume(path1), self._strip_protocol(path2)
        if self._strip_protocol(path1) == path:
            return
        spec = source.spec()
        size = int(spec.physical or spec.capacity or 0)
        if spec.target.format == VolumeFormat.RAW and spec.capacity == size and not size % _BLOCK:
            pool, name = self._place(path)
            self._drop(pool, name)
            source.clone(name, pool=pool)
            return
        with self._made(path, size) as volume:
            volume.upload(source)

    def rm(self, path: str | list[str], recursive: bool = False, maxdepth: int | None = None) -> None:
        """Delete volumes; never pools.

        Raises:
            UnsupportedError: If a path is a pool; then nothing was deleted.
        """
        paths = self.expand_path(path, recursive=recursive, maxdepth=maxdepth)
        for one in paths:
            if not self._split(one)[1]:
                _refuse(f"{one or 'a host'} is not a volume: delete the volumes of a pool with rm('pool/*')")
        for one in reversed(paths):
            self.rm_file(one)

    def rm_file(self, path: str) -> None:
        """Delete a volume.

        Raises:
            FileNotFoundError: If there is no such volume.
        """
        with _not_found(path):
            self._volume(path).delete()

    def mkdir(self, path: str, create_parents: bool = True, **kwargs: Any) -> None:
        """Refuse to create a pool: the client defines pools, with their target.

        Raises:
            ExistsError: If the pool exists.
            UnsupportedError: If the pool does not exist.
        """
        if self.exists(path):
            raise ExistsError(f"{path} exists already", outcome="not_started", retry="no")
        _refuse(
            f"{path} cannot be created: define a pool with host.pools.define(); a pool has no subdirectories"
        )

    def makedirs(self, path: str, exist_ok: bool = False) -> None:
        """As ``mkdir``; with ``exist_ok``, do nothing if the pool exists."""
        if not (exist_ok and self.isdir(path)):
            self.mkdir(path)

    def rmdir(self, path: str) -> None:
        """Refuse to remove a pool.

        Raises:
            UnsupportedError: Always.
        """
        _refuse(f"{path} cannot be removed: remove a pool with pool.stop() and pool.undefine()")

    def _open(
        self,
        path: str,
        mode: str = "rb",
        block_size: int | None = None,
        autocommit: bool = True,
        cache_options: object = None,
        **kwargs: Any,
    ) -> Any:
        if mode == "rb":
            with _not_found(path):
                return self._volume(path).open("rb", buffering=block_size or BUFFER)
        if mode not in {"wb", "xb"}:
            _refuse(
                f"{path} cannot be opened as {mode!r}: a volume can be read (rb) or written from the start (wb, xb)"
            )
        if not autocommit:
            _refuse(
                f"{path} cannot be written in a transaction: libvirt shows a volume as soon as it is created"
            )
        pool, name = self._place(path)
        if not has_files(pool.type()):
            old = pool.volumes.get(name)
            if old is None or mode == "xb":
                _refuse(
                    f"{path} does not exist, and pool {pool.name!r} needs its size: create it with volumes.create()"
                )
            return old.open("wb")
        volume = self._create(path, 0, is_new=mode == "xb")
        channel, identity = reached(volume)
        watch, new = Watch(str(identity), None, None), Made.of(channel, identity)
        return VolumeWriter(
            str(identity),
            lambda pipe: fill_new(
                channel,
                identity,
                new.spec,
                pipe,
                watch,
                sparse=False,
                verify=False,
                check_open=new.check_open,
            ),
            lambda: new.delete(channel),
        )

    # ---- inside -----------------------------------------------------------------------------------------------------

    @classmethod
    def _strip_protocol(cls, path: Any) -> Any:
        found = super()._strip_protocol(path)
        return found.lstrip("/") if isinstance(found, str) else found

    @property
    def _host(self) -> Host:
        assert self.host is not None
        return self.host

    def _split(self, path: str) -> tuple[str, str]:
        pool, _, volume = self._strip_protocol(path).partition("/")
        return pool, volume

    def _volume(self, path: str) -> Volume:
        pool, name = self._place(path)
        with _not_found(path):
            return pool.volumes[name]

    def _place(self, path: str) -> tuple[Pool, str]:
        """Return the pool of a volume, which need not exist yet, and the volume's name."""
        pool, name = self._split(path)
        with _not_found(path):
            found = self._host.pools[pool] if pool else None
        if found is None or not name:
            raise IsADirectoryError(errno.EISDIR, f"{path} is not a volume", path)
        return found, name

    def _drop(self, pool: Pool, name: str) -> None:
        old = pool.volumes.get(name)
        if old is not None:
            old.delete()

    def _create(self, path: str, size: int, *, is_new: bool) -> Volume:
        pool, name = self._place(path)
        if not is_new:
            self._drop(pool, name)
        return pool.volumes.create(VolumeSpec.raw(name, size, allocation=0))

    @contextmanager
    def _made(self, path: str, size: int, *, is_new: bool = False) -> Iterator[Volume]:
        """Create a volume of a given size to write into, or use an existing volume that is not a file."""
        pool, name = self._place(path)
        old = None if is_new or has_files(pool.type()) else pool.volumes.get(name)
        if old is not None:
            yield old
            return
        volume = self._create(path, size, is_new=is_new)
        with made(*reached(volume), VOLUME_CREATE):
            yield volume

    def _time(self, path: str, which: str) -> datetime:
        time: datetime | None = self.info(path).get(which)
        return time or _refuse(f"the host does not know when {path} was {which}")


def _told(callback: Callback) -> Progress:
    """Return a progress function that calls fsspec's callback."""

    def tell(at: TransferProgress) -> None:
        if at.total is not None:
            callback.set_size(at.total)
        callback.absolute_update(at.done)

    return tell


def _refuse(message: str) -> NoReturn:
    raise UnsupportedError(message)


@contextmanager
def _not_found(path: str) -> Iterator[None]:
    """Translate a missing pool or volume into the exception that fsspec expects."""
    try:
        yield
    except NotFoundError as error:
        raise FileNotFoundError(errno.ENOENT, error.message, path) from error
