"""A sample of ``make judges``, and what shows that the bench would notice."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest
from lxml import etree

from libstorage.xml.schema import load_xsd
from tests.contract.rng import _RNG as RNG
from tests.contract.rng import pattern, schema, versions
from tests.judges import bench, verdicts
from tests.judges.bench import Job, jobs, run, table
from tests.judges.chance import Chance
from tests.judges.equivalent import EQUIVALENT
from tests.judges.faults import chosen
from tests.judges.patterns import texts_of
from tests.judges.planted import SCHEMAS, Fault, faults
from tests.judges.sweep import bases_of, sweep
from tests.judges.verdicts import relaxng, rng_accepts
from tests.judges.walker import START, Walker
from tests.judges.ways import KINDS, WAYS, sample

DOCUMENTS, SWEPT = 120, 100

each_kind = pytest.mark.parametrize("kind", KINDS)


# ---- the judges agree -----------------------------------------------------------------------------------------------


@each_kind
@pytest.mark.parametrize("way", WAYS)
def test_the_judges_agree(kind: str, way: str) -> None:
    result = run(Job(kind, way, seed=0, count=DOCUMENTS))
    assert result.disagreements == []
    assert result.counts["documents"] == len(result.different) == DOCUMENTS
    assert result.counts["valid"] > DOCUMENTS // 20


@each_kind
def test_the_judges_agree_on_the_sweep(kind: str) -> None:
    """On every hundredth document of it."""
    everything = (text for base in range(bases_of(kind)) for _, text in sweep(kind, base))
    found = {text: verdicts.verdicts(kind, text) for text in islice(everything, 0, None, SWEPT)}
    assert [text for text, says in found.items() if not says.agree] == []
    accepted = sum(says.valid for says in found.values())
    assert len(found) // 20 < accepted < len(found)


# ---- the bench would notice -----------------------------------------------------------------------------------------


def test_a_planted_fault_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (fault,) = (
        each
        for each in faults()
        if (each.component, each.what) == ("YesNo", "no such word") and '"no"' in each.before
    )
    planted = faulty(fault, tmp_path)
    job = Job("storagepoolCapabilities", "RNG", seed=0, count=60)
    assert run(job).disagreements == []

    monkeypatch.setattr("libstorage.xml.schema._xsd", lambda _: planted)
    complaints = run(job).disagreements

    assert complaints
    assert all(re.search(r"RNG [\d.]+ accepts, XSD refuses", complaint) for complaint in complaints)


def faulty(fault: Fault, folder: Path) -> object:
    shutil.copytree(SCHEMAS, folder, dirs_exist_ok=True)
    (folder / fault.file).write_text(fault.text())
    return load_xsd(folder / "capabilities.xsd")


def test_a_stricter_reader_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    job = Job("volume", "RNG", seed=0, count=60)
    assert run(job).disagreements == []
    monkeypatch.setattr(verdicts, "STRICT_LIMITS", ())
    assert any("strict model refuses" in complaint for complaint in run(job).disagreements)


def test_another_answer_to_users_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verdicts, "validate", lambda *_, **__: None)
    job = Job("volume", "RNG", seed=0, count=bench.ASKED_AS_USERS_DO * 4)
    complaints = run(job).disagreements
    assert any(
        "validate(against='xsd') accepts; validate(against='rng') accepts" in each for each in complaints
    )


def test_every_fault_changes_one_line() -> None:
    keys = set()
    for fault in faults():
        before, after = (SCHEMAS / fault.file).read_text().splitlines(), fault.text().splitlines()
        assert [
            number for number, (old, new) in enumerate(zip(before, after, strict=True), 1) if old != new
        ] == [fault.line]
        keys.add(fault.key)
    assert len(keys) > 1000
    assert EQUIVALENT.keys() <= keys


def test_faults_of_every_sort_are_chosen() -> None:
    planted = chosen(120, seed=1)
    assert len(set(planted)) == 120
    assert planted == chosen(120, seed=1) != chosen(120, seed=2)
    assert {fault.what.partition(" (")[0] for fault in planted} == {
        fault.what.partition(" (")[0] for fault in faults()
    }


# ---- ways to make documents -----------------------------------------------------------------------------------------


@each_kind
@pytest.mark.parametrize("way", WAYS)
def test_documents_can_be_made_again(kind: str, way: str) -> None:
    assert sample(kind, way, 30, 7) == sample(kind, way, 30, 7) != sample(kind, way, 30, 8)


@each_kind
def test_the_walker_reaches_everything(kind: str) -> None:
    walker = Walker(kind, Chance(0))
    accepted = [rng_accepts(kind, walker.document()) for _ in range(600)]
    file, start = START[kind]
    places = {path for path, _ in pattern(file, start).paths()}

    assert set(walker.reached) == places | set(named(file, start))
    assert 100 < sum(accepted) < 500


def named(file: str, start: str) -> Iterator[str]:
    """The named patterns that a document may need."""
    seen, rest = set[str](), {start}
    while rest:
        name = rest.pop()
        yield name
        seen.add(name)
        rest |= {str(ref.get("name")) for ref in schema(file)[name].iter(f"{RNG}ref")} - seen


@pytest.mark.parametrize("kind", ["pool", "storagepoolCapabilities"])
def test_a_walker_that_does_not_go_astray_is_right(kind: str) -> None:
    walker = Walker(kind, Chance(1))
    assert all(rng_accepts(kind, walker.document(rate=0)) for _ in range(200))


def test_texts_of_patterns() -> None:
    for one in {
        str(node.text) for each in schema("basictypes.rng").values() for node in each.iter(f"{RNG}param")
    }:
        if one.isdigit() or one == "-1":
            continue
        chance = Chance(0)
        inside = [texts_of(one)(chance) for _ in range(40)]
        chance.rate = 0.3
        beyond = [texts_of(one)(chance) for _ in range(40)]
        assert all(re.fullmatch(one, text) for text in inside), one
        assert not all(re.fullmatch(one, text) for text in beyond), one


# ---- what libxml2 makes of the schema -------------------------------------------------------------------------------


def test_some_orders_that_libxml2_refuses() -> None:
    pool = etree.fromstring(
        "<pool type='dir'><uuid>3e3fce454f534fa7bb3211f34168b82b</uuid><available>1</available><capacity>2</capacity>"
        "<name>a</name><target><path>/a</path></target><allocation>1</allocation></pool>"
    )
    assert not any(relaxng("pool", each)(pool) for each in versions())
    assert rng_accepts("pool", pool)


def test_addresses_that_libxml2_lets_pass() -> None:
    pool = etree.fromstring(
        "<pool type='sheepdog'><name>a</name><source><host name='12345::1'/><name>a</name></source></pool>"
    )
    assert all(relaxng("pool", each)(pool) for each in versions())
    assert not rng_accepts("pool", pool)


def test_the_run_is_divided_and_added_up() -> None:
    work = list(jobs(KINDS, 1000, first_seed=5))
    for kind in KINDS:
        counts = [job.count for job in work if job.kind == kind and job.way == "RNG"]
        assert counts == [334]
        assert sum(job.kind == kind and job.way == "sweep" for job in work) == bases_of(kind)
    job = Job("volume", "corpus", seed=5, count=10)
    lines = table({(job.kind, job.way): run(job)}).splitlines()
    assert [line.split()[:3] for line in lines[1:]] == [
        ["pool", "all", "0"],
        ["volume", "corpus", "10"],
        ["volume", "all", "10"],
        ["storagepoolCapabilities", "all", "0"],
    ]
