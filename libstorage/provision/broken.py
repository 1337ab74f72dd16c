"""Names the files that keep a pool from starting."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Final

from libstorage.connection.codes import Code, Domain
from libstorage.errors import LibvirtError, StorageError
from libstorage.models.pool import PoolSpec
from libstorage.models.support import has_files
from libstorage.transfer.pieces.stub import HEADER, stops_a_pool

_MOST_NAMED: Final = 3
_MOST_FILES: Final = 10_000


def add_broken_files(error: StorageError, spec: PoolSpec, *, is_local: bool) -> None:
    """Add to the error of a pool that did not start which files may be the cause, if libvirt does not know it.

    Args:
        error: The error.
        spec: The pool's document.
        is_local: Whether the daemon runs on this machine, so that its files can be looked at.
    """
    path = None if spec.target is None else spec.target.path
    if path is None or not has_files(spec.type) or not _knows_nothing(error):
        return
    found = ", ".join(islice(_stubs(Path(path)), _MOST_NAMED)) if is_local else ""
    cause = (
        f"These files begin like qcow2 images and are shorter than the header of one: {found}."
        if found
        else f"A file in {path} may begin like a qcow2 image and be shorter than its header ({HEADER} bytes)."
    )
    error.add_hint(
        f"{cause} libvirt cannot look at such a file: move it out of the directory, then start the pool."
    )


def _knows_nothing(error: StorageError) -> bool:
    return (
        isinstance(error, LibvirtError) and error.code == Code.INTERNAL_ERROR and error.domain == Domain.NONE
    )


def _stubs(folder: Path) -> Iterator[str]:
    try:
        for path in islice(folder.iterdir(), _MOST_FILES):
            if path.is_file() and path.stat().st_size < HEADER and stops_a_pool(path.read_bytes()):
                yield repr(path.name)
    except OSError:
        return
