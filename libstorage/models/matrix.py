"""What a host's capabilities show: one row for each pool type."""

from __future__ import annotations

from collections.abc import Sequence

from libstorage.display.inline import Dot, Run, Span
from libstorage.display.page import Page
from libstorage.display.table import Table, soft


def matrix_page(types: Sequence[tuple[str, bool, str, str]], most: int | None) -> Page:
    """Return what is shown of pool types: name, whether it is supported, formats of the source and of volumes."""
    supported = sum(has for _, has, _, _ in types)
    about = soft(f"{supported} of {len(types)} pool types have a driver")
    if not types:
        return Page("PoolCapabilities", (about,))
    rows = [
        (Span(name, "whole"), _yes_or_no(has), source, volume) for name, has, source, volume in types[:most]
    ]
    headers = ("pool type", "supported", "source formats", "volume formats")
    table = Table(headers, rows, more=len(types) - len(rows))
    return Page("PoolCapabilities", (about,), (table,), "* libvirt's default format")


def _yes_or_no(has: bool) -> Run:
    word = "yes" if has else "no"
    return Run((Dot(has, word), Span(word)))
