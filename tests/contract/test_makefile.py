"""`make help` has one line for each target that people call."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from tests.support import CHECKOUT


def phony(makefile: Path) -> list[str]:
    """Return the targets that ``.PHONY`` lists."""
    text = makefile.read_text("utf-8").replace("\\\n", " ")
    return [target for line in re.findall(r"^\.PHONY:(.*)$", text, re.MULTILINE) for target in line.split()]


def helped(makefile: Path) -> list[str]:
    """Return the targets that have a line with a text in the output of `make help`."""
    run = subprocess.run(
        ["make", "--no-print-directory", "--file", str(makefile), "help"],
        cwd=CHECKOUT,
        env={**os.environ, "MAKEFLAGS": ""},
        check=True,
        capture_output=True,
        text=True,
    )
    assert not run.stderr
    return [re.match(r"make (\S+) +\S.*", line).group(1) for line in run.stdout.splitlines()]  # type: ignore[union-attr]


def test_help_has_a_line_for_each_target() -> None:
    assert sorted(helped(CHECKOUT / "Makefile")) == sorted(phony(CHECKOUT / "Makefile"))


def test_every_target_without_a_file_is_phony() -> None:
    text = (CHECKOUT / "Makefile").read_text("utf-8")
    assert sorted(re.findall(r"^([a-z-]+):", text, re.MULTILINE)) == sorted(phony(CHECKOUT / "Makefile"))


def test_a_target_without_a_line_is_found(tmp_path: Path) -> None:
    makefile = tmp_path / "Makefile"
    text = (CHECKOUT / "Makefile").read_text("utf-8")
    makefile.write_text(re.sub(r"^(quick:[^#]*)##.*$", r"\1", text, flags=re.MULTILINE))

    assert [target for target in phony(makefile) if target not in helped(makefile)] == ["quick"]


def test_the_lines_of_help_fit_a_terminal() -> None:
    texts = re.findall(r"^[a-z-]+:.*## (.*)$", (CHECKOUT / "Makefile").read_text("utf-8"), re.MULTILINE)
    assert not [text for text in texts if len(text) > 100]
