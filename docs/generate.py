"""Writes docs/reference and schemas/*.schema.json from what the code declares, docs/pool-types.md from what the lab saw.

``--check`` only looks.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import libstorage as ls
from docs import pool_types
from docs.calls import CALLS
from libstorage import enums
from libstorage.enums.base import Flags, Number, Words
from libstorage.known_faults import KNOWN_FAULTS, KnownFault
from libstorage.operations import OPERATIONS, AfterUnknown, Operation
from libstorage.xml.document import Document, Element

FOLDER = Path(__file__).resolve().parent / "reference"
SCENARIOS = FOLDER.parent.parent / "tests" / "lab" / "scenarios" / "scenarios.toml"
NOTICE = "<!-- Written by docs/generate.py from the code. Change the code, then run it again. -->"

_IN_PYTHON = {
    "yes/no": "True or False",
    "on/off": "True or False",
    "mode": "a mode such as `0o640`, or octal text",
    "size": 'a size: bytes, or text such as `"20 GiB"`',
    "uuid": "a UUID, as text or `uuid.UUID`",
}
"""What a constructor takes, where the document has something else."""

ROOTS: dict[str, tuple[type[Document], ...]] = {
    "Pools": (ls.PoolSpec,),
    "Volumes": (ls.VolumeSpec,),
    "Secrets": (ls.SecretSpec,),
    "What a host can do": (ls.PoolCapabilities,),
    "Discovery of sources": (ls.SourceQuery, ls.PoolSources),
}


def fields_page() -> Iterator[str]:
    """Every field of every document."""
    yield from (
        "# Fields of the documents",
        "",
        "Every field that libstorage reads and writes, by class, in the order in which libvirt prints them.",
        "**Bold** fields are required. Only libvirt fills in *reported* fields: `to_xml()` leaves them out, and",
        "`to_xml(reported=True)` writes them. libvirt accepts *write-only* fields and never reports them.",
        "A path such as `host/@name` is relative to the element of the class; `…` stands for one or more.",
        "Python prints the same tables: `print(ls.describe(ls.VolumeSpec))`.",
    )
    seen: set[type[Element]] = set()
    for title, roots in ROOTS.items():
        yield from ("", f"## {title}")
        for root in roots:
            for model in _with_parts(root, seen):
                yield from _model(model)


def _with_parts(model: type[Element], seen: set[type[Element]]) -> Iterator[type[Element]]:
    """A model and the models that its fields are made of, each of them once."""
    if model in seen:
        return
    seen.add(model)
    yield model
    for field in ls.describe(model).fields:
        for part in field.models:
            yield from _with_parts(part, seen)


def _model(model: type[Element]) -> Iterator[str]:
    described = ls.describe(model)
    yield from ("", f"### {model.__name__}", "", _prose(described.doc))
    yield from _surroundings(model)
    fields = [field for field in described.fields if field.path]
    if fields:
        rows = ((_name(f), _code(f.path + "…" * f.many), _takes(f), _cell(f.doc)) for f in fields)
        yield from ("", *_table(("field", "in XML", "takes", "meaning"), rows))
    if any(field.name == "unknown" for field in described.fields):
        yield from ("", "Whatever else the document has is kept in `unknown`.")


def _surroundings(model: type[Element]) -> Iterator[str]:
    """What a pool may have beside this source."""
    presence, allows = getattr(model, "target", None), getattr(model, "allows", ())
    if isinstance(presence, ls.Presence):
        beside = ", ".join(map(_code, sorted(allows)))
        yield from ("", f"The pool's `target` is {presence}; it may also have {beside}.")


def _name(field: ls.FieldDescription) -> str:
    name = f"**`{field.name}`**" if field.required else f"`{field.name}`"
    mark = "reported" if field.reported else "write-only" if field.write_only else ""
    return f"{name} *{mark}*" if mark else name


def _takes(field: ls.FieldDescription) -> str:
    if field.words is not None:
        return f"[{field.words.__name__}](enums.md#{_anchor(field.words.__name__)})"
    if field.models:
        return " or ".join(f"[{model.__name__}](#{_anchor(model.__name__)})" for model in field.models)
    return _IN_PYTHON.get(field.kind) or _cell(field.expected)


def enums_page() -> Iterator[str]:
    """Every enum with its members."""
    yield from (
        "# Enums",
        "",
        "Numbers and flags are named after libvirt's C enums and have the same values. Each member knows its",
        '`.since`, its `.constant` (`"VIR_STORAGE_POOL_RUNNING"`) and its docstring. A number that this version of',
        "libstorage does not know becomes a member without a name.",
        "Words are the vocabularies of libvirt's documents. They are strings.",
    )
    for title, kind in {"Numbers": Number, "Flags": Flags, "Words": Words}.items():
        yield from ("", f"## {title}")
        for enum in map(vars(enums).__getitem__, enums.__all__):
            if issubclass(enum, kind) and enum is not kind:
                yield from ("", f"### {enum.__name__}", "", _prose(enum.__doc__), "")
                yield from _members(enum)


def _members(enum: type[Number | Flags | Words]) -> Iterator[str]:
    members = enum.__members__.values()  # with those of value 0, which iteration over flags leaves out
    if issubclass(enum, Words):
        yield from _table(
            ("member", "word", "meaning"),
            ((_code(member.name), _code(str(member.value)), _cell(member.__doc__)) for member in members),
        )
    else:
        rows = (
            (_code(m.name), str(m.value), getattr(m, "since", None) or "", _cell(m.__doc__)) for m in members
        )
        yield from _table(("member", "value", "since", "meaning"), rows)


def operations_page() -> Iterator[str]:
    """Every kind of call to a daemon."""
    yield from (
        "# Operations",
        "",
        "Every kind of call that libstorage makes to a daemon. `error.operation` is one of these names.",
        "*Destructive* operations can destroy data. *Long* ones take as long as the storage needs, *streams* as long as",
        "data flows. The last column says what to do when `error.outcome` is `unknown`.",
        "",
        "*Calls* is the number of calls to the daemon that a verb makes: the first time that its lane sees the thing, and",
        "later. `pools` and `volumes` stand for the numbers of running pools and of volumes, and `opening` for the calls that",
        "open one more connection. A test counts them on the wire of a real daemon. If a full disk would crash the daemon",
        "(libvirt 10.1 to 12.6), an upload makes at least seven more calls, which ask for free space.",
        "",
    )
    headers = ("operation", "functions of libvirt", "effect", "duration", "calls", "after an unknown outcome")
    yield from _table(headers, map(_operation, OPERATIONS.values()))
    yield from ("", "## After an unknown outcome", "")
    yield from _table(("rule", "what to do"), ((_code(rule), _cell(doc)) for rule, doc in _rules()))


def _operation(operation: Operation) -> tuple[str, ...]:
    effect = f"{operation.effect}, **destructive**" if operation.destructive else str(operation.effect)
    functions = ", ".join(map(_code, operation.functions))
    return (
        _code(operation.name),
        functions,
        effect,
        str(operation.duration),
        _calls(operation),
        _code(operation.after_unknown),
    )


def _calls(operation: Operation) -> str:
    """The calls of each verb that is about an operation, first and later."""
    costs = ((verb, cost) for verb, cost in CALLS.items() if cost.operation == operation.name)
    return "<br>".join(
        f"`{verb}`: {cost.first}" + ("" if cost.first == cost.later else f", later {cost.later}")
        for verb, cost in costs
    )


def _rules() -> Iterator[tuple[str, str]]:
    """The rules with the strings below them in the source, which are their documentation."""
    source = Path(sys.modules[AfterUnknown.__module__].__file__ or "").read_text("utf-8")
    for rule in AfterUnknown:
        match = re.search(rf'^    {rule.name} = .*\n    """(.*)"""$', source, re.MULTILINE)
        assert match is not None, f"{rule.name} is not documented"
        yield rule.value, match[1]


def normalisations_page() -> Iterator[str]:
    """Every change that libvirt makes itself."""
    yield from (
        "# Normalisations",
        "",
        "The changes that libvirt itself makes to a document that it accepts. `have.differences(want)` ignores them",
        "(`ls.tables.NORMALISATIONS`). A regular expression over the dotted name selects the fields. Each row is tested with a real",
        "daemon. Spellings need no row, because a document holds values: mode 770 is 0770, and 1 KiB is 1024 bytes.",
        "",
    )
    rows = ((_cell(n.name), _code(n.fields), _cell(n.reason)) for n in ls.tables.NORMALISATIONS)
    yield from _table(("name", "fields", "why it is no difference"), rows)


WRONG_DOCUMENTS = FOLDER.parents[1] / "tests" / "unit" / "xml" / "wrong_documents.txt"


def messages_page() -> Iterator[str]:
    """Wrong documents with what is said of them."""
    yield from (
        "# Messages",
        "",
        "Invalid documents `x`, with the messages that each of them causes. `ls.validate(x)` checks against the XSD 1.1",
        'schemas of libstorage, and `ls.validate(x, "rng")` against those of libvirt. `from_xml(x)` is the method of',
        "`ls.PoolSpec`, `ls.VolumeSpec` and so on. It keeps parts that it does not know without an error;",
        "`from_xml(x).check()` reports them. If several of them say the same, the message is shown once. If one is not named,",
        "it accepts the document.",
        "",
        "Each line is `str(problem)` of one `ls.Problem` in `error.problems`: the path, the line, what was found, what is",
        "wrong, and what was expected. The fields of the problem hold the same. For constructors and `check()`, the names of",
        "the fields in Python take the place of the path in XML.",
    )
    for title, (document, messages) in wrong_documents().items():
        yield from ("", f"## {title[0].upper()}{title[1:]}", "", "```xml", document, "```")
        for judges, lines in messages.items():
            yield from ("", " · ".join(map(_code, judges)), "", "```text", *lines, "```")


def wrong_documents() -> dict[str, tuple[str, dict[tuple[str, ...], list[str]]]]:
    """By title: the document, and the messages by those who give them."""
    parts = f"\n{WRONG_DOCUMENTS.read_text('utf-8')}".split("\n# ")[1:]
    found = {}
    for part in parts:
        head, *said = part.rstrip("\n").split("\n\n")
        title, _, document = head.partition("\n")
        blocks = [block.split("\n") for block in said]
        messages = {tuple(judges.rstrip(":").split(" | ")): lines for judges, *lines in blocks}
        found[title] = document, messages
    return found


def latitude_page() -> Iterator[str]:
    """Where reading and libvirt's schema do not agree."""
    yield from (
        "# Where reading and libvirt's schema differ",
        "",
        "`from_xml(text, strict=True)` accepts what libvirt's newest schema accepts. `from_xml(text)` also accepts what libvirt",
        "itself accepts or writes. Each row is tested with a real daemon, or with libvirt's test driver.",
        "",
        "## What strict reading refuses although the schema accepts it",
        "",
        "Values that no libvirt can hold (`ls.tables.STRICT_LIMITS`), and nothing else. A test shows that for documents of every kind.",
        "A text that is longer than 4 MiB or has a DOCTYPE is always refused.",
        "",
    )
    limits = ((_cell(row.name), _code(row.document), _cell(row.reason)) for row in ls.tables.STRICT_LIMITS)
    yield from _table(("what", "example", "why"), limits)
    yield from (
        "",
        "## What an older libvirt refuses although the schemas of libstorage accept it",
        "",
        "libstorage's schemas follow libvirt's newest ones, which are those of 11.3 and 12.8 for all that concerns storage",
        '(`ls.tables.NEWER`). `ls.validate(text, against="rng")` asks the schema of this machine, and says what it is too old for.',
        "",
    )
    newer = (
        (_cell(row.name), _code(row.document), row.since, "yes" if row.taken else "no", _cell(row.reason))
        for row in ls.tables.NEWER
    )
    yield from _table(("what", "example", "the schema since", "older daemons take it", "why"), newer)
    yield from (
        "",
        "## What libvirt takes although its schema refuses it",
        "",
        "`from_xml(text)` reads these (`ls.tables.LENIENCIES`); constructors and `check()` do not count all of them as sound.",
        "",
    )
    rows = (
        (_cell(row.name), _code(row.document), "yes" if row.written else "no", _cell(row.reason))
        for row in ls.tables.LENIENCIES
    )
    yield from _table(("what", "example", "libvirt writes it", "why"), rows)


def known_faults_page() -> Iterator[str]:
    """Known faults of libvirt by version."""
    yield from (
        "# Known faults of libvirt",
        "",
        "Faults of libvirt that users of storage meet, the versions that have them, and what libstorage does about each. If",
        "that depends on the version, the code reads this table, `ls.tables.KNOWN_FAULTS`. The worst come first.",
        "",
    )
    rows = (
        (
            _cell(row.name),
            f"{row.side}, {_versions(row)}",
            _cell(row.what),
            _cell(row.measured),
            _cell(row.measure),
        )
        for row in KNOWN_FAULTS
    )
    yield from _table(("fault", "versions", "what happens", "seen", "what libstorage does"), rows)


def _versions(row: KnownFault) -> str:
    since, until = (
        number and f"{number // 1_000_000}.{number // 1000 % 1000}" for number in (row.since, row.until)
    )
    if not until:
        return f"{since} and later" if since else "all"
    return f"{since} to before {until}" if since else f"before {until}"


def scenarios_page() -> Iterator[str]:
    """Which of libvirt's acceptance scenarios is which test."""
    yield from (
        "# libvirt's acceptance scenarios",
        "",
        "libvirt's own acceptance suites define what storage must be able to do. `make lab` runs their scenarios through",
        "libstorage (`tests/lab/scenarios`), on real storage: a directory and a file system on a loop device of the machine",
        "that runs the tests, and a volume group and a disk of a guest with a full kernel. Scenarios that need files run on the",
        "first two only.",
        "",
        "## The storage scripts of libvirt-tck",
        "",
    )
    table = tomllib.loads(SCENARIOS.read_text("utf-8"))
    yield from _table(("script", "what it is about", "test"), map(_scenario, table["script"]))
    yield from ("", "## Pools and volumes in tp-libvirt", "")
    yield from _table(("scenario", "what it is about", "test"), map(_scenario, table["scenario"]))
    yield from (
        "",
        "## Faults of the daemon, and what libstorage does about them",
        "",
        "Seen with libvirt 9.0.0, each of them by the test that is named. A daemon without the fault never shows the error.",
        "",
    )
    yield from _table(("what libvirt does", "what libstorage does", "test"), map(_scenario, table["fault"]))


def _scenario(row: dict[str, Any]) -> tuple[str, ...]:
    tests = [_code(name) for name in row.get("tests", ())]
    return (
        row.get("number") or row["name"],
        _cell(row["intent"]),
        "<br>".join([*tests, *filter(None, [row.get("instead")])]),
    )


# ---- Markdown -------------------------------------------------------------------------------------------------------


def _table(headers: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    headers = tuple(headers)
    yield f"| {' | '.join(headers)} |"
    yield f"|{'---|' * len(headers)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"


def _code(text: str | None) -> str:
    return f"`{_cell(text)}`"


def _cell(text: str | None) -> str:
    return _prose(text).replace("\n", " ").replace("|", "\\|")


def _prose(text: str | None) -> str:
    """A docstring as Markdown."""
    text = re.sub(r":\w+:`~?\.?([^`]+)`", r"`\1`", text or "").replace("``", "`")
    return re.sub(r"\n[ \t]+", "\n", text).strip()


def _anchor(title: str) -> str:
    return title.lower()


PAGES = {
    "fields.md": fields_page,
    "enums.md": enums_page,
    "operations.md": operations_page,
    "normalisations.md": normalisations_page,
    "messages.md": messages_page,
    "latitude.md": latitude_page,
    "known-faults.md": known_faults_page,
    "scenarios.md": scenarios_page,
    "../pool-types.md": pool_types.page,
}


SCHEMAS = FOLDER.parents[1] / "schemas"
SCHEMA_FILES: dict[str, type[Document]] = {
    f"{model.ROOT}.schema.json": model for model in (ls.PoolSpec, ls.VolumeSpec, ls.SecretSpec)
}


def schema_text(name: str) -> str:
    """What a file of JSON Schema must say."""
    return json.dumps(ls.json_schema(SCHEMA_FILES[name]), indent=2) + "\n"


def stale_schemas(folder: Path = SCHEMAS) -> list[str]:
    """The files of JSON Schema that do not say what the code says."""
    return [name for name in SCHEMA_FILES if not _says(folder / name, schema_text(name))]


def text_of(page: str) -> str:
    """What the page must say."""
    title, *rest = PAGES[page]()
    return "\n".join((title, "", NOTICE, *rest, ""))


def stale_pages(folder: Path = FOLDER) -> list[str]:
    """The pages that do not say what the code says."""
    return [page for page in PAGES if not _says(folder / page, text_of(page))]


def _says(path: Path, text: str) -> bool:
    return path.exists() and path.read_text("utf-8") == text


def main() -> int:
    """Write the pages, or check them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="only say which pages are out of date")
    stale = {FOLDER / page: text_of(page) for page in stale_pages()}
    stale |= {SCHEMAS / name: schema_text(name) for name in stale_schemas()}
    if parser.parse_args().check:
        for path in stale:
            print(f"{path.resolve()} is out of date: run make docs", file=sys.stderr)
        return 1 if stale else 0
    for path, text in stale.items():
        path.write_text(text, "utf-8")
        print(f"wrote {path.resolve()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
