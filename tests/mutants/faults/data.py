"""Faults in plain data, files, schemas, rows and frames."""

from __future__ import annotations

from typing import Final

from tests.mutants.fault import Fault

FAULTS: Final[tuple[Fault, ...]] = (
    Fault(
        "data-reported-by-default",
        "data/convert.py",
        "(mapped.place.reported and not reported)",
        "(mapped.place.reported and reported)",
        "tests/unit/data/test_convert.py",
        "what libvirt filled in is written into a file that a person keeps",
    ),
    Fault(
        "data-stops-at-the-first-problem",
        "data/convert.py",
        "            if self._check and value is not _BROKEN:\n",
        "            if self._check and value is _BROKEN:\n",
        "tests/unit/data/test_convert.py",
        "a person mends a file mistake by mistake",
    ),
    Fault(
        "data-bool-is-a-number",
        "data/convert.py",
        "isinstance(value, bool) and bool not in form.types",
        "isinstance(value, bool) and not form.types",
        "tests/unit/data/test_convert.py",
        "true is one byte",
    ),
    Fault(
        "data-part-with-more",
        "data/convert.py",
        "len(root.attrib) == 1",
        "len(root.attrib) >= 1",
        "tests/unit/data/test_convert.py",
        "an unknown attribute brings another one with it",
    ),
    Fault(
        "data-decimal-mode",
        "data/convert.py",
        "form.kind is MODE and (digits",
        "form.kind is None and (digits",
        "tests/unit/data/test_files.py",
        "mode: 400 in YAML means 0o620",
    ),
    Fault(
        "yaml-leading-zero-is-decimal",
        "data/yaml_text.py",
        "(?:0|[1-9][0-9]{0,99})",
        "(?:[0-9]{1,99})",
        "tests/unit/data/test_files.py",
        "mode: 0640 is refused or is another mode",
    ),
    Fault(
        "yaml-last-key-wins",
        "data/yaml_text.py",
        "elif key.value in found:",
        "elif key.value in ():",
        "tests/unit/data/test_files.py",
        "the first of two values is lost without a word",
    ),
    Fault(
        "yaml-line-of-the-value",
        "data/yaml_text.py",
        "Place(line or _line(node)",
        "Place(_line(node)",
        "tests/unit/data/test_files.py",
        "a problem of a table has the line of its first key",
    ),
    Fault(
        "yaml-next-line",
        "data/yaml_text.py",
        '"[\\r\\x85\\u2028\\u2029]"',
        '"[\\r\\u2028\\u2029]"',
        "tests/unit/data/test_files.py",
        "a name with an odd line break reads back as another",
    ),
    Fault(
        "schema-text-may-go-on",
        "data/schema.py",
        '_END = r"(?![\\s\\S])"',
        '_END = r"$"',
        "tests/unit/data/test_schema.py",
        "an editor accepts a path with a line break behind it",
    ),
    Fault(
        "schema-size-without-limit",
        "data/schema.py",
        "kind.limits or (0, LARGEST)",
        "kind.limits or (0, LARGEST + 1)",
        "tests/unit/data/test_schema.py",
        "an editor accepts what load refuses",
    ),
    Fault(
        "rows-lose-a-pool-that-failed",
        "data/rows.py",
        "if entry.error is not None and not entry.volumes:",
        "if entry.error is not None and entry.volumes:",
        "tests/unit/data/test_frames.py",
        "a pool that could not be listed looks empty",
    ),
    Fault(
        "frames-of-this-host-only",
        "data/frames.py",
        "(*column.words, *(word",
        "(*(), *(word",
        "tests/unit/data/test_frames.py",
        "frames of two hosts lose their types when they are joined",
    ),
    Fault(
        "frames-empty-without-columns",
        "data/frames.py",
        "or [()] * len(columns)",
        "or []",
        "tests/unit/data/test_frames.py",
        "an empty host has no columns",
    ),
)
