"""An older revision and this one in turns: one table of ratios, which is what "no slower" means.

Both are measured by the benchmarks of this revision, each turn in a process of its own, and who begins changes every round. The
older revision comes from git into a temporary folder; this one is the working tree, as it is.  Both use the packages of
this Python.

Run: python -m benchmarks.compare REVISION [--only codec listing] [--rounds 7] [--minutes 9]
"""

from __future__ import annotations

import argparse
import compileall
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median, quantiles
from time import monotonic

from attrs import Factory, frozen

from benchmarks.documents import printed
from benchmarks.measure import BENCHMARKS, CONTROL, Turn
from benchmarks.results import figure

CHECKOUT = Path(__file__).resolve().parents[1]
PACKAGE = ("libstorage", "schemas")
SCRIPTS = ("benchmarks", "tests/corpus/canonical.py")
FEWEST = 5
"""Rounds that it takes for a verdict: fewer fall on one side by chance too often."""
LEAST = 0.02
PATIENCE = 180  # seconds for one turn


class CannotCompareError(Exception):
    """There is nothing to compare with."""


# ---- two packages, one set of benchmarks ----------------------------------------------------------------------------


@frozen
class Side:
    """A folder from which one revision of libstorage is imported, with this revision's benchmarks beside it."""

    folder: Path

    @classmethod
    def of(cls, folder: Path, revision: str | None = None) -> Side:
        """The revision that git knows by this name, or the working tree."""
        folder.mkdir()
        if revision is None:
            _copy(PACKAGE, folder)
        else:
            _export(revision, folder)
        _copy(SCRIPTS, folder)
        compileall.compile_dir(folder, quiet=2, workers=1)
        return cls(folder)

    def turn(self, benchmark: str, documents: Path) -> Turn:
        """Measure once, in a new process."""
        command = [sys.executable, "-m", "benchmarks.measure", benchmark, str(documents)]
        environment = os.environ | {"PYTHONPATH": str(self.folder), "PYTHONHASHSEED": "0"}
        try:
            run = subprocess.run(
                command,
                cwd=self.folder,
                env=environment,
                timeout=PATIENCE,
                check=True,
                capture_output=True,
                text=True,
            )
        except subprocess.TimeoutExpired:
            return Turn(failed={benchmark: f"not done after {PATIENCE} s"})
        except subprocess.CalledProcessError as error:
            return Turn(failed={benchmark: (error.stderr.strip().splitlines() or [str(error)])[-1][:200]})
        said = json.loads(run.stdout.splitlines()[-1])
        if Path(said["package"]) != (self.folder / "libstorage").resolve():
            raise CannotCompareError(f"{said['package']} was imported instead of the one in {self.folder}")
        return Turn(said["figures"], said["failed"])


def _copy(names: Sequence[str], folder: Path) -> None:
    for name in names:
        source, target = CHECKOUT / name, folder / name
        if source.is_dir():
            leave = shutil.ignore_patterns("__pycache__", "measured")
            shutil.copytree(source, target, symlinks=True, ignore=leave)
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target)


def _export(revision: str, folder: Path) -> None:
    command = ["git", "archive", "--format=tar", f"{revision}^{{commit}}", *PACKAGE]
    run = subprocess.run(command, cwd=CHECKOUT, check=False, capture_output=True)
    if run.returncode:
        raise CannotCompareError(
            f"git has no libstorage of revision {revision}: {run.stderr.decode().strip()}"
        )
    with tarfile.open(fileobj=io.BytesIO(run.stdout)) as archive:
        archive.extraction_filter = getattr(tarfile, "data_filter", None)  # Debian 12's Python has none yet
        archive.extractall(folder)


# ---- what the turns say ---------------------------------------------------------------------------------------------


@frozen
class Row:
    """One figure of both revisions, a pair for every round."""

    name: str
    old: list[float] = Factory(list)
    new: list[float] = Factory(list)

    @property
    def control(self) -> bool:
        """Whether it measures something else than libstorage."""
        return CONTROL in self.name

    @property
    def ratios(self) -> list[float]:
        """New to old, round by round."""
        return [new / old for old, new in zip(self.old, self.new, strict=True)]

    @property
    def noise(self) -> float:
        """How far apart the ratios are, the quarter at each end aside: one odd round neither hides nor makes anything."""
        low, _, high = quantiles(self.ratios, n=4, method="inclusive")
        return high - low

    @property
    def verdict(self) -> str:
        """``slower`` or ``faster`` where every round says so, by more than the noise; else nothing."""
        ratios = self.ratios
        middle = median(ratios)
        if len(ratios) < FEWEST or abs(middle - 1) <= max(LEAST, self.noise):
            return ""
        if min(ratios) > 1:
            return "more" if "[MiB]" in self.name else "slower"
        return ("less" if "[MiB]" in self.name else "faster") if max(ratios) < 1 else ""


@frozen
class Comparison:
    """Everything that was measured so far."""

    rows: dict[str, Row] = Factory(dict)
    missing: dict[str, str] = Factory(dict)

    def add(self, benchmark: str, old: Turn, new: Turn) -> None:
        """One round: a turn of each side."""
        for side, turn in (("older", old), ("this", new)):
            for name, reason in turn.failed.items():
                self.missing.setdefault(f"{benchmark}: {name}", f"with the {side} revision: {reason}")
        for name, value in new.figures.items():
            before = old.figures.get(name)
            if before and value:
                row = self.rows.setdefault(f"{benchmark}: {name}", Row(f"{benchmark}: {name}"))
                row.old.append(before)
                row.new.append(value)
        for name in old.figures.keys() ^ new.figures.keys():
            self.missing.setdefault(f"{benchmark}: {name}", "measured of one revision only")

    def worse(self) -> list[Row]:
        """The rows that say that this revision is slower, or takes more."""
        return [row for row in self.rows.values() if row.verdict in {"slower", "more"} and not row.control]

    def unsteady(self) -> list[Row]:
        """The controls that say anything: the machine has changed meanwhile."""
        return [row for row in self.rows.values() if row.verdict and row.control]

    def __str__(self) -> str:
        wide = max(map(len, self.rows), default=0)
        lines = [f"{'':{wide}}{'old':>9}{'new':>9}  new/old{'least':>8}{'most':>8}{'rounds':>8}"]
        for row in self.rows.values():
            ratios = row.ratios
            figures = "".join(f"{figure(median(values)):>9}" for values in (row.old, row.new))
            spread = "".join(f"{ratio:8.3f}" for ratio in (median(ratios), min(ratios), max(ratios)))
            lines.append(f"{row.name:{wide}}{figures} {spread}{len(ratios):8}  {row.verdict}".rstrip())
        lines += [f"not compared: {name}: {reason}" for name, reason in self.missing.items()]
        return "\n".join(lines)


def compare(
    old: Side, new: Side, benchmarks: Sequence[str], documents: Path, *, rounds: int, minutes: float
) -> Comparison:
    """All rounds, or as many as end in so many minutes if each takes as long as those before."""
    comparison = Comparison()
    started = monotonic()
    for number in range(1, rounds + 1):
        sides = (old, new) if number % 2 else (new, old)
        for benchmark in benchmarks:
            turns = {side: side.turn(benchmark, documents) for side in sides}
            comparison.add(benchmark, turns[old], turns[new])
        taken = monotonic() - started
        print(f"round {number} of {rounds}, {taken:.0f} s", file=sys.stderr, flush=True)
        if taken + taken / number > minutes * 60:
            break
    return comparison


def main(arguments: Sequence[str] | None = None) -> int:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("revision", help="the older revision, in any way that git understands")
    options.add_argument("--only", nargs="*", choices=[*BENCHMARKS], help="these benchmarks")
    options.add_argument("--rounds", type=int, default=7, help=f"turns of each; {FEWEST} for a verdict")
    options.add_argument("--minutes", type=float, default=9.5, help="no further round after so many")
    given = options.parse_args(arguments)
    with tempfile.TemporaryDirectory() as scratch:
        try:
            old = Side.of(Path(scratch, "old"), given.revision)
            new = Side.of(Path(scratch, "new"))
            documents = Path(scratch, "documents")
            documents.mkdir()
            printed(documents)
            benchmarks = given.only or [*BENCHMARKS]
            found = compare(old, new, benchmarks, documents, rounds=given.rounds, minutes=given.minutes)
        except CannotCompareError as error:
            options.error(str(error))
    print(found)
    return conclude(found, given.revision)


def conclude(comparison: Comparison, revision: str) -> int:
    """Say what the table means: 0 for no slower, 1 for slower, 2 where that cannot be told."""
    rounds = [len(row.ratios) for row in comparison.rows.values()]
    if min(rounds, default=0) < FEWEST:
        print(f"No verdict: it takes {FEWEST} rounds. Set ROUNDS, MINUTES, or ONLY to fewer benchmarks.")
        return 2
    print(
        "A row is slower or faster where every round says so, by more than "
        f"{LEAST:.0%} and by more than the rounds differ from each other."
    )
    for row in comparison.unsteady():
        print(f"This machine has changed meanwhile, repeat it: {row.name} is {row.verdict}")
    worse = comparison.worse()
    for row in worse:
        print(f"{row.verdict}: {row.name}, {median(row.ratios):.3f} times {revision}'s")
    if not worse:
        print(f"No slower than {revision}, as far as this machine can tell.")
    return bool(worse)


if __name__ == "__main__":
    sys.exit(main())
