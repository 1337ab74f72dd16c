"""The type of an element of lxml's, in one place."""

from __future__ import annotations

from typing import TypeAlias

from lxml import etree

Tree: TypeAlias = etree._Element
"""An element, with all that is in it."""
