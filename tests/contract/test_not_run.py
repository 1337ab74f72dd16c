"""A test that cannot run is counted, and on CI it is a failure."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import CHECKOUT

TESTS = {
    "test_passes.py": "def test(): pass",
    "test_skips.py": "import pytest\ndef test(): pytest.skip('no tape drive')",
    "test_marked.py": "import pytest\n@pytest.mark.skipif(True, reason='no tape drive')\ndef test(): pass",
    "test_module.py": "import pytest\npytest.importorskip('tape_drive', reason='no tape drive')",
    "test_xfails.py": "import pytest\n@pytest.mark.xfail(strict=True)\ndef test(): assert False",
}


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    shutil.copy(CHECKOUT / "tests" / "conftest.py", tmp_path)
    for name, text in TESTS.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def run(suite: Path, *, ci: bool, allowed: str = "") -> tuple[int, str]:
    if allowed:
        conftest = suite / "conftest.py"
        empty = "ALLOWED_ON_CI: tuple[str, ...] = ()"
        assert empty in conftest.read_text()
        conftest.write_text(conftest.read_text().replace(empty, f"ALLOWED_ON_CI = ({allowed!r},)"))
    environment = os.environ | {"CI": "true" if ci else ""}
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--rootdir=.", "."]
    done = subprocess.run(command, cwd=suite, env=environment, check=False, capture_output=True, text=True)
    return done.returncode, done.stdout.splitlines()[-1]


def test_elsewhere_a_skip_is_counted(suite: Path) -> None:
    status, closing = run(suite, ci=False)

    assert status == 0
    assert "1 passed, 3 skipped, 1 xfailed" in closing


def test_on_ci_each_kind_of_skip_fails(suite: Path) -> None:
    (suite / "test_module.py").unlink()
    status, closing = run(suite, ci=True)

    assert status == 1
    assert "1 failed, 1 passed, 1 xfailed, 1 error" in closing


def test_on_ci_a_skipped_module_fails(suite: Path) -> None:
    status, closing = run(suite, ci=True)

    assert status == 2
    assert "1 error" in closing


def test_on_ci_a_listed_reason_is_allowed(suite: Path) -> None:
    status, closing = run(suite, ci=True, allowed="no tape drive")

    assert status == 0
    assert "1 passed, 3 skipped, 1 xfailed" in closing
