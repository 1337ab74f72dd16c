"""Images are what they claim: what is plainly no disk becomes no volume, however it comes."""

from __future__ import annotations

import gzip
import io
import lzma
import random
import subprocess
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from libstorage import InvalidRequestError, MiB, Pool, TransferError, VolumeFormat, VolumeSpec
from tests.live.web import Page, web_server

NOISE = random.Random(9).randbytes(5 * MiB)
HTML = b"<!DOCTYPE html><html><title>404 Not Found</title></html>"
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 4\n"


def tar() -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        entry = tarfile.TarInfo("disk.raw")
        entry.size = MiB
        archive.addfile(entry, io.BytesIO(NOISE))
    return made.getvalue()


def zipped() -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("disk.raw", NOISE)
    return made.getvalue()


def parts(data: bytes) -> Iterator[bytes]:
    return (data[place : place + 100_000] for place in range(0, len(data), 100_000))


def image(folder: Path, form: str, *options: str) -> bytes:
    (folder / "raw").write_bytes(NOISE)
    words = ("qemu-img", "convert", "-f", "raw", "-O", form, *options, "raw", "made")
    subprocess.run(words, cwd=folder, check=True)
    return (folder / "made").read_bytes()


def write(folder: Path, name: str, data: bytes) -> Path:
    (folder / name).write_bytes(data)
    return folder / name


class Named(io.BytesIO):
    """A file object that is no plain file: it can only be read in order."""

    def __init__(self, path: Path) -> None:
        super().__init__(path.read_bytes())
        self.name = str(path)


class TestArchives:
    @pytest.mark.parametrize(
        ("name", "data", "words"),
        [
            ("cloud.tar.xz", lzma.compress(tar(), preset=0), "holds a file of tar inside its xz data"),
            ("cloud.tar", tar(), "is a file of tar,"),
            ("disk.zip", zipped(), "is a file of zip,"),
            (
                "disk.gz.xz",
                lzma.compress(gzip.compress(tar())),
                "file of gzip inside its xz data, and tar in that",
            ),
            ("disk.raw", lzma.compress(NOISE[:MiB], lzma.FORMAT_ALONE), "is a file of lzma,"),
        ],
    )
    def test_they_are_refused_by_name(
        self, pool: Pool, folder: Path, name: str, data: bytes, words: str
    ) -> None:
        for source in (write(folder, name, data), data, parts(data)):
            with pytest.raises(InvalidRequestError, match=words) as refused:
                pool.volumes.import_image(source, name="a")
            assert refused.value.outcome == "not_started"
        with pytest.raises(InvalidRequestError, match="no disk image"):
            pool.volumes.import_image(write(folder, name, data), VolumeSpec.raw("a"))
        assert pool.volumes.names() == ()

    def test_who_insists_gets_the_bytes(self, pool: Pool) -> None:
        data = zipped()
        volume = pool.volumes.import_image(data, name="a", decompress=None)
        assert Path(volume.path()).read_bytes() == data


class TestNames:
    @pytest.mark.parametrize("name", ["a.qcow2", "a.VMDK", "a.vdi", "a.vhd", "a.vhdx", "a.qed"])
    @pytest.mark.parametrize(
        "data", [b"", HTML, POINTER, b'{"a": 1}', b"Not Found", bytes(4096), NOISE[:4096]]
    )
    def test_a_name_states_a_format(self, pool: Pool, folder: Path, name: str, data: bytes) -> None:
        packed = write(folder, f"{name}.gz", gzip.compress(data))
        for source in (write(folder, name, data), packed, Named(folder / name)):
            with pytest.raises(InvalidRequestError, match=r"VolumeSpec\.raw"):
                pool.volumes.import_image(source)
        assert pool.volumes.names() == ()
        volume = pool.volumes.import_image(folder / name, VolumeSpec.raw("a"))
        assert Path(volume.path()).read_bytes() == data

    @pytest.mark.parametrize("name", ["a.img", "a.raw", "a.iso"])
    def test_a_name_of_plain_bytes(self, pool: Pool, folder: Path, name: str) -> None:
        for data in (b"", HTML, POINTER, b"Not Found"):
            with pytest.raises(InvalidRequestError, match="and no disk image"):
                pool.volumes.import_image(write(folder, name, data))
        assert pool.volumes.import_image(write(folder, name, NOISE)).info().capacity == len(NOISE)

    @pytest.mark.parametrize("name", ["a-flat.vmdk", "a-f001.vmdk", "a", "a.bin"])
    def test_names_that_state_nothing(self, pool: Pool, folder: Path, name: str) -> None:
        assert pool.volumes.import_image(write(folder, name, NOISE)).spec().target.format == VolumeFormat.RAW

    def test_another_format_than_the_name_states(self, pool: Pool, folder: Path) -> None:
        made = pool.volumes.import_image(write(folder, "a.vmdk", image(folder, "qcow2")))
        assert made.spec().target.format == VolumeFormat.QCOW2

    def test_bytes_without_a_name_are_not_judged(self, pool: Pool) -> None:
        for number, data in enumerate((b"", HTML, POINTER)):
            assert pool.volumes.import_image(data, name=f"{number}.qcow2").info().capacity == len(data)

    def test_a_server_that_sends_a_page(self, pool: Pool) -> None:
        with web_server() as web:
            for data in (HTML, POINTER):
                web.pages["/x"] = Page(data)
                with pytest.raises(InvalidRequestError, match="and no disk image"):
                    pool.volumes.import_image(web.url("/x"), name="a")
        assert pool.volumes.names() == ()


class TestCutOff:
    @pytest.mark.parametrize(
        ("form", "options"),
        [
            ("qcow2", ()),
            ("qcow2", ("-c",)),
            ("qcow2", ("-o", "compat=0.10,cluster_size=4k")),
            ("qcow", ()),
            ("qed", ()),
            ("vdi", ()),
            ("vmdk", ()),
            ("vmdk", ("-o", "subformat=streamOptimized")),
            ("vpc", ()),
        ],
    )
    def test_every_format(self, pool: Pool, folder: Path, form: str, options: tuple[str, ...]) -> None:
        whole = image(folder, form, *options)
        for length in (len(whole) // 2, len(whole) - 70_000, 1 << 19):
            data = whole[:length]
            path = write(folder, "a", data)
            for source in (path, data, Named(path)):
                with pytest.raises(InvalidRequestError, match="is cut off") as refused:
                    pool.volumes.import_image(source, name="a")
                assert refused.value.outcome == "not_started"
            for stream in (parts(data), gzip.compress(data, 1)):
                with pytest.raises(InvalidRequestError, match="is cut off"):
                    pool.volumes.import_image(stream, name="a")
                assert pool.volumes.names() == ()
                assert list(Path(pool.spec().target.path or "").iterdir()) == []  # type: ignore[union-attr]

    def test_an_open_file_is_read_from_where_it_stands(self, pool: Pool, folder: Path) -> None:
        whole = image(folder, "qcow2")
        for cut in (0, 100_000):
            path = write(folder, "a", b"x" * 1000 + whole[: len(whole) - cut])
            with path.open("rb") as file:
                file.seek(1000)
                if cut:
                    with pytest.raises(InvalidRequestError, match="is cut off"):
                        pool.volumes.import_image(file, name="b")
                else:
                    volume = pool.volumes.import_image(file, name="a")
                    assert Path(volume.path()).read_bytes() == whole
        assert pool.volumes.names() == ("a",)

    def test_tables_that_went_by(self, pool: Pool, folder: Path) -> None:
        """A larger image has its first table at its end, behind those it points to."""
        image(folder, "qcow2")
        subprocess.run(["qemu-img", "resize", "-q", "-f", "qcow2", "made", "9T"], cwd=folder, check=True)
        whole = (folder / "made").read_bytes()
        assert pool.volumes.import_image(parts(whole), name="whole").info().capacity == 9 << 40
        place = int.from_bytes(whole[40:48], "big")
        table = int.from_bytes(whole[place : place + 8], "big") & ~(1 << 63)
        assert 0 < table < 3 * MiB < place
        crafted = bytearray(whole)
        crafted[table : table + 8] = (1 << 63 | 1 << 40).to_bytes(8, "big")
        with pytest.raises(InvalidRequestError, match="its data reaches to byte 1099511627777") as refused:
            pool.volumes.import_image(parts(bytes(crafted)), name="a")
        assert "was deleted again" in str(refused.value)
        assert pool.volumes.names() == ("whole",)

    def test_a_wrong_checksum_says_so(self, pool: Pool, folder: Path) -> None:
        whole = image(folder, "qcow2")
        with pytest.raises(TransferError, match="sha256"):
            pool.volumes.import_image(parts(whole), name="a", checksum="sha256:" + 64 * "0")


class TestFixedVhd:
    @pytest.fixture
    def vhd(self, folder: Path) -> Path:
        write(folder, "a.vhd", image(folder, "vpc", "-o", "subformat=fixed,force_size=on"))
        return folder / "a.vhd"

    def test_it_is_imported_as_libvirt_sees_it(self, pool: Pool, vhd: Path) -> None:
        packed = write(vhd.parent, "b.vhd.gz", gzip.compress(vhd.read_bytes(), 1))
        for source in (vhd, Named(vhd), packed):
            volume = pool.volumes.import_image(source)
            assert volume.spec().target.format == VolumeFormat.RAW
            assert volume.info().capacity == len(NOISE) + 512
            volume.delete()

    def test_the_statement_about_it_is_true(self, pool: Pool, vhd: Path) -> None:
        for capacity in (None, len(NOISE)):
            spec = VolumeSpec.image("a", "vpc", capacity)
            with pytest.raises(InvalidRequestError, match="is a VHD of fixed size, which libvirt takes"):
                pool.volumes.import_image(vhd, spec)
        with pytest.raises(InvalidRequestError, match="is a raw image, or a VHD of fixed size"):
            pool.volumes.import_image(parts(vhd.read_bytes()), VolumeSpec.image("a", "vpc"))
        with pytest.raises(InvalidRequestError, match="is a raw image, and the spec has format vpc"):
            pool.volumes.import_image(NOISE, VolumeSpec.image("a", "vpc"))
        assert pool.volumes.names() == ()

    def test_half_of_one_is_none(self, pool: Pool, vhd: Path) -> None:
        """Its mark is at its end: what has the name and no mark is refused, at the end of a stream at the latest."""
        half = vhd.read_bytes()[: 3 * MiB]
        for source in (
            write(vhd.parent, "half.vhd", half),
            write(vhd.parent, "half.vhd.gz", gzip.compress(half, 1)),
        ):
            with pytest.raises(
                InvalidRequestError, match="is named like a vhd image, but has no mark of one"
            ):
                pool.volumes.import_image(source)
        assert pool.volumes.names() == ()
