"""The room that a pool has for what an upload writes."""

from __future__ import annotations

from time import monotonic, sleep
from typing import Final

from libstorage.connection.identity import PoolId, VolumeId
from libstorage.errors import NoSpaceError, PoolBusyError, StorageError
from libstorage.operations import POOL_INFO, VOLUME_INFO
from libstorage.session.calls import ask_pool, ask_volume, refresh_pool
from libstorage.session.channel import Channel
from libstorage.transfer.settle import let_pool_see

_KEPT: Final = 20 << 20  # bytes; ext4 keeps up to 16 MiB for itself, which libvirt counts as available
_LEAST_FULL: Final = 10  # a pool of which more than one part in so many is available is not full
_KEPT_FOR_ROOT: Final = 20  # one part in so many is kept for root, if mkfs was not told otherwise
_MOST_AT_ONCE: Final = 256 << 20  # bytes that are sent before the room is looked at again
_PARTS: Final = 8  # how many times at least the room is looked at while it is filled
_STILL: Final = 3.0  # seconds; data that does not make its volume larger for so long replaces older data
_PAUSE: Final = 0.01  # seconds


class Room:
    """The room of a pool, for an upload to a daemon that dies of a full disk.

    It is looked at before the first byte, and again and again while data is sent, since others write to the pool, too.
    What was sent may still be in the daemon's memory, so that it counts until the volume has grown by as much.

    Args:
        channel: The host, over a connection of its own: other uploads may have all lanes, and wait for this one.
        volume: The volume that is written.
        paid_to: Offset up to which the volume has its space already.
    """

    def __init__(self, channel: Channel, volume: VolumeId, paid_to: int) -> None:
        self._channel, self._volume, self._paid_to = channel, volume, paid_to
        self._left = self._sent = 0
        self._had: int | None = None
        self._known: tuple[int, int] | None = None  # available bytes, and bytes that had been sent then

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
        self._sent += length

    def _look(self, length: int) -> int:
        grown, since = -1, monotonic()
        while True:
            flying = self._flying()  # first: what is written meanwhile counts twice, and not never
            free, kept = self._free()
            room = free - kept - flying
            if length <= room:
                return max(length, min(room // _PARTS, _MOST_AT_ONCE))
            if self._sent - flying > grown:
                grown, since = self._sent - flying, monotonic()
            if not flying or monotonic() > since + _STILL:
                break
            sleep(_PAUSE)
        if length <= free - kept and (not flying or self._had):
            return length
        raise NoSpaceError(
            f"{self._volume.pool} has {free} bytes left, too few for the rest of the upload",
            hint="Free some space, or use a larger pool. This version of libvirt dies when an upload fills the disk, so "
            f"its last {kept} bytes are not used.",
        )

    def _free(self) -> tuple[int, int]:
        """Return how many bytes are available, and how many of them are not to be used."""
        pool = self._volume.pool
        try:
            refresh_pool(self._channel, pool)
        except PoolBusyError:  # volumes are being built in it: then what we have sent since counts
            capacity, free = _sizes(self._channel, pool)
            if self._known is not None:
                free = min(free, self._known[0] - (self._sent - self._known[1]))
        else:
            capacity, free = _sizes(self._channel, pool)
            self._known = free, self._sent
        return free, most_kept(capacity) if "/session" in pool.uri else min(_KEPT, capacity // _LEAST_FULL)

    def _flying(self) -> int:
        """Return how many of the bytes that were sent the daemon may not have written."""
        _, _, has = ask_volume(self._channel, VOLUME_INFO, self._volume, lambda raw: raw.info())
        if self._had is None:
            self._had = has
        return max(0, self._sent - (has - self._had))


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
