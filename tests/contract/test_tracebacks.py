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
from tests.shell import run
from tests.support import CHECKOUT

WRONG_SIZE = 'libstorage.VolumeSpec.raw("a", "20 gigs")'
NO_DAEMON = 'libstorage.connect("qemu:///system?socket=/nowhere")'
NO_NAME = "libstorage.PoolSpec.from_xml('<pool type=\"dir\"/>')"
FOLDER = tempfile.TemporaryDirectory(prefix="libstorage-ipython-")
OUR_FRAME = f"File {CHECKOUT}/libstorage/"


def in_ipython(code: str, **environment: str) -> str:
    """What IPython shows of an error, as a program of its own."""
    command = [sys.executable, "-m", "IPython", "--quick", "--colors=NoColor", "--no-banner", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=settings(**environment))
    return done.stdout + done.stderr


def in_pytest(folder: Path, *codes: str, options: tuple[str, ...] = (), **environment: str) -> str:
    """What pytest shows of tests that fail with an error."""
    tests = (f"def test_{number}():\n    {code}\n" for number, code in enumerate(codes))
    (folder / "test_it.py").write_text("\n\n".join(("import libstorage\n", *tests)))
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


class TestShort:
    def test_ipython_shows_one_frame_of_ours(self) -> None:
        shown = in_ipython(f"import libstorage\n{WRONG_SIZE}")
        assert f"----> 2 {WRONG_SIZE}" in shown
        assert "skipping hidden" in shown
        assert shown.count(OUR_FRAME) == 1

    @pytest.mark.parametrize("code", [NO_DAEMON, NO_NAME])
    def test_so_it_does_in_this_process(
        self, code: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv(SWITCH, raising=False)
        run(f"import libstorage\n{code}")
        shown = re.sub("\x1b[^m]*m", "", capsys.readouterr().out)
        assert shown.count(OUR_FRAME) == 1

    def test_pytest_shows_the_tests_alone(self, tmp_path: Path) -> None:
        shown = in_pytest(tmp_path, WRONG_SIZE, NO_DAEMON, NO_NAME)
        for code in (WRONG_SIZE, NO_DAEMON, NO_NAME):
            assert f">       {code}" in shown
        assert "libstorage/" not in shown.partition("short test summary")[0]


class TestWhole:
    def test_ipython_shows_hidden_frames(self) -> None:
        code = f"import libstorage\n%xmode --show\n{WRONG_SIZE}"
        short = in_ipython(f"import libstorage\n{WRONG_SIZE}").count(OUR_FRAME)
        assert in_ipython(code).count(OUR_FRAME) > short

    def test_pytest_shows_the_full_trace(self, tmp_path: Path) -> None:
        assert "libstorage/models/volume.py" in in_pytest(tmp_path, WRONG_SIZE, options=("--full-trace",))

    def test_a_variable_shows_all(self, tmp_path: Path) -> None:
        assert (
            in_ipython(f"import libstorage\n{WRONG_SIZE}", LIBSTORAGE_TRACEBACKS="full").count(OUR_FRAME) > 2
        )
        assert "libstorage/models/volume.py" in in_pytest(tmp_path, WRONG_SIZE, LIBSTORAGE_TRACEBACKS="full")

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
    run(
        f"import libstorage\ntry:\n    {WRONG_SIZE}\nexcept ValueError as error:\n"
        "    raise libstorage.StorageError('after') from error"
    )
    shown = re.sub("\x1b[^m]*m", "", capsys.readouterr().out)
    assert "The above exception was the direct cause" in shown
    assert shown.count("skipping hidden") == 1
    assert shown.count(OUR_FRAME) == 1
