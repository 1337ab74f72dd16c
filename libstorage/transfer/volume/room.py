"""The room that a pool has for what an upload writes."""

from __future__ import annotations

from typing import Final

from libstorage.connection.identity import PoolId
from libstorage.errors import NoSpaceError, StorageError
from libstorage.operations import POOL_INFO
from libstorage.session.calls import ask_pool
from libstorage.session.channel import Channel
from libstorage.transfer.settle import let_pool_see

_KEPT: Final = 20 << 20  # bytes; ext4 keeps up to 16 MiB for itself, which libvirt counts as available
_LEAST_FULL: Final = 10  # a pool of which more than one part in so many is available is not full
_KEPT_FOR_ROOT: Final = 20  # one part in so many is kept for root, if mkfs was not told otherwise
_MOST_AT_ONCE: Final = 256 << 20  # bytes that are sent before the room is looked at again
_LITTLE: Final = 1 << 20  # bytes; with less room than that, all of it may be used at once


class Room:
    """The room of a pool, for an upload to a daemon that dies of a full disk.

    It is looked at before the first byte, and again and again while data is sent, since others write to the pool, too.

    Args:
        channel: The host.
        pool: The pool.
        paid_to: Offset up to which the volume has its space already.
    """

    def __init__(self, channel: Channel, pool: PoolId, paid_to: int) -> None:
        self._channel, self._pool, self._paid_to = channel, pool, paid_to
        self._left = 0

    def take(self, place: int, length: int) -> None:
        """Take the room for data that is about to be sent.

        Args:
            place: Offset of the data in the volume.
            length: Number of bytes.

        Raises:
            NoSpaceError: If the pool may not have the room.
            StorageError: If the pool could not be asked.
        """
        length -= max(0, min(self._paid_to, place + length) - place)
        if length > self._left:
            self._left = self._look(length)
        self._left -= length

    def _look(self, length: int) -> int:
        let_pool_see(self._channel, self._pool)
        capacity, available = _sizes(self._channel, self._pool)
        kept = min(_KEPT, capacity // _LEAST_FULL)
        if "/session" in self._pool.uri:
            kept = most_kept(capacity)
        room = available - kept
        if length > room:
            raise NoSpaceError(
                f"{self._pool} has {available} bytes left, too few for the rest of the upload",
                hint="Free some space, or use a larger pool. libvirt 10.1 to 12.6 dies when an upload fills the disk, so the "
                f"last {kept} bytes are not used.",
            )
        return max(length, min(room, max(room // 2, _LITTLE), _MOST_AT_ONCE))


def is_full(channel: Channel, pool: PoolId) -> bool:
    """Return whether a pool has no more available space than a file system may keep in reserve."""
    try:
        let_pool_see(channel, pool)
        capacity, available = _sizes(channel, pool)
    except StorageError:
        return False
    return available <= most_kept(capacity)


def most_kept(capacity: int) -> int:
    """Return how many bytes that count as available a file system may keep for itself and for root."""
    return min(max(_KEPT, capacity // _KEPT_FOR_ROOT), capacity // _LEAST_FULL)


def _sizes(channel: Channel, pool: PoolId) -> tuple[int, int]:
    _, capacity, _, available = ask_pool(channel, POOL_INFO, pool, lambda raw: raw.info())
    return capacity, available
