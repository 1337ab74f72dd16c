"""Tracebacks of libstorage's errors are short in IPython and pytest, and whole where somebody asks for that."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from libstorage.tracebacks import SWITCH
from tests.shell import shell
from tests.support import CHECKOUT

WRONG_SIZE = 'libstorage.VolumeSpec.raw("a", "20 gigs")'
NO_DAEMON = 'libstorage.connect("qemu:///system?socket=/nowhere")'
UNKNOWN_OPTION = "libstorage.connect('test:///default').pools.list(types=['nfs'])"
FOLDER = tempfile.TemporaryDirectory(prefix="libstorage-ipython-")
OUR_FRAME = f"File {CHECKOUT}/libstorage/"


def in_ipython(code: str, **environment: str) -> str:
    """What IPython shows of an error, as a program of its own."""
    command = [sys.executable, "-m", "IPython", "--quick", "--colors=NoColor", "--no-banner", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=settings(**environment))
    return done.stdout + done.stderr


def in_pytest(folder: Path, code: str, *options: str, **environment: str) -> str:
    """What pytest shows of a test that fails with an error."""
    (folder / "test_it.py").write_text(f"import libstorage\n\n\ndef test_it():\n    {code}\n")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        f"--rootdir={folder}",
        *options,
        "test_it.py",
    ]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=folder, env=settings(**environment)
    )
    return done.stdout


def settings(**environment: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name != SWITCH}
    return {**kept, "PYTHONPATH": str(CHECKOUT), "IPYTHONDIR": FOLDER.name, **environment}


@pytest.mark.parametrize("code", [WRONG_SIZE, NO_DAEMON, UNKNOWN_OPTION])
class TestShort:
    def test_ipython_shows_at_most_two_frames(self, code: str) -> None:
        shown = in_ipython(f"import libstorage\n{code}")
        assert f"----> 2 {code}" in shown
        assert "skipping hidden" in shown
        assert 1 <= shown.count(OUR_FRAME) <= 2

    def test_pytest_shows_the_test_alone(self, code: str, tmp_path: Path) -> None:
        shown = in_pytest(tmp_path, code)
        assert f">       {code}" in shown
        assert "test_it.py:5: " in shown
        assert "libstorage/" not in shown.replace(code, "").partition("short test summary")[0]


class TestWhole:
    def test_ipython_shows_hidden_frames(self) -> None:
        code = f"import libstorage\n%xmode --show\n{WRONG_SIZE}"
        short = in_ipython(f"import libstorage\n{WRONG_SIZE}").count(OUR_FRAME)
        assert in_ipython(code).count(OUR_FRAME) > short

    def test_pytest_shows_the_full_trace(self, tmp_path: Path) -> None:
        assert "libstorage/models/volume.py" in in_pytest(tmp_path, WRONG_SIZE, "--full-trace")

    def test_a_variable_shows_all(self, tmp_path: Path) -> None:
        everything = {SWITCH: "full"}
        assert in_ipython(f"import libstorage\n{WRONG_SIZE}", **everything).count(OUR_FRAME) > 2
        assert "libstorage/models/volume.py" in in_pytest(tmp_path, WRONG_SIZE, **everything)

    def test_a_fault_of_the_library_shows_all_in_pytest(self, tmp_path: Path) -> None:
        shown = in_pytest(
            tmp_path,
            "libstorage.StorageError('marks the modules that run')\n"
            "    libstorage.VolumeSpec._rules = lambda _: [1 / 0]\n"
            "    libstorage.VolumeSpec.raw('a', 0)",
        )
        assert "ZeroDivisionError" in shown
        assert "libstorage/models/volume.py" in shown


def test_python_itself_shows_all() -> None:
    done = subprocess.run(
        [sys.executable, "-c", f"import libstorage\n{WRONG_SIZE}"],
        capture_output=True,
        text=True,
        check=False,
        env=settings(),
    )
    assert done.stderr.count(f'File "{CHECKOUT}/libstorage/') > 2


def test_an_error_and_its_cause_in_this_process(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(SWITCH, raising=False)
    ipython = shell()
    ipython.run_cell(
        f"import libstorage\ntry:\n    {WRONG_SIZE}\nexcept ValueError as error:\n"
        "    raise libstorage.StorageError('after') from error"
    )
    shown = re.sub("\x1b[^m]*m", "", capsys.readouterr().out)
    assert "The above exception was the direct cause" in shown
    assert shown.count("skipping hidden") == 1
    assert shown.count(OUR_FRAME) == 1
