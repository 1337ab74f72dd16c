"""Wrong and odd documents, made from good ones by small changes."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy

from lxml import etree

from libstorage.xml.parse import parse
from libstorage.xml.tree import Tree

ODD_VALUES = (
    # numbers
    "", " ", " 5 ", "5", "+5", "-1", " -1 ", "0", "007", "٣", "8", "31", "32", "65535", "65536", "ff", "0x1f", "0X1F",
    "1777", "4277777777", "4300000000", "4294967295", "4294967296", "0" * 30 + "1",
    "18446744073709551615", "18446744073709551616", "1.1", "1.", ".1", "1.1234567890",
    # paths and names
    "/", "/a", "/a\nb", "C:\\a", "rel", "a/b", ".", "..", " .. ", ". .", "...", "a\nb", "é", "\u00a0", "\u00a0/a",
    # words
    "yes", " yes ", "Yes", "on", "\u2028yes", "B", "bytes", "KiB", "kb", "KiBytes", "scsi_host", " fc_host",
    # hosts, iSCSI names, UUIDs, World Wide Names
    "::1", "::", "1:2:3:4:5:6:7:8", "::1.2.3.4", "::256.1.1.1", "fe80::1%eth0", "[::1]", "h-o.s_t", "10.0.0.1",
    "iqn.2013-06.com.example:t", "iqn.2013-13.com.example", "iqn.2013-06.com.example:",
    "3e3fce45-4f53-4fa7-bb32-11f34168b82b", "3e3fce454f534fa7bb3211f34168b82b", "3e3fce45-4f534fa7bb3211f34168b82b",
    "0x20000000fabcdef0", "0x100", "0xfff",
    # URIs
    "http://[::1]:16509/a%20b?c#d", "http://h:2147483648/", "%zz", "a:b", ":a", "//h:x/", "a[b", "#[",
    "a://@h", "a://[]/a", "a://h:2147483647", "a://h:21474835999",
)  # fmt: skip
ODD_NAMES = (
    *("name", "uuid", "capacity", "source", "target", "format"),
    *("secret", "type", "path", "nmae", "option", "vendor"),
)
XSI = "http://www.w3.org/2001/XMLSchema-instance"
FS = "http://libvirt.org/schemas/storagepool/fs/1.0"

Mutation = Callable[[random.Random, Tree, Sequence[Tree]], None]


def mutants(documents: Sequence[bytes], count: int, seed: int) -> Iterator[str]:
    """``count`` documents, each one of ``documents`` after one to three changes."""
    chance = random.Random(seed)
    originals = [parse(document) for document in documents]
    for _ in range(count):
        root = deepcopy(chance.choice(originals))
        for _ in range(chance.choice((1, 1, 2, 3))):
            chance.choice(MUTATIONS)(chance, root, originals)
        yield etree.tostring(root, encoding="unicode")


def _any(chance: random.Random, root: Tree) -> Tree:
    return chance.choice([*root.iter(etree.Element)])


def _inner(chance: random.Random, root: Tree) -> Tree | None:
    return chance.choice([*root.iterdescendants(etree.Element)] or [None])


def _drop(chance: random.Random, root: Tree, _: Sequence[Tree]) -> None:
    if (element := _inner(chance, root)) is not None:
        _parent(element).remove(element)


def _duplicate(chance: random.Random, root: Tree, _: Sequence[Tree]) -> None:
    if (element := _inner(chance, root)) is not None:
        parent = _parent(element)
        parent.insert(chance.randint(0, len(parent)), deepcopy(element))


def _move(chance: random.Random, root: Tree, _: Sequence[Tree]) -> None:
    if (element := _inner(chance, root)) is not None:
        parent = _parent(element)
        parent.remove(element)
        target = chance.choice((parent, parent, parent, _any(chance, root)))
        target.insert(chance.randint(0, len(target)), element)


def _graft(chance: random.Random, root: Tree, originals: Sequence[Tree]) -> None:
    if (element := _inner(chance, chance.choice(originals))) is not None:
        target = _any(chance, root)
        target.insert(chance.randint(0, len(target)), deepcopy(element))


def _rename(chance: random.Random, root: Tree, _: Sequence[Tree]) -> None:
    if (element := _inner(chance, root)) is not None:
        namespace = chance.choice(("", "", "", f"{{{FS}}}"))
        element.tag = namespace + chance.choice(ODD_NAMES)


def _change_text(chance: random.Random, root: Tree, _: Sequence[Tree]) -> None:
    leaves = [element for element in root.iter(etree.Element) if element.text]
    if leaves:
        chance.choice(leaves).text = chance.choice(ODD_VALUES)


def _change_attribute(chance: random.Random, root: Tree, _: Sequence[Tree]) -> None:
    slots = [(element, name) for element in root.iter(etree.Element) for name in element.attrib]
    if slots:
        element, name = chance.choice(slots)
        element.set(name, chance.choice(ODD_VALUES))


def _borrow_value(chance: random.Random, root: Tree, originals: Sequence[Tree]) -> None:
    """A value that is good elsewhere: another type of pool, another format."""
    slots = [(element, name) for element in root.iter(etree.Element) for name in element.attrib]
    if slots:
        element, name = chance.choice(slots)
        others = [other.get(name, "") for tree in originals for other in tree.iter(element.tag)]
        element.set(name, chance.choice(others or ODD_VALUES))


def _drop_attribute(chance: random.Random, root: Tree, _: Sequence[Tree]) -> None:
    slots = [(element, name) for element in root.iter(etree.Element) for name in element.attrib]
    if slots:
        element, name = chance.choice(slots)
        del element.attrib[name]


def _add_attribute(chance: random.Random, root: Tree, _: Sequence[Tree]) -> None:
    name = chance.choice((*ODD_NAMES, "port", "usage", "unit", f"{{{XSI}}}type", f"{{{FS}}}name"))
    _any(chance, root).set(name, chance.choice(ODD_VALUES))


def _add_text(chance: random.Random, root: Tree, _: Sequence[Tree]) -> None:
    element = _any(chance, root)
    element.text = chance.choice((*ODD_VALUES, "\n", "\u2003"))
    if element is not root:
        element.tail = chance.choice((None, "x", "\u3000"))


def _add_comment(chance: random.Random, root: Tree, _: Sequence[Tree]) -> None:
    element = _any(chance, root)
    comment = etree.Comment("c") if chance.random() < 0.5 else etree.PI("p")
    comment.tail = chance.choice((None, " ", "x", "5"))
    element.insert(chance.randint(0, len(element)), comment)


def _parent(element: Tree) -> Tree:
    parent = element.getparent()
    assert parent is not None
    return parent


MUTATIONS: tuple[Mutation, ...] = (
    *(_drop, _duplicate, _move, _move, _graft, _rename, _change_text, _change_attribute),
    *(_borrow_value, _drop_attribute, _add_attribute, _add_text, _add_comment),
)
