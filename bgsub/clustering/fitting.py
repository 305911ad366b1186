"""From a table to its model: prepare the rows, fit mixtures to them, keep what later rows are compared with."""

from __future__ import annotations

import contextlib
import logging
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from bgsub.clustering.model import OnRows, TableModel
from bgsub.clustering.model_file import QUANTILES, Outcome
from bgsub.errors import BgsubError, FitWarning, SourceError
from bgsub.mixture.diagnosis import tell_of_collapse
from bgsub.mixture.estimator import GaussianMixture
from bgsub.mixture.selection import ModelSelection, select
from bgsub.mixture.settings import CovarianceType, Criterion, default
from bgsub.tables.learning import Choice, Prepared, prepared
from bgsub.tables.preparation import Features, Preparation
from bgsub.tables.sources import TableLike, open_table
from bgsub.tables.table import BLOCK_ROWS, Table

logger = logging.getLogger(__name__)

_MOST_DENSITIES = 10_000_000  # rows whose log-density is sorted, evenly spaced over the table
_TOO_DIFFERENT = 100  # factor between standard deviations above which k-means sees one column only
_Result = TypeVar("_Result")

Stage = Callable[[str, "int | None"], AbstractContextManager[OnRows]]
"""Called with the name of what begins, and the rows it will read (None where they are not counted); what it returns is
entered for as long as that lasts, and gives what is called with the number of rows read, or None."""


@dataclass(frozen=True)
class FitSettings:
    """How a mixture is fitted to the rows of a table: `GaussianMixture`'s parameters, with defaults of their own."""

    n_init: int = int(default("n_init", "table"))
    max_iter: int = int(default("max_iter", "table"))
    tol: float = default("tol", "table")
    reg_covar: float = default("reg_covar", "table")
    seed: int = int(default("seed", "table"))
    threads: int | None = None

    def parameters(self) -> dict[str, Any]:
        """Return them as `GaussianMixture` takes them."""
        given = {name: getattr(self, name) for name in ("n_init", "max_iter", "tol", "reg_covar", "threads")}
        return {**given, "random_state": self.seed}


@dataclass(frozen=True)
class FittedTable:
    """A table's model, and what is known of the rows it was learned from.

    Attributes
    ----------
    model : TableModel
        Its clusters, the largest first.
    sizes : ndarray of int64, shape (K,)
        Rows for which each cluster is the most probable.
    criteria : dict
        'log_likelihood', 'aic', 'bic', 'icl' of the rows.
    n_rows, n_dropped : int
        Rows that were learned, and those left out for a missing value.
    total_weight : float
        The sum of the rows' weights.
    """

    model: TableModel
    sizes: np.ndarray
    criteria: dict[str, float]
    n_rows: int
    n_dropped: int
    total_weight: float


def _unseen(title: str, n_rows: int | None) -> AbstractContextManager[OnRows]:
    """Tell nobody that a stage begins."""
    return contextlib.nullcontext()


def fit_table(
    table: TableLike | Table,
    n_components: int,
    *,
    covariance_type: CovarianceType = "full",
    choice: Choice | None = None,
    settings: FitSettings | None = None,
    stage: Stage = _unseen,
) -> FittedTable:
    """Learn the clusters of a table.

    Parameters
    ----------
    table : path, table in memory, or open Table
        As `TableModel.predict` takes it. A file may be larger than memory.
    n_components : int
        Number of clusters, K.
    covariance_type : {"full", "tied", "diag", "spherical"}
        Their shape: any ellipse; one for all; along the axes; circles.
    choice : Choice, optional
        Which columns, and how they are prepared; by default all columns of numbers, as they are.
    settings : FitSettings, optional
        How the mixture is fitted.
    stage : callable, optional
        Told what begins, "reading" and "fitting": see `Stage`.

    Raises
    ------
    SourceError
        When the table cannot be read, or has too few rows.
    ParameterError
        When a column is unknown or constant, or a setting out of its bounds.
    BgsubError
        When the clusters collapse.
    """
    choice, settings = choice or Choice(), settings or FitSettings()
    with _opened(table) as source, _prepared(source, choice, stage) as rows:
        _check_rows(rows, source.name, n_components, choice.scale)
        mixture = GaussianMixture(n_components=n_components, covariance_type=covariance_type, **settings.parameters())
        with stage("fitting", None):
            _explained(lambda: mixture.fit(rows.matrix, sample_weight=rows.weights))
            model, sizes = _finished(source, rows, mixture)
            criteria = mixture.criteria(rows.matrix, rows.weights)
        n_rows = len(rows.matrix)
        total_weight = n_rows if rows.weights is None else float(rows.weights.sum())
        return FittedTable(model, sizes, criteria, n_rows, rows.n_dropped, total_weight)


def select_table(
    table: TableLike | Table,
    counts: Sequence[int],
    covariance_types: Sequence[CovarianceType],
    *,
    criterion: Criterion = "bic",
    choice: Choice | None = None,
    settings: FitSettings | None = None,
    stage: Stage = _unseen,
) -> tuple[ModelSelection, TableModel]:
    """Fit mixtures of several numbers and shapes of clusters to a table; return all, and the best one's model.

    Parameters
    ----------
    table, choice, settings, stage
        As of `fit_table`; so are the errors.
    counts : sequence of int
        Numbers of clusters to try, ascending.
    covariance_types : sequence of str
        Shapes to try.
    criterion : {"bic", "aic", "icl"}
        The best model has the lowest.
    """
    choice, settings = choice or Choice(), settings or FitSettings()
    with _opened(table) as source, _prepared(source, choice, stage) as rows, stage("fitting", None):
        _check_rows(rows, source.name, counts[-1], choice.scale)
        selection = _explained(
            lambda: select(
                rows.matrix,
                counts,
                covariance_types,
                criterion,
                sample_weight=rows.weights,
                **settings.parameters(),
            )
        )
        model, _ = _finished(source, rows, selection.best)
    return selection, model


def _opened(table: TableLike | Table) -> AbstractContextManager[Table]:
    return contextlib.nullcontext(table) if isinstance(table, Table) else open_table(table)


@contextlib.contextmanager
def _prepared(table: Table, choice: Choice, stage: Stage) -> Iterator[Prepared]:
    """Hold the prepared rows while the block runs; the stage ends when they are read."""
    with contextlib.ExitStack() as stack:
        with stage("reading", table.n_rows) as on_rows:
            rows = stack.enter_context(prepared(table, choice, on_rows))
        yield rows


def _check_rows(rows: Prepared, table: str, n_components: int, scaled: bool) -> None:
    """Raise if there are too few rows; say what is worth knowing of the others."""
    n = len(rows.matrix)
    if n < max(2, n_components):
        few = "1 row" if n == 1 else f"{n} rows"
        dropped = f" besides the {rows.n_dropped} left out" if rows.n_dropped else ""
        raise SourceError(
            f"{table} has {few}{dropped}, too few for {n_components} components: "
            f"give {max(2, n_components)} rows or more, or fewer --components"
        )
    if rows.n_dropped:
        logger.info("left out %s with missing values", "1 row" if rows.n_dropped == 1 else f"{rows.n_dropped} rows")
    spread = rows.spread[rows.spread > 0]
    if not scaled and len(spread) > 1 and spread.max() > _TOO_DIFFERENT * spread.min():
        logger.info(
            "the columns' standard deviations differ %.0f-fold: --scale makes them count alike at the start",
            spread.max() / spread.min(),
        )


def _explained(fit: Callable[[], _Result]) -> _Result:
    """Return what `fit` does; its errors become one line, its warnings lines of the log."""
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            result = fit()
        except BgsubError:
            raise
        except ValueError as error:  # components that collapse
            raise BgsubError(f"cannot fit: {' '.join(str(error).split())}") from error
    told_later = (ConvergenceWarning, FitWarning)  # by the command, and by `_finished`
    for text in dict.fromkeys(str(w.message) for w in caught if not issubclass(w.category, told_later)):
        logger.warning("%s", text)
    return result


def _finished(table: Table, rows: Prepared, fitted: GaussianMixture) -> tuple[TableModel, np.ndarray]:
    """Put a fitted mixture's largest components first; return the model, and each component's rows (K,)."""
    fitted.reorder(np.argsort(-fitted.weights_, kind="stable"))  # else their numbers depend on the start
    mixture, threads = fitted.fitted_mixture(), fitted.threads
    names = rows.preparation.features.names if rows.preparation.n_outputs == len(rows.spread) else None
    told = mixture.parameters, mixture.covariance_type, fitted.reg_covar, names
    tell_of_collapse(*told, logger.warning, len(rows.matrix))
    step = -(-len(rows.matrix) // _MOST_DENSITIES)
    sizes, densities = np.zeros(mixture.n_components, np.int64), []
    for start in range(0, len(rows.matrix), BLOCK_ROWS):
        block = rows.matrix[start : start + BLOCK_ROWS]
        sizes += np.bincount(mixture.labels(block, threads=threads), minlength=len(sizes))
        densities.append(mixture.log_densities(block, threads=threads)[::step])
    width = None if table.named else len(table.columns)
    quantiles = np.quantile(np.concatenate(densities), QUANTILES)
    return TableModel(rows.preparation, mixture, quantiles, outcome_of(fitted), width), sizes


def model_of_projection(
    names: Sequence[str],
    projection: tuple[np.ndarray, np.ndarray, np.ndarray],
    fitted: GaussianMixture,
    log_density: np.ndarray,
) -> TableModel:
    """Return the model of tables whose rows somebody else has prepared and clustered.

    Parameters
    ----------
    names : sequence of str
        The F columns, all of numbers.
    projection : (ndarray (F,), ndarray (F, D), ndarray (D, F))
        Offset, forward and backward map of `Preparation`.
    fitted : GaussianMixture
        Of the prepared rows.
    log_density : ndarray (N,)
        Of the rows that later ones are compared with.
    """
    preparation = Preparation(Features(tuple(names), (), {}), *projection, steps=("scale", "pca"))
    return TableModel(preparation, fitted.fitted_mixture(), np.quantile(log_density, QUANTILES), outcome_of(fitted))


def outcome_of(fitted: GaussianMixture) -> Outcome:
    """Return how the fit of a mixture ended."""
    return Outcome(float(fitted.reg_covar), bool(fitted.converged_), int(fitted.n_iter_), float(fitted.lower_bound_))
