"""Three verdicts on a document, and where they differ; libvirt's is that of every version whose schema there is.

libvirt's RELAX NG schema is asked directly here, so that a fault of ours cannot hide itself.  Two published exceptions
are where libxml2 does not say what the schema says: it refuses some orders of a pool's children, which stand in an
interleave and so in any order, and it lets groups of five digits pass in IPv6 addresses.

A schema that is too old for a part of a document must refuse it, and must say of the document's older forms what ours
says of the document.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from copy import deepcopy
from functools import cache

from attrs import frozen
from lxml import etree

from libstorage.errors import DocumentError
from libstorage.models.latitude import STRICT_LIMITS
from libstorage.xml.document import Document
from libstorage.xml.parse import parse
from libstorage.xml.schema import is_valid, validate
from tests.contract.rng import _RNG as RNG
from tests.contract.rng import Schemas, installed, newest, schema, versions
from tests.corpus.documents import MODELS
from tests.judges.older import older_forms
from tests.judges.walker import START


@frozen
class Opinion:
    """What one version of libvirt's schema says of a document, and of its older forms if it is too old for it."""

    schemas: Schemas
    accepts: bool
    too_old: bool
    older_forms: bool

    def agrees(self, xsd: bool) -> bool:
        return self.older_forms == xsd and self.accepts == (xsd and not self.too_old)

    def said(self) -> Iterator[tuple[str, bool]]:
        yield f"RNG {self.schemas}", self.accepts
        if self.too_old:
            yield f"RNG {self.schemas} of its older forms", self.older_forms


@frozen
class Verdicts:
    """Who accepts a document; ``model`` is the strict reader, ``excused`` whether its table says why it differs."""

    rng: tuple[Opinion, ...]
    xsd: bool
    model: bool
    excused: bool = False

    @property
    def valid(self) -> bool:
        """By the newest of libvirt's schemas."""
        return self.rng[-1].older_forms

    @property
    def too_new(self) -> bool:
        """For the oldest of libvirt's schemas."""
        return self.rng[0].too_old

    @property
    def agree(self) -> bool:
        return all(each.agrees(self.xsd) for each in self.rng) and (self.model == self.xsd or self.excused)

    def __str__(self) -> str:
        said = [*(each for opinion in self.rng for each in opinion.said())]
        return ", ".join(
            f"{name} {'accepts' if says else 'refuses'}"
            for name, says in (*said, ("XSD", self.xsd), ("strict model", self.model))
        )


def verdicts(kind: str, text: str) -> Verdicts:
    root = parse(text)
    rng, xsd = tuple(_opinion(kind, root, each) for each in versions()), is_valid(root)
    if not xsd:
        return Verdicts(rng, xsd, model=False)
    problem = _refusal(MODELS[kind], text)
    limits = {limit.problem for limit in STRICT_LIMITS}
    excused = problem is not None and {each.reason for each in problem.problems} <= limits
    return Verdicts(rng, xsd, problem is None, excused)


def _opinion(kind: str, root: etree._Element, schemas: Schemas) -> Opinion:
    accepts, too_old = _accepts(kind, root, schemas), schemas.lack(root)
    return Opinion(schemas, accepts, too_old, rng_accepts(kind, root, schemas) if too_old else accepts)


def _refusal(model: type[Document], text: str, *, strict: bool = False) -> DocumentError | None:
    try:
        model.from_xml(text, strict=strict)
    except DocumentError as error:
        return error
    return None


def contradictions(kind: str, text: str, found: Verdicts) -> Iterator[str]:
    """Where what users call says anything else: the verdicts above come from quicker ways to the same answer."""
    here = next(each.accepts for each in found.rng if each.schemas == installed())
    for against, says in (("xsd", found.xsd), ("rng", here)):
        try:
            validate(text, against=against)  # type: ignore[arg-type]
            accepted = True
        except DocumentError:
            accepted = False
        if not accepted == is_valid(text, against=against) == says:  # type: ignore[arg-type]
            yield f"validate(against={against!r}) {'accepts' if accepted else 'refuses'}"
    accepted = _refusal(MODELS[kind], text, strict=True) is None
    if accepted != (found.xsd and found.model):
        yield f"from_xml(strict=True) {'accepts' if accepted else 'refuses'}"


# ---- libvirt's schema, asked directly -------------------------------------------------------------------------------


@cache
def relaxng(kind: str, schemas: Schemas) -> etree.RelaxNG:
    return etree.RelaxNG(file=str(schemas.folder / START[kind][0]))


def rng_accepts(kind: str, root: etree._Element, schemas: Schemas | None = None) -> bool:
    """Whether a document is valid, by its older forms where the schema is too old for it; the newest if none is named."""
    judge = schemas or newest()
    return all(_accepts(kind, form, judge) for form in older_forms(root, judge.lacks))


def _accepts(kind: str, root: etree._Element, schemas: Schemas) -> bool:
    valid = relaxng(kind, schemas)
    accepted = valid(root) or (kind == "pool" and valid(_sorted(root)))
    return accepted and all(map(_is_address, _hosts(root)))


def _sorted(pool: etree._Element) -> etree._Element:
    """The same pool with its plain children by name, so that sizes stand together; the others keep their places."""
    ordered = deepcopy(pool)
    plain = iter(sorted((child for child in ordered if not child.tag.startswith("{")), key=lambda e: e.tag))
    ordered[:] = [child if child.tag.startswith("{") else next(plain) for child in ordered]
    return ordered


def _hosts(root: etree._Element) -> Iterator[str]:
    return (str(name) for host in root.iter("host") if ":" in (name := host.get("name", "")))


def _is_address(text: str) -> bool:
    return _ipv6().fullmatch(text) is not None


@cache
def _ipv6() -> re.Pattern[str]:
    (pattern,) = schema("basictypes.rng")["ipv6Addr"].iter(f"{RNG}param")
    return re.compile(str(pattern.text))
