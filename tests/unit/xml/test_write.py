"""Writing: the text that libvirt would print, and nothing that XML cannot carry."""

from __future__ import annotations

import linecache
import traceback
from typing import Any

import attrs
import pytest
from lxml import etree

from libstorage.enums import VolumeType
from libstorage.models.adapters import UnknownAdapter
from libstorage.models.auth import Auth
from libstorage.models.capabilities import (
    CapabilityEnum,
    CapabilityOptions,
    PoolCapabilities,
    PoolTypeCapabilities,
)
from libstorage.models.permissions import Permissions
from libstorage.models.pool import PoolSpec
from libstorage.models.secret import SecretSpec
from libstorage.models.source_parts import Device, FreeExtent
from libstorage.models.sources import ScsiSource
from libstorage.models.volume import Timestamps, VolumeSpec, VolumeTarget
from libstorage.xml.fields import Unknown
from libstorage.xml.kinds import UnknownWord
from libstorage.xml.mapping import construct
from libstorage.xml.write import escape

DIR = """\
<pool type='dir'>
  <name>images</name>
  <source/>
  <target>
    <path>/srv/images</path>
    <permissions>
      <mode>0711</mode>
      <owner>-1</owner>
      <group>107</group>
      <label>system_u:object_r:virt_image_t:s0</label>
    </permissions>
  </target>
</pool>
"""
CEPH = """\
<pool type='rbd' xmlns:rbd='http://libvirt.org/schemas/storagepool/rbd/1.0'>
  <name>ceph</name>
  <source>
    <host name='mon1' port='6789'/>
    <host name='::1'/>
    <name>images</name>
    <auth type='ceph' username='libvirt'>
      <secret usage='ceph key'/>
    </auth>
  </source>
  <refresh>
    <volume allocation='capacity'/>
  </refresh>
  <rbd:config_opts>
    <rbd:option name='client_mount_timeout' value='45'/>
    <rbd:option name='rados_mon_op_timeout' value='10'/>
  </rbd:config_opts>
</pool>
"""
SHARE = """\
<pool type='netfs' xmlns:fs='http://libvirt.org/schemas/storagepool/fs/1.0'>
  <name>share</name>
  <source>
    <host name='nas'/>
    <dir path='/export'/>
    <format type='nfs'/>
  </source>
  <target>
    <path>/srv/share</path>
  </target>
  <fs:mount_opts>
    <fs:option name='noatime'/>
    <fs:option name='nodev'/>
  </fs:mount_opts>
</pool>
"""
VOLUME = """\
<volume>
  <name>web.qcow2</name>
  <capacity unit='bytes'>21474836480</capacity>
  <target>
    <format type='qcow2'/>
    <nocow/>
    <clusterSize unit='B'>131072</clusterSize>
    <features>
      <lazy_refcounts/>
    </features>
  </target>
</volume>
"""
CAPABILITIES = """\
<storagepoolCapabilities>
  <pool type='dir' supported='yes'>
    <volOptions>
      <defaultFormat type='raw'/>
      <enum name='targetFormatType'>
        <value>raw</value>
        <value>qcow2</value>
      </enum>
    </volOptions>
  </pool>
</storagepoolCapabilities>
"""


@pytest.mark.parametrize(
    ("document", "text"),
    [
        pytest.param(
            PoolSpec.dir(
                "images",
                "/srv/images",
                permissions=Permissions(
                    mode=0o711, owner=-1, group=107, label="system_u:object_r:virt_image_t:s0"
                ),
            ),
            DIR,
            id="text",
        ),
        pytest.param(
            PoolSpec.rbd(
                "ceph",
                hosts=["mon1:6789", "::1"],
                source_name="images",
                auth=Auth.ceph("libvirt", usage="ceph key"),
                config_options={"client_mount_timeout": "45", "rados_mon_op_timeout": "10"},
                refresh_allocation="capacity",
            ),
            CEPH,
            id="wrapped",
        ),
        pytest.param(
            PoolSpec.netfs(
                "share",
                "/srv/share",
                host="nas",
                dir="/export",
                format="nfs",
                mount_options=["noatime", "nodev"],
            ),
            SHARE,
            id="values",
        ),
        pytest.param(
            VolumeSpec.qcow2("web.qcow2", "20 GiB", cluster_size="128 KiB", lazy_refcounts=True, nocow=True),
            VOLUME,
            id="flag",
        ),
        pytest.param(
            PoolCapabilities(
                pools=(
                    PoolTypeCapabilities(
                        type="dir",
                        supported=True,
                        volume_options=CapabilityOptions(
                            default_format="raw",
                            enums=(CapabilityEnum(name="targetFormatType", values=("raw", "qcow2")),),
                        ),
                    ),
                )
            ),
            CAPABILITIES,
            id="texts",
        ),
        pytest.param(SecretSpec(), "<secret/>\n", id="nothing"),
        pytest.param(
            SecretSpec(private=True, ephemeral=False), "<secret ephemeral='no' private='yes'/>\n", id="switch"
        ),
    ],
)
def test_documents_are_written_as_libvirt_does(document: Any, text: str) -> None:
    assert document.to_xml() == text
    assert type(document).from_xml(text) == document


def test_what_libvirt_reports_is_written_when_asked_for() -> None:
    volume = VolumeSpec(
        name="v",
        type=VolumeType.FILE,
        key="/v",
        physical=1,
        target=VolumeTarget(path="/v", timestamps=Timestamps(atime=1_500_000_000)),
    )
    assert volume.to_xml() == "<volume>\n  <name>v</name>\n  <target/>\n</volume>\n"
    assert volume.to_xml(reported=True) == (
        "<volume type='file'>\n  <name>v</name>\n  <key>/v</key>\n  <physical unit='bytes'>1</physical>\n"
        "  <target>\n    <path>/v</path>\n    <timestamps>\n      <atime>1.500000000</atime>\n"
        "    </timestamps>\n  </target>\n</volume>\n"
    )


def test_reported_parts_of_inner_elements_are_left_out() -> None:
    device = Device(path="/dev/sdb", free_extents=(FreeExtent(start=0, end=5),))
    pool = PoolSpec.disk("d", device)
    assert "freeExtent" not in pool.to_xml()
    assert "<freeExtent start='0' end='5'/>" in pool.to_xml(reported=True)


# ---- characters -----------------------------------------------------------------------------------------------------

ODD = "<&>'\" \t\r\n]]> é 💾 \u0085\u2028 "


def test_odd_characters_are_escaped() -> None:
    assert escape(ODD) == "&lt;&amp;&gt;&apos;&quot; &#9;&#13;&#10;]]&gt; é 💾 \u0085\u2028 "


def test_odd_characters_come_back() -> None:
    pool = PoolSpec.dir(ODD.replace("\n", ""), "/srv", vendor=ODD, permissions=Permissions(label=ODD))
    again = PoolSpec.from_xml(pool.to_xml())
    assert again == pool
    assert again.source.vendor == ODD  # type: ignore[union-attr]


@pytest.mark.parametrize("text", ["a\0", "\x01", "\x0b", "\x1f", "\ud800", "\ufffe", "\uffff"])
def test_what_xml_cannot_carry_is_refused(text: str) -> None:
    """Constructors refuse it, too; what comes around them is caught here."""
    with pytest.raises(ValueError, match=r"which XML cannot represent$"):
        escape(text)
    broken = construct(VolumeTarget, {**values(VolumeTarget()), "compat": text})
    with pytest.raises(ValueError, match=r"which XML cannot represent$"):
        construct(VolumeSpec, {**values(VolumeSpec(name="v")), "target": broken}).to_xml()


def values(element: Any) -> dict[str, Any]:
    return {field.name: getattr(element, field.name) for field in attrs.fields(type(element))}


@pytest.mark.parametrize("character", ["\x7f", "\x80", "\ue000", "\ufffd", "\U0010ffff"])
def test_what_xml_can_carry_is_written(character: str) -> None:
    volume = VolumeSpec(name=f"a{character}b")
    assert VolumeSpec.from_xml(volume.to_xml()) == volume


def test_the_word_of_an_unknown_volume_type_is_escaped() -> None:
    text = "<volume type='a&amp;&lt;b'><name>v</name><target/></volume>"
    volume = VolumeSpec.from_xml(text)
    assert volume.type == "a&<b"
    assert VolumeSpec.from_xml(volume.to_xml(reported=True)) == volume


def test_unknown_words_are_escaped() -> None:
    odd = UnknownWord("a'b\"<&>")
    volume = VolumeSpec(name="v", target=VolumeTarget(format=odd))
    assert VolumeSpec.from_xml(volume.to_xml()) == volume
    pool = PoolSpec(
        name="p",
        source=ScsiSource(adapter=UnknownAdapter(type=odd)),
        target=PoolSpec.mpath("m").target,
    )
    assert PoolSpec.from_xml(pool.to_xml()) == pool
    root = etree.fromstring(pool.to_xml().replace("type='scsi'", f"type='{escape(odd)}'").encode())
    assert (
        PoolSpec.from_xml(etree.tostring(root)).to_xml().startswith('<pool type="a\'b&quot;&lt;&amp;&gt;">')
    )


# ---- what is not known ----------------------------------------------------------------------------------------------


def test_an_unknown_part_needs_its_place() -> None:
    def with_part(path: str) -> str:
        return VolumeSpec(name="v", unknown=(Unknown(path, "<newer/>"),)).to_xml()

    bare = VolumeSpec(name="v").to_xml()
    assert "  <target>\n    <newer/>\n  </target>\n" in with_part("/volume/target/newer")
    assert etree.canonicalize(with_part("/volume/backingStore/newer")) == etree.canonicalize(bare)
    assert etree.canonicalize(with_part("/volume/fs:mount_opts/newer")) == etree.canonicalize(bare)


def test_unknown_parts_share_lines_with_nothing() -> None:
    parts = (
        Unknown("/volume/a", "<a/>"),
        Unknown("/volume/target/b", "<b/>"),
        Unknown("/volume/name/c", "<c/>"),
    )
    assert VolumeSpec(name="v", unknown=parts).to_xml() == (
        "<volume>\n  <name>v\n    <c/>\n  </name>\n  <target>\n    <b/>\n  </target>\n  <a/>\n</volume>\n"
    )


# ---- compiled code --------------------------------------------------------------------------------------------------


def test_a_traceback_shows_the_compiled_line() -> None:
    broken = construct(Permissions, {"mode": "rwx", "owner": None, "group": None, "label": None})
    pool = PoolSpec.dir("p", "/p")
    assert pool.target
    target = construct(type(pool.target), {"path": "/p", "permissions": broken})
    with pytest.raises(ValueError, match="format code") as caught:
        construct(PoolSpec, {**values(pool), "target": target}).to_xml()
    frames = traceback.extract_tb(caught.tb)
    assert frames[-1].filename == "<libstorage writer of PoolSpec>"
    assert frames[-1].line == 'if v is not None: s4 += f"      <mode>0{v:o}</mode>\\n"'
    assert linecache.getline(frames[-1].filename, 1) == "def write(o):\n"
