"""What every benchmark of this folder shares: the tables of results, and their files.

A script times its variants with ``clock.alternately``, turns the times into a [Table][] with [compared][], and gives its
tables to ``save``, which writes ``benchmarks/measured/SCRIPT.json``.  ``benchmarks/report.py`` makes the page of these files.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median
from typing import Any

from attrs import asdict, frozen

FOLDER = Path(__file__).parent / "measured"


@frozen(kw_only=True)
class Result:
    """One row of a table.

    ``value`` is in the unit of the table, and ``None`` where nothing was measured: then ``note`` says why.  ``ratio`` is
    that of the least times, ``median`` the median of the rounds' own ratios; both are to the table's ``floor``.
    """

    name: str
    value: float | None = None
    ratio: float | None = None
    median: float | None = None
    note: str = ""


@frozen(kw_only=True)
class Table:
    """Results that are compared with each other.

    ``name`` is unique within its script and names the picture's file, ``about`` is the paragraph above the table on the
    page (Markdown), ``floor`` says what ratios are to; ``picture`` asks for bars of the ratios.
    """

    name: str
    title: str
    unit: str
    about: str = ""
    floor: str = ""
    results: Sequence[Result]
    picture: bool = False

    def __str__(self) -> str:
        wide = max(len(result.name) for result in self.results)
        lines = [f"{self.title} [{self.unit}]" + (f", ratio to {self.floor}" if self.floor else "")]
        for result in self.results:
            numbers = (
                "".join(f"{figure(n):>10}" for n in (result.value, result.ratio, result.median))
                if result.value is not None
                else ""
            )
            lines.append(f"  {result.name:{wide}}{numbers}  {result.note}".rstrip())
        return "\n".join(lines)


@frozen(kw_only=True)
class Report:
    """The tables of one script, with when, where and with what they were measured."""

    script: str
    date: str
    machine: str
    versions: Mapping[str, str]
    tables: Sequence[Table]


def figure(number: float | None) -> str:
    """A number with three digits that count, or nothing."""
    if number is None:
        return ""
    return f"{number:,.0f}" if number >= 99.95 else f"{number:.1f}" if number >= 9.995 else f"{number:.2f}"


def compared(
    times: Mapping[str, Sequence[float]],
    floor: str,
    *,
    scale: float,
    notes: Mapping[str, str] | None = None,
) -> list[Result]:
    """Rows of what ``alternately`` measured: the least time of each variant and its ratios to that of ``floor``.

    Args:
        times: Seconds of each round, by variant.
        floor: The variant that the others are compared with.
        scale: What turns seconds into the table's unit, such as ``1e6 / documents``.
        notes: Remarks, by variant.
    """
    base = times[floor]
    return [
        Result(
            name=name,
            value=min(taken) * scale,
            ratio=min(taken) / min(base),
            median=median(one / other for one, other in zip(taken, base, strict=True)),
            note=(notes or {}).get(name, ""),
        )
        for name, taken in times.items()
    ]


def save(script: str, tables: Iterable[Table], versions: Mapping[str, str], folder: Path = FOLDER) -> Path:
    """Print the tables, and write them to ``FOLDER/SCRIPT.json`` with machine and date."""
    report = Report(
        script=script,
        date=dt.datetime.now(dt.UTC).date().isoformat(),
        machine=machine(),
        versions={"Python": platform.python_version(), **versions},
        tables=list(tables),
    )
    for table in report.tables:
        print(f"{table}\n")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{script}.json"
    path.write_text(json.dumps(asdict(report), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def load(path: Path) -> Report:
    """What ``save`` wrote."""
    said: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    tables = [
        Table(**{**table, "results": [Result(**row) for row in table["results"]]}) for table in said["tables"]
    ]
    return Report(**{**said, "tables": tables})


def installed(*packages: str) -> dict[str, str]:
    """The versions of Python packages, of those that are installed."""
    found = {}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def machine() -> str:
    """This machine: system, processor, cores, and how busy it was in the last minute."""
    names = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        if line.startswith("model name")
    ]
    system = platform.freedesktop_os_release()["PRETTY_NAME"]
    processor = names[0] if names else platform.machine()
    return f"{system}, {os.cpu_count()} cores of {processor}, load average {os.getloadavg()[0]:.1f}"
