"""Reading, writing and judging documents: microseconds a document, and ratios to lxml's bare parse of the same text.

Over every document that libvirt writes in its own tests. All that is Python runs in one process, the variants in turn; the least of
many rounds counts, since other work on the machine only ever adds.  Peers in a process of their own are compared with an
lxml that takes turns with them.

Run: python -m benchmarks.codec [ROUNDS]
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import cache, partial
from importlib import import_module
from importlib.resources import files
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, Self

from attrs import evolve, frozen
from lxml import etree
from xmlschema import XMLSchema11

from benchmarks.clock import alternately
from benchmarks.documents import corpus, root_of
from benchmarks.peers import with_go, with_minidom, with_virtinst
from benchmarks.results import Result, Table, compared, figure, installed, save
from libstorage import PoolSpec, VolumeSpec, validate
from tests.corpus.canonical import canonical

FLOOR = "lxml.etree.fromstring"
OURS = "libstorage"
PEERS = {"pydantic-xml": "benchmarks.peers.with_pydantic_xml", "xsdata": "benchmarks.peers.with_xsdata"}
MISSING = "not installed"
OTHER_FORM = "libstorage, unusual documents"
GO = "Go: libvirt-go-xml"
TURNS = 5

Variants = dict[str, Callable[[], object]]


@frozen
class Corpus:
    """The documents: where they are, their texts, and our objects of them."""

    paths: Sequence[Path]
    texts: Sequence[str]
    specs: Sequence[PoolSpec | VolumeSpec]

    @classmethod
    def of(cls, paths: Sequence[Path]) -> Self:
        """These documents, read."""
        texts = [path.read_text(encoding="utf-8") for path in paths]
        return cls(paths, texts, [_model(text).from_xml(text) for text in texts])

    @property
    def scale(self) -> float:
        """What makes microseconds a document of the seconds that all of them take."""
        return 1e6 / len(self.texts)

    def __str__(self) -> str:
        mean = sum(map(len, self.texts)) // len(self.texts)
        return f"the {len(self.texts)} documents that libvirt writes in its own tests ({mean} characters on average)"


def _model(text: str) -> type[PoolSpec | VolumeSpec]:
    return VolumeSpec if root_of(text) == "volume" else PoolSpec


def each(calls: Sequence[Callable[[], object]]) -> Callable[[], object]:
    """One call that makes all of them and keeps what they give."""
    return lambda: [call() for call in calls]


def peers() -> dict[str, ModuleType]:
    """The peers that are installed."""
    found = {}
    for name, module in PEERS.items():
        try:
            found[name] = import_module(module)
        except ModuleNotFoundError:
            continue
    return found


def read_table(documents: Corpus, rounds: int) -> Table:
    """XML to objects."""
    texts = documents.texts
    variants: Variants = {
        FLOOR: each([partial(etree.fromstring, text) for text in texts]),
        OURS: each([partial(_model(text).from_xml, text) for text in texts]),
        OTHER_FORM: each([partial(_model(text).from_xml, requoted(text)) for text in texts]),
        "minidom, as in libvirt's guide": each([partial(with_minidom.read, text) for text in texts]),
    }
    notes: dict[str, str] = {}
    for name, peer in peers().items():
        variants[name] = each([partial(peer.reader(root_of(text)), text) for text in texts])
        written = [peer.write(peer.reader(root_of(text))(text)) for text in texts]
        notes[name] = kept(texts, written)
    variants["xmlschema: to_dict"] = each([partial(_schema(root_of(text)).to_dict, text) for text in texts])
    notes |= {
        FLOOR: "a tree, no objects",
        OURS: "`from_xml`: typed objects, every check",
        OTHER_FORM: "the same documents with double quotes, as libvirt does not print them",
        "minidom, as in libvirt's guide": "no objects: names, and five attributes of the source",
        "xmlschema: to_dict": "validates too, with our XSD; dicts of decoded values",
    }
    results = compared(alternately(variants, rounds, warm=True), FLOOR, scale=documents.scale, notes=notes)
    return Table(
        name="read",
        title="Reading",
        unit="µs a document",
        about=f"XML to objects, over {documents}; the least of {rounds} rounds.",
        floor=FLOOR,
        results=[*results, *absent()],
        picture=True,
    )


def kept(texts: Sequence[str], written: Sequence[str | bytes]) -> str:
    """How many documents a peer writes back with all that was in them: the check that it does read every field."""
    pairs = [*zip(map(canonical, texts), map(canonical, written), strict=True)]
    whole = sum(before == after for before, after in pairs)
    lost = {path for before, after in pairs for path, value in before.items() if after.get(path) != value}
    without = f" (not `{'`, `'.join(sorted(lost)[:3])}`)" if lost else ""
    return f"{whole} of {len(texts)} documents come back whole{without}"


def write_table(documents: Corpus, rounds: int) -> Table:
    """Objects to XML."""
    trees = [etree.fromstring(text) for text in documents.texts]
    variants: Variants = {
        FLOOR: each([partial(etree.fromstring, text) for text in documents.texts]),
        "lxml.etree.tostring": each([partial(etree.tostring, tree) for tree in trees]),
        OURS: each([partial(spec.to_xml, reported=True) for spec in documents.specs]),
        "libstorage, as a request": each([spec.to_xml for spec in documents.specs]),
    }
    for name, peer in peers().items():
        objects = [peer.reader(root_of(text))(text) for text in documents.texts]
        variants[name] = each([partial(peer.write, one) for one in objects])
    notes = {
        FLOOR: "a parse, as the measure of all",
        "lxml.etree.tostring": "of a tree, no objects",
        OURS: "`to_xml(reported=True)`: every field",
        "libstorage, as a request": "`to_xml()`: without what only libvirt fills in",
    }
    results = compared(alternately(variants, rounds, warm=True), FLOOR, scale=documents.scale, notes=notes)
    return Table(
        name="write",
        title="Writing",
        unit="µs a document",
        about=f"Objects to XML, over the same documents; the least of {rounds} rounds.",
        floor=FLOOR,
        results=[*results, *absent()],
        picture=True,
    )


def absent() -> list[Result]:
    """Rows for the peers that are not installed."""
    there = peers()
    return [Result(name=name, note=MISSING) for name in PEERS if name not in there]


def against_ours(table: Table) -> Table:
    """The table, the fastest first, with how much longer than libstorage each peer takes."""
    ours = next(result.ratio for result in table.results if result.name == OURS)
    assert ours

    def remarked(result: Result) -> Result:
        if result.ratio is None or result.name.startswith(("lxml", OURS)):
            return result
        times = f"{figure(result.ratio / ours)} × libstorage"
        return evolve(result, note=f"{times}; {result.note}" if result.note else times)

    rows = sorted(table.results, key=lambda result: result.ratio or float("inf"))
    return evolve(table, results=[*map(remarked, rows)])


def elsewhere(documents: Corpus, rounds: int) -> tuple[list[Result], list[Result], dict[str, str]]:
    """Rows of reading and of writing by the peers that need a process of their own, and their versions."""
    read, write, go_version = _in_go(documents, rounds)
    versions = {"Go": go_version, "libvirt-go-xml": with_go.VERSION} if go_version else {}
    said = with_virtinst.measured(rounds, documents.paths)
    name = "virtinst: ten fields"
    if isinstance(said, str):
        return [Result(name=name, note=said), *read], write, versions
    times = {name: said["times"]["virtinst"], FLOOR: said["times"]["lxml"]}
    row = compared(times, FLOOR, scale=documents.scale)[0]
    note = f"ten of its fields; Debian's Python and lxml {said['versions']['lxml']}"
    versions["virtinst"] = said["versions"]["virtinst"]
    return [evolve(row, note=note), *read], write, versions


def _in_go(documents: Corpus, rounds: int) -> tuple[list[Result], list[Result], str]:
    times: dict[str, list[float]] = {FLOOR: [], "read": [], "write": []}
    floor: Variants = {FLOOR: each([partial(etree.fromstring, text) for text in documents.texts])}
    share = max(1, rounds // TURNS)
    said: dict[str, Any] = {}
    try:
        with with_go.built() as program:
            for _ in range(TURNS):
                times[FLOOR].append(min(alternately(floor, share, warm=True)[FLOOR]))
                said = program.measured(share, documents.paths)
                for way in ("read", "write"):
                    times[way].append(min(said[way]) / 1e9)
    except with_go.NotMeasuredError as why:
        row = Result(name=GO, note=str(why))
        return [row], [row], ""
    rows = compared(times, FLOOR, scale=documents.scale)
    note = "its own process, GOMAXPROCS=1"
    read = evolve(rows[1], name=GO, note=f"{note}; {kept(documents.texts, said['written'])}")
    return [read], [evolve(rows[2], name=GO, note=note)], said["version"].removeprefix("go")


def validate_table(documents: Corpus, rounds: int) -> Table:
    """Verdicts."""
    texts = documents.texts
    trees = [etree.fromstring(text, etree.XMLParser(remove_blank_text=True)) for text in texts]
    variants: Variants = {FLOOR: each([partial(etree.fromstring, text) for text in texts])}
    judges: dict[str, Literal["rng", "xsd"]] = {"libvirt's RELAX NG": "rng", "our XSD": "xsd"}
    for name, against in judges.items():
        judge = partial(validate, against=against)
        variants[f"{name}, tree given"] = each([partial(judge, tree) for tree in trees])
        variants[f"{name}, parsed too"] = each([partial(judge, text) for text in texts])
    variants["from_xml(strict=True)"] = each(
        [partial(_model(text).from_xml, text, strict=True) for text in texts]
    )
    return Table(
        name="validate",
        title="Judging",
        unit="µs a document",
        about=f"`validate`, over the same documents, all of them valid; the least of {rounds} rounds.",
        floor=FLOOR,
        results=compared(alternately(variants, rounds, warm=True), FLOOR, scale=documents.scale),
    )


def requoted(text: str) -> str:
    """The same document with double quotes, as libvirt does not print them."""
    return etree.tostring(etree.fromstring(text), encoding="unicode")


@cache
def _schema(root: str) -> Any:
    return XMLSchema11(str(files("libstorage") / "schemas" / f"{root}.xsd"))


def main(rounds: int) -> None:
    documents = Corpus.of(corpus())
    read, write = read_table(documents, rounds), write_table(documents, rounds)
    more_read, more_write, versions = elsewhere(documents, rounds)
    tables = [
        against_ours(evolve(read, results=[*read.results, *more_read])),
        against_ours(evolve(write, results=[*write.results, *more_write])),
        validate_table(documents, max(1, rounds // 4)),
    ]
    save("codec", tables, installed("lxml", "xmlschema", *PEERS, "pydantic") | versions)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
