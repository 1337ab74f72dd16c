"""Recognizes content that is plainly no disk: text, markup, the pointer of Git LFS, or nothing."""

from __future__ import annotations

import json
from typing import Final

_TEXT: Final = bytes({7, 8, 9, 10, 12, 13, 27} | set(range(32, 127)) | set(range(128, 256)))
_FIRST: Final = 512
_MARKUP: Final = (
    (b"<!doctype html", "HTML"),
    (b"<html", "HTML"),
    (b"<head", "HTML"),
    (b"<?xml", "XML"),
    (b"<error", "XML"),
    (b"version https://git-lfs.github.com/spec/", "Git LFS pointer"),
)
MARKUP: Final = frozenset({"HTML", "XML", "Git LFS pointer"})
"""Kinds of text that a server sends in place of an image."""


def text_of(head: bytes, *, whole: bool) -> str | None:
    """Return which kind of text a content is: ``HTML``, ``XML``, ``Git LFS pointer``, ``JSON``, ``text`` or ``nothing``.

    Args:
        head: The first bytes.
        whole: Whether they are the whole content.
    """
    if not head:
        return "nothing"
    if head[:_FIRST].translate(None, _TEXT) or head.translate(None, _TEXT):
        return _wide_text(head[: _FIRST * 2])
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:64].lower()
    for mark, kind in _MARKUP:
        if start.startswith(mark):
            return kind
    if not _is_utf8(head, whole=whole):
        return None
    return "JSON" if whole and start[:1] in (b"{", b"[") and _is_json(head) else "text"


def _is_utf8(head: bytes, *, whole: bool) -> bool:
    try:
        head.decode()
    except UnicodeDecodeError as error:
        return not whole and len(head) - error.start < 4
    return True


def _wide_text(head: bytes) -> str | None:
    if head[:2] not in (b"\xff\xfe", b"\xfe\xff"):
        return None
    try:
        text = head[: len(head) // 2 * 2].decode("utf-16")
    except UnicodeDecodeError:
        return None
    return "text" if text.replace("\n", "").replace("\r", "").replace("\t", "").isprintable() else None


def _is_json(head: bytes) -> bool:
    try:
        json.loads(head)
    except (ValueError, RecursionError):
        return False
    return True
