"""``make mutants``: plant faults in copies of the checkout, one at a time, and tell which ones the tests notice."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from tests.mutants.fault import Fault
from tests.mutants.faults import FAULTS
from tests.mutants.planting import Copy, Result, broken_selections, results

PROCESSES = 2


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("--only", action="append", metavar="NAME", help="faults whose name or file has this")
    parser.add_argument("--list", action="store_true", help="list the faults instead")
    parser.add_argument("--processes", type=int, default=PROCESSES)
    parser.add_argument(
        "--without-check", action="store_true", help="do not run the tests without a fault first"
    )
    parser.add_argument("--show", action="store_true", help="show the end of pytest's output of each fault")
    asked = parser.parse_args()
    faults = [fault for fault in FAULTS if is_asked_for(fault, asked.only)]
    if asked.list:
        for fault in faults:
            print(f"{fault.package:24} {fault.name:36} {fault.why}")
        return 0
    with tempfile.TemporaryDirectory(prefix="libstorage-mutants-") as folder:
        copies = [Copy(Path(folder) / str(number)) for number in range(min(asked.processes, len(faults)))]
        if faults and not asked.without_check and (broken := broken_selections(copies[0], faults)):
            print(f"{broken}\nThese tests fail without a fault, too.")
            return 2
        started = time.monotonic()
        found = results(copies, faults, lambda result: tell(result, shown=asked.show))
    print(table(found))
    print(f"{time.monotonic() - started:.0f} s")
    return int(any(not result.is_noticed for result in found))


def is_asked_for(fault: Fault, only: Sequence[str] | None) -> bool:
    return not only or any(word in fault.name or word in fault.file for word in only)


def tell(result: Result, *, shown: bool) -> None:
    word = "noticed " if result.is_noticed else "SURVIVED"
    print(f"{word} {result.fault.package:24} {result.fault.name}", flush=True)
    if shown:
        print(result.told, flush=True)


def table(found: Sequence[Result]) -> str:
    """The figures of each package, and the survivors."""
    planted = Counter(result.fault.package for result in found)
    noticed = Counter(result.fault.package for result in found if result.is_noticed)
    lines = [f"{'package':24} planted noticed survived"]
    for package in sorted(planted):
        some = planted[package], noticed[package], planted[package] - noticed[package]
        lines.append(f"{package:24} {some[0]:7} {some[1]:7} {some[2]:8}")
    total = planted.total(), noticed.total(), planted.total() - noticed.total()
    lines.append(f"{'all':24} {total[0]:7} {total[1]:7} {total[2]:8}")
    survivors = [result.fault for result in found if not result.is_noticed]
    lines += [f"survived: {fault.name} ({fault.file}): {fault.why}" for fault in survivors]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
