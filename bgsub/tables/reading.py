"""How a table is to be read, where its file does not tell by itself."""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from typing import Literal

from bgsub.errors import ParameterError

Decimal = Literal[".", ","]
"""What stands between the whole and the fraction of a number."""


@dataclass(frozen=True)
class ReadOptions:
    """What a reader is told of a table; without it, it finds out by itself and says what it found.

    Attributes
    ----------
    na : tuple of str or float
        Values that are missing ones, besides empty fields, NA, NaN, null and the like; a number in any notation.
    decimal : {".", ","} or None
        What stands before the fraction of a number in a file of text; None looks for it.
    header : bool
        Whether a file of text has names of columns; without, they are x0, x1, ....
    skip_lines : int or None
        Lines of a file of text above the names, or above the rows where there are no names; None looks for them.
    encoding : str or None
        The encoding of a file of text, as Python calls it: "latin-1", "utf-16"; None looks for it.
    sheet : str, int or None
        The sheet of a workbook, by its name or its number from 1; None takes the first.

    Raises
    ------
    ParameterError
        When one of them is out of its bounds.
    """

    na: tuple[str | float, ...] = ()
    decimal: Decimal | None = None
    header: bool = True
    skip_lines: int | None = None
    encoding: str | None = None
    sheet: str | int | None = None

    def __post_init__(self) -> None:
        if self.decimal not in (None, ".", ","):
            raise ParameterError(f"decimal is {self.decimal!r}: give '.' or ','")
        if self.skip_lines is not None and self.skip_lines < 0:
            raise ParameterError(f"skip_lines is {self.skip_lines}: give 0 or more")
        if self.encoding is not None and not _is_encoding(self.encoding):
            raise ParameterError(f"encoding {self.encoding!r} is not known: give one such as latin-1, cp1252 or utf-16")

    @property
    def missing_texts(self) -> frozenset[str]:
        """The values of `na` as text."""
        return frozenset(str(value).strip() for value in self.na)

    @property
    def missing_numbers(self) -> tuple[float, ...]:
        """Those values of `na` that are numbers."""
        found = []
        for value in self.na:
            try:
                found.append(float(value))
            except ValueError:
                continue
        return tuple(found)


def _is_encoding(name: str) -> bool:
    """Tell whether Python knows an encoding of text by that name."""
    try:
        return codecs.lookup(name)._is_text_encoding  # not base64 and the like
    except (LookupError, ValueError):
        return False


DEFAULTS = ReadOptions()
"""Nothing is known of the table."""
