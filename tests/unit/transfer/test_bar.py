"""The bar: one for all transfers, quiet about what it cannot draw."""

from __future__ import annotations

import io
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import attrs
import pytest

from libstorage import InvalidRequestError, MiB, TransferBar, TransferProgress
from libstorage.transfer.bar import watched_by
from libstorage.transfer.progress import Phase, Watch


def told(
    done: int, total: int | None = 4 * MiB, *, transfer: int = 1, phase: Phase = "upload"
) -> TransferProgress:
    return TransferProgress(
        name=f"volume {transfer}", transfer=transfer, phase=phase, done=done, total=total, seconds=1.0
    )


def last(file: io.StringIO) -> str:
    """What is on the screen."""
    return file.getvalue().rstrip("\n").rpartition("\r")[2]


class TestDrawing:
    def test_bytes_have_units(self) -> None:
        file = io.StringIO()
        with TransferBar(file=file) as bar:
            bar(told(0))
            bar(told(3 * MiB))
        assert "upload volume 1:  75%" in last(file)
        assert "3.00M/4.00M" in last(file)
        assert "B/s]" in last(file)
        assert file.getvalue().endswith("\n")

    def test_the_pool_is_left_out(self) -> None:
        file = io.StringIO()
        with TransferBar(file=file) as bar:
            bar(attrs.evolve(told(MiB), name="volume 'web' in pool 'images'"))
        assert last(file).startswith("upload volume 'web':  25%")

    def test_nothing_is_drawn_for_nothing(self) -> None:
        file = io.StringIO()
        with TransferBar(file=file):
            pass
        assert not file.getvalue()

    def test_it_can_go_away_at_the_end(self) -> None:
        file = io.StringIO()
        with TransferBar(file=file, leave=False) as bar:
            bar(told(MiB))
        assert not last(file).strip()

    def test_the_length_may_be_unknown(self) -> None:
        file = io.StringIO()
        with TransferBar(file=file) as bar:
            bar(told(3 * MiB, None))
        assert "3.00MB" in last(file)
        assert "%" not in last(file)

    def test_transfers_are_added_up(self) -> None:
        file = io.StringIO()
        with TransferBar(file=file) as bar:
            bar(told(MiB))
            bar(told(2 * MiB, transfer=2, phase="download"))
        assert "1 × upload, 1 × download:  38%" in last(file)
        assert "3.00M/8.00M" in last(file)

    @pytest.mark.parametrize(("later", "drawn"), [(None, "5.00MB"), (4 * MiB, "5.00M/8.00M")])
    def test_one_of_unknown_length_makes_all_unknown_until_it_tells(
        self, later: int | None, drawn: str
    ) -> None:
        file = io.StringIO()
        with TransferBar(file=file) as bar:
            bar(told(MiB))
            bar(told(MiB, None, transfer=2))
            bar(told(4 * MiB, later, transfer=2))
        assert drawn in last(file)
        assert ("%" in last(file)) is (later is not None)

    def test_a_phase_more_is_work_more(self) -> None:
        file = io.StringIO()
        with TransferBar(file=file) as bar:
            bar(told(4 * MiB))
            bar(told(2 * MiB, phase="verify"))
        assert "verify volume 1:  75%" in last(file)
        assert "6.00M/8.00M" in last(file)

    def test_every_transfer_has_a_number_of_its_own(self) -> None:
        seen: list[int] = []
        for _ in range(100):  # Python gives the place of one that is over to the next
            Watch("volume", lambda one: seen.append(one.transfer), None).phase("upload", 1)
        assert len(set(seen)) == 100


class TestThreads:
    def test_any_number_may_tell_at_once(self) -> None:
        file = io.StringIO()

        def tell(transfer: int) -> None:
            for done in range(101):
                bar(told(done * MiB, 100 * MiB, transfer=transfer))

        with TransferBar(file=file) as bar, ThreadPoolExecutor(8) as threads:
            list(threads.map(tell, range(8)))
        assert "100%" in last(file)
        assert "800M/800M" in last(file)


class Broken(io.StringIO):
    """A terminal that is gone."""

    def write(self, text: str, /) -> int:
        raise BrokenPipeError


class TestEnd:
    def test_an_error_ends_the_bar_where_it_is(self) -> None:
        file = io.StringIO()
        bar = TransferBar(file=file)
        bar(told(MiB))
        with pytest.raises(KeyboardInterrupt), bar:
            raise KeyboardInterrupt
        assert "25%" in last(file)
        assert file.getvalue().endswith("\n")

    def test_what_is_told_later_is_not_shown(self) -> None:
        file = io.StringIO()
        bar = TransferBar(file=file)
        bar(told(MiB))
        bar.close()
        bar.close()
        shown_then = file.getvalue()
        bar(told(2 * MiB))
        assert file.getvalue() == shown_then

    def test_a_terminal_that_is_gone_ends_no_transfer(self) -> None:
        with TransferBar(file=Broken()) as bar:
            bar(told(MiB))
            bar(told(2 * MiB))

    def test_a_terminal_that_is_gone_holds_up_no_other_thread(self) -> None:
        """tqdm has one lock for all bars, and keeps it when it cannot draw."""
        run("""
            import io, threading, libstorage
            class Broken(io.StringIO):
                def write(self, text):
                    raise BrokenPipeError
            done = libstorage.TransferProgress(name="v", transfer=1, phase="upload", done=1, total=2, seconds=1)
            def draw(file):
                with libstorage.TransferBar(file=file) as bar:
                    bar(done)
            draw(Broken())
            other = threading.Thread(target=draw, args=(file := io.StringIO(),), daemon=True)
            other.start()
            other.join(10)
            assert not other.is_alive()
            assert "50%" in file.getvalue(), file.getvalue()
        """)

    def test_a_terminal_may_go_at_any_time(self) -> None:
        file = io.StringIO()
        with TransferBar(file=file) as bar:
            bar(told(MiB))
            file.close()
            bar(told(2 * MiB))
        with TransferBar(file=(file := io.StringIO())) as bar:
            bar(told(MiB))
            file.close()


class TestShown:
    def test_true_is_a_bar_that_is_closed(self) -> None:
        with watched_by(True) as bar:
            assert isinstance(bar, TransferBar)
        assert bar._is_closed

    @pytest.mark.parametrize("nobody", [False, None])
    def test_nobody_may_want_to_know(self, nobody: Any) -> None:
        with watched_by(nobody) as bar:
            assert bar is None

    @pytest.mark.parametrize("progress", [1.5, "yes", 1])
    def test_other_things_are_refused(self, progress: Any) -> None:
        with pytest.raises(InvalidRequestError, match="progress"), watched_by(progress):
            pass


def run(code: str) -> str:
    """Run it in an interpreter of its own in which every warning is an error."""
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(code)],
        check=True,
        capture_output=True,
        text=True,
    ).stdout


class TestPackages:
    def test_without_tqdm_its_name_is_told(self) -> None:
        printed = run("""
            import sys
            sys.modules["tqdm.auto"] = None
            import libstorage
            try:
                libstorage.TransferBar()
            except libstorage.UnsupportedError as error:
                print(error)
        """)
        assert "tqdm" in printed
        assert "pip install 'libstorage[progress]'" in printed

    def test_a_notebook_without_widgets_gets_the_plain_bar(self) -> None:
        run("""
            import sys, types
            kernel = types.SimpleNamespace(config={"IPKernelApp": {}})
            sys.modules["IPython"] = types.ModuleType("IPython")
            sys.modules["IPython"].get_ipython = lambda: kernel
            sys.modules["ipywidgets"] = None
            import io, libstorage
            with libstorage.TransferBar(file=(file := io.StringIO())) as bar:
                bar(libstorage.TransferProgress(name="v", transfer=1, phase="upload", done=1, total=2, seconds=1))
            assert "50%" in file.getvalue(), file.getvalue()
        """)

    def test_no_thread_stays_behind(self) -> None:
        run("""
            import io, threading, libstorage
            with libstorage.TransferBar(file=io.StringIO()) as bar:
                bar(libstorage.TransferProgress(name="v", transfer=1, phase="upload", done=1, total=2, seconds=1))
                assert threading.active_count() == 1, threading.enumerate()
        """)
