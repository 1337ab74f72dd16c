"""What libvirt's guide to storage pools in Python does with a document: minidom, and attributes found by name.

No objects and no types come of it: the texts of ``<name>``, and five attributes of ``<source>``.
"""

from __future__ import annotations

from xml.dom import minidom


def read(text: str) -> list[str]:
    """The values that the guide's programs print."""
    xml = minidom.parseString(text)
    found = [name.firstChild.nodeValue for name in xml.getElementsByTagName("name") if name.firstChild]
    for source in xml.getElementsByTagName("source"):
        for attribute in ("name", "path", "dir", "type", "username"):
            if value := source.getAttribute(attribute):
                found.append(value)
    return found
