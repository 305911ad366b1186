"""A preparation learned from a table, and the table's prepared rows."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import reduce

import numpy as np
import pyarrow.compute as pc

from bgsub.errors import ParameterError, SourceError
from bgsub.tables.left_out import CodeWatch, IdWatch, left_out
from bgsub.tables.moments import Moments
from bgsub.tables.preparation import Features, Preparation, check_columns
from bgsub.tables.principal_axes import PrincipalAxes, Products
from bgsub.tables.rows import ColumnSelection, Missing, Rows, read_rows
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
    features = features_of(table, choice)
    with contextlib.ExitStack() as stack:
        store = stack.enter_context(RowStore(len(features.names)))
        gathered = Gathered(features, choice)
        try:
            weights = _read(table, choice, gathered, store, on_rows)
        finally:  # what was taken for missing explains the error that it is missing
            wanted = features.selection(choice.weights).wanted
            for line in table.told([name for name, kind in wanted.items() if kind == "number"]):
                table.note(line)
        gathered.check(table, choice)
        matrix = store.matrix()
        preparation = Preparation.identity(features)
        if choice.scale or choice.pca is not None:  # principal components need centred features to be precise
            preparation = gathered.standardisation(choice.scale)
            for block in _blocks(matrix):
                block[:] = preparation.transform(block)
        if choice.pca is not None:
            preparation = _projected(preparation, matrix, choice)
        elif choice.baseline and features.categories:
            preparation = _without_baseline(preparation, matrix)
        counts = gathered.n_dropped, gathered.n_partial
        yield Prepared(preparation, matrix[:, : preparation.n_outputs], weights, *counts, gathered.spread)


Categories = dict[str, tuple[str, ...]]
"""Columns of text, and their values, sorted."""


def features_of(
    table: Table, choice: Choice, categories: Callable[[Table, Choice], Categories] | None = None
) -> Features:
    """Return what becomes of which columns of a table.

    Parameters
    ----------
    table : Table
        Open.
    choice : Choice
        What is wanted of it.
    categories : callable, optional
        Returns the values of the columns of text, where these are not to be read here.

    Raises
    ------
    ParameterError, SourceError
        As `prepared`.
    """
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
    return Features(numbers, choice.logs, (categories or _categories)(table, choice), choice.dates)


def _check_excluded(choice: Choice) -> None:
    """Raise if a column is to be left out and used."""
    used = ((choice.columns, "--columns"), (choice.encode, "--encode"), (choice.logs, "--log"))
    for names, what in (*used, (choice.dates, "--dates"), ((choice.weights,), "--weights")):
        for name in choice.exclude:
            if name in names:
                raise ParameterError(f"column {name!r} is named in --exclude and in {what}: name it once")


def _categories(table: Table, choice: Choice) -> Categories:
    """Return the values of the columns of text."""
    return categories_from([values_of(table, choice)] if choice.encode else [], table, choice)


def values_of(table: Table, choice: Choice) -> list[set[str]]:
    """Return the different values of each column of text of a table or of a part of it, if they are not too many."""
    seen: list[set[str]] = [set() for _ in choice.encode]
    for rows in read_rows(table, ColumnSelection((), choice.encode), choice.missing):
        for name, texts, values in zip(choice.encode, rows.categories, seen, strict=True):
            values.update(value for value in pc.unique(texts).to_pylist() if value is not None)
            _check_few(name, values, table)
    return seen


def categories_from(seen: Iterable[list[set[str]]], table: Table, choice: Choice) -> Categories:
    """Return the columns of text with their values in all parts of a table."""
    found = [set[str]().union(*parts) for parts in zip(*seen, strict=True)] or [set() for _ in choice.encode]
    for name, values in zip(choice.encode, found, strict=True):
        _check_few(name, values, table)
    return {name: tuple(sorted(values)) for name, values in zip(choice.encode, found, strict=True)}


def _check_few(name: str, values: set[str], table: Table) -> None:
    if len(values) > MOST_CATEGORIES:
        raise ParameterError(
            f"column {name!r} of {table.name} has more than {MOST_CATEGORIES} different values: "
            "leave it out of --encode"
        )


class Gathered:
    """What is learned of a table's rows while they go by; of several parts, merged in their order, that of all.

    Parameters
    ----------
    features : Features
        What becomes of which columns.
    choice : Choice
        What is wanted of the table.

    Attributes
    ----------
    features : Features
        As given.
    watches : tuple
        What looks for columns of ids, and for numbers that mean missing.
    low, high : ndarray (F,)
        The least and the highest value of each feature.
    moments : Moments
        Of the features.
    n_kept, n_dropped, n_partial : int
        Rows that count, those left out, and those with gaps among the first.
    weight, n_weighted : float, int
        The sum of the weights, and how many rows have one.
    """

    def __init__(self, features: Features, choice: Choice) -> None:
        width = len(features.names)
        self.features = features
        self.watches = IdWatch(() if choice.columns else features.numbers), CodeWatch(features.numbers)
        self.moments = Moments(width)
        self.low, self.high = np.full(width, np.inf), np.full(width, -np.inf)
        self.n_kept = self.n_dropped = self.n_partial = self.n_weighted = 0
        self.weight = 0.0

    def add(self, rows: Rows, table: str) -> tuple[np.ndarray, np.ndarray | None]:
        """Look at the next rows; return the features of those that count (n, F), and their weights."""
        for watch in self.watches:
            watch.add(rows.numbers)
        block = self.features.of(rows, table)[rows.complete]
        weight = None if rows.weights is None else rows.weights[rows.complete]
        self.n_dropped += len(rows) - len(block)
        self.n_kept += len(block)
        if len(block):
            self.n_partial += int(np.isnan(block).any(axis=1).sum())
            self.weight += float(len(block) if weight is None else weight.sum())
            self.n_weighted += len(block) if weight is None else int(np.count_nonzero(weight))
            self.moments.add(block, weight)
            self.low = np.fmin(self.low, np.fmin.reduce(block))
            self.high = np.fmax(self.high, np.fmax.reduce(block))
        return block, weight

    def merge(self, other: Gathered) -> None:
        """Add what was learned of the rows that come next."""
        self.watches[0].merge(other.watches[0])
        self.watches[1].merge(other.watches[1])
        self.moments.merge(other.moments)
        self.low, self.high = np.fmin(self.low, other.low), np.fmax(self.high, other.high)
        for name in ("n_kept", "n_dropped", "n_partial", "n_weighted", "weight"):
            setattr(self, name, getattr(self, name) + getattr(other, name))

    def check(self, table: Table, choice: Choice) -> None:
        """Say what is worth knowing of the columns; raise SourceError if nothing can be learned of the rows."""
        if not self.n_kept:
            raise SourceError(f"{table.name}: every row has a missing value; name fewer columns with --columns")
        if choice.weights is not None and not self.n_weighted:
            raise SourceError(f"{table.name}: all weights in column {choice.weights!r} are 0; give one above 0")
        _tell(table, self.features, choice, self.watches)
        _refuse_constant(self.features, self, table.name)

    @property
    def spread(self) -> np.ndarray:
        """The features' standard deviations (F,)."""
        return np.sqrt(self.moments.variance)

    def standardisation(self, scale: bool) -> Preparation:
        """Return the preparation that standardises the features or, without `scale`, only centres them."""
        identity = Preparation.identity(self.features)
        divisor = self.spread if scale else np.ones(len(self.moments.mean))
        divisor[divisor == 0] = 1.0  # a table of one row
        forward, backward = np.diag(1 / divisor), np.diag(divisor)
        return replace(identity, offset=self.moments.mean, forward=forward, backward=backward, steps=("scale",))


def _read(table: Table, choice: Choice, gathered: Gathered, store: RowStore, on_rows: _Progress) -> np.ndarray | None:
    """Fill the store; return the rows' weights."""
    weights = []
    for rows in read_rows(table, gathered.features.selection(choice.weights), choice.missing, on_rows):
        block, weight = gathered.add(rows, table.name)
        store.append(block)
        if weight is not None:
            weights.append(weight)
    return np.concatenate(weights) if weights else None


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


def _refuse_constant(features: Features, read: Gathered, table: str) -> None:
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


def _without_baseline(preparation: Preparation, matrix: np.ndarray) -> Preparation:
    """Write prepared features but for the first value of each column of text over the first columns."""
    shorter = preparation.without_baseline()
    kept = np.abs(shorter.forward).argmax(axis=0)
    for block in _blocks(matrix):
        block[:, : len(kept)] = block[:, kept]
    return shorter


def pca_steps(choice: Choice) -> tuple[str, ...]:
    """Return what a preparation with principal components does."""
    return ("scale", "pca") if choice.scale else ("pca",)


def _projected(centred: Preparation, matrix: np.ndarray, choice: Choice) -> Preparation:
    """Write principal components over the first columns of centred features; return the preparation that does both."""
    assert choice.pca is not None
    axes = PrincipalAxes.of(reduce(Products.joined, map(Products.of, _blocks(matrix))), choice.pca)
    for block in _blocks(matrix):
        block[:, : choice.pca] = axes.project(block)
    return axes.after(centred, pca_steps(choice))


def _blocks(matrix: np.ndarray) -> Iterator[np.ndarray]:
    for start in range(0, len(matrix), BLOCK_ROWS):
        yield matrix[start : start + BLOCK_ROWS]
