"""Kinds: what each reads, what it refuses and with which words, what it takes from a person, and what it writes."""

from __future__ import annotations

import re
from typing import Any

import pytest

from libstorage.enums import VolumeFormat, VolumeType
from libstorage.models.source_parts import HOST_NAME
from libstorage.models.volume import PATH_OR_URI, VOLUME_NAME
from libstorage.units import Size
from libstorage.xml import kinds
from libstorage.xml.kinds import Kind, UnknownWord, matching, number, numbered, pci, words
from libstorage.xml.wording import not_valid

FORMAT = words(VolumeFormat)
TYPE = numbered(VolumeType)
PORT = number("port", -1, 65535)
SLOT = pci("slot", 2, 0x1F)
VERSION = matching("version", r"[0-9]+\.[0-9]+", "a version, such as 1.1")
FORMATS = ", ".join(VolumeFormat)
TYPES = ", ".join(member.word for member in VolumeType)

UUID = "2ec115d7-3a88-3ceb-bc12-0ac909a6fd87"

# kind, text, value
READ: list[tuple[Kind, str, Any]] = [
    (kinds.TEXT, "", ""),
    (kinds.TEXT, " a\n", " a\n"),
    (kinds.UUID, UUID, UUID),
    (kinds.UUID, "2EC115D73a883cebbc120ac909a6fd87", UUID),
    (kinds.UUID, UUID.upper(), UUID),
    (kinds.SIZE, " 5 ", Size(5)),
    (kinds.SIZE, "5 KiB", Size(5120)),
    (kinds.OFFSET, str(2**64 - 1), 2**64 - 1),
    (PORT, " 80\n", 80),
    (PORT, "+80", 80),
    (PORT, "-1", -1),
    (PORT, "007", 7),
    (kinds.YES_NO, "yes", True),
    (kinds.YES_NO, " no\n", False),
    (kinds.ON_OFF, "on", True),
    (kinds.ON_OFF, "off", False),
    (kinds.MODE, "0755", 0o755),
    (kinds.MODE, "0", 0),
    (kinds.MODE, "1777", 0o1777),
    (kinds.OWNER, "-1", -1),
    (kinds.OWNER, "0744", 744),
    (kinds.OWNER, "4294967295", 2**32 - 1),
    (kinds.OWNER, "-2", 2**32 - 2),
    (kinds.OWNER, "-2147483648", 2**31),
    (kinds.OWNER, "-2147483649", -(2**31) - 1),
    (kinds.TIMESTAMP, "1341933637.273190990", 1341933637273190990),
    (kinds.TIMESTAMP, "1341933637", 1341933637000000000),
    (kinds.TIMESTAMP, "0.5", 500_000_000),
    (kinds.TIMESTAMP, "1.", 1_000_000_000),
    (SLOT, "0x1f", 31),
    (SLOT, "0X1F", 31),
    (SLOT, "1f", 31),
    (SLOT, "037", 31),
    (SLOT, "08", 8),
    (SLOT, "0181", 181),
    (SLOT, " +31 ", 31),
    (FORMAT, "qcow2", VolumeFormat.QCOW2),
    (FORMAT, " hfs+\n", VolumeFormat.HFS_PLUS),
    (FORMAT, "qcow3", UnknownWord("qcow3")),
    (TYPE, "netdir", VolumeType.NETDIR),
    (TYPE, " file", VolumeType.FILE),
    (TYPE, "object", UnknownWord("object")),
    (VERSION, "one", "one"),
]

# kind, text, reason
REFUSED: list[tuple[Kind, str, str]] = [
    (kinds.UUID, "2ec115d7", "'2ec115d7' is not a UUID"),
    (kinds.UUID, f" {UUID}", f"' {UUID}' is not a UUID"),
    (kinds.SIZE, "ten", "'ten' is not a size: write a whole number and a unit, such as '20 GiB'"),
    (kinds.SIZE, "-1", "'-1' is negative: a size is 0 or more bytes"),
    (kinds.OFFSET, "1_000", "'1_000' is not a whole number"),
    (kinds.OFFSET, "٣", "'٣' is not a whole number"),
    (kinds.OFFSET, "", "'' is not a whole number"),
    (PORT, "http", "'http' is not a whole number"),
    (PORT, "--1", "'-1' is not a whole number"),
    (kinds.YES_NO, "on", "'on' is not 'yes' or 'no'"),
    (kinds.ON_OFF, "ON", "'ON' is not 'on' or 'off'"),
    (kinds.MODE, "0o755", "'0o755' is not an octal mode"),
    (kinds.MODE, "0780", "'0780' is not an octal mode"),
    (kinds.MODE, "0790", "'0790' is not an octal mode"),
    (kinds.MODE, "-1", "'-1' is not an octal mode"),
    (kinds.TIMESTAMP, "yesterday", "'yesterday' is not a time"),
    (kinds.TIMESTAMP, "1.0123456789", "'1.0123456789' is not a time"),
    (kinds.TIMESTAMP, "-1", "'-1' is not a time"),
    (SLOT, "0x", "'0x' is not a PCI number"),
    (SLOT, "0x1_f", "'0x1_f' is not a PCI number"),
    (SLOT, "", "'' is not a PCI number"),
    (SLOT, "-1", "'-1' is not a PCI number"),
]

# kind, value, what is wrong with it
JUDGED: list[tuple[Kind, Any, str | None]] = [
    (kinds.TEXT, "", None),
    (kinds.TEXT, "tab\tline\r\n\U0001f600", None),
    (kinds.TEXT, 5, "5 is an int; expected a string"),
    (kinds.TEXT, b"a", "b'a' is a bytes; expected a string"),
    (kinds.TEXT, "a\0b", r"'a\x00b' holds '\x00', which XML cannot represent"),
    (kinds.TEXT, "\x1b[31m", r"'\x1b[31m' holds '\x1b', which XML cannot represent"),
    (kinds.TEXT, "\ud800", "holds '\\ud800', which XML cannot represent"),
    (kinds.TEXT, "\uffff", "holds '\\uffff', which XML cannot represent"),
    (kinds.UUID, UUID, None),
    (kinds.UUID, "00000000-0000-0000-0000-000000000000", None),
    (
        kinds.UUID,
        UUID.upper(),
        "'2EC115D7-3A88-3CEB-BC12-0AC909A6FD87' is not valid; expected a UUID: 32 hexadecimal digits, with hyphens as in 3e3fce45-4f53-4fa7-bb32-11f34168b82b or without any",
    ),
    (
        kinds.UUID,
        5,
        "5 is an int; expected a UUID: 32 hexadecimal digits, with hyphens as in 3e3fce45-4f53-4fa7-bb32-11f34168b82b or without any",
    ),
    (kinds.SIZE, Size(5), None),
    (kinds.SIZE, 5, "5 is an int; expected a Size"),
    (kinds.SIZE, -5, "-5 is negative: a size is 0 or more bytes"),
    (kinds.SIZE, True, "True is a bool; expected a size, in bytes or with a unit"),
    (kinds.SIZE, 1.5, "1.5 is a float; expected a size, in bytes or with a unit"),
    (kinds.SIZE, None, "None is a NoneType; expected a size, in bytes or with a unit"),
    (
        kinds.SIZE,
        "1.5 GiB",
        "'1.5 GiB' is not a whole number, which is all that libvirt reads; write '1536 MiB'",
    ),
    (PORT, -1, None),
    (PORT, 65535, None),
    (PORT, 65536, "65536 is not valid; expected a whole number from -1 to 65535"),
    (PORT, -2, "-2 is not valid; expected a whole number from -1 to 65535"),
    (PORT, True, "True is a bool; expected a whole number from -1 to 65535"),
    (PORT, "80", "'80' is a str; expected a whole number from -1 to 65535"),
    (PORT, 80.0, "80.0 is a float; expected a whole number from -1 to 65535"),
    (kinds.OFFSET, 2**64 - 1, None),
    (
        kinds.OFFSET,
        2**64,
        "18446744073709551616 is not valid; expected a whole number from 0 to 18446744073709551615",
    ),
    (kinds.YES_NO, True, None),
    (kinds.YES_NO, "yes", "'yes' is a str; expected True or False"),
    (kinds.ON_OFF, 1, "1 is an int; expected True or False"),
    (kinds.MODE, 0o777, None),
    (kinds.MODE, 0o1777, "0o1777 is not valid; expected an octal mode from 0 to 0777"),
    (kinds.MODE, 755, "755 is not valid; expected an octal mode from 0 to 0777 (did you mean 0o755?)"),
    (kinds.MODE, 600, "600 is not valid; expected an octal mode from 0 to 0777 (did you mean 0o600?)"),
    (kinds.MODE, 999, "0o1747 is not valid; expected an octal mode from 0 to 0777"),
    (kinds.MODE, "rwx", "'rwx' is not valid; expected an octal mode from 0 to 0777"),
    (kinds.OWNER, -1, None),
    (
        kinds.OWNER,
        -2,
        "-2 is not valid; expected the number of a user or group, or -1 to leave it to libvirt",
    ),
    (
        kinds.OWNER,
        "root",
        "'root' is a str; expected the number of a user or group, or -1 to leave it to libvirt",
    ),
    (kinds.TIMESTAMP, 0, None),
    (kinds.TIMESTAMP, 1.5, "1.5 is a float; expected nanoseconds since 1970"),
    (SLOT, 0x1F, None),
    (SLOT, 0x20, "0x20 is not valid; expected a number from 0 to 0x1f"),
    (FORMAT, VolumeFormat.RAW, None),
    (FORMAT, UnknownWord("qcow3"), None),
    (FORMAT, "qcwo2", f"'qcwo2' is not valid; expected one of {FORMATS} (did you mean 'qcow2'?)"),
    (FORMAT, "zzz", f"'zzz' is not valid; expected one of {FORMATS}"),
    (FORMAT, 5, f"5 is an int; expected one of {FORMATS}"),
    (TYPE, VolumeType.FILE, None),
    (TYPE, UnknownWord("object"), None),
    (TYPE, "fil", f"'fil' is not valid; expected one of {TYPES} (did you mean 'file'?)"),
    (TYPE, 0, f"0 is an int; expected one of {TYPES}"),
    (TYPE, VolumeType(99), f"<VolumeType: 99 (unknown)> is a VolumeType; expected one of {TYPES}"),
    (VERSION, "1.1", None),
    (VERSION, "1.1\n", "'1.1\\n' is not valid; expected a version, such as 1.1"),
    (VERSION, 1.1, "1.1 is a float; expected a version, such as 1.1"),
]

# kind, value, text
WRITTEN: list[tuple[Kind, Any, str]] = [
    (kinds.SIZE, Size("5 KiB"), "5120"),
    (PORT, -1, "-1"),
    (kinds.YES_NO, True, "yes"),
    (kinds.ON_OFF, False, "off"),
    (kinds.MODE, 0o755, "0755"),
    (kinds.MODE, 0, "00"),
    (kinds.TIMESTAMP, 1341933637273190990, "1341933637.273190990"),
    (kinds.TIMESTAMP, 5_000_000_000, "5"),
    (kinds.TIMESTAMP, 1, "0.000000001"),
    (SLOT, 0x1F, "0x1f"),
    (pci("domain", 4, 0xFFFF), 1, "0x0001"),
    (FORMAT, VolumeFormat.HFS_PLUS, "hfs+"),
    (TYPE, VolumeType.NETDIR, "netdir"),
    (TYPE, UnknownWord("object"), "object"),
]


def named(rows: list[tuple[Kind, Any, Any]]) -> list[Any]:
    return [pytest.param(*row, id=f"{row[0].name} {row[1]!r}") for row in rows]


@pytest.mark.parametrize(("kind", "text", "value"), named(READ))
def test_it_reads(kind: Kind, text: str, value: Any) -> None:
    found = kind.read(text)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(("kind", "text", "reason"), named(REFUSED))
def test_it_refuses(kind: Kind, text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(reason)}$"):
        kind.read(text)


@pytest.mark.parametrize(("kind", "text", "_"), named(READ + REFUSED))
def test_the_fast_way_reads_nothing_differently(kind: Kind, text: str, _: Any) -> None:
    if kind.fast is None:
        return
    try:
        found = kind.fast(text)
    except (ValueError, KeyError):
        return
    assert found == kind.read(text)
    assert type(found) is type(kind.read(text))


@pytest.mark.parametrize(("kind", "value", "problem"), named(JUDGED))
def test_it_judges(kind: Kind, value: Any, problem: str | None) -> None:
    wrong = kind.check(value)
    assert (wrong and str(wrong)) == problem


@pytest.mark.parametrize(("kind", "value", "text"), named(WRITTEN))
def test_it_writes(kind: Kind, value: Any, text: str) -> None:
    assert _written(kind, value) == text
    assert kind.read(text) == value


def _written(kind: Kind, value: Any) -> str:
    if kind.vocabulary and isinstance(value, kind.vocabulary[0]):
        return kind.vocabulary[1][value.value]
    return kind.write(value) if kind.write else kind.template.format(v=value)


@pytest.mark.parametrize(
    "kind", [PORT, SLOT, kinds.OFFSET, kinds.MODE, kinds.OWNER, kinds.TIMESTAMP], ids=lambda kind: kind.name
)
def test_limits_are_the_least_and_the_most(kind: Kind) -> None:
    assert kind.limits
    low, high = kind.limits
    assert [kind.check(value) for value in (low, high)] == [None, None]
    assert None not in (kind.check(low - 1), kind.check(high + 1))
    if kind is not kinds.TIMESTAMP:
        assert str(low) in kind.expected


def test_kinds_of_one_list_are_one() -> None:
    """So that checkers of descriptions may compare them."""
    assert words(VolumeFormat) is FORMAT
    assert FORMAT.words is VolumeFormat
    assert VERSION.pattern == r"[0-9]+\.[0-9]+"
    assert PORT.limits == (-1, 65535)


# ---- patterns -------------------------------------------------------------------------------------------------------

HOSTS = [
    "[::1]",  # as mount takes it; libvirt takes it, too, though not its schema
    "localhost",
    "mon-1.example.com",
    "192.0.2.255",
    "::",
    "::1",
    "2001:db8::",
    "2001:db8::1:2",
    "1:2:3:4:5:6:7:8",
    "1:2:3:4:5:6:192.0.2.1",
    "::ffff:192.0.2.1",
    "2001:db8:0:0:0:0::1",
]
NO_HOSTS = [
    "",
    "a_b",
    "a b",
    "::1%eth0",
    "1:2:3",
    "1:2:3:4:5:6:7:8:9",
    "::256.0.0.1",
    "12345::",
    "ä",
    "a\n",
]


@pytest.mark.parametrize("text", HOSTS)
def test_host_names(text: str) -> None:
    assert HOST_NAME.check(text) is None


@pytest.mark.parametrize("text", NO_HOSTS)
def test_no_host_names(text: str) -> None:
    expected = "a DNS name, an IPv4 address or an IPv6 address without brackets"
    assert HOST_NAME.check(text) == not_valid(text, expected)


@pytest.mark.parametrize("text", ["a", " ", "...", ". .", "-rf", "a\nb", "\u00a0.", "é", "💾.img"])
def test_volume_names(text: str) -> None:
    assert VOLUME_NAME.check(text) is None


@pytest.mark.parametrize("text", ["", ".", "..", " . ", "..\n", "a/b", "/"])
def test_no_volume_names(text: str) -> None:
    assert VOLUME_NAME.check(text) == not_valid(text, "a name without '/', and neither '.' nor '..'")


@pytest.mark.parametrize(
    "text",
    [
        "/srv/a b",
        "/ü",
        "C:\\a",
        "images/web.raw",
        "ip-192.0.2.1:3260-iscsi-iqn.2013-06.com.example:t-lun-1",
        "gluster://host.example.com:24007/volume/file",
        "gluster://[::1]/volume",
        "file:///srv/a%20b",
    ],
)
def test_paths_that_libvirt_reports(text: str) -> None:
    assert PATH_OR_URI.check(text) is None


@pytest.mark.parametrize(
    "text", ["", "/", "a b", "/a\nb", "a:%zz", "http://host:port/", "x#y", "gluster://a:999999/"]
)
def test_no_paths(text: str) -> None:
    assert PATH_OR_URI.check(text) == not_valid(text, "an absolute path or a URI")
