"""Our own documents as plain data, whatever a constructor thinks of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from libstorage.data.convert import from_data, to_data
from libstorage.data.files import Format, dump, load
from libstorage.models.spec import without_reported
from tests.corpus.documents import each, ours, read
from tests.support import same

ours_each = each(ours())


@ours_each
def test_data_come_back(path: Path) -> None:
    document = read(path)
    model = type(document)

    assert same(from_data(model, to_data(document, reported=True), check=False), document)
    assert same(from_data(model, to_data(document), check=False), without_reported(document))


@ours_each
def test_what_is_known_by_a_constructor_is_taken_with_checks(path: Path) -> None:
    document = read(path)
    try:
        document.check_request()
    except ValueError:
        return
    assert from_data(type(document), to_data(document, reported=True)) == document


@pytest.mark.parametrize("format", ["yaml", "json", "toml"])
def test_text_comes_back(format: Format) -> None:
    for path in ours():
        document = read(path)
        text = dump(document, format=format, reported=True)
        assert same(load(type(document), text, format=format, check=False), document), path
