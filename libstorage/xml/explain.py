"""Why a document is refused, in words for the person who wrote it.

The XSD library decides.  What it says of a refused element is about the schema, so the element is looked at once more
here, beside its declaration; the words come from the documentation inside the schema.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from difflib import get_close_matches
from itertools import chain, islice
from typing import Any, TypeAlias, cast

from lxml import etree

from libstorage.errors import Problem
from libstorage.xml.parse import Tree

Component: TypeAlias = Any
"""A part of a schema.  The library's own types speak of ``xml.etree`` elements, which these are not."""

Attributes: TypeAlias = Mapping[str | None, Component]
Prefixes: TypeAlias = Iterable[tuple[str | None, str]]

MOST_PROBLEMS = 100
_MOST_EXAMINED = 1000
_BLANK = " \t\r\n"


def explain(
    schema: Component, root: Tree, refusal: Component, declared: dict[Tree, Component]
) -> list[Problem]:
    """What is wrong with a document that ``schema`` refused, in document order; never nothing.

    Args:
        schema: The ``XMLSchema11``.
        root: The document.
        refusal: The first ``XMLSchemaValidationError``.
        declared: The declarations of the elements up to there.
    """
    errors = [refusal]
    # The library describes each error at the length of its parent, so of a large document only the first is asked for.
    if cast(float, root.xpath("count(//* | //@*)")) <= _MOST_EXAMINED:
        errors = list(schema.iter_errors(root, validation_hook=declared.__setitem__))
    refused: dict[Tree, list[Component]] = {}
    for error in errors:
        refused.setdefault(root if error.elem is None else error.elem, []).append(error)
    problems = [
        problem
        for element in root.iter()
        if element in refused
        for problem in _of_element(element, declared[element]) or map(_of_error, refused[element])
    ]
    return list(dict.fromkeys(problems))[:MOST_PROBLEMS]


def problem_at(
    element: Tree,
    reason: str,
    *,
    attribute: str | None = None,
    found: str | None = None,
    expected: str | None = None,
) -> Problem:
    """A problem of an element, or of one of its attributes, with its path and line."""
    line = cast("int | None", element.sourceline)
    return Problem(path_of(element, attribute), reason, line=line, found=found, expected=expected)


def path_of(element: Tree, attribute: str | None = None) -> str:
    """Where an element, or one of its attributes, stands: ``/pool/source/host[2]/@port``."""
    steps = [] if attribute is None else [f"@{_printed(attribute, element.nsmap.items())}"]
    here: Tree | None = element
    while here is not None:
        steps.append(_tag(here) + _position(here))
        here = here.getparent()
    return "/" + "/".join(reversed(steps))


def _position(element: Tree) -> str:
    before = sum(1 for _ in element.itersiblings(element.tag, preceding=True))
    alone = before == 0 and next(element.itersiblings(element.tag), None) is None
    return "" if alone else f"[{before + 1}]"


def one_of(choices: Iterable[str], found: str, shown: Callable[[str], str] = str) -> str:
    """The choices, and which of them ``found`` may have been meant to be: ``"one of yes, no (did you mean 'no'?)"``."""
    choices = list(choices)
    if len(choices) == 1:
        return shown(choices[0])
    near = get_close_matches(found, choices, n=1)
    hint = f" (did you mean {(repr if shown is str else shown)(near[0])}?)" if near else ""
    return f"one of {', '.join(map(shown, choices))}{hint}"


def angled(tag: str) -> str:
    """A tag as people write of it."""
    return f"<{tag}>"


# ---- one element beside its declaration -----------------------------------------------------------------------------


def _of_element(element: Tree, declared: Component) -> list[Problem]:
    kind = declared.get_alternative_type(element)
    problems = list(islice(_of_attributes(element, declared.get_attributes(kind)), MOST_PROBLEMS))
    # An attribute that chooses the type may have chosen the wrong one: nothing more can be said then.
    if problems and declared.alternatives:
        return problems
    simple = kind.simple_type
    inside = _of_children(element, kind.content) if simple is None else _of_text(element, simple)
    return [*problems, *islice(inside, MOST_PROBLEMS)]


def _of_attributes(element: Tree, declared: Attributes) -> Iterator[Problem]:
    known = [name for name in declared if name]
    for name, value in cast(Iterable[tuple[str, str]], element.items()):
        if found := declared.get(name):
            yield from _of_value(element, value, found.type, name)
        elif None not in declared:
            reason = f"<{_tag(element)}> has no attribute {_printed(name, element.nsmap.items())!r}"
            expected = one_of(known, name, repr) if known else "no attributes"
            yield problem_at(element, reason, expected=expected, attribute=name)
    for name in known:
        if declared[name].use == "required" and name not in element.attrib:
            yield problem_at(element, f"attribute {name!r} is missing")


def _of_text(element: Tree, kind: Component) -> Iterator[Problem]:
    for child in element:
        yield problem_at(child, f"<{_tag(element)}> holds a value and no elements")
    yield from _of_value(element, element.text or "", kind)


def _of_value(element: Tree, value: str, kind: Component, attribute: str | None = None) -> Iterator[Problem]:
    if not kind.is_valid(value):
        expected = _expected(kind, value)
        yield problem_at(element, "is not valid", attribute=attribute, found=value, expected=expected)


def _of_children(element: Tree, model: Component) -> Iterator[Problem]:
    for text in (element.text, *(child.tail for child in element)):
        if text and text.strip(_BLANK):
            reason = f"is text, which <{_tag(element)}> cannot hold"
            yield problem_at(element, reason, found=text.strip(_BLANK))
    bounds = _bounds(model)
    prefixes = [*element.nsmap.items(), *model.namespaces.items()]
    known = {name: _printed(name, prefixes) for name, (_, most) in bounds.items() if most}
    seen: Counter[str] = Counter()
    for child in element:
        seen[child.tag] += 1
        if child.tag not in known:
            expected = one_of(known.values(), _tag(child), angled) if known else "no elements"
            yield problem_at(
                child, f"<{_tag(child)}> is not allowed inside <{_tag(element)}>", expected=expected
            )
        elif seen[child.tag] == bounds[child.tag][1] + 1:
            yield problem_at(child, f"<{_tag(child)}> is given more than once")
    for name, shown in known.items():
        if seen[name] < bounds[name][0]:
            yield problem_at(element, f"<{shown}> is missing")


def _bounds(particle: Component) -> dict[str, tuple[int, float]]:
    """How often each child may stand in a content model, at least and at most."""
    most = float("inf") if particle.max_occurs is None else particle.max_occurs
    if not hasattr(particle, "model"):
        return {particle.name: (particle.min_occurs, 0 if particle.type.local_name == "error" else most)}
    inner = [_bounds(item) for item in particle]
    least_of, most_of = (min, max) if particle.model == "choice" else (sum, sum)
    bounds = {}
    for name in chain.from_iterable(inner):
        found = [each.get(name, (0, 0)) for each in inner]
        leasts, mosts = zip(*found, strict=True)
        bounds[name] = (least_of(leasts) * particle.min_occurs, most_of(mosts) * most)
    return bounds


# ---- words ----------------------------------------------------------------------------------------------------------


def _of_error(error: Component) -> Problem:
    """What the library says itself, where the element alone shows nothing wrong: broken rules, and the order."""
    element, child = error.elem, error.invalid_child
    expected = " or ".join(map(angled, dict.fromkeys(error.expected_tags))) or None
    if documentation := _documentation(error.validator):
        return problem_at(element, documentation)
    if child is not None:
        reason = f"<{_tag(child)}> stands in the wrong place inside <{_tag(element)}>"
        return problem_at(child, reason, expected=expected)
    reason = f"<{_tag(element)}> is incomplete" if expected else error.reason
    return problem_at(element, reason, expected=expected)


def _expected(kind: Component, value: str) -> str:
    """What may stand where ``value`` does."""
    words = [word for part in getattr(kind, "member_types", [kind]) for word in part.enumeration or ()]
    return _documentation(kind) or one_of(words, value.strip(_BLANK))


def _documentation(component: Component) -> str:
    annotation = getattr(component, "annotation", None)
    return " ".join("".join(annotation.documentation[0].itertext()).split()) if annotation else ""


def _tag(element: Tree) -> str:
    return _printed(element.tag, element.nsmap.items())


def _printed(name: str, prefixes: Prefixes) -> str:
    """A name of lxml's as it stands in a document: ``{http://…}option`` is ``fs:option``."""
    qualified = etree.QName(name)
    prefix = next((prefix for prefix, uri in prefixes if uri == qualified.namespace), None)
    return f"{prefix}:{qualified.localname}" if prefix else qualified.localname
