"""Parquet in parts: groups of rows that whoever sees the files can read alone, numbered as in the whole table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from pyarrow import dataset, parquet

from bgsub.errors import ParameterError
from bgsub.stores.addresses import is_stored
from bgsub.stores.store_paths import as_path, shown
from bgsub.tables.damage import damage_named, undamaged
from bgsub.tables.parquet_folder import ParquetFolder, of_fragments
from bgsub.tables.parquet_table import ParquetTable
from bgsub.tables.reading import DEFAULTS, ReadOptions
from bgsub.tables.stored import filesystem_of, place, readable
from bgsub.tables.table import BLOCK_ROWS, Column, Kind, Table, refusal

_WANTED_PARTS = 256  # of a table: some for each worker of a large cluster
_FEWEST_CELLS, _MOST_CELLS = 1 << 20, 1 << 24  # of a part: 8 and 128 MiB of numbers

_WHAT = "Parquet file"


@dataclass(frozen=True)
class Part:
    """Where some rows of a table lie.

    Attributes
    ----------
    table : str
        What messages call the table.
    groups : tuple of (str, tuple of int)
        Files, and the groups of rows in each.
    columns : tuple of Column
        All columns of the table.
    schema : pyarrow.Schema
        Of the table.
    folder : str or None
        The folder that the files lie in, where the table is one.
    told : pyarrow.Schema or None
        The columns that names of folders in it tell.
    first_row, n_rows : int
        Rows of the table before these, and how many these are.
    """

    table: str
    groups: tuple[tuple[str, tuple[int, ...]], ...]
    columns: tuple[Column, ...]
    schema: pa.Schema
    folder: str | None
    told: pa.Schema | None
    first_row: int
    n_rows: int

    def open(self, options: ReadOptions = DEFAULTS) -> PartTable:
        """Return the rows as a table, read as its whole is to be."""
        table = PartTable(self)
        table.options = options
        return table


class PartTable(Table):
    """A part of a table, of which rows have the numbers that they have in the whole.

    Parameters
    ----------
    part : Part
        Where it lies.
    """

    def __init__(self, part: Part) -> None:
        super().__init__(part.table, part.columns, part.n_rows)
        self._part, self.first_row = part, part.first_row

    def batches(self, wanted: Mapping[str, Kind]) -> Iterator[pa.RecordBatch]:
        """Yield the rows; see `Table.batches`."""
        for path, _ in self._part.groups:
            if not is_stored(path) and not Path(path).is_file():
                raise refusal(self.name, f"a worker sees no file {path}; put it where all of them do")
        read = _of_file if self._part.folder is None else _of_folder
        n_rows = 0
        for batch in undamaged(read(self._part, list(wanted)), self.name, _WHAT):
            n_rows += batch.num_rows
            yield batch
        if n_rows != self._part.n_rows:
            raise refusal(self.name, "it is another file than when the work began; leave it alone, and begin again")


def parts_of(table: Table, n_columns: int) -> list[Part]:
    """Cut a table into parts of whole groups of rows, by what it is alone: whoever works on them, they are the same.

    Parameters
    ----------
    table : Table
        Open.
    n_columns : int
        Columns that will be read: a part has at most about 2^24 of their values, unless a single group has more.

    Raises
    ------
    ParameterError
        When it is not Parquet.
    """
    if isinstance(table, ParquetFolder):
        folder, told, schema = str(table.path.absolute()), table.of_folders, table.schema
    elif isinstance(table, ParquetTable):
        folder, told, schema = None, None, table.schema
    else:
        raise ParameterError(
            f"{table.name} is not Parquet, of which each worker can read rows of its own: write it as Parquet first, "
            "or work on it without a scheduler"
        )
    n_rows = table.n_rows or 0
    most = min(max(n_rows * n_columns // _WANTED_PARTS, _FEWEST_CELLS), _MOST_CELLS) // max(n_columns, 1)
    parts: list[Part] = []
    held: dict[str, list[int]] = {}
    first = count = 0

    def end() -> None:
        nonlocal held, first, count
        if count:
            groups = tuple((path, tuple(numbers)) for path, numbers in held.items())
            parts.append(Part(table.name, groups, table.columns, schema, folder, told, first, count))
        held, first, count = {}, first + count, 0

    for path, group, n in table.groups():
        if count and count + n > most:
            end()
        if n:
            held.setdefault(path, []).append(group)
            count += n
    end()
    if not parts:
        raise refusal(table.name, "it has no rows; give a table with some")
    return parts


def _of_file(part: Part, names: list[str]) -> Iterator[pa.RecordBatch]:
    """Yield groups of rows of one file."""
    ((path, groups),) = part.groups
    with damage_named(part.table, _WHAT), parquet.ParquetFile(readable(as_path(path), part.table)) as file:
        if max(groups) >= file.metadata.num_row_groups:
            raise refusal(part.table, "it is another file than when the work began; leave it alone, and begin again")
        for batch in file.iter_batches(BLOCK_ROWS, row_groups=list(groups), columns=names, use_threads=False):
            batch.validate(full=True)
            yield batch.select(names)


def _of_folder(part: Part, names: list[str]) -> Iterator[pa.RecordBatch]:
    """Yield groups of rows of several files, with what the names of folders tell."""
    folder = as_path(part.folder or "")
    whole = dataset.dataset(
        [place(as_path(path)) for path, _ in part.groups],
        format="parquet",
        filesystem=filesystem_of(folder),
        schema=part.schema,
        partitioning=dataset.HivePartitioning(part.told),
        partition_base_dir=place(folder),
    )
    found = {fragment.path: fragment for fragment in whole.get_fragments()}
    for path, groups in part.groups:
        file = shown(as_path(path))
        with damage_named(file, _WHAT):
            chosen = found[place(as_path(path))].subset(row_group_ids=list(groups))
        yield from of_fragments(whole, [chosen], names, file)
