"""CSV, plain or compressed: read in blocks by pyarrow; its faults named by row and column."""

from __future__ import annotations

import contextlib
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import pyarrow as pa
from pyarrow import csv

from bgsub.errors import SourceError
from bgsub.tables.reading import DEFAULTS, ReadOptions
from bgsub.tables.table import Column, Kind, Table, is_text, kind_of, refusal
from bgsub.tables.values import as_numbers, is_number

_BLOCK = 1 << 22  # bytes; a row must fit into it
_PROBED = 1000  # values that decide whether a column of text is one of numbers with a fault in it
_NUMBERS_OF_A_NUMBER_COLUMN = 0.5
_DELIMITERS = ",;\t|"


class CsvTable(Table):
    """A CSV file with a heading; values separated by comma, semicolon, tab or bar, whichever the heading has most of.

    Empty fields, NA, NaN, null and the like are missing values. A column is one of numbers if all its values in the
    first 4 MB are, or most of the first 1000: then the others are reported as faults, not taken for text.

    Parameters
    ----------
    path : Path
        The file; .gz, .bz2 and .zst are decompressed on the way.
    name : str, optional
        What messages call it.
    options : ReadOptions
        What is known of it.
    """

    def __init__(self, path: Path, name: str | None = None, options: ReadOptions = DEFAULTS) -> None:
        self._path = path
        self.options = options
        self._delimiter = _delimiter(path, name or str(path))
        with _faults_named(name or str(path)):
            columns = self._columns()
        super().__init__(name or str(path), columns, None, named=options.header)

    @property
    def heading_is_numbers(self) -> bool:
        """Whether all names are numbers, so that the heading may be a row of data."""
        return all(is_number(column.name) for column in self.columns)

    def batches(self, wanted: Mapping[str, Kind]) -> Iterator[pa.RecordBatch]:
        """Yield the rows, number columns as float64, all others as text, long numbers in them to the last digit."""
        types = {name: pa.float64() if kind == "number" else pa.string() for name, kind in wanted.items()}
        try:
            for batch in self._open(types, threads=True):
                if batch.num_rows:
                    yield batch
        except (pa.ArrowInvalid, UnicodeDecodeError) as error:
            raise self._explained(wanted, error) from error
        except OSError as error:
            raise refusal(self.name, f"{error.strerror or error}; check the file") from error

    def _columns(self) -> list[Column]:
        """Return the columns, what they hold judged by the first block; by one thread, which can name a faulty row."""
        reader = self._open(None, threads=False)
        batch = next(iter(reader), None)
        if batch is None:
            batch = pa.RecordBatch.from_pylist([], schema=reader.schema)
        return [Column(field.name, _kind(batch, index)) for index, field in enumerate(batch.schema)]

    def _open(self, types: Mapping[str, pa.DataType] | None, *, threads: bool) -> csv.CSVStreamingReader:
        """Start reading, with the types of the columns given, or all of them with the types that they seem to have."""
        convert = {} if types is None else {"column_types": dict(types), "include_columns": list(types)}
        told = self.options
        return csv.open_csv(
            self._path,
            read_options=csv.ReadOptions(
                block_size=_BLOCK,
                use_threads=threads,
                skip_rows=told.skip_lines or 0,
                autogenerate_column_names=not told.header,
                encoding=told.encoding or "utf8",
            ),
            parse_options=csv.ParseOptions(delimiter=self._delimiter, newlines_in_values=True),
            convert_options=csv.ConvertOptions(
                strings_can_be_null=True,
                null_values=[*csv.ConvertOptions().null_values, *sorted(told.missing_texts)],
                decimal_point=told.decimal or ".",
                **convert,
            ),
        )

    def _explained(self, wanted: Mapping[str, Kind], error: Exception) -> SourceError:
        """Return what is wrong in the file, found by reading it once more, slowly."""
        start = 0
        try:
            for batch in self._open(dict.fromkeys(wanted, pa.string()), threads=False):
                for index, (name, kind) in enumerate(wanted.items()):
                    if kind == "number":
                        as_numbers(batch.column(index), self.name, start, name)
                start += batch.num_rows
        except SourceError as found:
            return found
        except (pa.ArrowInvalid, UnicodeDecodeError) as slow_error:
            return _translated(self.name, slow_error)
        return _translated(self.name, error)


def _delimiter(path: Path, name: str) -> str:
    """Return the character that the heading has most of, of those that separate values."""
    try:
        with pa.input_stream(str(path)) as stream:
            head = stream.read(1 << 16)
    except (OSError, pa.ArrowInvalid) as error:
        reason = getattr(error, "strerror", None) or "it is not what its extension says"
        raise refusal(name, f"{reason}; check the file") from error
    if b"\0" in head:
        raise refusal(name, "it is not a table of text; give CSV, Parquet, NPY or NPZ")
    line = head.lstrip(b"\r\n").split(b"\n", 1)[0].decode("utf-8", "replace")
    counts = Counter(c for c in re.sub(r'"[^"]*"', "", line) if c in _DELIMITERS)
    return counts.most_common(1)[0][0] if counts else ","


def _kind(batch: pa.RecordBatch, index: int) -> Kind:
    """Return what a column of the first block holds."""
    column = batch.column(index)
    if pa.types.is_null(column.type):  # empty so far
        return "number"
    if not is_text(column.type):
        return kind_of(column.type)
    values = [value for value in column.slice(0, _PROBED).to_pylist() if value is not None]
    share = sum(map(is_number, values)) / len(values) if values else 0.0
    return "number" if share > _NUMBERS_OF_A_NUMBER_COLUMN else "category"


@contextlib.contextmanager
def _faults_named(name: str) -> Iterator[None]:
    """Turn pyarrow's errors in the block into ours."""
    try:
        yield
    except (pa.ArrowInvalid, UnicodeDecodeError) as error:
        raise _translated(name, error) from error
    except OSError as error:
        raise refusal(name, f"{error.strerror or error}; check the file") from error


def _translated(name: str, error: Exception) -> SourceError:
    """Return pyarrow's error in our words."""
    text = (str(error).splitlines() or [""])[0]
    if isinstance(error, UnicodeDecodeError) or "invalid UTF8" in text:
        return refusal(name, "it is not UTF-8 text; save it as CSV in UTF-8")
    if "Empty CSV" in text:
        return refusal(name, "it is empty; give a table with a heading and rows")
    ragged = re.search(r"(?:Row #(\d+): )?Expected (\d+) columns, got (\d+)", text)
    if ragged:
        row = f"row {int(ragged[1]) - 1}" if ragged[1] else "a row"  # pyarrow counts the heading
        return refusal(name, f"{row} has {ragged[3]} values where the heading has {ragged[2]} names; correct that row")
    if "straddling" in text:
        return refusal(name, f"a row is longer than {_BLOCK >> 20} MB; is a quotation mark missing?")
    return refusal(name, f"it is no proper CSV ({text}); correct it")
