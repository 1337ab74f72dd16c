"""Every operation on every sort of storage comes out as it did when the table was written.

``LIBSTORAGE_LAB_RECORD=1`` writes what is seen instead; ``make docs`` makes the table from it.
"""

from __future__ import annotations

import os

from tests.lab.case import Case
from tests.lab.conformance import conformance
from tests.lab.seen import NOT_TRIED, WORKS, Seen, read

_NEVER = {"LibvirtError", "ConnectionLostError", "ConnectionFailedError"}
"""What would leave a cell unexplained."""


def test_all_operations(case: Case) -> None:
    seen = conformance(case)
    _explained(seen)
    if os.environ.get("LIBSTORAGE_LAB_RECORD"):
        seen.write(case.name)
    recorded = read(case.name)
    assert seen.cells() == recorded.cells(), f"seen with {seen.versions}, recorded with {recorded.versions}"
    assert (seen.title, seen.type, seen.where, seen.remark) == (
        recorded.title,
        recorded.type,
        recorded.where,
        recorded.remark,
    )


def _explained(seen: Seen) -> None:
    for name, cell in seen.cells().items():
        assert cell.result not in _NEVER, f"{name}: {cell}"
        assert cell.result == WORKS or cell.hint, f"{name}: {cell.result} without a hint"
        assert cell.result != NOT_TRIED or cell.hint
