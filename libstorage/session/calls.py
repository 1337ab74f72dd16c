"""Calls on one thing: reads, and the one way to change a thing.

Every change asks the session's guards first. A change of a volume also holds the lease on its content, and looks its
pool up by uuid first: libvirt finds a volume by the name of its pool, which another pool may have by now.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Final, TypeVar

from libstorage.connection.clock import NEVER
from libstorage.connection.codes import Code
from libstorage.connection.identity import NewPool, PoolId, SecretId, VolumeId
from libstorage.connection.lane import Lane
from libstorage.connection.raw import RawConnect, RawPool, RawSecret, RawVolume
from libstorage.connection.resolve import decoded, pool_id, raw_volume, secret_id
from libstorage.errors import DocumentError, HelperError, StorageError
from libstorage.models.pool import PoolSpec
from libstorage.models.secret import SecretSpec
from libstorage.models.volume import VolumeSpec
from libstorage.operations import POOL_REFRESH, POOL_XML, VOLUME_INFO, VOLUME_XML, Operation
from libstorage.session.channel import Channel
from libstorage.session.guards import Change
from libstorage.session.leases import leases
from libstorage.session.pool_state import add_state

_TRIES: Final = 10  # for a volume that qemu-img could not encrypt because the machine's clock is too coarse

R = TypeVar("R")
F = TypeVar("F", bound=int)


# ---- reads ----------------------------------------------------------------------------------------------------------


def ask_pool(channel: Channel, operation: Operation, pool: PoolId, read: Callable[[RawPool], R]) -> R:
    """Read from a pool."""
    return channel.call(operation, pool, lambda lane: read(lane.pool(pool)))


def ask_volume(channel: Channel, operation: Operation, volume: VolumeId, read: Callable[[RawVolume], R]) -> R:
    """Read from a volume."""
    return channel.call(operation, volume, lambda lane: read(raw_volume(lane, volume)))


def ask_secret(channel: Channel, operation: Operation, secret: SecretId, read: Callable[[RawSecret], R]) -> R:
    """Read from a secret."""
    return channel.for_secrets().call(operation, secret, lambda lane: read(lane.secret(secret)))


def pool_xml(channel: Channel, pool: PoolId, flags: int = 0) -> str:
    """Return a pool's document as libvirt writes it."""
    return ask_pool(channel, POOL_XML, pool, lambda raw: raw.XMLDesc(flags))


def volume_xml(channel: Channel, volume: VolumeId) -> str:
    """Return a volume's document as libvirt writes it; bytes that are not UTF-8 as ``os.fsdecode`` shows them."""
    return ask_volume(channel, VOLUME_XML, volume, lambda raw: decoded(lambda: raw.XMLDesc(0)))


def pool_spec(channel: Channel, pool: PoolId) -> PoolSpec:
    """Return what a pool's document says."""
    return PoolSpec.from_libvirt(pool_xml(channel, pool))


def volume_spec(channel: Channel, volume: VolumeId) -> VolumeSpec:
    """Return what a volume's document says."""
    return VolumeSpec.from_libvirt(volume_xml(channel, volume))


def capacity_of(channel: Channel, volume: VolumeId) -> int:
    """Return the capacity of a volume in bytes."""
    return ask_volume(channel, VOLUME_INFO, volume, lambda raw: raw.info()[1])


# ---- changes --------------------------------------------------------------------------------------------------------


def change_pool(
    channel: Channel, operation: Operation, pool: PoolId, act: Callable[[RawPool], object]
) -> None:
    """Change a pool. If the change fails, the hint of the error says what state the pool is in.

    Raises:
        StorageError: If a guard refuses the change, or it fails.
    """
    try:
        _change(channel, Change(operation, pool), lambda lane: act(lane.pool(pool)))
    except StorageError as error:
        add_state(channel, operation, pool, error)
        raise


def refresh_pool(channel: Channel, pool: PoolId) -> None:
    """Refresh a pool, for a caller that retries a failed refresh and reports the pool's state itself.

    Raises:
        StorageError: If a guard refuses the refresh, or it fails.
    """
    _change(channel, Change(POOL_REFRESH, pool), lambda lane: lane.pool(pool).refresh(0))


def change_volume(
    channel: Channel, operation: Operation, volume: VolumeId, act: Callable[[RawVolume], object]
) -> None:
    """Change a volume.

    Raises:
        VolumeBusyError: If another operation of this process works on the volume's content.
        StorageError: If a guard refuses the change, or it fails.
    """
    with changing_volume(channel, operation, volume):
        channel.call(operation, volume, lambda lane: act(raw_volume(lane, volume, fresh=True)))


@contextmanager
def changing_volume(channel: Channel, operation: Operation, volume: VolumeId) -> Iterator[None]:
    """Hold the lease on a volume's content, for a change that takes more than one call.

    Raises:
        VolumeBusyError: If another operation of this process works on the volume's content.
        StorageError: If a guard refuses the change.
    """
    _ask_guards(channel, Change(operation, volume))
    with leases().changing(volume, operation):
        yield


def change_secret(
    channel: Channel, operation: Operation, secret: SecretId, act: Callable[[RawSecret], object]
) -> None:
    """Change a secret.

    Raises:
        StorageError: If a guard refuses the change, or it fails.
    """
    _change(channel.for_secrets(), Change(operation, secret), lambda lane: act(lane.secret(secret)))


def without_schema(make: Callable[[F], R], flags: F, spec: PoolSpec | VolumeSpec | SecretSpec) -> R:
    """Make a thing with ``flags``; if only libvirt's schema refuses its document, make it without them.

    The guards have found the document sound, so the schema is stricter than libvirt itself: libvirt decides. A document
    with unknown parts stays refused, because libvirt would drop them.

    Raises:
        StorageError: If libvirt refuses the document.
    """
    try:
        return make(flags)
    except DocumentError as error:
        if error.code != Code.XML_INVALID_SCHEMA or not flags or spec.unknown:
            raise
    return make(type(flags)(0))


def make_pool(
    channel: Channel,
    operation: Operation,
    spec: PoolSpec,
    make: Callable[[RawConnect], RawPool],
    *,
    validate: bool = True,
) -> PoolId:
    """Define or create a pool, and return its identity.

    Args:
        channel: The host.
        operation: The operation.
        spec: The document.
        make: Makes the pool.
        validate: Whether values and combinations in the document are checked first.

    Raises:
        StorageError: If a guard refuses the pool, or libvirt does.
    """
    target, uri = NewPool(channel.uri, spec.name, spec.uuid or "", str(spec.type)), channel.uri
    change = Change(operation, target, spec, validate)
    return _change(channel, change, lambda lane: pool_id(lane, uri, make(lane.connection)))


def make_volume(
    channel: Channel,
    operation: Operation,
    pool: PoolId,
    spec: VolumeSpec,
    make: Callable[[RawPool, Lane], RawVolume],
    *,
    validate: bool = True,
) -> VolumeId:
    """Create or clone a volume, and return its identity.

    Args:
        channel: The host.
        operation: The operation.
        pool: The pool of the volume.
        spec: The document.
        make: Makes the volume.
        validate: Whether values and combinations in the document are checked first.

    Raises:
        StorageError: If a guard refuses the volume, or libvirt does.
    """
    volume = VolumeId(pool, spec.name)
    _ask_guards(channel, Change(operation, volume, spec, validate))
    until = monotonic() + (channel.options.long_timeout or NEVER)
    for left in reversed(range(_TRIES)):
        try:
            channel.call(operation, volume, lambda lane: lane.remember(volume, make(lane.pool(pool), lane)))
            break
        except HelperError as error:
            made_nothing = error.outcome == "not_started" and error.retry == "backoff"
            if not (left and made_nothing and monotonic() < until):
                raise
    return volume


def make_secret(
    channel: Channel,
    operation: Operation,
    target: SecretId,
    spec: SecretSpec,
    make: Callable[[RawConnect], RawSecret],
    *,
    validate: bool = True,
) -> SecretId:
    """Define a secret, and return its identity.

    Args:
        channel: The host.
        operation: The operation.
        target: The secret.
        spec: The document.
        make: Defines the secret.
        validate: Whether values and combinations in the document are checked first.

    Raises:
        StorageError: If a guard refuses the secret, or libvirt does.
    """
    uri = channel.uri
    change = Change(operation, target, spec, validate)
    return _change(channel.for_secrets(), change, lambda lane: secret_id(lane, uri, make(lane.connection)))


def _change(channel: Channel, change: Change, body: Callable[[Lane], R]) -> R:
    _ask_guards(channel, change)
    return channel.call(change.operation, change.target, body)


def _ask_guards(channel: Channel, change: Change) -> None:
    channel.guards(change.operation, change.target).check(change)
