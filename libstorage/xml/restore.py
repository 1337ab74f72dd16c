"""Restore the unknown parts of a document to their original places."""

from __future__ import annotations

import re

from lxml import etree

from libstorage.xml.fields import Unknown

_MARK = "libstorage-part"
_marks = re.compile(rf"<\?{_MARK} ([0-9]+)\?>")


def restored(written: str, unknown: tuple[Unknown, ...]) -> str:
    """Return ``written`` with the unknown parts back in the elements that they came from.

    The tree only marks the places of unknown elements: inside a tree, elements would take the prefixes of their
    surroundings.
    """
    # A document that was read is also written if its xml:id is invalid or escapes exceed libxml2's size limits.
    parser = etree.XMLParser(collect_ids=False, huge_tree=True, resolve_entities=False, no_network=True)
    root = etree.fromstring(written, parser)
    for number, part in enumerate(unknown):
        parent, _, last = part.path.rpartition("/")
        if (element := _found(root, parent)) is None:
            continue  # the element that held the part was removed, and the part with it
        if last.startswith("@"):
            element.attrib.update(etree.fromstring(f"<a {part.xml}/>", parser).attrib)
        else:
            _append(element, etree.ProcessingInstruction(_MARK, str(number)), depth=parent.count("/"))
    text = etree.tostring(root, encoding="unicode")
    return _marks.sub(lambda mark: unknown[int(mark[1])].xml, text) + "\n"


def _found(root: etree._Element, path: str) -> etree._Element | None:
    """Return the element at ``path``, which only goes through elements that the writer made."""
    try:
        found = root.xpath(path, namespaces={k: v for k, v in root.nsmap.items() if k})
    except etree.XPathEvalError:
        return None  # the prefix in the path is not declared
    return found[0] if isinstance(found, list) and found else None  # type: ignore[return-value]


def _append(parent: etree._Element, part: etree._Element, *, depth: int) -> None:
    """Append ``part`` on a separate line."""
    line = "\n" + "  " * depth
    if len(parent):
        parent[-1].tail = line
    else:
        parent.text = (parent.text or "") + line
    part.tail = line[:-2]
    parent.append(part)
