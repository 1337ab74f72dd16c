"""The notebooks of the documentation are stored without outputs and without traces of a machine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from docs.notebook_form import METADATA, main, notebooks, stored
from tests.support import CHECKOUT

NOTEBOOKS = notebooks()


def parsed(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return found


def test_there_are_notebooks_in_an_order() -> None:
    assert [path.name[:3] for path in NOTEBOOKS] == [
        f"{number:02}-" for number in range(1, len(NOTEBOOKS) + 1)
    ]
    assert len(NOTEBOOKS) >= 2


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
class TestEach:
    def test_it_has_the_stored_form(self, path: Path) -> None:
        text = path.read_text("utf-8")
        assert text == stored(text), "python -m docs.notebook_form writes it"
        assert str(CHECKOUT) not in text
        assert "/tmp" not in text

    def test_its_cells_have_names_of_their_own(self, path: Path) -> None:
        names = [cell["id"] for cell in parsed(path)["cells"]]
        assert len(set(names)) == len(names)

    def test_its_lines_fit_a_narrow_window(self, path: Path) -> None:
        code = [cell for cell in parsed(path)["cells"] if cell["cell_type"] == "code"]
        assert not [line for cell in code for line in cell["source"] if len(line.rstrip()) > 88]

    def test_it_begins_with_a_title_and_closes_what_it_opened(self, path: Path) -> None:
        first, *_, last = parsed(path)["cells"]
        assert first["source"][0].startswith("# ")
        assert "".join(last["source"]) == "host.close()\ndaemon.close()"


def test_what_a_run_leaves_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran = parsed(NOTEBOOKS[0])
    for number, cell in enumerate(ran["cells"]):
        cell["metadata"]["execution"] = {"iopub.execute_input": "2026-11-29T18:14:09Z"}
        if cell["cell_type"] == "code":
            cell |= {"execution_count": number, "outputs": [{"output_type": "stream", "text": "/tmp/x"}]}
            cell["source"] = "".join(cell["source"])
    ran["metadata"] |= {"widgets": {}, "language_info": {"version": "3.11.2"}}
    (tmp_path / "01-ran.ipynb").write_text(json.dumps(ran), "utf-8")

    monkeypatch.setattr("docs.notebook_form.FOLDER", tmp_path)
    main()
    assert (tmp_path / "01-ran.ipynb").read_text("utf-8") == NOTEBOOKS[0].read_text("utf-8")
    assert parsed(tmp_path / "01-ran.ipynb")["metadata"] == METADATA
