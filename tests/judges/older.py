"""Older forms of a document that is too new for a schema: all of them are valid if and only if the document is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy

from lxml import etree

from libstorage.xml.newer import Newer
from libstorage.xml.parse import parse
from libstorage.xml.schema import is_valid
from tests.contract.rng import installed


def older_forms(root: etree._Element, lacks: Sequence[Newer]) -> list[etree._Element]:
    """The documents that say in older words, one after the other, all that this one says."""
    forms = [root]
    for row in lacks:
        forms = [
            older for form in forms for older in (FORMS[row.name](form) if form.xpath(row.part) else [form])
        ]
    return forms


def is_valid_here(text: str | bytes) -> bool:
    """What this machine's schema says of a document, or of its older forms if it is too old for it and refuses it."""
    root = parse(text)
    if installed().lack(root):
        assert not is_valid(root, "rng")
    return all(is_valid(form, "rng") for form in older_forms(root, installed().lacks))


def _of_another_format(root: etree._Element) -> Iterator[etree._Element]:
    older = deepcopy(root)
    for encryption in older.iterfind("target/encryption"):
        if encryption.get("format", "").strip() == "luks-any":
            encryption.set("format", "luks2")
    yield older


def _with_one_secret(root: etree._Element) -> Iterator[etree._Element]:
    """One form for each secret, which has no other."""
    for kept in range(max(len(each.findall("secret")) for each in root.iterfind("target/encryption"))):
        older = deepcopy(root)
        for encryption in older.iterfind("target/encryption"):
            secrets = encryption.findall("secret")
            for secret in secrets:
                if secret is not secrets[min(kept, len(secrets) - 1)]:
                    _drop(secret)
        yield older


def _with_cipher_first(root: etree._Element) -> Iterator[etree._Element]:
    older = deepcopy(root)
    for encryption in older.iterfind("target/encryption"):
        if (ivgen := encryption.find("ivgen")) is not None:
            for cipher in encryption.findall("cipher"):
                _drop(cipher)
                ivgen.addprevious(cipher)
    yield older


def _drop(element: etree._Element) -> None:
    """Take an element out of its parent, where the text behind it stays."""
    parent, before = element.getparent(), element.getprevious()
    assert parent is not None
    if before is not None:
        before.tail = f"{before.tail or ''}{element.tail or ''}"
    else:
        parent.text = f"{parent.text or ''}{element.tail or ''}"
    element.tail = None
    parent.remove(element)


FORMS: Mapping[str, Callable[[etree._Element], Iterator[etree._Element]]] = {
    "format luks-any": _of_another_format,
    "several secrets": _with_one_secret,
    "ivgen before cipher": _with_cipher_first,
}
