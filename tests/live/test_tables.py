"""Every row of the published tables on a real daemon: what libvirt makes itself, and where reading and its schema differ."""

from __future__ import annotations

import os
import subprocess
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import libvirt
import pytest
from attrs import frozen

from libstorage import (
    DirSource,
    DocumentError,
    Encryption,
    Host,
    InvalidRequestError,
    LogicalSource,
    ParentAddress,
    PciAddress,
    Permissions,
    Pool,
    PoolSpec,
    PoolTarget,
    ScsiHostAdapter,
    SecretNotFoundError,
    SecretRef,
    SourceHost,
    StorageError,
    UnsupportedError,
    VolumeSpec,
    VolumeTarget,
    connect,
    validate,
)
from libstorage.models import compare
from libstorage.models.spec import Spec
from libstorage.tables import (
    LENIENCIES,
    NEWER,
    NORMALISATIONS,
    STRICT_LIMITS,
    Leniency,
    Newer,
    Normalisation,
    StrictLimit,
)
from libstorage.testing import PrivateDaemon
from libstorage.units import MiB
from tests.live.conftest import remove


@frozen
class Bench:
    """A daemon and a running dir pool, to which the tests give documents."""

    uri: str
    host: Host
    pool: Pool
    folder: Path

    def defined(self, spec: PoolSpec) -> PoolSpec:
        """What libvirt makes of a pool."""
        pool = self.host.pools.define(spec)
        try:
            return pool.spec()
        finally:
            pool.undefine()

    def created(self, spec: VolumeSpec) -> VolumeSpec:
        """What libvirt makes of a volume, as it says after a refresh."""
        self.pool.volumes.create(spec)
        return self.found(spec.name)

    def found(self, name: str) -> VolumeSpec:
        self.pool.refresh()
        return self.pool.volumes[name].spec()

    def given(self, document: str) -> str:
        """What libvirt makes of a text, which libstorage would not send."""
        if "<encryption" in document:  # the real driver would want the secret
            return _created(libvirt.open("test:///default").storagePoolLookupByName("default-pool"), document)
        connection = libvirt.open(self.uri)
        if document.startswith("<volume"):
            return _created(connection.storagePoolLookupByName(self.pool.name), document)
        pool = connection.storagePoolDefineXML(document)
        try:
            return str(pool.XMLDesc())
        finally:
            pool.undefine()


def _created(pool: Any, document: str) -> str:
    volume = pool.createXML(document)
    try:
        return str(volume.XMLDesc())
    finally:
        volume.delete()


@pytest.fixture(scope="module")
def bench(uri: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    folder = tmp_path_factory.mktemp("tables") / "pool"
    with connect(uri) as host:
        pool = host.pools.define(PoolSpec.dir(f"tables-{uuid.uuid4().hex[:8]}", folder)).build().start()
        pool.volumes.create(VolumeSpec.raw("base.img", "1 MiB"))
        yield Bench(uri, host, pool, folder)
        remove(pool)


def qemu_img(*words: str | Path) -> None:
    subprocess.run(["qemu-img", *map(str, words)], check=True, capture_output=True)


# ---- what libvirt changes itself ------------------------------------------------------------------------------------


def encrypted(bench: Bench) -> tuple[Spec, Spec]:
    (bench.folder / "luks").write_bytes(b"LUKS\xba\xbe\0\1" + bytes(4096))
    target = VolumeTarget(format="raw", encryption=Encryption.luks(usage="key"))
    return bench.found("luks"), VolumeSpec(name="luks", target=target)


def iso(bench: Bench) -> tuple[Spec, Spec]:
    want = VolumeSpec.raw("cd", MiB)
    with Path(bench.pool.volumes.create(want).path()).open("r+b") as file:
        file.seek(16 * 2048)
        file.write(b"\x01CD001")
    return bench.found("cd"), want


def over_a_store(bench: Bench) -> tuple[Spec, Spec]:
    want = VolumeSpec.qcow2("over", 0, backing=bench.pool.volumes["base.img"].as_backing())
    return bench.created(want), want


def pool(want: PoolSpec) -> Callable[[Bench], tuple[Spec, Spec]]:
    return lambda bench: (bench.defined(want), want)


def volume(want: VolumeSpec) -> Callable[[Bench], tuple[Spec, Spec]]:
    return lambda bench: (bench.created(want), want)


def vendor(name: str) -> PoolSpec:
    return PoolSpec(name="v", source=DirSource(vendor=name), target=PoolTarget(path="/srv"))


def adapter(**address: Any) -> ScsiHostAdapter:
    return ScsiHostAdapter(parent=ParentAddress(unique_id=1, address=PciAddress(**address)))


_ZPOOL = """#!/bin/sh
printf 'tank\\tsize\\t9000000\\t-\\n'
"""
_ZFS = """#!/bin/sh
case $1 in
get) echo ' volmode ' >&2; exit 2 ;;
create) while [ "$1" != -V ]; do shift; done; echo $((($(echo $2 | tr -d K) + 15) / 16 * 16384)) >{folder}/size ;;
list) [ ! -e {folder}/size ] || printf 'tank/v\\t%s\\t0\\n' $(cat {folder}/size) ;;
esac
"""


def zvol(bench: Bench) -> tuple[Spec, Spec]:
    """What libvirt says of a volume of ZFS. Its programs are played: no ZFS that libvirt can use runs here."""
    programs, want = bench.folder.with_name("programs"), VolumeSpec(name="v", capacity=100_000)
    programs.mkdir(exist_ok=True)
    for name, text in {"zfs": _ZFS, "zpool": _ZPOOL}.items():
        (programs / name).write_text(text.replace("{folder}", str(programs)))
        (programs / name).chmod(0o755)
    with PrivateDaemon(path=[programs]) as daemon, connect(daemon.uri) as host:
        pool = host.pools.define(PoolSpec.zfs("tank", source_name="tank")).start()
        created = pool.volumes.create(want)
        assert created.resize(100_000).spec().differences(want) == ()
    with PrivateDaemon(path=[programs]) as daemon, connect(daemon.uri) as host:
        pool = host.pools.define(PoolSpec.zfs("tank", source_name="tank")).start()
        return pool.volumes["v"].spec(), want


MADE: dict[str, Callable[[Bench], tuple[Spec, Spec]]] = {
    "slashes": pool(PoolSpec.dir("p", "/srv//images/")),
    "blanks": pool(vendor("a\tb")),
    "empty": pool(vendor("")),
    "source named after the pool": pool(
        PoolSpec(name="vg", source=LogicalSource(name=""), target=PoolTarget())
    ),
    "made path": pool(PoolSpec.logical("l", source_name="vg", path="/elsewhere")),
    "default port": pool(PoolSpec.rbd("r", hosts=SourceHost(name="a", port=0), source_name="p")),
    "multifunction": pool(
        PoolSpec.scsi("s", adapter(domain=0, bus=0, slot=2, function=0, multifunction=False))
    ),
    "any owner": volume(VolumeSpec.raw("owner", 1, permissions=Permissions(owner=-1))),
    "label": volume(VolumeSpec.raw("label", 1, permissions=Permissions(label="some_label"))),
    "size of a directory": volume(VolumeSpec.image("dir", "dir", MiB)),
    "whole KiB": volume(VolumeSpec.qcow2("kib", 1025)),
    "whole cylinders": volume(VolumeSpec.image("cylinders", "vpc", 1)),
    "as allocated": volume(VolumeSpec.raw("allocated", 10, allocation=5000)),
    "empty image": volume(VolumeSpec.qcow2("nothing", 0)),
    "as the backing store": over_a_store,
    "whole blocks": zvol,
    "forgotten secret": encrypted,
    "charged": volume(VolumeSpec.qcow2("charged", MiB, allocation=0)),
    "iso": iso,
    "cleared features": volume(VolumeSpec.qcow2("old", MiB, compat="0.10")),
}


IN_THE_LAB = {"whole extents", "partition"}
"""What needs disks, ``tests/lab/scenarios/test_volumes.py`` makes."""


@pytest.mark.parametrize(
    "row", [pytest.param(row, id=row.name) for row in NORMALISATIONS if row.name not in IN_THE_LAB]
)
def test_libvirt_makes_it(row: Normalisation, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    have, want = MADE[row.name](bench)
    assert have.differences(want) == ()
    monkeypatch.setattr(compare, "NORMALISATIONS", [other for other in NORMALISATIONS if other is not row])
    without = have.differences(want)
    assert without, "libvirt does not change it"
    assert all(
        row.covers(difference.field) or difference.field == "target.encryption" for difference in without
    )


def test_no_row_is_missing() -> None:
    assert list(MADE) == [row.name for row in NORMALISATIONS if row.name not in IN_THE_LAB]
    assert MADE.keys() | IN_THE_LAB == {row.name for row in NORMALISATIONS}
    assert GIVEN.keys() <= {row.name for row in LENIENCIES}


@pytest.mark.parametrize("mode", ["770", "0770", "00770"])
def test_spellings_of_a_mode_are_one(mode: str, bench: Bench) -> None:
    document = f"<volume><name>m</name><capacity>1</capacity><target><permissions><mode>{mode}</mode></permissions></target></volume>"
    made = bench.given(document)
    assert "<mode>0770</mode>" in made
    assert VolumeSpec.from_xml(made).differences(VolumeSpec.from_xml(document)) == ()


# ---- where reading and the schema differ ----------------------------------------------------------------------------


def model_of(document: str) -> type[Spec]:
    return PoolSpec if document.startswith("<pool") else VolumeSpec


def reasons(document: str) -> list[str]:
    """Why the schema of this machine refuses a document."""
    try:
        validate(document, against="rng")
    except DocumentError as error:
        return [problem.reason for problem in error.problems]
    return []


def is_valid(document: str) -> bool:
    return not reasons(document)


IGNORED = "sizes of pools"
TWO = (SecretRef(usage="a"), SecretRef(usage="b"))


@pytest.mark.parametrize("limit", [pytest.param(limit, id=limit.name) for limit in STRICT_LIMITS])
def test_what_strict_reading_refuses_libvirt_cannot_hold(limit: StrictLimit, bench: Bench) -> None:
    assert is_valid(limit.document)
    for strict in (True, False):
        with pytest.raises(DocumentError) as refused:
            model_of(limit.document).from_xml(limit.document, strict=strict)
        assert [problem.reason for problem in refused.value.problems] == [limit.problem]
    if limit.name == IGNORED:
        assert "<capacity unit='bytes'>0</capacity>" in bench.given(limit.document)
    else:
        with pytest.raises(libvirt.libvirtError, match=r"too large|missing pool source name"):
            bench.given(limit.document)


def over_network(bench: Bench) -> str:
    qemu_img("create", "-qu", "-f", "qcow2", "-F", "raw", "-b", "nbd://nas/web", bench.folder / "net", "1M")
    bench.pool.refresh()
    return bench.pool.volumes["net"].xml()


def high_ids(bench: Bench) -> str:
    file = bench.folder / "ids"
    file.touch()
    os.chown(file, 2**32 - 2, 3_000_000_000)
    bench.pool.refresh()
    assert bench.pool.volumes["ids"].spec().target.permissions == Permissions(
        mode=0o644, owner=2**32 - 2, group=3_000_000_000
    )
    return bench.pool.volumes["ids"].xml()


# Where libvirt writes what it would not take.
GIVEN: dict[str, Callable[[Bench], str]] = {
    "backing store on the network": over_network,
    "negative ids": high_ids,
}


@pytest.mark.parametrize("row", [pytest.param(row, id=row.name) for row in LENIENCIES])
def test_libvirt_is_laxer_than_its_schema(row: Leniency, bench: Bench) -> None:
    model = model_of(row.document)
    made = GIVEN[row.name](bench) if row.name in GIVEN else bench.given(row.document)
    assert is_valid(made) is not row.written
    for document in (row.document, made) if row.written else (row.document,):
        assert not is_valid(document)
        with pytest.raises(DocumentError):
            model.from_xml(document, strict=True)
    read: Any = model.from_xml(row.document)
    dropped = ["unknown"] if row.name == "unknown parts" else []
    assert bool(read.unknown) == bool(dropped)
    if row.name not in GIVEN:
        assert [difference.field for difference in model.from_xml(made).differences(read)] == dropped


# ---- what older schemas lack ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", [pytest.param(row, id=row.name) for row in NEWER])
def test_an_older_schema_refuses_it_and_a_newer_one_does_not(row: Newer, bench: Bench) -> None:
    here = libvirt.getVersion() >= row.since_number
    said = f"libvirt's schema has this since {row.since} only: {row.name}"
    assert reasons(row.document) == ([] if here else [said])
    validate(row.document)
    read = VolumeSpec.from_xml(row.document, strict=True)
    assert read.check() == read
    if here or row.taken:
        assert VolumeSpec.from_xml(bench.given(row.document)).differences(read) == ()
    else:
        with pytest.raises(libvirt.libvirtError, match="unknown volume encryption format"):
            bench.given(row.document)


@pytest.mark.parametrize(
    ("encryption", "old", "new"),
    [
        (Encryption.luks_any(usage="key"), UnsupportedError, SecretNotFoundError),
        (
            Encryption.luks_any(usage="key", parents=SecretRef(usage="below")),
            UnsupportedError,
            InvalidRequestError,
        ),
        (
            Encryption(format="luks", engine="librbd", secrets=TWO),
            InvalidRequestError,
            InvalidRequestError,
        ),
    ],
)
def test_the_encryption_of_an_rbd_image_is_refused_elsewhere(
    encryption: Encryption, old: type[StorageError], new: type[StorageError], bench: Bench
) -> None:
    """By daemons that know of it (since 9.3.0), which look for its secret first, and by those that are too old for it."""
    with pytest.raises(new if libvirt.getVersion() >= 9_003_000 else old) as refused:
        bench.pool.volumes.create(VolumeSpec.raw("layered", MiB, encryption=encryption))
    assert refused.value.outcome == "not_started"
    assert "layered" not in bench.pool.refresh().volumes
