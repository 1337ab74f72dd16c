"""Documents near the largest that are read: one for each place where elements repeat, and other ways to be large."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

from libstorage import PoolCapabilities, PoolSources, PoolSpec, SecretSpec, SourceQuery, VolumeSpec
from libstorage.xml.document import Document
from libstorage.xml.fields import MANY, Shape
from libstorage.xml.mapping import mapping_of

MODELS: tuple[type[Document], ...] = (
    *(PoolSpec, VolumeSpec, SecretSpec),
    *(PoolCapabilities, PoolSources, SourceQuery),
)
Place: TypeAlias = tuple[str, str]
Made: TypeAlias = tuple[type[Document], str, str, str]
"""Class, what comes before the items, an item, and what comes after them."""

FS = "http://libvirt.org/schemas/storagepool/fs/1.0"
RBD = "http://libvirt.org/schemas/storagepool/rbd/1.0"
HOST = "<host name='a'/>"


def _pool(word: str, before: str, item: str, after: str = "", *, target: bool = False) -> Made:
    end = "<target><path>/a</path></target>" if target else ""
    return (
        PoolSpec,
        f"<pool type='{word}'><name>a</name><source>{before}",
        item,
        f"{after}</source>{end}</pool>",
    )


def _volume(before: str, item: str, after: str) -> Made:
    return VolumeSpec, f"<volume><name>a</name><capacity>1</capacity>{before}", item, f"{after}</volume>"


IQN = "<device path='iqn.2020-01.com.example:t'/>"
REPEATED: Mapping[Place, Made] = {
    ("Device", "free_extents"): _pool(
        "disk", "<device path='/d'>", "<freeExtent start='1' end='2'/>", "</device>", target=True
    ),
    ("NetfsSource", "hosts"): _pool("netfs", "", HOST, "<dir path='/a'/>", target=True),
    ("LogicalSource", "devices"): _pool("logical", "", "<device path='/d'/>", target=True),
    ("IscsiSource", "hosts"): _pool("iscsi", "", HOST, IQN, target=True),
    ("IscsiDirectSource", "hosts"): _pool(
        "iscsi-direct", "", HOST, f"{IQN}<initiator><iqn name='iqn.2020-01.com.example:i'/></initiator>"
    ),
    ("RbdSource", "hosts"): _pool("rbd", "<name>p</name>", HOST),
    ("SheepdogSource", "hosts"): _pool("sheepdog", "<name>p</name>", HOST),
    ("GlusterSource", "hosts"): _pool("gluster", "<name>p</name><dir path='/'/>", HOST),
    ("ZfsSource", "devices"): _pool("zfs", "", "<device path='/d'/>", "<name>p</name>"),
    ("PoolSpec", "mount_options"): (
        PoolSpec,
        (
            f"<pool type='netfs' xmlns:fs='{FS}'><name>a</name><source>{HOST}<dir path='/a'/></source>"
            "<target><path>/a</path></target><fs:mount_opts>"
        ),
        "<fs:option name='a'/>",
        "</fs:mount_opts></pool>",
    ),
    ("PoolSpec", "config_options"): (
        PoolSpec,
        f"<pool type='rbd' xmlns:rbd='{RBD}'><name>a</name><source>{HOST}<name>p</name></source><rbd:config_opts>",
        "<rbd:option name='a' value='b'/>",
        "</rbd:config_opts></pool>",
    ),
    ("VolumeSource", "devices"): _volume(
        "<source>", "<device path='/a'><extent start='1' end='2'/></device>", "</source>"
    ),
    ("VolumeDevice", "extents"): _volume(
        "<source><device path='/a'>", "<extent start='1' end='2'/>", "</device></source>"
    ),
    ("Encryption", "secrets"): _volume(
        "<target><encryption format='luks'>",
        "<secret type='passphrase' usage='x'/>",
        "</encryption></target>",
    ),
    ("PoolCapabilities", "pools"): (
        PoolCapabilities,
        "<storagepoolCapabilities>",
        "<pool type='dir' supported='yes'/>",
        "</storagepoolCapabilities>",
    ),
    ("CapabilityOptions", "enums"): (
        PoolCapabilities,
        "<storagepoolCapabilities><pool type='dir' supported='yes'><volOptions>",
        "<enum name='a'><value>b</value></enum>",
        "</volOptions></pool></storagepoolCapabilities>",
    ),
    ("CapabilityEnum", "values"): (
        PoolCapabilities,
        "<storagepoolCapabilities><pool type='dir' supported='yes'><volOptions><enum name='a'>",
        "<value>b</value>",
        "</enum></volOptions></pool></storagepoolCapabilities>",
    ),
    ("PoolSources", "found"): (PoolSources, "<sources>", "<source><name>a</name></source>", "</sources>"),
    ("FoundSource", "hosts"): (PoolSources, "<sources><source>", HOST, "</source></sources>"),
    ("FoundSource", "devices"): (
        PoolSources,
        "<sources><source>",
        "<device path='/a'/>",
        "</source></sources>",
    ),
    ("SourceQuery", "hosts"): (SourceQuery, "<source>", HOST, "</source>"),
}


_DIR = "<name>a</name><target><path>/a</path></target>"


def _dir(inside: str, item: str, after: str = "") -> Made:
    before = f"<pool type='dir'>{_DIR}{inside}"
    return PoolSpec, before, item, f"{after}</pool>"


OTHERS: Mapping[str, Made] = {
    "a wrong host": _pool("rbd", "<name>p</name>", "<host nme='a'/>"),
    "hosts and a target": _pool("rbd", "<name>p</name>", HOST, target=True),
    "a name": _dir("", "<name>b</name>"),
    "unknown": _dir("", "<x/>"),
    "unknown with attributes": _dir("", "<x a='1' b='2' c='3'/>"),
    "unknown, full": _dir("", "<x>" + "<y a='1'/>" * 40 + "</x>"),
    "unknown, deep": _dir("", "<x>" * 200 + "</x>" * 200),
    "inside unknown": _dir("<x>", "<y a='1'/>", "</x>"),
    "namespaces": _dir("<x>", "<y:y xmlns:y='u:y'/>", "</x>"),
    "relative namespaces": _dir("", "<y:y xmlns:y='y'/>"),
    "comments": _dir("", "<!--a-->"),
    "instructions": _dir("", "<?a b?>"),
    "CDATA": _dir("<description>", "<![CDATA[a]]>", "</description>"),
    "stray text": _dir("", "a<x/>"),
    "broken login": _pool("rbd", "<name>p</name><host name='h'/><auth type='ceph' username='u'>", "<secret usage='a'/>", "</auth>"),
}  # fmt: skip
"""Other elements that repeat."""


_WHERE = {
    "of the root": ("<pool type='dir'", " a{0}=''", f">{_DIR}</pool>"),
    "of an unknown part": (f"<pool type='dir'>{_DIR}<x", " a{0}=''", "/></pool>"),
    "of a part of that": (f"<pool type='dir'>{_DIR}<x><y", " a{0}=''", "/></x></pool>"),
    "namespaces of the root": ("<pool type='dir'", " xmlns:a{0}='u:{0}'", f">{_DIR}<x/><y/></pool>"),
    "namespaces": (f"<pool type='dir'>{_DIR}", "<a{0}:x xmlns:a{0}='u:{0}'/>", "</pool>"),
    "namespaces inside": (f"<pool type='dir'>{_DIR}<x>", "<a{0}:x xmlns:a{0}='u:{0}'/>", "</x></pool>"),
    "qualified": (f"<pool type='dir'>{_DIR}<x xmlns:q='u:q'", " q:a{0}=''", "/></pool>"),
}
ATTRIBUTES = tuple(_WHERE)
"""Where there can be many attributes, or declarations of namespaces."""


def of_attributes(where: str, count: int) -> str:
    """A pool with so many attributes."""
    before, each, after = _WHERE[where]
    return before + "".join(each.format(number) for number in range(count)) + after


TEXTS: Mapping[str, str] = {
    "letters": "a",
    "escapes": "&amp;",
    "references": "&#65;",
    "line ends": "\n",
    "carriage returns": "&#13;",
    "ampersands": "&",
    "angles": ">",
    "not ASCII": "é",
    "no-break spaces": "\xa0",
    "digits": "9",
    "slashes": "/",
    "quotes": "'",
}


def of_text(text: str, length: int) -> Iterator[tuple[type[Document], str]]:
    """A long text where a name, a path, a number, an attribute, a part and a blank may be."""
    long = text * (length // len(text.encode()))
    escaped = long.replace("'", "&apos;")
    yield PoolSpec, f"<pool type='dir'><name>{long}</name><target><path>/a</path></target></pool>"
    yield PoolSpec, f"<pool type='dir'><name>a</name><target><path>/{long}</path></target></pool>"
    yield PoolSpec, f"<pool type='{escaped}'><name>a</name></pool>"
    yield (
        PoolSpec,
        f"<pool type='dir'><name>a</name>{long}<target><path>/a</path></target><x>{long[: length // 2]}</x></pool>",
    )
    yield VolumeSpec, f"<volume><name>a</name><capacity unit='bytes'>{long}</capacity></volume>"
    yield (
        VolumeSpec,
        f"<volume><name>a</name><capacity>1</capacity><target><permissions><mode>{long}</mode></permissions></target></volume>",
    )


def repeated_places() -> set[Place]:
    """Every place of every model where elements repeat."""
    found: set[Place] = set()

    def walk(model: type) -> None:
        for mapped in mapping_of(model).fields:
            place = mapped.place
            if place.shape in MANY and place.shape is not Shape.UNKNOWN:
                found.add((model.__name__, mapped.name))
            inner = (*place.variants.models, place.variants.fallback) if place.variants else ()
            for one in (*inner, *filter(None, [place.model])):
                walk(one)

    for model in MODELS:
        walk(model)
    return found


def filled(made: Made, most: int, count: Callable[[str], int]) -> tuple[type[Document], str]:
    """As many items as make ``most`` of what ``count`` counts."""
    model, before, item, after = made
    items = (most - count(before + after)) // count(item)
    return model, before + item * max(items, 1) + after


def markup(text: str) -> int:
    """What the parser's limit counts."""
    return text.count("<") + text.count("=")


def elements(text: str) -> int:
    """What the reader's limit counts."""
    return text.count("<") - text.count("</")


def parts(text: str) -> int:
    """What the schemas' limit counts: elements and attributes."""
    return text.count("<") - text.count("</") + text.count("=")
