"""Faults planted in our schemas: every change of one line that the text of a schema invites."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from attrs import frozen

from tests.support import CHECKOUT

SCHEMAS = CHECKOUT / "schemas"
FILES = ("common.xsd", "pool.xsd", "pool-fs.xsd", "pool-rbd.xsd", "volume.xsd", "capabilities.xsd")


@frozen
class Fault:
    """One changed line of one schema file, inside the named component."""

    file: str
    line: int
    component: str
    what: str
    before: str
    after: str

    @property
    def key(self) -> str:
        """What it changes, wherever the line may stand."""
        return f"{self.component}: {self.what}: {self.before.strip()}"

    def text(self) -> str:
        """The file with the fault in it."""
        lines = (SCHEMAS / self.file).read_text().splitlines()
        lines[self.line - 1] = self.after
        return "\n".join(lines)


Change = Callable[[re.Match[str]], str]


def _number(step: int) -> Change:
    return lambda found: found[1] + str(int(found[2]) + step) + found[3]


def _instead(text: str) -> Change:
    return lambda found: found.expand(text)


_BOUND = r'(Inclusive value="|\$value\) le )(-?\d+)(")'
_ELEMENT = r'^( {4,}<xs:element name="(?!nothing)(?:(?! {0}=)[^>])*?)(/?>)$'
_WITHOUT = {name: _ELEMENT.replace("{0}", name) for name in ("minOccurs", "maxOccurs")}
_OPERATORS: dict[str, tuple[str, Change]] = {
    "no longer required": (r' use="required"', _instead("")),
    "required": (r'(<xs:attribute name="(?:(?! use=)[^>])*)(/>)', _instead(r'\1 use="required"\2')),
    "must be there": (r' minOccurs="0"', _instead("")),
    "may be missing": (_WITHOUT["minOccurs"], _instead(r'\1 minOccurs="0"\2')),
    "only once": (r' maxOccurs="unbounded"', _instead("")),
    "twice": (_WITHOUT["maxOccurs"], _instead(r'\1 maxOccurs="2"\2')),
    "no such word": (r' *<xs:enumeration value="[^"]*"/>', _instead("")),
    "another word": (r'(<xs:enumeration value="[^"]*)', _instead(r"\1x")),
    "bound + 1": (_BOUND, _number(1)),
    "bound - 1": (_BOUND, _number(-1)),
    "no such pattern": (r' *<xs:pattern value="[^"]*"/>', _instead("")),
    "no rule": (r'(<xs:assert test=")[^"]*', _instead(r"\1true()")),
    "not chosen": (r' *<xs:alternative test="[^"]*" +type="[^"]*"/>', _instead("")),
    "no group": (r' *<xs:group ref="(?!nothing)[^"]*"/>', _instead("")),
    "group with elements": (r'<xs:group ref="nothing"/>', _instead('<xs:sequence><xs:any minOccurs="0" processContents="skip"/></xs:sequence>')),
    "first member gone": (r'memberTypes="\S+ ', _instead('memberTypes="')),
    "last member gone": (r'(memberTypes="[^"]*) \S+"', _instead(r'\1"')),
    "any text": (r'((?:base|type)=")(?:xs:(?!string)\w+|Integer|YesNo|OnOff|Uuid|UnsignedInt|UnsignedLong|SizeUnit|[A-Z]\w*(?:Name|Path|Uri|Id)|Mode|Port|Owner|Timestamp|Compat|SecretType|AuthType)"', _instead(r'\1xs:string"')),
}  # fmt: skip
_INSIDE_PATTERNS: dict[str, tuple[str, Change]] = {
    "one more": (r"\{((?:\d+,)?)(\d+)(\})", lambda f: "{" + f"{f[1]}{int(f[2]) + 1}" + "}" if f[1] else "{" + f"{f[2]},{int(f[2]) + 1}" + "}"),
    "one less": (r"\{(\d+)(?=[,}])", lambda f: "{" + str(int(f[1]) - 1)) ,
    "or none": (r"(?<=[\])])\+", _instead("*")),
    "at least one": (r"(?<=[\]).])\*", _instead("+")),
    "not optional": (r"(?<=[\])])\?", _instead("")),
    "a character more": (r"-9(?=[^0-9])|-f(?=\W)|-F(?=\W)|-7(?=\])", lambda f: {"-9": "-:", "-f": "-g", "-F": "-G", "-7": "-8"}[f[0]]),
    "a character less": (r"-9(?=[^0-9])|-f(?=\W)|-F(?=\W)|-7(?=\])|-z|-Z", lambda f: f"-{chr(ord(f[0][1]) - 1)}"),
    "a first one more": (r"(?<=[\[A-Za-z9])0-|(?<=\[)1-", lambda f: "/-" if f[0] == "0-" else "0-"),
}  # fmt: skip


def faults() -> Iterator[Fault]:
    """Every fault, in the order of the files and their lines."""
    for file in FILES:
        component, commented = "", False
        for number, line in enumerate((SCHEMAS / file).read_text().splitlines(), 1):
            if named := re.match(r'  <(?:xs:\w+ name|!ENTITY) ?=?"?(\w+)', line):
                component = named[1]
            commented |= "<!--" in line and "<!ENTITY" not in line
            if not commented and "<?xml" not in line:
                for what, after in _changes(line):
                    yield Fault(file, number, component, what, line, after)
            commented &= "-->" not in line


def _changes(line: str) -> Iterator[tuple[str, str]]:
    for what, (pattern, change) in _OPERATORS.items():
        if (after := re.sub(pattern, change, line, count=1)) != line:
            yield what, after
    if "<!ENTITY" in line or "<xs:pattern" in line:
        for what, (pattern, change) in _INSIDE_PATTERNS.items():
            for number, found in enumerate(re.finditer(pattern, line), 1):
                yield f"{what} ({number})", line[: found.start()] + change(found) + line[found.end() :]
