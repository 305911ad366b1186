"""What a model says of each row of a table, block by block."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from bgsub.cli.cluster.model_file import TableModel
from bgsub.errors import ParameterError
from bgsub.tables.rows import Missing, Rows, read_rows
from bgsub.tables.table import Table
from bgsub.tables.writing import table_writer


@dataclass(frozen=True)
class Assigned:
    """A block of n rows, and what the model says of the complete ones, c of them.

    Attributes
    ----------
    rows : Rows
        The rows.
    features : ndarray (c, F)
        Their features.
    probabilities : ndarray (c, K)
        Of belonging to each cluster.
    log_density : ndarray (c,)
        Of the prepared rows, in nats.
    """

    rows: Rows
    features: np.ndarray
    probabilities: np.ndarray
    log_density: np.ndarray

    def kept(self) -> dict[str, np.ndarray | pa.Array]:
        """Return the columns to pass on."""
        return dict(zip(self.rows.kept.schema.names, self.rows.kept.columns, strict=True))

    def spread(self, values: np.ndarray) -> np.ma.MaskedArray:
        """Return values (c,) of the complete rows for all rows (n,), the others -1 and masked."""
        complete = self.rows.complete
        column = np.full(len(complete), -1, values.dtype)
        column[complete] = values
        return np.ma.MaskedArray(column, mask=~complete)


def assign(
    table: Table,
    model: TableModel,
    *,
    missing: Missing = "error",
    kept: Sequence[str] = (),
    on_rows: Callable[[int], None] | None = None,
) -> Iterator[Assigned]:
    """Yield blocks of a table's rows with what the model says of them; errors as in `read_rows` and `Features.of`."""
    model.check(table)
    features_of = model.preparation.features
    for rows in read_rows(table, features_of.selection(kept=kept), missing, on_rows):
        features = features_of.of(rows, table.name)[rows.complete]
        if len(features):
            prepared = model.preparation.transform(features)
            yield Assigned(rows, features, model.mixture.predict_proba(prepared), model.mixture.score_samples(prepared))
        else:
            yield Assigned(rows, features, np.empty((0, model.n_components)), np.empty(0))


def write_labels(
    path: str,
    table: Table,
    model: TableModel,
    missing: Missing,
    kept: Sequence[str],
    on_rows: Callable[[int], None] | None,
) -> np.ndarray:
    """Write label, probabilities and log-density of each row; return the rows of each cluster (K,).

    A row with a missing value gets label -1 and nothing else, so that the rows stay those of the table.
    """
    names = ["label", *(f"probability_{k}" for k in range(model.n_components)), "log_density"]
    check_kept(kept, names)
    sizes = np.zeros(model.n_components, np.int64)
    with table_writer(path) as write:
        for block in assign(table, model, missing=missing, kept=kept, on_rows=on_rows):
            labels = block.probabilities.argmax(axis=1)
            sizes += np.bincount(labels, minlength=len(sizes))
            values = [block.spread(labels.astype(np.int32)).data, *map(block.spread, block.probabilities.T)]
            write(block.kept() | dict(zip(names, [*values, block.spread(block.log_density)], strict=True)))
    return sizes


def check_kept(kept: Sequence[str], names: Sequence[str]) -> None:
    """Raise ParameterError if a column to pass on has the name of one that is computed."""
    both = [name for name in kept if name in names]
    if both:
        raise ParameterError(f"--keep names {both[0]!r}, which the output has already: rename that column")
