"""Short tracebacks: IPython and pytest show an error where the program called libstorage, without the frames inside.

Both leave out frames that have ``__tracebackhide__``. pytest also finds it among the globals of a module, IPython only among
the locals of a frame. So modules are marked when an error is made, and frames when IPython shows the error.
Nothing is removed: ``%xmode --show`` and then ``%tb``, ``pytest --full-trace``, debuggers and Python itself show all.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from types import FrameType
from typing import Any, Final

SWITCH: Final = "LIBSTORAGE_TRACEBACKS"
"""Environment variable: ``full`` shows every frame."""

_HIDE = "__tracebackhide__"
_OURS = "libstorage"


def mark_modules() -> None:
    """Mark the modules of libstorage that are being run, for pytest."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if _is_ours(frame):
            frame.f_globals[_HIDE] = _hides
        frame = frame.f_back


def rendered(error: BaseException) -> list[str]:
    """Return the lines that IPython shows of an error."""
    for frame in _frames(error):
        if not _is_full() and (_is_ours(frame) or frame.f_globals.get("__name__") == "contextlib"):
            frame.f_locals[_HIDE] = True
    shell = sys.modules["IPython"].get_ipython()
    lines: list[str] = shell.InteractiveTB.structured_traceback(type(error), error, error.__traceback__)
    return lines


def _hides(excinfo: Any) -> bool:
    """Answer pytest: an error that is not libstorage's is a fault, and needs every frame."""
    return hasattr(excinfo.value, "_render_traceback_") and not _is_full()


def _is_full() -> bool:
    return os.environ.get(SWITCH) == "full"


def _is_ours(frame: FrameType) -> bool:
    return str(frame.f_globals.get("__name__")).partition(".")[0] == _OURS


def _frames(error: BaseException | None) -> Iterator[FrameType]:
    """Yield the frames of an error, and of those that it came from."""
    seen = set[int]()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        trace = error.__traceback__
        while trace is not None:
            yield trace.tb_frame
            trace = trace.tb_next
        error = error.__cause__ or error.__context__
