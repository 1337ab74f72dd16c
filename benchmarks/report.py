"""Writes ``docs/benchmarks.md`` and its pictures from the files of results.

Run: python -m benchmarks.report
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from benchmarks.picture import bars
from benchmarks.results import FOLDER, Report, Table, figure, load

DOCS = Path(__file__).resolve().parents[1] / "docs"
PAGE = "benchmarks.md"
SECTIONS = {
    "codec": "Documents",
    "footprint": "Imports, first use and memory",
    "listing": "Listings",
    "transfer": "Transfers",
}
HEAD = """\
<!-- Written by `make bench`. Run it again; what is changed here by hand is lost. -->

# Figures

`make bench` measures these figures with the scripts in `benchmarks/`. Candidates run in turns, with the garbage collector
held back for all of them. The least time of many rounds counts, because other work on the machine only adds time. *Ratio* is
the ratio of the least times; *median* is the median of the ratios of the rounds. If the two are far apart, the machine was
busy. Ratios carry over to another machine; absolute times do not.

`make bench-compare REV=revision` says what a change does to the figures. It measures an older revision and the working tree
in turns, with the benchmarks of the working tree and our own documents. It prints one table of the ratios of new to old: the
median of all rounds, the least and the most. It calls a row slower or faster if every round agrees, by more than 2 % and by
more than the rounds differ from each other. The exit status is 1 if something became slower, and 2 if there were too few
rounds to tell. It takes under ten minutes. `ONLY=codec ROUNDS=5` measures less, and `MINUTES=30` allows more time.
"""


def pages(folder: Path = FOLDER) -> dict[str, str]:
    """The page and its pictures, by their paths below ``docs``."""
    written: dict[str, str] = {}
    text = [HEAD]
    for script, title in SECTIONS.items():
        path = folder / f"{script}.json"
        if not path.exists():
            continue
        report = load(path)
        text += [f"## {title}", "", _circumstances(report), ""]
        for table in report.tables:
            text += [f"### {table.title}", "", *([table.about, ""] if table.about else [])]
            if table.picture:
                picture = f"benchmarks/{script}-{table.name}.svg"
                written[picture] = bars(table)
                text += [f"![{table.title}: ratios to {table.floor}]({picture})", ""]
            text += [*_rows(table), ""]
    return {PAGE: "\n".join(text), **written}


def _circumstances(report: Report) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in report.versions.items())
    return f"{report.date}: {report.machine}; {versions}."


def _rows(table: Table) -> Iterator[str]:
    columns = {
        "": [result.name for result in table.results],
        table.unit: [figure(result.value) for result in table.results],
        f"ratio to {table.floor}": [figure(result.ratio) for result in table.results],
        "median": [figure(result.median) for result in table.results],
        "remarks": [result.note for result in table.results],
    }
    used = {head: cells for head, cells in columns.items() if any(cells)}
    numbers = {table.unit, f"ratio to {table.floor}", "median"}
    yield f"| {' | '.join(used)} |"
    yield f"|{'|'.join('---:' if head in numbers else '---' for head in used)}|"
    for cells in zip(*used.values(), strict=True):
        yield f"| {' | '.join(cells)} |"


def main() -> None:
    for name, text in pages().items():
        path = DOCS / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        print(path)


if __name__ == "__main__":
    main()
