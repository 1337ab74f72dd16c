"""One JupyterLab and one browser for all tests, and the notebooks as they look after all of their cells have run."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest

from docs.notebook_form import notebooks
from tests.live.kernel import executed, private
from tests.notebooks.browser import NARROW, WIDE, Notebook, Theme, chromium, opened
from tests.notebooks.lab import Lab, jupyterlab
from tests.support import CHECKOUT

SCREENSHOTS = CHECKOUT / "build" / "screenshots"
THEMES: tuple[Theme, ...] = ("light", "dark")
CASES = [(path, theme) for path in notebooks() for theme in THEMES]


@attrs.frozen
class Shown:
    """A notebook in the browser.

    Attributes:
        cells: Its cells, as stored.
        notebook: The page.
    """

    cells: list[Any]
    notebook: Notebook

    def output(self, cell: str) -> Any:
        """Return the output of the cell with an id."""
        return self.notebook.output([each["id"] for each in self.cells].index(cell))


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with jupyterlab(tmp_path_factory.mktemp("lab")) as lab:
        for path in notebooks():
            shutil.copy(path, lab.root)
        yield lab


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module", params=CASES, ids=lambda case: f"{case[0].stem}-{case[1]}")
def shown(request: pytest.FixtureRequest, lab: Lab, browser: Any) -> Iterator[Shown]:
    """A notebook after all of its cells have run, as wide as the narrowest window that we promise."""
    path, theme = request.param
    with opened(browser, lab, path.name, theme) as notebook:
        notebook.run()
        for width in (WIDE, NARROW):
            notebook.resize(width)
            notebook.screenshot(SCREENSHOTS / f"{path.stem}-{theme}-{width}.png")
        yield Shown(_cells(path), notebook)


@pytest.fixture(scope="module", params=CASES, ids=lambda case: f"{case[0].stem}-{case[1]}")
def untrusted(
    request: pytest.FixtureRequest, lab: Lab, browser: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Shown]:
    """A notebook with outputs that were made elsewhere."""
    path, theme = request.param
    folder = tmp_path_factory.mktemp("elsewhere")
    with pytest.MonkeyPatch.context() as patched:
        for name, value in private(folder).items():
            patched.setenv(name, value)
        (lab.root / f"untrusted-{path.name}").write_text(json.dumps(executed(path, folder)), "utf-8")
    with opened(browser, lab, f"untrusted-{path.name}", theme) as notebook:
        notebook.resize(NARROW)
        notebook.screenshot(SCREENSHOTS / f"{path.stem}-{theme}-untrusted.png")
        yield Shown(_cells(path), notebook)


def _cells(path: Path) -> list[Any]:
    cells: list[Any] = json.loads(path.read_text("utf-8"))["cells"]
    return cells
