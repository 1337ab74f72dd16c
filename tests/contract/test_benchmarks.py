"""The benchmarks run, with few rounds, and the page of figures is what they measured."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from attrs import evolve
from lxml import etree

from benchmarks import codec, compare, footprint, measure, report
from benchmarks.clock import alternately
from benchmarks.documents import printed
from benchmarks.picture import bars
from benchmarks.results import Result, Table, compared, load, save
from tests.support import CHECKOUT

NO_PEERS = {"pydantic-xml": "benchmarks.peers.of_no_such_package"}


@pytest.fixture(scope="module")
def documents(tmp_path_factory: pytest.TempPathFactory) -> codec.Corpus:
    return codec.Corpus.of(printed(tmp_path_factory.mktemp("printed"))[::12])


@pytest.fixture(autouse=True)
def no_peers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codec, "PEERS", NO_PEERS)
    monkeypatch.setattr(footprint, "PEERS", NO_PEERS)


def measured(table: Table) -> dict[str, float]:
    return {row.name: row.value for row in table.results if row.value is not None}


def test_variants_take_turns() -> None:
    ran: list[str] = []
    times = alternately({"a": lambda: ran.append("a"), "b": lambda: ran.append("b")}, 2)
    assert "".join(ran) == "ab" + "ba" + "ab"
    assert [len(taken) for taken in times.values()] == [2, 2]


def test_a_warm_variant_runs_once_more_before_it_is_timed() -> None:
    ran: list[str] = []
    times = alternately({"a": lambda: ran.append("a"), "b": lambda: ran.append("b")}, 1, warm=True)
    assert "".join(ran) == "aabb" + "bbaa"
    assert [len(taken) for taken in times.values()] == [1, 1]


def test_ratios_are_to_the_floor() -> None:
    rows = compared({"floor": [2.0, 4.0], "other": [8.0, 6.0]}, "floor", scale=10, notes={"other": "n"})
    assert rows == [
        Result(name="floor", value=20.0, ratio=1.0, median=1.0),
        Result(name="other", value=60.0, ratio=3.0, median=2.75, note="n"),
    ]


def test_codec(documents: codec.Corpus) -> None:
    read, write = codec.read_table(documents, 1), codec.write_table(documents, 1)
    judged = codec.validate_table(documents, 1)
    assert {codec.FLOOR, codec.OURS, codec.OTHER_FORM, "xmlschema: to_dict"} < measured(read).keys()
    assert {codec.FLOOR, codec.OURS, "libstorage, as a request"} < measured(write).keys()
    assert len(measured(judged)) == 6
    for table in (read, write):
        assert table.results[-1] == Result(name="pydantic-xml", note=codec.MISSING)


def test_peers_are_compared_with_ours(documents: codec.Corpus) -> None:
    rows = [
        Result(name="slow", value=9.0, ratio=9.0, note="n"),
        Result(name="absent", note=codec.MISSING),
        Result(name=codec.OURS, value=2.0, ratio=2.0),
    ]
    table = Table(name="t", title="t", unit="µs", results=rows)
    first, second, third = codec.against_ours(table).results
    assert (first.name, second.note, third.note) == (codec.OURS, "4.50 × libstorage; n", codec.MISSING)
    many = len(documents.texts)
    assert codec.kept(documents.texts, documents.texts) == f"{many} of {many} documents come back whole"
    lost = [text.replace("<name>", "<name>x") for text in documents.texts]
    assert codec.kept(documents.texts, lost).startswith(
        f"0 of {many} documents come back whole (not `/pool/name`"
    )


def test_footprint(documents: codec.Corpus) -> None:
    first = measured(footprint.first_table(documents.texts, 1))
    assert len(first) == 6
    assert all(first.values())
    memory = footprint.memory_table(200)
    assert 0 < measured(memory)["libstorage"] < 15e6 / 10_000 * 200 / footprint.MEBI
    assert memory.results[-1].note == codec.MISSING


def test_what_cannot_be_imported_is_not_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(footprint, "IMPORTS", {footprint.NEEDED: "", "absent": "import no_such_module"})
    needed, absent = footprint.import_table(1).results
    assert needed.ratio == 1
    assert absent == Result(name="absent", note=codec.MISSING)


def test_sizes_count_each_object_once() -> None:
    text = "ab" * 100
    assert footprint.sizes([text, text, (text,)])["str"] == text.__sizeof__()


def test_results_are_kept_as_they_are(tmp_path: Path) -> None:
    rows = [Result(name="a", value=1.5, ratio=1.0, median=None, note="b"), Result(name="c", note="none")]
    table = Table(name="t", title="T & U", unit="ms", floor="a < b", results=rows, picture=True)
    path = save("codec", [table], {"lxml": "6"}, tmp_path)
    kept = load(path)
    assert (kept.script, list(kept.tables), kept.versions["lxml"]) == ("codec", [table], "6")
    page = report.pages(tmp_path)
    assert list(page) == ["benchmarks.md", "benchmarks/codec-t.svg"]
    assert "| a | 1.50 | 1.00 | b |" in page["benchmarks.md"]
    assert "![T & U: ratios to a < b](benchmarks/codec-t.svg)" in page["benchmarks.md"]


def test_bars_start_at_one() -> None:
    rows = [Result(name="libstorage", ratio=0.1), Result(name="<other>", ratio=100.0)]
    picture = etree.fromstring(bars(Table(name="t", title="t", unit="ms", floor="f", results=rows)))
    own, other = (
        {name: float(bar.get(name, "")) for name in ("x", "width")}
        for bar in picture.iter("{*}rect")
        if bar.get("class") in {"ours", "bar"}
    )
    assert own["x"] + own["width"] == pytest.approx(other["x"])
    assert other["width"] == pytest.approx(2 * own["width"], abs=0.2)
    assert "<other>" in picture.itertext()


def test_the_page_shows_what_was_measured() -> None:
    """Run ``make bench``, or ``python -m benchmarks.report`` where only the words have changed."""
    written = report.pages()
    assert {name: (CHECKOUT / "docs" / name).read_text(encoding="utf-8") for name in written} == written
    for path in (CHECKOUT / "benchmarks" / "measured").glob("*.json"):
        assert path.stem in report.SECTIONS
        assert json.loads(path.read_text(encoding="utf-8"))["script"] == path.stem


def test_a_table_is_printed_with_three_digits() -> None:
    row = Result(name="a", value=1234.5, ratio=12.34, median=0.1234, note="b")
    table = Table(name="t", title="T", unit="ms", floor="a", results=[row, evolve(row, name="c", value=None)])
    assert str(table).splitlines() == [
        "T [ms], ratio to a",
        "  a     1,234      12.3      0.12  b",
        "  c  b",
    ]


# ---- two revisions --------------------------------------------------------------------------------------------------


def compared_rows(
    old: list[float], new: list[float], name: str = "codec: from_xml [ms]"
) -> compare.Comparison:
    comparison = compare.Comparison()
    for before, after in zip(old, new, strict=True):
        kind, _, figure = name.partition(": ")
        comparison.add(kind, measure.Turn({figure: before}), measure.Turn({figure: after}))
    return comparison


@pytest.mark.parametrize(
    ("new", "verdict"),
    [
        ([1.10, 1.11, 1.09, 1.12, 1.10], "slower"),
        ([0.90, 0.91, 0.89, 0.92, 0.90], "faster"),
        ([1.10, 1.11, 0.99, 1.12, 1.10], ""),  # not every round
        ([1.01, 1.01, 1.01, 1.01, 1.01], ""),  # too little
        ([1.05, 1.60, 1.30, 2.00, 1.01], ""),  # less than what the rounds differ by
        ([1.10, 1.11, 1.09, 1.90, 1.10], "slower"),  # one odd round
        ([1.10, 1.11, 1.09, 1.12], ""),  # too few rounds
    ],
)
def test_a_row_outside_noise_is_named(new: list[float], verdict: str) -> None:
    (row,) = compared_rows([1.0] * len(new), new).rows.values()
    assert row.verdict == verdict


def test_what_it_means_is_the_status(capsys: pytest.CaptureFixture[str]) -> None:
    slow = [1.10, 1.11, 1.09, 1.12, 1.10]
    assert compare.conclude(compared_rows([1.0] * 5, slow), "v1") == 1
    assert "slower: codec: from_xml [ms], 1.100 times v1's" in capsys.readouterr().out
    assert compare.conclude(compared_rows(slow, slow), "v1") == 0
    assert "No slower than v1" in capsys.readouterr().out
    assert compare.conclude(compared_rows([1.0], [1.5]), "v1") == 2
    assert compare.conclude(compared_rows([1.0] * 5, slow, "codec: control: lxml [ms]"), "v1") == 0
    assert "changed meanwhile" in capsys.readouterr().out


def test_what_one_side_cannot_do_is_said() -> None:
    comparison = compare.Comparison()
    comparison.add(
        "codec", measure.Turn({"a": 1.0}, {"b": "KeyError: c"}), measure.Turn({"a": 2.0, "b": 1.0})
    )
    assert [row.ratios for row in comparison.rows.values()] == [[2.0]]
    assert "not compared: codec: b: with the older revision: KeyError: c" in str(comparison)


def test_a_planted_slow_down_is_seen(tmp_path: Path) -> None:
    """Two real packages, one of them slow in what it reads, each measured in a process of its own."""
    documents = tmp_path / "documents"
    documents.mkdir()
    for path in printed(documents)[3:]:
        path.unlink()
    old = compare.Side.of(tmp_path / "old")
    new = compare.Side.of(tmp_path / "new")
    with (new.folder / "libstorage" / "xml" / "parse.py").open("a", encoding="utf-8") as source:
        source.write(
            "\n_quick = parse\ndef parse(*given):\n    time.sleep(0.01)\n    return _quick(*given)\nimport time\n"
        )
    comparison = compare.compare(old, new, ["codec"], documents, rounds=1, minutes=1)

    assert comparison.missing == {}
    rows = {name.removeprefix("codec: ").partition(" [")[0]: row for name, row in comparison.rows.items()}
    assert rows["from_xml, unusual documents"].ratios[0] > 5
    assert rows["to_xml"].ratios[0] < 5


def test_a_revision_comes_from_git(tmp_path: Path) -> None:
    side = compare.Side.of(tmp_path / "old", "HEAD")
    assert (side.folder / "libstorage" / "schemas" / "pool.xsd").exists()
    assert (side.folder / "benchmarks" / "measure.py").exists()
    with pytest.raises(
        compare.CannotCompareError, match="git has no libstorage of revision no-such-revision"
    ):
        compare.Side.of(tmp_path / "none", "no-such-revision")
