"""The type of an lxml element, in one place."""

from __future__ import annotations

from typing import TypeAlias

from lxml import etree

Tree: TypeAlias = etree._Element
"""An element, with all its content."""
