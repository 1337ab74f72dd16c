"""What is in a pool's folder is always readable: what libvirt made there, and what others made of it since.

``LIBSTORAGE_READABLE`` says how much to try (default 12), ``LIBSTORAGE_SEED`` what.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import socket
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import chdir
from pathlib import Path

import libvirt
import pytest
from lxml import etree

from libstorage import DocumentError, Pool, VolumeSpec
from libstorage.models.spec import Spec
from libstorage.xml.parse import parse
from tests.live.test_readable import ROUNDS, SEED, TRIES, changed, of_kind, readable

MiB = 1 << 20
MADE = ("raw", "dir", "qcow2", "qcow", "qed", "vmdk", "vdi", "vpc")
"""The formats that a dir pool of libvirt makes."""
FORMATS = ("raw", "qcow2", "qcow", "qed", "vmdk", "vdi", "vpc", "vhdx", "parallels", "luks")


# ---- volumes that libvirt makes -------------------------------------------------------------------------------------


@pytest.fixture
def raw_pool(pool: Pool) -> Iterator[libvirt.virStoragePool]:
    connection = libvirt.open(pool.host.uri)
    yield connection.storagePoolLookupByName(pool.name)
    connection.close()


@pytest.fixture
def place(pool: Pool) -> Path:
    target = pool.spec().target
    assert target is not None
    return Path(str(target.path))


def drawn(data: bytes, base: Path, chance: random.Random) -> str:
    """A changed document that fills no disk, may have a backing store, and needs no secret."""
    root = parse(changed(data, chance))
    for target in root.iterfind("target"):
        for encryption in target.findall("encryption"):
            target.remove(encryption)
    for path in root.iterfind("backingStore/path"):
        path.text = str(base)
    for allocation in root.findall("allocation"):
        root.remove(allocation)
    etree.SubElement(root, "allocation").text = "0"
    return etree.tostring(root, encoding="unicode")


def is_made_again(pool: Pool, spec: VolumeSpec) -> None:
    """What a volume says after a refresh is enough to make another that says the same.

    Until then libvirt also says what it was given and has not used, such as the size of a raw volume's clusters.
    """
    wanted = spec.request(name="again", allocation=0)
    again = pool.volumes.create(wanted)
    assert again.spec().differences(wanted) == (), spec.to_xml(reported=True)
    again.delete()


def test_volumes_of_a_dir_pool(pool: Pool, raw_pool: libvirt.virStoragePool, place: Path) -> None:
    """Each format that libvirt makes as it is, and changed documents."""
    chance, counts = random.Random(SEED), Counter[str]()
    base = Path(pool.volumes.create(VolumeSpec.raw("base of others", MiB)).path())
    texts = [VolumeSpec.image(f"of format {form}", form, MiB, allocation=0).to_xml() for form in MADE]
    for _ in range(ROUNDS):
        for text in [*texts, *(drawn(data, base, chance) for _, data in of_kind("volume"))]:
            try:
                raw = raw_pool.createXML(text, 0)
            except libvirt.libvirtError:
                continue
            spec = readable(VolumeSpec, raw.XMLDesc(0))
            assert isinstance(spec, VolumeSpec)
            assert pool.volumes[raw.name()].spec() == spec
            counts[str(spec.target.format)] += 1
        raw_pool.refresh(0)
        assert len(read_all(pool, raw_pool)) > 25
        for volume in pool.volumes:
            if volume.name != base.name:
                is_made_again(pool, volume.spec())
                volume.delete()
    assert counts.keys() >= set(MADE)


# ---- files that others make -----------------------------------------------------------------------------------------

SECRET = ("--object", "secret,id=key,data=passphrase")
AES = ("-o", "encrypt.format=aes,encrypt.key-secret=key")
BACKINGS = (
    "relative",
    "missing/../x y",
    "/a\tb\nc",
    "/é \"<&>'",
    "nbd:localhost:10809",
    "nbd+unix:///export?socket=/tmp/no.sock",
    "https://example.com/x.img?a=b&c=<d>",
    "rbd:pool/image:id=x",
    "fat:/tmp",
    'json:{"driver":"raw","file":{"driver":"file","filename":"/base"}}',
    'json:{"file":{"driver":"nbd","host":"x","port":"1"}}',
    'json:{"driver":"qcow2","file":{"driver":"https","url":"https://example.com/x"}}',
    "json:{",
    "x" * 1000,
)
OPTIONS: tuple[tuple[str, ...], ...] = (
    *(("-o", f"cluster_size={size},lazy_refcounts=on,compat=1.1") for size in ("512", "4k", "2M")),
    ("-o", "compat=0.10"),
    ("-o", "extended_l2=on,cluster_size=16k"),
    ("-o", "extended_l2=on,lazy_refcounts=on,refcount_bits=1"),
    ("-o", "compression_type=zstd"),
    *(("-u", "-b", text, "-F", form) for text in BACKINGS for form in ("raw", "qcow2")),
    ("-u", "-b", "vhdx", "-F", "vhdx"),
    ("-u", "-b", "file", "-F", "qcow2"),
    (*SECRET, *AES),
)
"""How a qcow2 image can be made in which libvirt would make none."""
SUBFORMATS = (
    ("qcow2", "preallocation=metadata,refcount_bits=64"),
    ("vpc", "subformat=fixed"),
    ("vpc", "force_size=on"),
    ("vmdk", "subformat=streamOptimized"),
    ("vmdk", "subformat=twoGbMaxExtentSparse"),
    ("vmdk", "subformat=monolithicFlat"),
    ("vmdk", "compat6=on,hwversion=7"),
    ("vdi", "preallocation=metadata"),
    ("vhdx", "subformat=fixed,block_size=1M"),
    ("qed", "cluster_size=4k"),
)


def qemu_img(*words: str | bytes | Path) -> bool:
    """Whether qemu-img does it: some changes suit only some images, and a damaged one can take it for ever."""
    try:
        done = subprocess.run(["qemu-img", *words], check=False, capture_output=True, timeout=5)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def image(file: Path, chance: random.Random) -> bool:
    """An image of any format, with options that libvirt does not have."""
    size = str(chance.choice([0, 512, 1025, MiB, 5 * MiB + 512, 1 << 40]))
    match chance.randrange(4):
        case 0:
            form, option = chance.choice(SUBFORMATS)
            return qemu_img("create", "-f", form, "-o", option, file, "4M")
        case 1:
            form = chance.choice(FORMATS)
            key = ("-o", "key-secret=key,iter-time=10", *SECRET) if form == "luks" else ()
            return qemu_img("create", "-f", form, *key, file, size)
        case _:
            return qemu_img("create", "-f", "qcow2", *chance.choice(OPTIONS), file, size)


def plain(file: Path, chance: random.Random) -> bool:
    """A file with any content, or with the beginning of something else."""
    start = chance.choice(
        [b"", b"x", b"QFI\xfb", b"QFI\xfb\0\0\0\3", b"KDMV", b"conectix", b"LUKS\xba\xbe\0\1", b"QED\0"]
    )
    start += chance.randbytes(chance.choice([0, 1, 600]))
    file.write_bytes(start)
    if chance.random() < 0.5:
        os.truncate(file, chance.choice([0, 1, 4096, 1 << 40]))
    if chance.random() < 0.3:
        with file.open("r+b") as disc:
            disc.seek(16 * 2048)
            disc.write(b"\x01CD001\x01")
    return True


def changed_image(file: Path, chance: random.Random) -> bool:
    """An image after what qemu-img and others did to it."""
    if not image(file, chance):
        return False
    for _ in range(chance.randint(1, 3)):
        change = chance.choice(CHANGES)
        change(file, chance)
    return True


def converted(file: Path, chance: random.Random) -> None:
    other = file.with_name("converted")
    if qemu_img("convert", "-O", chance.choice(FORMATS[:-1]), file, other):
        other.replace(file)
    other.unlink(missing_ok=True)


def flipped(file: Path, chance: random.Random) -> None:
    """Other bytes in the header."""
    with file.open("r+b") as header:
        header.seek(chance.randrange(200))
        header.write(chance.randbytes(chance.choice([1, 2, 4])))


AMENDED = ("compat=0.10", "compat=1.1", "lazy_refcounts=on", "lazy_refcounts=off")
TIMES = (-1, 0, 1, 2**31, 2**33)
CHANGES: tuple[Callable[[Path, random.Random], object], ...] = (
    converted,
    flipped,
    lambda file, chance: qemu_img("resize", "--shrink", file, chance.choice(["0", "1M", "7M", "1T"])),
    lambda file, chance: qemu_img("amend", "-f", "qcow2", "-o", chance.choice(AMENDED), file),
    lambda file, chance: qemu_img("rebase", "-u", "-F", "raw", "-b", chance.choice(["", *BACKINGS]), file),
    lambda file, chance: qemu_img("snapshot", "-c", f"é {chance.random()}", file),
    lambda file, chance: qemu_img("bitmap", "--add", file, f"b{chance.random()}"),
    lambda file, chance: os.truncate(file, chance.choice([0, 3, 72, 104, 512, 1 << 33])),
    lambda file, chance: os.utime(file, (chance.choice(TIMES), chance.choice(TIMES))),
    lambda file, chance: file.chmod(chance.choice([0o7777, 0o644, 0o600])),
)


def no_file(file: Path, chance: random.Random) -> bool:
    """Something else than a file."""
    match chance.randrange(6):
        case 0:
            file.mkdir()
            (file / "inside").touch()
        case 1:
            file.symlink_to(chance.choice(["nothing", "/etc/hostname", "/dev/null", "/", file.name, "a\nb"]))
        case 2:
            os.mkfifo(file)
        case 3:
            with socket.socket(socket.AF_UNIX) as listening, chdir(file.parent):
                listening.bind("socket")
        case 4:
            original = file.parent.with_name("original")
            original.touch()
            os.link(original, file)
        case _:
            return qemu_img(
                "create", "-f", "qcow2", "-o", f"data_file={file}.data,data_file_raw=on", file, "1M"
            )
    return True


NAMES = (
    "file",
    " file ",
    "a&<>'\"",
    "-a",
    ".a",
    "é" * 100,
    "a]]>b",
    "\u2028",
    "a\nb",
    "a\tb",
    "a%20b",
    "$(x)",
)


def printed(raw: libvirt.virStoragePool, name: str) -> str | None:
    """What libvirt says of a volume, which it may refuse of a volume that it lists."""
    try:
        return str(raw.storageVolLookupByName(name).XMLDesc(0))
    except libvirt.libvirtError:
        return None


def steady(spec: Spec) -> str:
    """What a document says each time: asking for it changes the times of a file, and libvirt reads the capacity of LUKS
    beyond a header that is cut off."""
    root = parse(spec.to_xml(reported=True))
    etree.strip_elements(
        root, "timestamps", *(["capacity"] if root.find("target/encryption") is not None else [])
    )
    return etree.tostring(root, method="c14n").decode()


def read_all(pool: Pool, raw: libvirt.virStoragePool) -> dict[str, str | None]:
    """Every volume of a pool by its name, as each says itself, and as they are listed."""
    texts = {volume.name: printed(raw, volume.name) for volume in pool.volumes}
    specs = {name: text and steady(readable(VolumeSpec, text)) for name, text in texts.items()}
    for name, spec in specs.items():
        if spec is not None:
            assert steady(pool.volumes[name].spec()) == spec
            pool.volumes[name].info()
    (here,) = [entry for entry in pool.host.inventory().pools if entry.uuid == pool.uuid]
    assert here.error is None
    for entries in (here.volumes, pool.volumes.specs()):
        assert {entry.name: entry.spec and steady(entry.spec) for entry in entries} == specs
        assert all((entry.error is None) is (entry.spec is not None) for entry in entries)
    return specs


def test_files_of_a_dir_pool(pool: Pool, raw_pool: libvirt.virStoragePool, place: Path) -> None:
    """One file after the other; what libvirt takes stays, and in the end all is listed together."""
    chance, kept = random.Random(SEED), place.with_name("kept")
    kept.mkdir()
    found, refused = Counter[str](), 0
    for number in range(TRIES * 4):
        make = chance.choice([image, plain, changed_image, changed_image, no_file])
        if make(place / chance.choice(NAMES), chance):
            if refreshed(raw_pool):
                specs = read_all(pool, raw_pool)
                found.update(re.findall(r"<(?:format type=.)?(\w+)", "".join(filter(None, specs.values()))))
                keep(place, kept, number)
            else:
                refused += 1
        clear(place)
    for file in kept.iterdir():
        file.rename(place / file.name)
    assert refreshed(raw_pool)
    together = read_all(pool, raw_pool)
    assert refused < TRIES
    assert len(together) > 3 * TRIES
    assert found.keys() >= {"backingStore", "features", "raw", "qcow2"}


def keep(place: Path, kept: Path, number: int) -> None:
    for file in place.iterdir():
        file.rename(kept / f"{number} {file.name}"[:120])


def refreshed(raw: libvirt.virStoragePool) -> bool:
    """Whether libvirt lists what is there; a pool that it cannot list is stopped."""
    if not raw.isActive():
        raw.create(0)
    try:
        raw.refresh(0)
    except libvirt.libvirtError:
        return False
    return True


def clear(folder: Path) -> None:
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


@pytest.mark.parametrize("name", [b"bad\xffname", b"a\xed\xa0\x80", "\ufffe".encode()])
def test_a_name_that_no_document_can_have(pool: Pool, place: Path, name: bytes) -> None:
    (place / os.fsdecode(name)).touch()
    assert_only_one_is_unreadable(pool, os.fsdecode(name), "is not UTF-8|control character")


def test_a_backing_store_that_no_document_can_name(pool: Pool, place: Path) -> None:
    assert qemu_img("create", "-f", "qcow2", "-u", "-b", b"/a\xffb", "-F", "raw", place / "over", "1M")
    assert_only_one_is_unreadable(pool, "over", "the document is not UTF-8: byte 0xff is out of place")


def assert_only_one_is_unreadable(pool: Pool, name: str, why: str) -> None:
    """Its document is not XML, which it says of itself and in listings; all else of the pool is there."""
    other = pool.volumes.create(VolumeSpec.raw("other", 5))
    pool.refresh()
    with pytest.raises(DocumentError, match=why):
        pool.volumes[name].spec()
    assert pool.volumes[name].info().capacity >= 0
    (here,) = [entry for entry in pool.host.inventory().pools if entry.uuid == pool.uuid]
    for entries in (here.volumes, pool.volumes.specs()):
        entry = {entry.name: entry for entry in entries}
        assert entry.keys() == {name, "other"}
        assert entry["other"].spec == other.spec()
        with pytest.raises(DocumentError, match=why):
            raise entry[name].error or AssertionError
