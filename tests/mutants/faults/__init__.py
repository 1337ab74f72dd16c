"""The faults, package by package."""

from __future__ import annotations

from typing import Final

from tests.mutants.fault import Fault
from tests.mutants.faults import (
    client,
    connection,
    data,
    documents,
    ends,
    failures,
    provision,
    session,
    transfer,
)

FAULTS: Final[tuple[Fault, ...]] = (
    *client.FAULTS,
    *connection.FAULTS,
    *data.FAULTS,
    *documents.FAULTS,
    *ends.FAULTS,
    *failures.FAULTS,
    *provision.FAULTS,
    *session.FAULTS,
    *transfer.FAULTS,
)
