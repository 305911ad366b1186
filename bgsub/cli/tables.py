"""Tables on a terminal: as wide as it is, turned or in parts where they are wider, and no number broken."""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Sequence

import click

_GAP = "  "
_LONG = 24  # columns of the terminal; a longer text that lists things has a line for each
_NARROWEST = 40  # no table fits less

Cells = list[list[list[str]]]
"""Rows of cells, each of lines."""


def print_table(
    headings: Sequence[str],
    rows: Sequence[Sequence[str]],
    to_stderr: bool = False,
    *,
    names: bool = False,
    tall: bool = False,
    turned: bool = False,
    rules: Collection[int] = (),
    spare: Sequence[str] = (),
) -> None:
    """Print a table that fits the terminal; where there is none, in lines of any length.

    A table that is too wide is turned, one row a column, or comes in parts, whichever are fewer.

    Parameters
    ----------
    headings : sequence of str
        Of the columns.
    rows : sequence of sequence of str
        Texts, the first of each row its name.
    to_stderr : bool
        Print to stderr.
    names : bool
        The first column is text, and stands at the left.
    tall : bool
        There are many rows: the table is never turned.
    turned : bool
        There are many columns: the table is turned anyway.
    rules : collection of int
        Rows below which a line is drawn; -1 is the heading.
    spare : sequence of str
        Headings of columns that may be left out for want of room, the first one first.
    """
    width = _width(to_stderr)
    cells = [[_printable(cell) for cell in row] for row in (headings, *rows)]
    parts = [_Part(cells, names, rules)]
    if turned:
        parts = _in_parts(_turned(cells), True, (-1,) if rules else (), width)
    elif width is not None and parts[0].width > width:
        cells, left_out = _without(cells, names, spare, width)
        as_is = _in_parts(cells, names, rules, width)
        turn = _in_parts(_turned(cells), True, (-1,) if rules else (), width)
        parts = as_is if tall or len(as_is) == 1 or len(as_is) < len(turn) else turn
        if left_out:
            parts[-1].remark = f"left out for want of room: {', '.join(left_out)}"
    for number, part in enumerate(parts):
        if number:
            click.echo(err=to_stderr)
        part.print(to_stderr)


def _width(to_stderr: bool) -> int | None:
    """Return how many columns a line may have on a terminal; None, any number, where there is none."""
    stream = sys.stderr if to_stderr else sys.stdout
    if not stream.isatty():
        return None
    told = os.environ.get("COLUMNS", "")
    try:
        columns = int(told) if told.isdecimal() else os.get_terminal_size(stream.fileno()).columns
    except (OSError, ValueError):  # a stream of Python's own
        columns = 80
    return max(_NARROWEST, columns)


class _Part:
    """A table, or as much of its columns as fits."""

    def __init__(self, rows: list[list[str]], names: bool, rules: Collection[int], longest: int | None = None) -> None:
        self._rows = [[_folded(row[0], longest), *map(_lines, row[1:])] for row in rows] if longest else _plain(rows)
        self._names = names
        self._rules = rules
        self._widths = [
            max(_breadth(line) for cell in column for line in cell) for column in zip(*self._rows, strict=True)
        ]
        self.remark = ""

    @property
    def width(self) -> int:
        """Columns of the terminal that it takes."""
        return sum(self._widths) + len(_GAP) * (len(self._widths) - 1)

    def print(self, to_stderr: bool) -> None:
        """Print it, the heading in bold."""
        for index, row in enumerate(self._rows, -1):
            height = max(map(len, row))
            for line in range(height):
                texts = [cell[line] if line < len(cell) else "" for cell in row]
                text = _GAP.join(self._aligned(column, text) for column, text in enumerate(texts)).rstrip()
                click.echo(click.style(text, bold=True) if index == -1 else text, err=to_stderr)
            if index in self._rules:
                click.echo("-" * self.width, err=to_stderr)
        if self.remark:
            click.echo(self.remark, err=to_stderr)

    def _aligned(self, column: int, text: str) -> str:
        padding = " " * (self._widths[column] - _breadth(text))
        return text + padding if self._names and column == 0 else padding + text


def _plain(rows: list[list[str]]) -> Cells:
    return [[[cell] for cell in row] for row in rows]


def _turned(rows: list[list[str]]) -> list[list[str]]:
    return [list(column) for column in zip(*rows, strict=True)]


def _without(rows: list[list[str]], names: bool, spare: Sequence[str], width: int) -> tuple[list[list[str]], list[str]]:
    """Return the rows without those of the spare columns that have no room, and the headings of these."""
    left_out: list[str] = []
    for heading in spare:
        if _Part(rows, names, ()).width <= width:
            break
        place = rows[0].index(heading)
        rows = [row[:place] + row[place + 1 :] for row in rows]
        left_out.append(heading)
    return rows, left_out


def _in_parts(rows: list[list[str]], names: bool, rules: Collection[int], width: int | None) -> list[_Part]:
    """Return a table as parts that fit a width, the first column in each of them."""
    if width is None:
        return [_Part(rows, names, rules)]
    widest = max((_breadth(line) for row in rows for cell in row[1:] for line in _lines(cell)), default=0)
    longest = max(width // 4, width - widest - len(_GAP))  # of the first column, so that a second one has room
    parts, taken = [], 1
    while taken < len(rows[0]):
        last = taken + 1
        while last < len(rows[0]) and _Part(_columns(rows, taken, last + 1), names, rules, longest).width <= width:
            last += 1
        parts.append(_Part(_columns(rows, taken, last), names, rules, longest))
        taken = last
    return parts or [_Part(rows, names, rules, longest)]


def _columns(rows: list[list[str]], first: int, last: int) -> list[list[str]]:
    return [[row[0], *row[first:last]] for row in rows]


def _printable(text: str) -> str:
    """Return a text, which may come from a file, as it can stand in a line on a terminal."""
    return text if text.isprintable() else ascii(text)


def _lines(cell: str) -> list[str]:
    """Return a long text that lists things as a line for each; anything else in one, so that no number is broken."""
    return [f"{part}," for part in cell.split(", ")[:-1]] + [cell.split(", ")[-1]] if _breadth(cell) > _LONG else [cell]


def _folded(name: str, longest: int) -> list[str]:
    """Return a name in lines of bounded length."""
    lines = [""]
    for character in name:
        if _breadth(lines[-1] + character) > longest:
            lines.append("")
        lines[-1] += character
    return lines


def _breadth(text: str) -> int:
    """Return how many columns of the terminal a text takes: two for a wide character."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)
