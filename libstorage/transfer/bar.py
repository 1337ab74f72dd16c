"""A progress bar for any number of transfers."""

from __future__ import annotations

import threading
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TextIO

from libstorage.errors import InvalidRequestError, UnsupportedError
from libstorage.transfer.progress import Progress, TransferProgress

if TYPE_CHECKING:
    from tqdm import tqdm


class TransferBar:
    """A bar that shows the combined progress of transfers: bytes, rate, time left and phase.

    tqdm draws the bar, in a notebook as a widget; it needs ``libstorage[progress]``. Transfers of any number of threads
    may share a bar, as ``progress=bar`` in a ``with TransferBar() as bar`` block. If drawing fails, the bar ends and the
    transfers go on.

    Args:
        file: Text stream to draw to, instead of ``sys.stderr``.
        leave: Leave the bar on the screen at the end.

    Raises:
        UnsupportedError: If tqdm is not installed.
    """

    def __init__(self, *, file: TextIO | None = None, leave: bool = True) -> None:
        self._make = _tqdm()
        self._file = file
        self._leave = leave
        self._lock = threading.Lock()
        self._bar: tqdm[Any] | None = None
        self._widget: Any = None
        self._is_closed = False
        self._phases: dict[tuple[int, str], TransferProgress] = {}

    def __call__(self, progress: TransferProgress) -> None:
        """Show the progress of one transfer. Pass the bar as ``progress=`` of a transfer."""
        with self._lock:
            self._phases[progress.transfer, progress.phase] = progress
            if self._is_closed:
                return
            try:
                self._draw()
            except Exception:  # noqa: BLE001 -- a lost terminal must not end a transfer
                self._is_closed = True

    def close(self) -> None:
        """End the bar in its present state; later progress is not shown. Closing again does nothing."""
        with self._lock:
            if self._bar is not None and not self._is_closed:
                try:
                    self._bar.close()
                    self._show_end(self._bar)
                except Exception:  # noqa: BLE001 -- see above
                    self._bar.disable = True
            self._is_closed = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _draw(self) -> None:
        shown = list(self._phases.values())
        totals = [phase.total for phase in shown]
        total = None if None in totals else sum(filter(None, totals))
        if self._bar is None:
            self._bar = self._begin(total)
        if self._bar.total != total:
            self._resize(self._bar, total)
        self._bar.set_description_str(self._description(), refresh=False)
        self._bar.update(sum(phase.done for phase in shown) - self._bar.n)

    def _begin(self, total: int | None) -> tqdm[Any]:
        is_widget = any(base.__module__ == "tqdm.notebook" for base in self._make.__mro__)
        options: dict[str, Any] = {"display": False} if is_widget else {}
        bar: tqdm[Any] = self._make(
            total=total,
            file=self._file,
            leave=self._leave,
            unit="B",
            unit_scale=True,
            unit_divisor=1024,
            miniters=1,
            dynamic_ncols=True,
            **options,
        )
        if is_widget:
            from IPython.display import display

            self._widget = display(_container(bar), display_id=True)  # type: ignore[no-untyped-call]
        return bar

    def _show_end(self, bar: tqdm[Any]) -> None:
        """Give a notebook the final text beside the widget: where it is opened without its kernel, the text is shown."""
        if self._widget is not None and self._leave:
            self._widget.update(_container(bar))

    @staticmethod
    def _resize(bar: tqdm[Any], total: int | None) -> None:
        bar.total = total
        widget = _container(bar)
        if widget is not None and total is not None:  # a notebook's widget keeps a length of its own
            widget.children[1].max = total

    def _description(self) -> str:
        latest = {progress.transfer: progress for progress in self._phases.values()}
        running = [one for one in latest.values() if one.done != one.total] or list(latest.values())
        if len(latest) == 1:
            # a narrow window has no room for a pool and a bar
            name, _, _ = running[0].name.partition(" in pool ")
            return f"{running[0].phase} {name}"
        return ", ".join(
            f"{count} × {phase}" for phase, count in Counter(one.phase for one in running).items()
        )


def _container(bar: tqdm[Any]) -> Any:
    """Return the widget of a bar; ``None`` in a terminal."""
    return getattr(bar, "container", None)


def _tqdm() -> type[tqdm[Any]]:
    try:
        with warnings.catch_warnings():  # in a notebook without ipywidgets tqdm warns, and uses the plain bar
            warnings.simplefilter("ignore")
            from tqdm.auto import tqdm
    except ImportError:
        raise UnsupportedError(
            "a progress bar needs the package tqdm",
            hint="Install it with: pip install 'libstorage[progress]'.",
        ) from None
    lock: Any = tqdm.get_lock()  # type: ignore[no-untyped-call]
    lock = getattr(lock, "th_lock", lock)  # the lock for threads, which Ctrl-C cannot leave locked

    def refresh(bar: tqdm[Any], nolock: bool = False, lock_args: object = None) -> None:
        """Draw the bar. tqdm's own refresh keeps the lock if drawing fails; then the bars of all other threads hang."""
        with nullcontext() if nolock else lock:
            bar.display()

    # tqdm's monitor is a thread that looks for stalled bars; here every update checks the clock.
    return type("TransferBarOfTqdm", (tqdm,), {"monitor_interval": 0, "_lock": lock, "refresh": refresh})


@contextmanager
def watched_by(progress: Progress | bool | None) -> Iterator[Progress | None]:
    """Return the function that is called with the progress: the caller's, a new bar, or ``None``.

    Raises:
        InvalidRequestError: If ``progress`` is neither a function nor ``True`` or ``False``.
        UnsupportedError: If the bar needs a package that is not installed.
    """
    if callable(progress):
        yield progress
    elif progress is True:
        with TransferBar() as bar:
            yield bar
    elif progress is False or progress is None:
        yield None
    else:
        raise InvalidRequestError(f"progress must be a function, True or False, not {progress!r}")
