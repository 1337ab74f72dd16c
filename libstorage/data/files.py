"""Documents in files of YAML, JSON or TOML."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterable
from os import PathLike
from pathlib import Path
from typing import Any, Literal, NoReturn, TypeAlias, TypeVar, cast, get_args, overload

from libstorage.data.convert import Taker, to_data
from libstorage.data.extras import extra
from libstorage.data.forms import check_model
from libstorage.data.places import NO_PLACES, Places, step
from libstorage.data.yaml_text import read_yaml, write_yaml
from libstorage.errors import DocumentError, InvalidRequestError, Problem
from libstorage.xml.document import Element
from libstorage.xml.wording import one_of

E = TypeVar("E", bound=Element)

Format: TypeAlias = Literal["yaml", "json", "toml"]
"""The formats of files."""

_SUFFIXES: dict[str, Format] = {".yaml": "yaml", ".yml": "yaml", ".json": "json", ".toml": "toml"}
_AT_LINE = re.compile("at line ([0-9]+)")  # how tomllib's messages end
_TOML_KEY = "document"
"""Key of the array of tables that holds several documents in TOML, which has no lists at its top."""


@overload
def load(
    model: type[E],
    source: str | PathLike[str],
    *,
    format: Format | None = None,
    many: Literal[False] = False,
    check: bool = True,
) -> E: ...
@overload
def load(
    model: type[E],
    source: str | PathLike[str],
    *,
    format: Format | None = None,
    many: Literal[True],
    check: bool = True,
) -> list[E]: ...
def load(
    model: type[E],
    source: str | PathLike[str],
    *,
    format: Format | None = None,
    many: bool = False,
    check: bool = True,
) -> E | list[E]:
    """Return the document in a file or text of YAML, JSON or TOML.

    A key that is given twice is refused. In YAML, a word without quotes is text unless it is ``true``, ``false``, ``null``
    or a whole number: ``on``, ``1:30`` and ``1.1`` are text, and a mode may be ``0640`` but not ``640``.

    Args:
        model: Class of the document, such as ``VolumeSpec``.
        source: A path; if ``format`` is given, a ``str`` is the text itself.
        format: ``yaml`` (which needs ``libstorage[yaml]``), ``json`` or ``toml``. For a path, the suffix says it.
        many: Return a list of documents: from a list, from YAML documents between lines of ``---``, or in TOML from an
            array ``document`` of tables.
        check: As for ``from_data``.

    Raises:
        DocumentError: If the text cannot be parsed or does not describe such documents. The error has every problem, each
            with its path, and in YAML with its line.
        InvalidRequestError: If the format is not known.
        UnsupportedError: If the package for the format is not installed.
        OSError: If the file cannot be read.
    """
    check_model(model)
    text, form = _text_of(source, format)
    try:
        return _load(model, text, form, many=many, check=check)
    except DocumentError as error:
        if isinstance(source, str) and source is text and Path(source[-10:]).suffix in _SUFFIXES:
            error.add_hint("With format=, a str is the text itself: pass a pathlib.Path to read a file.")
        raise


def _load(model: type[E], text: str, format: Format, *, many: bool, check: bool) -> E | list[E]:
    name = model.__name__
    data, places = _parse(text, format, name, many=many)
    taker = Taker(check=check, places=places)
    if not many:
        return cast("E", taker.done(taker.document(model, data, name)))
    items = data if isinstance(data, list) else [data]
    made = [taker.document(model, item, f"{name}[{place}]") for place, item in enumerate(items)]
    return cast("list[E]", taker.done(made))


def dump(
    documents: Element | Iterable[Element],
    path: str | PathLike[str] | None = None,
    *,
    format: Format | None = None,
    reported: bool = False,
) -> str:
    """Return a document, or a list of documents, as YAML, JSON or TOML, and write the text to ``path`` if it is given.

    Args:
        documents: One document or several.
        path: A file to write; an existing file is replaced.
        format: ``yaml`` (which needs ``libstorage[yaml]``), ``json`` or ``toml`` (which needs ``libstorage[toml]``). For a
            path, the suffix says it.
        reported: Also write the fields that only libvirt fills in.

    Raises:
        InvalidRequestError: If the format is not known.
        UnsupportedError: If the package for the format is not installed.
        OSError: If the file cannot be written.
    """
    form = _format_of(path, format)
    if isinstance(documents, Element):
        text = _write(to_data(documents, reported=reported), form)
    else:
        text = _write([to_data(document, reported=reported) for document in documents], form)
    if path is not None:
        Path(path).write_text(text, "utf-8", newline="\n")
    return text


def _text_of(source: str | PathLike[str], format: Format | None) -> tuple[str, Format]:
    if isinstance(source, str) and format is not None:
        return source, _known(format)
    if "\n" in str(source):
        raise InvalidRequestError(
            "a text needs its format",
            hint="Pass format='yaml', 'json' or 'toml'; without it, a str is a path.",
        )
    form = _format_of(source, format)
    try:
        return Path(source).read_text("utf-8-sig"), form
    except UnicodeDecodeError:
        raise DocumentError([Problem(str(source), "is not UTF-8")]) from None


def _format_of(path: str | PathLike[str] | None, format: Format | None) -> Format:
    if format is not None:
        return _known(format)
    suffix = "" if path is None else Path(path).suffix
    if form := _SUFFIXES.get(suffix.lower()):
        return form
    reason = "no format is given" if path is None else f"{str(path)!r} does not end in {one_of(_SUFFIXES)}"
    raise InvalidRequestError(reason, hint="Pass format='yaml', 'json' or 'toml'.")


def _known(format: str) -> Format:
    if format in (formats := get_args(Format)):
        return cast("Format", format)
    raise InvalidRequestError(f"{format!r} is not a format; expected {one_of(formats, format)}")


def _parse(text: str, format: Format, name: str, *, many: bool) -> tuple[Any, Places]:
    if format == "yaml":
        return read_yaml(text, name, many=many)
    if format == "json":
        return _read_json(text, name), NO_PLACES
    data = _read_toml(text, name)
    return data[_TOML_KEY] if many and data.keys() == {_TOML_KEY} else data, NO_PLACES


def _read_json(text: str, name: str) -> Any:
    def table(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            keys = [key for key, _ in pairs]
            twice = next(key for key in found if keys.count(key) > 1)
            raise DocumentError([Problem(step(name, twice), "is given more than once")])
        return found

    try:
        return json.loads(text, object_pairs_hook=table)
    except DocumentError:
        raise
    except json.JSONDecodeError as error:
        _refuse(name, f"is not JSON: {error.msg}", error.lineno)
    except ValueError:
        _refuse(name, "is not JSON that can be read: it has a number of too many digits")
    except RecursionError:
        _refuse(name, "is nested too deeply")


def _read_toml(text: str, name: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except RecursionError:
        _refuse(name, "is nested too deeply")
    except ValueError as error:
        line = _AT_LINE.search(str(error))
        _refuse(name, f"is not TOML: {error}", int(line[1]) if line else None)


def _refuse(name: str, reason: str, line: int | None = None) -> NoReturn:
    raise DocumentError([Problem(name, reason, line=line)]) from None


def _write(data: Any, format: Format) -> str:
    if format == "yaml":
        return write_yaml(data)
    if format == "json":
        return json.dumps(data, indent=2, ensure_ascii=False) + "\n"
    tomli_w = extra("tomli_w", "tomli-w", "toml", "TOML cannot be written")
    return str(tomli_w.dumps({_TOML_KEY: data} if isinstance(data, list) else data))
