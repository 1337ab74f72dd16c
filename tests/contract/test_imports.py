"""What ``import libstorage`` loads and costs, and what still works without the binding."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.support import CHECKOUT
from tests.wheel.check import CHECKS

SCRIPT = CHECKOUT / "tests" / "wheel" / "check.py"
TIMED = "import time; started = time.perf_counter(); import {}; print(time.perf_counter() - started)"


def python(*arguments: str) -> str:
    """What a fresh interpreter prints."""
    run = subprocess.run([sys.executable, "-I", *arguments], check=False, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return run.stdout


@pytest.mark.parametrize("check", CHECKS)
def test_check(check: str) -> None:
    """The checks that the built wheel has to pass hold in the checkout, too."""
    assert python(str(SCRIPT), check) == f"ok {check}\n"


def test_import_is_quick() -> None:
    """At most twice the time of the two packages without which nothing works; the best of some tries each."""
    ours, theirs = [], []
    for _ in range(7):
        ours.append(float(python("-c", TIMED.format("libstorage"))))
        theirs.append(float(python("-c", TIMED.format("attrs, lxml.etree"))))

    assert min(ours) <= 2 * min(theirs)
