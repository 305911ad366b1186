"""From a table to its model: prepare the rows, fit mixtures to them, keep what later rows are compared with."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

import numpy as np

from bgsub.clustering.model import OnRows, TableModel, for_mixture
from bgsub.clustering.model_file import QUANTILES, Outcome
from bgsub.errors import BgsubError, SourceError
from bgsub.mixture.comparison import ModelSelection, compare, counted_weights
from bgsub.mixture.diagnosis import tell_of_collapse
from bgsub.mixture.eligibility import NothingEligible
from bgsub.mixture.em.rules import Tell
from bgsub.mixture.em.training_data import RowsInMemory
from bgsub.mixture.few_values import few_values, in_words
from bgsub.mixture.fitting import Fit, FitOptions, fit
from bgsub.mixture.gaussianity import Gaussianity, gaussianity
from bgsub.mixture.input_checks import check_finite
from bgsub.mixture.settings import CovarianceType, Criterion, NoiseRegion, default
from bgsub.tables.learning import Choice, Gathered, Prepared, prepared
from bgsub.tables.preparation import Features, Preparation
from bgsub.tables.rows import Missing
from bgsub.tables.sources import TableLike, open_table
from bgsub.tables.table import BLOCK_ROWS, Table

logger = logging.getLogger(__name__)

_MOST_DENSITIES = 10_000_000  # rows whose log-density is sorted, evenly spaced over the table
_TOO_DIFFERENT = 5  # factor between standard deviations above which a sphere sees one column only

Stage = Callable[[str, "int | None"], AbstractContextManager[OnRows]]
"""Called with the name of what begins, and the rows it will read (None where they are not counted); what it returns is
entered for as long as that lasts, and gives what is called with the number of rows read, or None."""


@dataclass(frozen=True)
class FitSettings:
    """How a mixture is fitted to the rows of a table: `FitOptions`' fields of the same names, with other defaults."""

    n_init: int = int(default("n_init", "table"))
    max_iter: int = int(default("max_iter", "table"))
    tol: float = default("tol", "table")
    reg_covar: float = default("reg_covar", "table")
    seed: int = int(default("seed", "table"))
    threads: int | None = None
    noise: NoiseRegion | None = None
    trim: float = 0.0

    def options(
        self, n_components: int = 1, covariance_type: CovarianceType = "full", missing: Missing = "error"
    ) -> FitOptions:
        """Return how a mixture of that many components of that shape is fitted, to rows with such gaps."""
        given = {
            name: getattr(self, name) for name in ("n_init", "max_iter", "tol", "reg_covar", "threads", "noise", "trim")
        }
        return FitOptions.for_tables(
            n_components=n_components, covariance_type=covariance_type, missing=for_mixture(missing), **given
        )


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
    gaussianity : Gaussianity
        Whether the clusters are Gaussian, in the prepared columns.
    notes : tuple of str
        What was found out of the table, and which of its columns were left out.
    n_partial : int
        Rows with gaps among those that were learned.
    """

    model: TableModel
    sizes: np.ndarray
    criteria: dict[str, float]
    n_rows: int
    n_dropped: int
    total_weight: float
    gaussianity: Gaussianity
    notes: tuple[str, ...] = ()
    n_partial: int = 0


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
    choice = for_types(choice, [covariance_type])
    with _opened(table) as source, _prepared(source, choice, stage) as rows:
        _check(rows, source.name, n_components, [covariance_type], choice)
        note_few_values(source, rows.preparation, rows.matrix)
        options = settings.options(n_components, covariance_type, choice.missing)
        with stage("fitting", None), explained_by(source) as tell:
            weights = counted_weights(rows.weights, tell)
            data = RowsInMemory(np.asarray(rows.matrix), weights, rows.preparation.output_names, options.missing)
            found = fit(data, options, np.random.RandomState(settings.seed), tell=tell)
            model, sizes = _finished(source, rows, found)
            mixture = found.mixture
            criteria = mixture.criteria(rows.matrix, weights, missing=options.missing, threads=settings.threads)
            residuals = gaussianity(mixture, rows.matrix, weights, threads=settings.threads)
        n_rows = len(rows.matrix)
        total_weight = n_rows if weights is None else float(weights.sum())
        dropped, notes = rows.n_dropped, tuple(source.notes)
        return FittedTable(model, sizes, criteria, n_rows, dropped, total_weight, residuals, notes, rows.n_partial)


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
    choice, settings = for_types(choice or Choice(), covariance_types), settings or FitSettings()
    with (
        _opened(table) as source,
        _prepared(source, choice, stage) as rows,
        stage("fitting", None),
        explained_by(source) as tell,
    ):
        _check(rows, source.name, counts[-1], covariance_types, choice)
        note_few_values(source, rows.preparation, rows.matrix)
        selection = compare(
            np.asarray(rows.matrix),
            counts,
            covariance_types,
            criterion,
            settings.options(missing=choice.missing),
            settings.seed,
            weights=rows.weights,
            names=rows.preparation.output_names,
            tell=tell,
        )
        model, _ = _finished(source, rows, selection.best_fit)
    return selection, model


def for_types(choice: Choice, covariance_types: Sequence[CovarianceType]) -> Choice:
    """Return a choice of which no column follows from others, if a covariance type would be singular with it.

    Criteria compare densities of the same columns, so one type decides for all.
    """
    return replace(choice, baseline=choice.baseline or not {"full", "tied"}.isdisjoint(covariance_types))


def _opened(table: TableLike | Table) -> AbstractContextManager[Table]:
    return contextlib.nullcontext(table) if isinstance(table, Table) else open_table(table)


@contextlib.contextmanager
def _prepared(table: Table, choice: Choice, stage: Stage) -> Iterator[Prepared]:
    """Hold the prepared rows while the block runs; the stage ends when they are read."""
    with contextlib.ExitStack() as stack:
        with stage("reading", table.n_rows) as on_rows:
            rows = stack.enter_context(prepared(table, choice, on_rows))
        yield rows


def _check(rows: Prepared, table: str, n_components: int, types: Sequence[CovarianceType], choice: Choice) -> None:
    """Raise if there are too few rows, or one that is not finite; say what is worth knowing of the others."""
    check_rows(rows, len(rows.matrix), table, n_components, types, choice)
    check_finite(rows.matrix, rows.preparation.output_names, missing=for_mixture(choice.missing))


def check_rows(
    rows: Prepared | Gathered, n: int, table: str, n_components: int, types: Sequence[CovarianceType], choice: Choice
) -> None:
    """Raise if there are too few rows, n, in a table; say what is worth knowing of the others."""
    if n < max(2, n_components):
        few = "1 row" if n == 1 else f"{n} rows"
        dropped = f" besides the {rows.n_dropped} left out" if rows.n_dropped else ""
        raise SourceError(
            f"{table} has {few}{dropped}, too few for {n_components} components: "
            f"give {max(2, n_components)} rows or more, or fewer --components"
        )
    if rows.n_dropped:
        why = "without any value" if choice.missing == "em" else "with missing values"
        logger.info("left out %s %s", _counted(rows.n_dropped), why)
    if rows.n_partial:
        logger.info("%s with gaps, used by what they hold", _counted(rows.n_partial))
    spread = rows.spread[rows.spread > 0]
    different = len(spread) > 1 and spread.max() > _TOO_DIFFERENT * spread.min()
    if "spherical" in types and different and not choice.scale:  # no other shape depends on the units
        logger.info(
            "the columns' standard deviations differ %.0f-fold: spherical clusters follow the widest, "
            "--scale makes all count alike",
            spread.max() / spread.min(),
        )


def _counted(n_rows: int) -> str:
    return "1 row" if n_rows == 1 else f"{n_rows:,} rows"


def note_few_values(table: Table, preparation: Preparation, matrix: np.ndarray) -> None:
    """Name columns of counts and grades, but for the values of texts, which somebody wanted."""
    if "pca" not in preparation.steps:
        columns = range(len(preparation.features.numbers))
        for line in in_words(few_values(matrix, columns), preparation.output_names):
            table.note(line)


@contextlib.contextmanager
def explained_by(table: Table) -> Iterator[Tell]:
    """While the block runs, let its errors become one line; give it what makes lines of the log, each once."""
    told: dict[str, None] = {}
    try:
        yield lambda text: told.setdefault(text)
    except NothingEligible as error:  # the table is at fault, not how the command was typed
        raise SourceError(str(error)) from error
    except BgsubError:
        raise
    except ValueError as error:  # components that collapse
        raise BgsubError(f"cannot fit: {' '.join(str(error).split())}") from error
    for text in told:
        if text not in table.notes:
            logger.warning("%s", text)


def _finished(table: Table, rows: Prepared, found: Fit) -> tuple[TableModel, np.ndarray]:
    """Return the model of a fitted mixture, and each component's rows (K,)."""
    told = tell_of_fit(found, rows.preparation, len(rows.matrix))
    sizes, densities = sizes_and_densities(found, rows.matrix, told, rows.n_partial < len(rows.matrix))
    return model_from(table, rows.preparation, found, densities), sizes


def tell_of_fit(found: Fit, preparation: Preparation, n_rows: int) -> int:
    """Say what has collapsed; return of how many rows one is to have its density kept."""
    mixture = found.mixture
    told = mixture.parameters, mixture.covariance_type, found.options.reg_covar, preparation.output_names
    tell_of_collapse(*told, logger.warning, n_rows)
    return -(-n_rows // _MOST_DENSITIES)


def sizes_and_densities(
    found: Fit, matrix: np.ndarray, step: int, complete: bool, threads: int | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return each component's rows (K,) among prepared ones (n, D), and the log-densities of one of `step` rows.

    With `complete` these are only of rows without gaps: a density of fewer columns is none to compare whole rows with.
    """
    mixture, gaps = found.mixture, found.options.missing
    threads = found.options.threads if threads is None else threads
    sizes, densities = np.zeros(mixture.n_components, np.int64), [np.empty(0)]
    for start in range(0, len(matrix), BLOCK_ROWS):
        block = matrix[start : start + BLOCK_ROWS]
        labels = mixture.labels(block, missing=gaps, threads=threads)
        sizes += np.bincount(labels[labels >= 0], minlength=len(sizes))
        compared = block[~np.isnan(block).any(axis=1)] if complete else block
        densities.append(mixture.log_densities(compared[::step], missing=gaps, threads=threads))
    return sizes, np.concatenate(densities)


def model_from(table: Table, preparation: Preparation, found: Fit, densities: np.ndarray) -> TableModel:
    """Return the model of a table that a mixture was fitted to, of whose rows these are log-densities."""
    width = None if table.named else len(table.columns)
    return TableModel(preparation, found.mixture, np.quantile(densities, QUANTILES), outcome_of(found), width)


def model_of_projection(
    names: Sequence[str],
    projection: tuple[np.ndarray, np.ndarray, np.ndarray],
    found: Fit,
    log_density: np.ndarray,
) -> TableModel:
    """Return the model of tables whose rows somebody else has prepared and clustered.

    Parameters
    ----------
    names : sequence of str
        The F columns, all of numbers.
    projection : (ndarray (F,), ndarray (F, D), ndarray (D, F))
        Offset, forward and backward map of `Preparation`.
    found : Fit
        To the prepared rows.
    log_density : ndarray (N,)
        Of the rows that later ones are compared with.
    """
    preparation = Preparation(Features(tuple(names), (), {}), *projection, steps=("scale", "pca"))
    return TableModel(preparation, found.mixture, np.quantile(log_density, QUANTILES), outcome_of(found))


def outcome_of(found: Fit) -> Outcome:
    """Return how the fit of a mixture ended."""
    run = found.run
    return Outcome(float(found.options.reg_covar), run.converged, len(run.lower_bounds), run.lower_bound)
