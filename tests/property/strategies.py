"""Strategies for every model, made from nothing but its description.

What depends on several fields at once is not in the description: an instance that its class refuses is mended, field by
field as the error says, until it is sound.
"""

from __future__ import annotations

from typing import Any, TypeVar, cast

from hypothesis import assume
from hypothesis import strategies as st

from libstorage.enums import VolumeType
from libstorage.errors import DocumentError
from libstorage.models.pool import PoolSpec
from libstorage.models.source_parts import ABSOLUTE_PATH, IQN
from libstorage.models.sources import SOURCES, NetfsSource, Presence, ZfsSource
from libstorage.models.volume import VolumeTarget
from libstorage.units import Size
from libstorage.xml.code import once_per_class
from libstorage.xml.describe import FieldDescription, describe
from libstorage.xml.document import Element
from libstorage.xml.kinds import string_problem

E = TypeVar("E", bound=Element)
Values = st.SearchStrategy[Any]

_MENDINGS = 12
_LARGEST = 2**63 - 1

texts = st.text(max_size=12).filter(lambda text: string_problem(text) is None)
"""Whatever XML can carry."""

sizes = st.one_of(
    st.integers(0, _LARGEST),
    st.builds(lambda power, less: (1 << power) - less, st.integers(1, 62), st.integers(0, 1)),
).map(Size)


def matching(pattern: str) -> Values:
    """Texts of one pattern, in which plain characters are as likely as odd ones."""
    plain = st.from_regex(pattern, fullmatch=True, alphabet=st.characters(codec="ascii"))
    odd = st.from_regex(pattern, fullmatch=True)
    return (plain | odd).filter(lambda text: string_problem(text) is None)


def within(limits: tuple[int, int]) -> Values:
    """Whole numbers, the bounds among them."""
    return st.sampled_from(limits) | st.integers(*limits)


KINDS: dict[str, Values] = {
    "text": texts,
    "size": sizes,
    "uuid": st.uuids().map(str),
    "yes/no": st.booleans(),
    "on/off": st.booleans(),
    "VolumeType": st.sampled_from([member for member in VolumeType if member is not VolumeType.PLOOP]),
}

# What the pattern alone would seldom hit.
OFTEN: dict[tuple[type[Element], str], Values] = {
    (VolumeTarget, "cluster_size"): st.integers(9, 21).map(lambda power: Size(1 << power)),
    (NetfsSource, "dir"): matching(cast("str", ABSOLUTE_PATH.pattern)),
}
# libvirt takes more, and its schema does not.
MOST: dict[tuple[type[Element], str], int] = {(ZfsSource, "devices"): 1}
OFTEN |= {
    (model, "device"): st.builds(
        next(field for field in describe(model).fields if field.name == "device").models[0],
        path=matching(cast("str", IQN.pattern)),
    )
    for model in SOURCES.models
    if model.type == "iscsi-direct"  # type: ignore[attr-defined]
}


def scalars(field: FieldDescription) -> Values:
    """Values of one kind."""
    if field.words is not None:
        return st.sampled_from(list(field.words))
    if field.pattern is not None:
        return matching(field.pattern)
    if field.limits is not None:
        return within(field.limits)
    return KINDS[field.kind]


def values(model: type[Element], field: FieldDescription) -> Values:
    """Values that the field takes, as far as the field alone says."""
    if field.shape == "flag":
        return st.booleans()
    if field.shape == "unknown":
        return st.just(())
    one = st.one_of([elements(inner) for inner in field.models]) if field.models else scalars(field)
    if (model, field.name) in OFTEN:
        one = OFTEN[model, field.name] | one
    return (
        st.lists(one, min_size=field.required, max_size=MOST.get((model, field.name), 3)).map(tuple)
        if field.many
        else one
    )


@once_per_class
def elements(model: type[E]) -> st.SearchStrategy[E]:
    """Sound instances of a model."""
    return instances(model)


def instances(model: type[E], **own: Values) -> st.SearchStrategy[E]:
    """Sound instances of a model, with strategies of one's own for some of its fields."""
    fields = {
        field.name: (field, own[field.name] if field.name in own else values(model, field))
        for field in describe(model).fields
    }

    @st.composite
    def instance(draw: st.DrawFn) -> E:
        given = {
            name: draw(strategy)
            for name, (field, strategy) in fields.items()
            if field.required or draw(st.booleans())
        }
        return _mended(draw, model, fields, given)

    return instance()


def _mended(
    draw: st.DrawFn, model: type[E], fields: dict[str, tuple[FieldDescription, Values]], given: dict[str, Any]
) -> E:
    for _ in range(_MENDINGS):
        try:
            return model(**given)
        except DocumentError as error:
            for name in {problem.path.split(".")[1] for problem in error.problems}:
                field, strategy = fields[name]
                if name in given and not field.required and not field.many:
                    del given[name]
                else:
                    given[name] = draw(strategy)
    assume(False)
    raise AssertionError


def pools(source: type[Element], **own: Values) -> st.SearchStrategy[PoolSpec]:
    """Sound pools of one type, with strategies of one's own for some of their fields."""
    fields = {
        field.name: (field, own[field.name] if field.name in own else values(PoolSpec, field))
        for field in describe(PoolSpec).fields
    }
    fields["source"] = (fields["source"][0], elements(source))
    allowed = source.allows | {"uuid", "capacity", "allocation", "available"}  # type: ignore[attr-defined]
    presence: Presence = source.target  # type: ignore[attr-defined]

    @st.composite
    def instance(draw: st.DrawFn) -> PoolSpec:
        wanted = {"name", "source"} | {name for name in sorted(allowed) if draw(st.booleans())}
        if presence is Presence.REQUIRED or (presence is Presence.OPTIONAL and draw(st.booleans())):
            wanted.add("target")
        given = {name: draw(strategy) for name, (_, strategy) in fields.items() if name in wanted}
        return _mended(draw, PoolSpec, fields, given)

    return instance()
