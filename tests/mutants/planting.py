"""Plants faults in copies of the checkout, one at a time, and runs the tests that should notice them."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Final

import attrs

from tests.mutants.fault import Fault
from tests.support import CHECKOUT

PATIENCE: Final = 180.0
"""Seconds for the tests of one fault; a fault that makes a test hang is noticed, too."""
PATIENCE_FOR_ALL: Final = 1800.0
"""Seconds for the tests of all faults, while none is planted."""

_LEFT_BEHIND = shutil.ignore_patterns(".*", "__pycache__", "build", "dist")
_PYTEST = (sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider")
_FAILED = 1  # pytest's status if a test failed


@attrs.frozen
class Result:
    """What the tests made of one fault."""

    fault: Fault
    is_noticed: bool
    told: str


class Copy:
    """A copy of the checkout in which faults are planted."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        shutil.copytree(CHECKOUT, folder, symlinks=True, ignore=_LEFT_BEHIND)
        self._plantings = 0

    @contextmanager
    def planted(self, fault: Fault) -> Iterator[None]:
        """Plant a fault for as long as the block runs. Python knows compiled modules by whole seconds: each gets its own."""
        path = self.folder / "libstorage" / fault.file
        text, times = path.read_text("utf-8"), path.stat()
        self._plantings += 1
        try:
            path.write_text(fault.planted_in(self.folder / "libstorage"), "utf-8")
            os.utime(path, (times.st_atime, times.st_mtime + self._plantings))
            yield
        finally:
            path.write_text(text, "utf-8")
            os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))

    def run(self, tests: Sequence[str], patience: float = PATIENCE) -> tuple[int | None, str]:
        """Run tests; return pytest's status, ``None`` if they take too long, and the end of the output."""
        environment = os.environ | {"PYTHONPATH": str(self.folder), "HYPOTHESIS_PROFILE": "ci"}
        running = subprocess.Popen(
            [*_PYTEST, *tests],
            cwd=self.folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        try:
            told, _ = running.communicate(timeout=patience)
        except subprocess.TimeoutExpired:
            return None, f"took longer than {patience:.0f} s"
        finally:
            if running.poll() is None:
                os.killpg(running.pid, signal.SIGKILL)
                running.communicate()
        return running.returncode, told[-4000:]

    def verdict(self, fault: Fault) -> Result:
        """Run the tests of a fault while it is planted."""
        with self.planted(fault):
            status, told = self.run(fault.selection)
        if status not in {0, _FAILED, None}:
            raise RuntimeError(f"{fault.name}: pytest ended with {status}\n{told}")
        return Result(fault, status != 0, told)


def broken_selections(copy: Copy, faults: Sequence[Fault]) -> str:
    """Run the tests of all faults while none is planted; return what failed."""
    tests = sorted({test for fault in faults for test in fault.selection})
    status, told = copy.run(tests, PATIENCE_FOR_ALL)
    return "" if status == 0 else told


def results(
    copies: Sequence[Copy], faults: Sequence[Fault], tell: Callable[[Result], object]
) -> list[Result]:
    """Plant every fault, one at a time in each copy."""
    waiting, found, errors = SimpleQueue[Fault](), list[Result](), list[BaseException]()
    for fault in faults:
        waiting.put(fault)

    def work(copy: Copy) -> None:
        try:
            while not errors:
                found.append(copy.verdict(waiting.get_nowait()))
                tell(found[-1])
        except Empty:
            return
        except BaseException as error:  # noqa: BLE001 -- the main thread raises it
            errors.append(error)

    workers = [threading.Thread(target=work, args=(copy,), daemon=True) for copy in copies]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    if errors:
        raise errors[0]
    return found
