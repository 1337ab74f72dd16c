"""Images of every kind that qemu-img makes, with data in them; all of them are good."""

from __future__ import annotations

import random
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path

import attrs

from tests.patience import make_patient_qemu_img

SIZE = 6 << 20
SECRET = ("--object", "secret,id=key,data=passphrase")
CLUSTERS = ("512", "4k", "64k", "2M")


@attrs.frozen
class Made:
    """An image, and how qemu-img judges it.

    Attributes:
        kind: Name of the kind.
        form: Format, as qemu names it.
        data: The image.
        place: Folder of the image, where its backing file is, too.
        key: Whether a key is needed.
    """

    kind: str
    form: str
    data: bytes
    place: Path
    key: bool = False


QCOW2 = {
    "plain": "",
    "version 2": "compat=0.10",
    "extended L2": "extended_l2=on",
    "lazy refcounts": "lazy_refcounts=on",
    "refcounts of 1 bit": "refcount_bits=1",
    "refcounts of 64 bits": "refcount_bits=64,cluster_size=4k",
    "metadata": "preallocation=metadata",
    "metadata, small": "preallocation=metadata,cluster_size=512",
    "falloc": "preallocation=falloc",
    "full": "preallocation=full",
    **{f"clusters of {size}": f"cluster_size={size}" for size in CLUSTERS},
}
PACKED = {
    "": "",
    ", small": "cluster_size=512",
    ", zstd": "compression_type=zstd",
    ", large": "cluster_size=2M",
}
OTHER = {
    "qcow": ("qcow", "", ""),
    "qed": ("qed", "", ""),
    "qed small": ("qed", "cluster_size=4k,table_size=4", ""),
    "vdi": ("vdi", "", ""),
    "vdi static": ("vdi", "static=on", ""),
    "vmdk": ("vmdk", "", ""),
    "vmdk 6": ("vmdk", "compat6=on", ""),
    "vmdk grains of zeros": ("vmdk", "zeroed_grain=on", ""),
    "vmdk stream": ("vmdk", "subformat=streamOptimized", ""),
    "vpc": ("vpc", "force_size=on", ""),
    "vpc rounded": ("vpc", "", ""),
    "vpc fixed": ("vpc", "subformat=fixed,force_size=on", ""),
}


NOT_EMPTY = (("qcow", "0"), ("vpc", "0"), ("vmdk", "0"))
"""What qemu-img does not make; a vmdk image without capacity is one that refers to other files."""


class Maker:
    """Makes images in a folder."""

    def __init__(self, folder: Path, seed: int = 1) -> None:
        self.folder = folder
        self.program = "qemu-img"
        chance = random.Random(seed)
        raw = bytearray(SIZE + 1536)
        for _ in range(6):
            length = chance.choice((700, 4096, 65536, 400_000))
            place = chance.randrange(SIZE - length)
            raw[place : place + length] = chance.randbytes(length)
        raw[-600:] = chance.randbytes(600)
        (folder / "raw").write_bytes(raw)
        (folder / "base").write_bytes(chance.randbytes(SIZE))

    def run(self, *words: str) -> None:
        run = subprocess.run(
            [self.program, *words], cwd=self.folder, check=False, capture_output=True, text=True
        )
        assert run.returncode == 0, (words, run.stderr)

    def io(self, *commands: str) -> None:
        words = [word for command in commands for word in ("-c", command)]
        run = subprocess.run(
            ["qemu-io", "-f", "qcow2", *words, "image"],
            cwd=self.folder,
            check=False,
            capture_output=True,
            text=True,
        )
        assert run.returncode == 0, (words, run.stderr)

    def convert(self, form: str, options: str, *more: str) -> None:
        given = ("-o", options) if options else ()
        self.run("convert", "-f", "raw", "-O", form, *filter(None, more), *given, "raw", "image")

    def made(self, kind: str, form: str, *, key: bool = False) -> Made:
        return Made(kind, form, (self.folder / "image").read_bytes(), self.folder, key)

    def all(self) -> Iterator[Made]:
        """Yield an image of every kind."""
        for kind, options in QCOW2.items():
            self.convert("qcow2", options)
            yield self.made(f"qcow2 {kind}", "qcow2")
        for kind, options in PACKED.items():
            self.convert("qcow2", options, "-c")
            yield self.made(f"qcow2 compressed{kind}", "qcow2")
        for kind, (form, options, more) in OTHER.items():
            self.convert(form, options, more)
            yield self.made(kind, form)
        yield self.footed()
        yield from self.empty()
        yield from self.linked()
        yield from self.lived()
        yield from self.locked()

    def footed(self) -> Made:
        """Return a vmdk image as VMware streams it: the place of its tables is in a footer."""
        self.convert("vmdk", "subformat=streamOptimized")
        data = (self.folder / "image").read_bytes()
        head = data[:56] + b"\xff" * 8 + data[64:]
        marker = struct.pack("<QII", 1, 0, 3).ljust(512, b"\0")
        (self.folder / "image").write_bytes(head + data[len(head) :] + marker + data[:512] + bytes(512))
        return self.made("vmdk stream with a footer", "vmdk")

    def empty(self) -> Iterator[Made]:
        """Yield images without data."""
        for form in ("qcow2", "qcow", "qed", "vdi", "vmdk", "vpc"):
            for size in ("0", "1M", "33G"):
                if (form, size) not in NOT_EMPTY:
                    self.run("create", "-q", "-f", form, "image", size)
                    yield self.made(f"{form} of {size} without data", form)

    def linked(self) -> Iterator[Made]:
        """Yield images with a backing file."""
        for form in ("qcow2", "qcow", "qed"):
            self.run("create", "-q", "-f", form, "-b", "base", "-F", "raw", "image", f"{2 * SIZE}")
            if form == "qcow2":
                self.io("write -P 5 1M 1M", "write -z 3M 64k")
            yield self.made(f"{form} linked", form)

    def lived(self) -> Iterator[Made]:
        """Yield images with snapshots and bitmaps, and of another size than at first."""
        for cluster in ("512", "64k"):
            self.convert("qcow2", f"cluster_size={cluster}")
            for number in range(3):
                self.run("snapshot", "-c", f"snapshot {number}", "image")
                self.io(f"write -P {number} {number}M 100k", "discard 5M 512k")
            yield self.made(f"qcow2 with snapshots, {cluster}", "qcow2")
            self.run("resize", "-q", "-f", "qcow2", "image", "300M" if cluster == "512" else "3T")
            self.io("write -P 7 200M 1M")
            yield self.made(f"qcow2 resized, {cluster}", "qcow2")
            self.run("bitmap", "--add", "-f", "qcow2", "image", "changes")
            self.io("write -P 8 100M 1M")
            yield self.made(f"qcow2 with a bitmap, {cluster}", "qcow2")

    def locked(self) -> Iterator[Made]:
        """Yield encrypted images."""
        self.program = make_patient_qemu_img(self.folder)
        options = "encrypt.format=luks,encrypt.key-secret=key,encrypt.iter-time=10"
        self.run("create", "-q", *SECRET, "-f", "qcow2", "-o", options, "image", "1M")
        yield self.made("qcow2 encrypted", "qcow2", key=True)
