"""A preparation learned from a table, and the table's prepared rows."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import pyarrow.compute as pc

from bgsub.errors import ParameterError, SourceError
from bgsub.tables.left_out import CodeWatch, IdWatch, left_out
from bgsub.tables.moments import Moments
from bgsub.tables.preparation import Features, Preparation, check_columns
from bgsub.tables.rows import ColumnSelection, Missing, read_rows
from bgsub.tables.storage import RowStore
from bgsub.tables.table import BLOCK_ROWS, Table

MOST_CATEGORIES = 100
"""Most values of a column of text: more are names or numbers of things, not kinds."""

_Progress = Callable[[int], None] | None
_Watches = tuple[IdWatch, CodeWatch]


@dataclass(frozen=True)
class Choice:
    """What a table's user wants of it.

    Attributes
    ----------
    columns : tuple of str
        Columns of numbers; none for all of them.
    exclude : tuple of str
        Columns of numbers to leave out where all are taken.
    logs : tuple of str
        Columns of which the logarithm is taken.
    encode : tuple of str
        Columns of text that become a 0 or 1 for each of their values.
    dates : tuple of str
        Columns of dates, times or durations to use too, as days (since 1970-01-01).
    scale : bool
        Whether features are standardised: mean 0, standard deviation 1.
    pca : int or None
        Number of principal components that take the features' place.
    weights : str or None
        Column of the rows' weights.
    missing : {"error", "drop", "em"}
        What to do with rows in which a value is missing: see `tables.rows.Missing`.
    baseline : bool
        Whether the first value of each column of text is left out, as it follows from the others: covariances that are
        not along the axes would be singular.
    """

    columns: tuple[str, ...] = ()
    logs: tuple[str, ...] = ()
    encode: tuple[str, ...] = ()
    scale: bool = False
    pca: int | None = None
    weights: str | None = None
    missing: Missing = "error"
    exclude: tuple[str, ...] = ()
    dates: tuple[str, ...] = ()
    baseline: bool = False


@dataclass(frozen=True)
class Prepared:
    """The prepared rows of a table.

    Attributes
    ----------
    preparation : Preparation
        How they were made.
    matrix : ndarray (N, D) float64
        The rows, without those in which a value is missing; or with them, their gaps NaN.
    weights : ndarray (N,) float64 or None
        Their weights.
    n_dropped : int
        Rows left out.
    n_partial : int
        Rows with gaps among the others.
    spread : ndarray (F,)
        The features' standard deviations.
    """

    preparation: Preparation
    matrix: np.ndarray
    weights: np.ndarray | None
    n_dropped: int
    n_partial: int
    spread: np.ndarray


@contextlib.contextmanager
def prepared(table: Table, choice: Choice, on_rows: _Progress = None) -> Iterator[Prepared]:
    """Learn a table's preparation, and hold its prepared rows while the block runs.

    The table is read once, or twice with text to encode. The rows lie in a `RowStore`: their number is not limited by
    memory. Weights count in the standardisation, not in the principal components.

    Parameters
    ----------
    table : Table
        The table.
    choice : Choice
        What is wanted of it.
    on_rows : callable, optional
        Called with the number of rows read so far.

    Yields
    ------
    Prepared
        Valid within the block.

    Raises
    ------
    ParameterError
        When a column is unknown, named twice or constant, or there are fewer features than principal components.
    SourceError
        When the table is empty, damaged, or a value in it is missing or no number.
    """
    features = _features(table, choice)
    with contextlib.ExitStack() as stack:
        store = stack.enter_context(RowStore(len(features.names)))
        watches = IdWatch(() if choice.columns else features.numbers), CodeWatch(features.numbers)
        try:
            read = _read(table, features, choice, store, watches, on_rows)
        finally:  # what was taken for missing explains the error that it is missing
            wanted = features.selection(choice.weights).wanted
            for line in table.told([name for name, kind in wanted.items() if kind == "number"]):
                table.note(line)
        _tell(table, features, choice, watches)
        _refuse_constant(features, read, table.name)
        weights, moments = read.weights, read.moments
        matrix = store.matrix()
        spread = np.sqrt(moments.variance)
        preparation = Preparation.identity(features)
        if choice.scale or choice.pca is not None:  # principal components need centred features to be precise
            preparation = _standardised(preparation, matrix, moments, choice.scale)
        if choice.pca is not None:
            preparation = _projected(preparation, matrix, choice.pca, ("scale", "pca") if choice.scale else ("pca",))
        elif choice.baseline and features.categories:
            preparation = _without_baseline(preparation, matrix)
        yield Prepared(preparation, matrix[:, : preparation.n_outputs], weights, read.n_dropped, read.n_partial, spread)


def _features(table: Table, choice: Choice) -> Features:
    """Return what becomes of which columns."""
    for names, what in (
        (choice.columns, "--columns"),
        (choice.encode, "--encode"),
        (choice.logs, "--log"),
        (choice.exclude, "--exclude"),
        (choice.dates, "--dates"),
    ):
        check_columns(names, what)
        table.check_names(names)
    _check_excluded(choice)
    if choice.pca is not None and choice.missing == "em":
        raise ParameterError("--pca needs rows without gaps: leave it out, or rows with gaps, with --missing drop")
    numbers = choice.columns
    if not numbers:
        others = [*choice.encode, *choice.exclude, *([choice.weights] if choice.weights else [])]
        numbers = table.numeric_columns(without=others)
    numbers = (*numbers, *(name for name in choice.dates if name not in numbers))
    strays = [name for name in choice.logs if name not in numbers]
    if strays:
        raise ParameterError(
            f"--log names {strays[0]!r}, which is not among the columns of numbers: add it to --columns"
        )
    if choice.weights in numbers:
        raise ParameterError(f"column {choice.weights!r} is to be a number and a weight: leave it out of --columns")
    if not (numbers or choice.encode):
        reasons = left_out(table, choice.exclude)
        there = f" (left out: {reasons})" if reasons else ""
        raise SourceError(
            f"{table.name} has no column of numbers{there}: name some with --columns, or columns of text with --encode"
        )
    return Features(numbers, choice.logs, _categories(table, choice), choice.dates)


def _check_excluded(choice: Choice) -> None:
    """Raise if a column is to be left out and used."""
    used = ((choice.columns, "--columns"), (choice.encode, "--encode"), (choice.logs, "--log"))
    for names, what in (*used, (choice.dates, "--dates"), ((choice.weights,), "--weights")):
        for name in choice.exclude:
            if name in names:
                raise ParameterError(f"column {name!r} is named in --exclude and in {what}: name it once")


def _categories(table: Table, choice: Choice) -> dict[str, tuple[str, ...]]:
    """Return the values of the columns of text, sorted."""
    seen: list[set[str]] = [set() for _ in choice.encode]
    if choice.encode:
        for rows in read_rows(table, ColumnSelection((), choice.encode), choice.missing):
            for name, texts, values in zip(choice.encode, rows.categories, seen, strict=True):
                values.update(value for value in pc.unique(texts).to_pylist() if value is not None)
                if len(values) > MOST_CATEGORIES:
                    raise ParameterError(
                        f"column {name!r} of {table.name} has more than {MOST_CATEGORIES} different values: "
                        "leave it out of --encode"
                    )
    return {name: tuple(sorted(values)) for name, values in zip(choice.encode, seen, strict=True)}


class _Read(NamedTuple):
    """What was learned of a table's rows while they were stored."""

    weights: np.ndarray | None
    n_dropped: int
    n_partial: int
    moments: Moments
    low: np.ndarray  # (F,): the least value of each feature
    high: np.ndarray
    n_kept: int


def _read(
    table: Table, features: Features, choice: Choice, store: RowStore, watches: _Watches, on_rows: _Progress
) -> _Read:
    """Fill the store; return what was learned on the way."""
    moments = Moments(len(features.names))
    weights: list[np.ndarray] = []
    n_dropped, n_partial, n_kept = 0, 0, 0
    low, high = np.full(len(features.names), np.inf), np.full(len(features.names), -np.inf)
    for rows in read_rows(table, features.selection(choice.weights), choice.missing, on_rows):
        for watch in watches:
            watch.add(rows.numbers)
        block = features.of(rows, table.name)[rows.complete]
        n_dropped += len(rows) - len(block)
        n_kept += len(block)
        if not len(block):
            continue
        n_partial += int(np.isnan(block).any(axis=1).sum())
        weight = None if rows.weights is None else rows.weights[rows.complete]
        moments.add(block, weight)
        store.append(block)
        low, high = np.fmin(low, np.fmin.reduce(block)), np.fmax(high, np.fmax.reduce(block))
        if weight is not None:
            weights.append(weight)
    if not n_kept:
        raise SourceError(f"{table.name}: every row has a missing value; name fewer columns with --columns")
    if weights and not any(part.any() for part in weights):
        raise SourceError(f"{table.name}: all weights in column {choice.weights!r} are 0; give one above 0")
    everything = np.concatenate(weights) if weights else None
    return _Read(everything, n_dropped, n_partial, moments, low, high, n_kept)


def _tell(table: Table, features: Features, choice: Choice, watches: _Watches) -> None:
    """Say which columns are not used though nobody said so, and which are hardly of use."""
    if not choice.columns:
        used = {*features.selection(choice.weights).wanted, *choice.exclude}
        table.check_left_out(used)
        others = left_out(table, used)
        if others:
            table.note(f"left out: {others}")
    for watch in watches:
        for line in watch.notes():
            table.note(line)


def _refuse_constant(features: Features, read: _Read, table: str) -> None:
    """Raise if a feature has no value, or one in all rows: nothing can be learned from it, and its variance is 0."""
    empty, constant = read.low > read.high, (read.low == read.high) & (read.n_kept > 1)
    if empty.any():
        column = features.names[int(np.argmax(empty))].partition("=")[0]
        raise SourceError(f"{table}: column {column!r} has no value in any row; leave it out with --exclude")
    if constant.any():
        name = features.names[int(np.argmax(constant))]
        column, _, value = name.partition("=")
        if name in features.numbers:
            raise SourceError(f"{table}: column {name!r} has one value in all rows; leave it out with --columns")
        raise SourceError(f"{table}: column {column!r} is {value!r} in all rows; leave it out of --encode")


def _standardised(identity: Preparation, matrix: np.ndarray, moments: Moments, scale: bool) -> Preparation:
    """Standardise (or, without `scale`, only centre) the features in place; return the preparation that does it."""
    divisor = np.sqrt(moments.variance) if scale else np.ones(len(moments.mean))
    divisor[divisor == 0] = 1.0  # a table of one row
    preparation = replace(
        identity, offset=moments.mean, forward=np.diag(1 / divisor), backward=np.diag(divisor), steps=("scale",)
    )
    for block in _blocks(matrix):
        block[:] = preparation.transform(block)
    return preparation


def _without_baseline(preparation: Preparation, matrix: np.ndarray) -> Preparation:
    """Write prepared features but for the first value of each column of text over the first columns."""
    shorter = preparation.without_baseline()
    kept = np.abs(shorter.forward).argmax(axis=0)
    for block in _blocks(matrix):
        block[:, : len(kept)] = block[:, kept]
    return shorter


def _projected(centred: Preparation, matrix: np.ndarray, n_components: int, steps: tuple[str, ...]) -> Preparation:
    """Write principal components over the first columns of centred features; return the preparation that does both."""
    from sklearn.decomposition import PCA

    most = min(matrix.shape)
    if n_components > most:
        raise ParameterError(f"--pca {n_components} is above the {most} features or rows that there are: give fewer")
    pca = PCA(n_components, svd_solver="covariance_eigh").fit(matrix)  # its memory does not grow with the rows
    for block in _blocks(matrix):
        block[:, :n_components] = pca.transform(block)
    return replace(
        centred,
        offset=centred.restore(pca.mean_),
        forward=centred.forward @ pca.components_.T,
        backward=pca.components_ @ centred.backward,
        steps=steps,
    )


def _blocks(matrix: np.ndarray) -> Iterator[np.ndarray]:
    for start in range(0, len(matrix), BLOCK_ROWS):
        yield matrix[start : start + BLOCK_ROWS]
