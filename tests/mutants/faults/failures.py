"""Faults in what libvirt's errors become."""

from __future__ import annotations

from typing import Final

from tests.mutants.fault import Fault

FAULTS: Final[tuple[Fault, ...]] = (
    Fault(
        "problem-quotes-the-document",
        "connection/failures/translate.py",
        'Problem("/", _first_line(said.bare))',
        'Problem("/", said.bare)',
        "tests/live/test_error_map.py::test_a_document_is_quoted_nowhere",
        "an error shows a document, and the secrets in it",
    ),
    Fault(
        "message-quotes-the-document",
        "connection/failures/translate.py",
        "{verdict.reason or _first_line(said.text)}",
        "{verdict.reason or said.text}",
        "tests/live/test_error_map.py::test_a_document_is_quoted_nowhere",
        "an error shows a document, and the secrets in it",
    ),
)
