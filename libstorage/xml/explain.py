"""Explanations of why a document is refused, for the author of the document.

The XSD library decides. Its messages describe the schema rather than the document, so this module examines a refused
element again, together with its declaration. The wording comes from the documentation inside the schema.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, islice
from typing import Any, TypeAlias, cast

from libstorage.errors import Problem
from libstorage.xml.tree import Tree
from libstorage.xml.wording import (
    BLANK,
    Wrong,
    angled,
    element_in_value,
    given_again,
    missing_attribute,
    missing_element,
    no_attribute,
    not_allowed,
    not_valid,
    one_of,
    printed_name,
    problem_at,
    stray_texts,
    tag_of,
)

Component: TypeAlias = Any
"""A part of a schema. The library's own types are for ``xml.etree`` elements, and these are lxml elements."""

Attributes: TypeAlias = Mapping[str | None, Component]
MOST_PROBLEMS = 100
_MOST_EXAMINED = 1000


def explain(
    schema: Component, root: Tree, refusal: Component, declared: dict[Tree, Component]
) -> list[Problem]:
    """Return the problems of a document that ``schema`` refused, in document order; at least one.

    Args:
        schema: The ``XMLSchema11``.
        root: The document.
        refusal: The first ``XMLSchemaValidationError``.
        declared: The declarations of the elements up to that error.
    """
    errors = [refusal]
    # The library's work for each error grows with its parent: a large document is only asked for its first error.
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


# ---- one element beside its declaration -----------------------------------------------------------------------------


def _of_element(element: Tree, declared: Component) -> list[Problem]:
    kind = declared.get_alternative_type(element)
    problems = list(islice(_of_attributes(element, declared.get_attributes(kind)), MOST_PROBLEMS))
    # The attribute that selects the type may have selected the wrong one; then nothing more is known.
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
            expected = one_of(known, name, repr) if known else "no attributes"
            yield problem_at(element, no_attribute(element, name, expected), name)
    for name in known:
        if declared[name].use == "required" and name not in element.attrib:
            yield problem_at(element, missing_attribute(name, _expected(declared[name].type)))


def _of_text(element: Tree, kind: Component) -> Iterator[Problem]:
    if len(element):
        yield from (problem_at(child, element_in_value(child)) for child in element)
    else:
        yield from _of_value(element, element.text or "", kind)


def _of_value(element: Tree, value: str, kind: Component, attribute: str | None = None) -> Iterator[Problem]:
    if not kind.is_valid(value):
        yield problem_at(element, not_valid(value, _expected(kind, value)), attribute)


def _of_children(element: Tree, model: Component) -> Iterator[Problem]:
    yield from (problem_at(element, wrong) for wrong in stray_texts(element))
    bounds = _bounds(model)
    prefixes = [*element.nsmap.items(), *model.namespaces.items()]
    known = {name: printed_name(name, prefixes) for name, (_, most) in bounds.items() if most}
    seen: Counter[str] = Counter()
    for child in element:
        seen[child.tag] += 1
        if child.tag not in known:
            yield problem_at(child, not_allowed(child, known))
        elif seen[child.tag] > bounds[child.tag][1]:
            yield problem_at(child, given_again(child))
    for name, shown in known.items():
        if seen[name] < bounds[name][0]:
            yield problem_at(element, missing_element(shown))


def _bounds(particle: Component) -> dict[str, tuple[int, float]]:
    """Return how often each child may occur in a content model, at least and at most."""
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
    """Return the library's own finding if the element alone shows no problem: broken rules, and the order."""
    element, child = error.elem, error.invalid_child
    expected = " or ".join(map(angled, dict.fromkeys(error.expected_tags))) or None
    if documentation := _documentation(error.validator):
        return problem_at(element, Wrong(documentation))
    if child is not None:
        shown = angled(tag_of(child))
        reason = f"{shown} stands in the wrong place inside {angled(tag_of(element))}"
        return problem_at(child, Wrong(reason, shown, expected))
    reason = f"{angled(tag_of(element))} is incomplete" if expected else error.reason
    return problem_at(element, Wrong(reason, None, expected))


def _expected(kind: Component, value: str = "") -> str | None:
    """Return what the document may contain in place of ``value``."""
    if documentation := _documentation(kind):
        return documentation
    words = [word for part in getattr(kind, "member_types", [kind]) for word in part.enumeration or ()]
    return one_of(words, value.strip(BLANK)) if words else None


def _documentation(component: Component) -> str:
    annotation = getattr(component, "annotation", None)
    return " ".join("".join(annotation.documentation[0].itertext()).split()) if annotation else ""
