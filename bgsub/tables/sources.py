"""From a name, or what is in memory, to a table: the one place that knows which reader takes what."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import stat
import sys
import tempfile
from pathlib import Path, PurePath
from typing import IO, Any

from bgsub.stores.addresses import is_stored, without_secrets
from bgsub.stores.store_paths import StorePath
from bgsub.stores.stored_file import WINDOW, StoredFile
from bgsub.tables.arrow_table import ArrowFile, ArrowStream, FirstFeather
from bgsub.tables.contents import Contents, contents_of
from bgsub.tables.csv_table import CsvTable
from bgsub.tables.excel_table import open_excel
from bgsub.tables.json_table import open_json
from bgsub.tables.memory_table import table_in_memory
from bgsub.tables.numpy_table import open_npy, open_npz
from bgsub.tables.parquet_table import ParquetTable
from bgsub.tables.reading import DEFAULTS, ReadOptions
from bgsub.tables.stored import store_explained
from bgsub.tables.table import Table, refusal
from bgsub.tables.unpacking import COMPRESSIONS, decompressed, members, no_room, only_member, unpacked

logger = logging.getLogger(__name__)

_PROMISES: dict[str, tuple[Contents, ...]] = {  # what a file is, if its first bytes are those of nothing else
    ".parquet": ("Parquet",),
    ".pq": ("Parquet",),
    ".npy": ("NPY",),
    ".npz": ("NPZ", "ZIP"),
    ".xlsx": ("Excel workbook", "ZIP"),
    ".xlsm": ("Excel workbook", "ZIP"),
    ".feather": ("Arrow", "Feather"),
    ".arrow": ("Arrow", "Arrow stream"),
    ".ipc": ("Arrow", "Arrow stream"),
    ".arrows": ("Arrow stream", "Arrow"),
    ".jsonl": ("JSON",),
    ".ndjson": ("JSON",),
    ".json": ("JSON",),
    ".gz": ("gzip",),
    ".bz2": ("bzip2",),
    ".xz": ("xz",),
    ".zst": ("Zstandard",),
    ".zip": ("ZIP", "NPZ", "Excel workbook"),
}
_COMPRESSED = (".gz", ".bz2", ".xz", ".zst")
_TEXT = (".csv", ".tsv", ".tab", ".txt", ".dat")


TableLike = str | os.PathLike[str] | Any
"""What `open_table` takes."""


def open_table(source: TableLike, options: ReadOptions = DEFAULTS) -> Table:
    """Open a table by its name, or one that is in memory.

    Parameters
    ----------
    source : path-like, pyarrow.Table, pandas.DataFrame, mapping of str to column, or ndarray
        A file of text (.csv, .tsv, .tab, .txt, .dat, ...), Parquet (.parquet, .pq), Arrow (.arrow, .feather, .arrows),
        JSON (.jsonl, .ndjson, .json), NumPy (.npy, .npz) or Excel (.xlsx); packed with gzip, bzip2, xz or Zstandard, or
        alone in a .zip; or a folder of Parquet files. What a file is its first bytes tell, and where these do not, its
        extension. It may lie on a store (``s3://bucket/a.parquet``): Parquet is read from there, all else is copied to
        a temporary file first, and so is "-", standard input. What is in memory is as
        `bgsub.tables.memory_table.table_in_memory` takes it.
    options : ReadOptions, optional
        What is to be known of the table, where the file does not tell; of tables that are not text only `na` counts,
        and `header`, `skip_lines` and `sheet` of workbooks.

    Returns
    -------
    Table
        A context manager.

    Raises
    ------
    SourceError
        When there is no such file, or it is no table; one line that says what to do.
    """
    if not isinstance(source, (str, os.PathLike)):
        table = table_in_memory(source)
    else:
        with contextlib.ExitStack() as stack:
            if os.fspath(source) == "-":
                table = _opened(_standard_input(stack), "standard input", "", options, stack)
            elif is_stored(source):
                table = _stored(StorePath(source), options, stack)
            elif "://" in os.fspath(source):
                name = without_secrets(os.fspath(source))
                raise refusal(name, "tables are read from disks and stores (s3://, ...); copy it to one of these")
            else:
                table = _named(Path(source), options, stack)
            table.keep(stack.pop_all())
    table.options = options
    return table


def _named(path: Path, options: ReadOptions, stack: contextlib.ExitStack) -> Table:
    """Open a file or a folder."""
    name = str(path)
    if not (path.is_file() or path.is_dir()):
        raise refusal(name, f"{'not a file' if path.exists() else 'no such file'}; check the path")
    if not os.access(path, os.R_OK):
        raise refusal(name, "no permission; change it with chmod")
    if path.is_dir():
        from bgsub.tables.parquet_folder import ParquetFolder  # whose library imports pandas, for most of a second

        return ParquetFolder(path)
    return _opened(path, name, path.name, options, stack)


def _stored(path: StorePath, options: ReadOptions, stack: contextlib.ExitStack) -> Table:
    """Open a file or a folder on a store: Parquet is read where it lies, all else from a copy here."""
    name = path.shown
    with store_explained(name):
        found = path.stat()
    if stat.S_ISDIR(found.st_mode):
        from bgsub.tables.parquet_folder import ParquetFolder  # as in `_named`

        return ParquetFolder(path)
    if contents_of(path, name) == "Parquet":
        return ParquetTable(path, name)
    here = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bgsub-"))) / "table"
    with here.open("wb") as file, store_explained(name), path.open_stored(WINDOW) as stored:
        _copied(stored, file)
    return _opened(here, name, path.name, options, stack)


def _copied(stored: StoredFile, file: IO[bytes]) -> None:
    """Copy what lies on a store; raises OutputError where there is no room for it here."""
    while block := stored.read(WINDOW):
        try:
            file.write(block)
        except OSError as error:
            raise no_room(error) from error


def _standard_input(stack: contextlib.ExitStack) -> Path:
    """Return a temporary file with what comes on standard input, so that it can be read more than once."""
    path = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bgsub-"))) / "standard-input"
    with path.open("wb") as file:
        shutil.copyfileobj(sys.stdin.buffer, file)
    return path


def _opened(
    path: Path, name: str, called: str, options: ReadOptions, stack: contextlib.ExitStack, *, packed: bool = False
) -> Table:
    """Open a file.

    Parameters
    ----------
    path : Path
        Where it is.
    name : str
        What messages call it.
    called : str
        The file's name, of which the extension counts: that of the member of an archive.
    options : ReadOptions
        As of `open_table`.
    stack : ExitStack
        Deletes temporary files.
    packed : bool
        Whether it came out of an archive.
    """
    suffix = PurePath(called).suffix.lower()
    promised = _PROMISES.get(suffix, ())
    contents = contents_of(path, name)
    if contents == "ZIP":
        contents = _kind_of_archive(path, name, promised)
    if packed and (contents in COMPRESSIONS or contents == "ZIP"):
        raise refusal(name, "it is packed twice; unpack it first")
    if contents in COMPRESSIONS:
        inner = decompressed(path, contents, name, stack)
        rest = called[: -len(suffix)] if suffix in _COMPRESSED else called
        return _opened(inner, name, rest, options, stack, packed=True)
    if contents == "ZIP":
        member = only_member(path, name)
        return _opened(unpacked(path, member, name, stack), name, member.filename, options, stack, packed=True)
    table = _read(path, name, contents if contents != "unknown" or not promised else promised[0], options)
    if contents != "unknown" and contents not in promised and (promised or suffix in _TEXT):
        table.note(f"read as {contents}, which it is in spite of its extension {suffix}")
    return table


def _kind_of_archive(path: Path, name: str, promised: tuple[Contents, ...]) -> Contents:
    """Return what a ZIP archive is: a workbook, arrays of NumPy, or one to unpack."""
    if promised[:1] == ("NPZ",):
        return "NPZ"
    names = {
        info.filename
        for info in members(path, name, "Excel workbook" if "Excel workbook" in promised[:1] else "ZIP archive")
    }
    if "xl/workbook.xml" in names or promised[:1] == ("Excel workbook",):
        return "Excel workbook"
    for member, what in (
        ("xl/workbook.bin", "a binary workbook (.xlsb)"),
        ("content.xml", "an OpenDocument file (.ods)"),
    ):
        if member in names:
            raise refusal(name, f"it is {what}; save it as .xlsx or .csv")
    return "NPZ" if names and all(member.endswith(".npy") for member in names) else "ZIP"


def _read(path: Path, name: str, contents: Contents, options: ReadOptions) -> Table:
    """Open a file that is not packed with its reader."""
    match contents:
        case "Parquet":
            return ParquetTable(path, name)
        case "Arrow":
            return ArrowFile(path, name)
        case "Arrow stream":
            return ArrowStream(path, name)
        case "Feather":
            return FirstFeather(path, name)
        case "NPY":
            return open_npy(path, name)
        case "NPZ":
            return open_npz(path, name)
        case "Excel workbook":
            return open_excel(path, name, options)
        case "JSON":
            return open_json(path, name)
    return _warned(CsvTable(path, name, options))


def _warned(table: CsvTable) -> CsvTable:
    """Say so if the heading looks like a row of data."""
    if table.heading_is_numbers:
        logger.warning(
            "%s: the first line, taken for the names of columns, looks like a row; if it is one, give --no-header",
            table.name,
        )
    return table
