"""What a clone asks libvirt for, and what is refused before that."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import attrs

from libstorage.client.leases import leases
from libstorage.client.names import check_volume_name
from libstorage.client.options import NoFlags, combined
from libstorage.client.raw import raw_volume
from libstorage.client.undo import take_back
from libstorage.client.validation import volume_create_flags
from libstorage.connection.failures.verdict import AFTER_A_REFRESH
from libstorage.connection.identity import PoolId, VolumeId
from libstorage.connection.lane import Lane
from libstorage.enums import Ability, PoolType, VolumeCreateFlags, VolumeFormat, VolumeType
from libstorage.enums.abilities import AS_OF
from libstorage.errors import InvalidRequestError, UnsupportedError
from libstorage.models.support import able_types, supports
from libstorage.models.volume import BackingStore, VolumeSpec, VolumeTarget
from libstorage.operations import VOLUME_CLONE, VOLUME_CREATE
from libstorage.units import Size

if TYPE_CHECKING:
    from libstorage.client.pool import Pool
    from libstorage.client.volume import Volume

CloneMode: TypeAlias = Literal["copy", "reflink", "linked"]
"""``copy``: all the data, on its own. ``reflink``: shares blocks with the source until one of them is written (raw, on
btrfs and xfs). ``linked``: a qcow2 volume that holds only what differs from the source, which it needs for ever."""

_NEEDS: Final = {"copy": Ability.CLONE, "reflink": Ability.REFLINK, "linked": Ability.LINK}
_ASKED: Final = frozenset({Ability.CLONE, Ability.REFLINK})
"""What a daemon does or refuses; a link that it does not know it may leave out without a word."""
_ELSE: Final = "Clone it with mode='copy', or with mode='linked'."
_NEVER_GROW: Final = (VolumeFormat.VMDK, VolumeFormat.VDI, VolumeFormat.VPC, VolumeFormat.QCOW)
"""What ``qemu-img resize`` does not do."""
_IMAGES: Final = (VolumeFormat.RAW, VolumeFormat.QCOW2, VolumeFormat.QED, *_NEVER_GROW)
"""What ``qemu-img`` knows under libvirt's name."""


@attrs.frozen
class Place:
    """A pool that a clone comes from or goes to.

    Attributes:
        pool: Which.
        type: Its type.
        is_newer: Whether its daemon is newer than what is known of types, and may know better.
    """

    pool: PoolId
    type: PoolType | str
    is_newer: bool

    def can(self, ability: Ability) -> bool:
        """Whether it can do that, or may."""
        return supports(self.type, ability) or (self.is_newer and ability in _ASKED)


@attrs.frozen
class Request:
    """What to ask for.

    Attributes:
        spec: The document.
        capacity: What the clone must have in the end, where libvirt may make it as large as its source.
    """

    spec: VolumeSpec
    capacity: Size | None = None


def clone(
    volume: Volume, new: str | VolumeSpec, pool: Pool, mode: CloneMode, flags: VolumeCreateFlags | NoFlags
) -> Volume:
    """Make another volume with the same content. See [Volume.clone][libstorage.Volume.clone]."""
    if pool._id.uri != volume._id.uri:
        raise _refusal(
            f"{volume._id} cannot be cloned into {pool._id}, which is on another host ({pool._id.uri})",
            hint="volume.copy_to(pool) copies between hosts.",
        )
    _check_new(new, mode, strict_name=volume.host.options.strict_names)
    places = _places(mode, volume.pool, pool)
    operation = VOLUME_CREATE if mode == "linked" else VOLUME_CLONE
    with leases().reading(volume._id, operation):
        request = _request_for(new, mode, volume.spec, *places)
        made = _made(volume, request.spec, pool, mode, flags)
    if request.capacity is not None:
        try:
            if made.info().capacity < request.capacity:
                made.resize(request.capacity)
        except BaseException as error:
            take_back(made, error, operation)
            raise
    return made


def _made(
    volume: Volume, spec: VolumeSpec, pool: Pool, mode: CloneMode, flags: VolumeCreateFlags | NoFlags
) -> Volume:
    host, identity = volume.host, VolumeId(pool._id, spec.name)
    reflink = VolumeCreateFlags.REFLINK if mode == "reflink" else None
    wanted = combined(VolumeCreateFlags, flags, reflink, volume_create_flags(host.versions))

    def copy(lane: Lane) -> None:
        source = raw_volume(lane, volume._id, fresh=True)
        lane.remember(identity, lane.pool(pool._id).createXMLFrom(spec.to_xml(), source, wanted))

    def link(lane: Lane) -> None:
        lane.remember(identity, lane.pool(pool._id).createXML(spec.to_xml(), wanted))

    operation, make = (VOLUME_CREATE, link) if mode == "linked" else (VOLUME_CLONE, copy)
    try:
        host._call(operation, identity, make)
    except UnsupportedError as error:
        if mode == "reflink":
            error.hint = f"Blocks are shared within one xfs or btrfs file system only. {_ELSE}"
        raise
    return type(volume)(host, identity)


def _check_new(new: str | VolumeSpec, mode: CloneMode, *, strict_name: bool) -> None:
    """Refuse what is no clone of anything.

    Raises:
        InvalidRequestError: The name is not one to give to a new volume, or there is no such mode.
    """
    if mode not in _NEEDS:
        raise _refusal(f"{mode!r} is no way to clone: there are copy, reflink and linked")
    if isinstance(new, str):
        check_volume_name(new, strict=strict_name)
    else:
        check_volume_spec(new, strict_name=strict_name)


def _places(mode: CloneMode, source: Pool, target: Pool) -> tuple[Place, Place]:
    """The two pools, when they are not known to be unable to do that.

    Their types are remembered, but nothing is refused because of an old one.

    Raises:
        PoolNotFoundError: One of them is gone.
        UnsupportedError: The message names type and mode, the hint what to use instead.
    """
    try:
        places = _place(source), _place(target)
        _check_places(mode, *places)
    except UnsupportedError:
        places = _place(source, anew=True), _place(target, anew=True)
        _check_places(mode, *places)
    return places


def _place(pool: Pool, *, anew: bool = False) -> Place:
    types = pool.host._connected().types
    if anew or pool._id not in types:
        types[pool._id] = pool.type()
    return Place(pool._id, types[pool._id], pool.host.versions.daemon > AS_OF)


def _check_places(mode: CloneMode, source: Place, target: Place) -> None:
    ability = _NEEDS[mode]
    if not target.can(ability):
        raise _unsupported(
            f"{target.pool}: pools of type {target.type} do not {ability.__doc__} (mode={mode!r})",
            f"Pools of these types do: {able_types(ability)}. {_instead(mode, source, target)}",
        )
    if mode == "reflink" and not source.can(ability):
        raise _unsupported(
            f"{source.pool}: volumes of type {source.type} pools share no blocks with others (mode='reflink')",
            _instead(mode, source, target),
        )
    is_within = source.pool == target.pool
    if not is_within and (target.type == PoolType.RBD or not source.can(Ability.PATHS)):
        raise _unsupported(
            f"libvirt cannot clone from {source.pool} of type {source.type} into {target.pool} of type {target.type} "
            f"(mode={mode!r})",
            _instead(mode, source, target),
        )


def _request_for(
    new: str | VolumeSpec,
    mode: CloneMode,
    read_source: Callable[[], VolumeSpec],
    source: Place,
    target: Place,
) -> Request:
    """What to ask libvirt for; the source is read only if that depends on it.

    Raises:
        InvalidRequestError: The mode does not go with ``new``, or the capacity is below the source's.
        UnsupportedError: libvirt cannot do that.
    """
    if mode != "linked" and isinstance(new, VolumeSpec) and new.backing_store is not None:
        raise _refusal(f"volume {new.name!r}: a {mode} clone stands on its own, but this has a backing store")
    if mode == "copy" and isinstance(new, VolumeSpec) and new.capacity is None:
        return Request(new)
    have = read_source()
    if isinstance(new, VolumeSpec):
        _check_smaller(new, have)
    if mode == "linked":
        return Request(_link_to(have, new))
    spec = _copy_of(have, new, source, target) if isinstance(new, str) else new
    if mode == "reflink":
        _check_reflink(spec, have)
    return Request(spec, _capacity_to_reach(spec, have))


def check_volume_spec(spec: object, *, strict_name: bool) -> VolumeSpec:
    """``spec``, when a volume may be made from it.

    Raises:
        InvalidRequestError: It is no ``VolumeSpec``, has a bad name, or does not say which format its backing store has.
    """
    if not isinstance(spec, VolumeSpec):
        raise InvalidRequestError(
            f"a volume is made from a VolumeSpec, not from {type(spec).__name__}",
            hint="VolumeSpec.qcow2(name, size) and its siblings make one, VolumeSpec.from_xml(text) reads one.",
            outcome="not_started",
            retry="no",
        )
    check_volume_name(spec.name, strict=strict_name)
    if spec.backing_store is not None and spec.backing_store.format is None:
        raise InvalidRequestError(
            f"volume {spec.name!r}: its backing store has no format, so that a guest could choose one that opens any file",
            hint="BackingStore(path=..., format='qcow2'), or other_volume.as_backing().",
            outcome="not_started",
            retry="no",
        )
    return spec


def backing(source: VolumeSpec) -> BackingStore:
    """``source`` as the backing store of another volume, its format always named.

    Where libvirt names none of an image (devices, ISO files), it is raw: a guest could write the header of an image
    into it that refers to any file.

    Raises:
        UnsupportedError: It is encrypted, for which a volume's document has no place; or it has no absolute path.
    """
    path, form = source.target.path or "", source.target.format
    if source.target.encryption is not None:
        raise _unsupported(
            f"volume {source.name!r} is encrypted, and cannot be a backing store",
            "Clone it with mode='copy'.",
        )
    if source.type == VolumeType.DIR or not path.startswith("/") or ".." in path.split("/"):
        raise _unsupported(
            f"volume {source.name!r} cannot be a backing store: "
            + (
                "it is a directory"
                if source.type == VolumeType.DIR
                else f"{path!r} is no plain absolute path"
            ),
            "Clone it with mode='copy'.",
        )
    return BackingStore(path=path, format=form if form in _IMAGES else VolumeFormat.RAW)


def _copy_of(have: VolumeSpec, name: str, source: Place, target: Place) -> VolumeSpec:
    """The same volume under another name, on its own: without the backing store that the source may have.

    Raises:
        InvalidRequestError: It is encrypted, and nobody knows with which secret.
    """
    if have.target.encryption is not None and not have.target.encryption.secrets:
        raise _refusal(
            f"volume {have.name!r} is encrypted, and libvirt does not know with which secret, which its clone needs, too",
            hint="Give new a VolumeSpec that names the secret; or " + AFTER_A_REFRESH,
        )
    spec = have.request(name=name, backing_store=None)
    if source.type == target.type or (source.can(Ability.FILES) and target.can(Ability.FILES)):
        return spec
    form = have.target.format if have.target.format in _IMAGES else VolumeFormat.RAW
    return spec.with_target(format=form if target.can(Ability.FILES) else None)


def _link_to(source: VolumeSpec, new: str | VolumeSpec) -> VolumeSpec:
    """A volume that holds only what differs from ``source``.

    Raises:
        InvalidRequestError: ``new`` has another backing store.
        UnsupportedError: ``source`` cannot be one.
        DocumentError: ``new`` has a format without backing stores.
    """
    store = backing(source)
    if isinstance(new, str):
        target = VolumeTarget(format=VolumeFormat.QCOW2, compat="1.1", permissions=source.target.permissions)
        return VolumeSpec(name=new, capacity=source.capacity, target=target, backing_store=store)
    if new.backing_store is not None and new.backing_store.path != store.path:
        raise _refusal(
            f"volume {new.name!r} is to be linked to {store.path}, but says {new.backing_store.path}"
        )
    if new.target.format is None:
        new = new.with_target(format=VolumeFormat.QCOW2)
    return attrs.evolve(new, backing_store=store)


def _check_reflink(spec: VolumeSpec, source: VolumeSpec) -> None:
    """Refuse what libvirt would have converted.

    Raises:
        UnsupportedError: One of them is not raw, or is encrypted.
    """
    for each in (source, spec):
        what = "encrypted ones" if each.target.encryption else each.target.format
        if what not in (None, VolumeFormat.RAW):
            raise _unsupported(
                f"volume {each.name!r}: libvirt shares blocks of raw volumes only, not of {what} (mode='reflink')",
                "Clone it with mode='copy'." if each.target.encryption else _ELSE,
            )


def _check_smaller(spec: VolumeSpec, source: VolumeSpec) -> None:
    """Refuse a capacity that libvirt would raise in silence, or that would cut the content off.

    Raises:
        InvalidRequestError: It is below the source's.
    """
    if spec.capacity is not None and source.capacity is not None and spec.capacity < source.capacity:
        raise _refusal(
            f"volume {spec.name!r}: a clone is at least as large as its source, {source.capacity}, not {spec.capacity}",
            hint="Leave the capacity out; resize the clone with shrink=True, if its content allows that.",
        )


def _capacity_to_reach(spec: VolumeSpec, source: VolumeSpec) -> Size | None:
    """The capacity that libvirt may pass over.

    Raises:
        UnsupportedError: Volumes of that format cannot grow.
    """
    if spec.capacity is None or source.capacity is None or spec.capacity <= source.capacity:
        return None
    if spec.target.format in _NEVER_GROW:
        raise _unsupported(
            f"volume {spec.name!r}: libvirt makes a clone as large as its source, {source.capacity}, and "
            f"{spec.target.format} volumes cannot grow to {spec.capacity}",
            "Leave the capacity out, or clone it into a qcow2 or raw volume.",
        )
    return spec.capacity


def _instead(mode: CloneMode, source: Place, target: Place) -> str:
    """What to use for a mode that these pools do not have."""
    if mode != "copy" and target.can(Ability.CLONE) and source.can(Ability.PATHS):
        return "Clone it with mode='copy'."
    if source.can(Ability.DOWNLOAD) and target.can(Ability.CREATE) and target.can(Ability.UPLOAD):
        return "Copy it with volume.copy_to(pool)."
    return "Use the storage's own tools."


def _refusal(message: str, hint: str | None = None) -> InvalidRequestError:
    return InvalidRequestError(message, hint=hint, outcome="not_started", retry="no")


def _unsupported(message: str, hint: str) -> UnsupportedError:
    return UnsupportedError(message, hint=hint, outcome="not_started", retry="no")
