"""Documents that are meant to do harm, and what it costs to refuse them.

Run as a script it prints as JSON, for each attack and reader, what :func:`cost` says.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from libstorage.errors import DocumentError
from libstorage.xml.parse import parse
from libstorage.xml.schema import validate

LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
BLOW_UP = "<!DOCTYPE pool [<!ENTITY a '" + "a" * 50_000 + "'>]><pool>" + "&a;" * 50_000 + "</pool>"
XINCLUDE = "<xi:include xmlns:xi='http://www.w3.org/2001/XInclude' href='/etc/passwd' parse='text'/>"


def _nested(depth: int) -> str:
    return "<pool>" * depth + "</pool>" * depth


def _pool(content: str = "", attributes: str = "") -> str:
    return f"<pool type='dir'{attributes}><name>a</name><target><path>/a</path></target>{content}</pool>"


ATTACKS: Mapping[str, Callable[[], str | bytes]] = {
    "billion laughs": lambda: f'<!DOCTYPE pool [<!ENTITY l0 "ha">{LAUGHS}]><pool>&l9;</pool>',
    "quadratic blow-up": lambda: BLOW_UP,
    "external entity": lambda: '<!DOCTYPE pool [<!ENTITY x SYSTEM "file:///etc/passwd">]><pool>&x;</pool>',
    "external DTD": lambda: '<!DOCTYPE pool SYSTEM "http://127.0.0.1:1/x.dtd"><pool/>',
    "parameter entity": lambda: '<!DOCTYPE pool [<!ENTITY % x SYSTEM "file:///etc/passwd"> %x;]><pool/>',
    "DOCTYPE behind a comment": lambda: (
        '<!-- a --><?b c?>\n<!DOCTYPE pool [<!ENTITY x "y">]><pool>&x;</pool>'
    ),
    "small entity": lambda: '<!DOCTYPE pool [<!ENTITY x "y">]>' + _pool("&x;"),
    "unknown entity": lambda: _pool("&x;"),
    "depth 200": lambda: _nested(200),
    "depth 300": lambda: _nested(300),
    "depth 3,000": lambda: _nested(3_000),
    "depth 300,000": lambda: _nested(300_000),
    "depth 1,000,000": lambda: _nested(1_000_000),
    "long attribute": lambda: _pool(attributes=f" x='{'y' * 11_000_000}'"),
    "long text": lambda: _pool("x" * 11_000_000),
    "long name": lambda: _pool(f"<{'n' * 1_000_000}/>"),
    "99,000 attributes": lambda: _pool(attributes="".join(f" a{n}=''" for n in range(99_000))),
    "1,000,000 elements": lambda: _pool("<a/>" * 1_000_000),
    "99,000 elements": lambda: _pool("<a/>" * 99_000),
    "49,000 comments": lambda: _pool("<!--a--><b/>" * 49_000),
    "10,000 namespaces": lambda: _pool("<a/>", "".join(f" xmlns:a{n}='x{n}'" for n in range(10_000))),
    "10,000 nested namespaces": lambda: _pool("".join(f"<a{n}:a xmlns:a{n}='x{n}'/>" for n in range(10_000))),
    "XInclude": lambda: _pool(XINCLUDE),
    "xsi:type": lambda: _pool(attributes=" xmlns:x='http://www.w3.org/2001/XMLSchema-instance' x:type='a'"),
    "UTF-7": lambda: b'<?xml version="1.0" encoding="UTF-7"?>+ADw-pool/+AD4-',
    "UTF-16": lambda: _pool().encode("utf-16"),
    "UTF-32 without a mark": lambda: _pool().encode("utf-32-le"),
    "not UTF-8": lambda: _pool("é").encode("latin-1"),
    "NUL": lambda: _pool("\0"),
}


READERS: Mapping[str, Callable[[str | bytes], object]] = {
    "parse": parse,
    "xsd": lambda text: validate(text, "xsd"),
    "rng": lambda text: validate(text, "rng"),
}


def cost(document: str | bytes, read: Callable[[str | bytes], object]) -> tuple[float, float, str]:
    """Seconds of processor time, peak memory in MiB, and why the document was refused (or nothing)."""
    before = time.process_time()
    answer = ""
    try:
        read(document)
    except DocumentError as error:
        answer = str(error)
    return time.process_time() - before, _peak_memory(), answer


def _peak_memory() -> float:
    """In MiB; getrusage would count the memory of the process that started us, too."""
    status = Path("/proc/self/status").read_text("ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def main() -> None:
    for read in READERS.values():  # loading the schemas is not part of what an attack costs
        read(_pool())
    costs = {
        attack: {reader: cost(document(), read) for reader, read in READERS.items()}
        for attack, document in ATTACKS.items()
    }
    json.dump(costs, sys.stdout)


if __name__ == "__main__":
    main()
