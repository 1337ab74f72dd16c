"""The tour through everything: as root and as an ordinary user, on a daemon of its own and on any host."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import libstorage as ls
from libstorage.testing import PrivateDaemon
from tests.support import CHECKOUT

QUICKSTART = CHECKOUT / "docs" / "examples" / "quickstart.py"
NOBODY = 65534
AS_NOBODY = f"""
import os, runpy, sys
import libvirt, libstorage, libstorage.testing
for name in libstorage.__all__:
    getattr(libstorage, name)  # what is loaded later may be out of reach for that user
tour = runpy.run_path({str(QUICKSTART)!r})
os.setgroups([]); os.setgid({NOBODY}); os.setuid({NOBODY}); os.chdir("/")
sys.exit(tour["main"]())
"""


@pytest.fixture(autouse=True)
def _needs_tools() -> None:
    places = os.pathsep.join((*os.get_exec_path(), "/usr/sbin"))  # where an ordinary user does not look
    for tool in ("libvirtd", "qemu-img"):
        if shutil.which(tool, path=places) is None:
            pytest.skip(f"not run: no {tool} here")


def tour(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *(arguments or (str(QUICKSTART),))]
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    return subprocess.run(
        command, check=False, capture_output=True, text=True, env=inherited | environment, timeout=60
    )


@pytest.fixture
def scratch() -> Iterator[Path]:
    """A folder for temporary files that every user can write to, with a short name, for sockets are in it."""
    with tempfile.TemporaryDirectory(prefix="ls", dir="/tmp") as folder:
        Path(folder).chmod(0o777)
        yield Path(folder)


@pytest.mark.parametrize("as_nobody", [False, True] if os.geteuid() == 0 else [False])
def test_it_says_what_it_does_and_leaves_nothing(as_nobody: bool, scratch: Path) -> None:
    arguments = ("-c", AS_NOBODY) if as_nobody else ()
    run = tour(*arguments, TMPDIR=str(scratch))

    assert run.returncode == 0, run.stderr
    assert run.stderr == ""
    assert run.stdout.endswith("\nAll went well, and nothing of it is left.\n")
    steps = re.findall(r"^ ?([0-9]+)\. (.+)$", run.stdout, re.MULTILINE)
    assert [int(number) for number, _ in steps] == [*range(1, len(steps) + 1)]
    said = "\n".join(text for _, text in steps)
    for word in ("Defined, built and started", "Uploaded", "Cloned", "Grew", "inventory", "Wiped", "Deleted"):
        assert word in said
    assert f"storage:///{'session' if as_nobody or os.geteuid() else 'system'}" in said
    assert not list(scratch.iterdir())


def test_it_runs_on_any_host_and_touches_nothing_else_there(
    own_daemon: PrivateDaemon, tmp_path: Path
) -> None:
    with ls.connect(own_daemon.uri) as host:
        mine = host.pools.create_transient(ls.PoolSpec.dir("mine", f"{tmp_path}/mine"), build=True)
        mine.volumes.create(ls.VolumeSpec.raw("mine.img", "1 MiB"))
        run = tour(str(QUICKSTART), "--uri", own_daemon.uri, "--path", str(tmp_path))

        assert run.returncode == 0, run.stderr
        assert own_daemon.uri in run.stdout
        assert host.pools.names() == ("mine",)
        assert mine.volumes.names() == ("mine.img",)
        assert [entry.name for entry in tmp_path.iterdir()] == ["mine"]


def test_a_host_that_is_not_there() -> None:
    run = tour(str(QUICKSTART), "--uri", "storage:///system?socket=/nowhere")

    assert run.returncode == 1
    assert run.stderr.startswith("\nThe tour ends early: cannot connect to storage:///system?socket=/nowhere")


def test_a_program_that_is_not_there(tmp_path: Path) -> None:
    run = tour(PATH=str(tmp_path))

    assert run.returncode == 1
    assert "qemu-img is not installed on this machine" in run.stderr
    assert "apt-get install qemu-utils" in run.stderr


def test_a_step_that_fails_leaves_nothing(own_daemon: PrivateDaemon, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.touch()
    run = tour(str(QUICKSTART), "--uri", own_daemon.uri, "--path", str(blocked))

    assert run.returncode == 1
    assert re.search("The tour ends early: pool.build on pool 'tour-[0-9a-f]+' failed", run.stderr)
    with ls.connect(own_daemon.uri) as host:
        assert host.pools.count() == 0
