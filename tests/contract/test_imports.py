"""What ``import libstorage`` loads and costs, and what still works without the binding."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.support import CHECKOUT
from tests.wheel.check import CHECKS

SCRIPT = CHECKOUT / "tests" / "wheel" / "check.py"
TIMED = "import time; started = time.perf_counter(); import {}; print(time.perf_counter() - started)"


def python(*arguments: str, environment: dict[str, str] | None = None) -> str:
    """What a fresh interpreter prints."""
    command = [sys.executable, "-I", *arguments]
    run = subprocess.run(command, env=environment, check=False, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return run.stdout


@pytest.mark.parametrize("check", CHECKS)
def test_check(check: str) -> None:
    """The checks that the built wheel has to pass hold in the checkout, too."""
    assert python(str(SCRIPT), check) == f"ok {check}\n"


def test_import_is_quick() -> None:
    """At most twice the time of the two packages without which nothing works; the best of some tries each."""
    tries = [(seconds("libstorage"), seconds("attrs, lxml.etree")) for _ in range(9)]
    ours, theirs = map(min, zip(*tries, strict=True))

    assert ours <= 2 * theirs


def seconds(modules: str) -> float:
    """How long a fresh interpreter, undisturbed by coverage, needs for an import."""
    return float(python("-c", TIMED.format(modules), environment={}))
