"""The page on pool types: what the lab has seen of each (``tests/lab/seen``)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import libstorage as ls
from tests.lab.conformance import OPERATIONS
from tests.lab.seen import NOT_TRIED, WORKS, Cell, Seen, read_all

_DASH: Final = "–"


def page() -> Iterator[str]:
    """The summary, then each type with its cases and all that does not work."""
    cases = read_all()
    yield from (
        "# Pool types",
        "",
        "What libstorage and libvirt can do with each type of pool. This table comes from `make lab`, which runs every",
        "operation against real storage through the public API and then checks the result independently. The name of a type",
        "leads to its page: a spec, a first session, and its traps. A program can ask the same question:",
        "`PoolType.RBD.supports(Ability.UPLOAD)` ([Ability](reference/enums.md#ability)). A test compares the answers with",
        "this table.",
        "",
        "**yes**: it works in every case of the type; **some**: it works in some cases or formats; no: it fails with the",
        f"error below; {_DASH}: it could not be tried, because an earlier step does not work.",
        "",
    )
    kinds = [kind for kind in ls.PoolType if _of(cases, kind)]
    yield from table(
        ("operation", *(f"[{kind}](pool-types/{kind}.md)" for kind in kinds)),
        (
            (name, *(_summary(case.operations[name] for case in _of(cases, kind).values()) for kind in kinds))
            for name in OPERATIONS
        ),
    )
    yield from ("", "The calls behind the operations:", "")
    yield from table(("operation", "call"), ((name, f"`{call}`") for name, call in OPERATIONS.items()))
    for kind in ls.PoolType:
        yield from _section(kind, _of(cases, kind))


def _of(cases: Mapping[str, Seen], kind: ls.PoolType) -> dict[str, Seen]:
    return {name: case for name, case in cases.items() if case.type == kind}


def _summary(cells: Iterable[Cell]) -> str:
    results = {cell.result for cell in cells}
    if results == {WORKS}:
        return "**yes**"
    if WORKS in results:
        return "some"
    return _DASH if results == {NOT_TRIED} else "no"


def _section(kind: ls.PoolType, cases: Mapping[str, Seen]) -> Iterator[str]:
    yield from (
        "",
        f"## {kind}",
        "",
        f"{kind.__doc__} [A first session, and its traps](pool-types/{kind}.md).",
        "",
    )
    if not cases:
        yield "This type is not in the table: Debian has no storage on which it could be tried."
        return
    rows = ((case.title, case.where, _versions(case), _cell(case.remark)) for case in cases.values())
    yield from table(("case", "storage on", "versions", "remarks"), rows)
    yield from ("", "What does not work:", "")
    yield from _errors("operation", ((case.title, case.operations) for case in cases.values()))
    if any(case.mistakes for case in cases.values()):
        yield from ("", "Mistakes, and the errors that they cause:", "")
        yield from _errors("mistake", ((case.title, case.mistakes) for case in cases.values()))


def _versions(case: Seen) -> str:
    return ", ".join(f"{program} {version}" for program, version in case.versions.items())


def _errors(what: str, cases: Iterable[tuple[str, Mapping[str, Cell]]]) -> Iterator[str]:
    """A row for each error, with the cases that have it."""
    where: dict[tuple[str, Cell], list[str]] = {}
    for title, cells in cases:
        for name, cell in cells.items():
            if cell.is_error:
                where.setdefault((name, cell), []).append(title)
    rows = (
        (name, "; ".join(titles), f"`{cell.result}`", _code(cell), _cell(cell.hint))
        for (name, cell), titles in where.items()
    )
    yield from table((what, "cases", "error", "code/domain, program", "hint"), rows)


def _code(cell: Cell) -> str:
    said = _DASH if cell.code is None else f"{cell.code}/{cell.domain}"
    return said if cell.program is None else f"{said}, {cell.program} ({cell.exit_status})"


def _cell(text: str | None) -> str:
    return (text or "").replace("\n", " ").replace("|", "\\|").replace("<", "&lt;")


def table(headers: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    """A table in Markdown."""
    headers = tuple(headers)
    yield f"| {' | '.join(headers)} |"
    yield f"|{'---|' * len(headers)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"
