"""Commands on tables that may go to a cluster: whether that is worth it, and what may be written there."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bgsub.cli.cluster.written import as_told, at_place, check_outputs
from bgsub.cli.scheduler import connected
from bgsub.errors import OutputError
from bgsub.formats import WRITABLE_TABLES
from bgsub.stores.addresses import is_stored
from bgsub.stores.store_paths import as_path

if TYPE_CHECKING:
    from bgsub.tables.table import Table

logger = logging.getLogger(__name__)

SMALL = 20_000_000
"""Values of a table (rows times columns) up to which one machine is done before a cluster has begun: measured, with
what follows from it, in bgsub/distributed/README.md."""

_PARQUET = (".parquet", ".pq")
_UNFINISHED = "_unfinished"  # in a folder on a store that was not written to its end
_TEXT = (".csv", ".tsv", ".tab", ".txt", ".dat", ".json", ".jsonl", ".ndjson")


def goes_to_a_cluster(options: dict[str, Any], table: Table, n_columns: int) -> bool:
    """Tell whether a command with ``--scheduler`` works on an open table there; log why if it does not.

    Raises
    ------
    ParameterError
        When the table is not Parquet, and so has no parts that workers can read alone.
    """
    if options["scheduler"] is None:
        return False
    n_values, told = _values(table, n_columns)
    if n_values is not None and n_values <= SMALL:
        logger.info(
            "%s has %s, no more than %s: the work is done here, where it takes less time than on a cluster",
            *(table.name, told, f"{SMALL:,}"),
        )
        return False
    from bgsub.tables.parts import parts_of

    parts_of(table, n_columns)
    return True


def _values(table: Table, n_columns: int) -> tuple[int | None, str]:
    """Return how many values a table has, or by its size can have, and the same in words; None where nothing tells."""
    if table.n_rows is not None:
        n_values = table.n_rows * n_columns
        return n_values, f"{n_values:,} values ({table.n_rows:,} rows, {n_columns} columns)"
    path = as_path(table.name)
    if path.suffix.lower() not in _TEXT or not path.is_file():  # what is packed can have any number
        return None, ""
    most = path.stat().st_size // 2  # a digit and a comma
    return most, f"at most {most:,} values, by its size"


def check_tables(
    far: bool, path: str | None, sources: Sequence[str], overwrite: bool, others: Sequence[Any] = ()
) -> None:
    """Raise unless a table can be written: a file, or by a cluster a folder of Parquet files.

    Parameters
    ----------
    far : bool
        Whether a cluster writes it.
    path : str or None
        Where, None for nowhere.
    sources : sequence of str
        What is read.
    overwrite : bool
        Let it be replaced.
    others : sequence of (str or None, sequence of str)
        Other outputs, with their extensions.

    Raises
    ------
    OutputError, ParameterError
        One line that says what is wrong, and what to do.
    """
    is_parquet = path is not None and Path(path).suffix.lower() in _PARQUET
    if not far:
        if is_parquet and _is_folder(path):
            told = as_told(path or "")
            raise OutputError(f"cannot write {told}: it is a folder, which only a cluster writes; choose another name")
        check_outputs([*others, (path, WRITABLE_TABLES)], sources, overwrite)
        return
    check_outputs(others, sources, overwrite)
    if path is None:
        return
    if not is_parquet:
        raise OutputError(
            f"cannot write {'standard output' if path == '-' else as_told(path)}: a cluster writes a folder of Parquet "
            "files; give --output a name such as labels.parquet"
        )
    if _is_folder(path):
        _check_folder(path, sources, overwrite)
        return
    for source in sources:
        check_outputs([(path, _PARQUET)], [source], overwrite)


def _is_folder(path: str | None) -> bool:
    with _answering(path or ""):
        return path is not None and as_path(path).is_dir()


def _check_folder(path: str, sources: Sequence[str], overwrite: bool) -> None:
    """Raise unless a folder that is there may be replaced."""
    folder, told = as_path(path), as_told(path)
    if any(path == source or (_is_here(source) and folder.samefile(source)) for source in sources):
        raise OutputError(f"cannot write {told}: it is the input; choose another name")
    if not overwrite:
        raise OutputError(f"{told} exists; pass --overwrite or choose another name")
    with _answering(path):
        others = [file for file in folder.iterdir() if file.suffix.lower() not in _PARQUET]
    if any(file.name != _UNFINISHED for file in others):
        raise OutputError(f"cannot replace {told}: it holds more than Parquet files; choose another name")


def _is_here(source: str) -> bool:
    return not is_stored(source) and Path(source).exists()


def _answering(path: str) -> AbstractContextManager[None]:
    """Return what makes a line of what a store says to a question about a place to write to."""
    if not is_stored(path):
        return contextlib.nullcontext()
    from bgsub.jobs.staging import store_answers

    return store_answers(as_path(path))


def table_place(far: bool, path: str | None) -> AbstractContextManager[str]:
    """Lend the name under which a table is written: workers put theirs on a store themselves."""
    return contextlib.nullcontext(path or "") if far else at_place(path)


def cluster_for(options: dict[str, Any], far: bool) -> AbstractContextManager[Any]:
    """Return what connects to the cluster that the options name, where a command works there."""
    return connected(options) if far else contextlib.nullcontext()
