"""The notebooks of the documentation run as written, and show what they promise. `make notebooks` looks at them in a browser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from docs.notebook_form import notebooks
from tests.live.kernel import WITHOUT_WIDGETS, executed, private
from tests.unit.display.pages import checked

FIRST, IMAGES = notebooks()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of the kernels, in an environment that is theirs."""
    folder = tmp_path_factory.mktemp("jupyter")
    with pytest.MonkeyPatch.context() as patched:
        for name, value in private(folder).items():
            patched.setenv(name, value)
        yield folder


@pytest.fixture(scope="module", params=[FIRST, IMAGES], ids=lambda path: path.stem)
def outputs(request: pytest.FixtureRequest, folder: Path) -> dict[str, list[Any]]:
    """The outputs of one notebook, by the id of their cell."""
    notebook = executed(request.param, folder, before=WITHOUT_WIDGETS)
    return {cell.id: cell.outputs for cell in notebook.cells if cell.cell_type == "code"}


def test_every_display_is_sound(outputs: dict[str, list[Any]]) -> None:
    shown = [output.get("data", {}).get("text/html", "") for each in outputs.values() for output in each]
    ours = [html for html in shown if 'class="ls"' in html]
    assert len(ours) >= 5
    for html in ours:
        checked(html)


def test_a_transfer_leaves_one_line(outputs: dict[str, list[Any]]) -> None:
    printed = {
        name: "".join(output.text for output in each if output.output_type == "stream")
        for name, each in outputs.items()
    }
    bars = {name: re.sub(r"[^\n]*\r", "", text).splitlines() for name, text in printed.items() if text}
    assert set(bars) in ({"import-image", "download-volume"}, set())
    for lines in bars.values():
        assert len(lines) == 1
        assert "100%" in lines[0]


def test_an_error_is_short(outputs: dict[str, list[Any]]) -> None:
    errors = {
        name: re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(output.traceback))
        for name, each in outputs.items()
        for output in each
        if output.output_type == "error"
    }
    assert errors
    for text in errors.values():
        assert len(re.findall("^File ", text, re.MULTILINE)) <= 2
        assert len(text.splitlines()) < 30
