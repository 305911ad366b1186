"""In which encoding a file of text is, told by how it begins."""

from __future__ import annotations

import codecs

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
UTF8 = "utf-8"


def encoding_of(head: bytes) -> str | None:
    """Return the encoding of a file that begins so: of Unicode's, or Windows-1252 for any other; None if it is no text.

    Parameters
    ----------
    head : bytes
        May end within a character.
    """
    for mark, name in _MARKS:
        if head.startswith(mark):
            return name
    if b"\0" in head:
        return _wide(head)
    if _decodes(head, UTF8):
        return UTF8
    if any(byte < 32 and byte not in b"\t\n\v\f\r\x1a\x1b" for byte in set(head)):
        return None
    return "cp1252" if _decodes(head, "cp1252") else "latin-1"


def _wide(head: bytes) -> str | None:
    """Return which of two bytes a character it is, by the half in which the zeros of ASCII stand."""
    even, odd = head[::2].count(0), head[1::2].count(0)
    few, many = sorted((even, odd))
    if many * 4 < len(head) // 2 or few * 10 > many:
        return None
    name = "utf-16-le" if odd == many else "utf-16-be"
    return name if _decodes(head, name) else None


def _decodes(head: bytes, name: str) -> bool:
    try:
        codecs.getincrementaldecoder(name)().decode(head)
    except UnicodeDecodeError:
        return False
    return True
