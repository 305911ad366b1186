"""What stands below a table in its file: totals, sources, empty lines."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence

from bgsub.tables.dialect import Dialect, is_like_number, split_line

MOST_BYTES = 1 << 14
"""No more than this is looked at from the end of a file."""

_MOST_LINES = 20
_TOTALS = (
    "total|totals|subtotal|sum|grand total|average|avg|mean|count|source|sources|note|notes|"
    "summe|gesamt|gesamtsumme|insgesamt|mittelwert|durchschnitt|quelle|quellen|hinweis|stand|"
    "somme|totaux|total général|moyenne|suma|totale|totales|total general|promedio|media|fuente|fonte|fonti|nota|notas|"
    "totaal|bron|gemiddelde|summa|keskiarvo|yhteensä|итого|всего|сумма|источник|合計|总计"
)
_BELOW = re.compile(rf"\W*(?:{_TOTALS})(?:\s*[:=(].*|\W*)", re.DOTALL)


def footer_of(tail: str, dialect: Dialect) -> tuple[int, list[str]]:
    """Return how many characters of the end of a file are none of its table, and the lines, the first first.

    A line is none of the table if it is empty or a remark, if it has a single value where the table has several
    columns, and that is text; or if it begins with a word such as "Total" that no other row begins with.

    Parameters
    ----------
    tail : str
        The end of the file, whole lines of it, the ends of lines as in Python.
    dialect : Dialect
        How the file is laid out.
    """
    lines = tail.split("\n")
    kept, found = len(lines), list[str]()
    while kept and len(lines) - kept < _MOST_LINES:
        line = lines[kept - 1]
        if line.strip(f" \t\r\x1a{dialect.delimiter}"):
            if not _is_below(line, lines[: kept - 1], dialect):
                break
            found.insert(0, line.strip())
        kept -= 1
    if kept == len(lines) or not any(line.strip() for line in lines[kept:]):
        return 0, []
    return len("\n".join(lines[kept:])), found


def _is_below(line: str, above: Sequence[str], dialect: Dialect) -> bool:
    """Tell whether a line with something in it is none of the table."""
    if dialect.is_remark(line):
        return True
    try:
        values = split_line(line, dialect.delimiter, dialect.is_aligned)
    except csv.Error:
        return False
    present = [value for value in values if value]
    first = _first(values)
    if is_like_number(first) or first.count('"') % 2:
        return False
    if _BELOW.fullmatch(first.casefold()) or (dialect.is_aligned and first.endswith(":")):
        return not any(row.strip(" \t\"'").casefold().startswith(first.casefold()) for row in above)
    if len(dialect.names) == 1 or len(values) == len(dialect.names):
        return False
    return len(present) == 1 or (dialect.is_aligned and not any(map(is_like_number, present)))


def _first(values: Sequence[str]) -> str:
    """Return the first value that is not empty."""
    return next((value for value in values if value), "")
