"""What a clone asks libvirt for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeAlias

import attrs

from libstorage.client.names import check_volume_name
from libstorage.enums import VolumeFormat
from libstorage.errors import InvalidRequestError, UnsupportedError
from libstorage.models.volume import BackingStore, VolumeSpec, VolumeTarget

CloneMode: TypeAlias = Literal["copy", "reflink", "linked"]
"""``copy``: all the data, on its own. ``reflink``: shares blocks with the source until one of them is written (raw, on
btrfs and xfs). ``linked``: a qcow2 volume that holds only what differs from the source, which it needs for ever."""


def request_for(
    new: str | VolumeSpec, mode: CloneMode, read_source: Callable[[], VolumeSpec], *, strict_name: bool
) -> VolumeSpec:
    """What to ask libvirt for; the source is read only if that depends on it.

    Raises:
        InvalidRequestError: The name is not one to give to a new volume, or the mode does not go with ``new``.
        UnsupportedError: libvirt cannot do that, or would do it wrongly.
    """
    if mode not in ("copy", "reflink", "linked"):
        raise _refusal(f"{mode!r} is no way to clone: there are copy, reflink and linked")
    if isinstance(new, str):
        check_volume_name(new, strict=strict_name)
    else:
        check_volume_spec(new, strict_name=strict_name)
    if mode == "linked":
        return _link_to(read_source(), new)
    if isinstance(new, str):
        request = _copy_of(read_source(), new)
    else:
        request = new
        if new.capacity is not None:
            _check_capacity(new, read_source())
    _check_copy(request, mode)
    return request


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
    """``source`` as the backing store of another volume.

    Raises:
        UnsupportedError: It is encrypted: a volume's document has no place for the secret of its backing store.
        DocumentError: It has no path that a file could refer to.
    """
    if source.target.encryption is not None:
        raise UnsupportedError(
            f"volume {source.name!r} is encrypted, and cannot be a backing store",
            hint="Clone it with mode='copy'.",
            outcome="not_started",
            retry="no",
        )
    return BackingStore(path=source.target.path or "", format=source.target.format or VolumeFormat.RAW)


def _copy_of(source: VolumeSpec, name: str) -> VolumeSpec:
    """The same volume under another name, on its own: without the backing store that the source may have."""
    return source.request(name=name, backing_store=None)


def _link_to(source: VolumeSpec, new: str | VolumeSpec) -> VolumeSpec:
    """A volume that holds only what differs from ``source``.

    Raises:
        InvalidRequestError: ``new`` has another backing store.
        UnsupportedError: ``source`` is encrypted.
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


def _check_copy(spec: VolumeSpec, mode: CloneMode) -> None:
    """Refuse what libvirt would do wrongly, or refuse without saying why.

    Raises:
        InvalidRequestError: It has a backing store, which only ``linked`` clones have.
        UnsupportedError: A ``reflink`` that is not raw.
    """
    if spec.backing_store is not None:
        raise _refusal(
            f"volume {spec.name!r}: a {mode} clone stands on its own, but this has a backing store"
        )
    if mode == "reflink" and spec.target.format not in (None, VolumeFormat.RAW):
        raise UnsupportedError(
            f"volume {spec.name!r}: libvirt shares blocks of raw volumes only, not of {spec.target.format}",
            hint="Clone it with mode='copy', or with mode='linked'.",
            outcome="not_started",
            retry="no",
        )


def _check_capacity(spec: VolumeSpec, source: VolumeSpec) -> None:
    """Refuse a capacity that libvirt would pass over in silence.

    Raises:
        InvalidRequestError: It is larger than the source's, which all that libvirt converts has in the end.
    """
    plain = all(
        each.target.format in (None, VolumeFormat.RAW) and not each.target.encryption
        for each in (spec, source)
    )
    if (
        not plain
        and spec.capacity is not None
        and source.capacity is not None
        and spec.capacity > source.capacity
    ):
        raise _refusal(
            f"volume {spec.name!r}: libvirt makes such a clone as large as its source, {source.capacity}, "
            f"not {spec.capacity}",
            hint="Clone it without a capacity, and resize the clone.",
        )


def _refusal(message: str, hint: str | None = None) -> InvalidRequestError:
    return InvalidRequestError(message, hint=hint, outcome="not_started", retry="no")
