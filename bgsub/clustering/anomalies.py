"""The rows of a table that are unlike those that a model learned."""

from __future__ import annotations

import contextlib
import heapq
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from bgsub.clustering.assigned import Assigned
from bgsub.clustering.left_out import LeftOut
from bgsub.clustering.model import OnRows, TableModel
from bgsub.clustering.writing import check_kept
from bgsub.tables.dates import from_days
from bgsub.tables.preparation import Features
from bgsub.tables.rows import Missing
from bgsub.tables.table import Table
from bgsub.tables.writing import arrow_of, table_writer

_MORE_PROBABLY = 0.5  # noise than anything else together


class UnusualRow(NamedTuple):
    """A row that the model hardly expects.

    Attributes
    ----------
    row : int
        Its number in the table, from 1 below the heading.
    anomaly : bool
        Whether it is one.
    values : dict
        The columns kept, and those that the model sees.
    log_density : float
        In nats, of the prepared columns.
    noise : float
        The probability of belonging to no cluster.
    of_clusters : float
        The log-density of the clusters alone: noise has the same everywhere, and tells no row from another.
    """

    row: int
    anomaly: bool
    values: dict[str, Any]
    log_density: float
    noise: float
    of_clusters: float

    def order(self) -> tuple[float, int]:
        """Return what the most unusual row has least of."""
        return self.of_clusters, self.row

    def facts(self, noisy: bool) -> dict[str, Any]:
        """Return what JSON says of it, by a model with or without noise."""
        noise = {"noise": self.noise} if noisy else {}
        return {
            "row": self.row,
            "log_density": self.log_density,
            **noise,
            "anomaly": self.anomaly,
            "values": self.values,
        }


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

    def joined(self, other: Scored, top: int) -> Scored:
        """Return the same of this part and one after it, with the `top` most unusual rows of both."""
        left_out = LeftOut()
        for part in (self, other):
            left_out.merge(part.left_out)
        unusual = _most_unusual([*self.most_unusual, *other.most_unusual], top)
        counts = self.rows + other.rows, self.total + other.total, self.anomalies + other.anomalies
        return Scored(*counts, unusual, left_out)

    @property
    def mean_log_density(self) -> float | None:
        """The mean log-density of a row; None where no row was scored."""
        return self.total / self.rows if self.rows else None


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
    threads: int | None = None,
) -> Scored:
    """Score the rows of a table, and say which are the most unusual.

    Parameters
    ----------
    table : Table
        Open.
    model : TableModel
        What it is compared with.
    threshold : float or None
        Log-density below which a row is an anomaly, such as `TableModel.threshold` returns. With None an anomaly is
        what is more probably noise than not: for models with noise, or of trimmed rows.
    top : int
        Most rows to name.
    output : str, optional
        Table of each row's log-density, whether it is an anomaly and, of a model with noise, how probably it is noise:
        .csv, .parquet or "-".
    missing : {"error", "drop", "em"}
        What to do with rows in which a value is missing.
    kept : sequence of str
        Columns to copy, and to name with the most unusual rows.
    on_rows : callable, optional
        Called with the number of rows read so far.
    threads : int, optional
        None for all processors.

    Raises
    ------
    ParameterError, SourceError, OutputError
        As `write_labels`.
    """
    noisy = model.mixture.has_outliers
    check_kept(kept, ["log_density", "anomaly", *["noise"] * noisy])
    scored, features = Scored(), model.preparation_for(table).features
    with contextlib.ExitStack() as stack:
        write = stack.enter_context(table_writer(output)) if output else None
        for block in model.assign(table, missing=missing, kept=kept, on_rows=on_rows, threads=threads):
            anomalies = block.noise > _MORE_PROBABLY if threshold is None else block.log_density < threshold
            if write is not None:
                columns = {"log_density": block.spread(block.log_density), "anomaly": block.spread(anomalies)}
                columns |= {"noise": block.spread(block.noise)} if noisy else {}
                write(block.kept() | columns)
            scored.left_out.add(block, features)
            scored.rows += len(anomalies)
            scored.anomalies += int(anomalies.sum())
            scored.total += float(block.log_density.sum())
            scored.most_unusual = _most_unusual([*scored.most_unusual, *_lowest(block, features, anomalies, top)], top)
    return scored


def _most_unusual(rows: list[UnusualRow], count: int) -> list[UnusualRow]:
    return heapq.nsmallest(count, rows, key=UnusualRow.order)


def _lowest(block: Assigned, features: Features, anomalies: np.ndarray, count: int) -> list[UnusualRow]:
    """Return the `count` most unusual rows of a block, with the columns kept and those that the model sees."""
    order = block.of_clusters.argsort(kind="stable")[:count]
    places = block.judged.nonzero()[0][order]
    rows = block.rows
    kept = rows.kept.take(arrow_of(places)).to_pylist()
    found = []
    for index, place, others in zip(order, places, kept, strict=True):
        numbers = dict(zip(features.numbers, rows.numbers[place].tolist(), strict=True))
        numbers |= {name: str(from_days(np.array([numbers[name]]))[0]) for name in features.dates}
        gaps = np.isnan(rows.numbers[place])
        numbers |= {name: None for name, gap in zip(features.numbers, gaps, strict=True) if gap}
        texts = {name: column[place].as_py() for name, column in zip(features.categories, rows.categories, strict=True)}
        number, values = rows.start + int(place) + 1, {**others, **numbers, **texts}
        figures = (float(array[index]) for array in (block.log_density, block.noise, block.of_clusters))
        found.append(UnusualRow(number, bool(anomalies[index]), values, *figures))
    return found
