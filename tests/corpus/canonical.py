"""Documents in a form that compares by meaning: paths to values, whatever the order, unit, quotes and spelling."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from decimal import Decimal

from lxml import etree

from libstorage.units import Size

PARSER = etree.XMLParser(remove_blank_text=True, remove_comments=True, remove_pis=True)

# How numbers look is no part of their meaning.
NUMBERS: dict[str, Callable[[str, str | None], int]] = {
    **dict.fromkeys(("capacity", "allocation", "available", "physical", "clusterSize"), Size.parse),
    **dict.fromkeys(("owner", "group"), lambda text, _unit: _id(int(text))),
    **dict.fromkeys(("atime", "mtime", "ctime", "btime"), lambda text, _unit: int(Decimal(text) * 10**9)),
    "mode": lambda text, _unit: int(text, 8),
    "uuid": lambda text, _unit: int(text.replace("-", ""), 16),
}
PCI = frozenset({"domain", "bus", "slot", "function"})
DECIMAL = frozenset({"unique_id", "port", "start", "end"})


def _id(number: int) -> int:
    """libvirt prints ids from 2**31 on as negative numbers; -1 is none."""
    return number + 2**32 if number < -1 else number


def _attribute(name: str, text: str) -> str:
    if name in DECIMAL and re.fullmatch(r"[+-]?[0-9]+", text):
        return str(int(text))
    if name in PCI:
        prefixed = re.sub(r"^\+?0(?=[0-7]+$)", "0o", text)
        return str(int(prefixed, 0)) if re.fullmatch(r"0[xX][0-9a-fA-F]+|0o[0-7]+|[0-9]+", prefixed) else text
    return " ".join(text.split())


def _fill_in(root: etree._Element) -> None:
    """What libvirt takes for granted where a document does not say it."""
    needed = {"pool": "source", "volume": "target"}.get(str(root.tag))
    if needed and root.find(needed) is None:
        etree.SubElement(root, needed)
    if root.tag == "pool" and not root.findtext("name") and (name := root.findtext("source/name")):
        for empty in root.findall("name"):
            root.remove(empty)
        etree.SubElement(root, "name").text = name
    for path, type_ in (("source/adapter", "scsi_host"), ("target/encryption/secret", "passphrase")):
        for element in root.iterfind(path):
            element.set("type", element.get("type", type_))


def canonical(xml: str | bytes) -> dict[str, str]:
    """Every attribute, every text and every empty element of a document by its path.

    Elements of one name are numbered among themselves, so that their order counts and that of others does not.
    """
    root = etree.fromstring(xml.encode() if isinstance(xml, str) else xml, PARSER)
    _fill_in(root)
    values: dict[str, str] = {}
    _collect(root, f"/{root.tag}", values)
    return values


def _collect(element: etree._Element, path: str, values: dict[str, str]) -> None:
    text = (element.text or "").strip()
    number = NUMBERS.get(str(element.tag))
    if number and text:
        text = str(int(number(text, element.get("unit"))))
    attributes = {str(name): str(value) for name, value in element.items() if not (number and name == "unit")}
    values.update({f"{path}/@{name}": _attribute(name, value) for name, value in attributes.items()})
    if text or not (len(element) or attributes):
        values[path] = text
    total = Counter(child.tag for child in element)
    seen: Counter[object] = Counter()
    for child in element:
        seen[child.tag] += 1
        number_of = f"[{seen[child.tag]}]" if total[child.tag] > 1 else ""
        _collect(child, f"{path}/{child.tag}{number_of}", values)
