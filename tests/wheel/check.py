"""Checks of an installed libstorage, each in a process of its own choosing: ``check.py [NAME...]``.

They need nothing but the package, so that `tools/wheel-test` can run them in an otherwise empty environment;
`tests/contract/test_imports.py` runs the same ones in the checkout.
"""

from __future__ import annotations

import importlib.resources
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from typing import Never

POOL = "<pool type='dir'><name>images</name><target><path>/srv/images</path></target></pool>"
SCHEMAS = {
    *("pool.xsd", "volume.xsd", "capabilities.xsd", "sources.xsd", "common.xsd"),
    *("pool.schema.json", "volume.schema.json", "secret.schema.json"),
}
HEAVY = {"asyncio", "libstorage.data", "libvirt", "libvirtmod", "xmlschema"}
EXTRAS = {"numpy", "pandas", "polars", "tomli_w", "yaml"}


def light_import() -> None:
    """``import libstorage``, and reading a document, load neither the binding nor what few programs need."""
    import libstorage

    libstorage.PoolSpec.from_xml(POOL)
    loaded = HEAVY & sys.modules.keys()
    assert not loaded, f"documents load {', '.join(sorted(loaded))}"
    assert libstorage.__version__


def schemas() -> None:
    """The schemas are found in the package, and judge a document."""
    import libstorage

    there = {entry.name for entry in importlib.resources.files("libstorage").joinpath("schemas").iterdir()}
    assert there >= SCHEMAS, f"not in the package: {', '.join(sorted(SCHEMAS - there))}"

    libstorage.validate(POOL, against="xsd")
    try:
        libstorage.validate(POOL.replace("dir", "drawer"), against="xsd")
    except libstorage.DocumentError as error:
        assert error.problems
    else:
        raise AssertionError("a pool of type 'drawer' is valid")


def typed() -> None:
    """Type checkers are told that the package has types."""
    assert importlib.resources.files("libstorage").joinpath("py.typed").is_file()


def public_names() -> None:
    """Each name of ``__all__`` is there, and the star import works."""
    import libstorage

    assert len(set(libstorage.__all__)) == len(libstorage.__all__)
    missing = [name for name in libstorage.__all__ if not hasattr(libstorage, name)]
    assert not missing, f"in __all__ only: {', '.join(missing)}"


def light_data() -> None:
    """Plain data, JSON and the versions need no package of an extra, and data no libvirt."""
    import libstorage

    spec = libstorage.PoolSpec.from_xml(POOL)
    assert libstorage.load(libstorage.PoolSpec, libstorage.dump(spec, format="json"), format="json") == spec
    assert libstorage.json_schema(libstorage.PoolSpec)["$defs"]
    loaded = (HEAVY - {"libstorage.data"} | EXTRAS) & sys.modules.keys()
    assert not loaded, f"data load {', '.join(sorted(loaded))}"
    assert libstorage.__version__ in libstorage.show_versions(as_text=True)
    assert not EXTRAS & sys.modules.keys()


def without_libvirt() -> None:
    """Documents work where the binding cannot be imported, and `connect` says what to install."""
    sys.modules["libvirt"] = None  # type: ignore[assignment]  # as if it were not installed
    import libstorage

    spec = libstorage.PoolSpec.from_xml(POOL)
    assert libstorage.PoolSpec.from_xml(spec.to_xml()) == spec
    assert spec == libstorage.PoolSpec.dir("images", "/srv/images")
    assert libstorage.Size("20 GiB") == 20 * 2**30
    libstorage.validate(spec, against="xsd")
    try:
        libstorage.connect("test:///default")
    except libstorage.UnsupportedError as error:
        assert "libvirt-python" in str(error), str(error)
    else:
        raise AssertionError("connect() works without libvirt")
    assert "cannot be loaded" in libstorage.show_versions(as_text=True)


def without_unix() -> None:
    """Where Python lacks what only Unix has, such as on Windows, the same works, and each public name is there."""
    modules = ("fcntl", "grp", "pwd", "resource", "termios")
    names = {
        os: "fork geteuid getuid pread pwrite pwritev register_at_fork O_CLOEXEC O_DIRECTORY O_NOFOLLOW O_PATH SEEK_DATA",
        signal: "SIGCHLD SIGHUP SIGKILL pidfd_send_signal pthread_kill",
        socket: "AF_UNIX",
    }
    sys.modules.update(dict.fromkeys(modules))  # type: ignore[arg-type]  # None: as if they were not installed
    for module, texts in names.items():
        for name in texts.split():
            delattr(module, name)
    public_names()
    without_libvirt()


CHECKS: dict[str, Callable[[], None]] = {
    check.__name__: check
    for check in (light_import, light_data, schemas, typed, public_names, without_libvirt, without_unix)
}


def main(names: list[str]) -> Never:
    """Run one check in this process, or several in a process each."""
    if len(names) == 1:
        CHECKS[names[0]]()
        print("ok", names[0])
        sys.exit()
    runs = [subprocess.run([sys.executable, "-I", __file__, name], check=False) for name in names or CHECKS]
    sys.exit(any(run.returncode for run in runs))


if __name__ == "__main__":
    main(sys.argv[1:])
