"""What a table's model says of Parquet of any size: a file of results for each part, written where it is read."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from functools import reduce
from typing import Any

from distributed import get_client

from bgsub.clustering.anomalies import Scored
from bgsub.clustering.anomalies import score_table as score_here
from bgsub.clustering.model import OnRows, TableModel
from bgsub.clustering.writing import Labelled
from bgsub.clustering.writing import write_labels as write_here
from bgsub.distributed.seeing import check_table
from bgsub.distributed.summing import computed_one_by_one, each, is_wanted
from bgsub.distributed.whole_folder import whole_folder
from bgsub.errors import BgsubError
from bgsub.jobs.staging import written_to
from bgsub.tables.parts import Part, parts_of
from bgsub.tables.reading import ReadOptions
from bgsub.tables.rows import Missing
from bgsub.tables.table import Table


def write_labels(
    folder: str,
    table: Table,
    model: TableModel,
    *,
    missing: Missing = "error",
    kept: Sequence[str] = (),
    on_rows: OnRows = None,
) -> Labelled:
    """Write label, probabilities and log-density of each row, as `bgsub.clustering.writing.write_labels`.

    Parameters
    ----------
    folder : str
        Of Parquet files, one a part of the table, in its order; it appears once all are written. An existing one is
        replaced.
    table : Table
        Open, Parquet. The workers of the client that is connected read and write where this process does.
    model, missing, kept, on_rows
        As there; progress comes part by part.

    Raises
    ------
    ParameterError, SourceError, OutputError
        As there.
    ClusterError
        When the scheduler is lost.
    """
    parts = _parts(table, model, kept)
    with whole_folder(folder) as place:
        check_table(get_client(), [path for part in parts for path, _ in part.groups], place)
        partitions = [(part, str(place / _name(number))) for number, part in enumerate(parts)]
        tasks = each(_label, partitions, model, table.options, missing, tuple(kept))
        found: list[Labelled] = computed_one_by_one(tasks, _counting(parts, on_rows))
    return reduce(Labelled.joined, found)


def score_table(
    table: Table,
    model: TableModel,
    threshold: float | None,
    *,
    top: int = 10,
    output: str | None = None,
    missing: Missing = "error",
    kept: Sequence[str] = (),
    on_rows: OnRows = None,
) -> Scored:
    """Score the rows of a table, and say which are the most unusual, as `bgsub.clustering.anomalies.score_table`.

    Parameters
    ----------
    table : Table
        As of `write_labels`, and so is `output`, a folder.
    model, threshold, top, output, missing, kept, on_rows
        As there; progress comes part by part.

    Raises
    ------
    ParameterError, SourceError, OutputError
        As there.
    ClusterError
        When the scheduler is lost.
    """
    parts = _parts(table, model, kept)
    with whole_folder(output) if output else contextlib.nullcontext() as place:
        check_table(get_client(), [path for part in parts for path, _ in part.groups], place)
        partitions = [(part, str(place / _name(number)) if place else None) for number, part in enumerate(parts)]
        tasks = each(_score, partitions, model, table.options, threshold, top, missing, tuple(kept))
        found: list[Scored] = computed_one_by_one(tasks, _counting(parts, on_rows))
    return reduce(lambda one, other: one.joined(other, top), found)


def _parts(table: Table, model: TableModel, kept: Sequence[str]) -> list[Part]:
    """Return the parts of a table that a model can be asked of."""
    table.check_names(kept)
    return parts_of(table, len(model.preparation_for(table).features.selection(kept=kept).wanted))


def _name(number: int) -> str:
    return f"part-{number:05}.parquet"


def _counting(parts: Sequence[Part], on_rows: OnRows) -> Callable[[int], None]:
    """Return what is told of each part that is done, and tells of how many rows all of them have."""
    done = 0

    def on_done(number: int) -> None:
        nonlocal done
        done += parts[number].n_rows
        if on_rows is not None:
            on_rows(done)

    return on_done


# ------------------------------------------------------------------------------------------------------- on a worker


def _label(
    part: Part, path: str, model: TableModel, options: ReadOptions, missing: Missing, kept: Sequence[str]
) -> Labelled:
    with _written(path) as here, part.open(options) as table:
        return write_here(here, table, model, missing=missing, kept=kept, threads=1)


def _score(
    part: Part,
    path: str | None,
    model: TableModel,
    options: ReadOptions,
    threshold: float | None,
    top: int,
    missing: Missing,
    kept: Sequence[str],
) -> Scored:
    how: dict[str, Any] = {"top": top, "missing": missing, "kept": kept, "threads": 1}
    with _written(path) if path else contextlib.nullcontext() as here, part.open(options) as table:
        return score_here(table, model, threshold, output=here, **how)


@contextlib.contextmanager
def _written(path: str) -> Iterator[str]:
    """Lend a name for a file that goes to where it is wanted at the end of the block, if it still is."""
    with written_to(path) as here:
        yield here
        if not is_wanted():
            raise BgsubError(f"{path} is not wanted any more")
