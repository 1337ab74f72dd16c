"""A lane: one connection to a daemon, its socket, and the raw objects that live on it."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from time import monotonic
from typing import cast
from weakref import ref

from libstorage.connection import ending
from libstorage.connection.grips import Grip
from libstorage.connection.identity import Identity, PoolId, SecretId, VolumeId
from libstorage.connection.process import NEVER, Process
from libstorage.connection.raw import RawConnect, RawObject, RawPool, RawSecret, RawVolume

RAW_LIMIT = 4096
"""How many raw objects a lane keeps; then it begins anew."""

_SHARED_SINCE = 10_003_000
_SHARED_WIDTH = 4


def width_for(client_version: int) -> int:
    """How many threads may be inside one connection.

    Before libvirt 10.3.0 two of them can crash the process when the daemon hangs (CVE-2024-4418). Later ones allow
    more, and 4 is one less than what a daemon takes from one client before it stops to read (max_client_requests).
    """
    return _SHARED_WIDTH if client_version >= _SHARED_SINCE else 1


class TimeLimit:
    """How long one call on a lane may take.

    Attributes:
        span: The whole of it, in seconds.
        expires: When it ends, by the monotonic clock.
        opening: How much of it may be spent on opening a connection; ``None`` if the connection itself knows.
    """

    __slots__ = ("expires", "opening", "span")

    def __init__(self, span: float, *, opening: float | None = None) -> None:
        self.span: float = span
        self.expires: float = monotonic() + span
        self.opening: float | None = opening

    def remaining(self) -> float:
        """How much of it is left, in seconds."""
        return max(0.0, self.expires - monotonic())

    def patience(self) -> float | None:
        """How much of it is left, in seconds; ``None`` is no limit."""
        return None if self.expires == NEVER else self.remaining()

    def renew(self, latest: float = NEVER) -> None:
        """Begin anew, but end by then."""
        self.expires = min(monotonic() + self.span, latest)


class Lane:
    """One connection to a daemon, given to one call at a time.

    The body of a call gets it, takes its raw objects from it, and keeps none of them.

    Attributes:
        connection: The raw ``virConnect``.
        alone: Whether the one call that has it shares it with nobody.
        last_use: A number that grows with each use of any lane of the host.
        progress: When the last call said that there was progress, or was over, by the monotonic clock.
        is_cut: Whether the lane was ended from our side.
        is_receiving: Whether a stream is being received. What the event loop takes from the socket meanwhile, libvirt
            keeps in memory.
    """

    __slots__ = (
        "__weakref__",
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
        self._grip = grip
        self._process = process
        self._raw: dict[Identity, RawObject] = {}
        self._volumes: dict[PoolId, dict[str, RawVolume]] = {}
        self._users: set[ref[object]] = set()
        self._limits: dict[TimeLimit, int] = {}  # of those inside, and in which thread each is
        self._guard = threading.Lock()
        process.watch(self)

    def pool(self, target: PoolId, *, fresh: bool = False) -> RawPool:
        """The raw pool, looked up by its uuid if the lane does not know it yet or ``fresh``.

        Raises:
            libvirtError: There is no such pool any more. The call that has the lane turns it into ours.
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
        """The raw volume, looked up if the lane does not know it yet.

        Args:
            target: Which volume.
            fresh: Look its pool up first: libvirt finds a volume by the *name* of its pool, so that a pool that was
                made again would lend its volume to a destructive call.

        Raises:
            libvirtError: There is no such pool or volume any more. The call that has the lane turns it into ours.
        """
        pool = self.pool(target.pool, fresh=fresh)
        known = self._volumes.get(target.pool, {}).get(target.name)
        if known is not None:
            return known
        found = pool.storageVolLookupByName(target.name)
        self.remember(target, found)
        return found

    def secret(self, target: SecretId) -> RawSecret:
        """The raw secret, looked up by its uuid if the lane does not know it yet.

        Raises:
            libvirtError: There is no such secret any more. The call that has the lane turns it into ours.
        """
        known = cast(RawSecret | None, self._raw.get(target))
        if known is not None:
            return known
        found = self.connection.secretLookupByUUIDString(target.uuid)
        self.remember(target, found)
        return found

    def remember(self, target: Identity, raw: RawObject) -> None:
        """Keep a raw object of this lane for later calls."""
        self._make_room(1)
        if isinstance(target, VolumeId):
            self._volumes.setdefault(target.pool, {})[target.name] = cast(RawVolume, raw)
        else:
            self._raw[target] = raw

    def remember_volumes(self, pool: PoolId, raw: Mapping[str, RawVolume]) -> None:
        """Keep all raw volumes of a pool, by name, unless they are so many that little else would have room."""
        self._volumes.pop(pool, None)
        if len(raw) <= RAW_LIMIT // 2:
            self._make_room(len(raw))
            self._volumes[pool] = dict(raw)

    def knows(self, target: Identity) -> bool:
        """Whether the lane keeps a raw object of that thing."""
        if isinstance(target, VolumeId):
            return target.name in self._volumes.get(target.pool, {})
        return target in self._raw

    def forget(self, target: Identity) -> None:
        """Drop what the lane keeps of a thing; of a pool, its volumes too."""
        if isinstance(target, VolumeId):
            self._volumes.get(target.pool, {}).pop(target.name, None)
        else:
            self._raw.pop(target, None)
        if isinstance(target, PoolId):
            self._volumes.pop(target, None)

    def users(self) -> int:
        """How many have the lane now: those who were given it, have not given it up, and still are."""
        return sum(user() is not None for user in self._users)

    def is_held_by(self, holder: object) -> bool:
        """Whether it was given to that one."""
        return ref(holder) in self._users

    def give_to(self, holder: object, *, alone: bool) -> None:
        """Count somebody among those who have it; what others left behind who are no more is cleared away."""
        if not self.users():
            self._users.clear()
            with self._guard:
                self._limits.clear()
        self._users.add(ref(holder))
        self.alone = alone

    def give_up(self, holder: object) -> None:
        """Count somebody no longer."""
        self._users.discard(ref(holder))

    def pause(self) -> None:
        """The running call is busy with something else than the daemon: it has all the time until ``renew()``."""
        for limit in list(self._limits):
            limit.expires = NEVER

    def renew(self, latest: float = NEVER) -> None:
        """There was progress: the time limit of the running call starts anew, but ends by ``latest``."""
        self.progress = monotonic()
        for limit in list(self._limits):
            limit.renew(latest)
            if self._grip is not None:
                self._process.expect(limit.expires)

    @property
    def expires(self) -> float:
        """When the first of the calls inside runs out of time, by the monotonic clock."""
        return min((limit.expires for limit in list(self._limits)), default=NEVER)

    def enter(self, limit: TimeLimit) -> None:
        """A call begins."""
        with self._guard:
            self._limits[limit] = threading.get_ident()
        if limit.expires < NEVER and self._grip is not None:
            self._process.expect(limit.expires)

    def leave(self, limit: TimeLimit) -> None:
        """A call is over: from now on it cannot be cut."""
        with self._guard:
            self._limits.pop(limit, None)

    def threads(self) -> set[int]:
        """Which threads are inside."""
        return set(self._limits.values())

    @property
    def is_kept(self) -> bool:
        """Whether another call may have it after this one; at the end of the program none does, for nobody would cut it."""
        return not ending.end.has_begun and self.is_alive()

    def is_alive(self) -> bool:
        """Whether nothing is known against it; asks nobody."""
        return not self.is_cut and self.connection.isAlive() == 1

    def cut_if_late(self, now: float) -> None:
        """Cut the lane if the time of a call inside is up."""
        with self._guard:
            if self.expires <= now:
                self.cut()

    def cut(self) -> None:
        """End whatever waits for the daemon; the lane is of no use afterwards. Does nothing to a lane without a grip."""
        if self._grip is not None and not self.is_cut:
            self.is_cut = True
            self._grip.end()

    def check_socket(self) -> None:
        """Count itself as cut if its socket is gone."""
        if self._grip is not None and not self._grip.is_there():
            self.is_cut = True

    def close(self, limit: TimeLimit) -> None:
        """Close the connection; cut it when the daemon does not answer in time."""
        self._forget_all()
        self.enter(limit)
        try:
            holders = self.connection.close()
        except self._process.binding.libvirtError:
            holders = 1
        self.leave(limit)
        grip, self._grip = self._grip, None
        if grip is not None:
            if holders:  # somebody still has a raw object of ours: a kept traceback will do
                grip.end()
            grip.finish()
        self._process.unwatch(self)

    def abandon(self) -> None:
        """In a forked child: leave the connection to the parent, whose it is."""
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
