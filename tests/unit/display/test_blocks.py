"""Each block says the same as text and as HTML, whatever the texts in it are."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.vendor.pretty import pretty as shown_by_hypothesis

from libstorage.display.charts import Axis, BarRow, Bars, Box, Chart, Graph, Lines, Series
from libstorage.display.inline import Bar, Dot, Run, Span, percent
from libstorage.display.page import Block, Page
from libstorage.display.segments import Segment, SegmentedBar
from libstorage.display.shown import MOST, Shown, page_of
from libstorage.display.style import CSS, PALETTE
from libstorage.display.table import Fields, Table
from libstorage.display.text import brief, counted, joined, short_address
from libstorage.display.tree import Tree
from tests.unit.display.pages import HOSTILE, checked, twin, words

TEXT = st.text(st.characters(exclude_categories=[]), max_size=8) | st.sampled_from(HOSTILE)
AXIS = Axis(100, [(0, "0"), (50, "50%"), (100, "100%")])


def _steps(found: list[int]) -> list[int]:
    """Levels of which each is at most one more than the one before."""
    levels: list[int] = []
    for level in found:
        levels.append(min(level, levels[-1] + 1 if levels else 0))
    return levels


LEVELS = st.lists(st.integers(0, 4), max_size=12).map(_steps)
T = st.lists(TEXT, min_size=6, max_size=6)
NUMBER = st.integers(0, 200)


def _run(t: list[str], n: int) -> Block:
    return Run((Span(t[0], "tag", t[1]), Dot(n > 9, t[2]), Bar(n, 100, n, label=t[3])))


def _table(t: list[str], n: int) -> Block:
    return Table((t[0], t[1]), [(t[2], Span(t[3], "old")), (t[4], Span(t[5], "new"))], t[0], n)


def _fields(t: list[str], n: int) -> Block:
    return Fields([(t[0], t[1])], [(t[2], Fields([(t[3], t[4])]))]).capped(n % 4)


def _segments(t: list[str], n: int) -> Block:
    return SegmentedBar([Segment(t[0], n, t[1]), Segment(t[2], 3, t[3], rest=True)], 100, t[4])


def _bars(t: list[str], n: int) -> Block:
    return _Picture(Bars([BarRow(t[0], n, 100, n, t[1])], AXIS, t[2], t[3], n))


def _lines(t: list[str], n: int) -> Block:
    return _Picture(Lines([Series(t[0], [n, None], [t[1], ""])], [0, 1], [t[2], t[3]], AXIS, t[4], t[5]))


def _tree(levels: list[int], t: list[str], n: int) -> Block:
    return Tree([(level, t[level]) for level in levels], n)


def _graph(levels: list[int], t: list[str], n: int) -> Block:
    return _Picture(Graph([Box(level, t[level], t[5]) for level in levels], t[0], t[1], n))


BLOCKS = st.one_of(
    *(st.builds(make, T, NUMBER) for make in (_run, _table, _fields, _segments, _bars, _lines)),
    *(st.builds(make, LEVELS, T, NUMBER) for make in (_tree, _graph)),
)


class _Picture:
    def __init__(self, picture: Any) -> None:
        self.picture = picture

    def text(self) -> str:
        return str(self.picture.text())

    def html(self) -> str:
        return str(self.picture.svg())


@given(BLOCKS, BLOCKS, T)
def test_every_block_is_safe_and_has_a_text(one: Block, other: Block, texts: list[str]) -> None:
    page = Page(texts[0], (Span(texts[1], "soft"),), (one, other), texts[2])
    html = checked(page.html())
    assert twin(html) == page.text()
    assert all(line.isprintable() for line in page.text().split("\n"))


# ---- parts of a line ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("part", "whole", "shown"),
    [
        (0, 9, "0%"),
        (1, 1000, "<1%"),
        (999, 1000, ">99%"),
        (9, 9, "100%"),
        (12, 10, "120%"),
        (1, 0, "0%"),
        (29, 100, "29%"),
    ],
)
def test_a_share_that_is_not_all_never_looks_like_all(part: int, whole: int, shown: str) -> None:
    assert percent(part, whole) == shown


class TestBar:
    def test_text(self) -> None:
        assert Bar(50, 100).text() == "██████░░░░░░  50%"
        assert Bar(50, 100, mark=100).text() == "██████░░░░░┃  50%"
        assert Bar(50, 100, mark=400).text() == "██████░░░░░┃  50%"
        assert Bar(0, 100, mark=0).text() == "┃░░░░░░░░░░░   0%"
        assert Bar(300, 100).text() == "████████████ 300%"

    def test_of_nothing_is_blank(self) -> None:
        assert (Bar(5, 0).text(), Bar(5, 0).html()) == ("", "")

    def test_a_screen_reader_says_the_share(self) -> None:
        bar = checked(Bar(29, 100, 31, label="used").html())
        assert bar.xpath("//@aria-label") == ["used 29%"]
        assert bar.xpath("//i/@style") == ["width:29%"]
        assert bar.xpath("//u/@style") == ["left:calc(31% - 2px)"]

    @pytest.mark.parametrize(("part", "color"), [(79, []), (80, ["high"]), (95, ["full"])])
    def test_the_color_warns(self, part: int, color: list[str]) -> None:
        assert checked(Bar(part, 100, alarms=True).html()).xpath("//i/@class") == color
        assert checked(Bar(part, 100).html()).xpath("//i/@class") == []


def test_a_dot_has_a_word() -> None:
    on, off = Dot(True, "running"), Dot(False, "stopped")
    assert (on.text(), off.text()) == ("●", "○")
    assert checked(on.html()).get("aria-label") == "running"
    assert checked(off.html()).get("class") == "dot soft"


def test_a_span_is_bare_without_style_and_title() -> None:
    assert Span("a<b").html() == "a&lt;b"
    assert Span("a", title="<").html() == '<span title="&lt;">a</span>'
    assert Span("a", "strong", "b").html() == '<b title="b">a</b>'
    assert Run((Span("a"), Span(""), Span("b"))).text() == "a b"


# ---- trees and bars -------------------------------------------------------------------------------------------------

LINES = [(0, "a"), (1, "b"), (2, "c"), (1, "d"), (0, "e"), (1, "f")]


class TestTree:
    def test_text(self) -> None:
        assert Tree(LINES).text().splitlines() == ["a", "├─ b", "│  └─ c", "└─ d", "e", "└─ f"]

    def test_html_is_nested_lists(self) -> None:
        tree = checked(f"<div>{Tree(LINES).html()}</div>")
        found = {li.text: len([*li.iterancestors("ul")]) - 1 for li in tree.iter("li")}
        assert found == {name: level for level, name in LINES}

    @given(LEVELS)
    def test_text_and_html_have_the_same_levels(self, levels: list[int]) -> None:
        tree = Tree([(level, "x") for level in levels])
        html = checked(f"<div>{tree.html()}</div>")
        assert [len([*li.iterancestors("ul")]) - 1 for li in html.iter("li")] == levels
        lines = tree.text().splitlines() if levels else []
        assert [(len(line) - 1) // 3 for line in lines] == levels

    def test_a_deep_tree(self) -> None:
        deep = Tree([(level, "x") for level in range(5000)])
        assert deep.text().count("\n") == 4999
        assert deep.html().count("<li>") == 5000

    def test_lines_that_are_left_out_are_counted(self) -> None:
        assert Tree(LINES[:1], 5).text() == "a\n… 5 more; print() shows all"
        assert "… 5 more" in Tree(LINES[:1], 5).html()


def test_a_segmented_bar() -> None:
    bar = SegmentedBar(
        [Segment("a", 50, "50 B"), Segment("b", 25, "25 B"), Segment("c", 1, "1 B", rest=True)], 100, "24 B"
    )
    assert bar.text().splitlines() == [
        "█" * 30 + "▓" * 15 + "▒" + "░" * 14,
        "█ a  50 B (50%)",
        "▓ b  25 B (25%)",
        "▒ c  1 B (1%)",
        "░ free  24 B",
    ]
    html = checked(f"<div>{bar.html()}</div>")
    assert html.xpath("//@aria-label") == ["a: 50 B; b: 25 B; c: 1 B; free: 24 B"]
    assert html.xpath("//div[@class='wide']/i/@style") == ["width:50.00%", "width:25.00%", "width:1.00%"]
    assert SegmentedBar([Segment("a", 5, "")], 0, "").text().startswith("░" * 60)


# ---- pictures -------------------------------------------------------------------------------------------------------


class TestPictures:
    BARS = Bars(
        [BarRow("images", 50, 100, 75, "50 of 100"), BarRow("new", 0, 20, None, "")],
        AXIS,
        "Space",
        "Bars.",
        3,
    )

    def test_bars_as_text(self) -> None:
        first, second, more = self.BARS.text().splitlines()
        assert first == f"images  {'█' * 20}{'░' * 10}┃{'░' * 9}  50 of 100"
        assert second == f"new     {'░' * 8}{' ' * 32}  "
        assert more == "… 3 more; print() shows all"

    def test_bars_are_as_long_as_their_values(self) -> None:
        rects = [float(rect.get("width")) for rect in checked(self.BARS.svg()).iter("rect")]
        track, filled, small, nothing = rects
        assert filled / track == pytest.approx(0.5, abs=0.01)
        assert small / track == pytest.approx(0.2, abs=0.01)
        assert nothing == 0

    def test_lines_as_text(self) -> None:
        lines = Lines([Series("a", [1, None], ["1 B", ""])], [0, 1], ["mon", "tue"], AXIS, "T", "A", 2)
        assert lines.text().splitlines() == [
            "   mon  tue",
            "─  ───  ───",
            "a  1 B",
            "… 2 more; print() shows all",
        ]

    def test_the_names_of_lines_do_not_overlap(self) -> None:
        series = [Series(f"s{number}", [99], [""]) for number in range(12)]
        svg = checked(Lines(series, [0], ["x"], AXIS, "T", "A").svg())
        heights = sorted(float(text.get("y")) for text in svg.iter("text") if text.text.startswith("s"))
        assert all(after - before >= 14 for before, after in pairwise(heights))
        assert heights[-1] <= 250

    def test_a_line_without_values(self) -> None:
        svg = checked(Lines([Series("s", [None], [""])], [0], ["x"], AXIS, "T", "A").svg())
        assert not [*svg.iter("path"), *svg.iter("circle")]

    def test_a_graph_links_each_box_to_its_parent(self) -> None:
        graph = Graph([Box(level, name, "") for level, name in LINES], "T", "A", 2)
        svg = checked(graph.svg())
        assert len([*svg.iter("path")]) == 4
        assert len([*svg.iter("rect")]) == 6
        assert graph.text().splitlines()[:2] == ["a", "├─ b"]
        assert int(svg.get("width")) >= 720

    def test_boxes_do_not_overlap(self) -> None:
        svg = checked(Graph([Box(level, name, "") for level, name in LINES], "T", "A").svg())
        places = sorted((float(rect.get("x")), float(rect.get("y"))) for rect in svg.iter("rect"))
        assert all(y2 - y1 >= 26 for (x1, y1), (x2, y2) in pairwise(places) if x1 == x2)

    def test_a_chart_is_a_file_too(self) -> None:
        chart = Chart(self.BARS, "Space", "A note.")
        assert repr(chart) == "<Chart: Space>"
        assert chart.svg().startswith('<svg xmlns="http://www.w3.org/2000/svg"')
        assert str(chart).splitlines()[0] == "Space"
        assert str(chart).splitlines()[-1] == "A note."
        assert [*checked(chart._repr_html_()).iter("svg")]

    def test_a_long_label_is_cut_and_whole_on_hover(self) -> None:
        svg = checked(Bars([BarRow("x" * 255, 1, 1, None, "")], AXIS, "T", "A").svg())
        (label,) = [text for text in svg.iter("text") if (text.text or "").startswith("x")]
        assert len(label.text) < 30
        assert label.findtext("title") == "x" * 255

    def test_an_axis_of_nothing(self) -> None:
        assert Axis(0, ()).place(5) == 0


# ---- pages ----------------------------------------------------------------------------------------------------------


class Thing(Shown):
    def _page(self, most: int | None) -> Page:
        return Page(
            "Thing", (Span("of mine"),), (Table(("n",), [(str(n),) for n in range(99)[:most]]),), "A note."
        )

    def __repr__(self) -> str:
        return "<Thing>"


class TestShown:
    def test_text_is_whole_and_html_is_capped(self) -> None:
        thing = Thing()
        assert len(str(thing).splitlines()) == 99 + 4
        assert len([*checked(thing._repr_html_()).iter("td", "th")]) == MOST + 1
        assert page_of(thing, 3).text().splitlines() == ["Thing of mine", "n", "─", "0", "1", "2", "A note."]

    def test_html_says_what_the_text_says(self) -> None:
        html = checked(Thing()._repr_html_())
        assert set(re.findall(r"\w+", twin(html))) <= words(html)

    def test_ipython_shows_the_text_and_inside_a_list_the_repr(self) -> None:
        pretty = pytest.importorskip("IPython.lib.pretty").pretty
        assert pretty(Thing()) == page_of(Thing(), MOST).text()
        assert pretty([Thing(), (Thing(),)]) == "[<Thing>, (<Thing>,)]"

    def test_a_printer_in_a_circle(self) -> None:
        shown: list[str] = []

        class Printer:
            text = shown.append

        Thing()._repr_pretty_(Printer, cycle=True)
        assert shown == ["<Thing>"]

    def test_without_heading_and_note(self) -> None:
        html = checked(Page(blocks=(Span("x"),)).html())
        assert not html.xpath("//div[@class='head']|//div[@class='note']")
        assert Page(blocks=(Span("x"),)).text() == "x"

    def test_the_rich_form_is_hidden_until_the_style_shows_it(self) -> None:
        html = checked(Thing()._repr_html_())
        (rich,) = html.xpath("//div[@class='ls']")
        assert (rich.get("hidden"), rich.get("style")) == ("hidden", "display:none")
        assert ".ls-text{display:none!important}" in CSS
        assert ".ls.ls{display:block!important" in CSS


def test_the_style_loads_nothing_and_is_small() -> None:
    assert not re.search(r"url\(|@import|https?:", CSS)
    assert len(CSS) < 5000


@pytest.mark.parametrize("color", PALETTE)
@pytest.mark.parametrize("ground", ["#ffffff", "#111111"])
def test_colors_stand_out_from_light_and_dark(color: str, ground: str) -> None:
    assert contrast(color, ground) >= 2.6


def contrast(one: str, other: str) -> float:
    """The contrast of two colors, as WCAG computes it."""
    lights = sorted(map(luminance, (one, other)))
    return (lights[1] + 0.05) / (lights[0] + 0.05)


def luminance(color: str) -> float:
    channels = [int(color[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


# ---- texts ----------------------------------------------------------------------------------------------------------


def test_short_texts() -> None:
    assert brief("abcdefghij", 10) == "abcdefghij"
    assert brief("abcdefghijk", 10) == "abcde…hijk"
    assert counted(1, "pool") == "1 pool"
    assert counted(10_000, "pool") == "10,000 pools"
    assert joined(["a", "", "b"]) == "a · b"


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("qemu:///system", "qemu:///system"),
        ("storage:///session?socket=/run/user/1000/x/libvirt-sock", "storage:///session?socket=…"),
        (
            "qemu+ssh://me@h/system?no_tty=1&socket=/run/a/long/path/sock",
            "qemu+ssh://me@h/system?no_tty=1&socket=…",
        ),
        (f"qemu://{'h' * 80}/system", f"qemu://{'h' * 23}…{'h' * 22}/system"),
    ],
)
def test_an_address_is_short(uri: str, shown: str) -> None:
    assert short_address(uri) == shown
    assert len(shown) <= 60


def test_printers_of_others_get_the_repr() -> None:
    """That of hypothesis shows an example as code, and prints classes by the same method."""
    assert shown_by_hypothesis(Thing()) == "<Thing>"
    assert shown_by_hypothesis([Thing]) == f"[{Thing!r}]"
