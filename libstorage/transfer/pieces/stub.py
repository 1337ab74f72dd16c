"""Files that keep libvirt from starting a pool: the first bytes of a qcow2 image."""

from __future__ import annotations

from typing import Final

HEADER: Final = 104
"""Number of bytes of the header of a qcow2 image of version 3."""

_MARK: Final = b"QFI\xfb"
_VERSION: Final = 3


def stops_a_pool(data: bytes) -> bool:
    """Return whether libvirt stops a pool that has a file of just these bytes in its directory.

    Seen with libvirt 9.0: the mark of a qcow2 image of version 3 or later, in a file that is shorter than its header.
    """
    is_qcow2 = data.startswith(_MARK) and int.from_bytes(data[4:8], "big") >= _VERSION
    return is_qcow2 and len(data) < HEADER
