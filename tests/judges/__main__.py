"""``make judges``: the whole run, or with ``--faults`` faults planted in our schemas, which it must find.

``LIBSTORAGE_RNG=11.3.0=FOLDER:12.8.0=FOLDER`` adds the schemas of other versions of libvirt to those of this machine.
"""

from __future__ import annotations

import argparse
import sys
import time

from tests.contract.rng import versions
from tests.judges import bench
from tests.judges.faults import report
from tests.judges.ways import KINDS


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.judges", description=__doc__)
    parser.add_argument("--documents", type=int, default=100_000, help="of each kind, by the three ways")
    parser.add_argument("--seed", type=int, default=1, help="the first; others follow")
    parser.add_argument("--kind", action="append", choices=KINDS, help="only this kind")
    parser.add_argument("--faults", type=int, default=0, help="plant so many faults in the schemas instead")
    asked = parser.parse_args()
    if asked.faults:
        return bool(report(asked.faults, asked.seed))
    return judge(asked.kind or KINDS, asked.documents, asked.seed)


def judge(kinds: tuple[str, ...], documents: int, seed: int) -> int:
    started = time.monotonic()
    work = list(bench.jobs(kinds, documents, seed))
    last = max(job.seed for job in work if job.way != "sweep")
    print(f"libvirt's schemas {', '.join(map(str, versions()))}; too new: for the first of them")
    print(
        f"{documents:,} documents of each kind, seeds {seed} to {last}, and the sweep: {len(work)} jobs",
        flush=True,
    )
    totals = {(job.kind, job.way): bench.Result() for job in work}
    for done, (job, result) in enumerate(bench.results(work), 1):
        totals[job.kind, job.way].add(result)
        for disagreement in result.disagreements:
            print(disagreement, flush=True)
        if done * 20 // len(work) > (done - 1) * 20 // len(work):
            print(f"{done * 100 // len(work)} % after {time.monotonic() - started:.0f} s", flush=True)
    print(bench.table(totals))
    wrong = sum(result.counts["disagreements"] for result in totals.values())
    print(f"{wrong} disagreements, {time.monotonic() - started:.0f} s")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
