"""The rows of a table that are unlike those that a model learned."""

from __future__ import annotations

import contextlib
import heapq
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from bgsub.clustering.left_out import LeftOut
from bgsub.clustering.model import Assigned, OnRows, TableModel
from bgsub.clustering.writing import check_kept
from bgsub.tables.dates import from_days
from bgsub.tables.rows import Missing
from bgsub.tables.table import Table
from bgsub.tables.writing import table_writer


class UnusualRow(NamedTuple):
    """A row that the model hardly expects.

    Attributes
    ----------
    row : int
        Its number in the table, from 1 below the heading.
    log_density : float
        In nats, of the prepared columns.
    values : dict
        The columns kept, and those that the model sees.
    """

    row: int
    log_density: float
    values: dict[str, Any]


@dataclass
class Scored:
    """What a model says of a table as a whole.

    Attributes
    ----------
    rows : int
        Rows that were scored; not those left out.
    total : float
        The sum of their log-densities.
    anomalies : int
        Those below the threshold.
    most_unusual : list of UnusualRow
        The least likely first, the earlier of equal ones first.
    left_out : LeftOut
        Rows that were not scored.
    """

    rows: int = 0
    total: float = 0.0
    anomalies: int = 0
    most_unusual: list[UnusualRow] = field(default_factory=list)
    left_out: LeftOut = field(default_factory=LeftOut)

    @property
    def mean_log_density(self) -> float | None:
        """The mean log-density of a row; None where no row was scored."""
        return self.total / self.rows if self.rows else None


def score_table(
    table: Table,
    model: TableModel,
    threshold: float,
    *,
    top: int = 10,
    output: str | None = None,
    missing: Missing = "error",
    kept: Sequence[str] = (),
    on_rows: OnRows = None,
) -> Scored:
    """Score the rows of a table, and say which are the most unusual.

    Parameters
    ----------
    table : Table
        Open.
    model : TableModel
        What it is compared with.
    threshold : float
        Log-density below which a row is an anomaly, such as `TableModel.threshold` returns.
    top : int
        Most rows to name.
    output : str, optional
        Table of each row's log-density, and whether it is an anomaly: .csv, .parquet or "-".
    missing : {"error", "drop", "em"}
        What to do with rows in which a value is missing.
    kept : sequence of str
        Columns to copy, and to name with the most unusual rows.
    on_rows : callable, optional
        Called with the number of rows read so far.

    Raises
    ------
    ParameterError, SourceError, OutputError
        As `write_labels`.
    """
    check_kept(kept, ["log_density", "anomaly"])
    scored = Scored()
    with contextlib.ExitStack() as stack:
        write = stack.enter_context(table_writer(output)) if output else None
        for block in model.assign(table, missing=missing, kept=kept, on_rows=on_rows):
            anomalies = block.log_density < threshold
            if write is not None:
                columns = {"log_density": block.spread(block.log_density), "anomaly": block.spread(anomalies)}
                write(block.kept() | columns)
            scored.left_out.add(block, model.preparation.features)
            scored.rows += len(anomalies)
            scored.anomalies += int(anomalies.sum())
            scored.total += float(block.log_density.sum())
            scored.most_unusual = heapq.nsmallest(
                top, [*scored.most_unusual, *_lowest(block, model, top)], key=lambda row: (row.log_density, row.row)
            )
    return scored


def _lowest(block: Assigned, model: TableModel, count: int) -> list[UnusualRow]:
    """Return the `count` most unusual rows of a block, with the columns kept and those that the model sees."""
    order = block.log_density.argsort(kind="stable")[:count]
    places = block.judged.nonzero()[0][order]
    features, rows = model.preparation.features, block.rows
    kept = rows.kept.take(places).to_pylist()
    found = []
    for index, place, others in zip(order, places, kept, strict=True):
        numbers = dict(zip(features.numbers, rows.numbers[place].tolist(), strict=True))
        numbers |= {name: str(from_days(np.array([numbers[name]]))[0]) for name in features.dates}
        gaps = np.isnan(rows.numbers[place])
        numbers |= {name: None for name, gap in zip(features.numbers, gaps, strict=True) if gap}
        texts = {name: column[place].as_py() for name, column in zip(features.categories, rows.categories, strict=True)}
        found.append(
            UnusualRow(rows.start + int(place) + 1, float(block.log_density[index]), {**others, **numbers, **texts})
        )
    return found
