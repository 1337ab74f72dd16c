"""Reading: every kind of problem with its path and line, and what is kept of the rest."""

from __future__ import annotations

import contextlib
import time
from typing import Any

import attrs
import pytest

from libstorage.enums import PoolType, VolumeFormat
from libstorage.errors import DocumentError, Problem, UnsupportedError
from libstorage.models.adapters import FcHostAdapter, ScsiHostAdapter, UnknownAdapter
from libstorage.models.auth import SecretRef
from libstorage.models.capabilities import CapabilityOptions, PoolCapabilities
from libstorage.models.pool import PoolSpec
from libstorage.models.secret import SecretSpec
from libstorage.models.sources import DirSource, LogicalSource, MpathSource, UnknownSource
from libstorage.models.volume import VolumeSpec
from libstorage.units import Size
from libstorage.xml.document import Document
from libstorage.xml.fields import Unknown
from libstorage.xml.kinds import UnknownWord

FS = "http://libvirt.org/schemas/storagepool/fs/1.0"
RBD = "http://libvirt.org/schemas/storagepool/rbd/1.0"
TYPES = ", ".join(PoolType)


def volume(inside: str) -> VolumeSpec:
    return VolumeSpec.from_xml(f"<volume>\n<name>v</name>\n{inside}</volume>")


def target(inside: str) -> VolumeSpec:
    return volume(f"<target>{inside}</target>")


def pool(type: str, source: str, more: str = "") -> PoolSpec:
    spaces = f"xmlns:f='{FS}' xmlns:r='{RBD}'"
    return PoolSpec.from_xml(
        f"<pool type='{type}' {spaces}>\n<name>p</name>\n<source>{source}</source>{more}</pool>"
    )


def problems_of(model: type[Document], xml: str) -> list[str]:
    with pytest.raises(DocumentError) as caught:
        model.from_xml(xml)
    return [str(problem) for problem in caught.value.problems]


# ---- problems -------------------------------------------------------------------------------------------------------

VOLUMES = [
    ("<pool/>", "/pool (line 1): <pool> cannot be the root element; expected <volume>"),
    (
        "<image><name>a</name></image>",
        "/image (line 1): <image> cannot be the root element; expected <volume>",
    ),
    (
        "<volume><name>a</name><target><permissions><owner>\n<b/></owner></permissions></target></volume>",
        "/volume/target/permissions/owner/b (line 2): <b> stands inside <owner>, which holds a value and no elements",
    ),
    ("<volume/>", "/volume (line 1): <name> is missing"),
    (
        "<volume><name>a</name><capacity unit='bytes'>9223372036854775808</capacity></volume>",
        "/volume/capacity (line 1): '9223372036854775808 bytes' is too large; expected at most 9223372036854775807 bytes (8 EiB less 1), the largest size that libvirt supports",
    ),
    (
        "<volume>\n<name>a</name>\n<name>b</name></volume>",
        "/volume/name[2] (line 3): <name> is given more than once",
    ),
    (
        "<volume>\n<name>a</name>stray</volume>",
        "/volume (line 1): 'stray' stands in <volume>, which takes no text",
    ),
    (
        "<volume><name>a<b/></name></volume>",
        "/volume/name/b (line 1): <b> stands inside <name>, which holds a value and no elements",
    ),
    (
        "<volume><name>a</name>\n<capacity>ten</capacity></volume>",
        "/volume/capacity (line 2): 'ten' is not valid; expected a whole number from 0 to 2^63 - 1, with its unit, if any, in the attribute 'unit'",
    ),
    (
        "<volume><name>a</name>\n<capacity>1 KiB</capacity></volume>",
        "/volume/capacity (line 2): '1 KiB' is not valid; expected a whole number from 0 to 2^63 - 1, with its unit, if any, in the attribute 'unit'",
    ),
    (
        "<volume><name>a</name><capacity/></volume>",
        "/volume/capacity (line 1): '' is not valid; expected a whole number from 0 to 2^63 - 1, with its unit, if any, in the attribute 'unit'",
    ),
    (
        "<volume><name>a</name><capacity unit='blocks'>1</capacity></volume>",
        "/volume/capacity/@unit (line 1): 'blocks' is not valid; expected bytes, or K, M, G, T, P or E: alone or as KiB for powers of 1024, as KB for powers of 1000",
    ),
    (
        "<volume><name>a</name><capacity unit='EiB'>8</capacity></volume>",
        "/volume/capacity (line 1): '8 EiB' is too large; expected at most 9223372036854775807 bytes (8 EiB less 1), the largest size that libvirt supports",
    ),
    (
        "<volume><name>a</name><target>\n<format/></target></volume>",
        "/volume/target/format (line 2): attribute 'type' is missing; expected one of unknown, raw, dir, bochs, cloop, dmg, iso, vpc, vdi, fat, vhd, ploop, luks, cow, qcow, qcow2, qed, vmdk, none, auto, ext2, ext3, ext4, ufs, iso9660, udf, gfs, gfs2, vfat, hfs+, xfs, ocfs2, vmfs, linux, fat16, fat32, linux-swap, linux-lvm, linux-raid, extended",
    ),
    (
        "<volume><name>a</name><target><format type='raw'>raw</format></target></volume>",
        "/volume/target/format (line 1): 'raw' stands in <format>, which takes no text",
    ),
    (
        "<volume><name>a</name><target><nocow>yes</nocow></target></volume>",
        "/volume/target/nocow (line 1): 'yes' stands in <nocow>, which takes no text",
    ),
    (
        "<volume><name>a</name><target><permissions>\n<mode>rwx</mode></permissions></target></volume>",
        "/volume/target/permissions/mode (line 2): 'rwx' is not valid; expected an octal mode, such as 0755",
    ),
    (
        "<volume><name>a</name><target><permissions><owner>root</owner></permissions></target></volume>",
        "/volume/target/permissions/owner (line 1): 'root' is not valid; expected the number of a user or group, or -1 to leave it to libvirt",
    ),
    (
        "<volume><name>a</name><target><timestamps><atime>now</atime></timestamps></target></volume>",
        "/volume/target/timestamps/atime (line 1): 'now' is not valid; expected seconds since 1970, with at most nine decimals",
    ),
    (
        "<volume><name>a</name><target><encryption><secret uuid='a' type='key'/></encryption></target></volume>",
        "/volume/target/encryption/secret/@type (line 1): 'key' is not valid; expected passphrase",
        "/volume/target/encryption (line 1): attribute 'format' is missing; expected one of default, qcow, luks, luks2, luks-any",
    ),
    (
        (
            "<volume><name>a</name><source>\n<device><extent start='0'/></device>\n"
            "<device path='/a'><extent start='x' end='2'/></device></source></volume>"
        ),
        "/volume/source/device[1]/extent (line 2): attribute 'end' is missing; expected a whole number from 0 to 18446744073709551615",
        "/volume/source/device[1] (line 2): attribute 'path' is missing; expected an absolute path below /, such as /srv/images",
        "/volume/source/device[2]/extent/@start (line 3): 'x' is not valid; expected a whole number from 0 to 18446744073709551615",
    ),
    ("<volume><name>a</name><backingStore/></volume>", "/volume/backingStore (line 1): <path> is missing"),
]

POOLS = [
    ("<pool><name>a</name></pool>", f"/pool (line 1): attribute 'type' is missing; expected one of {TYPES}"),
    (
        "<pool type=' '><name>a</name></pool>",
        f"/pool/@type (line 1): ' ' is not valid; expected one of {TYPES}",
    ),
    (
        "<pool type='dir'><uuid>x</uuid></pool>",
        "/pool/uuid (line 1): 'x' is not valid; expected a UUID: 32 hexadecimal digits, with hyphens as in 3e3fce45-4f53-4fa7-bb32-11f34168b82b or without any",
        "/pool (line 1): <name> is missing",
    ),
    ("<pool type='fs'><name>a</name></pool>", "/pool (line 1): <source> is missing"),
    (
        "<pool type='fs'><name>a</name><source/>\n<source/></pool>",
        "/pool/source[2] (line 2): <source> is given more than once",
        "/pool/source[1] (line 1): <device> is missing",
    ),
    ("<pool type='scsi'><name>a</name><source/></pool>", "/pool/source (line 1): <adapter> is missing"),
    ("<pool type='fs'>\n<name>a</name>\n<source/></pool>", "/pool/source (line 3): <device> is missing"),
    (
        "<pool type='scsi'><name>a</name><source><adapter type='fc_host' managed='perhaps'/></source></pool>",
        "/pool/source/adapter/@managed (line 1): 'perhaps' is not valid; expected one of yes, no",
        "/pool/source/adapter (line 1): attribute 'wwnn' is missing; expected a World Wide Name: 16 hexadecimal digits, with or without 0x before them",
        "/pool/source/adapter (line 1): attribute 'wwpn' is missing; expected a World Wide Name: 16 hexadecimal digits, with or without 0x before them",
    ),
    (
        (
            f"<pool type='dir' xmlns:f='{FS}'><name>a</name>"
            "<f:mount_opts>x<f:option/><f:option name='a'>b</f:option></f:mount_opts></pool>"
        ),
        "/pool/f:mount_opts (line 1): 'x' stands in <f:mount_opts>, which takes no text",
        "/pool/f:mount_opts/f:option[1] (line 1): attribute 'name' is missing",
        "/pool/f:mount_opts/f:option[2] (line 1): 'b' stands in <f:option>, which takes no text",
    ),
    (
        f"<pool type='dir' xmlns:r='{RBD}'><name>a</name><r:config_opts><r:option name='a'/></r:config_opts></pool>",
        "/pool/r:config_opts/r:option (line 1): attribute 'value' is missing",
    ),
]


@pytest.mark.parametrize(
    ("xml", "expected"), [pytest.param(row[0], list(row[1:]), id=row[1]) for row in VOLUMES]
)
def test_problems_of_volumes(xml: str, expected: list[str]) -> None:
    assert problems_of(VolumeSpec, xml) == expected


@pytest.mark.parametrize(
    ("xml", "expected"), [pytest.param(row[0], list(row[1:]), id=row[1]) for row in POOLS]
)
def test_problems_of_pools(xml: str, expected: list[str]) -> None:
    assert problems_of(PoolSpec, xml) == expected


def test_a_problem_is_data() -> None:
    with pytest.raises(DocumentError) as caught:
        volume("<capacity>\n ten </capacity>")
    assert caught.value.problems == (
        Problem(
            "/volume/capacity",
            "is not valid",
            line=3,
            found="\n ten ",
            expected="a whole number from 0 to 2^63 - 1, with its unit, if any, in the attribute 'unit'",
        ),
    )


def test_a_long_text_is_shown_in_part() -> None:
    (problem,) = problems_of(VolumeSpec, f"<volume><name>v</name>{'long ' * 1000}</volume>")
    assert problem.startswith("/volume (line 1): 'long long ")
    assert len(problem) < 200


def test_all_problems_are_found_at_once() -> None:
    found = problems_of(
        PoolSpec,
        "<pool type='iscsi'><uuid>1</uuid><capacity>a</capacity><source><host port='x'/><device/></source>"
        "<target><permissions><mode>9</mode><group>wheel</group></permissions></target></pool>",
    )
    assert [line.split(" ")[0] for line in found] == [
        "/pool/uuid",
        "/pool/capacity",
        "/pool/source/host/@port",
        "/pool/source/host",
        "/pool/source/device",
        "/pool/target/permissions/mode",
        "/pool/target/permissions/group",
        "/pool",
    ]


def test_at_most_100_problems_are_told() -> None:
    found = problems_of(VolumeSpec, "<volume>" + "<capacity>x</capacity>" * 150 + "</volume>")
    assert len(found) == 100
    assert found[0] == "/volume/capacity[2] (line 1): <capacity> is given more than once"


def test_at_most_1000_parts_may_be_unknown() -> None:
    kept = volume("<newer/>" * 1000)
    assert len(kept.unknown) == 1000
    found = problems_of(VolumeSpec, "<volume>" + "<newer/>" * 1001 + "</volume>")
    assert found == ["/volume/newer[1001] (line 1): more than 1000 parts of the document are unknown"]


def test_words_of_a_list_that_is_not_open() -> None:
    found = problems_of(
        PoolCapabilities,
        "<storagepoolCapabilities><pool type='dir' supported='maybe'/></storagepoolCapabilities>",
    )
    assert found == [
        "/storagepoolCapabilities/pool/@supported (line 1): 'maybe' is not valid; expected one of yes, no"
    ]


HOSTS = "<pool type='rbd'><name>p</name><source>{}<name>s</name></source></pool>".format(
    "<host name='a'/>" * 45_000
)
VALUES = "<storagepoolCapabilities><pool type='dir' supported='yes'><poolOptions><enum name='a'>{}</enum></poolOptions></pool></storagepoolCapabilities>".format(
    "<value>a</value>" * 45_000
)
ATTRIBUTES = "<volume {}><name>v</name></volume>".format(
    " ".join(f"a{number}=''" for number in range(45_000))
)


@pytest.mark.parametrize(
    ("model", "xml"),
    [(PoolSpec, HOSTS), (PoolCapabilities, VALUES), (VolumeSpec, ATTRIBUTES)],
    ids=["children", "texts", "attributes"],
)
def test_many_parts_take_little_time(model: type[Document], xml: str) -> None:
    """Twice as many take twice the time, not four times."""
    started = time.process_time()
    with contextlib.suppress(DocumentError):
        model.from_xml(xml)
    assert time.process_time() - started < 10  # what grew with the square took minutes


# ---- what is taken as it comes --------------------------------------------------------------------------------------


def test_blanks_around_numbers_and_words_say_nothing() -> None:
    read = volume("<capacity unit='KiB'>\n 5 </capacity><target><format type=' raw '/></target>")
    assert read.capacity == Size("5 KiB")
    assert read.target.format is VolumeFormat.RAW


def test_empty_elements_are_not_missing_ones() -> None:
    read = VolumeSpec.from_xml("<volume><name/><target><permissions><label/></permissions></target></volume>")
    assert read.name == ""
    assert read.target.permissions is not None
    assert read.target.permissions.label == ""
    assert read.target.permissions.mode is None


@pytest.mark.parametrize(
    ("shown", "size"),
    [(2**63 - 1, 2**63 - 1), (2**63, 0), (2**64 - (16 << 20), 0), (2**64 - 1, 0)],
)
def test_a_counter_of_libvirt_that_went_below_zero_is_zero(shown: int, size: int) -> None:
    xml = (
        f"<pool type='dir'><name>p</name><available unit='bytes'>{shown}</available><source/>"
        "<target><path>/srv</path></target></pool>"
    )
    assert PoolSpec.from_xml(xml).available == size
    with pytest.raises(DocumentError, match="is too large"):
        PoolSpec.from_xml(xml.replace(str(shown), str(2**64)))


def test_a_capacity_that_no_image_has_is_kept_as_libvirt_wrote_it() -> None:
    text = f"<capacity unit='bytes'>{2**63}</capacity>"
    document = f"<volume><name>v</name>{text}<target/></volume>"
    read = VolumeSpec.from_libvirt(document)
    assert read.capacity is None
    assert [part.path for part in read.unknown] == ["/volume/capacity"]
    assert VolumeSpec.from_libvirt(read.to_xml(reported=True)) == read
    assert str(2**63) in read.request(name="w").to_xml()
    with pytest.raises(DocumentError, match="is too large"):
        VolumeSpec.from_xml(document)


def test_a_volume_needs_no_target() -> None:
    assert volume("").target == volume("<target/>").target


def test_a_secret_may_be_bare() -> None:
    assert SecretSpec.from_xml("<secret/>") == SecretSpec()


def test_a_pool_may_have_no_source() -> None:
    assert PoolSpec.from_xml("<pool type='dir'><name>p</name></pool>").source == DirSource()
    assert PoolSpec.from_xml("<pool type='mpath'><name>p</name></pool>").source == MpathSource()
    assert PoolSpec.from_xml("<pool type='newer'><name>p</name></pool>").source == UnknownSource(
        type=UnknownWord("newer")
    )


def test_the_first_of_several_names_counts() -> None:
    """As for libvirt: its schema lets a volume group be named more than once."""
    read = pool("logical", "<name>first</name><name>second</name><name>third</name>", "<target/>")
    assert isinstance(read.source, LogicalSource)
    assert read.source.name == "first"
    assert read.unknown == (
        Unknown("/pool/source/name[2]", "<name>second</name>"),
        Unknown("/pool/source/name[3]", "<name>third</name>"),
    )


def test_an_adapter_without_type_is_a_scsi_host() -> None:
    read: Any = pool("scsi", "<adapter name='host0'/>").source
    assert read.adapter == ScsiHostAdapter(name="host0")
    read = pool("scsi", f"<adapter type=' fc_host ' wwnn='{'0' * 16}' wwpn='{'1' * 16}'/>").source
    assert read.adapter == FcHostAdapter(wwnn="0" * 16, wwpn="1" * 16)


# ---- what is not known ----------------------------------------------------------------------------------------------


def kept(document: Any) -> list[tuple[str, str]]:
    """What a document keeps, which is the same after it was written and read again."""
    assert type(document).from_xml(document.to_xml(reported=True)) == document
    return [(part.path, part.xml) for part in document.unknown]


def test_unknown_elements_are_kept() -> None:
    read = volume("<newer/><newer at='1'>text</newer>")
    assert kept(read) == [
        ("/volume/newer[1]", "<newer></newer>"),
        ("/volume/newer[2]", '<newer at="1">text</newer>'),
    ]
    assert read.to_xml() == (
        "<volume>\n  <name>v</name>\n  <target/>\n  <newer></newer>\n"
        '  <newer at="1">text</newer>\n</volume>\n'
    )


def test_unknown_attributes_are_kept() -> None:
    read = VolumeSpec.from_xml(
        "<volume newer='a'><name lang='de'>v</name><capacity exact='no'>1</capacity><target><format type='raw' v='2'/>"
        "<nocow why='btrfs'/></target></volume>"
    )
    assert kept(read) == [
        ("/volume/@newer", 'newer="a"'),
        ("/volume/name/@lang", 'lang="de"'),
        ("/volume/capacity/@exact", 'exact="no"'),
        ("/volume/target/format/@v", 'v="2"'),
        ("/volume/target/nocow/@why", 'why="btrfs"'),
    ]


def test_what_is_unknown_is_kept_to_the_letter() -> None:
    inside = "<deep>a <b></b> c</deep><deep>\n</deep>"
    read = target(f'<newer at="\'&quot;&lt;&#10;">{inside}</newer>')
    assert kept(read) == [("/volume/target/newer", f'<newer at="\'&quot;&lt;&#xA;">{inside}</newer>')]
    assert f'\n    <newer at="\'&quot;&lt;&#xA;">{inside}</newer>\n  </target>' in read.to_xml()


def test_namespaces_are_kept() -> None:
    read = PoolSpec.from_xml(
        "<pool type='dir' xmlns:x='urn:x' xmlns:y='urn:x' y:at='1' xml:lang='de'><name y:x='2'>p</name>"
        "<y:newer><newer xmlns='urn:z'/></y:newer></pool>"
    )
    assert kept(read) == [
        ("/pool/@ns0:at", 'xmlns:ns0="urn:x" ns0:at="1"'),
        ("/pool/@xml:lang", 'xml:lang="de"'),
        ("/pool/y:newer", '<y:newer xmlns:y="urn:x"><newer xmlns="urn:z"></newer></y:newer>'),
        ("/pool/name/@ns0:x", 'xmlns:ns0="urn:x" ns0:x="2"'),
    ]


def test_parts_of_repeated_elements_are_kept() -> None:
    read = pool(
        "rbd",
        "<host name='a'/><host name='b' at='1'/><name>s</name>",
        "<r:config_opts x='1'><r:newer/><r:option name='a' value='b' c='d'/></r:config_opts>",
    )
    assert kept(read) == [
        ("/pool/source/host[2]/@at", 'at="1"'),
        ("/pool/rbd:config_opts/@x", 'x="1"'),
        ("/pool/rbd:config_opts/r:newer", f'<r:newer xmlns:r="{RBD}"></r:newer>'),
        ("/pool/rbd:config_opts/rbd:option/@c", 'c="d"'),
    ]


@pytest.mark.parametrize("odd", ["<f:mount_opts at='1'/>", "<f:mount_opts><f:newer/></f:mount_opts>"])
def test_a_list_of_nothing_is_kept_for_one_reason(odd: str) -> None:
    assert [path for path, _ in kept(pool("dir", "", odd))] == ["/pool/fs:mount_opts"]


def test_a_list_of_nothing_known_is_kept_whole() -> None:
    whole = f'<f:mount_opts xmlns:f="{FS}" at="1"><f:newer></f:newer></f:mount_opts>'
    assert kept(pool("dir", "", "<f:mount_opts at='1'><f:newer/></f:mount_opts>")) == [
        ("/pool/fs:mount_opts", whole)
    ]
    assert kept(pool("dir", "", "<f:mount_opts/>")) == []


def test_the_same_tag_in_another_namespace_is_not_known() -> None:
    read = pool("dir", "", "<mount_opts><option name='a'/></mount_opts>")
    assert read.mount_options == ()
    assert kept(read) == [("/pool/mount_opts", '<mount_opts><option name="a"></option></mount_opts>')]


def test_unknown_words_are_kept() -> None:
    read = target(
        "<format type='qcow3'/><encryption format='luks3' engine='kernel'><secret usage='a'/></encryption>"
    )
    assert read.target.format == "qcow3"
    assert type(read.target.format) is UnknownWord
    assert "<format type='qcow3'/>\n    <encryption format='luks3' engine='kernel'>" in read.to_xml()
    assert kept(read) == []
    assert attrs.evolve(read, name="w").target.format == "qcow3"


def test_an_unknown_type_of_pool_keeps_everything() -> None:
    read = pool(
        "newer", "<host name='a'/><name>s</name>", "<target><path>/a</path><at/></target><f:mount_opts/>"
    )
    assert read.type == "newer"
    assert read.source == UnknownSource(type=UnknownWord("newer"))
    assert read.name == "p"
    assert kept(read) == [
        ("/pool/source/host", '<host name="a"></host>'),
        ("/pool/source/name", "<name>s</name>"),
        ("/pool/target/at", "<at></at>"),
    ]
    assert (
        attrs.evolve(read, name="q")
        .to_xml()
        .startswith('<pool type="newer">\n  <name>q</name>\n  <source>\n')
    )


def test_an_unknown_type_of_adapter_keeps_everything() -> None:
    read: Any = pool(
        "scsi", "<adapter type='newer' name='a'><path/></adapter>", "<target><path>/dev</path></target>"
    )
    assert read.source.adapter == UnknownAdapter(type=UnknownWord("newer"))
    assert kept(read) == [
        ("/pool/source/adapter/@name", 'name="a"'),
        ("/pool/source/adapter/path", "<path></path>"),
    ]


def test_a_part_goes_with_the_element_that_held_it() -> None:
    read = volume(
        "<physical at='1'>5</physical><target><permissions at='2'><mode>0600</mode></permissions></target>"
    )
    assert [part.path for part in read.unknown] == ["/volume/physical/@at", "/volume/target/permissions/@at"]
    assert "physical" not in read.to_xml()
    assert "at=" not in read.with_target(permissions=None).to_xml()
    options = pool("newer", "", "<f:mount_opts><f:option name='a' at='1'/></f:mount_opts>")
    assert "mount_opts" not in attrs.evolve(options, mount_options=()).to_xml()


def test_what_is_not_known_is_not_sound() -> None:
    read = pool("newer", "<nqn/>", "<target><path>/a</path></target>")
    with pytest.raises(DocumentError) as caught:
        read.check()
    assert [str(problem) for problem in caught.value.problems] == [
        f"PoolSpec.source.type: 'newer' is not valid; expected one of {TYPES}",
        "/pool/source/nqn (line 3): <nqn> (11 characters) is not known to libstorage",
    ]


def test_an_element_with_several_tags_cannot_stand_alone() -> None:
    with pytest.raises(UnsupportedError, match="cannot stand alone"):
        CapabilityOptions().to_xml()
    with pytest.raises(UnsupportedError, match="cannot stand alone"):
        CapabilityOptions.from_xml("<poolOptions/>")


def test_a_secret_alone_may_say_that_it_is_a_passphrase() -> None:
    assert SecretRef.from_xml("<secret type='passphrase' usage='a'/>") == SecretRef(usage="a")
    with pytest.raises(DocumentError, match="'other' is not valid; expected passphrase"):
        SecretRef.from_xml("<secret type='other' usage='a'/>")
