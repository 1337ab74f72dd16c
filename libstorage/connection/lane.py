"""A lane: one connection to a daemon, its socket, and the raw objects that live on it."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from time import monotonic
from typing import cast
from weakref import ref

from libstorage.connection import ending
from libstorage.connection.clock import NEVER, TimeLimit
from libstorage.connection.grips import Grip
from libstorage.connection.identity import Identity, PoolId, SecretId, VolumeId
from libstorage.connection.process import Process
from libstorage.connection.raw import RawConnect, RawObject, RawPool, RawSecret, RawVolume
from libstorage.known_faults import SHARED_CONNECTION

RAW_LIMIT = 4096
"""How many raw objects a lane caches; beyond that it empties its cache."""

_SHARED_WIDTH = 4
_TO_ABORT = 0.9  # seconds


def width_for(client_version: int) -> int:
    """Return how many threads may use one connection at the same time.

    Before libvirt 10.4.0, two threads on one connection can crash the process when the daemon hangs (CVE-2024-4418).
    Later versions allow more. The limit of 4 is one less than the number of requests that a daemon accepts from one
    client before it stops reading (``max_client_requests``).
    """
    return 1 if SHARED_CONNECTION.affects(client_version) else _SHARED_WIDTH


class Lane:
    """One connection to a daemon, given to one call at a time.

    The body of a call gets the lane, takes its raw objects from the lane, and must not keep any of them.

    Attributes:
        connection: The raw ``virConnect``.
        alone: Whether one call has exclusive use of the lane.
        last_use: A number that grows with each use of any lane of the host.
        progress: When a call last reported progress or ended, by the monotonic clock.
        is_cut: Whether this process cut the lane, or lost its socket.
        is_receiving: Whether a stream is being received. Meanwhile, libvirt keeps in memory whatever the event loop
            reads from the socket.
        is_sending: Whether a stream is being sent, which should be aborted before the lane is cut.
        is_unwanted: Whether the stream that is being sent should be aborted.
    """

    __slots__ = (
        "__weakref__",
        "_grace_until",
        "_grip",
        "_guard",
        "_limits",
        "_process",
        "_raw",
        "_users",
        "_volumes",
        "alone",
        "connection",
        "is_cut",
        "is_receiving",
        "is_sending",
        "is_unwanted",
        "last_use",
        "progress",
    )

    def __init__(self, connection: RawConnect, grip: Grip | None, process: Process) -> None:
        self.connection: RawConnect = connection
        self.alone: bool = False
        self.last_use: int = 0
        self.progress: float = 0.0
        self.is_cut: bool = False
        self.is_receiving: bool = False
        self.is_sending: bool = False
        self.is_unwanted: bool = False
        self._grace_until = 0.0
        self._grip = grip
        self._process = process
        self._raw: dict[Identity, RawObject] = {}
        self._volumes: dict[PoolId, dict[str, RawVolume]] = {}
        self._users: set[ref[object]] = set()
        self._limits: dict[TimeLimit, int] = {}  # of the calls on the lane, with the thread of each
        self._guard = threading.Lock()
        process.watch(self)

    def pool(self, target: PoolId, *, fresh: bool = False) -> RawPool:
        """Return the raw pool, looked up by its uuid if it is not in the lane's cache, or if ``fresh``.

        Raises:
            libvirtError: If the pool no longer exists. The visit that holds the lane translates this error.
        """
        known = cast(RawPool | None, self._raw.get(target))
        if known is not None and not fresh:
            return known
        found = self.connection.storagePoolLookupByUUIDString(target.uuid)
        if known is not None and found.name() != known.name():
            self.forget(target)  # libvirt finds volumes by the name of their pool
        self.remember(target, found)
        return found

    def volume(self, target: VolumeId, *, fresh: bool = False) -> RawVolume:
        """Return the raw volume, looked up if it is not in the lane's cache.

        Args:
            target: The volume.
            fresh: Look the pool up first. libvirt finds a volume by the *name* of its pool, so a destructive call
                would otherwise hit the volume of another pool that was created under the same name later.

        Raises:
            libvirtError: If the pool or volume no longer exists. The visit that holds the lane translates this error.
        """
        pool = self.pool(target.pool, fresh=fresh)
        known = self._volumes.get(target.pool, {}).get(target.name)
        if known is not None:
            return known
        found = pool.storageVolLookupByName(target.name)
        self.remember(target, found)
        return found

    def secret(self, target: SecretId) -> RawSecret:
        """Return the raw secret, looked up by its uuid if it is not in the lane's cache.

        Raises:
            libvirtError: If the secret no longer exists. The visit that holds the lane translates this error.
        """
        known = cast(RawSecret | None, self._raw.get(target))
        if known is not None:
            return known
        found = self.connection.secretLookupByUUIDString(target.uuid)
        self.remember(target, found)
        return found

    def remember(self, target: Identity, raw: RawObject) -> None:
        """Cache a raw object of this lane for later calls."""
        self._make_room(1)
        if isinstance(target, VolumeId):
            self._volumes.setdefault(target.pool, {})[target.name] = cast(RawVolume, raw)
        else:
            self._raw[target] = raw

    def remember_volumes(self, pool: PoolId, raw: Mapping[str, RawVolume]) -> None:
        """Cache all raw volumes of a pool by name, unless they would take up more than half of the cache."""
        self._volumes.pop(pool, None)
        if len(raw) <= RAW_LIMIT // 2:
            self._make_room(len(raw))
            self._volumes[pool] = dict(raw)

    def knows(self, target: Identity) -> bool:
        """Return whether the lane's cache has a raw object of ``target``."""
        if isinstance(target, VolumeId):
            return target.name in self._volumes.get(target.pool, {})
        return target in self._raw

    def forget(self, target: Identity) -> None:
        """Evict an object from the lane's cache; for a pool, its volumes, too."""
        if isinstance(target, VolumeId):
            self._volumes.get(target.pool, {}).pop(target.name, None)
        else:
            self._raw.pop(target, None)
        if isinstance(target, PoolId):
            self._volumes.pop(target, None)

    def users(self) -> int:
        """Return the number of current holders: objects that got this lane, have not returned it, and are still alive."""
        return sum(user() is not None for user in self._users)

    def is_held_by(self, holder: object) -> bool:
        """Return whether ``holder`` holds the lane."""
        return ref(holder) in self._users

    def give_to(self, holder: object, *, alone: bool) -> None:
        """Add a holder. If no other holder is alive, clear what earlier holders left behind."""
        if not self.users():
            self._users.clear()
            with self._guard:
                self._limits.clear()
        self._users.add(ref(holder))
        self.alone = alone

    def give_up(self, holder: object) -> None:
        """Remove a holder."""
        self._users.discard(ref(holder))

    @contextmanager
    def paused(self, latest: float = NEVER) -> Iterator[None]:
        """Suspend the time limit, because the running call does not wait for the daemon; then start it again.

        Args:
            latest: When the time limit runs out at the latest, by the monotonic clock.
        """
        for limit in list(self._limits):
            limit.expires = NEVER
        try:
            yield
        finally:
            self.renew(latest)

    @contextmanager
    def receiving(self) -> Iterator[None]:
        """Note that a stream is being received, so that the event loop reads more slowly."""
        self.is_receiving = True
        try:
            yield
        finally:
            self.is_receiving = False

    @contextmanager
    def sending(self) -> Iterator[None]:
        """Note that a stream is being sent: it gets a moment to abort before the lane is cut (``KILLED_UPLOAD``)."""
        self.is_sending, self.is_unwanted = True, False
        try:
            yield
        finally:
            self.is_sending, self._grace_until = False, 0.0

    def renew(self, latest: float = NEVER) -> None:
        """Report progress: start the time limit of the running call again, but let it run out by ``latest``."""
        self.progress = monotonic()
        for limit in list(self._limits):
            limit.renew(latest)
            if self._grip is not None:
                self._process.expect(limit.expires)

    @property
    def expires(self) -> float:
        """When the first of the calls on the lane runs out of time, by the monotonic clock."""
        return max(min((limit.expires for limit in list(self._limits)), default=NEVER), self._grace_until)

    def enter(self, limit: TimeLimit) -> None:
        """Begin a call."""
        with self._guard:
            self._limits[limit] = threading.get_ident()
        if limit.expires < NEVER and self._grip is not None:
            self._process.expect(limit.expires)

    def leave(self, limit: TimeLimit) -> None:
        """End a call: from now on it cannot be cut."""
        with self._guard:
            self._limits.pop(limit, None)

    @property
    def is_late(self) -> bool:
        """Whether the time for the stream that is being sent has run out, but for a moment to abort it."""
        return self._grace_until > 0

    def threads(self) -> set[int]:
        """Return the threads whose calls are on the lane."""
        return set(self._limits.values())

    @property
    def is_kept(self) -> bool:
        """Whether another call may use the lane; at the end of the program none may, because nothing would cut it."""
        return not ending.end.has_begun and self.is_alive()

    def is_alive(self) -> bool:
        """Return whether the lane can be used, as far as known, without a call to the daemon."""
        return not self.is_cut and self.connection.isAlive() == 1

    def cut_if_late(self, now: float) -> None:
        """Cut the lane if the time of a call on it has run out."""
        with self._guard:
            if self.expires > now:
                return
            if self.is_sending and not self.is_late:
                self._grace_until = now + _TO_ABORT
                self.is_unwanted = True
            else:
                self.cut()

    def cut(self) -> None:
        """End whatever waits for the daemon. The lane cannot be used afterwards. A lane without a grip is not cut."""
        if self._grip is not None and not self.is_cut:
            self.is_cut = True
            self._grip.end()

    def check_socket(self) -> None:
        """Mark the lane as cut if its socket is gone."""
        if self._grip is not None and not self._grip.is_there():
            self.is_cut = True

    def close(self, limit: TimeLimit) -> None:
        """Close the connection, and cut it if the daemon does not answer in time."""
        self._forget_all()
        self.enter(limit)
        try:
            holders = self.connection.close()
        except self._process.binding.libvirtError:
            holders = 1
        self.leave(limit)
        grip, self._grip = self._grip, None
        if grip is not None:
            if holders:  # a raw object of this lane is still alive, for instance in a kept traceback
                grip.end()
            grip.finish()
        self._process.unwatch(self)

    def abandon(self) -> None:
        """In a forked child, leave the connection to the parent process, which owns it."""
        volumes = (raw for known in self._volumes.values() for raw in known.values())
        for raw in (self.connection, *self._raw.values(), *volumes):
            vars(raw)["_o"] = (
                None  # the binding's handle, leaked on purpose: freed here, it would close there
            )
        if self._grip is not None:
            self._grip.abandon()
        self._forget_all()

    def _make_room(self, wanted: int) -> None:
        kept = len(self._raw) + sum(map(len, list(self._volumes.values())))
        if kept + wanted > RAW_LIMIT:
            self._forget_all()

    def _forget_all(self) -> None:
        self._raw.clear()
        self._volumes.clear()
