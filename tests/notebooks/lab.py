"""A JupyterLab of one's own: on the loopback interface, with a token, and with all of its files in one folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import attrs

from tests.live.kernel import private

_START, _END = 60.0, 20.0  # seconds
_SETTINGS = {
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    "apputils-extension/themes": {"adaptive-theme": True},  # the theme that the browser prefers
    "notebook-extension/tracker": {
        "windowingMode": "none",
        "scrollPastEnd": False,
    },  # all cells are on the page
}


@attrs.frozen
class Lab:
    """A running JupyterLab.

    Attributes:
        root: The folder whose notebooks it opens.
        url: Its address.
        token: What lets a browser in.
    """

    root: Path
    url: str
    token: str

    def address(self, notebook: str) -> str:
        """Return the address of a notebook without anything around it."""
        return f"{self.url}doc/tree/{notebook}?token={self.token}&reset"


@contextmanager
def jupyterlab(folder: Path) -> Iterator[Lab]:
    """Start a JupyterLab, and end it with its kernels.

    Raises:
        RuntimeError: If it does not answer; the message ends with what it printed.
    """
    environment = os.environ | private(folder)
    for name, settings in _SETTINGS.items():
        path = folder / "settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(settings), "utf-8")
    root = folder / "root"
    root.mkdir()
    options = ["--no-browser", "--allow-root", "--ip=127.0.0.1", "--port=0", f"--ServerApp.root_dir={root}"]
    options.append("--LabApp.extension_manager=readonly")  # the other one asks a package index
    with (folder / "log").open("w") as log:
        command = [sys.executable, "-m", "jupyterlab", *options]
        process = subprocess.Popen(command, cwd=root, env=environment, stdout=log, stderr=log)
    try:
        running = _running(process, folder)
        yield Lab(root, running["url"], running["token"])
    finally:
        process.terminate()
        try:
            process.wait(_END)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _running(process: subprocess.Popen[bytes], folder: Path) -> dict[str, Any]:
    """Return what the server writes about itself once it answers."""
    told = folder / "runtime" / f"jpserver-{process.pid}.json"
    limit = monotonic() + _START
    while process.poll() is None and monotonic() < limit:
        if told.exists() and (text := told.read_text("utf-8")).endswith("}"):
            found: dict[str, Any] = json.loads(text)
            return found
        sleep(0.05)
    raise RuntimeError(f"JupyterLab does not answer:\n{(folder / 'log').read_text('utf-8')}")
