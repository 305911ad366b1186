"""What Dask knows as partitions: arrays, data frames and Parquet."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
from dask.delayed import Delayed

from bgsub.distributed.parquet import of_parquet
from bgsub.distributed.partitions import Partition, Partitioned
from bgsub.errors import ParameterError
from bgsub.mixture.column_names import column_names

_NUMBERS = "fiub"  # kinds of dtypes: floats, whole numbers and truth values


def partitioned(X: Any, sample_weight: Any = None, columns: Sequence[str] | None = None) -> Partitioned:
    """Return the partitions of a Dask array, a Dask data frame, or Parquet.

    Parameters
    ----------
    X : dask.array.Array, dask.dataframe.DataFrame, or path
        Rows (N, D). A path is that of a Parquet file, or of a folder of such files, which the workers see too.
    sample_weight : dask array (N,), ndarray (N,), dask series, or str, optional
        Weights of the rows; of frames and Parquet also the name of their column.
    columns : sequence of str, optional
        Of a frame or Parquet; by default all, but for that of the weights, and of Parquet those of numbers.

    Raises
    ------
    ParameterError, SourceError
        When it is something else, a column is unknown or holds no numbers, or the weights are cut otherwise.
    """
    if isinstance(X, (str, os.PathLike)):
        return of_parquet(X, sample_weight, columns)
    kind = type(X).__name__
    if type(X).__module__.partition(".")[0] in ("dask", "dask_expr"):
        if kind == "Array":
            return _of_array(X, sample_weight, columns)
        if kind == "DataFrame":
            return _of_frame(X, sample_weight, columns)
        if kind == "Series":
            raise ParameterError("X is a Dask series: give a data frame of the columns, such as X.to_frame()")
    raise ParameterError(
        f"X is of type {kind}: give a Dask array, a Dask data frame or the path of Parquet; what is in memory goes to "
        "the mixture's own methods"
    )


def _of_array(X: Any, sample_weight: Any, columns: Sequence[str] | None) -> Partitioned:
    """Return the partitions of a Dask array: its blocks of rows."""
    if columns is not None:
        raise ParameterError("columns is given for an array, whose columns have no names: leave it out, and slice X")
    if X.ndim != 2 or np.isnan(X.shape[1]):
        raise ParameterError(f"X has the shape {X.shape}: give an array of rows and a known number of columns")
    if not X.shape[1]:
        raise ParameterError("X has no columns: give at least one")
    if X.dtype.kind not in _NUMBERS:
        raise ParameterError(f"X is a Dask array of dtype {X.dtype}: give numbers, X.astype(float)")
    if X.numblocks[1] > 1:
        X = X.rechunk({1: -1})
    lengths = None if any(map(np.isnan, X.chunks[0])) else tuple(X.chunks[0])
    weights = _weights_like(X, sample_weight, lengths)
    return Partitioned(_paired(_blocks(X), weights), X.shape[1], _float(X.dtype), None, lengths)


def _of_frame(X: Any, sample_weight: Any, columns: Sequence[str] | None) -> Partitioned:
    """Return the partitions of a Dask data frame."""
    given = list(X.columns)
    weight_column = [sample_weight] if isinstance(sample_weight, str) else []
    wanted = list(given if columns is None else columns)
    wanted = [name for name in wanted if name not in weight_column]
    _check_names([*wanted, *weight_column], given)
    dtypes = dict(zip(given, X.dtypes, strict=True))
    for name in [*wanted, *weight_column]:
        if dtypes[name].kind not in _NUMBERS:
            numbers = [name for name in wanted if dtypes[name].kind in _NUMBERS]
            raise ParameterError(
                f"column {name!r} of X holds {dtypes[name]}: give columns of numbers, columns={numbers}"
            )
    if not wanted:
        raise ParameterError("X has no columns to fit to: give at least one of numbers")
    frame = X[wanted]
    weights: list[Any] | None = None
    if weight_column:
        weights = X[sample_weight].to_delayed()
    elif type(sample_weight).__name__ == "Series" and sample_weight.npartitions == X.npartitions:
        weights = sample_weight.to_delayed()
    elif sample_weight is not None:
        raise ParameterError(
            "sample_weight of a Dask data frame is the name of its column, or a Dask series of the same partitions: "
            "X.assign(weight=...) makes it a column"
        )
    dtype = np.result_type(*{_float(dtypes[name]) for name in wanted})
    return Partitioned(_paired(list(frame.to_delayed()), weights), len(wanted), dtype, column_names(frame))


def _check_names(wanted: Sequence[Any], given: Sequence[Any]) -> None:
    """Raise ParameterError unless columns are there, once."""
    for name in wanted:
        if given.count(name) != 1:
            what = "has no column" if name not in given else "has twice the column"
            raise ParameterError(f"X {what} {name!r}: there are {', '.join(map(str, given[:20]))}")
        if list(wanted).count(name) > 1:
            raise ParameterError(f"columns names {name!r} twice: name it once")


def _weights_like(X: Any, sample_weight: Any, lengths: tuple[int, ...] | None) -> list[Any] | None:
    """Return weights in blocks as an array's rows."""
    if sample_weight is None:
        return None
    import dask.array as da

    if type(sample_weight).__module__.partition(".")[0] != "dask":
        values = np.asarray(sample_weight, np.float64)
        if lengths is None:
            raise ParameterError("sample_weight is in memory, and X has blocks of unknown length: give a Dask array")
        if values.shape != (sum(lengths),):
            raise ParameterError(f"sample_weight.shape == {values.shape}, expected {(sum(lengths),)}!")
        return _blocks(da.from_array(values, chunks=(lengths,)))
    if getattr(sample_weight, "ndim", None) != 1 or not hasattr(sample_weight, "chunks"):
        raise ParameterError("sample_weight is not a Dask array of one axis: give one of shape (N,)")
    if lengths is not None and not any(map(np.isnan, sample_weight.chunks[0])):
        if sample_weight.shape != (sum(lengths),):
            raise ParameterError(f"sample_weight.shape == {sample_weight.shape}, expected {(sum(lengths),)}!")
        return _blocks(sample_weight.rechunk((lengths,)))
    if sample_weight.numblocks != X.numblocks[:1]:
        raise ParameterError(
            f"sample_weight has {sample_weight.numblocks[0]} blocks, X {X.numblocks[0]}, of unknown length: cut both "
            "alike"
        )
    return _blocks(sample_weight)


def _blocks(array: Any) -> list[Delayed]:
    return list(array.to_delayed().ravel())


def _paired(blocks: list[Any], weights: list[Any] | None) -> list[Partition]:
    return list(zip(blocks, weights if weights is not None else [None] * len(blocks), strict=True))


def _float(dtype: Any) -> Any:
    """Return what a dtype becomes: float32 stays, all else is float64."""
    return np.dtype(np.float32) if dtype == np.float32 else np.dtype(np.float64)
