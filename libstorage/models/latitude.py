"""The documents on which reading and libvirt's schema disagree, and the reasons."""

from __future__ import annotations

from attrs import frozen


@frozen
class StrictLimit:
    """A document that ``from_xml(strict=True)`` refuses although libvirt's schema accepts it.

    ``document`` is an example; ``problem`` is the reason that the error reports.
    """

    name: str
    document: str
    problem: str
    reason: str


@frozen
class Leniency:
    """A document that libvirt, and ``from_xml`` without ``strict``, accept although libvirt's schema refuses it.

    ``document`` is an example; ``written`` is true if libvirt itself writes such documents.
    """

    name: str
    document: str
    reason: str
    written: bool = False


STRICT_LIMITS = (
    StrictLimit(
        "sizes of volumes",
        "<volume><name>v</name><capacity unit='EiB'>8</capacity><target/></volume>",
        "is too large",
        "libvirt refuses sizes of 2^63 bytes and more, in any unit",
    ),
    StrictLimit(
        "sizes of pools",
        "<pool type='dir'><name>p</name><capacity unit='EiB'>8</capacity><source/>"
        "<target><path>/srv</path></target></pool>",
        "is too large",
        "libvirt reports these sizes in bytes, and ignores them in a document that a client sends",
    ),
    StrictLimit(
        "pool without any name",
        "<pool type='logical'><source/><target/></pool>",
        "<name> is missing",
        "libvirt refuses a pool that has neither a name nor a source from which to take the name",
    ),
)
"""Everything that strict reading refuses although libvirt's schema accepts it."""

_FS = "http://libvirt.org/schemas/storagepool/fs/1.0"


def _pool(type: str, source: str = "<source/>", target: str = "<target><path>/srv</path></target>") -> str:
    return f"<pool type='{type}'><name>p</name>{source}{target}</pool>"


def _volume(parts: str) -> str:
    return f"<volume><name>v</name><capacity>1048576</capacity>{parts}</volume>"


def _over(backing: str) -> str:
    return _volume(
        "<target><format type='qcow2'/></target>"
        f"<backingStore><path>{backing}</path><format type='raw'/></backingStore>"
    )


def _encrypted(parts: str) -> str:
    return _volume(f"<target><encryption format='luks'>{parts}</encryption></target>")


_SECRET = "<secret type='passphrase' usage='u'/>"  # noqa: S105 (names one)

LENIENCIES = (
    Leniency("volume without target", _volume(""), "libvirt adds the target itself"),
    Leniency(
        "type ploop",
        "<volume type='ploop'><name>v</name><capacity>1048576</capacity><target/></volume>",
        "the schema lacks this volume type, which libvirt has supported since 1.3.4",
    ),
    Leniency(
        "no type",
        "<volume type=''><name>v</name><capacity>1048576</capacity><target/></volume>",
        "libvirt treats an empty word as absent",
    ),
    Leniency(
        "relative backing store",
        _over("base.img"),
        "images often name their backing store by a relative path; libvirt writes the path that the image contains",
        written=True,
    ),
    Leniency(
        "backing store on the network",
        _over("nbd://nas.example.com/web"),
        "libvirt writes the text that the image contains, including URLs and json: descriptions",
        written=True,
    ),
    Leniency(
        "negative ids",
        _volume("<target><permissions><owner>-2</owner><group>-1294967296</group></permissions></target>"),
        "libvirt writes ids of 2^31 and more as negative numbers; reading restores the ids",
        written=True,
    ),
    Leniency(
        "incomplete cipher",
        _encrypted(f"{_SECRET}<cipher name='aes' size='256' mode='xts'/><ivgen name='plain64'/>"),
        "libvirt accepts mode without hash, and cipher without ivgen",
        written=True,
    ),
    Leniency(
        "unit of nothing",
        "<volume><name>v</name><capacity unit=''>1048576</capacity><target/></volume>",
        "libvirt treats an empty unit as bytes",
    ),
    Leniency(
        "blanks before a size",
        "<volume><name>v</name><capacity> 1048576</capacity><target/></volume>",
        "libvirt skips the blanks",
    ),
    Leniency(
        "pool without target",
        _pool("logical", "<source><name>vg</name></source>", ""),
        "libvirt derives the target path of logical pools from the source's name",
    ),
    Leniency(
        "pool without source",
        _pool("logical", "", "<target><path>/dev/p</path></target>"),
        "libvirt derives the source of logical pools from the pool's name",
    ),
    Leniency(
        "empty name",
        "<pool type='logical'><name/><source><name>vg</name></source><target/></pool>",
        "libvirt treats an empty name as absent, and uses the source's name instead",
    ),
    Leniency(
        "any target path",
        _pool("dir", target="<target><path>/</path></target>"),
        "libvirt accepts any text, including the root directory and relative paths",
        written=True,
    ),
    Leniency(
        "relative directory",
        _pool("netfs", "<source><host name='nas'/><dir path='export'/></source>"),
        "the schema requires an absolute path, except for cifs and glusterfs; libvirt accepts any path",
        written=True,
    ),
    Leniency(
        "any host name",
        _pool("netfs", "<source><host name='nas_1'/><dir path='/export'/></source>"),
        "libvirt accepts any text, such as names with _ and addresses in brackets",
        written=True,
    ),
    Leniency(
        "any device",
        _pool("fs", "<source><device path='disk/one'/></source>"),
        "libvirt accepts any text, such as relative paths",
        written=True,
    ),
    Leniency(
        "several devices of a zpool",
        _pool(
            "zfs", "<source><device path='/dev/sda'/><device path='/dev/sdb'/><name>tank</name></source>", ""
        ),
        "the schema allows one device; libvirt builds the zpool on all of them",
        written=True,
    ),
    Leniency(
        "refresh of every pool",
        _pool(
            "dir",
            target="<target><path>/srv</path></target><refresh><volume allocation='capacity'/></refresh>",
        ),
        "the schema allows refresh in rbd pools only; libvirt keeps it in all pools",
        written=True,
    ),
    Leniency(
        "mount options anywhere",
        f"<pool type='fs' xmlns:fs='{_FS}'><fs:mount_opts><fs:option name='ro'/></fs:mount_opts><name>p</name>"
        "<source><device path='/dev/vdb'/></source><target><path>/srv</path></target></pool>",
        "the schema requires them at the end of fs pools; libvirt accepts them anywhere and writes them at the end",
    ),
    Leniency(
        "hyphens of a UUID",
        "<pool type='dir'><name>p</name><uuid>3e3fce45-4f534fa7bb32-11f34168b82b</uuid><source/>"
        "<target><path>/srv</path></target></pool>",
        "libvirt accepts a UUID with hyphens between any two bytes, or without any hyphens",
    ),
    Leniency(
        "empty UUID",
        "<pool type='dir'><name>p</name><uuid/><source/><target><path>/srv</path></target></pool>",
        "libvirt makes a UUID for a pool or secret whose UUID is empty",
    ),
    Leniency(
        "unknown parts",
        _pool("dir", "<newer level='3'/><source/>"),
        "libvirt drops elements and attributes that it does not know; libstorage keeps them in unknown",
    ),
)
"""Everything that libvirt accepts or writes although its schema refuses it."""
