"""A file of text as the reader of tables wants it: in UTF-8, without what is none of the table, in any size."""

from __future__ import annotations

import codecs
import functools
import io
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from bgsub.tables.dialect import Dialect
from bgsub.tables.encoding import UTF8
from bgsub.tables.footer import MOST_BYTES, footer_of

_BLOCK = 1 << 20  # bytes read at a time

OnFooter = Callable[[list[str]], None]
"""Called with the lines that were left out at the end."""


class TextStream(io.RawIOBase):
    """The rows of a file of text, read once from the first.

    Parameters
    ----------
    path : Path
        The file.
    encoding : str
        Its encoding.
    dialect : Dialect
        How it is laid out: lines above the rows, and remarks, are left out, aligned columns get tabs between them.
    on_footer : callable
        Told what is left out at the end.
    """

    def __init__(self, path: Path, encoding: str, dialect: Dialect, on_footer: OnFooter) -> None:
        self._file = path.open("rb")
        blocks = iter(functools.partial(self._file.read, _BLOCK), b"")
        self._blocks = _rows(decoded(blocks, encoding), dialect, on_footer)
        self._ahead = b""

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def read(self, size: int = -1, /) -> bytes:
        """Return the next `size` bytes, fewer at the end only; all that are left without a size."""
        parts, length = [self._ahead], len(self._ahead)
        while size < 0 or length < size:
            block = next(self._blocks, None)
            if block is None:
                break
            parts.append(block)
            length += len(block)
        data = b"".join(parts)
        end = len(data) if size < 0 else size
        self._ahead = data[end:]
        return data[:end]

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        super().close()


def decoded(blocks: Iterator[bytes], encoding: str) -> Iterator[str]:
    """Yield the text of blocks of bytes, the ends of lines as in Python, without a mark of its encoding.

    Raises
    ------
    UnicodeError
        When the file is in another encoding.
    """
    decoder = codecs.getincrementaldecoder("utf-8-sig" if encoding == UTF8 else encoding)()
    lines = io.IncrementalNewlineDecoder(decoder, translate=True)
    first = True
    for data in blocks:
        text = lines.decode(data)
        yield text.removeprefix("\ufeff") if first else text
        first = False
    yield lines.decode(b"", final=True)


def _rows(blocks: Iterator[str], dialect: Dialect, on_footer: OnFooter) -> Iterator[bytes]:
    """Yield the rows as UTF-8; the last ones are held back until it is known whether they are rows."""
    rest, tail, skip = "", "", dialect.skip_lines
    for block in blocks:
        lines = (rest + block).split("\n")
        rest = lines.pop()
        skipped = min(skip, len(lines))
        skip -= skipped
        text = _cleaned(lines[skipped:], dialect)
        if len(text) > MOST_BYTES:
            yield (tail + text[:-MOST_BYTES]).encode()
            tail = text[-MOST_BYTES:]
        else:
            tail += text
            if len(tail) > 2 * MOST_BYTES:
                yield tail[:-MOST_BYTES].encode()
                tail = tail[-MOST_BYTES:]
    tail += _cleaned([rest] if rest and not skip else [], dialect)
    cut, lines = footer_of(tail.partition("\n")[2] if len(tail) >= MOST_BYTES else tail, dialect)
    if cut:
        on_footer(lines)
    yield tail[: len(tail) - cut].encode()


def _cleaned(lines: list[str], dialect: Dialect) -> str:
    """Return whole lines as the reader wants them."""
    if dialect.has_comments:
        lines = [line for line in lines if not dialect.is_remark(line)]
    if dialect.is_aligned:
        lines = ["\t".join(line.split() if '"' not in line else re.findall(r'"[^"]*"|[^ \t]+', line)) for line in lines]
    return "".join([f"{line}\n" for line in lines])
