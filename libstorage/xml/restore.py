"""What libstorage does not know of a document goes back to where it was."""

from __future__ import annotations

import re

from lxml import etree

from libstorage.xml.fields import Unknown

_MARK = "libstorage-part"
_marks = re.compile(rf"<\?{_MARK} ([0-9]+)\?>")


def restored(written: str, unknown: tuple[Unknown, ...]) -> str:
    """``written`` with the unknown parts back in the elements they came from.

    The tree only learns where elements go, for in a tree they would take the prefixes of what is around them.
    """
    # What was read is written whatever its xml:id says, and though escapes have made it longer than libxml2's limits.
    parser = etree.XMLParser(collect_ids=False, huge_tree=True, resolve_entities=False, no_network=True)
    root = etree.fromstring(written, parser)
    for number, part in enumerate(unknown):
        parent, _, last = part.path.rpartition("/")
        if (element := _found(root, parent)) is None:
            continue  # the element that held it was taken away, and the part with it
        if last.startswith("@"):
            element.attrib.update(etree.fromstring(f"<a {part.xml}/>", parser).attrib)
        else:
            _append(element, etree.ProcessingInstruction(_MARK, str(number)), depth=parent.count("/"))
    text = etree.tostring(root, encoding="unicode")
    return _marks.sub(lambda mark: unknown[int(mark[1])].xml, text) + "\n"


def _found(root: etree._Element, path: str) -> etree._Element | None:
    """The element at ``path``, which only goes through elements that the writer made."""
    try:
        found = root.xpath(path, namespaces={k: v for k, v in root.nsmap.items() if k})
    except etree.XPathEvalError:
        return None  # its prefix is not even declared
    return found[0] if isinstance(found, list) and found else None  # type: ignore[return-value]


def _append(parent: etree._Element, part: etree._Element, *, depth: int) -> None:
    """``part`` on a line of its own."""
    line = "\n" + "  " * depth
    if len(parent):
        parent[-1].tail = line
    else:
        parent.text = (parent.text or "") + line
    part.tail = line[:-2]
    parent.append(part)
