"""What libvirt's guide to storage pools in Python does with a document: minidom, and attributes found by name.

No objects and no types come of it: the texts of ``<name>``, and five attributes of ``<source>``.
"""

from __future__ import annotations

from xml.dom import minidom


def read(text: str) -> list[str | None]:
    """The values that the guide's programs print."""
    xml = minidom.parseString(text)
    found = [name.firstChild.nodeValue for name in xml.getElementsByTagName("name") if name.firstChild]
    for source in xml.getElementsByTagName("source"):
        values = map(source.getAttribute, ("name", "path", "dir", "type", "username"))
        found += [value for value in values if value]
    return found
