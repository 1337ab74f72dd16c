"""Documents as plain data: dictionaries, lists, texts, numbers and truth values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar, cast

import attrs

from libstorage.data.forms import TYPE, Form, check_model, forms_of, plain, word_of
from libstorage.data.places import NO_PLACES, Places, step
from libstorage.errors import DocumentError, Problem, shortened
from libstorage.xml.document import Document, Element, value_problem
from libstorage.xml.fields import Unknown
from libstorage.xml.kinds import MODE, WORD, UnknownWord, string_problem
from libstorage.xml.mapping import construct, mapping_of
from libstorage.xml.parse import parse
from libstorage.xml.wording import Wrong, article, not_of_type, not_valid, one_of

E = TypeVar("E", bound=Element)

SCHEMA_KEY = "$schema"
"""Key by which editors find the schema of a JSON file; it is not part of the document."""

_UNKNOWN_KEYS = ("path", "xml")
_MOST_BITS = 300  # far above libvirt's numbers; Python refuses to print very long ones
_BROKEN = object()
"""Stands for a value that has a problem."""


# ---- out ------------------------------------------------------------------------------------------------------------


def to_data(document: Element, *, reported: bool = False) -> dict[str, Any]:
    """Return a document, or an element of one, as plain data.

    Keys are the names of the fields. A field that is not set is left out. Sizes are exact text (``"20 GiB"``), modes
    octal text (``"0640"``), enums words, and the class of a pool's source or adapter is its ``type``. Unknown parts are
    tables of ``path`` and ``xml``.

    Args:
        document: A ``PoolSpec``, ``VolumeSpec``, ``SecretSpec`` or any other model.
        reported: Also include the fields that only libvirt fills in.

    Raises:
        TypeError: If ``document`` is not a model of libstorage.
    """
    if not isinstance(document, Element):
        raise TypeError(f"{article(document)} is not a document of libstorage")
    return dict(_set_fields(document, reported=reported))


def _set_fields(element: Element, *, reported: bool) -> Iterator[tuple[str, Any]]:
    for name, form in forms_of(type(element)).items():
        value, mapped = getattr(element, name), form.mapped
        if (mapped.place.reported and not reported) or (not mapped.required and value == mapped.missing()):
            continue
        if isinstance(value, tuple):
            yield name, [_given(form, item, reported=reported) for item in value]
        else:
            yield name, _given(form, value, reported=reported)


def _given(form: Form, value: Any, *, reported: bool) -> Any:
    if isinstance(value, Unknown):
        return {"path": value.path, "xml": value.xml}
    if not isinstance(value, Element):
        return plain(form.kind, value)
    fields = dict(_set_fields(value, reported=reported))
    return {TYPE: word_of(value), **fields} if form.variants else fields


# ---- in -------------------------------------------------------------------------------------------------------------


def from_data(model: type[E], data: Mapping[str, Any], *, check: bool = True) -> E:
    """Return the document that plain data describes.

    Sizes are numbers of bytes or text with a unit, modes numbers or octal text.

    Args:
        model: Class of the document, such as ``VolumeSpec``.
        data: The fields by name, as ``to_data`` returns them.
        check: Accept only what the constructor accepts. ``False`` also accepts whatever ``from_xml`` can read, such as
            words of a newer libvirt, so that a document that a host reported comes back unchanged.

    Raises:
        DocumentError: If the data do not describe such a document. The error has every problem, each with its path; rules
            about several fields are checked where each value by itself is right.
        TypeError: If ``model`` is not a model of libstorage.
    """
    check_model(model)
    taker = Taker(check=check)
    return cast("E", taker.done(taker.document(model, data, model.__name__)))


class Taker:
    """Makes documents from plain data, and collects the problems of all of them.

    Args:
        check: Whether values and combinations are checked as constructors do.
        places: Line and spelling of each value, by path, if the data were read from YAML.
    """

    def __init__(self, *, check: bool, places: Places = NO_PLACES) -> None:
        self._check = check
        self._places = places
        self._problems: list[Problem] = []

    def done(self, made: Any) -> Any:
        """Return what was made.

        Raises:
            DocumentError: If a problem was found. The error has every problem.
        """
        if self._problems:
            raise DocumentError(sorted(self._problems, key=lambda problem: problem.line or 0))
        return made

    def document(self, model: type[Element], data: Any, path: str) -> Any:
        """Return a document or element; ``path`` names it in problems."""
        check_model(model)
        if (
            issubclass(model, Document)
            and isinstance(data, Mapping)
            and isinstance(data.get(SCHEMA_KEY), str)
        ):
            data = {key: value for key, value in data.items() if key != SCHEMA_KEY}
        return self._table(model, data, path)

    # ---- tables -----------------------------------------------------------------------------------------------------

    def _table(self, model: type[Element], data: Any, path: str) -> Any:
        if not isinstance(data, Mapping):
            return self._broken(path, _not_a("a table of fields", data))
        forms, values, before = forms_of(model), {}, len(self._problems)
        for key, value in data.items():
            if form := forms.get(key):
                values[key] = self._value(form, value, step(path, key))
            else:
                self._no_field(key, model, path)
        for name, form in forms.items():
            if form.mapped.required and name not in values:
                self._broken(
                    f"{path}.{name}", Wrong("is missing", None, form.expected if form.types else None)
                )
        if len(self._problems) == before:
            return self._made(model, values, path)
        for name, value in values.items():
            if self._check and value is not _BROKEN:
                self._add(value_problem(model, forms[name].mapped, forms[name].converter(value)), path, model)
        return _BROKEN

    def _no_field(self, key: object, model: type[Element], path: str) -> None:
        outside, name = mapping_of(model).outside, shortened(str(key))
        if key == TYPE and outside:
            wrong = Wrong(f"belongs into the table {outside.name!r}", name, f"{outside.name}.{TYPE}")
        else:
            own = (form for form in forms_of(model).values() if not form.mapped.place.reported)
            choices = one_of((form.name for form in own if not form.is_unknown), name)
            wrong = Wrong(f"is not a field of {model.__name__}", name, choices)
        self._broken(step(path, key), wrong)

    def _made(self, model: type[Element], values: dict[str, Any], path: str) -> Any:
        if not self._check:
            forms = forms_of(model)
            missing = {name: form.mapped.missing() for name, form in forms.items() if name not in values}
            return construct(model, missing | values)
        try:
            return model(**values)
        except DocumentError as error:
            for problem in error.problems:
                self._add(problem, path, model)
        return _BROKEN

    # ---- values -----------------------------------------------------------------------------------------------------

    def _value(self, form: Form, value: Any, path: str) -> Any:
        if value is None:
            return self._broken(path, Wrong("is null: leave out a field that is not set"))
        if not form.is_many:
            return self._single(form, value, path)
        if not isinstance(value, list | tuple):
            return self._broken(path, _not_a("a list", value))
        items = tuple(self._single(form, item, f"{path}[{place}]") for place, item in enumerate(value))
        return _BROKEN if any(item is _BROKEN for item in items) else items

    def _single(self, form: Form, value: Any, path: str) -> Any:
        if form.is_unknown:
            return self._unknown(value, path)
        if form.variants:
            return self._variant(form, value, path)
        if form.model is not None:
            return self._table(form.model, value, path)
        if wrong := self._misspelt(form, value, path):
            return self._broken(path, wrong)
        return value if self._check else self._readable(form, value, path)

    def _misspelt(self, form: Form, value: Any, path: str) -> Wrong | None:
        if not isinstance(value, form.types) or (isinstance(value, bool) and bool not in form.types):
            in_quotes = ", in quotes" if form.types == (str,) and isinstance(value, int | float) else ""
            return _not_a(form.expected + in_quotes, value)
        if isinstance(value, int) and value.bit_length() > _MOST_BITS:
            return Wrong("is a number of too many digits", None, form.expected)
        if form.kind is MODE and (digits := self._places.decimal(path)):
            return _decimal_mode(digits)
        return None

    def _readable(self, form: Form, value: Any, path: str) -> Any:
        """Return a value as its field holds it, if a reader could find it in a document."""
        made = value if form.is_many else form.converter(value)
        kind = form.kind
        if (kind.vocabulary or kind is WORD or kind.pattern) and type(made) is str:
            wrong = string_problem(made)
            made = made if kind.pattern else UnknownWord(made)
        elif kind.limits and isinstance(made, int):
            wrong = None
        else:
            wrong = None if form.types == (bool,) else kind.check(made)
        return self._broken(path, wrong) if wrong else made

    def _variant(self, form: Form, value: Any, path: str) -> Any:
        if not isinstance(value, Mapping):
            return self._broken(path, _not_a("a table of fields", value))
        if TYPE not in value:
            return self._broken(f"{path}.{TYPE}", Wrong("is missing", None, one_of(form.variants)))
        word, rest = value[TYPE], {key: inner for key, inner in value.items() if key != TYPE}
        if not isinstance(word, str):
            return self._broken(f"{path}.{TYPE}", _not_a(one_of(form.variants), word))
        if model := form.variants.get(word):
            return self._table(model, rest, path)
        if self._check or form.fallback is None:
            return self._broken(f"{path}.{TYPE}", not_valid(word, one_of(form.variants, word)))
        return self._table(form.fallback, {TYPE: word, **rest}, path)

    def _unknown(self, value: Any, path: str) -> Any:
        if not isinstance(value, Mapping):
            return self._broken(path, _not_a("a table of path and xml", value))
        before = len(self._problems)
        for key in value:
            if key not in _UNKNOWN_KEYS:
                wrong = Wrong("is not a field of an unknown part", shortened(str(key)), one_of(_UNKNOWN_KEYS))
                self._broken(step(path, key), wrong)
        for key in _UNKNOWN_KEYS:
            if not isinstance(value.get(key), str):
                self._broken(f"{path}.{key}", _not_a("text", value.get(key)))
        if len(self._problems) > before:
            return _BROKEN
        part = Unknown(value["path"], value["xml"])
        return part if _is_whole(part) else self._broken(f"{path}.xml", _NOT_A_PART)

    # ---- problems ---------------------------------------------------------------------------------------------------

    def _broken(self, path: str, wrong: Wrong) -> Any:
        self._problems.append(wrong.at(path, line=self._places.line(path)))
        return _BROKEN

    def _add(self, problem: Problem | None, path: str, model: type[Element]) -> None:
        """Add a problem that the model itself found."""
        if problem:
            place = path + problem.path.removeprefix(model.__name__)
            self._problems.append(attrs.evolve(problem, path=place, line=self._places.line(place)))


_NOT_A_PART = Wrong("is not one element, or for a path that ends in '@name' one attribute, of XML")


def _is_whole(part: Unknown) -> bool:
    """Return whether the XML of an unknown part is one element, or the attribute that its path names."""
    is_attribute = part.path.rpartition("/")[2].startswith("@")
    try:
        root = parse(f"<a {part.xml}/>" if is_attribute else part.xml)
    except DocumentError:
        return False
    return not is_attribute or len(root.attrib) == 1


def _not_a(expected: str, value: object) -> Wrong:
    """Describe a value of the wrong type. Only numbers are quoted: a text in a wrong place may be a secret."""
    if isinstance(value, int | float):
        return not_of_type(value, expected)
    return Wrong("is null" if value is None else f"is {article(value)}", None, expected)


def _decimal_mode(digits: str) -> Wrong:
    example = digits if set(digits) <= set("01234567") else "640"
    return Wrong("is a decimal number, not an octal mode", digits, f"octal text such as '0{example}'")
