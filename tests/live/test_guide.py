"""Where the guide to libvirt-python is wrong: what docs/from-libvirt-python.md says of it is true on a real daemon."""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.dom import minidom

import libvirt
import pytest

import libstorage as ls
from libstorage.testing import PrivateDaemon
from tests.support import CHECKOUT

CODES = {
    "still active": libvirt.VIR_ERR_OPERATION_INVALID,
    "is not active": libvirt.VIR_ERR_OPERATION_INVALID,
    "No such file": libvirt.VIR_ERR_SYSTEM_ERROR,
    "Directory not empty": libvirt.VIR_ERR_SYSTEM_ERROR,
    "not found": libvirt.VIR_ERR_NO_STORAGE_POOL,
}
WITH_BUILD = libvirt.VIR_STORAGE_POOL_CREATE_WITH_BUILD
MIB = 1 << 20


@pytest.fixture
def conn(own_daemon: PrivateDaemon) -> Iterator[Any]:
    """libvirt's own binding, connected to a daemon of the test's own."""
    ls.connect(own_daemon.uri).close()  # keeps the binding from printing every error
    conn = libvirt.open(own_daemon.uri)
    yield conn
    conn.close()


@pytest.fixture
def xml(tmp_path: Path) -> str:
    return f"""
        <pool type='dir'>
          <name>mypool</name>
          <capacity unit='bytes'>4306780815</capacity>
          <allocation unit='bytes'>237457858</allocation>
          <available unit='bytes'>4069322956</available>
          <source/>
          <target><path>{tmp_path}/images</path></target>
        </pool>"""


@pytest.fixture
def pool(conn: Any, xml: str) -> Any:
    return conn.storagePoolCreateXML(xml, WITH_BUILD)


def refused(call: Any, *arguments: Any, because: str) -> None:
    with pytest.raises(libvirt.libvirtError, match=because) as caught:
        call(*arguments)
    assert caught.value.get_error_code() == CODES[because]


def volume_xml(name: str, mib: int, inside: str = "") -> str:
    return f"<volume><name>{name}</name><capacity unit='M'>{mib}</capacity>{inside}</volume>"


def format_of(volume: Any) -> str:
    return minidom.parseString(volume.XMLDesc()).getElementsByTagName("format")[0].getAttribute("type")


def mode_of(volume: Any) -> int:
    return stat.S_IMODE(Path(volume.path()).stat().st_mode)


def test_a_running_pool_can_be_destroyed_but_neither_undefined_nor_deleted(conn: Any, xml: str) -> None:
    pool = conn.storagePoolDefineXML(xml, 0)
    pool.build(0)
    refused(pool.destroy, because="is not active")

    pool.create(0)
    refused(pool.undefine, because="still active")
    refused(pool.delete, 0, because="still active")
    volume = pool.createXML(volume_xml("v", 1), 0)
    path = Path(volume.path())

    pool.destroy()
    assert path.exists()
    assert pool.isPersistent() == 1
    pool.undefine()
    assert path.exists()


def test_the_example_of_lifecycle_control_fails_twice(conn: Any, xml: str) -> None:
    refused(conn.storagePoolCreateXML, xml, 0, because="No such file")
    pool = conn.storagePoolCreateXML(xml, WITH_BUILD)
    refused(pool.undefine, because="still active")
    assert pool.isActive() == 1

    pool.destroy()
    refused(pool.isActive, because="not found")


def test_persistent_is_to_have_a_definition(conn: Any, pool: Any, xml: str) -> None:
    assert (pool.isActive(), pool.isPersistent()) == (1, 0)

    again = conn.storagePoolDefineXML(xml.replace("<source/>", f"<uuid>{pool.UUIDString()}</uuid>"), 0)
    assert (again.isActive(), again.isPersistent()) == (1, 1)

    again.destroy()
    assert (again.isActive(), again.isPersistent()) == (0, 1)


def test_a_defined_pool_is_inactive_and_a_transient_one_active(conn: Any, xml: str) -> None:
    pool = conn.storagePoolDefineXML(xml, 0)
    assert pool.isActive() == 0
    pool.undefine()

    assert conn.storagePoolCreateXML(xml, WITH_BUILD).isActive() == 1


def test_a_pool_that_was_destroyed_keeps_autostart_and_starts_again(conn: Any, xml: str) -> None:
    pool = conn.storagePoolDefineXML(xml, 0)
    pool.create(WITH_BUILD)
    pool.setAutostart(1)

    pool.destroy()
    assert (pool.isActive(), pool.autostart()) == (0, 1)

    pool.create(0)
    assert pool.isActive() == 1


def test_a_volume_can_be_larger_than_its_pool(pool: Any) -> None:
    size = 2 * pool.info()[1]
    inside = f"<allocation>0</allocation><capacity>{size}</capacity><target><format type='qcow2'/></target>"
    volume = pool.createXML(f"<volume><name>large</name>{inside}</volume>", 0)

    assert volume.info()[1] >= size


def test_pools_start_with_the_daemon_and_not_with_a_connection(
    own_daemon: PrivateDaemon, tmp_path: Path
) -> None:
    with ls.connect(own_daemon.uri) as host:
        pool = host.pools.ensure(ls.PoolSpec.dir("p", f"{tmp_path}/images")).set_autostart().stop()
    with ls.connect(own_daemon.uri) as host:
        assert not host.pools[pool.name].is_active()

    own_daemon.restart()

    with ls.connect(own_daemon.uri) as host:
        assert host.pools[pool.name].is_active()


def test_sizes_in_a_pool_document_are_ignored(conn: Any, xml: str) -> None:
    assert conn.storagePoolDefineXML(xml, 0).info()[1:] == [0, 0, 0]


def test_source_has_no_attributes(pool: Any) -> None:
    (source,) = minidom.parseString(pool.XMLDesc()).getElementsByTagName("source")
    assert source.attributes.length == 0


def test_delete_refuses_a_folder_with_volumes(conn: Any, xml: str) -> None:
    pool = conn.storagePoolDefineXML(xml, 0)
    pool.build(0)
    pool.create(0)
    pool.createXML(volume_xml("v", 1), 0)
    pool.destroy()
    refused(pool.delete, 0, because="Directory not empty")


def test_a_clone_inherits_neither_format_nor_permissions(pool: Any) -> None:
    target = "<target><format type='qcow2'/><permissions><mode>0640</mode></permissions></target>"
    source = pool.createXML(volume_xml("source", 16, target), 0)
    clone = pool.createXMLFrom(volume_xml("clone", 16), source, 0)

    assert (format_of(source), mode_of(source)) == ("qcow2", 0o640)
    assert (format_of(clone), mode_of(clone)) == ("raw", 0o600)


@pytest.mark.parametrize(
    ("source_format", "format", "asked", "given"),
    [
        ("raw", "raw", 8, 16),
        ("raw", "raw", 32, 32),
        ("raw", "qcow2", 32, 16),
        ("qcow2", "raw", 32, 16),
        ("qcow2", "qcow2", 8, 16),
        ("qcow2", "qcow2", 32, 16),
    ],
)
def test_the_capacity_of_a_clone(pool: Any, source_format: str, format: str, asked: int, given: int) -> None:
    target = "<target><format type='{}'/></target>"
    source = pool.createXML(volume_xml("source", 16, target.format(source_format)), 0)
    clone = pool.createXMLFrom(volume_xml("clone", asked, target.format(format)), source, 0)

    assert clone.info()[1] == given * MIB


def test_our_clone_has_the_capacity_that_was_asked_for(own_daemon: PrivateDaemon, pool: Any) -> None:
    with ls.connect(own_daemon.uri) as host:
        source = host.pools[pool.name()].volumes.create(ls.VolumeSpec.qcow2("source", "16 MiB"))
        assert source.clone(ls.VolumeSpec.raw("larger", "32 MiB")).info().capacity == 32 * MIB


def test_paths_of_volumes_are_ignored_and_modes_are_not(pool: Any, tmp_path: Path) -> None:
    target = "<target><path>/somewhere/else</path><permissions><mode>0744</mode></permissions></target>"
    volume = pool.createXML(volume_xml("sparse.img", 1, target), 0)

    assert volume.path() == f"{tmp_path}/images/sparse.img"
    assert mode_of(volume) == 0o744
    assert mode_of(pool.createXML(volume_xml("usual.img", 1), 0)) == 0o600


def test_wipe_cuts_off_and_delete_removes(pool: Any) -> None:
    volume = pool.createXML(volume_xml("sparse.img", 16, "<allocation>0</allocation>"), 0)
    path = Path(volume.path())
    with path.open("r+b") as file:
        file.write(b"secret" * 100_000)

    volume.wipe(0)
    assert (path.stat().st_size, path.stat().st_blocks) == (16 * MIB, 0)
    assert not path.read_bytes().strip(b"\0")

    volume.delete(0)
    assert not path.exists()


def test_nothing_is_none(conn: Any) -> None:
    refused(conn.storagePoolLookupByName, "nowhere", because="not found")
    with pytest.raises(libvirt.libvirtError):
        libvirt.open("storage:///system?socket=/nowhere")


def test_one_odd_name_breaks_the_list_of_all(own_daemon: PrivateDaemon, pool: Any, tmp_path: Path) -> None:
    pool.createXML(volume_xml("good", 1), 0)
    (tmp_path / "images").joinpath(b"b\xe4d".decode("utf-8", "surrogateescape")).touch()
    pool.refresh(0)

    with pytest.raises(UnicodeDecodeError):
        pool.listVolumes()
    with ls.connect(own_daemon.uri) as host:
        assert set(host.pools["mypool"].volumes.names()) == {"good", "b\udce4d"}


def test_every_filter_is_in_the_table() -> None:
    page = (CHECKOUT / "docs" / "from-libvirt-python.md").read_text("utf-8")
    told = {name: int(value) for name, value in re.findall(r"`([A-Z_]+)` = ([0-9]+)", page)}
    for flag in ls.ListPoolsFlags:
        assert told[flag.name or ""] == getattr(libvirt, flag.constant or "") == flag.value
    for pool_type in ls.PoolType:
        assert (
            f'| `{pool_type.name}` = {ls.ListPoolsFlags.for_type(pool_type):d} | `types=["{pool_type}"]`'
            in page
        )
