"""Turns libvirt's raw objects into identities, even if a name is not UTF-8."""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter, itemgetter

from libstorage.connection.identity import PoolId, SecretId, VolumeId
from libstorage.connection.lane import Lane
from libstorage.connection.raw import RawPool, RawSecret, RawVolume


def decoded(read: Callable[[], str]) -> str:
    """Return the result of ``read``; if it is not UTF-8, decode it as ``os.fsdecode`` does.

    The binding fails on such text, but its error contains the bytes that it could not decode.
    """
    try:
        return read()
    except UnicodeDecodeError as error:
        return error.object.decode("utf-8", "surrogateescape")


def is_utf8(name: str) -> bool:
    """Return whether libvirt can look up that name."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def pool_id(lane: Lane, uri: str, raw: RawPool) -> PoolId:
    """Return the identity of a raw pool; the lane caches the pool."""
    identity = PoolId(uri, raw.name(), raw.UUIDString())
    lane.remember(identity, raw)
    return identity


def list_pools(lane: Lane, uri: str, flags: int) -> list[PoolId]:
    """Return the pools that match the flags, sorted by name; the lane caches them."""
    found = [pool_id(lane, uri, raw) for raw in lane.connection.listAllStoragePools(flags)]
    return sorted(found, key=attrgetter("name"))


def volume_id(lane: Lane, uri: str, raw: RawVolume) -> VolumeId:
    """Return the identity of a raw volume, and look its pool up; the lane caches both."""
    identity = VolumeId(pool_id(lane, uri, raw.storagePoolLookupByVolume()), decoded(raw.name))
    lane.remember(identity, raw)
    return identity


def secret_id(lane: Lane, uri: str, raw: RawSecret) -> SecretId:
    """Return the identity of a raw secret; the lane caches the secret."""
    identity = SecretId(uri, raw.UUIDString())
    lane.remember(identity, raw)
    return identity


def list_volumes(lane: Lane, pool: PoolId) -> dict[str, RawVolume]:
    """Return the volumes of a pool by name, sorted: libvirt's order changes from call to call. The lane caches them if there are not too many."""
    named = [(decoded(raw.name), raw) for raw in lane.pool(pool).listAllVolumes(0)]
    found = dict(sorted(named, key=itemgetter(0)))
    lane.remember_volumes(pool, found)
    return found


def raw_volume(lane: Lane, target: VolumeId, *, fresh: bool = False) -> RawVolume:
    """Return the raw volume. If its name is not UTF-8, the binding cannot look it up, so it is found in the pool's list.

    Args:
        lane: The lane of the call.
        target: The volume.
        fresh: Look the pool up by uuid first, so that a destructive call cannot hit another pool of the same name.
    """
    if is_utf8(target.name):
        return lane.volume(target, fresh=fresh)
    lane.pool(target.pool, fresh=fresh)
    found = list_volumes(lane, target.pool).get(target.name)
    return found or lane.volume(
        VolumeId(target.pool, ascii(target.name))
    )  # reports that the volume does not exist
