from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from libstorage.display.inline import inline
from libstorage.display.table import Fields, Table
from libstorage.display.text import printable

POOLS = Table(
    ("name", "type", "capacity"),
    [("images", "dir", "20.0 GiB"), ("iso", "netfs", "512 bytes")],
    title="Pools",
)
CELLS = st.text(st.characters(exclude_categories=[]), max_size=6)
TABLES = st.integers(1, 4).flatmap(
    lambda columns: st.builds(
        Table,
        st.lists(CELLS, min_size=columns, max_size=columns),
        st.lists(st.lists(CELLS, min_size=columns, max_size=columns), max_size=4),
        CELLS,
    )
)


class TestText:
    def test_is_lines_with_numbers_to_the_right(self) -> None:
        assert POOLS.text().splitlines() == [
            "Pools",
            "name    type    capacity",
            "──────  ─────  ─────────",
            "images  dir     20.0 GiB",
            "iso     netfs  512 bytes",
        ]

    def test_without_title_or_rows(self) -> None:
        assert Table(("name", "type"), []).text() == "name  type\n────  ────"

    def test_an_empty_cell_does_not_change_the_alignment(self) -> None:
        assert Table(("n",), [("",), ("10",), ("9",)]).text().splitlines() == [" n", "──", "", "10", " 9"]

    def test_a_column_of_empty_cells_is_text(self) -> None:
        assert "right" not in Table(("name", "x"), [("", "y")]).html()

    @pytest.mark.parametrize(
        "number", ["0", "-1", "+1.5", "1,536", "87 %", "5%", "1 byte", "20 GiB", "1.5 TiB", "3 KB"]
    )
    def test_numbers_and_sizes_go_to_the_right(self, number: str) -> None:
        assert Table(("a long header",), [(number,)]).text().splitlines()[-1].endswith(f"  {number}")

    @pytest.mark.parametrize("word", ["web-1", "1 x", "GiB", "-", "1.2.3.4/24", "٣"])
    def test_words_go_to_the_left(self, word: str) -> None:
        assert Table(("a long header",), [(word,)]).text().splitlines()[-1] == word

    def test_wide_and_combining_characters_keep_columns_straight(self) -> None:
        text = Table(("name", "type"), [("日本", "dir"), ("ｆｓ", "fs"), ("cafe\u0301", "fs")]).text()
        assert text.splitlines()[2:] == ["日本  dir", "ｆｓ  fs", "cafe\u0301  fs"]

    @given(TABLES)
    def test_is_always_printable(self, table: Table) -> None:
        lines = table.text().split("\n")
        assert all(line.isprintable() for line in lines)
        assert len(lines) == len(table.rows) + (3 if table.title else 2)


class TestWidth:
    def test_a_long_cell_moves_only_its_own_row(self) -> None:
        first, second = Table(("name", "n"), [("x" * 99, "1"), ("y", "2")]).text().splitlines()[2:]
        assert first == f"{'x' * 99}  1"
        assert second == f"{'y' + ' ' * 59}  2"

    def test_a_megabyte_is_cut(self) -> None:
        assert len(Table(("name",), [("x" * 2**20,)]).html()) < 5000


class TestMore:
    def test_rows_that_are_left_out_are_counted(self) -> None:
        table = Table(("name", "n"), [("a", "1")], more=1480)
        assert table.text().splitlines()[-1] == "… 1,480 more; print() shows all"
        foot = etree.fromstring(table.html()).find("tfoot/tr/td")
        assert foot is not None
        assert (foot.text, foot.get("colspan")) == ("… 1,480 more; print() shows all", "2")


class TestHtml:
    def test_is_one_table(self) -> None:
        assert Table(("name", "size"), [("a", "1 KiB")], title="T").html() == (
            "<table><caption>T</caption>"
            '<thead><tr><th scope="col">name</th><th scope="col" class="n">size</th></tr></thead>'
            '<tbody><tr><th scope="row">a</th><td class="n">1 KiB</td></tr></tbody></table>'
        )

    def test_without_title_has_no_caption(self) -> None:
        assert "caption" not in Table(("name",), []).html()

    def test_escapes_everything(self) -> None:
        evil = "<script>alert('&')</script>"
        html = Table((evil,), [(evil,)], title=evil).html()
        assert "<script" not in html
        assert html.count("&lt;script&gt;alert(&#x27;&amp;&#x27;)&lt;/script&gt;") == 3

    @given(TABLES)
    def test_says_what_the_text_says(self, table: Table) -> None:
        cells = [inline(cell).text() for row in (table.headers, *table.rows) for cell in row]
        html = etree.fromstring(table.html())
        assert [cell.xpath("string()") for cell in html.iter("th", "td")] == cells
        assert all(cell.strip() in table.text() for cell in cells)


class TestFields:
    FIELDS = Fields(
        [("name", "web"), ("size", "")], [("target", Fields([("path", "/srv")], [("x", Fields())]))]
    )

    def test_is_indented_text(self) -> None:
        assert self.FIELDS.capped(None).text().splitlines() == [
            "name    web",
            "size",
            "target",
            "  path  /srv",
            "  x",
        ]

    def test_each_row_has_its_header(self) -> None:
        html = etree.fromstring(self.FIELDS.capped(None).html())
        assert [(th.text, th.get("scope")) for th in html.iter("th")] == [
            ("name", "row"),
            ("size", "row"),
            ("target", "rowgroup"),
            ("path", "row"),
            ("x", "rowgroup"),
        ]
        assert [td.text for td in html.iter("td")] == ["web", None, "/srv"]

    def test_is_capped(self) -> None:
        lines = self.FIELDS.capped(2)
        assert (len(lines.lines), lines.more) == (2, 3)
        assert lines.text().splitlines()[-1] == "… 3 more; print() shows all"
        assert "… 3 more; print() shows all</td></tr></tfoot>" in lines.html()

    def test_a_group_without_rows(self) -> None:
        assert Fields().capped(None).text() == ""


class TestPrintable:
    @pytest.mark.parametrize(
        ("text", "shown"),
        [
            ("web 1.qcow2", "web 1.qcow2"),
            ("日本 é", "日本 é"),
            ("a\nb", r"a\nb"),
            ("\x1b[2J", r"\x1b[2J"),
            ("\u202egnp.exe", r"\u202egnp.exe"),
            ("\udc80", r"\udc80"),
        ],
    )
    def test_escapes_what_cannot_be_shown(self, text: str, shown: str) -> None:
        assert printable(text) == shown


def test_rows_are_as_long_as_the_headers() -> None:
    with pytest.raises(ValueError, match="row 2 has 1 cells, but the table has 2 columns"):
        Table(("name", "type"), [("a", "dir"), ("b",)])


def test_is_a_value() -> None:
    assert Table(["a"], [["b"]]) == Table(("a",), (("b",),))
    assert hash(Table(["a"], [["b"]])) == hash(Table(("a",), (("b",),)))
