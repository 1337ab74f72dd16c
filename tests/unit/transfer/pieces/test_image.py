"""What an image is by its first bytes: images made by qemu-img, and headers made by nobody who means well."""

from __future__ import annotations

import json
import struct
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from libstorage import ImageInfo, InvalidRequestError, MiB, Size, UnknownWord, VolumeFormat, probe_image
from libstorage.transfer.pieces.image import HEAD
from tests.patience import make_patient_qemu_img

SIZE = Size("20 MiB")
SECRET = ("--object", "secret,id=key,data=passphrase")

IMAGES: dict[str, tuple[str, tuple[str, ...], ImageInfo]] = {
    "raw": ("raw", (), ImageInfo(VolumeFormat.RAW, SIZE)),
    "qcow": ("qcow", (), ImageInfo(VolumeFormat.QCOW, SIZE)),
    "qcow2": ("qcow2", (), ImageInfo(VolumeFormat.QCOW2, SIZE)),
    "qcow2 version 2": ("qcow2", ("-o", "compat=0.10"), ImageInfo(VolumeFormat.QCOW2, SIZE)),
    "qcow2 large clusters": ("qcow2", ("-o", "cluster_size=2M"), ImageInfo(VolumeFormat.QCOW2, SIZE)),
    "qcow2 external data": (
        "qcow2",
        ("-o", "data_file=data.raw"),
        ImageInfo(VolumeFormat.QCOW2, SIZE, data_file=True),
    ),
    "qed": ("qed", (), ImageInfo(VolumeFormat.QED, SIZE)),
    "vmdk": ("vmdk", (), ImageInfo(VolumeFormat.VMDK, SIZE)),
    "vmdk stream": ("vmdk", ("-o", "subformat=streamOptimized"), ImageInfo(VolumeFormat.VMDK, SIZE)),
    "vmdk flat": (
        "vmdk",
        ("-o", "subformat=monolithicFlat"),
        ImageInfo(VolumeFormat.VMDK, None, data_file=True),
    ),
    "vmdk parts": (
        "vmdk",
        ("-o", "subformat=twoGbMaxExtentSparse"),
        ImageInfo(VolumeFormat.VMDK, None, data_file=True),
    ),
    "vdi": ("vdi", (), ImageInfo(VolumeFormat.VDI, SIZE)),
    "vdi static": ("vdi", ("-o", "static=on"), ImageInfo(VolumeFormat.VDI, SIZE)),
    "vpc": ("vpc", ("-o", "force_size=on"), ImageInfo(VolumeFormat.VPC, SIZE)),
    "vpc fixed": (
        "vpc",
        ("-o", "subformat=fixed,force_size=on"),
        ImageInfo(VolumeFormat.RAW, SIZE + 512, fixed_vhd=True),
    ),
    "vhdx": ("vhdx", (), ImageInfo(UnknownWord("vhdx"), None)),
    "luks": ("luks", (*SECRET, "-o", "key-secret=key,iter-time=10"), ImageInfo(VolumeFormat.LUKS, SIZE)),
    "parallels": ("parallels", (), ImageInfo(VolumeFormat.PLOOP, SIZE)),
}


LUKS = b"LUKS\xba\xbe\0\1".ljust(104, b"\0") + (4).to_bytes(4, "big") + bytes(1940)
"""The beginning of an image with a payload from its fifth sector on."""

UNSEEN = ("luks", "vmdk flat", "vmdk parts")
"""Where qemu-img needs a key, or looks into the other files."""


def qemu_img(folder: Path, *words: str | Path) -> str:
    if "luks" in words:
        make_patient_qemu_img(folder)
    program = str(folder / "qemu-img") if (folder / "qemu-img").exists() else "qemu-img"
    return subprocess.run(
        [program, *map(str, words)], cwd=folder, check=True, capture_output=True, text=True
    ).stdout


class TestRealImages:
    @pytest.mark.parametrize("kind", IMAGES)
    def test_every_format_that_qemu_makes(self, tmp_path: Path, kind: str) -> None:
        kind, options, expected = IMAGES[kind]
        qemu_img(tmp_path, "create", "-q", "-f", kind, *options, "image", str(int(SIZE)))
        image = tmp_path / "image"
        assert probe_image(image) == probe_image(str(image)) == expected
        with image.open("rb") as file:
            assert probe_image(file) == expected

    @pytest.mark.parametrize("kind", [kind for kind in IMAGES if kind not in UNSEEN])
    def test_qemu_sees_the_same(self, tmp_path: Path, kind: str) -> None:
        kind, options, expected = IMAGES[kind]
        qemu_img(tmp_path, "create", "-q", "-f", kind, *options, "image", str(int(SIZE)))
        seen = json.loads(qemu_img(tmp_path, "info", "--output=json", "image"))
        name = "parallels" if expected.format == VolumeFormat.PLOOP else str(expected.format)
        assert (seen["format"], seen["virtual-size"]) == (name, expected.virtual_size or SIZE)

    @pytest.mark.parametrize("format", ["qcow", "qcow2", "qed"])
    @pytest.mark.parametrize("name", ["base", "/etc/passwd", "b" * 900])
    def test_backing_files_are_found(self, tmp_path: Path, format: str, name: str) -> None:
        words = ("create", "-q", "-u", "-f", format, "-b", name, "-F", "raw", "image", "20M")
        qemu_img(tmp_path, *words)
        assert probe_image(tmp_path / "image").backing_file == name

    def test_parents_of_vmdk_are_found(self, tmp_path: Path) -> None:
        qemu_img(tmp_path, "create", "-q", "-f", "vmdk", "base", "20M")
        qemu_img(
            tmp_path, "create", "-q", "-f", "vmdk", "-b", tmp_path / "base", "-F", "vmdk", "image", "20M"
        )
        assert probe_image(tmp_path / "image").backing_file == str(tmp_path / "base")

    def test_a_cd(self, tmp_path: Path) -> None:
        image = bytes(32768) + b"\1CD001\1" + bytes(100_000)
        assert probe_image(image) == ImageInfo(VolumeFormat.ISO, Size(len(image)))
        assert probe_image(image[:32772]).format == VolumeFormat.RAW

    def test_what_is_behind_a_hole(self, tmp_path: Path) -> None:
        with (tmp_path / "image").open("wb") as file:
            file.seek(32769)
            file.write(b"CD001")
            file.truncate(10 * HEAD)
        assert probe_image(tmp_path / "image") == ImageInfo(VolumeFormat.ISO, Size(10 * HEAD))


class TestTables:
    def test_more_entries_than_a_guest_needs_may_be_missing(self, tmp_path: Path) -> None:
        """qemu takes them for empty."""
        qemu_img(tmp_path, "create", "-q", "-f", "qcow2", "image", "1M")
        image = bytearray((tmp_path / "image").read_bytes())
        image[36:40] = (100).to_bytes(4, "big")
        (tmp_path / "image").write_bytes(image)
        qemu_img(tmp_path, "check", "-f", "qcow2", "image")
        assert probe_image(tmp_path / "image").virtual_size == MiB

    def test_an_entry_of_flags_only_is_no_empty_one(self, tmp_path: Path) -> None:
        qemu_img(tmp_path, "create", "-q", "-f", "qcow2", "-o", "cluster_size=512", "image", "1M")
        image = bytearray((tmp_path / "image").read_bytes())
        place = int.from_bytes(image[40:48], "big")
        image[place : place + 8] = (1 << 63).to_bytes(8, "big")
        with pytest.raises(InvalidRequestError, match="is cut off"):
            probe_image(bytes(image))


class TestLengths:
    def test_a_source_that_cannot_tell_its_length(self) -> None:
        assert probe_image(iter([b"x" * 100, b"y"])) == ImageInfo(VolumeFormat.RAW, Size(101), text="text")
        assert probe_image(bytes(1000) for _ in range(HEAD)) == ImageInfo(VolumeFormat.RAW, None)

    def test_nothing(self) -> None:
        assert probe_image(b"") == ImageInfo(VolumeFormat.RAW, Size(0), text="nothing")


def qcow2(
    *, backing: int = 0, length: int = 0, size: int = MiB, version: int = 3, features: int = 0
) -> bytes:
    head = struct.pack(">4sIQIIQ", b"QFI\xfb", version, backing, length, 16, size)
    return head + bytes(72 - len(head)) + struct.pack(">Q", features) + bytes(500)


def vmdk(*, sectors: int = 2048, place: int = 1, length: int = 1, text: bytes = b"") -> bytes:
    head = struct.pack("<4sIIQQQQIQQ", b"KDMV", 1, 1, sectors, 128, place, length, 512, 0, 2)
    return head.ljust(512, b"\0") + text.ljust(512, b"\0") + bytes(512)


class TestHostile:
    @pytest.mark.parametrize(
        "image",
        [
            b"QFI\xfb",
            qcow2()[:40],
            qcow2(version=4),
            qcow2(version=0),
            qcow2(size=2**63),
            qcow2(backing=100, length=1024),
            qcow2(backing=100, length=1024).ljust(4096, b"n"),
            qcow2(backing=2**63, length=10),
            qcow2(backing=len(qcow2()) - 5, length=10),
            b"QED\0" + b"\xff" * 100,
            b"KDMV",
            vmdk(place=2**60),
            vmdk(length=2**60),
            vmdk(sectors=2**60),
            b"conectix" + bytes(20),
            b"conectix" + b"\xff" * 100,
            bytes(64) + b"\x7f\x10\xda\xbe",
            b"LUKS\xba\xbe\0\1",
            b"LUKS\xba\xbe\0\1" + b"\xff" * 200,
            b"WithoutFreeSpace",
            b"WithoutFreeSpace" + b"\xff" * 200,
        ],
    )
    def test_broken_headers_are_refused(self, image: bytes) -> None:
        with pytest.raises(InvalidRequestError, match="begins like an image, but is not valid") as refused:
            probe_image(image)
        assert refused.value.outcome == "not_started"

    def test_a_name_at_the_end_of_the_largest_first_cluster(self) -> None:
        image = qcow2(backing=HEAD - 4, length=4).ljust(HEAD - 4, b"\0") + b"/etc"
        assert probe_image(image + bytes(10)).backing_file == "/etc"

    def test_a_name_that_is_no_text(self) -> None:
        image = qcow2(backing=200, length=3)
        assert probe_image(image[:200] + b"a\xff\n" + image[203:]).backing_file == "a\\xff\n"

    def test_the_longest_name(self) -> None:
        image = qcow2(backing=600, length=1023)[:580].ljust(600, b"\0") + b"n" * 2000
        assert probe_image(image).backing_file == "n" * 1023

    def test_a_name_without_a_place_is_none(self) -> None:
        assert probe_image(qcow2(length=10)).backing_file is None

    def test_a_data_file_needs_version_3(self) -> None:
        assert probe_image(qcow2(features=4)).data_file
        assert not probe_image(qcow2(features=4, version=2)).data_file

    def test_a_vmdk_without_capacity_takes_what_its_description_says(self) -> None:
        text = b'RW 100 FLAT "/etc/shadow" 0\n'
        assert probe_image(vmdk(sectors=0, text=text)).data_file
        assert not probe_image(vmdk(text=text)).data_file

    @pytest.mark.parametrize("space", [b"", b" ", b"  \t"])
    def test_spaces_do_not_hide_a_parent(self, space: bytes) -> None:
        image = vmdk(text=b"x=1\nparentFileNameHint" + space + b"=" + space + b'"/etc/shadow"\n')
        assert probe_image(image).backing_file == "/etc/shadow"

    @pytest.mark.parametrize(
        "text",
        [
            b"# Disk DescriptorFile\nversion=1\n",
            b"# disk descriptorfile",
            b"#\n\n# hello\nversion=3\n",
            b"version=1\nRW 1 FLAT",
            b"# Disk DescriptorFile\n" + b"#" * 600 + b"\nversion=1\n",
            b"# DISK DESCRIPTORFILE\n" + b"# comment\n" * 100,
            b"#" + b" " * 300 + b"\nversion=1\n",
        ],
    )
    def test_descriptions_of_vmdk_refer_to_files(self, text: bytes) -> None:
        assert probe_image(text) == ImageInfo(VolumeFormat.VMDK, None, data_file=True)

    def test_a_script_is_no_description(self) -> None:
        assert probe_image(b"#!/bin/sh\nexit 1\n").format == VolumeFormat.RAW
        assert probe_image(b"# Disk Descriptor" + b"#" * 600 + b"\nversion=1\n").format == VolumeFormat.RAW

    def test_differences_to_another_vdi(self, tmp_path: Path) -> None:
        qemu_img(tmp_path, "create", "-q", "-f", "vdi", "image", "20M")
        image = bytearray((tmp_path / "image").read_bytes())
        image[424:440] = bytes(range(16))
        assert probe_image(bytes(image)).backing_file == "03020100-0504-0706-0809-0a0b0c0d0e0f"

    def test_differences_to_another_vhd(self) -> None:
        footer = struct.pack(">8sIIQIIIIQQII", b"conectix", 2, 0x10000, 512, 0, 0, 0, 0, MiB, MiB, 0, 4)
        head = b"cxsparse".ljust(64, b"\0") + "base.vhd".encode("utf-16-be").ljust(512, b"\0")
        table = struct.pack(">8sQQIII", b"cxsparse", 0, 1536, 0x10000, 0, 2 * MiB)
        head = table + head[len(table) :].ljust(1024 - len(table), b"\0")
        image = footer.ljust(512, b"\0") + head + footer.ljust(512, b"\0")
        assert probe_image(image) == ImageInfo(VolumeFormat.VPC, Size(MiB), "base.vhd")


MAGIC = [
    b"QFI\xfb\0\0\0\1",
    b"QFI\xfb\0\0\0\2",
    b"QFI\xfb\0\0\0\3",
    b"QED\0",
    b"KDMV",
    b"conectix",
    b"vhdxfile",
]
MAGIC += [
    b"LUKS\xba\xbe\0\1",
    b"WithoutFreeSpace",
    b"# Disk DescriptorFile",
    b"version=1",
    b"\0" * 64 + b"\x7f\x10\xda\xbe",
]


def probe_or_refuse(image: bytes) -> None:
    """Any other error fails the test, and so does one that takes for ever."""
    with suppress(InvalidRequestError):
        assert isinstance(probe_image(image).virtual_size, Size | None)


class TestWhateverComes:
    @given(st.sampled_from(MAGIC), st.binary(max_size=600), st.integers(0, 3000))
    @example(b"KDMV", b"\0" * 600, 0)
    def test_it_is_told_or_refused(self, magic: bytes, rest: bytes, zeros: int) -> None:
        probe_or_refuse(magic + rest + bytes(zeros))

    @given(st.data())
    def test_real_headers_cut_off_or_changed(self, images: dict[str, bytes], data: st.DataObject) -> None:
        image = bytearray(images[data.draw(st.sampled_from(sorted(images)))])
        for _ in range(data.draw(st.integers(0, 4))):
            image[data.draw(st.integers(0, len(image) - 1))] = data.draw(st.integers(0, 255))
        cut = data.draw(st.integers(0, len(image)))
        probe_or_refuse(bytes(image[:cut]))


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The beginnings of images of every format."""
    folder = tmp_path_factory.mktemp("images")
    found = {}
    for kind, (name, options, _) in IMAGES.items():
        if kind == "luks":  # which takes qemu-img seconds
            found[kind] = LUKS
            continue
        qemu_img(folder, "create", "-q", "-f", name, *options, "image", str(int(SIZE)))
        found[kind] = (folder / "image").read_bytes()[:2048]
    return found
