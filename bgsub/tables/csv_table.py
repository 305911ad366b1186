"""Tables of text: read in blocks by pyarrow; its faults named by row and column."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from bgsub.errors import SourceError
from bgsub.tables import text_head
from bgsub.tables.dialect import is_like_data
from bgsub.tables.reading import DEFAULTS, ReadOptions
from bgsub.tables.table import Column, Kind, Table, refusal, shown
from bgsub.tables.text_columns import TextColumn, judged, notation_of
from bgsub.tables.text_notes import Readings
from bgsub.tables.text_stream import OnFooter, TextStream
from bgsub.tables.values import first_fault, not_a_number

_BLOCK = 1 << 22  # bytes; a row must fit into it


def _untold(footer: list[str]) -> None:
    """Say nothing of what is left out at the end."""


class CsvTable(Table):
    """A file of text with a heading; values separated by comma, semicolon, tab, bar or spaces.

    Empty fields, NA, NaN, null and the like are missing values. What a column holds is judged by the first 4 MB: it is
    one of numbers if these are, or most of the first 1000; the others are then reported as faults, wherever they stand,
    not taken for text. So are numbers that are written in another way than the first.

    Parameters
    ----------
    path : Path
        The file.
    name : str, optional
        What messages call it.
    options : ReadOptions
        What is known of it.
    """

    def __init__(self, path: Path, name: str | None = None, options: ReadOptions = DEFAULTS) -> None:
        self._path = path
        self.name = name or str(path)
        self.options = options
        self._head = text_head.looked_at(path, self.name, options)
        with _faults_named(self.name, self._head):
            columns = self._judged()
        super().__init__(self.name, [Column(c.name, c.kind) for c in columns], None, named=options.header)
        self._columns = {column.name: column for column in columns}
        self._readings = Readings()
        for line in self._head.notes:
            self.note(line)

    @property
    def heading_is_numbers(self) -> bool:
        """Whether the names are numbers, so that the heading may be a row of data."""
        return self.options.header and is_like_data(self._head.dialect.heading)

    def batches(self, wanted: Mapping[str, Kind]) -> Iterator[pa.RecordBatch]:
        """Yield the rows, number columns as float64, all others as text, long numbers in them to the last digit."""
        types = {name: self._type(name, kind) for name, kind in wanted.items()}
        start = 0
        try:
            for batch in self._open(types, threads=True, on_footer=self._tell_footer):
                if batch.num_rows:
                    yield self._numbers(batch, wanted, start)
                    start += batch.num_rows
        except (pa.ArrowInvalid, UnicodeError) as error:
            raise self._explained(wanted, error) from error
        except OSError as error:
            raise refusal(self.name, f"{error.strerror or error}; check the file") from error

    def left_out(self, name: str) -> str:
        """Return what a column that is none of numbers holds; see `Table.left_out`."""
        return self._columns[name].what

    def told(self, names: Iterable[str]) -> list[str]:
        """Return how columns were understood; see `Table.told`."""
        return self._readings.lines([self._columns[name] for name in names], self._head.dialect)

    def check_left_out(self, used: Collection[str]) -> None:
        """Raise SourceError if a column whose beginning is empty has values; see `Table.check_left_out`."""
        empty = [column.name for column in self._columns.values() if column.what == "empty" and column.name not in used]
        for batch in self.batches(dict.fromkeys(empty, "other")) if empty else ():
            for name, values in zip(empty, batch.columns, strict=True):
                found = values.filter(pc.invert(notation_of(self.options).missing_in(values))).drop_null()
                if len(found):
                    raise refusal(
                        self.name,
                        f"column {name!r} is empty for {_BLOCK >> 20} MB and then holds {shown(found[0].as_py())}; "
                        "leave it out with --exclude, or name the columns with --columns",
                    )

    def _judged(self) -> list[TextColumn]:
        """Return the columns, what they hold judged by the first block; by one thread, which can name a faulty row."""
        reader = self._open(None, threads=False)
        first = next(iter(reader), None)
        if first is None:
            first = pa.RecordBatch.from_pylist([], schema=reader.schema)

        def as_text() -> pa.RecordBatch:
            return next(iter(self._open(dict.fromkeys(first.schema.names, pa.string()), threads=False)))

        return judged(first, as_text, self._head.dialect, self.options)

    def _type(self, name: str, kind: Kind) -> pa.DataType:
        """Return what pyarrow is to read a column as."""
        column = self._columns[name]
        if kind == "number" and column.fault:
            raise refusal(self.name, f"column {name!r} {column.fault}")
        if column.is_boolean and kind != "other":
            return pa.bool_()
        return pa.float64() if kind == "number" and column.notation is None else pa.string()

    def _open(
        self, types: Mapping[str, pa.DataType] | None, *, threads: bool, on_footer: OnFooter = _untold
    ) -> csv.CSVStreamingReader:
        """Start reading, with the types of the columns given, or all of them with the types that they seem to have."""
        convert = {} if types is None else {"column_types": dict(types), "include_columns": list(types)}
        head = self._head
        source: str | TextStream = str(self._path)
        if not head.is_plain:
            source = TextStream(self._path, head.encoding, head.dialect, on_footer)
        return csv.open_csv(
            source,
            read_options=csv.ReadOptions(
                block_size=_BLOCK,
                use_threads=threads,
                skip_rows=head.skip_lines,
                column_names=head.dialect.names,
            ),
            parse_options=csv.ParseOptions(delimiter=head.dialect.delimiter, newlines_in_values=True),
            convert_options=csv.ConvertOptions(
                strings_can_be_null=True,
                null_values=[*csv.ConvertOptions().null_values, *sorted(self.options.missing_texts)],
                **convert,
            ),
        )

    def _tell_footer(self, lines: list[str]) -> None:
        """Say what is left out at the end."""
        self.note(text_head.footer_note(lines))

    def _numbers(self, batch: pa.RecordBatch, wanted: Mapping[str, Kind], start: int) -> pa.RecordBatch:
        """Return a block with its columns of numbers in other notations as numbers."""
        columns = list(batch.columns)
        for index, (name, kind) in enumerate(wanted.items()):
            notation = self._columns[name].notation
            if kind == "number" and notation is not None:
                numbers, fault = self._readings.numbers(name, columns[index], notation, self.options)
                if fault is not None:
                    value = columns[index][fault].as_py()
                    like = self._columns[name].example if notation.words else ""
                    raise not_a_number(self.name, start + fault, name, value, True, like)
                columns[index] = pa.array(numbers)
        return pa.RecordBatch.from_arrays(columns, names=batch.schema.names)

    def _check_numbers(self, texts: pa.Array, start: int, name: str) -> None:
        """Raise if a text is no number in plain notation."""
        fault = first_fault(texts)
        if fault is not None:
            is_number = self._columns[name].kind == "number"
            raise not_a_number(self.name, start + fault, name, texts[fault].as_py(), is_number)

    def _explained(self, wanted: Mapping[str, Kind], error: Exception) -> SourceError:
        """Return what is wrong in the file, found by reading it once more, slowly."""
        start = 0
        try:
            for batch in self._open(dict.fromkeys(wanted, pa.string()), threads=False):
                for index, (name, kind) in enumerate(wanted.items()):
                    column = self._columns[name]
                    if column.is_boolean and kind != "other":
                        _check_booleans(batch.column(index), self.name, start, name)
                    elif kind == "number" and column.notation is None:
                        self._check_numbers(batch.column(index), start, name)
                start += batch.num_rows
        except SourceError as found:
            return found
        except (pa.ArrowInvalid, UnicodeError) as slow_error:
            return _translated(self.name, slow_error, self._head)
        return _translated(self.name, error, self._head)


def _check_booleans(column: pa.Array, table: str, start: int, name: str) -> None:
    """Raise if a text is none of those that mean true and false."""
    known = pa.array(["0", "1", "true", "false"])
    faults = pc.invert(pc.is_in(pc.utf8_lower(column), value_set=known))
    row = pc.and_(faults, column.is_valid()).index(pa.scalar(True)).as_py()
    if row >= 0:
        raise refusal(
            table,
            f"row {start + row + 1}, column {name!r} holds the text {shown(column[row].as_py())}, where others have "
            "true and false; correct it",
        )


@contextlib.contextmanager
def _faults_named(name: str, head: text_head.TextHead) -> Iterator[None]:
    """Turn pyarrow's errors in the block into ours."""
    try:
        yield
    except (pa.ArrowInvalid, UnicodeError) as error:
        raise _translated(name, error, head) from error
    except OSError as error:
        raise refusal(name, f"{error.strerror or error}; check the file") from error


def _translated(name: str, error: Exception, head: text_head.TextHead) -> SourceError:
    """Return pyarrow's error in our words."""
    text = (str(error).splitlines() or [""])[0]
    if isinstance(error, UnicodeError) or "invalid UTF8" in text:
        return text_head.wrong_encoding(name, head.encoding)
    ragged = re.search(r"(?:Row #(\d+): )?Expected (\d+) columns, got (\d+)", text)
    if ragged:
        row = f"row {int(ragged[1]) - head.skip_lines}" if ragged[1] else "a row"
        hint = "; if the table begins further down, give --skip-lines" if row == "row 1" else ""
        if int(ragged[3]) > int(ragged[2]) and head.dialect.delimiter == ",":
            hint += "; numbers with commas stand in quotation marks"
        return refusal(
            name, f"{row} has {ragged[3]} values where the heading has {ragged[2]} names; correct that row{hint}"
        )
    if "Empty CSV" in text or "Could not skip" in text:
        return refusal(name, "it has no rows; give a table with some")
    if "straddling" in text:
        return refusal(name, f"a row is longer than {_BLOCK >> 20} MB; is a quotation mark missing?")
    return refusal(name, f"it is no proper CSV ({text}); correct it")
