"""Checks of a new volume before it is created."""

from __future__ import annotations

from typing import Final

from libstorage.enums import VolumeFormat, VolumeType
from libstorage.errors import InvalidRequestError, UnsupportedError
from libstorage.models.volume import BackingStore, VolumeSpec
from libstorage.session.names import check_volume_name

NEVER_GROW: Final = (VolumeFormat.VMDK, VolumeFormat.VDI, VolumeFormat.VPC, VolumeFormat.QCOW)
"""Formats that ``qemu-img resize`` cannot grow."""

IMAGES: Final = (VolumeFormat.RAW, VolumeFormat.QCOW2, VolumeFormat.QED, *NEVER_GROW)
"""Formats that ``qemu-img`` knows under libvirt's name."""


def check_volume_spec(spec: object, *, strict_name: bool, allow_unknown: bool = False) -> VolumeSpec:
    """Return the document to send for ``spec`` if a volume may be created from it.

    Args:
        spec: The document.
        strict_name: Whether names that libvirt would change or people would misread are refused.
        allow_unknown: Whether parts that libstorage does not know are sent, too.

    Raises:
        InvalidRequestError: If ``spec`` is not a ``VolumeSpec``, has a bad name, or does not state the format of its
            backing store.
    """
    if not isinstance(spec, VolumeSpec):
        raise InvalidRequestError(
            f"spec must be a VolumeSpec, not {type(spec).__name__}",
            hint="Make one with VolumeSpec.qcow2(name, size) or another factory, or read one with VolumeSpec.from_xml(text).",
        )
    check_volume_name(spec.name, strict=strict_name)
    spec = spec.with_unknown_allowed() if allow_unknown else spec
    if spec.backing_store is not None and spec.backing_store.format is None:
        raise InvalidRequestError(
            f"volume {spec.name!r}: the backing store has no format, so a guest could choose one that opens any file of the host",
            hint="Use BackingStore(path=..., format='qcow2') or other_volume.as_backing().",
        )
    return spec


def backing(source: VolumeSpec) -> BackingStore:
    """Return ``source`` as the backing store of another volume, always with its format.

    If libvirt states no image format (devices, ISO files), the format is raw: otherwise a guest could write an image
    header into the volume that refers to any file.

    Raises:
        UnsupportedError: If ``source`` is encrypted, which a volume's document cannot express for a backing store, is a
            directory, or has no absolute path.
    """
    path, form = source.target.path or "", source.target.format
    if source.target.encryption is not None:
        raise UnsupportedError(
            f"volume {source.name!r} is encrypted, and cannot be a backing store",
            hint="Clone it with mode='copy'.",
        )
    if source.type == VolumeType.DIR or not path.startswith("/") or ".." in path.split("/"):
        why = (
            "it is a directory" if source.type == VolumeType.DIR else f"{path!r} is not a plain absolute path"
        )
        raise UnsupportedError(
            f"volume {source.name!r} cannot be a backing store: {why}", hint="Clone it with mode='copy'."
        )
    return BackingStore(path=path, format=form if form in IMAGES else VolumeFormat.RAW)


def check_capacity(spec: VolumeSpec) -> None:
    """Check that a new volume has a capacity, or a backing store to take the capacity from.

    Raises:
        InvalidRequestError: If it has neither.
    """
    if spec.capacity is None and spec.backing_store is None:
        raise InvalidRequestError(
            f"volume {spec.name!r} has no capacity; only a clone or a volume with a backing store may omit it",
            hint='Give a capacity, as in VolumeSpec.raw(name, "20 GiB").',
        )
