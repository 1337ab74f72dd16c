"""Refuses what is plainly no disk: archives, text, and files whose name states another format than their content."""

from __future__ import annotations

import re
from typing import Final

import attrs

from libstorage.enums import VolumeFormat
from libstorage.errors import InvalidRequestError
from libstorage.provision.fill import Image
from libstorage.transfer.pieces.decompress import SUFFIXES
from libstorage.transfer.pieces.plain import MARKUP
from libstorage.xml.kinds import UnknownWord

_FORMATS: Final = ("qcow2", "qcow", "vmdk", "vdi", "vhd", "vhdx", "avhdx", "vpc", "qed")
_PLAIN: Final = ("img", "raw", "iso")
_FLAT: Final = re.compile(r"-(flat|f\d+)\.vmdk$")
"""Names of the data of a vmdk image, which are raw."""

_TEXTS: Final = {"nothing": "is empty", "text": "is a text", "Git LFS pointer": "is a pointer of Git LFS"}

_INSIST: Final = "a spec with format raw (VolumeSpec.raw) insists on these bytes"


@attrs.frozen(kw_only=True)
class Claims:
    """What an image is said to be.

    Attributes:
        name: Name of the source's file without the suffix of its compression; empty if that means nothing.
        is_url: Whether the source is a URL.
        how: Compression that was undone.
        said: Format that the caller states; raw insists.
        unchanged: Whether the caller states that the bytes are not to be decompressed.
    """

    name: str
    is_url: bool
    how: str | None
    said: VolumeFormat | UnknownWord | None
    unchanged: bool

    def check(self, image: Image) -> None:
        """Check what the image is, as far as it was read.

        Raises:
            InvalidRequestError: If it is plainly no disk, or not what its name states.
        """
        if image.info.packed and not self.unchanged:
            raise self._archive(image)
        if image.info.format != VolumeFormat.RAW or self.said == VolumeFormat.RAW:
            return
        self._check_text(image)
        if self.said == VolumeFormat.VPC:
            raise _no_vpc(image)
        if self._format() and image.is_known and not self._is_vhd(image):
            raise InvalidRequestError(
                f"{image.name} is named like a {self._format()} image, but has no mark of one: it would be a raw disk",
                hint=f"Get it again, and compare its checksum; {_INSIST}.",
            )

    def _check_text(self, image: Image) -> None:
        text = image.info.text
        named = self._format() or self._suffix() in _PLAIN
        if text and (named or (self.is_url and text in MARKUP)):
            raise InvalidRequestError(
                f"{image.name} {_TEXTS.get(text, f'is a file of {text}')}, and no disk image",
                hint="A server's answer, or a pointer to the image, may have been saved in place of the image: "
                f"get it again. Otherwise, {_INSIST}.",
            )

    def _archive(self, image: Image) -> InvalidRequestError:
        first, *rest = image.info.packed
        inside = f", and {' in it'.join(rest)} in that" if rest else ""
        if self.how is None:
            said = f"{image.name} is a file of {first}{inside}, and no disk image"
        else:
            said = (
                f"{image.name} holds a file of {first} inside its {self.how} data{inside}, and no disk image"
            )
        return InvalidRequestError(
            said,
            hint=f"{_advice(first)} decompress=None takes the bytes of the source as they are, whatever they are.",
        )

    def _suffix(self) -> str:
        return self.name.lower().rpartition(".")[2]

    def _format(self) -> str | None:
        """Return the format that the name states, if it states one."""
        suffix = self._suffix()
        return suffix if suffix in _FORMATS and not _FLAT.search(self.name.lower()) else None

    def _is_vhd(self, image: Image) -> bool:
        return image.info.fixed_vhd and self._suffix() in ("vhd", "vpc")


def _no_vpc(image: Image) -> InvalidRequestError:
    """Return the error for a raw image in place of a VHD: libvirt takes a VHD of fixed size for one, too."""
    said = f"{image.name} is a raw image"
    if image.info.fixed_vhd:
        said = f"{image.name} is a VHD of fixed size, which libvirt takes for a raw image of 512 bytes more"
    elif not image.is_known:
        said = f"{image.name} is a raw image, or a VHD of fixed size, which libvirt takes for one"
    return InvalidRequestError(
        f"{said}, and the spec has format vpc",
        hint="Convert it: qemu-img convert -O vpc -o subformat=dynamic. With format raw, a VHD of fixed size is imported "
        "as it is; a guest sees its last 512 bytes, too.",
    )


def _advice(kind: str) -> str:
    if kind == "Android sparse":
        return "Convert it first: simg2img."
    if kind in SUFFIXES:
        return "Decompress it first."
    return "Unpack it first, and import the disk image that is in it (an OVA has vmdk images)."
