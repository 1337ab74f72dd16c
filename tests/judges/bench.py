"""Many documents before all judges, on all cores."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b
from multiprocessing import get_context

from attrs import Factory, define, frozen

from tests.judges.sweep import bases_of, sweep
from tests.judges.verdicts import contradictions, verdicts
from tests.judges.ways import KINDS, WAYS, sample

CHUNK = 400
ASKED_AS_USERS_DO = 100
"""Every how manieth document is also given to what users call, which takes several times as long."""


@frozen
class Job:
    """A part of the run: documents of one kind made in one way from one seed, or from one document of the sweep."""

    kind: str
    way: str
    seed: int
    count: int

    def documents(self) -> Iterable[str]:
        if self.way == "sweep":
            return (text for _, text in sweep(self.kind, self.seed))
        return sample(self.kind, self.way, self.count, self.seed)


@define
class Result:
    """What the judges said of the documents of one job, or of several."""

    counts: Counter[str] = Factory(Counter)
    different: set[bytes] = Factory(set)
    disagreements: list[str] = Factory(list)

    def add(self, other: Result) -> None:
        self.counts += other.counts
        self.different |= other.different
        self.disagreements += other.disagreements


def run(job: Job) -> Result:
    """Every document of a job before all judges."""
    result = Result()
    for number, text in enumerate(job.documents()):
        found = verdicts(job.kind, text)
        result.counts.update(("documents", "valid" if found.valid else "invalid"))
        result.counts.update({"too new": found.too_new, "excused": found.excused})
        result.different.add(blake2b(text.encode(), digest_size=8).digest())
        complaints = [] if found.agree else [str(found)]
        if number % ASKED_AS_USERS_DO == 0:
            complaints += contradictions(job.kind, text, found)
        if complaints:
            result.counts["disagreements"] += 1
            result.disagreements.append(f"{job}\n{'; '.join(complaints)}\n{text}")
    return result


def jobs(kinds: Sequence[str], count: int, first_seed: int) -> Iterator[Job]:
    """``count`` documents of each kind, in equal parts by the three ways, and the whole sweep."""
    for kind in kinds:
        for way in WAYS:
            left = -(-count // len(WAYS))
            for number in range(-(-left // CHUNK)):
                yield Job(kind, way, first_seed + number, min(CHUNK, left - number * CHUNK))
        yield from (Job(kind, "sweep", base, 0) for base in range(bases_of(kind)))


def results(work: Sequence[Job]) -> Iterator[tuple[Job, Result]]:
    """The results of all jobs, as they come."""
    with get_context("fork").Pool(os.cpu_count()) as workers:
        yield from workers.imap_unordered(_numbered, work)


def _numbered(job: Job) -> tuple[Job, Result]:
    return job, run(job)


def table(totals: dict[tuple[str, str], Result]) -> str:
    """The figures of a run, one line for each kind and way."""
    columns = ("documents", "different", "valid", "invalid", "too new", "excused", "disagreements")
    lines = [f"{'kind':<24}{'way':<8}" + "".join(f"{column:>14}" for column in columns)]
    for kind in KINDS:
        whole = Result()
        for (of_kind, way), result in totals.items():
            if of_kind == kind:
                whole.add(result)
                lines.append(_line(kind, way, result, columns))
        lines.append(_line(kind, "all", whole, columns))
    return "\n".join(lines)


def _line(kind: str, way: str, result: Result, columns: Sequence[str]) -> str:
    figures = result.counts | Counter(different=len(result.different))
    return f"{kind:<24}{way:<8}" + "".join(f"{figures[column]:>14,}" for column in columns)
