"""An IPython without a folder of its own in the user's home, and without a history."""

from __future__ import annotations

import tempfile

from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

_FOLDER = tempfile.TemporaryDirectory(prefix="libstorage-ipython-")


def shell() -> InteractiveShell:
    """The one IPython of this process."""
    quiet = Config()
    quiet.HistoryManager.enabled = False
    found: InteractiveShell = InteractiveShell.instance(config=quiet, ipython_dir=_FOLDER.name)
    return found
