"""Both type checkers agree with what the files of this folder say about types."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import CHECKOUT

FOLDER = Path(__file__).parent.relative_to(CHECKOUT)


@pytest.mark.parametrize("checker", ["mypy", "basedpyright"])
def test_types(checker: str) -> None:
    command = [sys.executable, "-m", checker, str(FOLDER)]
    run = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
