"""JSON Schema 2020-12 of the plain data of a model, from the same forms by which ``from_data`` reads them.

The schema accepts whatever ``from_data`` accepts. It cannot say everything that ``from_data`` refuses: rules about several
fields, sizes of more than 8 EiB, a number such as ``1.0`` where a whole number is meant, and XML that is not well-formed.
"""

from __future__ import annotations

import re
from inspect import cleandoc
from typing import Any, TypeAlias

from libstorage.data.convert import SCHEMA_KEY
from libstorage.data.forms import TYPE, Form, check_model, forms_of, word_of
from libstorage.units import LARGEST
from libstorage.xml.document import Document, Element
from libstorage.xml.kinds import MODE, SIZE, TEXT, WORD, Kind

Schema: TypeAlias = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"

_END = r"(?![\s\S])"
"""The end of a text. ``$`` also matches before a last line break in some languages."""

_CONTROLS = r"\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff"
"""Characters that XML cannot represent, as a class of a pattern; half a surrogate pair is not among them."""

_PART_OF_PATTERN = re.compile(r"\\.|\[(?:\\.|[^\]\\])*\]|\.")
_UNKNOWN = {
    "type": "object",
    "description": "A part of a document that libstorage does not know: its place, and its XML.",
    "properties": {"path": {"type": "string"}, "xml": {"type": "string"}},
    "required": ["path", "xml"],
    "additionalProperties": False,
}
_EXAMPLES: dict[Kind, list[str]] = {SIZE: ["20 GiB"], MODE: ["0640"]}


def json_schema(model: type[Element]) -> Schema:
    """Return the JSON Schema (draft 2020-12) of the plain data that ``from_data`` accepts for ``model``.

    Editors complete and check files by it. Fields that only libvirt fills in are ``readOnly``. The schema does not know
    rules about several fields, which ``from_data`` checks.

    Raises:
        TypeError: If ``model`` is not a model of libstorage.
    """
    check_model(model)
    definitions: dict[str, Schema] = {}
    root = _table(model, definitions)
    if issubclass(model, Document):
        definitions[model.__name__]["properties"][SCHEMA_KEY] = {"type": "string"}
    return {"$schema": DIALECT, "title": model.__name__, **root, "$defs": dict(sorted(definitions.items()))}


def _table(model: type[Element], definitions: dict[str, Schema], word: str | None = None) -> Schema:
    """Return a reference to the definition of a table, and add the definition if it is missing."""
    name = model.__name__
    if name not in definitions:
        definitions[name] = {}  # before its fields, which may refer to it
        definitions[name] |= _definition(model, definitions, word)
    return {"$ref": f"#/$defs/{name}"}


def _definition(model: type[Element], definitions: dict[str, Schema], word: str | None) -> Schema:
    forms = forms_of(model).values()
    properties = {form.name: _field(form, definitions) for form in forms}
    required = [form.name for form in forms if form.mapped.required]
    if word is not None:
        properties, required = {TYPE: {"const": word}, **properties}, [TYPE, *required]
    return {
        "type": "object",
        "description": _without_markup(cleandoc(model.__doc__ or "")),
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }


def _field(form: Form, definitions: dict[str, Schema]) -> Schema:
    one = _single(form, definitions)
    mark = {"readOnly": True} if form.mapped.place.reported else {}
    schema = {"type": "array", "items": one} if form.is_many else one
    return {"description": _description(form), **mark, **schema}


def _description(form: Form) -> str:
    doc = _without_markup(form.mapped.place.doc)
    is_plain = form.types in ((bool,), ()) or form.kind.choices or form.kind is TEXT
    return doc if is_plain else f"{doc} Takes {form.expected}."


def _single(form: Form, definitions: dict[str, Schema]) -> Schema:
    if form.is_unknown:
        return _UNKNOWN
    if form.variants:
        return {"oneOf": [_table(model, definitions, word_of(model)) for model in form.variants.values()]}
    if form.model is not None:
        return _table(form.model, definitions)
    if form.types == (bool,):
        return {"type": "boolean"}
    choices = [_number(form.kind)] if int in form.types else []
    if str in form.types:
        choices.append(_text(form.kind))
    return choices[0] if len(choices) == 1 else {"anyOf": choices}


def _number(kind: Kind) -> Schema:
    low, high = kind.limits or (0, LARGEST)
    return {"type": "integer", "minimum": low, "maximum": high}


def _text(kind: Kind) -> Schema:
    if kind.choices:
        return {"enum": list(kind.choices)}
    if kind is WORD:
        return {"not": {}}  # only reading makes such a word
    if kind.accepted is None:
        return {"type": "string", "pattern": f"^[^{_CONTROLS}]*{_END}"}
    pattern = rf"^(?![\s\S]*[{_CONTROLS}])(?:{_portable(kind.accepted)}){_END}"
    examples = {"examples": _EXAMPLES[kind]} if kind in _EXAMPLES else {}
    return {"type": "string", "pattern": pattern, **examples}


def _portable(pattern: str) -> str:
    """Return a pattern of Python as JSON Schema knows it: a point also matches line breaks."""
    return _PART_OF_PATTERN.sub(lambda part: _PORTABLE.get(part[0], part[0]), pattern)


_PORTABLE = {".": r"[\s\S]", r"\Z": _END, r"\-": "-"}


def _without_markup(text: str) -> str:
    return text.replace("``", "").replace("\n", " ")
