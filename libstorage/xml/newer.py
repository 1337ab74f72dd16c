"""What libstorage's schemas have from newer releases of libvirt than the oldest one that they are for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from attrs import frozen

from libstorage.enums.base import version_number
from libstorage.errors import Problem
from libstorage.xml.tree import Tree
from libstorage.xml.wording import Wrong, problem_at


@frozen
class Newer:
    """What older schemas of libvirt refuse although libstorage's schemas and libvirt's newest ones accept it.

    ``document`` is an example, ``part`` the XPath of what is refused in it. ``since`` is the first libvirt release whose
    schema accepts it. ``taken`` is true if older daemons themselves take the document all the same.
    """

    name: str
    document: str
    part: str
    since: str
    reason: str
    taken: bool

    @property
    def since_number(self) -> int:
        """The value of ``since`` as libvirt encodes versions: 9.3.0 is 9003000."""
        return version_number(self.since)


def _encrypted(encryption: str) -> str:
    return f"<volume><name>v</name><capacity>1048576</capacity><target>{encryption}</target></volume>"


_SECRET = "<secret type='passphrase' usage='u'/>"  # noqa: S105 (names one)

# libvirt's documentation names 9.3.0 for the first two, which came with the third.
NEWER = (
    Newer(
        "format luks-any",
        _encrypted(f"<encryption format='luks-any' engine='librbd'>{_SECRET}</encryption>"),
        "/volume/target/encryption/@format[normalize-space() = 'luks-any']",
        "9.3.0",
        "librbd finds out from the image whether it is LUKS version 1 or 2",
        taken=False,
    ),
    Newer(
        "several secrets",
        _encrypted(f"<encryption format='luks2' engine='librbd'>{_SECRET * 2}</encryption>"),
        "/volume/target/encryption/secret[2]",
        "9.3.0",
        "a layered RBD image has a secret for each layer, first its own, then those of its parents",
        taken=True,
    ),
    Newer(
        "ivgen before cipher",
        _encrypted(
            f"<encryption format='luks'><ivgen name='plain64'/>{_SECRET}"
            "<cipher name='aes' size='256'/></encryption>"
        ),
        "/volume/target/encryption/ivgen[following-sibling::cipher]",
        "9.3.0",
        "libvirt reads secret, cipher and ivgen in any order; older schemas have the cipher before the ivgen",
        taken=True,
    ),
)
"""Everything that an older libvirt's schema refuses although the newest accepts it."""


def problems_of(row: Newer, root: Tree) -> Iterator[Problem]:
    """Yield what an older schema refuses in a document for the reason of a row."""
    wrong = Wrong(f"libvirt's schema has this since {row.since} only: {row.name}")
    for part in cast("list[Any]", root.xpath(row.part)):
        if isinstance(part, str):
            yield problem_at(part.getparent(), wrong, part.attrname)  # type: ignore[attr-defined]
        else:
            yield problem_at(part, wrong)
