"""Values of the datatypes of libvirt's schemas, at their limits and, when chance goes astray, just beyond them."""

from __future__ import annotations

import re

from lxml import etree

from tests.contract.rng import _RNG as RNG
from tests.judges.chance import Chance
from tests.judges.patterns import ANY, texts_of

_INSIDE_ASTRAY = 0.1
"""How often a part of a text goes astray, once the text as a whole has."""

_LIMITS = {
    "int": (-(2**31), 2**31 - 1),
    "unsignedInt": (0, 2**32 - 1),
    "unsignedLong": (0, 2**64 - 1),
    "positiveInteger": (1, 2**70),
}
_NOT_NUMBERS = ("", " ", "ten", "1.0", "1e3", "0x1", "٣", "+-1", "1 2", "-", "+", "\u00a05")
_URI_PARTS = (
    *("/", "//", ":", "?", "#", "[", "]", "@", "%", "%20", "%zz", "a", "b.c", "é", " ", "\u00a0", "<"),
    *(
        "http:",
        "rbd:pool/image",
        "//host:80",
        ":0",
        ":2147483647",
        ":2147483648",
        "[::1]",
        "u:p@",
        "1a:",
        "\n",
        "\\",
    ),
)


def text(chance: Chance) -> str:
    """Any text."""
    if chance.often(0.4):
        return "".join(chance.choice(ANY) for _ in range(chance.randint(0, 6)))
    return chance.choice(("", " ", "a", "name", "/a b", "..", "5", "a\nb"))


def word(chance: Chance, value: str) -> str:
    """A word of a list, with blanks around it, which do not matter."""
    if chance.astray():
        return chance.choice(
            ("", " ", value[:-1], value + "x", value.upper(), f"{value} {value}", f"\u00a0{value}")
        )
    return chance.choice((value, value, value, f" {value}", f"{value}\n", f"\t{value} "))


def data(chance: Chance, node: etree._Element) -> str:
    """A value of a ``<data>`` pattern."""
    kind = str(node.get("type"))
    params = {str(param.get("name")): param.text or "" for param in node.iter(f"{RNG}param")}
    if kind == "anyURI":
        return "".join(chance.choice(_URI_PARTS) for _ in range(chance.randint(0, 5)))
    if kind in _LIMITS and ("pattern" not in params or chance.often(0.5)):
        number = _number(chance, kind, params)
        if chance.rate or re.fullmatch(params.get("pattern", ".*"), number, re.DOTALL):
            return number
    if chance.astray():
        excepted = [value.text or "" for value in node.iter(f"{RNG}value")]
        if excepted and chance.often(0.5):
            return word(chance, chance.choice(excepted))
        with chance.at_rate(_INSIDE_ASTRAY):
            return texts_of(params["pattern"])(chance)
    with chance.at_rate(0):
        return texts_of(params["pattern"])(chance)


def _number(chance: Chance, kind: str, params: dict[str, str]) -> str:
    least, most = _LIMITS[kind]
    least, most = int(params.get("minInclusive", least)), int(params.get("maxInclusive", most))
    if chance.astray():
        return chance.choice((str(least - 1), str(most + 1), *_NOT_NUMBERS))
    small, any_size = chance.randint(least, min(most, least + 300)), chance.randint(least, most)
    number = chance.choice((small, small, small, small, least, most, any_size))
    digits = chance.choice(("", "", "0", "000")) + str(abs(number))
    sign = "-" if number < 0 else "" if "pattern" in params else chance.choice(("", "", "+"))
    blanks = "" if "pattern" in params else chance.choice(("", "", "", " ", "\n"))
    return f"{blanks}{sign}{digits}{blanks}"
