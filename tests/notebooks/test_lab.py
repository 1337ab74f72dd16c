"""What the notebooks of the documentation look like in JupyterLab, in the light and in the dark theme."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.notebooks.browser import NARROW, Theme, opened
from tests.notebooks.conftest import Shown
from tests.notebooks.lab import Lab

# What each cell must show: a bar, a picture, a tree and so on are what a reader sees, beside their texts.
TABLE, BAR, TREE, PICTURE, FIELDS = (
    f".ls:visible {what}" for what in ("table", ".bar", "ul.tree", "svg[role=img]", "table.fields")
)
EXPECTED = {
    "connect": FIELDS,
    "see-inventory": BAR,
    "see-pool": ".ls:visible .wide[role=img]",
    "see-promised": PICTURE,
    "see-chains": TREE,
    "draw-chains": PICTURE,
    "see-spec": FIELDS,
    "see-typo": "text=Did you mean 'images'?",
    "see-frame": "table.dataframe",
    "see-capabilities": TABLE,
    "make-image": FIELDS,
    "import-image": FIELDS,
    "full-clone": BAR,
    "see-differences": ".ls:visible ins",
    "shrink": "text=Shrinking requires shrink=True",
    "see-problems": "text=did you mean 'capacity'?",
    "download-volume": FIELDS,
}
BARS = {"import-image", "download-volume"}


class TestShown:
    def test_what_a_cell_promises_is_seen(self, shown: Shown) -> None:
        promised = {cell["id"]: EXPECTED[cell["id"]] for cell in shown.cells if cell["id"] in EXPECTED}
        missing = [cell for cell, what in promised.items() if not shown.output(cell).locator(what).count()]
        assert len(promised) > 8
        assert not missing

    def test_no_cell_fails_but_those_that_say_so(self, shown: Shown) -> None:
        failing = {
            cell["id"]
            for cell in shown.cells
            if cell["cell_type"] == "code"
            and shown.output(cell["id"]).and_(shown.notebook.page.locator("[data-mime-type*=stderr]")).count()
        }
        said = {cell["id"] for cell in shown.cells if "raises-exception" in cell["metadata"].get("tags", ())}
        assert failing == said

    def test_the_text_is_hidden_where_the_display_is_shown(self, shown: Shown) -> None:
        page = shown.notebook.page
        assert page.locator(".ls:visible").count() > 4
        assert page.locator(".ls-text:visible").count() == 0

    def test_a_picture_has_a_title_and_a_text(self, shown: Shown) -> None:
        pictures = shown.notebook.page.locator(".ls svg")
        assert pictures.count()
        for picture in pictures.all():
            assert picture.locator("> title").text_content()
            assert len(picture.locator("> desc").text_content() or "") > 30

    def test_a_transfer_shows_one_bar(self, shown: Shown) -> None:
        for cell in BARS & {cell["id"] for cell in shown.cells}:
            output = shown.output(cell)
            assert output.locator(".jupyter-widgets.widget-hbox").count() == 1
            assert "100%" in output.first.text_content()
            assert output.locator("[role=progressbar], .widget-hprogress").first.bounding_box()["width"] > 100
            assert output.count() == 2  # the bar, and the value of the cell

    def test_nothing_is_wider_than_its_place(self, shown: Shown) -> None:
        assert shown.notebook.page.evaluate("innerWidth") == NARROW
        assert shown.notebook.too_wide() == []

    def test_axe_finds_no_barrier(self, shown: Shown) -> None:
        assert _barriers(shown) == []

    def test_it_can_be_scrolled_by_keyboard_where_it_does_not_fit(self, shown: Shown) -> None:
        shown.notebook.resize(NARROW // 2)
        try:
            assert shown.notebook.too_wide()
            assert _barriers(shown) == []
        finally:
            shown.notebook.resize(NARROW)

    def test_the_browser_complains_of_nothing(self, shown: Shown) -> None:
        assert shown.notebook.said == []

    def test_nothing_is_loaded_from_elsewhere(self, shown: Shown) -> None:
        asked = {urlsplit(address) for address in shown.notebook.asked}
        assert len(asked) > 10
        assert {address.hostname for address in asked if address.scheme not in ("data", "blob")} == {
            "127.0.0.1"
        }


class TestUntrusted:
    def test_the_text_is_shown_and_the_display_is_not(self, untrusted: Shown) -> None:
        page = untrusted.notebook.page
        assert page.locator(".jp-RenderedHTMLCommon pre:visible").count() > 4
        assert page.locator("[data-mime-type='text/html'] .ls:visible").count() == 0

    def test_no_text_is_seen_twice(self, untrusted: Shown) -> None:
        seen = untrusted.notebook.page.locator(".jp-OutputArea-output").all_inner_texts()
        assert not [text for text in seen if text.count("capacity  ") > 1 or text.count("Backing chains") > 1]

    def test_nothing_is_wider_than_its_place(self, untrusted: Shown) -> None:
        assert untrusted.notebook.too_wide() == []

    def test_axe_finds_no_barrier(self, untrusted: Shown) -> None:
        assert _barriers(untrusted) == []

    def test_a_bar_shows_its_end(self, untrusted: Shown) -> None:
        for cell in BARS & {cell["id"] for cell in untrusted.cells}:
            assert "100%" in untrusted.output(cell).first.text_content()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_jupyterlab_follows_the_theme_that_the_browser_prefers(theme: Theme, lab: Lab, browser: Any) -> None:
    with opened(browser, lab, "01-first-look.ipynb", theme) as notebook:
        assert (
            notebook.page.locator("body").get_attribute("data-jp-theme-light")
            == str(theme == "light").lower()
        )


def _barriers(shown: Shown) -> list[Any]:
    return [each for each in shown.notebook.barriers() if each[0] in ("serious", "critical")]
