"""Tables that a model makes, written block by block: the rows' labels, and rows drawn from the clusters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from bgsub.clustering.left_out import LeftOut
from bgsub.clustering.model import OnRows, TableModel
from bgsub.errors import ParameterError
from bgsub.tables.rows import Missing
from bgsub.tables.table import Table
from bgsub.tables.writing import table_writer


class Labelled(NamedTuple):
    """What was written of a table.

    Attributes
    ----------
    sizes : ndarray of int64, shape (K,)
        Rows of each cluster.
    left_out : LeftOut
        Those that the model says nothing of.
    n_noise : int
        Those that belong to no cluster.
    """

    sizes: np.ndarray
    left_out: LeftOut
    n_noise: int

    def joined(self, other: Labelled) -> Labelled:
        """Return the same of this part and one after it."""
        left_out = LeftOut()
        for part in (self, other):
            left_out.merge(part.left_out)
        return Labelled(self.sizes + other.sizes, left_out, self.n_noise + other.n_noise)


def write_labels(
    path: str,
    table: Table,
    model: TableModel,
    *,
    missing: Missing = "error",
    kept: Sequence[str] = (),
    on_rows: OnRows = None,
    threads: int | None = None,
) -> Labelled:
    """Write label, probabilities and log-density of each row.

    A row with a missing value gets label -1 and nothing else, one with a category that was not learned nothing at all,
    so that the rows stay those of the table. Of a model with noise, or of trimmed rows, there is a column "noise" too,
    -1 is the label of a row that belongs to no cluster, and one with a missing value has an empty label.

    Parameters
    ----------
    path : str
        In .csv or .parquet, or "-" for CSV on standard output.
    table : Table
        Open.
    model : TableModel
        Whose clusters.
    missing : {"error", "drop", "em"}
        What to do with rows in which a value is missing.
    kept : sequence of str
        Columns to copy.
    on_rows : callable, optional
        Called with the number of rows read so far.
    threads : int, optional
        None for all processors.

    Returns
    -------
    Labelled
        Rows of each cluster, and those left out.

    Raises
    ------
    ParameterError, SourceError, OutputError
        As `TableModel.predict` and `table_writer`, or when a column to copy has the name of one that is computed.
    """
    noisy = model.mixture.has_outliers
    names = ["label", *(f"probability_{k}" for k in range(model.n_components)), *["noise"] * noisy, "log_density"]
    check_kept(kept, names)
    sizes, left_out, n_noise = np.zeros(model.n_components, np.int64), LeftOut(), 0
    with table_writer(path) as write:
        for block in model.assign(table, missing=missing, kept=kept, on_rows=on_rows, threads=threads):
            labels = block.labels
            sizes += np.bincount(labels[labels >= 0], minlength=len(sizes))
            n_noise += int((labels < 0).sum())
            left_out.add(block, model.preparation.features)
            empty = ~block.judged if noisy else block.unseen  # with noise -1 is what the model says of a row
            label = np.ma.MaskedArray(block.spread(labels).data, mask=empty)
            values = [label, *map(block.spread, block.probabilities.T), *[block.spread(block.noise)] * noisy]
            write(block.kept() | dict(zip(names, [*values, block.spread(block.log_density)], strict=True)))
    return Labelled(sizes, left_out, n_noise)


def write_imputed(
    path: str, table: Table, model: TableModel, *, draws: int | None = None, seed: int = 0, on_rows: OnRows = None
) -> tuple[int, dict[str, int]]:
    """Write a table with the gaps in a model's columns filled in.

    Parameters
    ----------
    path : str
        In .csv or .parquet, or "-" for CSV on standard output.
    table : Table
        Open.
    model : TableModel
        Whose columns.
    draws : int, optional
        How often to write each row, its gaps drawn; None writes it once, with what the model expects.
    seed : int
        0 to 2**32 - 1, of the draws.
    on_rows : callable, optional
        Called with the number of rows read so far.

    Returns
    -------
    (int, dict of str to int)
        Rows of the table, and the gaps in each of the model's columns.

    Raises
    ------
    ParameterError, SourceError, OutputError
        As `TableModel.impute` and `table_writer`.
    """
    features = model.preparation_for(table).features
    n_rows, gaps = 0, dict.fromkeys((*features.numbers, *features.categories), 0)
    with table_writer(path) as write:
        for block in model.fill(table, draws=draws, seed=seed, on_rows=on_rows):
            write(block.columns)
            n_rows += block.n_rows
            gaps = {name: count + block.gaps[name] for name, count in gaps.items()}
    return n_rows, gaps


def write_sample(path: str, model: TableModel, n_rows: int, *, seed: int = 0, on_rows: OnRows = None) -> None:
    """Write rows drawn from a model, and the cluster of each in a column ``label``.

    Parameters
    ----------
    path : str
        In .csv or .parquet, or "-" for CSV on standard output.
    model : TableModel
        Where from.
    n_rows : int
        How many, at least 1.
    seed : int
        0 to 2**32 - 1; the same one gives the same rows.
    on_rows : callable, optional
        Called with the number of rows written so far.

    Raises
    ------
    OutputError
        When the file cannot be written.
    """
    done = 0
    with table_writer(path) as write:
        for columns, labels in model.draw(n_rows, seed):
            write(columns | {"label": labels})
            done += len(labels)
            if on_rows is not None:
                on_rows(done)


def check_kept(kept: Sequence[str], names: Sequence[str]) -> None:
    """Raise ParameterError if a column to pass on has the name of one that is computed."""
    both = [name for name in kept if name in names]
    if both:
        raise ParameterError(f"--keep names {both[0]!r}, which the output has already: rename that column")
