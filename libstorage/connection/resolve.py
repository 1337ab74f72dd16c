"""From libvirt's raw objects to identities, also where a name is no UTF-8."""

from __future__ import annotations

from collections.abc import Callable

from libstorage.connection.identity import PoolId, SecretId, VolumeId
from libstorage.connection.lane import Lane
from libstorage.connection.raw import RawPool, RawSecret, RawVolume


def decoded(read: Callable[[], str]) -> str:
    """What ``read`` gives, also where it is no UTF-8: then as ``os.fsdecode`` shows it.

    The binding fails on such text, but what it could not decode is in its error.
    """
    try:
        return read()
    except UnicodeDecodeError as error:
        return error.object.decode("utf-8", "surrogateescape")


def is_utf8(name: str) -> bool:
    """Whether libvirt can be asked for that name."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def pool_id(lane: Lane, uri: str, raw: RawPool) -> PoolId:
    """Who a raw pool is; the lane keeps it."""
    identity = PoolId(uri, raw.name(), raw.UUIDString())
    lane.remember(identity, raw)
    return identity


def volume_id(lane: Lane, uri: str, raw: RawVolume) -> VolumeId:
    """Who a raw volume is, its pool looked up; the lane keeps both."""
    identity = VolumeId(pool_id(lane, uri, raw.storagePoolLookupByVolume()), decoded(raw.name))
    lane.remember(identity, raw)
    return identity


def secret_id(lane: Lane, uri: str, raw: RawSecret) -> SecretId:
    """Identity of a raw secret; the lane keeps the secret."""
    identity = SecretId(uri, raw.UUIDString())
    lane.remember(identity, raw)
    return identity


def list_volumes(lane: Lane, pool: PoolId) -> dict[str, RawVolume]:
    """The volumes of a pool by name, in libvirt's order; the lane keeps them if there are not too many."""
    found = {decoded(raw.name): raw for raw in lane.pool(pool).listAllVolumes(0)}
    lane.remember_volumes(pool, found)
    return found


def raw_volume(lane: Lane, target: VolumeId, *, fresh: bool = False) -> RawVolume:
    """The raw volume; one whose name is no UTF-8, which the binding cannot look up, is found by listing the pool.

    Args:
        lane: Where.
        target: Which volume.
        fresh: Look its pool up by uuid first, lest a destructive call strikes another pool of the same name.
    """
    if is_utf8(target.name):
        return lane.volume(target, fresh=fresh)
    lane.pool(target.pool, fresh=fresh)
    found = list_volumes(lane, target.pool).get(target.name)
    return found or lane.volume(VolumeId(target.pool, ascii(target.name)))  # which says that there is none
