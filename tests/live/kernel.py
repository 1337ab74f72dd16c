"""Running the notebooks of the documentation in a kernel, without a browser."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

from tests.support import CHECKOUT

WITHOUT_WIDGETS = "import sys; sys.modules['ipywidgets'] = None"
_SECONDS = 60  # for a cell


def private(folder: Path) -> dict[str, str]:
    """Return the environment in which Jupyter reads and writes only below a folder, and imports this checkout."""
    variables = {
        "HOME": "home",
        "IPYTHONDIR": "ipython",
        "JUPYTER_CONFIG_DIR": "config",
        "JUPYTER_DATA_DIR": "data",
        "JUPYTER_RUNTIME_DIR": "runtime",
        "JUPYTERLAB_SETTINGS_DIR": "settings",
        "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
        "XDG_CACHE_HOME": "cache",
    }
    for name in variables.values():
        (folder / name).mkdir(parents=True, exist_ok=True)
    return {
        **{variable: str(folder / name) for variable, name in variables.items()},
        "LIBSTORAGE_TRACEBACKS": "",  # short ones, as users see them
        "PYTHONPATH": str(CHECKOUT),
    }


def executed(notebook: Path, folder: Path, *, before: str = "") -> Any:
    """Run a notebook from its first cell to its last.

    Args:
        notebook: The notebook; its file stays as it is.
        folder: The folder in which the kernel runs.
        before: Code that runs before the first cell.

    Returns:
        The notebook with its outputs.

    Raises:
        CellExecutionError: If a cell fails that does not say that it does.
    """
    found: Any = nbformat.read(notebook, as_version=4)  # type: ignore[no-untyped-call]
    if before:
        found.cells.insert(0, nbformat.v4.new_code_cell(before))  # type: ignore[no-untyped-call]
    NotebookClient(found, timeout=_SECONDS, resources={"metadata": {"path": str(folder)}}).execute()
    if before:
        del found.cells[0]
    return found
