"""What every table is, whatever its file: named columns of one kind each, and blocks of rows."""

from __future__ import annotations

import abc
import contextlib
import datetime
import logging
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Literal, Self

import pyarrow as pa

from bgsub.errors import ParameterError, SourceError
from bgsub.tables.reading import DEFAULTS, ReadOptions

logger = logging.getLogger(__name__)

BLOCK_ROWS = 65_536
"""Most rows of a block: large enough that what is done once a block does not count, small enough for any memory."""

Kind = Literal["number", "category", "other"]
"""What a column holds: numbers; text, truth values or a few named values; dates, lists and the rest."""

_SHOWN_NAMES = 20
_SHOWN_CHARACTERS = 40


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its name, and what it holds."""

    name: str
    kind: Kind


class Table(abc.ABC):
    """A table that can be read any number of times, in blocks of rows.

    Parameters
    ----------
    name : str
        What messages call it: its path as it was given.
    columns : iterable of Column
        Its columns, in their order.
    n_rows : int or None
        Rows, None where only reading all of it tells.
    named : bool
        Whether the columns have names of their own, not only places.

    Attributes
    ----------
    notes : list of str
        What its reader found out by itself, or left out: a line each.
    options : ReadOptions
        What its reader was told.

    Raises
    ------
    SourceError
        When there is no column, or two have one name.
    """

    options: ReadOptions = DEFAULTS
    first_row = 0  # rows of the whole table before these, where it is a part

    def __init__(self, name: str, columns: Iterable[Column], n_rows: int | None, *, named: bool = True) -> None:
        self.name = printable(name)
        self.columns = tuple(columns)
        self.n_rows = n_rows
        self.named = named
        self.notes: list[str] = []
        self._stack = contextlib.ExitStack()
        if not self.columns:
            raise refusal(name, "it has no columns; give a table with at least one")
        twice = [column for column, count in Counter(c.name for c in self.columns).items() if count > 1]
        if twice:
            raise refusal(name, f"it has two columns named {twice[0]!r}; rename one")

    def note(self, line: str) -> None:
        """Say what was found out of the table: once, in the log, and in `notes`."""
        if line not in self.notes:
            self.notes.append(line)
            logger.info("%s", line)

    @abc.abstractmethod
    def batches(self, wanted: Mapping[str, Kind]) -> Iterator[pa.RecordBatch]:
        """Yield the rows from the first, in blocks of at most about `BLOCK_ROWS`.

        Parameters
        ----------
        wanted : mapping of str to {"number", "category", "other"}
            The columns to read, and what to read them as; "other" leaves them as they are.

        Yields
        ------
        pyarrow.RecordBatch
            The columns wanted, in that order. Number columns may come as any type that can be cast to float64.

        Raises
        ------
        SourceError
            When the table is damaged, or is not what its beginning promised.
        """

    def close(self) -> None:
        """Let go of what reading needs."""
        self._stack.close()

    def keep(self, stack: contextlib.ExitStack) -> None:
        """Close a stack, such as of temporary files, when the table is closed."""
        self._stack.push(stack)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def check_names(self, names: Iterable[str]) -> None:
        """Raise ParameterError, with a list of what there is, unless all of `names` are columns."""
        present = [column.name for column in self.columns]
        for name in names:
            if name not in present:
                raise ParameterError(f"{self.name} has no column {name!r}: there are {listed(present)}")

    def left_out(self, name: str) -> str:
        """Return what a column that is none of numbers holds, with an example: why it is left out."""
        kind = next(column.kind for column in self.columns if column.name == name)
        for batch in self.batches({name: kind}):
            values = batch.column(0).drop_null()
            if len(values):
                return _what(values[0].as_py())
        return "empty"

    def told(self, names: Iterable[str]) -> list[str]:
        """Return how the reader understood columns that have been read, a line each thing; `notes` is of all others."""
        return []

    def check_left_out(self, used: Collection[str]) -> None:
        """Raise SourceError if a column that is not used because its beginning is empty has values further down."""
        return

    def numeric_columns(self, without: Sequence[str] = ()) -> tuple[str, ...]:
        """Return the names of all columns of numbers but those in `without`."""
        return tuple(c.name for c in self.columns if c.kind == "number" and c.name not in without)


def refusal(name: str, reason: str) -> SourceError:
    """Return the error that says why a table cannot be read."""
    return SourceError(f"cannot read {printable(name)}: {reason}")


def printable(text: str) -> str:
    """Return a text as it can stand in a line on a terminal, whatever characters it has."""
    return text if text.isprintable() else ascii(text)


def shown(value: str) -> str:
    """Return a value in quotation marks, its beginning if it is long, as it can stand in a line."""
    return repr(value if len(value) <= _SHOWN_CHARACTERS else f"{value[:_SHOWN_CHARACTERS]}...")


def listed(names: Sequence[str]) -> str:
    """Return names in words, the first few of many."""
    shown = ", ".join(map(printable, names[:_SHOWN_NAMES]))
    rest = len(names) - _SHOWN_NAMES
    return f"{shown} and {rest} more" if rest > 0 else shown


def _what(value: object) -> str:
    """Return in words what kind of value it is, with the value."""
    if isinstance(value, bool):
        return "true and false"
    if isinstance(value, str):
        return f"text such as {shown(value)}"
    if isinstance(value, datetime.time | datetime.timedelta):
        return f"times such as {shown(str(value))}"
    if isinstance(value, datetime.date):
        return f"dates such as {shown(str(value))}"
    return f"values such as {shown(str(value))}"


def kind_of(type_: pa.DataType) -> Kind:
    """Return what a column of an Arrow type holds."""
    type_ = plain_type(type_)
    if pa.types.is_integer(type_) or pa.types.is_floating(type_) or pa.types.is_decimal(type_):
        return "number"
    return "category" if is_text(type_) or pa.types.is_boolean(type_) else "other"


def plain_type(type_: pa.DataType) -> pa.DataType:
    """Return a type without what only says how its values are stored: dictionaries, run ends, extensions, views."""
    while True:
        if isinstance(type_, pa.BaseExtensionType):
            type_ = pa.bool_() if type_.extension_name == "arrow.bool8" else type_.storage_type
        elif pa.types.is_dictionary(type_) or pa.types.is_run_end_encoded(type_):
            type_ = type_.value_type
        elif str(type_) == "string_view":  # of pyarrow 16 and later
            return pa.string()
        else:
            return type_


def is_text(type_: pa.DataType) -> bool:
    """Tell whether an Arrow type is text."""
    return pa.types.is_string(type_) or pa.types.is_large_string(type_)
