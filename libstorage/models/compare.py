"""Comparison of documents: only the fields that ``want`` sets, after the changes that libvirt itself makes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from attrs import frozen

from libstorage.display.shown import Shown
from libstorage.display.text import brief, counted
from libstorage.enums import VolumeType
from libstorage.xml.document import Document, Element
from libstorage.xml.mapping import construct, mapping_of

if TYPE_CHECKING:
    from libstorage.display.page import Page

_CYLINDER = 16 * 255 * 512
_LARGEST_EXTENT = 128 << 20
_LARGEST_BLOCK = 128 << 10
_LARGEST_CYLINDER = 255 * 63 * 512
_ALIGNMENT = 1 << 20
_LVM_UUID = re.compile(r"[0-9A-Za-z]{6}(-[0-9A-Za-z]{4}){5}-[0-9A-Za-z]{6}")


@frozen
class Difference:
    """One field that is not as wanted: its dotted name, the actual value and the wanted value."""

    field: str
    have: Any
    want: Any

    def __str__(self) -> str:
        octal = self.field.endswith("mode")
        return f"{self.field} is {_shown(self.have, octal)}, not {_shown(self.want, octal)}"


class Differences(Shown, tuple[Difference, ...]):  # Shown first: IPython would print a tuple
    """The fields that are not as wanted: a tuple that a notebook shows as a table."""

    __slots__ = ()

    def __repr__(self) -> str:
        fields = brief(", ".join(difference.field for difference in self), 60)
        return f"<{counted(len(self), 'difference')}{': ' if fields else ''}{fields}>"

    def _page(self, most: int | None) -> Page:
        from libstorage.models.changes import changes_page

        return changes_page([(each.field, each.have, each.want) for each in self], most)


@frozen
class Compared:
    """The two documents of a comparison: ``have`` as libvirt reports it, and ``want``."""

    have: Any
    want: Any


@frozen
class Normalisation:
    """A change that libvirt itself makes to a document, which therefore does not count as a difference.

    ``same(have, want, documents)`` returns whether libvirt turns the value ``want`` into ``have``; ``documents`` are
    those that contain the two values.
    """

    name: str
    fields: str
    same: Callable[[Any, Any, Compared], bool]
    reason: str

    def covers(self, field: str) -> bool:
        """Return whether the normalisation applies to the field with this dotted name."""
        return re.fullmatch(self.fields, field) is not None


def _same_path(have: Any, want: Any, _documents: Compared) -> bool:
    return isinstance(have, str) and _tidy(have) == _tidy(want)


def _tidy(path: str) -> str:
    return re.sub("/+", "/", path).rstrip("/") or "/"


def _same_but_for_blanks(have: Any, want: Any, _documents: Compared) -> bool:
    return isinstance(want, (str, tuple)) and _printed(want) == _printed(have)


def _printed(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(map(_printed, value))
    return re.sub(r"\r\n|[\t\r\n]", " ", value) if isinstance(value, str) else value


def _rounded_up(have: Any, want: Any, documents: Compared) -> bool:
    target = documents.want.target
    by_qemu_img = target.format not in (None, "raw", "dir") or target.encryption
    return bool(by_qemu_img) and have is not None and 0 <= have - want < 1024


def _whole_cylinders(have: Any, want: Any, documents: Compared) -> bool:
    is_vpc = documents.want.target.format == "vpc"
    return is_vpc and have is not None and 0 <= have - want < _CYLINDER


def _as_allocated(have: Any, want: Any, documents: Compared) -> bool:
    grown = have is not None and want < have == documents.want.allocation
    return grown and documents.want.target.format in (None, "raw")


def _as_the_file(have: Any, want: Any, documents: Compared) -> bool:
    is_image = documents.want.target.format not in (None, "raw", "iso", "dir")
    return is_image and want == 0 and have is not None and have == documents.have.physical


def _whole_extents(have: Any, want: Any, documents: Compared) -> bool:
    volume = documents.have
    if have is None or not (volume.type == VolumeType.BLOCK and _LVM_UUID.fullmatch(volume.key or "")):
        return False
    together = have
    for extent in _extents(volume):
        together |= extent.start | extent.end
    return bool(0 <= have - want < min(together & -together, _LARGEST_EXTENT))


def _whole_blocks(have: Any, want: Any, documents: Compared) -> bool:
    volume = documents.have
    is_zfs = volume.type == VolumeType.BLOCK and (volume.target.path or "").startswith("/dev/zvol/")
    return is_zfs and have is not None and 0 <= have - want < _LARGEST_BLOCK


def _partition(have: Any, want: Any, documents: Compared) -> bool:
    volume = documents.have
    is_partition = (
        volume.type == VolumeType.BLOCK and volume.key == volume.target.path and len(_extents(volume)) == 1
    )
    return is_partition and have is not None and -_ALIGNMENT < have - want <= _LARGEST_CYLINDER


def _extents(volume: Any) -> list[Any]:
    devices = volume.source.devices if volume.source else ()
    return [extent for device in devices for extent in device.extents]


def _any(_have: Any, _want: Any, _documents: Compared) -> bool:
    return True


NORMALISATIONS = (
    Normalisation(
        "slashes",
        r"source\.dir|target\.path",
        _same_path,
        "libvirt replaces // with / and drops a trailing /",
    ),
    Normalisation(
        "blanks",
        ".*",
        _same_but_for_blanks,
        "libvirt writes tabs and line breaks into its XML without escaping, and XML turns them into other blanks",
    ),
    Normalisation(
        "empty",
        ".*",
        lambda have, want, _documents: have is None and want == "",
        "libvirt treats an empty text as absent",
    ),
    Normalisation(
        "source named after the pool",
        r"source\.name",
        lambda have, want, documents: want == "" and have == documents.want.name,
        "if a volume group has no name, libvirt names it after its pool",
    ),
    Normalisation(
        "made path",
        r"target\.path",
        lambda _have, _want, documents: getattr(documents.want, "type", None) in ("logical", "zfs"),
        "libvirt derives the target path of logical and zfs pools from the source's name",
    ),
    Normalisation(
        "default port",
        r"source\.hosts\[\d+\]\.port",
        lambda have, want, _documents: have is None and want == 0,
        "port 0 means the default port of the protocol, which libvirt does not print",
    ),
    Normalisation(
        "multifunction",
        r"source\.adapter\.parent\.address\.multifunction",
        lambda have, _want, _documents: have is None,
        "libvirt never prints multifunction for an adapter's parent",
    ),
    Normalisation(
        "any owner",
        r"(.*\.)?(owner|group)",
        lambda _have, want, _documents: want in (-1, 2**32 - 1),
        "-1 leaves owner and group to libvirt",
    ),
    Normalisation(
        "label",
        r"(.*\.)?label",
        lambda have, _want, _documents: have is None,
        "libvirt reports the label that SELinux gave the file; without SELinux the file has no label",
    ),
    Normalisation(
        "size of a directory",
        "capacity",
        lambda _have, _want, documents: documents.want.target.format == "dir",
        "a directory has no capacity of its own",
    ),
    Normalisation(
        "whole KiB", "capacity", _rounded_up, "qemu-img rounds the size of an image up to whole KiB"
    ),
    Normalisation(
        "whole cylinders",
        "capacity",
        _whole_cylinders,
        "the size of a vpc image is a number of cylinders, heads and sectors",
    ),
    Normalisation(
        "as allocated", "capacity", _as_allocated, "a raw volume is never smaller than its allocation"
    ),
    Normalisation(
        "empty image",
        "capacity",
        _as_the_file,
        "an image of capacity 0 counts as an image without a size, and libvirt reports the size of its file",
    ),
    Normalisation(
        "as the backing store",
        "capacity",
        lambda have, want, documents: (
            want == 0 and have is not None and documents.want.backing_store is not None
        ),
        "capacity 0 above a backing store means the capacity of that store",
    ),
    Normalisation(
        "whole extents",
        "capacity",
        _whole_extents,
        "LVM rounds up to whole extents, whose size the document does not say: any power of 2 up to 128 MiB that divides "
        "the capacity and the ends of its extents",
    ),
    Normalisation(
        "whole blocks",
        "capacity",
        _whole_blocks,
        "ZFS rounds up to whole blocks of the volume, which have at most 128 KiB",
    ),
    Normalisation(
        "partition",
        "capacity",
        _partition,
        "a partition starts where parted aligns it, up to 1 MiB later, and ends with a sector, or in a pool of format dos "
        "with a cylinder of up to 255 heads and 63 sectors",
    ),
    Normalisation(
        "forgotten secret",
        r"target\.encryption\.(secrets|cipher|ivgen)",
        lambda have, _want, _documents: not have,
        "after a refresh libvirt knows only that a volume is encrypted, not how",
    ),
    Normalisation(
        "charged",
        "allocation",
        _any,
        "the wanted allocation is a request; libvirt reports the space that the storage charges",
    ),
    Normalisation(
        "iso",
        r"target\.format",
        lambda have, want, _documents: {have, want} == {"raw", "iso"},
        "libvirt reports iso if the volume contains an ISO 9660 image, otherwise raw",
    ),
    Normalisation(
        "cleared features",
        r"target\.compat",
        lambda have, want, _documents: have is None and want == "0.10",
        "libvirt does not report compat 0.10 for every image",
    ),
)
"""Every change that libvirt itself makes to a document, which ``differences`` ignores."""


_ROUNDING = frozenset(
    {"whole KiB", "whole cylinders", "empty image", "whole extents", "whole blocks", "partition"}
)


def has_capacity(document: Any, size: int) -> bool:
    """Return whether a volume would have its capacity if ``size`` were asked for, as its storage rounds sizes."""
    have, documents = document.capacity, Compared(document, document)
    rounding = (each for each in NORMALISATIONS if each.name in _ROUNDING)
    return have == size or any(each.same(have, size, documents) for each in rounding)


def differences(have: Document, want: Document) -> Differences:
    """Return the fields in which ``have`` differs from ``want``.

    Only the fields that ``want`` sets are compared, without those that only libvirt sets and those that libvirt never
    reports.
    """
    if type(have) is not type(want):
        return Differences((Difference("", type(have).__name__, type(want).__name__),))
    return Differences(_differences(have, want, Compared(have, want), ""))


def _differences(have: Element, want: Element, documents: Compared, prefix: str) -> Iterator[Difference]:
    for mapped in mapping_of(type(want)).fields:
        wanted, field = getattr(want, mapped.name), prefix + mapped.name
        skipped = mapped.place.reported or mapped.place.write_only
        if skipped or (not mapped.required and wanted == mapped.missing()):
            continue
        yield from _difference(getattr(have, mapped.name), wanted, documents, field)


def _difference(have: Any, want: Any, documents: Compared, field: str) -> Iterator[Difference]:
    if _as_many_elements(have, want):
        for place, (there, asked) in enumerate(zip(have, want, strict=True)):
            yield from _difference(there, asked, documents, f"{field}[{place}]")
    elif isinstance(want, Element) and type(have) is type(want):
        yield from _differences(have, want, documents, f"{field}.")
    elif isinstance(want, Element) and have is None and _asks_nothing(want, documents, field):
        return
    elif have != want and not any(n.covers(field) and n.same(have, want, documents) for n in NORMALISATIONS):
        yield Difference(field, have, want)


def _as_many_elements(have: Any, want: Any) -> bool:
    return isinstance(want, tuple) and isinstance(want[0], Element) and len(have) == len(want)


def _asks_nothing(want: Element, documents: Compared, field: str) -> bool:
    """Return whether an absent element is equivalent to ``want``."""
    fields = mapping_of(type(want)).fields
    empty = construct(type(want), {m.name: None if m.required else m.missing() for m in fields})
    return not any(_differences(empty, want, documents, f"{field}."))


def _shown(value: Any, octal: bool) -> str:
    if octal and isinstance(value, int):
        return f"{value:#o}"
    return str(value) if isinstance(value, int) else repr(str(value) if isinstance(value, str) else value)
