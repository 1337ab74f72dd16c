"""Every example of ours in the pages runs, in order, on a real host, and says what the page says that it says."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from libstorage.testing import PrivateDaemon
from tests.live.pages import PAGES, PREPARATION, THEIRS, Block, Stage, examples_in_docstrings, page_blocks
from tests.support import CHECKOUT

IMPORTS = """
import libstorage
from libstorage.testing import PrivateDaemon, private_daemon
"""


@pytest.fixture
def stage(own_daemon: PrivateDaemon) -> Iterator[Stage]:
    """A host of one's own, and a folder in place of its file system; a short one, for reprs fit a line."""
    if shutil.which("qemu-img") is None:
        pytest.skip("not run: no qemu-img here")
    with (
        tempfile.TemporaryDirectory(prefix="ls", dir="/tmp") as folder,
        serving(Path(folder) / "vendor") as vendor,
    ):
        stage = Stage(own_daemon.uri, Path(folder), vendor)
        stage.prepare()
        yield stage


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """Show a folder on a web server of this machine."""
    handler = partial(QuietHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()


class QuietHandler(SimpleHTTPRequestHandler):
    """A handler that logs nothing."""

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing."""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(CHECKOUT)))
def test_the_examples_of_a_page(stage: Stage, page: Path) -> None:
    stage.run([block for block in page_blocks(page) if block.title != THEIRS])


def test_their_examples(stage: Stage) -> None:
    """What we show of libvirt-python works, too."""
    page = page_blocks(CHECKOUT / "docs" / "from-libvirt-python.md")
    stage.run([block for block in page if block.title in {PREPARATION, THEIRS}])


@pytest.mark.parametrize("example", examples_in_docstrings(), ids=lambda example: example.name)
def test_the_examples_in_docstrings(stage: Stage, example: Block) -> None:
    stage.run([Block("imports", "python", "", IMPORTS, 1), example])
