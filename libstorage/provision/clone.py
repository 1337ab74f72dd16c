"""Clones: builds the request for libvirt, and refuses what libvirt cannot do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal, TypeAlias

import attrs

from libstorage.connection.failures.verdict import AFTER_A_REFRESH
from libstorage.connection.identity import PoolId, VolumeId
from libstorage.connection.lane import Lane
from libstorage.connection.raw import RawPool, RawVolume
from libstorage.connection.resolve import raw_volume
from libstorage.enums import Ability, PoolType, VolumeCreateFlags, VolumeFormat, VolumeType
from libstorage.enums.abilities import AS_OF
from libstorage.errors import InvalidRequestError, UnsupportedError
from libstorage.models.support import able_types, supports
from libstorage.models.volume import VolumeSpec, VolumeTarget
from libstorage.operations import VOLUME_CLONE, VOLUME_CREATE, VOLUME_RESIZE, Operation
from libstorage.provision.checks import IMAGES, NEVER_GROW, backing, check_volume_spec
from libstorage.provision.header import check_header
from libstorage.provision.undo import made
from libstorage.session.arguments import NoFlags, combined
from libstorage.session.calls import (
    capacity_of,
    change_volume,
    make_volume,
    pool_spec,
    volume_spec,
    without_schema,
)
from libstorage.session.channel import Channel
from libstorage.session.leases import leases
from libstorage.session.names import check_volume_name
from libstorage.session.validating import volume_create_flags
from libstorage.units import Size
from libstorage.xml.kinds import UnknownWord

CloneMode: TypeAlias = Literal["copy", "reflink", "linked"]
"""``copy``: an independent copy of all data. ``reflink``: shares blocks with the source until one of the two is written
(raw, on btrfs and xfs). ``linked``: a qcow2 volume that holds only what differs from the source, which it always needs."""

_NEEDS: Final = {"copy": Ability.CLONE, "reflink": Ability.REFLINK, "linked": Ability.LINK}
_ASKED: Final = frozenset({Ability.CLONE, Ability.REFLINK})
"""Abilities that a daemon either has or refuses. An unknown link, however, a daemon may ignore silently."""
_ELSE: Final = "Clone it with mode='copy', or with mode='linked'."


@attrs.frozen
class PoolFacts:
    """The pool of a clone or of its source.

    Attributes:
        pool: The pool.
        type: Type of the pool.
        version: libvirt version of the daemon.
    """

    pool: PoolId
    type: PoolType | UnknownWord
    version: int

    def can(self, ability: Ability) -> bool:
        """Return whether the pool has the ability, or may have it."""
        is_newer = self.version > AS_OF
        return supports(self.type, ability, self.version) or (is_newer and ability in _ASKED)


@attrs.frozen
class Request:
    """The request for a clone.

    Attributes:
        spec: The document of the clone.
        capacity: The final capacity, if libvirt may create the clone with the capacity of its source.
    """

    spec: VolumeSpec
    capacity: Size | None = None


def clone(
    channel: Channel,
    volume: VolumeId,
    new: str | VolumeSpec,
    pool: PoolId,
    mode: CloneMode,
    flags: VolumeCreateFlags | NoFlags,
    *,
    validate: bool,
) -> VolumeId:
    """Create another volume with the same content. See [Volume.clone][libstorage.Volume.clone]."""
    if pool.uri != volume.uri:
        raise _refusal(
            f"{volume} cannot be cloned into {pool}, which is on another host ({pool.uri})",
            hint="volume.copy_to(pool) copies between hosts.",
        )
    _check_new(new, mode, strict_name=channel.options.strict_names)
    facts = _facts(channel, mode, volume.pool, pool)
    operation = VOLUME_CREATE if mode == "linked" else VOLUME_CLONE
    with leases().reading(volume, operation):
        request = request_for(new, mode, lambda: _source(channel, volume, new), *facts)
        new_volume = _made(channel, volume, request.spec, pool, mode, operation, flags, validate=validate)
    if request.capacity is not None:
        with made(channel, new_volume, operation):
            _grow(channel, new_volume, request.capacity)
    return new_volume


def _source(channel: Channel, volume: VolumeId, new: str | VolumeSpec) -> VolumeSpec:
    """Return the document of the source, after its format was compared with its file unless ``new`` states the format."""
    have = volume_spec(channel, volume)
    if isinstance(new, str) or new.backing_store is None:
        check_header(channel, volume, have)
    return have


def _made(
    channel: Channel,
    volume: VolumeId,
    spec: VolumeSpec,
    pool: PoolId,
    mode: CloneMode,
    operation: Operation,
    flags: VolumeCreateFlags | NoFlags,
    *,
    validate: bool,
) -> VolumeId:
    reflink = VolumeCreateFlags.REFLINK if mode == "reflink" else None

    def copy(lane: Lane, wanted: int) -> RawVolume:
        # The source first: if its pool was renamed, a clone from one raw object of the pool to another deadlocks libvirtd.
        source = raw_volume(lane, volume, fresh=True)
        raw = lane.pool(pool, fresh=pool != volume.pool)
        return raw.createXMLFrom(spec.to_xml(), source, wanted)

    def new(by_schema: VolumeCreateFlags) -> VolumeId:
        wanted = combined(VolumeCreateFlags, flags, reflink, by_schema)

        def make(raw: RawPool, lane: Lane) -> RawVolume:
            return raw.createXML(spec.to_xml(), wanted) if mode == "linked" else copy(lane, wanted)

        return make_volume(channel, operation, pool, spec, make, validate=validate)

    try:
        # createXMLFrom takes no VALIDATE, not even in libvirt 12.8.
        by_schema = volume_create_flags(channel.versions, validate=validate and mode == "linked")
        return without_schema(new, by_schema, spec)
    except UnsupportedError as error:
        if mode == "reflink":
            error.hint = f"Blocks are shared within one xfs or btrfs file system only. {_ELSE}"
        raise


def _grow(channel: Channel, volume: VolumeId, capacity: Size) -> None:
    if capacity_of(channel, volume) < capacity:
        change_volume(channel, VOLUME_RESIZE, volume, lambda raw: raw.resize(capacity, 0))


def _check_new(new: str | VolumeSpec, mode: CloneMode, *, strict_name: bool) -> None:
    """Check mode and name of a clone.

    Raises:
        InvalidRequestError: If the name is not allowed for a new volume, or there is no such mode.
    """
    if mode not in _NEEDS:
        raise _refusal(f"mode is copy, reflink or linked, not {mode!r}")
    if isinstance(new, str):
        check_volume_name(new, strict=strict_name)
    else:
        check_volume_spec(new, strict_name=strict_name)


def _facts(channel: Channel, mode: CloneMode, source: PoolId, target: PoolId) -> tuple[PoolFacts, PoolFacts]:
    """Return the facts about the two pools, if a clone between them is not known to be impossible.

    The types are cached, but a clone is never refused because of a cached type.

    Raises:
        PoolNotFoundError: If a pool is gone.
        UnsupportedError: If the clone is impossible; the message names type and mode, the hint the alternative.
    """
    try:
        facts = _facts_of(channel, source), _facts_of(channel, target)
        check_pools(mode, *facts)
    except UnsupportedError:
        facts = _facts_of(channel, source, fresh=True), _facts_of(channel, target, fresh=True)
        check_pools(mode, *facts)
    return facts


def _facts_of(channel: Channel, pool: PoolId, *, fresh: bool = False) -> PoolFacts:
    kind = channel.session().pool_type(pool, lambda: pool_spec(channel, pool).type, fresh=fresh)
    return PoolFacts(pool, kind, channel.versions.daemon)


def check_pools(mode: CloneMode, source: PoolFacts, target: PoolFacts) -> None:
    """Refuse a clone that libvirt cannot make in pools of these types.

    Raises:
        UnsupportedError: If it cannot; the hint says what to use instead.
    """
    ability = _NEEDS[mode]
    if not target.can(ability):
        raise _unsupported(
            f"{target.pool}: pools of type {target.type} do not {ability.__doc__} (mode={mode!r})",
            f"Pools of these types do: {able_types(ability, target.version)}. {_instead(mode, source, target)}",
        )
    if mode == "reflink" and not source.can(ability):
        raise _unsupported(
            f"{source.pool}: volumes of {source.type} pools cannot share blocks with other volumes (mode='reflink')",
            _instead(mode, source, target),
        )
    is_within = source.pool == target.pool
    if not is_within and (target.type == PoolType.RBD or not source.can(Ability.PATHS)):
        raise _unsupported(
            f"libvirt cannot clone from {source.pool} of type {source.type} into {target.pool} of type {target.type} "
            f"(mode={mode!r})",
            _instead(mode, source, target),
        )


def request_for(
    new: str | VolumeSpec,
    mode: CloneMode,
    read_source: Callable[[], VolumeSpec],
    source: PoolFacts,
    target: PoolFacts,
) -> Request:
    """Build the request.

    Raises:
        InvalidRequestError: If the mode does not go with ``new``, or the capacity is below the source's.
        UnsupportedError: If libvirt cannot make such a clone.
    """
    if mode != "linked" and isinstance(new, VolumeSpec) and new.backing_store is not None:
        raise _refusal(
            f"volume {new.name!r}: a {mode} clone is independent, but the spec has a backing store"
        )
    have = read_source()
    if have.type in (VolumeType.DIR, VolumeType.NETDIR):
        raise _unsupported(
            f"volume {have.name!r} is a directory: it contains files, but has no bytes of its own",
            "Copy its files with the host's own tools, then pool.refresh().",
        )
    if mode == "copy" and isinstance(new, VolumeSpec) and new.capacity is None:
        return Request(new)
    if isinstance(new, VolumeSpec):
        _check_smaller(new, have)
    if mode == "linked":
        return Request(_link_to(have, new))
    spec = copy_of(have, new, source, target) if isinstance(new, str) else new
    if mode == "reflink":
        _check_reflink(spec, have)
    return Request(spec, _capacity_to_reach(spec, have))


def copy_of(have: VolumeSpec, name: str, source: PoolFacts, target: PoolFacts) -> VolumeSpec:
    """Return the source's document under another name, without a backing store.

    Raises:
        InvalidRequestError: If the source is encrypted with an unknown secret.
    """
    if have.target.encryption is not None and not have.target.encryption.secrets:
        raise _refusal(
            f"volume {have.name!r} is encrypted, and libvirt does not know the secret, which the clone needs, too",
            hint="Pass a VolumeSpec that names the secret; or " + AFTER_A_REFRESH,
        )
    spec = have.request(name=name, backing_store=None)
    if source.type == target.type or (source.can(Ability.FILES) and target.can(Ability.FILES)):
        return spec
    form = have.target.format if have.target.format in IMAGES else VolumeFormat.RAW
    return spec.with_target(format=form if target.can(Ability.FILES) else None)


def _link_to(source: VolumeSpec, new: str | VolumeSpec) -> VolumeSpec:
    """Return the document of a volume that holds only what differs from ``source``.

    Raises:
        InvalidRequestError: If ``new`` has another backing store.
        UnsupportedError: If ``source`` cannot be a backing store.
        DocumentError: If the format of ``new`` has no backing stores.
    """
    store = backing(source)
    if isinstance(new, str):
        target = VolumeTarget(format=VolumeFormat.QCOW2, compat="1.1", permissions=source.target.permissions)
        return VolumeSpec(name=new, capacity=source.capacity, target=target, backing_store=store)
    if new.backing_store is not None and new.backing_store.path != store.path:
        raise _refusal(
            f"volume {new.name!r} is linked to {store.path}, but its spec states {new.backing_store.path}"
        )
    if new.target.format is None:
        new = new.with_target(format=VolumeFormat.QCOW2)
    return attrs.evolve(new, backing_store=store)


def _check_reflink(spec: VolumeSpec, source: VolumeSpec) -> None:
    """Refuse a reflink that libvirt would silently replace by a conversion.

    Raises:
        UnsupportedError: If source or clone is not raw, or is encrypted.
    """
    for each in (source, spec):
        what = "encrypted ones" if each.target.encryption else each.target.format
        if what not in (None, VolumeFormat.RAW):
            raise _unsupported(
                f"volume {each.name!r}: libvirt shares blocks of raw volumes only, not of {what} (mode='reflink')",
                "Clone it with mode='copy'." if each.target.encryption else _ELSE,
            )


def _check_smaller(spec: VolumeSpec, source: VolumeSpec) -> None:
    """Refuse a capacity that libvirt would silently raise, or that would truncate the content.

    Raises:
        InvalidRequestError: If the capacity is below the source's.
    """
    if spec.capacity is not None and source.capacity is not None and spec.capacity < source.capacity:
        raise _refusal(
            f"volume {spec.name!r}: a clone is at least as large as its source, {source.capacity}, not {spec.capacity}",
            hint="Omit the capacity, then resize the clone with shrink=True if its content allows that.",
        )


def _capacity_to_reach(spec: VolumeSpec, source: VolumeSpec) -> Size | None:
    """Return the capacity to grow the clone to, ``None`` if libvirt creates it large enough.

    Raises:
        UnsupportedError: If volumes of that format cannot grow.
    """
    if spec.capacity is None or source.capacity is None or spec.capacity <= source.capacity:
        return None
    if spec.target.format in NEVER_GROW:
        raise _unsupported(
            f"volume {spec.name!r}: libvirt makes a clone as large as its source, {source.capacity}, and "
            f"{spec.target.format} volumes cannot grow to {spec.capacity}",
            "Omit the capacity, or clone into a qcow2 or raw volume.",
        )
    return spec.capacity


def _instead(mode: CloneMode, source: PoolFacts, target: PoolFacts) -> str:
    """Return the alternative to a mode that these pools do not support."""
    if mode != "copy" and target.can(Ability.CLONE) and source.can(Ability.PATHS):
        return "Clone it with mode='copy'."
    if source.can(Ability.DOWNLOAD) and target.can(Ability.CREATE) and target.can(Ability.UPLOAD):
        return "Copy it with volume.copy_to(pool)."
    return "Use the storage's own tools."


def _refusal(message: str, hint: str | None = None) -> InvalidRequestError:
    return InvalidRequestError(message, hint=hint)


def _unsupported(message: str, hint: str) -> UnsupportedError:
    return UnsupportedError(message, hint=hint)
