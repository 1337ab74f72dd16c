"""What the bench is worth: it must find every fault that is planted in our schemas and that changes any verdict."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import islice
from multiprocessing import get_context
from pathlib import Path

from attrs import frozen
from lxml import etree

from libstorage.xml.explain import Component
from libstorage.xml.parse import parse
from libstorage.xml.schema import is_fit_for_xsd, load_xsd, without_unicode_blanks
from libstorage.xml.tree import Tree
from tests.judges.chance import Chance
from tests.judges.equivalent import EQUIVALENT
from tests.judges.planted import SCHEMAS, Fault, faults
from tests.judges.sweep import bases_of, sweep
from tests.judges.verdicts import rng_accepts
from tests.judges.ways import sample

PLANTED = 300
_SAMPLES = {"RNG": 1_000, "corpus": 1_000}
"""Documents of each kind beside the whole sweep, which alone reaches the rare places."""
_MOST, _MOST_EQUIVALENT = 80_000, 4_000
"""How many documents of a kind are tried on one fault; those that were changed where it is come first."""
_SHOWN = 200

_XSD = {"pool": "pool.xsd", "volume": "volume.xsd", "storagepoolCapabilities": "capabilities.xsd"}
_ONLY = {"pool.xsd": "pool", "pool-fs.xsd": "pool", "pool-rbd.xsd": "pool", "volume.xsd": "volume"} | {
    "capabilities.xsd": "storagepoolCapabilities"
}


@frozen
class Case:
    """A document of the bench, and what was changed in it: its path and its name."""

    path: str
    place: str
    text: str


@frozen
class Outcome:
    """What became of a fault: the document that tells it from the schema, if any did, and how many were tried."""

    fault: Fault
    found: str | None
    tried: int

    @property
    def reason(self) -> str | None:
        return EQUIVALENT.get(self.fault.key)

    @property
    def good(self) -> bool:
        return (self.found is None) == (self.reason is not None)

    def __str__(self) -> str:
        fault = self.fault
        became = self.found or (f"equivalent: {self.reason}" if self.reason else "NOT FOUND")
        place = f"{fault.file}:{fault.line} {fault.component}: {fault.what}: {fault.before.strip()[:60]}"
        return f"{place}\n    {self.tried:,} documents: {became}"


def chosen(count: int, seed: int) -> list[Fault]:
    """``count`` faults, as many of each kind as there are to be had."""
    by_kind = defaultdict(list)
    for fault in faults():
        by_kind[fault.what.partition(" (")[0]].append(fault)
    chance = Chance(seed)
    for same in by_kind.values():
        chance.shuffle(same)
    found: list[Fault] = []
    while len(found) < count and any(by_kind.values()):
        found += [same.pop() for same in by_kind.values() if same]
    return sorted(found[:count], key=lambda fault: (fault.file, fault.line, fault.what))


def outcome(fault: Fault) -> Outcome:
    """Plant a fault, and try the documents until one has another verdict."""
    tried = 0
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(SCHEMAS, folder, dirs_exist_ok=True)
        Path(folder, fault.file).write_text(fault.text())
        for kind in [_ONLY[fault.file]] if fault.file in _ONLY else _XSD:
            try:
                faulty = load_xsd(Path(folder, _XSD[kind]))
            except Exception as error:  # noqa: BLE001 - whatever the library says of it
                return Outcome(fault, f"is no schema: {type(error).__name__}", tried)
            for case in islice(
                _in_order(kind, fault), _MOST_EQUIVALENT if fault.key in EQUIVALENT else _MOST
            ):
                tried += 1
                if told := _told_by(faulty, kind, case):
                    return Outcome(fault, told, tried)
    return Outcome(fault, None, tried)


def _told_by(schema: Component, kind: str, case: Case) -> str | None:
    """What the schema does with a document, where libvirt's does not."""
    root = parse(case.text)
    valid = rng_accepts(kind, root)
    if not is_fit_for_xsd(root) or bool(schema.is_valid(without_unicode_blanks(root))) == valid:
        return None
    return f"{'refused' if valid else 'accepted'}, {case.path}: {case.text[:_SHOWN]}"


# ---- the documents --------------------------------------------------------------------------------------------------


@cache
def cases(kind: str) -> Sequence[Case]:
    """The documents of a kind, all mixed: those of the sweep and some of each way."""
    texts = {text: path for base in range(bases_of(kind)) for path, text in sweep(kind, base)}
    for way, count in _SAMPLES.items():
        texts |= {text: way for text in sample(kind, way, count, 0) if text not in texts}
    found = [Case(path, re.split("[/@}]", path)[-1], text) for text, path in texts.items()]
    Chance(0).shuffle(found)
    return found


def _in_order(kind: str, fault: Fault) -> Iterator[Case]:
    """All documents: first those that were changed where the component is used, then those that have it."""
    own = set(re.findall(r'name="([\w-]+)"', fault.before))
    names = _names(fault.component)
    yield from (case for case in cases(kind) if case.place in own)
    yield from (case for case in cases(kind) if case.place in names - own)
    beside = [case for case in cases(kind) if case.place not in names | own]
    yield from sorted(beside, key=lambda case: not any(name in case.text for name in names | own))


@cache
def _uses() -> Mapping[str, frozenset[str]]:
    """For each component of the schemas: the names of what it is the type of, and of the components that use it."""
    found: dict[str, set[str]] = defaultdict(set)
    for path in SCHEMAS.glob("*.xsd"):
        for top in etree.parse(path).getroot().iterchildren(etree.Element):
            for inner in top.iter(etree.Element):
                for used in _used(inner):
                    word = re.search("'(.*)'", inner.get("test", ""))
                    name = word[1] if word else inner.get("name")
                    found[used.rpartition(":")[2]].add(f"{name}" if name else f"component {top.get('name')}")
    return {name: frozenset(names) for name, names in found.items()}


def _used(element: Tree) -> Iterator[str]:
    for attribute in ("type", "base", "ref", "memberTypes"):
        yield from element.get(attribute, "").split()


def _names(component: str) -> frozenset[str]:
    found: set[str] = set()
    for use in _uses().get(component, frozenset({component})):
        found |= _names(use.removeprefix("component ")) if use.startswith("component ") else {use}
    return frozenset(found)


# ---- the run --------------------------------------------------------------------------------------------------------


def outcomes(planted: Sequence[Fault]) -> Iterator[Outcome]:
    """What becomes of each, in order."""
    for kind in _XSD:
        cases(kind)
    with get_context("fork").Pool(os.cpu_count()) as workers:
        yield from workers.imap(outcome, planted)


def report(count: int, seed: int) -> int:
    """Print what becomes of each of ``count`` faults; answers how many were not found, or found though equivalent."""
    planted = chosen(count, seed)
    print(f"{len(planted)} faults of {len(list(faults()))}, seed {seed}", flush=True)
    done = []
    for number, each in enumerate(outcomes(planted), 1):
        print(f"{number}. {each}", flush=True)
        done.append(each)
    found = sum(each.found is not None for each in done)
    wrong = [each for each in done if not each.good]
    print(
        f"{found} found, {len(done) - found - len(wrong)} equivalent, {len(wrong)} wrong of {len(done)} faults"
    )
    return len(wrong)
