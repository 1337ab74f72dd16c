"""The examples in Markdown pages and docstrings: finding them, and running them on a real host."""

from __future__ import annotations

import contextlib
import doctest
import hashlib
import io
import re
import subprocess
import textwrap
from pathlib import Path
from typing import Any

import attrs

import libstorage as ls
from libstorage.display.text import short_address
from tests.support import CHECKOUT

FOLDERS = ("", "docs/", "docs/start/", "docs/guides/", "docs/explain/")
PAGES = sorted(path for folder in FOLDERS for path in CHECKOUT.glob(f"{folder}*.md"))
VENDOR = "https://images.example.org/"  # where examples get images from
THEIRS = "libvirt-python"  # the title of examples that are not ours
PREPARATION = "preparation"  # the title of what the examples of both need
PRINTS = "prints"  # the title of what the example above it prints

_BLOCK = re.compile(r"^( *)```(\w+)(?: title=\"([^\"]*)\")?\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
_OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


@attrs.frozen
class Block:
    """A fenced block of a page.

    Attributes:
        name: Page and line, as an editor finds it.
        kind: Its language.
        title: What stands behind that.
        text: What is in it.
        line: The line of its first character, counted from 1.
    """

    name: str
    kind: str
    title: str
    text: str
    line: int


def blocks(text: str, name: str, first_line: int = 1) -> list[Block]:
    """The fenced blocks of a text."""
    found = []
    for match in _BLOCK.finditer(text):
        line = first_line + text.count("\n", 0, match.start(4))
        found.append(Block(f"{name}:{line}", match[2], match[3] or "", textwrap.dedent(match[4]), line))
    return found


def page_blocks(page: Path) -> list[Block]:
    """The fenced blocks of a page."""
    return blocks(page.read_text("utf-8"), str(page.relative_to(CHECKOUT)))


@attrs.frozen
class Stage:
    """Where examples run. They say ``qemu:///system``, ``/srv`` and so on; here is what they get instead.

    Attributes:
        uri: The host.
        folder: Stands for the host's file system; ``here`` in it is the current folder.
        vendor: The address of a web server that stands for the vendor of images, and shows what is in ``vendor``.
    """

    uri: str
    folder: Path
    vendor: str = VENDOR

    def prepare(self) -> None:
        """What examples find: the folders in which they make pools, and an image in the current folder."""
        for told in ("srv", "var/lib/libvirt", "home/foo"):
            (self.folder / told).mkdir(parents=True)
        here = self.folder / "here"
        here.mkdir()
        subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "jammy.qcow2", "8M"], cwd=here, check=True)
        images = self.folder / "vendor" / "jammy"
        images.mkdir(parents=True)
        image = (here / "jammy.qcow2").read_bytes()
        (images / "jammy.qcow2").write_bytes(image)
        (images / "SHA256SUMS").write_text(f"{hashlib.sha256(image).hexdigest()} *jammy.qcow2\n")

    def real(self, text: str) -> str:
        """What an example means here."""
        text = re.sub(r"(?<![\w/])/(?=(srv|var/lib/libvirt|home/foo)/)", f"{self.folder}/", text)
        return text.replace("qemu:///system", self.uri).replace(VENDOR, self.vendor)

    def told(self, text: str) -> str:
        """What it would say where it was written for."""
        text = text.replace(f"{self.folder}/", "/").replace(self.vendor, VENDOR)
        for address in (self.uri, short_address(self.uri)):
            text = text.replace(address, "qemu:///system")
        return text

    def run(self, examples: list[Block]) -> None:
        """Run the examples of one page in order, with one set of names.

        Raises:
            AssertionError: One of them says something else than its page.
        """
        names: dict[str, Any] = {"__name__": "__main__"}
        with contextlib.chdir(self.folder / "here"):
            try:
                self._run(examples, names)
            finally:
                for value in names.values():
                    if isinstance(value, ls.Host):
                        value.close()

    def _run(self, examples: list[Block], names: dict[str, Any]) -> None:
        printed = ""
        for block in examples:
            if block.title == PRINTS:
                check_output(block, printed)
            elif block.kind == "pycon":
                self._converse(block, names)
            elif block.kind == "python":
                printed = self.told(self._execute(block, names))

    def _execute(self, block: Block, names: dict[str, Any]) -> str:
        padding = "\n" * (block.line - 1)  # a traceback shows the line of the page
        code = compile(
            padding + self.real(block.text), block.name.partition(":")[0], "exec", dont_inherit=True
        )
        with contextlib.redirect_stdout(io.StringIO()) as output:
            exec(code, names)
        return output.getvalue()

    def _converse(self, block: Block, names: dict[str, Any]) -> None:
        lines = doctest.DocTestParser().get_examples(block.text)
        for line in lines:
            line.source = self.real(line.source)
        test = doctest.DocTest(lines, names, block.name, block.name, block.line - 1, block.text)
        report: list[str] = []
        runner = doctest.DocTestRunner(checker=_Told(self), optionflags=_OPTIONS)
        runner.run(test, out=report.append, clear_globs=False)
        names.update(test.globs)
        assert not report, "".join(report)


class _Told(doctest.OutputChecker):
    """Compares what is said here with what would be said where the page was written for."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    def check_output(self, want: str, got: str, optionflags: int) -> bool:
        return super().check_output(want, self._stage.told(got), optionflags)


def check_output(block: Block, printed: str) -> None:
    """An example prints what its page shows; ``...`` stands for anything."""
    if not doctest.OutputChecker().check_output(block.text, printed, _OPTIONS):
        raise AssertionError(f"{block.name} shows\n{block.text}\nbut the example prints\n{printed}")


def examples_in_docstrings() -> list[Block]:
    """The fenced examples of every docstring of the package."""
    paths = sorted((CHECKOUT / "libstorage").rglob("*.py"))
    return [block for path in paths for block in page_blocks(path) if block.kind in {"python", "pycon"}]
