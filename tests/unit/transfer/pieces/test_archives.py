"""Archives and compressions by their content, and disks that resemble none of them."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import random
import subprocess
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from libstorage import VolumeFormat, probe_image
from libstorage.transfer.pieces.archives import packed_by

NOISE = random.Random(8).randbytes(100_000)
PACK: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "xz": lzma.compress,
    "bzip2": bz2.compress,
    "zstd": zstandard.ZstdCompressor().compress,
}


def tar(name: str, form: int = tarfile.GNU_FORMAT) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=form) as archive:
        entry = tarfile.TarInfo(name)
        entry.size = len(NOISE)
        archive.addfile(entry, io.BytesIO(NOISE))
    return made.getvalue()


def zipped() -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("disk.raw", NOISE)
    return made.getvalue()


ARCHIVES: dict[str, tuple[Callable[[], bytes], str]] = {
    "zip": (zipped, "zip"),
    "tar": (lambda: tar("disk.raw"), "tar"),
    "tar of pax": (lambda: tar("d" * 300, tarfile.PAX_FORMAT), "tar"),
    "ova": (lambda: tar("machine.ovf"), "ova (tar)"),
    "lzma": (lambda: lzma.compress(NOISE, lzma.FORMAT_ALONE), "lzma"),
    "7z": (lambda: b"7z\xbc\xaf\x27\x1c\0\4" + NOISE, "7z"),
    "rar 4": (lambda: b"Rar!\x1a\7\0" + NOISE, "rar"),
    "rar 5": (lambda: b"Rar!\x1a\7\1\0" + NOISE, "rar"),
    "deb": (lambda: b"!<arch>\ndebian-binary   1 0" + NOISE, "deb"),
    "ar": (lambda: b"!<arch>\ndisk/" + NOISE, "ar"),
    "cpio": (lambda: b"07070100000001" + NOISE, "cpio"),
    "binary cpio": (lambda: b"\xc7\x71" + bytes(18) + b"\2\0" + bytes(4) + b"a\0", "cpio"),
    "lz4": (lambda: b"\x04\x22\x4d\x18\x64\x40" + NOISE, "lz4"),
    "Z": (lambda: b"\x1f\x9d\x90" + NOISE, "compress (.Z)"),
    "cab": (lambda: b"MSCF\0\0\0\0" + NOISE, "cab"),
    "Android": (lambda: b"\x3a\xff\x26\xed\1\0\0\0" + NOISE, "Android sparse"),
}


@pytest.mark.parametrize("kind", ARCHIVES)
@pytest.mark.parametrize("how", ["", *PACK])
def test_archives_also_inside_a_compression(kind: str, how: str) -> None:
    make, name = ARCHIVES[kind]
    data = PACK[how](make()) if how else make()
    assert packed_by(data) == ((how, name) if how else (name,))
    found = probe_image(data)
    assert (found.format, found.packed) == (VolumeFormat.RAW, packed_by(data))


@pytest.mark.parametrize("words", [("cpio", "-o", "-H", "newc"), ("cpio", "-o", "-H", "bin"), ("cpio", "-o")])
def test_what_cpio_makes(words: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "disk.raw").write_bytes(NOISE)
    made = subprocess.run(words, input=b"disk.raw\n", cwd=tmp_path, capture_output=True, check=False)
    assert packed_by(made.stdout) == ("cpio",)


@pytest.mark.parametrize("outer", PACK)
@pytest.mark.parametrize("inner", PACK)
def test_two_layers(outer: str, inner: str) -> None:
    assert packed_by(PACK[outer](PACK[inner](NOISE))) == (outer, inner)


def test_many_layers_end() -> None:
    data = NOISE
    for _ in range(50):
        data = gzip.compress(data)
    assert 1 < len(packed_by(data)) < 10


@pytest.mark.parametrize("length", [1, 10, 40, 1000])
def test_a_compression_that_is_cut_off_is_one_still(length: int) -> None:
    for how, pack in PACK.items():
        found = packed_by(pack(tar("disk.raw"))[:length])
        assert found[:1] in ((), (how,))


def test_disks_are_no_archives() -> None:
    boot = b"\xeb\x63\x90".ljust(510, b"\x90") + b"\x55\xaa" + bytes(4096)
    for disk in (boot, bytes(4096), b"", b"\x5d" + bytes(4096), bytes(1) + b"\x10" + bytes(4096), NOISE):
        assert packed_by(disk) == ()


@given(st.binary(max_size=600))
def test_any_bytes_have_an_answer(data: bytes) -> None:
    for head in (data, b"\x5d\0\0\x80\0" + b"\xff" * 8 + b"\0" + data, b"\xc7\x71" + data):
        assert isinstance(packed_by(head), tuple)


def test_a_cd_stays_an_image() -> None:
    image = bytes(32768) + b"\1CD001\1" + bytes(100_000)
    assert probe_image(image).format == VolumeFormat.ISO
    assert probe_image(image).packed == ()
