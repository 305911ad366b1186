"""Excel workbooks (.xlsx): a sheet, read once, row by row."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from bgsub.errors import ParameterError
from bgsub.extras import explained
from bgsub.tables.damage import damage_named, undamaged
from bgsub.tables.reading import ReadOptions
from bgsub.tables.spooled_table import SpooledTable, block_of
from bgsub.tables.table import listed, refusal
from bgsub.tables.unpacking import check_unpacked_size, members

_WORKBOOK = "Excel workbook"
_BLOCK_ROWS = 16_384  # of Python's objects
_LARGEST_TEXTS = 256 << 20  # bytes of the texts that cells share, which are held in memory
_MOST_TITLES = 10  # rows above the names of columns
_LONGEST_TITLE = 40  # characters of it in a note
_FAULTS = frozenset(["#DIV/0!", "#N/A", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!", "#SPILL!", "#CALC!"])

_Row = list[Any]


def open_excel(path: Path, name: str, options: ReadOptions) -> SpooledTable:
    """Convert a sheet of a workbook: its first row with more than a title has the names of the columns.

    Formulas count by the values that Excel saved with them, their errors as missing values. Empty rows are passed over,
    and so are columns without a name and a value; others without a name are called by their letter.

    Parameters
    ----------
    path : Path
        The file.
    name : str
        What messages call it.
    options : ReadOptions
        `sheet`, `header` and `skip_lines`.

    Raises
    ------
    SourceError
        When the workbook is damaged, unpacks to more than the bound, or the sheet is empty.
    ParameterError
        When there is no such sheet.
    MissingExtraError
        When openpyxl is not installed.
    """
    with explained("an Excel workbook"):
        import openpyxl
    parts = members(path, name, _WORKBOOK)
    check_unpacked_size(sum(part.file_size for part in parts), path.stat().st_size, name)
    if any(part.file_size > _LARGEST_TEXTS for part in parts if part.filename.endswith("sharedStrings.xml")):
        raise refusal(name, f"its texts take more than {_LARGEST_TEXTS >> 20} MB of memory; save it as .csv")
    with path.open("rb") as file:  # its own check of extensions would refuse a temporary file
        with damage_named(name, _WORKBOOK):
            book = openpyxl.load_workbook(file, read_only=True, data_only=True, keep_links=False)
        sheets = {sheet.title: sheet for sheet in book.worksheets}
        title = _chosen(list(sheets), options.sheet, name)
        with damage_named(name, _WORKBOOK):
            sheets[title].reset_dimensions()  # which some programs write wrong
        rows = undamaged(sheets[title].iter_rows(values_only=True), name, _WORKBOOK)
        table = _table(name, title, rows, options)
    if options.sheet is None and len(sheets) > 1:
        table.note(f"read the sheet {title!r} of {len(sheets)}: {listed(list(sheets))}; --sheet names another")
    return table


def _chosen(titles: list[str], wanted: str | int | None, name: str) -> str:
    """Return the title of the sheet that is wanted: by its name, or its number from 1."""
    if not titles:
        raise refusal(name, "the workbook has no sheet with cells; give one with a table")
    if wanted is None:
        return titles[0]
    if str(wanted) in titles:
        return str(wanted)
    if str(wanted).isdecimal() and 1 <= int(wanted) <= len(titles):
        return titles[int(wanted) - 1]
    raise ParameterError(f"{name} has no sheet {wanted!r}: there are {listed(titles)}")


def _table(name: str, title: str, rows: Iterable[tuple], options: ReadOptions) -> SpooledTable:
    """Return the table of a sheet's rows."""
    left = filter(_any_value, (_values(row) for row in itertools.islice(rows, options.skip_lines or 0, None)))
    head = list(itertools.islice(left, _MOST_TITLES + 1))
    if not head:
        raise refusal(name, f"the sheet {title!r} is empty; name another with --sheet")
    titles: list[_Row] = []
    if options.skip_lines is None and options.header:
        n_titles = _titles(head)
        titles, head = head[:n_titles], head[n_titles:]
    names = _names(head.pop(0), name) if options.header else None
    table = SpooledTable(name, _blocks(itertools.chain(head, left), names), (n for n in (names or ()) if n))
    if titles:
        shown = next(str(value) for value in titles[0] if value is not None)[:_LONGEST_TITLE]
        table.note(f"passed over what stands above the names of columns: {shown!r}")
    return table


def _any_value(row: _Row) -> bool:
    """Tell whether a row is not empty."""
    return any(value is not None for value in row)


def _values(row: tuple) -> _Row:
    """Return a row's values; empty texts and the errors of formulas are missing."""
    return [None if isinstance(v, str) and (not v.strip() or v in _FAULTS) else v for v in row]


def _titles(head: list[_Row]) -> int:
    """Return how many rows stand above the names of columns: those with one value where a later one has several."""
    filled = [sum(value is not None for value in row) for row in head]
    if max(filled) < 2 or filled[0] > 1:
        return 0
    return next(index for index, count in enumerate(filled) if count > 1)


def _names(row: _Row, name: str) -> list[str]:
    """Return the names of columns; "" for those that have none."""
    names = ["" if value is None else str(value).strip() for value in row]
    if not any(names):
        raise refusal(name, "the names of its columns are empty; give --no-header if there are none")
    twice = [title for title, count in Counter(filter(None, names)).items() if count > 1]
    if twice:
        raise refusal(name, f"it has two columns named {twice[0]!r}; rename one")
    return names


def _blocks(rows: Iterable[_Row], names: list[str] | None) -> Iterator[pa.RecordBatch]:
    """Yield rows as columns; all of them with places for names if there are none."""
    while part := list(itertools.islice(rows, _BLOCK_ROWS)):
        columns = list(itertools.zip_longest(*part))
        if names is None:
            yield block_of({f"x{place}": values for place, values in enumerate(columns)})
            continue
        columns += [(None,) * len(part)] * (len(names) - len(columns))
        found = [*names, *[""] * (len(columns) - len(names))]
        yield block_of(
            {
                title or f"column {_letter(place)}": values
                for place, (title, values) in enumerate(zip(found, columns, strict=True))
                if title or any(value is not None for value in values)
            }
        )


def _letter(place: int) -> str:
    """Return what Excel calls a column, from 0: A, B, ..., Z, AA."""
    letters = ""
    while place >= 0:
        place, rest = divmod(place, 26)
        letters, place = chr(ord("A") + rest) + letters, place - 1
    return letters
