"""An IPython without a folder of its own in the user's home, and without a history."""

from __future__ import annotations

import tempfile
from typing import Any, cast

from IPython.core.completer import IPCompleter, provisionalcompleter
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

_FOLDER = tempfile.TemporaryDirectory(prefix="libstorage-ipython-")


def run(code: str) -> None:
    """Run the code of a cell."""
    cast(Any, shell()).run_cell(code)


def completions(text: str, jedi: bool = True, **names: Any) -> list[str]:
    """Return what IPython offers for ``text``."""
    completer = cast(Any, IPCompleter)(shell=shell(), namespace=names, use_jedi=jedi)
    with provisionalcompleter():
        return [found.text for found in completer.completions(text, len(text))]


def shell() -> InteractiveShell:
    """The one IPython of this process."""
    quiet = Config()
    quiet.HistoryManager.enabled = False
    found: InteractiveShell = InteractiveShell.instance(config=quiet, ipython_dir=_FOLDER.name)
    return found
