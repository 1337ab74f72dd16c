"""Faults in models, XML, enums, units, errors and operations."""

from __future__ import annotations

from typing import Final

from tests.mutants.fault import Fault

FAULTS: Final[tuple[Fault, ...]] = (
    Fault(
        "attributes-of-a-document",
        "xml/parse.py",
        'data.count(b"<") + data.count(b"=") > MOST_MARKUP',
        'data.count(b"<") > MOST_MARKUP',
        "tests/unit/xml/test_parse.py",
        "a hostile document takes the reader's time",
    ),
    Fault(
        "attributes-of-an-element",
        "xml/parse.py",
        'f"//*[@*[{MOST_ATTRIBUTES + 1}]]"',
        'f"//*[@*[{MOST_ATTRIBUTES * 2}]]"',
        "tests/unit/xml/test_parse.py",
        "a hostile document takes the reader's time",
    ),
    Fault(
        "namespaces-of-a-document",
        "xml/parse.py",
        'data.count(b"xmlns") > MOST_ATTRIBUTES',
        'data.count(b"xmlns") > 10 * MOST_ATTRIBUTES',
        "tests/unit/xml/test_parse.py",
        "a hostile document takes the reader's time",
    ),
    Fault(
        "only-the-root-is-crowded",
        "xml/parse.py",
        'f"//*[@*[',
        'f"/*[@*[',
        "tests/unit/xml/test_parse.py",
        "a hostile document takes the reader's time",
    ),
    Fault(
        "doctype-behind-a-comment",
        "xml/parse.py",
        "|<!--.*?-->)*+<!DOCTYPE",
        ")*+<!DOCTYPE",
        "tests/unit/xml/test_parse.py",
        "a document declares entities",
    ),
    Fault(
        "any-encoding",
        "xml/parse.py",
        "and declared[1].lower() not in _UTF8",
        "and declared[1] in ()",
        "tests/unit/xml/test_parse.py",
        "a document is read in another encoding than it says",
    ),
    Fault(
        "fifty-attributes",
        "xml/schema.py",
        '("//*[@*[51]]"',
        '("//*[@*[511]]"',
        "tests/unit/xml/test_schema.py",
        "validation of a hostile document takes minutes",
    ),
    Fault(
        "fifteen-deep",
        "xml/schema.py",
        '("/*" * 16',
        '("/*" * 160',
        "tests/unit/xml/test_schema.py",
        "validation of a hostile document takes minutes",
    ),
    Fault(
        "fourteen-deep",
        "xml/schema.py",
        '("/*" * 16',
        '("/*" * 15',
        "tests/unit/xml/test_schema.py",
        "a sound document is refused",
    ),
    Fault(
        "quote-in-an-adapter",
        "models/adapters.py",
        '{*"<&\'"}',
        '{*"<&"}',
        "tests/unit/models/test_models_mistakes.py",
        "libvirt writes a document that it cannot read",
    ),
    Fault(
        "bracket-in-an-adapter",
        "models/adapters.py",
        '{*"<&\'"}',
        '{*"&\'"}',
        "tests/unit/models/test_models_mistakes.py",
        "libvirt writes a document that it cannot read",
    ),
)
