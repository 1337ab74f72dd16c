"""What the docstrings and messages of libstorage say: their texts, and how often they use phrases that we drop.

``python -m tests.contract.prose`` prints the counts of today, in the form of ``CEILINGS`` in test_prose.py.
"""

from __future__ import annotations

import ast
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import attrs

from tests.support import CHECKOUT

LIBRARY = CHECKOUT / "libstorage"

# The name of a phrase, and the pattern that finds it in a text whose white space is single blanks.
PHRASES = {
    "so many": r"\bso (?:many|much)\b",
    "anew": r"\banew\b",
    "is had": r"\b(?:is|are|be) had\b",
    "is at": r"\b(?:is|are) at (?!most\b|least\b)",
    "nobody": r"\bnobody\b",
    "somebody": r"\b(?:somebody|someone)\b",
    "who": r"\b(?:who|whoever)\b",
    "what is there": r"\bwhat (?:is|was|are) there\b|\bwhat there (?:is|was|are)\b",
    "of ours": r"\bof (?:ours|theirs)\b",
    "told": r"\b(?:tell|tells|told)\b",
    "is no": r"\b(?:is|are|was) no (?!longer\b|more\b)\w",
    "there is none": r"\bthere (?:is|are|was) none\b",
    "It is.": r"^It (?:is|does|has|can)\.$",
    "a condition without if": r"\b(?:Raises:|[.!?]) \w+(?:Error|Bytes|Stopped): (?!If |As |Whatever |Always)",
    "a Sphinx role": r"(?<!\w):[a-z]+:`",
    "two blanks after a full stop": r"[a-z`)]\.  +[A-Z`]",
}


@attrs.frozen
class Text:
    """A docstring, or a string that is none.

    Attributes:
        module: The file, from the root of the library.
        line: Where it begins.
        owner: The dotted name of what it documents; ``None`` if it is not a docstring.
        text: The text.
    """

    module: str
    line: int
    owner: str | None
    text: str


def texts(folder: Path = LIBRARY) -> Iterator[Text]:
    """Yield every docstring, also of attributes, and every other string of the sources below a folder."""
    for path in sorted(folder.rglob("*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        module = str(path.relative_to(folder))
        documented = dict(_docstrings(tree, ""))
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield Text(module, node.lineno, documented.get(node), node.value)


def _docstrings(node: ast.AST, owner: str) -> Iterator[tuple[ast.Constant, str]]:
    """Yield the strings that stand alone in a body: the first documents the body, others the assignment above."""
    body: object = getattr(node, "body", None)
    last = owner
    for statement in body if isinstance(body, list) else []:  # a lambda's is an expression
        match statement:
            case ast.Expr(value=ast.Constant(value=str()) as constant):
                yield constant, last
            case ast.AnnAssign(target=ast.Name(id=name)) | ast.Assign(targets=[ast.Name(id=name)]):
                last = f"{owner}.{name}".lstrip(".")
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield from _docstrings(statement, f"{owner}.{name}".lstrip("."))
            case _:
                yield from _docstrings(statement, owner)


def found(folder: Path = LIBRARY) -> Iterator[tuple[str, Text]]:
    """Yield each phrase that the library uses, with the text that uses it, as often as it does."""
    yield from found_in(texts(folder))


def found_in(texts: Iterable[Text]) -> Iterator[tuple[str, Text]]:
    """Yield each phrase that is used, with the text that uses it, as often as it does."""
    for text in texts:
        flat = re.sub(r"\s*\n\s*", " ", text.text.strip())
        for phrase, pattern in PHRASES.items():
            for _ in re.finditer(pattern, flat, 0 if phrase == "It is." else re.IGNORECASE):
                yield phrase, text


def page_texts() -> Iterator[Text]:
    """Yield the pages that people write, without code, and without the list of changes."""
    for page in sorted(
        (*CHECKOUT.glob("*.md"), *CHECKOUT.glob("docs/**/*.md"), *CHECKOUT.glob("tests/*.md"))
    ):
        text = page.read_text("utf-8")
        if page.name != "CHANGELOG.md" and "<!-- Written by" not in text:
            prose = re.sub(r"^```.*?^```$|`[^`]*`", "x", text, flags=re.MULTILINE | re.DOTALL)
            yield Text(str(page.relative_to(CHECKOUT)), 1, None, prose)


def counts(folder: Path = LIBRARY) -> Counter[str]:
    """Return how often each phrase is used."""
    return Counter(phrase for phrase, _ in found(folder))


if __name__ == "__main__":
    today = counts()
    sys.stdout.writelines(f'    "{phrase}": {today[phrase]},\n' for phrase in PHRASES)
