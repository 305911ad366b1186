"""How a file of text is laid out, told by its first lines: what separates values, where the names of columns stand."""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from bgsub.tables.reading import ReadOptions
from bgsub.tables.table import listed, shown

_DELIMITERS = ",;\t|"
_MOST_ROWS = 100  # that are looked at
_NUMBER = re.compile(r"[-+(]?[$€£]?\s*(\d[\d.,' ]*|[.,]\d+)([eE][-+]?\d+)?\s*[%€]?\)?")
_ERRORS = re.compile(r"#(?:N/A|NA\b|DIV/0!|VALUE!|REF!|NAME\?|NUM!|NULL!)", re.IGNORECASE)  # of spreadsheets
_REMARKS = ("%", "//", "--", "!")  # of other programs, above the names of columns
_DECIMAL_COMMA = re.compile(r"[-+]?\d+,\d+")


@dataclass(frozen=True)
class Line:
    """A row of text, split: its values, and the lines of the file above it and up to its end."""

    values: tuple[str, ...]
    above: int
    end: int

    @property
    def present(self) -> list[str]:
        """The values that are not empty."""
        return [value for value in self.values if value]


@dataclass(frozen=True)
class Dialect:
    """How a file is laid out.

    Attributes
    ----------
    delimiter : str
        The character between two values; a tab where `is_aligned`.
    is_aligned : bool
        Whether spaces stand between values, as many as the columns need.
    has_comments : bool
        Whether lines that begin with # are none of the table.
    skip_lines : int
        Lines above the first row, the names of columns among them.
    heading : tuple of str
        The first line of the table, as it stands in the file.
    names : tuple of str
        The names of the columns, each different.
    row_names : str or None
        The column that the heading does not name because it names the rows.
    unnamed : tuple of str
        Columns without a name of their own.
    notes : tuple of str
        What was found out, a line each.
    rows : tuple of Line
        The first rows.
    """

    delimiter: str
    is_aligned: bool
    has_comments: bool
    skip_lines: int
    heading: tuple[str, ...]
    names: tuple[str, ...]
    row_names: str | None
    unnamed: tuple[str, ...]
    notes: tuple[str, ...]
    rows: tuple[Line, ...]

    def is_remark(self, line: str) -> bool:
        """Tell whether a line of the file is none of the table."""
        if not (self.has_comments and _is_marked(line)) or _ERRORS.match(line):
            return False
        if line.lstrip("#")[:1] in ("", " ", "\t"):
            return True
        return len(split_line(line, self.delimiter, self.is_aligned)) != len(self.names)


def dialect_of(head: str, options: ReadOptions) -> Dialect:
    """Return how a file is laid out that begins so.

    Parameters
    ----------
    head : str
        Whole lines, the ends of lines as in Python.
    options : ReadOptions
        What is known.

    Raises
    ------
    ValueError
        When there is no line with anything in it.
    """
    notes: list[str] = []
    skip = options.skip_lines or 0
    given = re.match(r"(?:sep=)(.)\n", head) if not skip else None
    if given:
        skip = 1
    lines = head.split("\n")
    start = sum(len(line) + 1 for line in lines[:skip])
    head = head[start:]
    has_comments, remarks = _comments(head.split("\n"))
    delimiter, is_aligned = (given[1], False) if given else _delimiter(_without_comments(head, has_comments))
    split = _split(head, delimiter, is_aligned, has_comments, skip)
    if not split:
        raise ValueError("empty")
    width = _width(split)
    first = 0 if options.skip_lines is not None else _titles(split, width, options.header)
    if first:
        lines_above = split[first].above
        notes.append(
            f"left out what stands above the table, {_shown(split[0])}: {_counted(lines_above)} (--skip-lines "
            f"{lines_above})"
        )
    layout = _Heading(split[first:], width, delimiter, is_aligned, remarks, options.header)
    dialect = Dialect(
        "\t" if is_aligned else delimiter,
        is_aligned,
        has_comments,
        layout.skip_lines,
        layout.heading,
        layout.names,
        layout.row_names,
        layout.unnamed,
        (),
        layout.rows,
    )
    marked = [line for line in lines if dialect.is_remark(line)]
    told = [line for line in marked if line.strip("# \t")]
    told = told[:-1] if layout.is_commented else told
    if told:
        notes.append(f"left out lines that begin with #, such as {shown(told[0])}")
    return replace(dialect, notes=(*notes, *layout.notes), has_comments=bool(marked))


class _Heading:
    """The names of the columns, and where the rows begin."""

    def __init__(
        self,
        lines: Sequence[Line],
        width: int,
        delimiter: str,
        is_aligned: bool,
        remarks: Sequence[str],
        has_names: bool,
    ) -> None:
        self.notes: list[str] = []
        self.row_names: str | None = None
        self.rows = tuple(lines)
        self.skip_lines = lines[0].above
        self.heading = lines[0].values
        commented = _commented_names(remarks, lines, width, delimiter)
        self.is_commented = bool(commented)
        if not has_names:
            names: list[str] = [""] * max(width, len(lines[0].values))
        elif commented:
            names = commented
            self.heading = tuple(commented)
            self.notes.append(f"took the names of columns from the line {shown('# ' + ' '.join(names))}")
        else:
            names = list(lines[0].values)
            self.rows, self.skip_lines = tuple(lines[1:]), lines[0].end
            names = self._completed(names, width, delimiter, is_aligned)
        self.names, self.unnamed = _named(names)
        if has_names:
            self._tell(names)
        if self.row_names is not None:
            self.row_names = self.names[0]

    def _completed(self, names: list[str], width: int, delimiter: str, is_aligned: bool) -> list[str]:
        """Return the names with one more for a column that the heading does not mention, if there is one."""
        whole = [line.values for line in self.rows if len(line.values) == width]
        if len(names) != width - 1 or not whole:
            return names
        if not any(values[-1] for values in whole):  # a delimiter at the end of each row
            return [*names, ""]
        firsts = [values[0] for values in whole]
        counts = firsts == [str(number) for number in range(1, len(firsts) + 1)]
        if is_aligned or delimiter == "\t" or counts or not any(map(is_like_number, firsts)):
            self.row_names = ""
            return ["", *names]
        return names

    def _tell(self, names: Sequence[str]) -> None:
        """Note names that are there twice."""
        twice = [name for name, count in Counter(filter(None, names)).items() if count > 1]
        for name in twice:
            others = [new for old, new in zip(names, self.names, strict=True) if old == name and new != old]
            self.notes.append(
                f"{len(others) + 1} columns are named {name!r}: the later ones are called {listed(others)}"
            )


def is_like_number(text: str) -> bool:
    """Tell whether a text is a number in any usual notation."""
    return _NUMBER.fullmatch(text) is not None


def is_like_data(values: Sequence[str]) -> bool:
    """Tell whether values are a row rather than names of columns: all are numbers, or one has a fraction."""
    present = [value for value in values if value]
    numbers = [value for value in present if is_like_number(value)]
    return bool(numbers) and (len(numbers) == len(present) or any(re.search(r"\d[.,]\d", n) for n in numbers))


def split_line(text: str, delimiter: str, is_aligned: bool) -> list[str]:
    """Return the values of one line of text."""
    if is_aligned:
        return [value.strip('"') for value in re.findall(r'"[^"]*"|[^ \t]+', text)]
    return [value.strip() for values in csv.reader([text], delimiter=delimiter) for value in values]


def _split(head: str, delimiter: str, is_aligned: bool, has_comments: bool, above: int) -> list[Line]:
    """Return the first rows of a text that are not empty."""
    found: list[Line] = []
    if is_aligned:
        for index, line in enumerate(head.split("\n")):
            if line.strip() and not (has_comments and line.startswith("#")):
                found.append(Line(tuple(split_line(line, delimiter, True)), above + index, above + index + 1))
        return found[:_MOST_ROWS]
    text = io.StringIO(head)
    source = (("\n" if has_comments and _is_marked(line) else line) for line in text)
    reader = csv.reader(source, delimiter=delimiter, skipinitialspace=True)
    end = 0
    try:
        for values in reader:
            start, end = end, reader.line_num
            if any(value.strip() for value in values):
                found.append(Line(tuple(value.strip() for value in values), above + start, above + end))
            if len(found) >= _MOST_ROWS:
                break
    except csv.Error:  # a quotation mark that is never closed: the reader of the rows says so
        pass
    return found


def _comments(lines: Sequence[str]) -> tuple[bool, list[str]]:
    """Tell whether lines that begin with # are remarks; return those above the table."""
    present = [line for line in lines[: 2 * _MOST_ROWS] if line.strip()]
    marked = list(filter(_is_marked, present))
    above = []
    for line in present:
        if not _is_marked(line):
            break
        above.append(line.lstrip("#").strip())
    return bool(marked) and 2 * len(marked) <= len(present) + len(above), above


def _without_comments(head: str, has_comments: bool) -> str:
    if not has_comments:
        return head
    return "\n".join(line for line in head.split("\n") if not _is_marked(line))


def _is_marked(line: str) -> bool:
    return line.startswith("#") and not _ERRORS.match(line)


def _delimiter(head: str) -> tuple[str, bool]:
    """Return what separates values: what most rows have alike, and the first row most of; and whether it is spaces."""
    sample = "\n".join(head.split("\n")[: 2 * _MOST_ROWS])
    heading = next((line for line in sample.split("\n") if line.strip()), "")
    bare = re.sub(r'"[^"]*"', "", heading)
    best, delimiter = (0.0, False, 0), ""
    for candidate in _DELIMITERS:
        if candidate not in sample:
            continue
        rows = _split(sample, candidate, False, False, 0)
        counts = Counter(len(row.values) for row in rows if len(row.values) > 1)
        if counts:
            share = round(counts.most_common(1)[0][1] / len(rows), 2)
            key = (share, candidate != ",", bare.count(candidate))  # where others do, commas are in numbers and texts
            if key > best:
                best, delimiter = key, candidate
    if not any(candidate in bare for candidate in _DELIMITERS):
        spaced = _split(sample, "", True, False, 0)
        if _is_aligned(spaced):
            return " ", True
        rest = [line for line in sample.split("\n")[1:] if line.strip()]
        if rest and all(_DECIMAL_COMMA.fullmatch(line.strip().strip('"')) for line in rest):
            return ";", False  # one column of decimal commas
    return delimiter or ",", False


def _is_aligned(rows: Sequence[Line]) -> bool:
    """Tell whether rows split at spaces are a table: as many values in nearly all, most of them numbers."""
    counts = Counter(len(row.values) for row in rows[1:])
    if not counts:
        return False
    width, count = counts.most_common(1)[0]
    if width < 2 or count < 0.9 * (len(rows) - 1) or any(row.values[-1][-1:] in ",;" for row in rows):
        return False
    values = [value for row in rows[1:] for value in row.values[1:]]
    return 2 * sum(map(is_like_number, values)) >= len(values)


def _width(rows: Sequence[Line]) -> int:
    """Return how many values most rows have."""
    return Counter(len(row.values) for row in rows).most_common(1)[0][0]


def _titles(rows: Sequence[Line], width: int, has_names: bool) -> int:
    """Return how many rows stand above the names of the columns: titles, of fewer values than half the columns."""
    if width < 2:
        return 0
    for index, row in enumerate(rows):
        is_short = row.values[0] and (len(row.present) <= 1 or 2 * len(row.present) < width)
        if is_short or row.values[0].startswith(_REMARKS):
            continue
        below = rows[index + 1 : index + 6]
        is_apart = bool(below) and below[0].above > row.end
        nearest = below if len(row.present) < width else below[:2] if is_apart else []
        if any(_is_heading(*pair, width) for pair in itertools.pairwise(nearest)):
            continue
        fits = len(row.values) in (width - 1, width)
        return index if fits and (not has_names or not is_like_data(row.values)) else 0
    return 0


def _is_heading(row: Line, below: Line, width: int) -> bool:
    """Tell whether a row is all text, and the one below it is not."""
    return len(row.present) == width and not any(map(is_like_number, row.present)) and is_like_data(below.values)


def _commented_names(remarks: Sequence[str], rows: Sequence[Line], width: int, delimiter: str) -> list[str]:
    """Return the names of the columns if they stand in a remark above rows of numbers; else none."""
    if not remarks or not is_like_data(rows[0].values):
        return []
    for names in (split_line(remarks[-1], delimiter, False), split_line(remarks[-1], "", True)):
        if len(names) == width and all(names) and not any(map(is_like_number, names)):
            return names
    return []


def _named(names: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return names, each different: x and its place for one that is empty; and those without a name of their own."""
    taken, found, unnamed = set(names), list[str](), list[str]()
    for place, name in enumerate(names):
        wanted, count = name or f"x{place}", 1
        new = wanted
        while new in found or (new != name and new in taken):
            count += 1
            new = f"{wanted}_{count}"
        found.append(new)
        if not name:
            unnamed.append(new)
    return tuple(found), tuple(unnamed)


def _shown(line: Line) -> str:
    return shown(" ".join(line.present))


def _counted(lines: int) -> str:
    return "1 line" if lines == 1 else f"{lines} lines"
