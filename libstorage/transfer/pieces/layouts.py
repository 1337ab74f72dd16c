"""Where the tables of an image are, by format, and what their entries point to."""

from __future__ import annotations

import struct
import sys
from array import array
from collections.abc import Callable
from typing import Final

import attrs

from libstorage.enums import VolumeFormat
from libstorage.transfer.pieces.tables import Tables

_SECTOR: Final = 512
_QCOW2_OFFSET: Final = 0x00FF_FFFF_FFFF_FE00
_COMPRESSED: Final = 1 << 62
_VMDK: Final = 0x4B444D56
_AT_END: Final = 2**64 - 1
_NO_BLOCK: Final = 0xFFFF_FFFF
_EXTENSIONS: Final = {0x0537BE77: "encryption header", 0x23852875: "bitmap directory"}


class Head:
    """The first bytes of an image, read as numbers."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def __getitem__(self, place: tuple[int, str]) -> int:
        """The number at an offset, in the notation of ``struct``; 0 behind the end."""
        data = self._data[place[0] : place[0] + struct.calcsize(place[1])]
        return int(struct.unpack(place[1], data.ljust(struct.calcsize(place[1]), b"\0"))[0])


def follow(format: object, data: bytes, tables: Tables) -> None:
    """State what an image of a format must have, and which of its tables are to be read.

    Args:
        format: The format.
        data: The first bytes of the image.
        tables: Follows the tables.

    Raises:
        CutOffError: If a table is, or points, behind the end of the image.
    """
    begin = _LAYOUTS.get(format)
    if begin is not None:
        begin(Head(data), tables)


def _numbers(data: bytes, code: str, order: str) -> array[int]:
    found = array(code, data)
    if order != sys.byteorder:
        found.byteswap()
    return found


# ---- qcow2 ----------------------------------------------------------------------------------------------------------


@attrs.frozen
class _Qcow2:
    """The tables of a qcow2 image."""

    tables: Tables
    cluster: int
    step: int
    has_data: bool

    def level1(self, place: int, entries: int, what: str, most: int | None = None) -> None:
        """Follow an L1 table, which must be there up to its entry ``most`` and its last cluster."""
        must = entries * 8 if most is None else max(min(entries, most) * 8, entries * 8 - self.cluster + 1)
        self.tables.read(place, entries * 8, 8, what, self.level2, must)

    def entries(self, size: int) -> int:
        """Return how many entries of an L1 table a guest's bytes take."""
        return -(-size // (self.cluster * self.cluster // (8 * self.step)))

    def level2(self, data: bytes) -> None:
        places = [entry & _QCOW2_OFFSET for entry in _numbers(data, "Q", "big") if entry]
        self.tables.read_all(places, self.cluster, 8 * self.step, "L2 table", self.clusters)

    def clusters(self, data: bytes) -> None:
        if not self.has_data or not data.strip(b"\0"):
            return
        entries = _numbers(data, "Q", "big")[:: self.step]
        plain = max((entry & _QCOW2_OFFSET for entry in entries if not entry & _COMPRESSED), default=0)
        if plain:  # the last cluster of a file may be partial
            self.tables.need(plain + 1, "data")
        packed = max((self.packed_end(entry) for entry in entries if entry & _COMPRESSED), default=0)
        self.tables.need(packed, "compressed data")

    def packed_end(self, entry: int) -> int:
        """Return where the last sector of a compressed cluster must at least begin."""
        bits = 62 - (self.cluster.bit_length() - 9)
        sectors = (entry & (_COMPRESSED - 1)) >> bits
        return ((entry & ((1 << bits) - 1)) // _SECTOR + sectors) * _SECTOR + 1

    def refcounts(self, data: bytes) -> None:
        largest = max(_numbers(data, "Q", "big")) & ~0x1FF
        self.tables.need(largest + self.cluster if largest else 0, "refcount block")

    def snapshots(self, place: int, count: int) -> None:
        if count:
            self.tables.read(place, 40, 40, "snapshot table", lambda data: self.snapshot(data, place, count))

    def snapshot(self, data: bytes, place: int, count: int) -> None:
        level1, entries, *names = struct.unpack_from(">QIHH", data)
        self.level1(level1, entries, "L1 table of a snapshot")
        end = place + 40 + sum(names) + int.from_bytes(data[36:40], "big")
        self.tables.need(end, "snapshot table")
        self.snapshots((end + 7) // 8 * 8, count - 1)


def _qcow2(head: Head, tables: Tables) -> None:
    bits = head[20, ">I"]
    if not 9 <= bits <= 21:
        raise ValueError(f"its clusters cannot have 2^{bits} bytes")
    features = head[72, ">Q"] if head[4, ">I"] > 2 else 0
    found = _Qcow2(tables, 1 << bits, 2 if features & 16 else 1, not features & 4)
    tables.read(head[48, ">Q"], head[56, ">I"] << bits, 8, "refcount table", found.refcounts)
    found.level1(head[40, ">Q"], head[36, ">I"], "L1 table", found.entries(head[24, ">Q"]))
    found.snapshots(head[64, ">Q"], head[60, ">I"])
    _extensions(head, tables, head[100, ">I"] if head[4, ">I"] > 2 else 72, head[8, ">Q"] or 1 << bits)


def _extensions(head: Head, tables: Tables, place: int, end: int) -> None:
    """Find what the extensions of the header point to."""
    while place + 8 <= end and head[place, ">I"]:
        kind, length = head[place, ">I"], head[place + 4, ">I"]
        if kind in _EXTENSIONS and length >= 16:
            at = (place + 8, place + 16) if kind == 0x0537BE77 else (place + 24, place + 16)
            tables.need(head[at[0], ">Q"] + head[at[1], ">Q"], _EXTENSIONS[kind])
        place += 8 + (length + 7) // 8 * 8


# ---- qcow and qed ---------------------------------------------------------------------------------------------------


def _qcow(head: Head, tables: Tables) -> None:
    cluster, table, size = head[32, "B"], head[33, "B"], head[24, ">Q"]
    if not (9 <= cluster <= 16 and 6 <= table <= 13):
        raise ValueError(f"its clusters cannot have 2^{cluster} bytes, and its tables 2^{table} entries")
    bits, packed = 63 - cluster, 1 << 63

    def clusters(data: bytes) -> None:
        for entry in filter(None, _numbers(data, "Q", "big")):
            tables.need((entry & ((1 << bits) - 1) if entry & packed else entry) + 1, "data")

    def level2(data: bytes) -> None:
        tables.read_all([*filter(None, _numbers(data, "Q", "big"))], 8 << table, 8, "L2 table", clusters)

    tables.read(head[40, ">Q"], -(-size >> (cluster + table)) * 8, 8, "L1 table", level2)


def _qed(head: Head, tables: Tables) -> None:
    cluster, count = head[4, "<I"], head[8, "<I"]
    if cluster.bit_count() != 1 or count.bit_count() != 1 or cluster > 64 << 20 or count > 16:
        raise ValueError(f"its clusters cannot have {cluster} bytes, and its tables {count} clusters")

    def clusters(data: bytes) -> None:
        largest = max(_numbers(data, "Q", "little"))  # 1 is a cluster of zeros
        tables.need(largest + cluster if largest > 1 else 0, "data")

    def level2(data: bytes) -> None:
        places = [*filter(None, _numbers(data, "Q", "little"))]
        tables.read_all(places, cluster * count, 8, "L2 table", clusters)

    tables.read(head[40, "<Q"], cluster * count, 8, "L1 table", level2)


# ---- vmdk -----------------------------------------------------------------------------------------------------------


def _vmdk(head: Head, tables: Tables) -> None:
    if head[0, ">I"] != _VMDK:  # a description, which is text
        return
    if head[56, "<Q"] == _AT_END:
        tables.read_end(1024, lambda data: _vmdk_footer(data, tables))
    else:
        _vmdk_tables(head, tables)


def _vmdk_footer(data: bytes, tables: Tables) -> None:
    if data[:4] != b"KDMV":
        tables.need(_AT_END, "footer")
        return
    _vmdk_tables(Head(data), tables)


def _vmdk_tables(head: Head, tables: Tables) -> None:
    capacity, grain, entries = head[12, "<Q"], head[20, "<Q"], head[44, "<I"]
    if not capacity:
        return
    if not grain or not 0 < entries <= 512:
        raise ValueError(f"its grains cannot have {grain} sectors, and its tables {entries} entries")

    def grains(data: bytes) -> None:
        largest = max(_numbers(data, "I", "little"))  # 1 is a grain of zeros
        tables.need(largest * _SECTOR + 1 if largest > 1 else 0, "data")

    def directory(data: bytes) -> None:
        places = [place * _SECTOR for place in _numbers(data, "I", "little") if place]
        tables.read_all(places, entries * 4, 4, "grain table", grains)

    tables.need(head[64, "<Q"] * _SECTOR, "first grain")
    length = -(-capacity // (grain * entries)) * 4
    tables.read(head[56, "<Q"] * _SECTOR, length, 4, "grain directory", directory)
    if head[8, "<I"] & 2 and head[48, "<Q"]:
        tables.need(head[48, "<Q"] * _SECTOR + length, "second grain directory")


# ---- vdi and vpc ----------------------------------------------------------------------------------------------------


def _vdi(head: Head, tables: Tables) -> None:
    start, block = head[344, "<I"], head[376, "<I"] + head[380, "<I"]

    def blocks(data: bytes) -> None:
        there = [entry for entry in _numbers(data, "I", "little") if entry < _NO_BLOCK - 1]
        tables.need(start + (max(there) + 1) * block if there else 0, "data")

    tables.read(head[340, "<I"], head[384, "<I"] * 4, 4, "block map", blocks)


def _vpc(head: Head, tables: Tables) -> None:
    if head[60, ">I"] in (3, 4):
        tables.read(head[16, ">Q"], 1024, 1024, "second header", lambda data: _vpc_table(data, tables))


def _vpc_table(data: bytes, tables: Tables) -> None:
    """A footer ends each image, of 511 bytes if an old program made it."""
    if data[:8] != b"cxsparse":
        raise ValueError("its second header is not at the stated offset")
    head = Head(data)
    place, entries, block = head[16, ">Q"], head[28, ">I"], head[32, ">I"]
    if not block or block % _SECTOR:
        raise ValueError(f"its blocks cannot have {block} bytes")
    whole = -(-(block // _SECTOR) // (8 * _SECTOR)) * _SECTOR + block

    def blocks(data: bytes) -> None:
        there = [entry for entry in _numbers(data, "I", "big") if entry < _NO_BLOCK]
        tables.need(max(there) * _SECTOR + whole + 511 if there else 0, "data or footer")

    tables.need(-(-(place + entries * 4) // _SECTOR) * _SECTOR + 511, "block table or footer")
    tables.read(place, entries * 4, 4, "block table", blocks)


_LAYOUTS: Final[dict[object, Callable[[Head, Tables], None]]] = {
    VolumeFormat.QCOW2: _qcow2,
    VolumeFormat.QCOW: _qcow,
    VolumeFormat.QED: _qed,
    VolumeFormat.VMDK: _vmdk,
    VolumeFormat.VDI: _vdi,
    VolumeFormat.VPC: _vpc,
}
