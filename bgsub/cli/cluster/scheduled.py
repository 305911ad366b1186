"""Commands on tables that may go to a cluster: whether that is worth it, and what may be written there."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bgsub.cli.cluster.options import check_outputs
from bgsub.cli.scheduler import connected
from bgsub.errors import OutputError
from bgsub.formats import WRITABLE_TABLES

if TYPE_CHECKING:
    from bgsub.tables.table import Table

logger = logging.getLogger(__name__)

SMALL = 20_000_000
"""Values of a table (rows times columns) up to which one machine is done before a cluster has begun: measured, with
what follows from it, in bgsub/distributed/README.md."""

_PARQUET = (".parquet", ".pq")


def goes_to_a_cluster(options: dict[str, Any], table: Table, n_columns: int) -> bool:
    """Tell whether a command with ``--scheduler`` works on an open table there; log why if it does not.

    Raises
    ------
    ParameterError
        When the table is not Parquet, and so has no parts that workers can read alone.
    """
    if options["scheduler"] is None:
        return False
    from bgsub.tables.parts import parts_of

    parts_of(table, n_columns)
    n_rows = table.n_rows or 0
    if n_rows * n_columns > SMALL:
        return True
    logger.info(
        "%s has %s values (%s rows, %d columns), no more than %s: the work is done here, where it takes less time than "
        "on a cluster",
        *(table.name, f"{n_rows * n_columns:,}", f"{n_rows:,}", n_columns, f"{SMALL:,}"),
    )
    return False


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
    if not far:
        if path is not None and Path(path).is_dir() and Path(path).suffix.lower() in _PARQUET:
            raise OutputError(f"cannot write {path}: it is a folder, which only a cluster writes; choose another name")
        check_outputs([*others, (path, WRITABLE_TABLES)], sources, overwrite)
        return
    check_outputs(others, sources, overwrite)
    if path is None:
        return
    if Path(path).suffix.lower() not in _PARQUET:
        raise OutputError(
            f"cannot write {'standard output' if path == '-' else path}: a cluster writes a folder of Parquet files; "
            "give --output a name such as labels.parquet"
        )
    if Path(path).is_dir():
        if any(Path(source).exists() and Path(path).samefile(source) for source in sources):
            raise OutputError(f"cannot write {path}: it is the input; choose another name")
        if not overwrite:
            raise OutputError(f"{path} exists; pass --overwrite or choose another name")
        if any(file.suffix.lower() not in _PARQUET for file in Path(path).iterdir()):
            raise OutputError(f"cannot replace {path}: it holds more than Parquet files; choose another name")
        return
    for source in sources:
        check_outputs([(path, _PARQUET)], [source], overwrite)


def cluster_for(options: dict[str, Any], far: bool) -> AbstractContextManager[Any]:
    """Return what connects to the cluster that the options name, where a command works there."""
    return connected(options) if far else contextlib.nullcontext()
