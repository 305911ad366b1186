"""Gaussian mixtures of tables in partitions: what `GaussianMixture` does with rows in memory, on Dask."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Unpack

import numpy as np

from bgsub.distributed.cutting import partitioned
from bgsub.distributed.partitions import Partitioned, Reading
from bgsub.distributed.rows import RowsOnDask, labels, log_densities
from bgsub.distributed.summing import each
from bgsub.errors import ParameterError
from bgsub.mixture.comparison import ModelSelection, compare_data
from bgsub.mixture.diagnosis import warn
from bgsub.mixture.em.starts import seeding_rows
from bgsub.mixture.estimator import GaussianMixture
from bgsub.mixture.fitting import seed_of
from bgsub.mixture.parameters import COVARIANCE_TYPES
from bgsub.mixture.selection import MixtureOptions, combinations, options_of, told_of
from bgsub.mixture.settings import CovarianceType, Criterion, default


def fit(
    mixture: GaussianMixture, X: Any, *, sample_weight: Any = None, columns: Sequence[str] | None = None
) -> GaussianMixture:
    """Fit a mixture to rows in partitions, by one pass over all of them for each step of EM.

    The parameters are those of ``mixture.fit`` on all rows in memory, but for rounding: partitions' sums are added up
    in their order, and the same partitions give the same bits whatever the number of workers. Starts are drawn from
    the same rows as there. The client that is connected does the work, or without one Dask's threads here. A partition
    is what a worker must have room for. Where `X` is not persisted, each pass computes or reads it anew.

    Parameters
    ----------
    mixture : GaussianMixture
        What is fitted, with its settings; `noise` in a hull needs the rows here.
    X : dask.array.Array, dask.dataframe.DataFrame or path
        Rows (N, D). A path is that of a Parquet file or of a folder of such files, which the workers see too: each
        reads groups of rows of it, again in each pass.
    sample_weight : dask array or ndarray (N,), dask series, or str, optional
        Weights of the rows, 0 or more. Of a data frame and of Parquet the name of their column.
    columns : sequence of str, optional
        The columns of a data frame or of Parquet; by default all (of Parquet those of numbers) but the weights'.

    Returns
    -------
    GaussianMixture
        The same object.

    Raises
    ------
    ValueError
        As ``mixture.fit``: the text names the row, or else the partition.
    ClusterError
        When the scheduler is lost, or a partition takes down all workers that try it.

    Examples
    --------
    >>> import dask.array as da
    >>> import numpy as np
    >>> import bgsub
    >>> from bgsub import distributed
    >>> random = np.random.default_rng(0)
    >>> rows = np.concatenate([random.normal([0, 5], 1, (900, 2)), random.normal([9, 1], 2, (300, 2))])
    >>> mixture = distributed.fit(bgsub.GaussianMixture(2, random_state=0), da.from_array(rows, chunks=(500, 2)))
    >>> np.sort(mixture.weights_).round(2).tolist()
    [0.25, 0.75]
    """
    _check_estimator(mixture)
    data = RowsOnDask(partitioned(X, sample_weight, columns), mixture.missing)
    if mixture.noise != "hull":  # else the fit says that it cannot
        shortfall = data.shortfall() if sample_weight is not None else ""
        if shortfall:
            warn(f"{shortfall}: criteria take the sum as the number of rows; scale the weights to sum to that number")
        if data.n_rows < 2:
            raise ParameterError(f"X has {data.n_rows} row that counts: give at least 2")
    return mixture.fit_data(data)


def select(
    X: Any,
    n_components: int | Iterable[int] = range(1, 10),
    covariance_type: CovarianceType | Sequence[CovarianceType] = COVARIANCE_TYPES,
    criterion: Criterion = "bic",
    *,
    n_init: int = int(default("n_init", "table")),
    sample_weight: Any = None,
    columns: Sequence[str] | None = None,
    random_state: Any = None,
    threads: int | None = None,
    allow_collapsed: bool = False,
    **options: Unpack[MixtureOptions],
) -> ModelSelection:
    """Choose among numbers of components and covariance types, as `bgsub.select`, for rows in partitions.

    Parameters
    ----------
    X, sample_weight, columns
        As of `fit`.
    n_components, covariance_type, criterion, n_init, random_state, allow_collapsed, **options
        As of `bgsub.select`.
    threads : int, optional
        Combinations that are fitted at the same time, None for as many as this machine has processors.

    Returns
    -------
    ModelSelection
        The table, and the best model, fitted.

    Raises
    ------
    ValueError
        As `bgsub.select`.

    Examples
    --------
    >>> import dask.array as da
    >>> import numpy as np
    >>> from bgsub import distributed
    >>> random = np.random.default_rng(0)
    >>> rows = np.concatenate([random.normal([0, 5], 1, (900, 2)), random.normal([9, 1], 2, (300, 2))])
    >>> selection = distributed.select(da.from_array(rows, chunks=(500, 2)), range(1, 4), "spherical", random_state=0)
    >>> selection.best.n_components
    2
    """
    counts, types = combinations(n_components, covariance_type, criterion)
    given: dict[str, Any] = {"n_init": n_init, "threads": threads, **options}
    fit_options = options_of(given)
    if fit_options.noise == "hull":
        raise ParameterError("a hull of noise needs the rows here: give noise='box', or bgsub.select rows in memory")
    data, seed = RowsOnDask(partitioned(X, sample_weight, columns), fit_options.missing), seed_of(random_state)
    shortfall = data.shortfall() if sample_weight is not None else ""
    if shortfall:
        warn(f"{shortfall}: they are scaled to sum to that number, which the criteria count")
        data.rescaled()
    some, _ = data.sample(seeding_rows(max(counts)), 0)
    how = (counts, types, criterion, fit_options, seed)
    found = compare_data(data, data.criteria, some, *how, allow_collapsed=allow_collapsed)
    return told_of(found, fit_options, {**given, "random_state": random_state})


def predict(mixture: GaussianMixture, X: Any, *, columns: Sequence[str] | None = None) -> Any:
    """Return the most probable component of each row, as ``mixture.predict``, computed when it is asked for.

    Parameters
    ----------
    mixture : GaussianMixture
        Fitted.
    X : dask.array.Array, dask.dataframe.DataFrame or path
        Rows (N, D), as of `fit`. Of a data frame and of Parquet the columns are those of the names that the mixture
        was fitted with, in any order.
    columns : sequence of str, optional
        Which columns take their place, where the mixture knows no names.

    Returns
    -------
    dask.array.Array
        Integers (N,), in partitions as `X`; -1 where none is. ``.compute()`` makes an array of it.

    Raises
    ------
    ParameterError
        When the columns are not those of the mixture; when it is computed, where a value is NaN or infinite.
    """
    return _of_rows(mixture, X, columns, np.dtype(np.intp), labels)


def score_samples(mixture: GaussianMixture, X: Any, *, columns: Sequence[str] | None = None) -> Any:
    """Return the log-density of each row, as ``mixture.score_samples``, computed when it is asked for.

    Parameters
    ----------
    mixture, X, columns
        As of `predict`, and so are the errors.

    Returns
    -------
    dask.array.Array
        (N,), float32 where both `X` and the mixture are, else float64; in partitions as `X`.
    """
    _check_fitted(mixture)
    return _of_rows(mixture, X, columns, None, log_densities)


def _of_rows(
    mixture: GaussianMixture, X: Any, columns: Sequence[str] | None, dtype: Any, work: Callable[..., np.ndarray]
) -> Any:
    """Return what some work says of the rows of each partition, as a Dask array."""
    import dask.array as da

    _check_fitted(mixture)
    names = getattr(mixture, "feature_names_in_", None)
    wanted = columns if columns is not None or names is None or type(X).__name__ == "Array" else list(names)
    data: Partitioned = partitioned(X, None, wanted)
    if data.n_features != mixture.n_features_in_:
        raise ParameterError(
            f"X has {data.n_features} features, but the mixture was fitted to {mixture.n_features_in_}: give the same "
            "columns"
        )
    told: tuple[Any, ...] = (Reading(data.n_features, data.dtype, mixture.missing), mixture.fitted_mixture())
    if dtype is None:
        dtype = np.result_type(data.dtype, mixture.means_.dtype)
        told = (*told, dtype)
    tasks = each(work, data.partitions, *told)
    lengths = data.lengths or (np.nan,) * len(tasks)
    return da.concatenate(
        [da.from_delayed(task, (n,), dtype=dtype) for task, n in zip(tasks, lengths, strict=True)],
        allow_unknown_chunksizes=True,
    )


def _check_fitted(mixture: GaussianMixture) -> None:
    """Raise what scikit-learn's estimators raise where the mixture is not fitted."""
    _check_estimator(mixture)
    mixture.fitted_mixture()


def _check_estimator(mixture: Any) -> None:
    """Raise ParameterError unless it is a `GaussianMixture`."""
    if not isinstance(mixture, GaussianMixture):
        raise ParameterError(
            f"the mixture is of type {type(mixture).__name__}: give a bgsub.GaussianMixture, and the rows after it"
        )
