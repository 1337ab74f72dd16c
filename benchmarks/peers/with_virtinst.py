"""virtinst, virt-manager's library, which exists for Debian's own Python only: it runs there, in a process of its own.

``/usr/bin/python3 -m benchmarks.peers.with_virtinst ROUNDS PATH...`` reads documents with it and prints the seconds of each round as JSON,
beside those of the lxml that this Python has, in turns.
"""

# pyright: reportMissingImports=false

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.clock import alternately

PYTHON = "/usr/bin/python3"
FOLDER = "/usr/share/virt-manager"
FIELDS = {
    "volume": (
        "type",
        "key",
        "capacity",
        "allocation",
        "format",
        "target_path",
        "backing_store",
        "backing_format",
    ),
    "pool": ("type", "uuid", "capacity", "allocation", "available", "format", "source_name", "target_path"),
}
"""Eight of each, beside the name and the mode."""


def measured(rounds: int, paths: Iterable[Path]) -> dict[str, Any] | str:
    """What this module prints under Debian's Python, or why it prints nothing."""
    command = [PYTHON, "-m", "benchmarks.peers.with_virtinst", str(rounds), *map(str, paths)]
    here = Path(__file__).parents[2]
    if not Path(PYTHON).exists():
        return "not installed"
    done = subprocess.run(command, cwd=here, capture_output=True, text=True, check=False)
    if done.returncode:
        missing = "ModuleNotFoundError" in done.stderr
        return "not installed" if missing else done.stderr.strip().splitlines()[-1]
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def main(rounds: int, paths: Sequence[str]) -> None:
    sys.path.append(FOLDER)
    import virtinst
    from lxml import etree

    texts = [Path(path).read_text(encoding="utf-8") for path in paths]
    connection = virtinst.VirtinstConnection("test:///default")
    classes = {"volume": virtinst.StorageVolume, "pool": virtinst.StoragePool}
    kinds = ["volume" if text.startswith("<volume") else "pool" for text in texts]
    work = [(classes[kind], FIELDS[kind], text) for kind, text in zip(kinds, texts, strict=True)]

    def read() -> None:
        found: list[Any] = []
        for model, fields, text in work:
            document = model(connection, parsexml=text)
            found.append([getattr(document, field) for field in fields])
            found.append([document.name, document.permissions.mode])

    floor = lambda: [etree.fromstring(text) for text in texts]  # noqa: E731
    times = alternately({"lxml": floor, "virtinst": read}, rounds, warm=True)
    versions = {"virtinst": virtinst.buildconfig.BuildConfig.version, "lxml": etree.__version__}
    print(json.dumps({"times": times, "versions": versions}))


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
