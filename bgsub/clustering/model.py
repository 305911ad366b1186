"""The model of a table: how its rows are prepared, and the mixture of the prepared rows."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from bgsub.clustering import model_file
from bgsub.clustering.assigned import Assigned
from bgsub.clustering.imputing import Filled, filled_blocks
from bgsub.clustering.model_file import QUANTILES, UNKNOWN, Outcome
from bgsub.clustering.placing import placed
from bgsub.errors import ParameterError
from bgsub.mixture.fitted import FittedMixture, components_table
from bgsub.mixture.settings import Missing as MixtureMissing
from bgsub.notebook import counted
from bgsub.tables.preparation import Preparation
from bgsub.tables.rows import Missing, read_rows
from bgsub.tables.sources import TableLike, open_table
from bgsub.tables.table import BLOCK_ROWS, Table

MOST_NAMES = 8  # of columns, in a line

OnRows = Callable[[int], None] | None
"""Called with the number of rows done so far."""


def for_mixture(missing: Missing) -> MixtureMissing:
    """Return what a mixture is to do with gaps in the rows that `tables` leaves."""
    return "em" if missing == "em" else "error"


@dataclass(frozen=True, eq=False, repr=False)
class TableModel:
    """What ``bgsub cluster fit --model`` writes: clusters of a table's rows, for other tables with the same columns.

    `load` also reads what `bgsub.GaussianMixture.save` wrote.

    Wherever a method takes a table, that is the path of a file (.csv, .parquet, .npy, ...; "-" is CSV on standard
    input), a pyarrow Table, a pandas DataFrame, anything else that speaks Arrow's C interface, a dict of columns, or a
    numpy array of rows for a model of columns without names; or an open table, of `bgsub.tables.sources.open_table`,
    which takes options for reading. Files may be larger than memory. Columns are found by
    their names, in any order; others are not read. Nothing here needs scikit-learn, nor pandas.

    Attributes
    ----------
    preparation : Preparation
        From a table's columns to the mixture's.
    mixture : FittedMixture
        Of the prepared rows: K clusters, the largest first.
    densities : ndarray (Q,)
        The log-densities under which the shares `QUANTILES` of the learned rows lie.
    outcome : Outcome
        How the fit ended.
    width : int or None
        Columns of the table that was learned, where they had no names, so that another table must have as many.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> import bgsub
    >>> from bgsub.clustering.fitting import fit_table
    >>> path = tempfile.mkdtemp() + "/customers.bgsub"
    >>> random = np.random.RandomState(0)
    >>> value = np.concatenate([random.normal(20, 2, 300), random.normal(50, 5, 100)])
    >>> fit_table({"value": value, "visits": value / 10 + random.normal(size=400)}, 2).model.save(path)

    >>> model = bgsub.TableModel.load(path)
    >>> model.columns
    ('value', 'visits')
    >>> model.predict({"visits": [2.1, 5.3], "value": [19.0, 52.0]})
    array([0, 1], dtype=int32)
    >>> unusual = model.score_samples({"value": [20.0, 90.0], "visits": [2.0, 1.0]}) < model.threshold(0.001)
    >>> unusual
    array([False,  True])
    >>> rows, labels = model.sample(1000)
    >>> rows.column_names
    ['value', 'visits']
    """

    preparation: Preparation
    mixture: FittedMixture
    densities: np.ndarray
    outcome: Outcome = UNKNOWN
    width: int | None = None

    def __repr__(self) -> str:
        names = ", ".join(self.columns[:MOST_NAMES])
        more = len(self.columns) - MOST_NAMES
        rest = f" and {counted(more, 'more column')}" if more > 0 else ""
        return f"TableModel({counted(self.n_components, 'cluster')} of {names}{rest})"

    def _repr_html_(self) -> str:
        features = self.preparation.features
        logarithm = " (median; deviation of the logarithm)"
        names = [name + logarithm * bool(log) for name, log in zip(features.names, features.is_log, strict=True)]
        deviations = np.sqrt(np.maximum(np.einsum("kii->ki", self.covariances()), 0.0))
        means = self.preparation.in_units(self.means())
        return components_table(repr(self), names, self.mixture.weights, means, deviations)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that a table must have."""
        features = self.preparation.features
        return (*features.numbers, *features.categories)

    @property
    def n_components(self) -> int:
        """Number of clusters."""
        return self.mixture.n_components

    def means(self) -> np.ndarray:
        """Return the clusters' means (K, F) in the features' units."""
        return self.preparation.restore(self.mixture.means)

    def covariances(self) -> np.ndarray:
        """Return the clusters' covariances (K, F, F) in the features' units."""
        return self.preparation.restore_covariances(self.mixture.matrices)

    def threshold(self, share: float) -> float:
        """Return the log-density under which a share of the learned rows lies, 0 to 1."""
        return float(np.interp(share, QUANTILES, self.densities))

    # --------------------------------------------------------------------------------------------- rows of a table

    def preparation_for(self, table: Table) -> Preparation:
        """Return `preparation` with an open table's names; raises ParameterError where that lacks a column."""
        return placed(self.preparation, self.width, table)

    def predict(self, table: TableLike, *, missing: Missing = "error", threads: int | None = None) -> np.ndarray:
        """Return the most probable cluster of each row.

        Parameters
        ----------
        table : path or table in memory
            See the class.
        missing : {"error", "drop", "em"}
            Whether a row with an empty or NaN value is an error, gets the label -1, or is judged by what it holds
            (only one that holds nothing then gets -1). An infinite value is an error but for "drop".
        threads : int, optional
            Threads that share the work; None for all processors.

        Returns
        -------
        ndarray of int32, shape (N,)
            From 0; the largest cluster of the learned rows is 0. -1 also where a model with noise, or of trimmed rows,
            finds that a row belongs to no cluster. -2 where a column of text has a value that was not
            learned.

        Raises
        ------
        ParameterError
            When the table lacks a column.
        SourceError
            When it cannot be read, a value is no number or, unless `missing` says otherwise, missing.
        """
        return self._of_all(table, missing, threads, lambda block: block.spread(block.labels).data)

    def predict_proba(self, table: TableLike, *, missing: Missing = "error", threads: int | None = None) -> np.ndarray:
        """Return each row's probability of belonging to each cluster; arguments and errors as of `predict`.

        Returns
        -------
        ndarray of float64, shape (N, K)
            Rows sum to 1, less their share of noise; those left out, and those with a text that was not learned,
            are NaN.
        """

        def shares(block: Assigned) -> np.ndarray:
            return np.stack([block.spread(column).filled(np.nan) for column in block.probabilities.T], axis=1)

        return self._of_all(table, missing, threads, shares)

    def score_samples(self, table: TableLike, *, missing: Missing = "error", threads: int | None = None) -> np.ndarray:
        """Return the log-density of each row; arguments and errors as of `predict`.

        Returns
        -------
        ndarray of float64, shape (N,)
            In nats, of the prepared columns: to be compared between rows of one model only. NaN as in
            `predict_proba`.
        """
        return self._of_all(table, missing, threads, lambda block: block.spread(block.log_density).filled(np.nan))

    def score(self, table: TableLike, *, missing: Missing = "error", threads: int | None = None) -> float:
        """Return the mean log-density of the rows that are not left out; arguments and errors as of `predict`."""
        densities = self.score_samples(table, missing=missing, threads=threads)
        present = densities[~np.isnan(densities)]
        return float(present.mean()) if len(present) else float("nan")

    def impute(
        self, table: TableLike, n_imputations: int | None = None, *, random_state: int = 0, threads: int | None = None
    ) -> pa.Table:
        """Return a table with the gaps in the model's columns filled in, given what each row holds.

        Parameters
        ----------
        table : path or table in memory
            See the class.
        n_imputations : int, optional
            None fills in what the model expects, of a column of text the likeliest value, of one of which the
            logarithm is taken the median; a number gives each row so many times, its gaps drawn.
        random_state : int
            0 to 2**32 - 1; the same one gives the same draws.
        threads : int, optional
            None for all processors.

        Returns
        -------
        pyarrow.Table
            All columns; of draws, also ``draw``, from 1. What was there is as it was.
        """
        with contextlib.nullcontext(table) if isinstance(table, Table) else open_table(table) as opened:
            blocks = self.fill(opened, draws=n_imputations, seed=random_state, threads=threads)
            return pa.concat_tables([pa.table(dict(block.columns)) for block in blocks])

    def fill(self, table: Table, **how: Any) -> Iterator[Filled]:
        """Yield what `impute` returns in blocks; keywords as of `filled_blocks`."""
        preparation = self.preparation_for(table)
        self._check_gaps()
        return filled_blocks(table, preparation, self.mixture, **how)

    def sample(self, n_samples: int = 1, *, random_state: int = 0) -> tuple[pa.Table, np.ndarray]:
        """Draw rows, in random order, in the units of the table that was learned.

        Parameters
        ----------
        n_samples : int
            How many, at least 1.
        random_state : int
            0 to 2**32 - 1; the same one gives the same rows.

        Returns
        -------
        rows : pyarrow.Table
            The columns that were learned; of a column of text the likeliest value.
        labels : ndarray of int32, shape (n_samples,)
            The cluster that each row was drawn from.

        Raises
        ------
        ParameterError
            When no row is asked for.
        """
        if n_samples < 1:
            raise ParameterError(f"n_samples is {n_samples}: give 1 or more")
        blocks = list(self.draw(n_samples, random_state))
        rows = pa.concat_tables([pa.table(dict(columns)) for columns, _ in blocks])
        return rows, np.concatenate([labels for _, labels in blocks])

    def draw(self, n_rows: int, seed: int = 0) -> Iterator[tuple[dict[str, Any], np.ndarray]]:
        """Yield what `sample` returns in blocks, each a dict of columns and the rows' labels (n,) int32."""
        random = np.random.RandomState(seed)  # what scikit-learn's mixture draws from
        for start in range(0, n_rows, BLOCK_ROWS):
            drawn, labels = self.mixture.sample(min(BLOCK_ROWS, n_rows - start), random)
            order = random.permutation(len(drawn))  # they come cluster by cluster
            columns = self.preparation.columns_of(self.preparation.restore(drawn[order]))
            yield columns, labels[order].astype(np.int32)

    def assign(
        self,
        table: Table,
        *,
        missing: Missing = "error",
        kept: Sequence[str] = (),
        on_rows: OnRows = None,
        threads: int | None = None,
    ) -> Iterator[Assigned]:
        """Yield blocks of an open table's rows with what the model says of them; for tables larger than memory.

        Parameters
        ----------
        table : Table
            From `bgsub.tables.sources.open_table`.
        missing : {"error", "drop", "em"}
            Whether a row with a missing value is an error, only marked in `Assigned.rows`, or judged by what it holds.
        kept : sequence of str
            Columns to pass on as they are.
        on_rows : callable, optional
            Called with the number of rows read so far.
        threads : int, optional
            Threads; None for all processors.

        Raises
        ------
        ParameterError, SourceError
            As `predict`.
        """
        features_of, mixture = self.preparation_for(table).features, self.mixture
        if missing == "em":
            self._check_gaps()
        for rows in read_rows(table, features_of.selection(kept=kept), missing, on_rows):
            features = features_of.of(rows, table.name)
            unseen = features_of.unseen(rows)
            features = features[rows.complete & ~unseen]
            if not len(features):
                nothing = np.empty(0)
                yield Assigned(rows, unseen, features, np.empty((0, self.n_components)), nothing, nothing, nothing)
                continue
            prepared = self.preparation.transform(features)
            found = mixture.judge(prepared, missing=for_mixture(missing), threads=threads)
            judged = found.responsibilities, found.log_densities, found.noise, found.of_components
            yield Assigned(rows, unseen, features, *judged)
        for line in table.told([name for name in features_of.numbers if name not in features_of.dates]):
            table.note(line)

    def _check_gaps(self) -> None:
        """Raise ParameterError unless a row with gaps can be prepared."""
        if "pca" in self.preparation.steps:
            raise ParameterError(
                "the model stands on principal components, which need rows without gaps: leave the others out with "
                "--missing drop"
            )

    def _of_all(
        self, table: TableLike, missing: Missing, threads: int | None, of: Callable[[Assigned], np.ndarray]
    ) -> np.ndarray:
        with contextlib.nullcontext(table) if isinstance(table, Table) else open_table(table) as opened:
            return np.concatenate([of(block) for block in self.assign(opened, missing=missing, threads=threads)])

    # ---------------------------------------------------------------------------------------------------- files

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write all of it to a file, whole or not at all; the name should end in .bgsub.

        Raises
        ------
        OutputError
            When the file cannot be written.
        """
        model_file.write(path, self.preparation, self.mixture, self.densities, self.outcome, self.width)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> TableModel:
        """Read what `save` or `bgsub.GaussianMixture.save` wrote; files hold no code, so any file is safe to load.

        Of the latter, columns without names are found by their place, components keep their order, and `densities`
        are those of drawn rows.

        Raises
        ------
        ModelFileError
            When the file is missing, damaged, or holds something else.
        """
        return cls(*model_file.read(path))
