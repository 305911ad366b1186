"""How objects show themselves in a notebook: small tables of HTML, in which all text is text and nothing is endless."""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection, Iterable, Sequence
from html import escape

MOST_ROWS = 40
MOST_COLUMNS = 12
_LONGEST = 100  # characters of a cell


def html_table(
    caption: str,
    header: Sequence[object],
    rows: Iterable[Sequence[object]],
    *,
    bold: Collection[int] = (),
) -> str:
    """Return a table for a notebook; the colours are the notebook's own, light or dark.

    Parameters
    ----------
    caption : str
        A line above the table; it says whose it is.
    header : sequence
        Headings; empty for a table without.
    rows : iterable of sequence
        Cells: numbers are rounded and stand on the right, None is empty, all else is shown as the text it is.
        `MOST_ROWS` are shown, of each `MOST_COLUMNS`; what is left out is told.
    bold : collection of int
        Rows that stand out, from 0.
    """
    rows = list(rows)
    head = "".join(f"<th>{_text(name)}</th>" for name in _cut(header))
    body = "".join(
        f"<tr>{''.join(_cell(value, i in bold) for value in _cut(row))}</tr>" for i, row in enumerate(rows[:MOST_ROWS])
    )
    left_out = f"<p>... and {len(rows) - MOST_ROWS:,} more rows</p>" if len(rows) > MOST_ROWS else ""
    thead = f"<thead><tr>{head}</tr></thead>" if head else ""
    return f"<div><p>{_text(caption)}</p><table>{thead}<tbody>{body}</tbody></table>{left_out}</div>"


def counted(number: int, thing: str) -> str:
    """Return "1 frame" or "2 frames"."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def html_picture(caption: str, png: str) -> str:
    """Return a picture for a notebook, given as the base64 of a PNG file, with a line below."""
    return (
        f'<div><img alt="{_text(caption)}" src="data:image/png;base64,{escape(png)}" style="max-width: 100%">'
        f"<p>{_text(caption)}</p></div>"
    )


def _cut(cells: Sequence[object]) -> list[object]:
    """Return as many cells as there is room for."""
    shown = list(itertools.islice(cells, MOST_COLUMNS))
    return [*shown, f"... {len(cells) - MOST_COLUMNS} more"] if len(cells) > MOST_COLUMNS else shown


def _cell(value: object, bold: bool) -> str:
    """Return one cell of a table."""
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    text = _number(value) if isinstance(value, (int, float)) and number else "" if value is None else value
    inside = f"<b>{_text(text)}</b>" if bold else _text(text)
    return f'<td style="text-align: {"right" if number else "left"}">{inside}</td>'


def _number(value: float) -> str:
    """Return a number as people read it."""
    if isinstance(value, int):
        return f"{value:,}"
    if not math.isfinite(value):
        return str(value)
    return f"{value:,.1f}" if abs(value) >= 1000 else f"{value:.4g}"


def _text(value: object) -> str:
    """Return a value as text that a browser shows to the letter, and of bounded length."""
    text = str(value)
    text = "".join(
        character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text[: _LONGEST + 1]
    )
    return escape(text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "\N{HORIZONTAL ELLIPSIS}")
