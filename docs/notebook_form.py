"""The form in which notebooks are stored: without outputs, counts, and what a program notes about itself.

    python -m docs.notebook_form

writes every notebook of ``docs/notebooks`` in this form, after editing in JupyterLab.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent / "notebooks"
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def notebooks() -> list[Path]:
    """Return the notebooks in their order."""
    return sorted(FOLDER.glob("*.ipynb"))


def stored(text: str) -> str:
    """Return the text of a notebook in the form in which it is stored."""
    cells = [_cell(cell) for cell in json.loads(text)["cells"]]
    notebook = {"cells": cells, "metadata": METADATA, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


def _cell(cell: dict[str, Any]) -> dict[str, Any]:
    source = "".join(cell["source"])
    tags = cell["metadata"].get("tags")
    kept = {"cell_type": cell["cell_type"], "id": cell["id"], "metadata": {"tags": tags} if tags else {}}
    code: dict[str, Any] = {"execution_count": None, "outputs": []} if cell["cell_type"] == "code" else {}
    return kept | code | {"source": source.splitlines(keepends=True)}


def main() -> None:
    """Write every notebook in its form."""
    for path in notebooks():
        path.write_text(stored(path.read_text("utf-8")), "utf-8")


if __name__ == "__main__":
    main()
