"""From prepared rows to the model of a table, and what is said of it."""

from __future__ import annotations

import contextlib
import logging
import warnings
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import numpy as np

from bgsub.cli.cluster.model_file import QUANTILES, TableModel, largest_first
from bgsub.errors import BgsubError, SourceError
from bgsub.mixture.diagnosis import tell_of_collapse
from bgsub.mixture.estimator import GaussianMixture
from bgsub.tables.learning import Prepared
from bgsub.tables.table import BLOCK_ROWS, Table

logger = logging.getLogger(__name__)

_MOST_DENSITIES = 10_000_000  # rows whose log-density is sorted, evenly spaced over the table
_TOO_DIFFERENT = 100  # factor between standard deviations above which k-means sees one column only
_Result = TypeVar("_Result")


def check_rows(rows: Prepared, table: str, n_components: int, scaled: bool) -> None:
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


def explained(fit: Callable[[], _Result]) -> _Result:
    """Return what `fit` does; its errors become one line, its warnings lines of the log."""
    from sklearn.exceptions import ConvergenceWarning

    with (
        warnings.catch_warnings(record=True) as caught,
        _silent("bgsub.mixture.diagnosis"),
    ):  # `finished` tells the same
        warnings.simplefilter("always")
        try:
            result = fit()
        except BgsubError:
            raise
        except ValueError as error:  # components that collapse
            raise BgsubError(f"cannot fit: {' '.join(str(error).split())}") from error
    for text in dict.fromkeys(str(w.message) for w in caught if not issubclass(w.category, ConvergenceWarning)):
        logger.warning("%s", text)
    return result


def finished(table: Table, rows: Prepared, mixture: GaussianMixture) -> tuple[TableModel, np.ndarray]:
    """Put a fitted mixture's largest components first; return the model, and each component's rows (K,)."""
    largest_first(mixture)
    names = rows.preparation.features.names if rows.preparation.n_outputs == len(rows.spread) else None
    tell_of_collapse(mixture.fitted_mixture().parameters, mixture.covariance_type, mixture.reg_covar, names)
    step = -(-len(rows.matrix) // _MOST_DENSITIES)
    sizes, densities = np.zeros(len(mixture.weights_), np.int64), []
    for start in range(0, len(rows.matrix), BLOCK_ROWS):
        block = rows.matrix[start : start + BLOCK_ROWS]
        sizes += np.bincount(mixture.predict(block), minlength=len(sizes))
        densities.append(mixture.score_samples(block)[::step])
    quantiles = np.quantile(np.concatenate(densities), QUANTILES)
    width = None if table.named else len(table.columns)
    return TableModel(rows.preparation, mixture, quantiles, width), sizes


@contextlib.contextmanager
def _silent(name: str) -> Iterator[None]:
    """Let nothing of a logger through while the block runs."""
    muted = logging.getLogger(name)
    before, muted.disabled = muted.disabled, True
    try:
        yield
    finally:
        muted.disabled = before


def new_mixture(options: dict[str, Any], **parameters: Any) -> GaussianMixture:
    """Return an unfitted mixture with the parameters that the options say."""
    names = {"n_init": "n_init", "max_iter": "max_iter", "tol": "tol", "reg_covar": "reg_covar", "threads": "threads"}
    given = {parameter: options[option] for parameter, option in names.items()}
    return GaussianMixture(random_state=options["seed"], **given, **parameters)
