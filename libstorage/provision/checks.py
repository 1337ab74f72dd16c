"""What is refused before a volume is made."""

from __future__ import annotations

from typing import Final

from libstorage.enums import VolumeFormat, VolumeType
from libstorage.errors import InvalidRequestError, UnsupportedError
from libstorage.models.volume import BackingStore, VolumeSpec
from libstorage.session.names import check_volume_name

NEVER_GROW: Final = (VolumeFormat.VMDK, VolumeFormat.VDI, VolumeFormat.VPC, VolumeFormat.QCOW)
"""What ``qemu-img resize`` does not do."""

IMAGES: Final = (VolumeFormat.RAW, VolumeFormat.QCOW2, VolumeFormat.QED, *NEVER_GROW)
"""What ``qemu-img`` knows under libvirt's name."""


def check_volume_spec(spec: object, *, strict_name: bool) -> VolumeSpec:
    """``spec``, when a volume may be made from it.

    Raises:
        InvalidRequestError: It is no ``VolumeSpec``, has a bad name, or does not say which format its backing store has.
    """
    if not isinstance(spec, VolumeSpec):
        raise InvalidRequestError(
            f"a volume is made from a VolumeSpec, not from {type(spec).__name__}",
            hint="VolumeSpec.qcow2(name, size) and its siblings make one, VolumeSpec.from_xml(text) reads one.",
        )
    check_volume_name(spec.name, strict=strict_name)
    if spec.backing_store is not None and spec.backing_store.format is None:
        raise InvalidRequestError(
            f"volume {spec.name!r}: its backing store has no format, so that a guest could choose one that opens any file",
            hint="BackingStore(path=..., format='qcow2'), or other_volume.as_backing().",
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
        raise UnsupportedError(
            f"volume {source.name!r} is encrypted, and cannot be a backing store",
            hint="Clone it with mode='copy'.",
        )
    if source.type == VolumeType.DIR or not path.startswith("/") or ".." in path.split("/"):
        why = "it is a directory" if source.type == VolumeType.DIR else f"{path!r} is no plain absolute path"
        raise UnsupportedError(
            f"volume {source.name!r} cannot be a backing store: {why}", hint="Clone it with mode='copy'."
        )
    return BackingStore(path=path, format=form if form in IMAGES else VolumeFormat.RAW)


def check_capacity(spec: VolumeSpec) -> None:
    """Refuse a new volume that has neither a capacity nor a backing store to take it from.

    Raises:
        InvalidRequestError: If it has neither.
    """
    if spec.capacity is None and spec.backing_store is None:
        raise InvalidRequestError(
            f"volume {spec.name!r} has no capacity, which only a clone or a volume with a backing store may leave out",
            hint='VolumeSpec.raw(name, "20 GiB"), for one.',
        )
