"""The floors of the house: imports go downward only, and the rules that say so have teeth."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import CHECKOUT

LINT = "from importlinter.cli import lint_imports; raise SystemExit(lint_imports(no_cache=True))"


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    """What import-linter says of the package in this folder."""
    return subprocess.run(
        [sys.executable, "-c", LINT],
        cwd=folder,
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_imports_go_downward() -> None:
    run = lint(CHECKOUT)

    assert run.returncode == 0, run.stdout


@pytest.mark.parametrize(
    ("module", "line", "contract"),
    [
        ("units.py", "import libstorage.models", "the floors"),
        ("xml/__init__.py", "def lazily():\n    from libstorage import client", "the floors"),
        ("attic.py", "", "the floors"),
        ("session/channel.py", "from libstorage.transfer import pump", "the floors"),
        ("transfer/attic.py", "", "the floors of a transfer"),
        (
            "transfer/volume/streams.py",
            "from libstorage.transfer.ends import sources",
            "the floors of a transfer",
        ),
        ("transfer/pieces/piece.py", "from libstorage.transfer import pump", "the floors of a transfer"),
        ("xml/tree.py", "from libstorage.xml import wording", "the floors of xml"),
        ("xml/attic.py", "", "the floors of xml"),
        (
            "client/pool.py",
            "from libstorage.client import volume, host",
            "no circles, but for the two ways up",
        ),
        ("session/leases.py", "from libstorage.session import calls", "no circles, but for the two ways up"),
        (
            "connection/codes.py",
            "from libstorage.connection import connection",
            "no circles, but for the two ways up",
        ),
        (
            "transfer/volume/range.py",
            "from libstorage.transfer.volume import content",
            "no circles, but for the two ways up",
        ),
        ("client/__init__.py", "from libstorage import connect", "the public surface is for users"),
        ("models/__init__.py", "import libvirt", "libvirt is imported in one module only"),
        ("connection/__init__.py", "import libvirt", "libvirt is imported in one module only"),
        ("models/__init__.py", "import xmlschema", "xmlschema is imported in one module only"),
        ("client/__init__.py", "import asyncio", "no asyncio below aio"),
    ],
)
def test_a_wrong_import_is_found(tmp_path: Path, module: str, line: str, contract: str) -> None:
    shutil.copytree(CHECKOUT / "libstorage", tmp_path / "libstorage")
    shutil.copy(CHECKOUT / "pyproject.toml", tmp_path)
    with (tmp_path / "libstorage" / module).open("a") as source:
        source.write(f"\n{line}\n")

    run = lint(tmp_path)

    assert run.returncode == 1
    assert f"{contract} BROKEN" in run.stdout, run.stdout
