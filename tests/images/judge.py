"""Cuts and changes good images, and compares what libstorage says of them with what qemu-img says."""

from __future__ import annotations

import json
import random
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import attrs

from libstorage import InvalidRequestError
from libstorage.provision.claims import Claims
from libstorage.provision.fill import Image
from libstorage.transfer.ends.sources import IterableSource, file_source
from libstorage.transfer.pieces.piece import length_of, peek_of
from tests.images.made import SECRET, Made

OUTSIDE = ("exceeding the end of the file", "cluster offset after file size", "out of range")
"""What qemu-img says of a table that points behind the end."""

CRAFTED = ("its description is not at the stated offset", "another file at an impossible offset")
"""What libstorage refuses though qemu-img reads it: what could hide the name of a file."""

BLIND = ("vdi", "vmdk")
"""Formats whose tables qemu-img does not compare with the length of the file, or not all of them."""

SUFFIXES = {"vpc": "vhd"}

PARTIAL = {"qcow": 4096, "qcow2": 2 << 20, "vmdk": 65536}
"""Bytes of the last cluster, which good images may lack."""


@attrs.frozen
class Case:
    """An image, and what was done to it."""

    made: Made
    how: str
    data: bytes

    @property
    def is_whole(self) -> bool:
        """Whether nothing was cut off."""
        return len(self.data) >= len(self.made.data)


def case(made: Made, chance: random.Random) -> Case:
    """Cut or change an image somewhere."""
    kind = chance.choice(
        ("cut", "cut", "cut at a cluster", "cut at the end", "word", "word", "bytes", "longer")
    )
    data = bytearray(made.data)
    if kind == "longer":
        return Case(made, kind, bytes(data) + bytes(chance.choice((1, 512, 65536, 1 << 20))))
    if kind.startswith("cut"):
        place = _cut(kind, len(data), chance)
        return Case(made, f"{kind}: {place} of {len(data)}", bytes(data[:place]))
    if kind == "word":
        place = _pointer(data, chance)
        data[place] ^= 1 << chance.randrange(8)
        return Case(made, f"{kind} at {place}", bytes(data))
    return Case(made, *_scribbled(data, chance))


def _scribbled(data: bytearray, chance: random.Random) -> tuple[str, bytes]:
    places = [
        chance.randrange(min(len(data), chance.choice((120, 4096, 1 << 20))))
        for _ in range(chance.randint(1, 4))
    ]
    for place in places:
        data[place] = chance.randrange(256)
    return f"bytes at {places}", bytes(data)


def _cut(kind: str, length: int, chance: random.Random) -> int:
    if kind == "cut at a cluster":
        size = chance.choice((512, 4096, 65536))
        return chance.randrange(length // size + 1) * size
    if kind == "cut at the end":
        return max(0, length - chance.choice((1, 511, 512, 513, 4096, 65536)))
    return chance.randrange(length)


def _pointer(data: bytearray, chance: random.Random) -> int:
    """Find a byte of a number in a table or header: not zero, and not in the midst of noise."""
    for _ in range(200):
        place = chance.randrange(min(len(data), chance.choice((512, 70_000, 600_000, len(data)))))
        near = data[max(0, place - 16) : place + 16]
        if data[place] and near.count(0) > 12:
            return place
    return chance.randrange(min(len(data), 512))


# ---- what libstorage says -------------------------------------------------------------------------------------------


def as_file(path: Path) -> str | None:
    """Why the file is refused before it is transferred."""
    try:
        with file_source(str(path), holes=True) as source:
            _claims(path).check(Image(source, peek=peek_of(source)))
    except InvalidRequestError as error:
        return error.message
    return None


def as_stream(path: Path, data: bytes, part: int) -> str | None:
    """Why the stream is refused at its end or before."""
    parts = (data[place : place + part] for place in range(0, len(data), part))
    try:
        image = Image(IterableSource(parts))
        while length_of(image.read(1 << 20)):
            pass
        image.look_back(lambda: path.open("rb"))
        _claims(path).check(image)
    except InvalidRequestError as error:
        return error.message
    return None


def _claims(path: Path) -> Claims:
    return Claims(name=path.name, is_url=False, how=None, said=None, unchanged=False)


# ---- what qemu-img says ---------------------------------------------------------------------------------------------


@attrs.frozen
class Verdict:
    """What qemu-img says.

    Attributes:
        is_good: Whether the image is good; ``None`` if that cannot be told.
        is_outside: Whether a table points behind the end.
        said: Its words.
    """

    is_good: bool | None
    is_outside: bool = False
    said: str = ""


def qemu_says(made: Made, path: Path) -> Verdict:
    """Check the image by qemu-img, or read all of it where qemu-img has no check."""
    words = ["-f", made.form, path.name]
    if made.key:
        options = f"driver={made.form},file.filename={path.name},encrypt.key-secret=key"
        words = [*SECRET, "--image-opts", options]
    try:
        run = subprocess.run(
            ["qemu-img", "check", "--output=json", *words],
            cwd=path.parent,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=20,
        )
    except subprocess.TimeoutExpired:
        return Verdict(None)
    if run.returncode == 63:
        return Verdict(None, said=run.stderr)
    outside = any(mark in run.stderr for mark in OUTSIDE)
    return Verdict(run.returncode == 0, outside, run.stderr[:300] or run.stdout)


def reads_the_same(made: Made, path: Path, whole: Path) -> bool:
    """Whether a guest reads of the image what it reads of the whole one."""
    words = ("qemu-img", "compare", "-q", "-f", made.form, "-F", made.form, path.name, whole.name)
    return (
        subprocess.run(words, cwd=path.parent, capture_output=True, timeout=60, check=False).returncode == 0
    )


def lost_too_much(case: Case, path: Path, says: Verdict) -> bool:
    """Whether a cut image must be refused: qemu-img finds faults, or a guest misses more than a part of a cluster."""
    lost = len(case.made.data) - len(case.data)
    if says.is_good is not None and case.made.form != "vdi":
        return not says.is_good
    if lost <= PARTIAL.get(case.made.form, 0):
        return False
    (path.parent / "whole").write_bytes(case.made.data)
    return not reads_the_same(case.made, path, path.parent / "whole")


# ---- the laws -------------------------------------------------------------------------------------------------------


def broken_laws(case: Case, folder: Path, part: int, count: Counter[str]) -> Iterator[str]:
    """Yield the laws that the verdict on a case breaks."""
    path = folder / f"case.{SUFFIXES.get(case.made.form, case.made.form)}"
    path.write_bytes(case.data)
    told = {"file": as_file(path), "stream": as_stream(path, case.data, part)}
    says = qemu_says(case.made, path)
    for way, refused in told.items():
        count[f"{way} {'refused' if refused else 'accepted'}"] += 1
    count[f"qemu: {says.is_good}"] += 1
    if case.is_whole and says.is_good:
        yield from (
            f"{way}: good, and refused: {why}"
            for way, why in told.items()
            if why and not _is_known(case, why)
        )
    must = says.is_outside if case.is_whole else lost_too_much(case, path, says)
    count["must be refused"] += must
    if must:
        yield from (f"{way}: bad, and accepted; {says.said}" for way, why in told.items() if not why)


def _is_known(case: Case, why: str) -> bool:
    """Whether libstorage is stricter than qemu-img, and means to be."""
    blind = case.made.form in BLIND and case.data != case.made.data and " is cut off" in why
    return blind or any(mark in why for mark in CRAFTED)


def is_good(made: Made, folder: Path) -> bool:
    """Whether qemu-img finds the image good, which is what all laws rest on."""
    (folder / "case").write_bytes(made.data)
    return qemu_says(made, folder / "case").is_good in (True, None)


def shown(case: Case, law: str) -> str:
    """A line about a broken law."""
    return json.dumps({"kind": case.made.kind, "how": case.how, "law": law})
