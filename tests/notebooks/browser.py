"""Notebooks in a headless Chromium: opening and running them, and what is on the page then."""

# Where the group "notebooks" is not installed, the browser's classes are unknown.
# pyright: reportMissingImports=false

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal, TypeAlias

import attrs
from playwright.sync_api import Browser, Page, sync_playwright

from tests.notebooks.lab import Lab

Theme: TypeAlias = Literal["light", "dark"]
NARROW, WIDE = 900, 1400
_LOADED, _RAN = 60_000, 120_000  # milliseconds
_CELLS = ".jp-Notebook .jp-Cell"
_IDLE = """() => {
    const prompts = [...document.querySelectorAll('.jp-CodeCell .jp-InputPrompt')].map(each => each.textContent);
    return prompts.length > 0 && prompts.every(each => /\\[\\d+\\]/.test(each));
}"""
_TOO_WIDE = """() => [...document.querySelectorAll(
        '.jp-OutputArea-output, .ls, .ls-text, .jp-OutputArea-output pre')]
    .filter(each => each.clientWidth && each.scrollWidth > each.clientWidth)
    .map(each => [each.className, each.scrollWidth, each.clientWidth, each.textContent.slice(-60)])"""
_AXE = """async () => (await axe.run({include: [['.ls'], ['.ls-text']]}, {resultTypes: ['violations']})).violations
    .map(each => [each.impact, each.id, each.nodes.map(node => node.html.slice(0, 200) + ' ' + node.failureSummary)])"""


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start Debian's Chromium, and end it.

    Raises:
        RuntimeError: If it is not installed.
    """
    program = shutil.which("chromium")
    if program is None:
        raise RuntimeError("there is no chromium here: make notebooks installs it")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program)
        try:
            yield browser
        finally:
            browser.close()


@attrs.frozen
class Notebook:
    """An open notebook.

    Attributes:
        page: Its page.
        said: What the page wrote to the browser's console as errors.
        asked: The addresses that the page asked for.
    """

    page: Page
    said: list[str] = attrs.field(factory=list)
    asked: list[str] = attrs.field(factory=list)

    def run(self) -> None:
        """Run all cells, and wait for the last one."""
        self.page.click(".lm-MenuBar-itemLabel:text-is('Run')")
        self.page.click(".lm-Menu-itemLabel:text-is('Run All Cells')")
        self.page.wait_for_function(_IDLE, timeout=_RAN)

    def output(self, place: int) -> Any:
        """Return the output of a cell."""
        return self.page.locator(_CELLS).nth(place).locator(".jp-OutputArea-output")

    def resize(self, width: int) -> None:
        """Make the window as wide as asked, and so high that all of the notebook is seen."""
        self.page.set_viewport_size({"width": width, "height": 1000})
        height = self.page.evaluate("document.querySelector('.jp-WindowedPanel-outer').scrollHeight")
        self.page.set_viewport_size({"width": width, "height": int(height) + 120})
        self.page.evaluate("document.querySelector('.jp-WindowedPanel-outer').scrollTop = 0")
        self.page.wait_for_timeout(300)

    def screenshot(self, path: Path) -> None:
        """Write a picture of the page."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=path)

    def too_wide(self) -> list[Any]:
        """Return the parts of outputs that are wider than there is room."""
        found: list[Any] = self.page.evaluate(_TOO_WIDE)
        return found

    def barriers(self) -> list[Any]:
        """Return what axe-core finds in displays: impact, rule and elements."""
        self.page.evaluate((files("axe_playwright_python") / "axe.min.js").read_text("utf-8"))
        found: list[Any] = self.page.evaluate(_AXE)
        return found


@contextmanager
def opened(browser: Browser, lab: Lab, name: str, theme: Theme) -> Iterator[Notebook]:
    """Open a notebook in the light or the dark theme."""
    context = browser.new_context(color_scheme=theme, viewport={"width": NARROW, "height": 1000})
    try:
        notebook = Notebook(context.new_page())
        context.on("request", lambda request: notebook.asked.append(request.url))
        notebook.page.on(
            "console", lambda said: notebook.said.append(said.text) if said.type == "error" else None
        )
        notebook.page.on("pageerror", lambda error: notebook.said.append(str(error)))
        notebook.page.goto(lab.address(name))
        notebook.page.wait_for_selector(f"{_CELLS} .jp-RenderedMarkdown h1", timeout=_LOADED)
        yield notebook
    finally:
        context.close()
