"""Deletes a new volume of which a later step failed, unless another client may have replaced it meanwhile.

libvirt deletes a volume by its name, and has no identity of a volume. Where the daemon runs on this machine, the file
decides: an open descriptor keeps its inode from being used again. Elsewhere, the volume is deleted only while its
document shows what it showed when the volume was new.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final, TypeAlias

import attrs

from libstorage.connection.identity import VolumeId
from libstorage.errors import NotFoundError, StateError, StorageError
from libstorage.models.volume import VolumeSpec
from libstorage.operations import VOLUME_DELETE, Operation
from libstorage.session.calls import change_volume, volume_spec
from libstorage.session.channel import Channel

_Shown: TypeAlias = tuple[object, ...]

_TICK: Final = 20_000_000  # nanoseconds; a file system's clock is this much late at most


class _Pin:
    """A file that is open as a mere reference: while it is open, no other file gets its inode."""

    def __init__(self, file: int) -> None:
        self._file = file
        self.found: os.stat_result = os.fstat(file)

    @classmethod
    def of(cls, spec: VolumeSpec) -> _Pin | None:
        """Open the file of a volume; return ``None`` if this machine does not have that very file."""
        times = spec.target.timestamps
        try:
            pin = cls(os.open(spec.target.path or "", os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC))
        except (OSError, ValueError):
            return None
        if stat.S_ISREG(pin.found.st_mode) and times is not None and times.mtime == pin.found.st_mtime_ns:
            return pin
        pin.close()
        return None

    def is_at(self, path: str) -> bool | None:
        """Return whether the file still has its path; ``None`` if no file has the path."""
        with suppress(FileNotFoundError):
            return os.path.samestat(self.found, os.lstat(path))
        return None

    def close(self) -> None:
        """Close the file. The second time, do nothing."""
        file, self._file = self._file, -1
        if file >= 0:
            os.close(file)

    __del__ = close


@attrs.frozen
class Made:
    """A volume that this operation has made.

    Attributes:
        volume: The volume.
        spec: Its document, as it was when the volume was new.
    """

    volume: VolumeId
    spec: VolumeSpec
    _file: _Pin | None

    @classmethod
    def of(cls, channel: Channel, volume: VolumeId) -> Made:
        """Look at a volume that was just made.

        Raises:
            StorageError: If its document cannot be read.
        """
        spec = volume_spec(channel, volume)
        return cls(volume, spec, _Pin.of(spec) if channel.session().connection.local else None)

    def is_still_ours(self, channel: Channel) -> bool | None:
        """Return whether the volume of that name is still the one that was made; ``None`` if no volume has it.

        Raises:
            StorageError: If the document cannot be read.
        """
        if self._file is not None:
            return self._file.is_at(self.spec.target.path or "")
        try:
            return _shown(volume_spec(channel, self.volume)) == _shown(self.spec)
        except NotFoundError:
            return None

    def take_back(self, channel: Channel, reason: BaseException, operation: Operation) -> None:
        """Delete the incomplete volume if it is still ours, and record the outcome in the error.

        Args:
            channel: The host.
            reason: The error that left the volume incomplete; the caller raises it again.
            operation: The operation that failed, for an error that does not state one.
        """
        told, is_gone = self.delete(channel)
        if not isinstance(reason, StorageError):
            reason.add_note(told)
            return
        reason.operation, reason.uri = reason.operation or operation.name, self.volume.uri
        reason.target = str(self.volume)
        reason.add_hint(told)
        reason.outcome = "not_started" if is_gone else "unknown"
        if not is_gone or reason.retry == "after_reconcile":
            reason.retry = "backoff" if is_gone else "after_reconcile"

    def check_open(self) -> None:
        """Check, once the daemon has the file open, that the file is ours: no data may go into another client's.

        Raises:
            StateError: If another client has replaced the file.
        """
        if self._file is not None and not self._file.is_at(self.spec.target.path or ""):
            raise StateError(
                f"{self.volume} was replaced by another client before it was filled",
                hint="Choose another name, or find out which program uses this one.",
            )

    def is_empty_since(self, since: int) -> bool:
        """Return whether the file is on this machine, empty, and was made or changed after a time.

        Args:
            since: The time, in nanoseconds since 1970.
        """
        return (
            self._file is not None
            and not self._file.found.st_size
            and self._file.found.st_ctime_ns >= since - _TICK
        )

    def close(self) -> None:
        """Release the file. Afterwards the volume cannot be distinguished from another."""
        if self._file is not None:
            self._file.close()

    def delete(self, channel: Channel) -> tuple[str, bool]:
        """Delete the volume if it is still ours; return what became of it, and whether nothing of it is left."""
        try:
            ours = self.is_still_ours(channel)
            if ours:
                change_volume(channel, VOLUME_DELETE, self.volume, lambda raw: raw.delete(0))
        except BaseException as problem:  # noqa: BLE001 -- the first error is the one to report
            return f"{self.volume} is incomplete and could not be deleted: delete it. ({problem})", False
        if ours is None:
            return f"{self.volume} was deleted by another client meanwhile.", True
        if not ours:
            told = f"{self.volume} was not deleted: another client may have replaced it since."
            return f"{told} If it is incomplete, delete it.", False
        return f"{self.volume} was deleted again.", True


@contextmanager
def made(channel: Channel, volume: VolumeId, operation: Operation) -> Iterator[Made]:
    """Delete a volume that was just made if the block fails.

    Args:
        channel: The host.
        volume: The volume.
        operation: The operation that made it.
    """
    new = Made(volume, VolumeSpec(name=volume.name), None)
    try:
        new = Made.of(channel, volume)
        yield new
    except BaseException as error:
        new.take_back(channel, error, operation)
        raise
    finally:
        new.close()


def drop_if_new(channel: Channel, volume: VolumeId, since: int) -> None:
    """Delete an empty volume that Ctrl-C left behind while it was being made.

    Args:
        channel: The host.
        volume: The volume that was requested. Another client may have made one of that name earlier.
        since: When the request was sent, in nanoseconds since 1970.

    Raises:
        StorageError: If the volume does not exist, or cannot be deleted.
    """
    new = Made.of(channel, volume)
    try:
        if new.is_empty_since(since):
            new.delete(channel)
    finally:
        new.close()


def _shown(spec: VolumeSpec) -> _Shown:
    """Return what a document shows of a volume's identity and last change."""
    times = spec.target.timestamps
    return (
        spec.key,
        spec.physical,
        *((times.mtime, times.ctime) if times is not None else ()),
    )
