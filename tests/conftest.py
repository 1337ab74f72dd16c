"""Settings for all tests: what counts as not run, and how hard hypothesis tries."""

from __future__ import annotations

import os
import signal
from collections import defaultdict
from collections.abc import Generator
from typing import Any

import hypothesis
import pytest

CI = os.environ.get("CI") == "true"

# A failure of ours is looked for inside the library, whose frames pytest would leave out.
os.environ.setdefault("LIBSTORAGE_TRACEBACKS", "full")

# Reasons for which a test may not run even on CI, where everything that it can need is installed.
ALLOWED_ON_CI: tuple[str, ...] = ()

# Laws that several folders hold their documents to.
for laws in ("agreement", "laws", "messages", "readers"):
    pytest.register_assert_rewrite(f"tests.corpus.{laws}")

hypothesis.settings.register_profile("default", max_examples=50, deadline=None)
hypothesis.settings.register_profile(
    "ci", parent=hypothesis.settings.get_profile("default"), derandomize=True
)
hypothesis.settings.register_profile("quick", max_examples=12, deadline=None)
hypothesis.settings.register_profile("long", max_examples=5000, deadline=None)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if CI else "default"))

# A shell ignores Ctrl-C for what it starts in the background, and every child would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """On CI a skipped test is a failure."""
    report = yield
    _refuse_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """On CI a skipped module is a failure."""
    report = yield
    _refuse_skip(report)
    return report


def _refuse_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    if not (CI and report.skipped) or hasattr(report, "wasxfail"):
        return
    reason = _reason(report.longrepr)
    if reason.removeprefix("not run: ") not in ALLOWED_ON_CI:
        report.outcome = "failed"
        report.longrepr = f"skipped, which is a failure on CI: {reason}"


def _reason(longrepr: Any) -> str:
    return str(longrepr[2] if isinstance(longrepr, tuple) else longrepr).removeprefix("Skipped: ")


_seconds: defaultdict[str, float] = defaultdict(float)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    _seconds[_folder(report.nodeid)] += report.duration


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Seconds of each folder."""
    if len(_seconds) > 1:
        terminalreporter.section("seconds per folder")
        for folder, taken in sorted(_seconds.items(), key=lambda each: -each[1]):
            terminalreporter.line(f"{taken:8.1f} s  {folder}")


def _folder(test: str) -> str:
    """``tests/FOLDER`` of a test below one."""
    return "/".join(test.partition("::")[0].split("/")[:-1][:2])
