"""Programs that end with something of ours still open: each is one of its own, and all end."""

from __future__ import annotations

import re
import subprocess
import sys
import textwrap
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import attrs
import pytest

from libstorage import PoolSpec, VolumeSpec, connect
from libstorage.testing import PrivateDaemon

LIMIT = 40  # seconds; what hangs hangs for ever, and a call that is waited for lasts 60
AT_ONCE = 4
MiB = 1 << 20
CAPACITY = 8 * MiB

PRELUDE = """
import atexit, io, os, signal, sys, threading, time, weakref

def run(calls):
    while calls:
        calls.pop()()

early, late = [], []
atexit.register(run, late)  # before libstorage is there, and so called after what is open was ended
import libstorage as ls
atexit.register(run, early)

def go():
    print("ready", flush=True)
    sys.stdin.readline()

class Last:
    def __init__(self, call):
        self.call = call
    def __del__(self):
        self.call()

if __name__ == "__main__":
    uri, name = sys.argv[1:]
    host = ls.connect(uri)
    pool = host.pools["endings"]
    volume = pool.volumes[name]
"""

WRITER = "file = volume.open('wb'); file.write(bytes(3 << 20))"
NOT_COMPLETE = "never closed: it is incomplete"
UNCLOSED = "ResourceWarning: unclosed host"
TOO_LATE = "ConnectionFailedError: .*the program is ending"


@attrs.frozen
class Case:
    """A program.

    Attributes:
        name: What it is.
        code: What it does before it is told to go on, when what hangs hangs.
        last: What it does then.
        status: With what it ends.
        says: What is in its standard error, each a pattern.
        traces: How many tracebacks are there.
        options: Python's.
    """

    name: str
    code: str
    last: str = ""
    status: int = 0
    says: tuple[str, ...] = (NOT_COMPLETE, UNCLOSED)
    traces: int = 0
    options: tuple[str, ...] = ()

    def program(self) -> str:
        """Its text."""
        body = "\n".join([textwrap.dedent(self.code), "go()", textwrap.dedent(self.last)])
        functions, _, main = body.rpartition("#main\n")
        return f"{PRELUDE}\n{functions}\nif __name__ == '__main__':\n" + textwrap.indent(main, "    ")


TELLS_OF_CLOSE = sys.hexversion >= 0x030D0000
"""Whether Python tells that a file object could not be closed when it was dropped."""
HAS_THREADS = sys.hexversion >= 0x030D0000 or sys.hexversion < 0x030C0000
"""Whether Python starts threads in functions that are registered with atexit."""
NO_THREAD = "ConnectionFailedError: no thread can be started"

OBJECTS = (
    Case("writer", WRITER),
    Case("text", "text = io.TextIOWrapper(volume.open('wb')); text.write('half')"),
    Case("buffered", "around = io.BufferedWriter(volume.open('wb')); around.write(b'half')"),
    Case(
        "gzip",
        "import gzip; packed = gzip.GzipFile(fileobj=volume.open('wb'), mode='wb'); packed.write(b'half')",
        traces=2 if TELLS_OF_CLOSE else 0,
    ),
    Case(
        "fsspec",
        """
        import libstorage.fsspec
        #main
        system = ls.fsspec.LibvirtFileSystem(host=host)
        new = system.open(f"endings/new-{name}", "wb")
        new.write(bytes(3 << 20))
        """,
    ),
    Case("reader", "file = volume.open(); file.read(1)", says=("was never closed", UNCLOSED)),
    Case(
        "reader far ahead",
        "file = volume.open(buffering=1); file.read(1); file.read(1)",
        says=("was never closed",),
    ),
    Case("host", "host.secrets.list()", says=(UNCLOSED,)),
    Case("iterator", "entries = iter(pool.volumes.specs()); next(entries)", says=(UNCLOSED,)),
    Case("closes the host in __del__", "last = Last(host.close)", says=(UNCLOSED,)),
    Case("asks the host in __del__", "last = Last(host.pools.names)", says=(UNCLOSED, TOO_LATE), traces=1),
    Case("connects in __del__", "last = Last(lambda: ls.connect(uri))", says=(TOO_LATE,), traces=1),
    Case("opens in __del__", "last = Last(lambda: volume.open('wb'))", says=(TOO_LATE,), traces=1),
    Case(
        "closes a writer in __del__",
        f"{WRITER}; last = Last(file.close)",
        says=(NOT_COMPLETE, "TransferError"),
        traces=1,
    ),
    Case("discards a writer in __del__", f"{WRITER}; last = Last(file.discard)"),
    Case(
        "asks whether it is alive in __del__", "last = Last(lambda: print(host.is_alive()))", says=(UNCLOSED,)
    ),
    Case(
        "download in a daemon thread",
        """
        def progress(told):
            if told.done:
                begun.set()
                time.sleep(60)
        #main
        begun = threading.Event()
        big = pool.volumes.create(ls.VolumeSpec.raw(f"big-{name}", 64 << 20))
        threading.Thread(
            target=lambda: big.download(f"{volume.path()}.got", progress=progress), daemon=True
        ).start()
        assert begun.wait(20) and [name for name in os.listdir(os.path.dirname(volume.path())) if name[0] == "."]
        """,
        says=(UNCLOSED,),
    ),
    Case(
        "bar that a daemon thread draws",
        """
        class Slow(io.StringIO):
            def write(self, text):
                begun.set()
                time.sleep(60)
        #main
        begun = threading.Event()
        bar = ls.TransferBar(file=Slow())
        data = io.BytesIO(bytes(1 << 20))
        threading.Thread(target=lambda: volume.upload(data, progress=bar), daemon=True).start()
        assert begun.wait(20)
        """,
        says=(UNCLOSED,),
    ),
    Case(
        "daemon thread that writes",
        """
        def write():
            while True:
                file.write(bytes(1000))
        #main
        file = volume.open("wb")
        threading.Thread(target=write, daemon=True).start()
        """,
    ),
    Case(
        "daemon threads that ask",
        """
        def ask():
            while True:
                host.pools.names()
        #main
        for _ in range(6):
            threading.Thread(target=ask, daemon=True).start()
        time.sleep(0.1)
        """,
        says=(UNCLOSED,),
    ),
)

PLACES = (
    Case("in a cycle", f"{WRITER}\nring = [file]; ring.append(ring); del file, ring"),
    Case("in a class", "Last.file = volume.open('wb'); Last.file.write(b'x')"),
    Case("finalizer that asks", "weakref.finalize(volume, host.pools.names)", says=(UNCLOSED,)),
    Case(
        "finalizer of one in a cycle",
        "ring = [Last(lambda: None)]; ring.append(ring); weakref.finalize(ring[0], host.close)",
        says=(),
    ),
    Case(
        "atexit that opens",
        "early.append(lambda: setattr(Last, 'file', volume.open('wb')))",
        says=(NOT_COMPLETE if HAS_THREADS else NO_THREAD, UNCLOSED),
        traces=not HAS_THREADS,
    ),
    Case("atexit that asks", "early.append(host.pools.names)", says=(UNCLOSED,)),
    Case("atexit that closes", f"{WRITER}; early.append(host.close); early.append(file.close)", says=()),
    Case(
        "late atexit that opens",
        "late.append(lambda: setattr(Last, 'file', volume.open('wb')))",
        says=(NOT_COMPLETE if HAS_THREADS else NO_THREAD, UNCLOSED),
        traces=not HAS_THREADS,
    ),
    Case(
        "late atexit that asks",
        "late.append(host.pools.names)",
        says=(UNCLOSED,) if HAS_THREADS else (UNCLOSED, NO_THREAD),
        traces=not HAS_THREADS,
    ),
    Case(
        "late atexit that closes",
        f"{WRITER}; late.append(file.close)",
        says=(NOT_COMPLETE, "TransferError: .*the program ended before"),
        traces=1,
    ),
    Case(
        "late atexit that waits for a daemon thread",
        """
        def work():
            while not is_over.is_set():
                try:
                    host.pools.names()
                except ls.ConnectionLostError:  # a call that runs when the program ends is cut
                    pass
        #main
        is_over = threading.Event()
        thread = threading.Thread(target=work, daemon=True)
        late.append(thread.join)
        late.append(is_over.set)
        thread.start()
        """,
        says=(UNCLOSED,) if HAS_THREADS else (UNCLOSED, NO_THREAD),
        traces=not HAS_THREADS,
    ),
)

ENDS = (
    Case("sys.exit", WRITER, "sys.exit(3)", status=3),
    Case(
        "uncaught", WRITER, "raise ZeroDivisionError('mine')", status=1, says=(NOT_COMPLETE, "mine"), traces=1
    ),
    Case(
        "ctrl-c",
        WRITER,
        "os.kill(os.getpid(), signal.SIGINT); time.sleep(5)",
        status=-2,
        says=(NOT_COMPLETE,),
        traces=1,
    ),
    Case(
        "sigterm",
        f"""
        def stop(*_):
            raise SystemExit(7)
        #main
        signal.signal(signal.SIGTERM, stop)
        {WRITER}
        """,
        "os.kill(os.getpid(), signal.SIGTERM); time.sleep(5)",
        status=7,
    ),
    Case("interactive", WRITER, options=("-W", "always", "-i")),
    Case("warnings are errors", WRITER, options=("-W", "error"), says=(NOT_COMPLETE,), traces=2),
    Case("warnings are not shown", WRITER, options=("-W", "ignore"), says=()),
    Case("host closed first", f"{WRITER}; host.close()", says=(NOT_COMPLETE,)),
    Case("exec", WRITER, "os.execv('/bin/true', ['true'])", says=()),
    Case(
        "thread fails",
        WRITER,
        "threading.Thread(target=lambda: 1 / 0).start()",
        says=(NOT_COMPLETE, "ZeroDivision"),
        traces=1,
    ),
    Case(
        "thread still writes",
        """
        def write():
            with volume.open("wb") as file:
                for _ in range(8):
                    time.sleep(0.05)
                    file.write(b"x" * (1 << 20))
        """
        "#main\n",
        "threading.Thread(target=write).start(); time.sleep(0.1)",
        says=(UNCLOSED,),
    ),
    Case(
        "to_thread",
        """
        import asyncio
        async def main():
            file = await asyncio.to_thread(volume.open, "wb")
            await asyncio.to_thread(file.write, b"half")
            await asyncio.to_thread(pool.volumes.list)
            globals()["kept"] = file
        #main
        """,
        "asyncio.run(main())",
    ),
    Case(
        "fork",
        f"{WRITER}",
        """
        child = os.fork()
        if child:
            assert os.waitpid(child, 0)[1] == 0
            file.write(b"x")
            file.discard()
            host.close()
        else:
            warnings = sys.modules["warnings"]
            sys.exit()
        """,
        says=(),
    ),
    Case(
        "forked child writes on",
        f"{WRITER}; reader = pool.volumes['read'].open(); reader.read(1)",
        """
        child = os.fork()
        if child:
            status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            file.discard()
            reader.close()
            host.close()
            sys.exit(status)
        refused = 0
        for call in (lambda: file.write(bytes(9 << 20)), file.close, reader.read):
            try:
                call()
            except ls.ConnectionLostError:
                refused += 1
        os._exit(refused)
        """,
        status=3,
        says=(),
    ),
    Case(
        "spawn",
        """
        def work(uri, name):
            global file
            host = ls.connect(uri)
            file = host.pools["endings"].volumes[name].open("wb")
            file.write(bytes(3 << 20))
        #main
        """,
        """
        import multiprocessing
        child = multiprocessing.get_context("spawn").Process(target=work, args=(uri, name))
        child.start()
        child.join()
        sys.exit(child.exitcode)
        """,
    ),
)

HANGING: tuple[str, ...] = (
    "writer",
    "text",
    "fsspec",
    "reader",
    "reader far ahead",
    "host",
    "iterator",
    "daemon threads that ask",
)
HANGING += (
    "closes the host in __del__",
    "asks the host in __del__",
    "download in a daemon thread",
    "in a cycle",
)
DEAD = (
    "writer",
    "fsspec",
    "reader",
    "closes the host in __del__",
    "asks the host in __del__",
)


class Running:
    """One that has been started."""

    def __init__(self, case: Case, daemon: PrivateDaemon, folder: Path, number: int) -> None:
        self.case, self.name = case, f"v{number}"
        script = folder / f"program{number}.py"
        script.write_text(case.program(), "utf-8")
        options = case.options or ("-W", "always")
        self._process = subprocess.Popen(
            [sys.executable, *options, script, daemon.uri, self.name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def is_ready(self) -> bool:
        """Wait until it is."""
        assert self._process.stdout is not None
        return self._process.stdout.readline() == "ready\n"

    def finish(self) -> str:
        """Let it go on, and tell what is wrong with how it ends."""
        case = self.case
        try:
            _, said = self._process.communicate("\n", LIMIT)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return f"{case.name}: does not end: {self._process.communicate()[1]}"
        missing = [wanted for wanted in case.says if not re.search(wanted, said)]
        traces = said.count("Traceback (most recent call last)")
        if self._process.returncode == case.status and not missing and traces == case.traces:
            return ""
        return f"{case.name}: ends with {self._process.returncode}, without {missing}, {traces} tracebacks:\n{said}"


def run_all(
    cases: tuple[Case, ...], daemon: PrivateDaemon, folder: Path, then: Callable[[], object] | None = None
) -> None:
    """Run programs, some at once; with ``then``, all are started before that is done, and end after it."""
    with connect(daemon.uri) as host:
        pool = host.pools.define(PoolSpec.dir("endings", str(folder / "pool"))).build().start()
        for number in range(len(cases)):
            pool.volumes.create(VolumeSpec.raw(f"v{number}", CAPACITY, allocation=0))
        pool.volumes.create(VolumeSpec.raw("read", CAPACITY))

    def begin(number: int) -> Running:
        running = Running(cases[number], daemon, folder, number)
        if not running.is_ready():
            pytest.fail(running.finish())
        return running

    with ThreadPoolExecutor(AT_ONCE) as several:
        numbers = range(len(cases))
        if then is None:
            wrong = list(several.map(lambda number: begin(number).finish(), numbers))
        else:
            begun = list(several.map(begin, numbers))
            then()
            wrong = list(several.map(Running.finish, begun))
    assert not any(wrong), "\n".join(filter(None, wrong))


def named(*names: str) -> tuple[Case, ...]:
    """Some of them."""
    return tuple(case for case in (*OBJECTS, *PLACES) if case.name in names)


class TestEndings:
    def test_with_a_daemon_that_answers(self, own_daemon: PrivateDaemon, folder: Path) -> None:
        cases = (*OBJECTS, *PLACES, *ENDS)
        run_all(cases, own_daemon, folder)
        with connect(own_daemon.uri) as host:
            volumes = host.pools["endings"].refresh().volumes
            for volume in volumes:
                volume.upload(b"nobody is at it any more")
        names = [path.name for path in (folder / "pool").iterdir()]
        assert not [name for name in names if name.startswith((".", "new")) or name.endswith("got")]

    def test_what_a_thread_writes_is_complete(self, own_daemon: PrivateDaemon, folder: Path) -> None:
        (case,) = (case for case in ENDS if case.name == "thread still writes")
        run_all((case,), own_daemon, folder)
        assert (folder / "pool" / "v0").read_bytes() == b"x" * CAPACITY

    def test_with_a_daemon_that_hangs(self, own_daemon: PrivateDaemon, folder: Path) -> None:
        try:
            run_all(named(*HANGING), own_daemon, folder, own_daemon.pause)
        finally:
            own_daemon.resume()

    def test_with_a_daemon_that_died(self, own_daemon: PrivateDaemon, folder: Path) -> None:
        run_all(named(*DEAD), own_daemon, folder, lambda: own_daemon.stop(kill=True))
