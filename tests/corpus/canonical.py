"""Documents in a form that compares by meaning: paths to values, whatever the order, unit and quotes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from lxml import etree

from libstorage.units import Size

PARSER = etree.XMLParser(remove_blank_text=True, remove_comments=True)

# How numbers look is no part of their meaning.
NUMBERS: dict[str, Callable[[str, str | None], int]] = {
    **dict.fromkeys(("capacity", "allocation", "available", "physical", "clusterSize"), Size.parse),
    **dict.fromkeys(("owner", "group"), lambda text, _unit: int(text)),
    "mode": lambda text, _unit: int(text, 8),
}


def canonical(xml: str | bytes) -> dict[str, str]:
    """Every attribute, every text and every empty element of a document by its path.

    Elements of one name are numbered among themselves, so that their order counts and that of others does not.
    """
    root = etree.fromstring(xml.encode() if isinstance(xml, str) else xml, PARSER)
    values: dict[str, str] = {}
    _collect(root, f"/{root.tag}", values)
    return values


def _collect(element: etree._Element, path: str, values: dict[str, str]) -> None:
    text = (element.text or "").strip()
    number = NUMBERS.get(str(element.tag))
    if number and text:
        text = str(int(number(text, element.get("unit"))))
    attributes = {str(name): str(value) for name, value in element.items() if not (number and name == "unit")}
    values.update({f"{path}/@{name}": " ".join(value.split()) for name, value in attributes.items()})
    if text or not (len(element) or attributes):
        values[path] = text
    total = Counter(child.tag for child in element)
    seen: Counter[object] = Counter()
    for child in element:
        seen[child.tag] += 1
        number_of = f"[{seen[child.tag]}]" if total[child.tag] > 1 else ""
        _collect(child, f"{path}/{child.tag}{number_of}", values)
