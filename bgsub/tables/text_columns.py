"""What the columns of a file of text hold, judged by its first rows; where one does not tell, by the others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import pyarrow as pa
import pyarrow.compute as pc

from bgsub.tables.dialect import Dialect
from bgsub.tables.notation import Notation, possible, tidied
from bgsub.tables.reading import Decimal, ReadOptions
from bgsub.tables.table import Kind, is_text, shown

_THOUSANDS = r"^[-+]?[1-9]\d{0,2}(\.\d{3})+$"  # which may be a number with a fraction of three digits, too


@dataclass(frozen=True)
class TextColumn:
    """A column of a file of text.

    Attributes
    ----------
    name : str
        Its name.
    kind : {"number", "category", "other"}
        What it holds.
    notation : Notation or None
        How its numbers are written; None where a computer reads them as they are.
    what : str
        What it holds that is no number, with an example.
    example : str
        One of its values, of numbers one that shows how they are written.
    fault : str
        Why its numbers cannot be read.
    is_boolean : bool
        Whether its values are true and false.
    """

    name: str
    kind: Kind
    notation: Notation | None = None
    what: str = ""
    example: str = ""
    fault: str = ""
    is_boolean: bool = False


@dataclass(frozen=True)
class _Doubtful:
    """A column whose numbers can be read in two ways."""

    readings: dict[Decimal, tuple[Notation, float]]
    example: str


def judged(
    first: pa.RecordBatch, as_text: Callable[[], pa.RecordBatch], dialect: Dialect, options: ReadOptions
) -> list[TextColumn]:
    """Return what the columns of a file of text hold.

    Parameters
    ----------
    first : pyarrow.RecordBatch
        Its first rows, of the types that they seem to have.
    as_text : callable
        Returns the same rows as text.
    dialect : Dialect
        How the file is laid out.
    options : ReadOptions
        What is known of it.
    """
    columns: list[TextColumn] = []
    doubtful: dict[int, _Doubtful] = {}
    for index, field in enumerate(first.schema):
        column = _typed(field.name, first.column(index))
        if column is None:
            texts = _present(first.column(index), options)
            readings = possible(texts, options.decimal)
            if len(readings) == 2:
                doubtful[index] = _Doubtful(readings, _example(_fitting(texts, readings)))
            column = _of_text(field.name, texts, readings)
        columns.append(_of_rows(column, first.column(index), index, dialect, options.header))
    commas = any(c.notation is not None and c.notation.decimal == "," for c in columns)
    if len(first) and (doubtful or commas or options.decimal == ","):
        _settle(columns, doubtful, as_text(), dialect, options)
    return columns


def _typed(name: str, values: pa.Array) -> TextColumn | None:
    """Return what a column holds whose type tells it; None for one of text."""
    if is_text(values.type):
        return None
    if pa.types.is_null(values.type):
        return TextColumn(name, "other", what="empty") if len(values) else TextColumn(name, "number")
    if pa.types.is_boolean(values.type):
        return TextColumn(name, "category", what="true and false", is_boolean=True)
    if pa.types.is_temporal(values.type):
        example = str(values.drop_null()[0].as_py())
        what = "times" if pa.types.is_time(values.type) else "dates"
        return TextColumn(name, "other", what=f"{what} such as {shown(example)}", example=example)
    return TextColumn(name, "number")


def _present(values: pa.Array, options: ReadOptions) -> pa.Array:
    """Return the tidied texts of a column that do not mean a missing value."""
    texts = tidied(values.drop_null())
    return texts.filter(pc.invert(notation_of(options).missing_in(texts)))


def notation_of(options: ReadOptions) -> Notation:
    """Return plain numbers, with the values that mean missing."""
    return Notation(missing=frozenset(text.lower() for text in options.missing_texts))


def _of_text(name: str, texts: pa.Array, readings: dict[Decimal, tuple[Notation, float]]) -> TextColumn:
    """Return what a column of text holds; of one that can be read in two ways the first."""
    if not len(texts):
        return TextColumn(name, "other", what="empty")
    if not readings:
        odd = texts.filter(pc.invert(pc.match_substring_regex(texts, Notation().pattern)))
        example = (odd if len(odd) else texts)[0].as_py()
        return TextColumn(name, "category", what=f"text such as {shown(example)}", example=example)
    ((notation, _), *_) = readings.values()
    return TextColumn(name, "number", notation, example=_example(_fitting(texts, readings)))


def _fitting(texts: pa.Array, readings: dict[Decimal, tuple[Notation, float]]) -> pa.Array:
    """Return the texts that fit all of some notations; those of the first if there is none."""
    ((first, _), *others) = readings.values()
    found = texts.filter(pc.match_substring_regex(texts, first.pattern))
    for notation, _ in others:
        both = found.filter(pc.match_substring_regex(found, notation.pattern))
        found = both if len(both) else found
    return found


def _example(texts: pa.Array) -> str:
    """Return the longest of the first texts: it shows most of how they are written."""
    return max(texts.slice(0, 100).to_pylist(), key=len)


def _of_rows(column: TextColumn, values: pa.Array, index: int, dialect: Dialect, has_names: bool) -> TextColumn:
    """Return a column with what the first rows' text tells: numbers of base 16 are text, and rows may have names."""
    if column.name == dialect.row_names:
        return replace(column, kind="other", what="the names of the rows")
    written = [row.values[index] for row in dialect.rows if index < len(row.values)]
    hexadecimal = next((value for value in written if value.lower().startswith("0x")), None)
    if column.kind == "number" and hexadecimal:
        return replace(column, kind="category", what=f"text such as {shown(hexadecimal)}", example=hexadecimal)
    if index == 0 and column.name in dialect.unnamed and has_names and _counts(values):
        return replace(column, kind="other", what="without a name, which counts the rows")
    return column


def _counts(values: pa.Array) -> bool:
    """Tell whether values are 0, 1, 2, ... or 1, 2, 3, ...."""
    if not pa.types.is_integer(values.type) or values.null_count or values[0].as_py() not in (0, 1):
        return False
    return bool(pc.all(pc.equal(pc.pairwise_diff(values).drop_null(), 1), min_count=0).as_py())


def _settle(
    columns: list[TextColumn],
    doubtful: dict[int, _Doubtful],
    texts: pa.RecordBatch,
    dialect: Dialect,
    options: ReadOptions,
) -> None:
    """Decide what a comma and a point mean where a column alone does not tell: what they mean elsewhere in the file."""
    pointed, fractions = [], False
    commas = any(
        c.notation is not None and c.notation.decimal == "," and index not in doubtful
        for index, c in enumerate(columns)
    )
    for index, column in enumerate(columns):
        if column.kind == "number" and index not in doubtful and (column.notation or Notation()).is_plain:
            written = _present(texts.column(index), options)
            written = written.filter(pc.match_substring(written, "."))
            if len(written) and pc.all(pc.match_substring_regex(written, _THOUSANDS)).as_py():
                pointed.append((index, _example(written)))
            elif len(written):
                fractions = True
                if options.decimal == ",":
                    example = _example(written)
                    what = f"numbers such as {shown(example)}, which has no decimal comma"
                    columns[index] = replace(column, kind="category", what=what, example=example)
        elif column.notation is not None and column.notation.decimal == "." and index not in doubtful:
            fractions = fractions or "." in column.example
    meaning = options.decimal or _meaning(commas, fractions, bool(pointed), bool(doubtful), dialect)
    if meaning == ",":
        for index, example in pointed:
            columns[index] = replace(columns[index], notation=Notation(",", "."), example=example)
    for index, doubt in doubtful.items():
        columns[index] = _decided(columns[index], doubt, meaning)


def _meaning(commas: bool, fractions: bool, pointed: bool, doubtful: bool, dialect: Dialect) -> Decimal | None:
    """Return the decimal sign of a file, None where it does not tell."""
    if commas or fractions:
        return None if commas and fractions else "," if commas else "."
    comma_is_free = dialect.delimiter in ";\t" and not dialect.is_aligned
    return "," if doubtful and comma_is_free and not pointed else None


def _decided(column: TextColumn, doubt: _Doubtful, meaning: Decimal | None) -> TextColumn:
    """Return a column that can be read in two ways, read in the one that is right."""
    if meaning is not None:
        return replace(column, notation=doubt.readings[meaning][0], example=doubt.example)
    readings = []
    for notation, _ in doubt.readings.values():
        numbers, _ = notation.numbers(pa.array([doubt.example]))
        readings.append((f"{numbers[0]:.15g}", notation.decimal))
    words = " or ".join(f"{number} (--decimal {decimal})" for number, decimal in readings)
    return replace(column, fault=f"holds {shown(doubt.example)}, which may be {words}: say which")
