"""The beginning and the end of a file of text: its encoding, its layout, and what stands below its rows."""

from __future__ import annotations

import itertools
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from bgsub.errors import SourceError
from bgsub.tables.dialect import Dialect, dialect_of
from bgsub.tables.encoding import UTF8, encoding_of
from bgsub.tables.footer import MOST_BYTES, footer_of
from bgsub.tables.reading import ReadOptions
from bgsub.tables.table import refusal, shown
from bgsub.tables.text_stream import decoded

_LOOKED_AT = 1 << 18  # bytes; more where that is less than a few lines
_MOST_LOOKED_AT = 1 << 22


@dataclass(frozen=True)
class TextHead:
    """What is known of a file of text before its rows are read.

    Attributes
    ----------
    encoding : str
        Its encoding.
    dialect : Dialect
        How it is laid out.
    is_plain : bool
        Whether pyarrow can read it as it is.
    notes : list of str
        What was found out.
    """

    encoding: str
    dialect: Dialect
    is_plain: bool
    notes: list[str]

    @property
    def skip_lines(self) -> int:
        """Lines above the first row that pyarrow sees."""
        return self.dialect.skip_lines if self.is_plain else 0


def looked_at(path: Path, name: str, options: ReadOptions) -> TextHead:
    """Look at the beginning and the end of a file.

    Raises
    ------
    SourceError
        When it is empty, no text, or in another encoding than the options say.
    """
    try:
        with path.open("rb") as file:
            head, is_all = _beginning(file)
    except OSError as error:
        raise refusal(name, f"{error.strerror or error}; check the file") from error
    encoding = options.encoding or encoding_of(head)
    if encoding is None:
        raise refusal(name, "it is no table that is known; give CSV, Excel, Parquet, Arrow, JSON lines, NPY or NPZ")
    try:
        text = _text(head, encoding)
    except UnicodeError as error:
        raise wrong_encoding(name, encoding) from error
    lines = text if is_all else text[: text.rfind("\n") + 1] or text
    try:
        dialect = dialect_of(lines, options)
    except ValueError as error:
        raise refusal(name, "it is empty; give a table with a heading and rows") from error
    notes = list(dialect.notes)
    if encoding not in (UTF8, "utf-16", "utf-32") and not options.encoding:
        notes.insert(0, f"the file is no UTF-8: read as {encoding}; --encoding gives another")
    is_utf8 = encoding.lower().replace("_", "-") in (UTF8, "utf8", "ascii")
    is_plain = is_utf8 and not (dialect.has_comments or dialect.is_aligned)
    if is_plain:
        cut, below = _footer(path, dialect)
        is_plain = not cut
        notes += [footer_note(below)] if cut else []
    return TextHead(UTF8 if is_utf8 else encoding, dialect, is_plain, notes)


def footer_note(lines: Sequence[str]) -> str:
    """Return the line that says what was left out at the end."""
    if not lines:
        return "left out empty lines at the end"
    which = "the last line" if len(lines) == 1 else f"the last {len(lines)} lines"
    return f"left out {which}, {shown(lines[0])}"


def wrong_encoding(name: str, encoding: str) -> SourceError:
    """Return the error that says that a file is in another encoding."""
    called = "UTF-8" if encoding == UTF8 else encoding
    return refusal(name, f"it is not {called} text; give --encoding latin-1, or whichever it is")


def _beginning(file: IO[bytes]) -> tuple[bytes, bool]:
    """Return enough of a file to know its layout, and whether that is all of it."""
    head = b""
    while len(head) < _MOST_LOOKED_AT:
        data = file.read(_LOOKED_AT)
        head += data
        if not data:
            return head, True
        if head.count(b"\n") + head.count(b"\r") > 2 * len(head) // _LOOKED_AT + 3:
            break
    return head, not file.read(1)


def _text(head: bytes, encoding: str) -> str:
    """Return the text of a file's beginning, which may end within a character."""
    return "".join(itertools.islice(decoded(iter([head]), encoding), 1))


def _footer(path: Path, dialect: Dialect) -> tuple[int, list[str]]:
    """Return the lines below the rows of a file that could be read as it is."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - MOST_BYTES))
        tail = file.read()
    lines = tail.decode(UTF8, "replace").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    above = 1 if size > MOST_BYTES else dialect.skip_lines
    return footer_of("\n".join(lines[above:]), dialect)
