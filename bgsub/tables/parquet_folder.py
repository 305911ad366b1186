"""A folder of Parquet files as one table."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
from pyarrow import dataset, parquet

from bgsub.stores.store_paths import StorePath, shown
from bgsub.tables.arrow_table import columns_of
from bgsub.tables.damage import damage_named, undamaged
from bgsub.tables.stored import filesystem_of, place, readable, store_explained
from bgsub.tables.table import BLOCK_ROWS, Kind, Table, refusal

_FILE, _FOLDER = "Parquet file", "folder of Parquet files"
_SUFFIXES = (".parquet", ".pq")
_HIDDEN = (".", "_")
_MOST_FILES = 100_000
_AT_ONCE = 16  # files of which a store is asked: each takes a while to answer

UNFINISHED = "_unfinished"
"""A file that lies in a folder on a store until all others in it are whole: no store renames a folder at once."""


class ParquetFolder(Table):
    """A folder of Parquet files, as Spark, Dask and pyarrow write a large table.

    The files follow each other in the order of their names, those of folders within it too. Of a folder named
    ``year=2024`` the rows have a column ``year``. What begins with a dot or an underscore is passed over, as by those
    who write such folders. Columns that some files lack are missing there.

    Parameters
    ----------
    path : Path
        The folder.
    """

    def __init__(self, path: Path) -> None:
        name = shown(path)
        paths, n_others = _parts(path, name)
        schemas, counts = zip(*_footers(path, paths, name), strict=True)
        self._groups = [
            (str(part.absolute()), number, count)
            for part, of_part in zip(paths, counts, strict=True)
            for number, count in enumerate(of_part)
        ]
        with damage_named(name, _FOLDER):
            self._dataset, self.of_folders = _dataset(path, paths, schemas, name)
            self.schema = self._dataset.schema
            columns = columns_of(self.schema)
        self.path, self._paths = path, paths
        super().__init__(name, columns, sum(count for _, _, count in self._groups))
        if n_others:
            count = "1 file" if n_others == 1 else f"{n_others} files"
            self.note(f"passed over {count} in the folder, not called .parquet or .pq")

    def groups(self) -> Iterator[tuple[str, int, int]]:
        """Yield the groups of rows that the files have: their paths, numbers, and how many rows."""
        yield from self._groups

    def batches(self, wanted: Mapping[str, Kind]) -> Iterator[pa.RecordBatch]:
        """Yield the rows; see `Table.batches`."""
        of_place = {fragment.path: fragment for fragment in self._dataset.get_fragments()}
        for path in self._paths:
            yield from of_fragments(self._dataset, [of_place[place(path)]], list(wanted), shown(path))


def _footers(folder: Path, paths: list[Path], name: str) -> list[tuple[pa.Schema, list[int]]]:
    """Return what `_footer` does of each file."""
    if not isinstance(folder, StorePath):
        return list(map(_footer, paths))
    # The outer of all that silence warnings ends last: what was in force before is so again, whatever threads did.
    with damage_named(name, _FOLDER), ThreadPoolExecutor(_AT_ONCE) as pool:
        return list(pool.map(_footer, paths))


def of_fragments(
    whole: dataset.FileSystemDataset, fragments: Sequence[dataset.ParquetFileFragment], names: list[str], file: str
) -> Iterator[pa.RecordBatch]:
    """Yield the rows of a file, or of some groups of them, with the columns of the whole.

    Parameters
    ----------
    whole : pyarrow.dataset.FileSystemDataset
        All files.
    fragments : sequence of pyarrow.dataset.ParquetFileFragment
        Of one file of these.
    names : list of str
        Columns to read.
    file : str
        What messages call the file.

    Raises
    ------
    SourceError
        When it is damaged.
    """
    some = dataset.FileSystemDataset(list(fragments), whole.schema, whole.format, whole.filesystem)
    scanner = some.scanner(
        columns=names, batch_size=BLOCK_ROWS, batch_readahead=1, fragment_readahead=1, use_threads=False
    )
    yield from undamaged(scanner.to_batches(), file, _FILE)


def _footer(path: Path) -> tuple[pa.Schema, list[int]]:
    """Return the columns of a file, and how many rows its groups have."""
    name = shown(path)
    with damage_named(name, _FILE), parquet.ParquetFile(readable(path, name)) as file:
        counts = [file.metadata.row_group(i).num_rows for i in range(file.metadata.num_row_groups)]
        return file.schema_arrow.remove_metadata(), counts


def _dataset(
    folder: Path, paths: list[Path], schemas: Sequence[pa.Schema], name: str
) -> tuple[dataset.Dataset, pa.Schema]:
    """Return files as one, with the columns of all, and the schema of those that folders' names tell."""
    names = [place(part) for part in paths]
    parts = {
        "partitioning": dataset.HivePartitioning.discover(),
        "partition_base_dir": place(folder),
        "filesystem": filesystem_of(folder),
    }
    told = dataset.dataset(names, format="parquet", schema=None, **parts).partitioning.schema
    try:
        schema = pa.unify_schemas([*dict.fromkeys(schemas), told], promote_options="permissive")
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise refusal(name, f"its files do not agree ({error}); give one of them, or write them anew") from error
    return dataset.dataset(names, format="parquet", schema=schema, **parts), told


def _parts(folder: Path, name: str) -> tuple[list[Path], int]:
    """Return the Parquet files in a folder and the folders in it, sorted; and how many others there are."""
    found: list[Path] = []
    n_others = 0
    for path in _stored_files(folder, name) if isinstance(folder, StorePath) else _files(folder):
        if path.suffix.lower() not in _SUFFIXES:
            n_others += 1
            continue
        if path.is_symlink() and not path.resolve().is_relative_to(folder.resolve()):
            raise refusal(name, f"{path.name} in it is a link to a file elsewhere; put the file itself there")
        found.append(path)
        if len(found) > _MOST_FILES:
            raise refusal(name, f"it has more than {_MOST_FILES:,} files; write them anew as larger ones")
    if not found:
        raise refusal(name, "a folder with no .parquet file in it; give a file, or a folder of Parquet files")
    return sorted(found), n_others


def _files(folder: Path) -> Iterator[Path]:
    """Yield the files in a folder of this machine, and in the folders in it; no link to a folder is followed."""
    for here, folders, files in os.walk(folder):
        folders[:] = [entry for entry in folders if not entry.startswith(_HIDDEN)]
        yield from (Path(here, entry) for entry in files if not entry.startswith(_HIDDEN))


def _stored_files(folder: StorePath, name: str) -> Iterator[Path]:
    """Yield the files in a folder on a store."""
    with store_explained(name):
        found = list(folder.files_below())
    for path in found:
        if path.name == UNFINISHED:
            raise refusal(name, "it was not written to its end; write it again with --overwrite")
        if not any(part.startswith(_HIDDEN) for part in path.relative_to(folder).parts):
            yield path
