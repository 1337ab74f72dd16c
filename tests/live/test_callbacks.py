"""In which thread each callback of the caller's runs, as docs/threads.md says."""

from __future__ import annotations

import contextvars
import gc
import io
import threading
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from libstorage import MiB, Pool, Volume, VolumeSpec, connect
from libstorage.transfer.progress import TransferProgress

CONTENT = bytes(3 * MiB)
ASIDE = "libstorage-aside"

setting: contextvars.ContextVar[str] = contextvars.ContextVar("setting")


class Noted:
    """The threads in which something was called, by name."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    def __call__(self, *_: object) -> None:
        self.names.add(threading.current_thread().name)


class NotedFile(io.BytesIO):
    """A file object that notes the threads in which it is read and written."""

    def __init__(self, noted: Noted, content: bytes = b"") -> None:
        super().__init__(content)
        self._noted = noted

    def read(self, size: int | None = -1, /) -> bytes:
        self._noted()
        return super().read(size)

    def write(self, data: Any, /) -> int:
        self._noted()
        return super().write(data)


def pieces(noted: Noted) -> Iterator[bytes]:
    for _ in range(3):
        noted()
        yield bytes(MiB)


def in_a_thread(do: Callable[[], object]) -> str:
    """Do it in a thread that is neither the main thread nor libstorage's, and return the thread's name."""
    failed: list[BaseException] = []

    def run() -> None:
        try:
            do()
        except BaseException as error:  # noqa: BLE001 -- raised below
            failed.append(error)

    thread = threading.Thread(target=run, name="the caller's")
    thread.start()
    thread.join()
    if failed:
        raise failed[0]
    return thread.name


@pytest.fixture
def volume(pool: Pool) -> Volume:
    return pool.volumes.create(VolumeSpec.raw("a.img", len(CONTENT))).upload(CONTENT)


@pytest.mark.parametrize("deadline", [None, 60.0])
@pytest.mark.parametrize("verb", ["upload", "download", "ranges", "file object", "resume", "copy", "import"])
def test_progress_is_called_in_the_thread_of_the_call(
    volume: Volume, folder: Path, verb: str, deadline: float | None
) -> None:
    path, noted = folder / "copy", Noted()
    told: dict[str, Any] = {"progress": noted, "deadline": deadline}
    do: dict[str, Callable[[], object]] = {
        "upload": lambda: volume.upload(iter([CONTENT]), verify=True, **told),
        "download": lambda: volume.download(path, **told),
        "ranges": lambda: volume.download(path, parallel=3, **told),
        "file object": lambda: volume.download(io.BytesIO(), **told),
        "resume": lambda: volume.upload(CONTENT, resume=True, **told),
        "copy": lambda: volume.copy_to(volume.pool, "b.img", **told),
        "import": lambda: volume.pool.volumes.import_image(
            iter([CONTENT]), name="c.img", verify=True, **told
        ),
    }

    caller = in_a_thread(do[verb])

    assert noted.names == {caller}


@pytest.mark.parametrize("verb", ["upload", "import"])
@pytest.mark.parametrize("kind", ["iterable", "file object"])
def test_a_source_is_read_in_the_thread_of_the_call(volume: Volume, kind: str, verb: str) -> None:
    noted = Noted()
    source: Any = pieces(noted) if kind == "iterable" else NotedFile(noted, CONTENT)
    send = volume.upload if verb == "upload" else lambda s: volume.pool.volumes.import_image(s, name="b.img")

    caller = in_a_thread(lambda: send(source))

    assert noted.names == {caller}


@pytest.mark.parametrize("verb", ["upload", "import"])
@pytest.mark.parametrize("kind", ["iterable", "file object"])
def test_with_a_deadline_a_source_is_read_in_a_thread_of_its_own(
    volume: Volume, kind: str, verb: str
) -> None:
    noted = Noted()
    source: Any = pieces(noted) if kind == "iterable" else NotedFile(noted, CONTENT)
    volumes = volume.pool.volumes

    if verb == "upload":
        volume.upload(source, deadline=60)
    else:
        volumes.import_image(source, name="b.img", deadline=60)

    assert noted.names == {ASIDE}


def test_that_thread_has_the_callers_context(volume: Volume) -> None:
    seen: set[str] = set()

    def source() -> Iterator[bytes]:
        for _ in range(3):
            seen.add(setting.get("none"))
            yield bytes(MiB)

    token = setting.set("the caller's")
    volume.upload(source(), deadline=60)
    setting.reset(token)

    assert seen == {"the caller's"}


@pytest.mark.parametrize("deadline", [None, 60.0])
def test_a_target_is_written_in_the_thread_of_the_call(volume: Volume, deadline: float | None) -> None:
    noted = Noted()
    target = NotedFile(noted)

    caller = in_a_thread(lambda: volume.download(target, deadline=deadline))

    assert target.getvalue() == CONTENT
    assert noted.names == {caller}


def test_a_dropped_host_warns_in_the_thread_that_dropped_it(uri: str) -> None:
    noted = Noted()

    def drop() -> None:
        host = connect(uri)
        host.pools.count()
        del host
        gc.collect()

    with warnings.catch_warnings(), pytest.MonkeyPatch.context() as patch:
        warnings.simplefilter("always")
        patch.setattr(warnings, "showwarning", noted)
        caller = in_a_thread(drop)

    assert noted.names == {caller}


def test_many_threads_may_share_a_progress(pool: Pool) -> None:
    volumes = [pool.volumes.create(VolumeSpec.raw(f"{number}.img", MiB)) for number in range(4)]
    lock, threads_of = threading.Lock(), dict[str, set[str]]()

    def note(progress: TransferProgress) -> None:
        with lock:
            threads_of.setdefault(progress.name, set()).add(threading.current_thread().name)

    workers = [
        threading.Thread(target=one.upload, args=(bytes(MiB),), kwargs={"progress": note}, name=one.name)
        for one in volumes
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert {name for names in threads_of.values() for name in names} == {one.name for one in volumes}
    assert all(len(names) == 1 for names in threads_of.values())
