r"""What is done to a row before a model sees it, and undone where people look at the model.

A row becomes features: the columns of numbers, their logarithm where that was asked for, then a 0 or 1 for each value
of the columns of text. Standardising and principal components are one affine map of the features f,

.. math:: z = (f - o) A, \qquad f = o + z B,

with A (F, D) and B (D, F), :math:`B A = 1`. So a mean m of z is o + m B in the features' units, a covariance S is
:math:`B^T S B`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bgsub.errors import ModelFileError, ParameterError, SourceError
from bgsub.tables.dates import from_days
from bgsub.tables.rows import ColumnSelection, Rows
from bgsub.tables.values import as_array, as_text

_STEPS = {(), ("scale",), ("pca",), ("scale", "pca"), ("baseline",), ("scale", "baseline")}


@dataclass(frozen=True)
class Features:
    """Which columns become features, and how.

    Attributes
    ----------
    numbers : tuple of str
        Columns of numbers.
    logs : tuple of str
        Those of them of which the natural logarithm is taken.
    categories : mapping of str to tuple of str
        Columns of text and their values, each of which is a feature of 0 or 1.
    dates : tuple of str
        Those of `numbers` that are dates, times or durations, in days.
    """

    numbers: tuple[str, ...]
    logs: tuple[str, ...]
    categories: Mapping[str, tuple[str, ...]]
    dates: tuple[str, ...] = ()

    @property
    def names(self) -> list[str]:
        """The features' names: a column's, or ``column=value``."""
        return [*self.numbers, *(f"{name}={value}" for name, values in self.categories.items() for value in values)]

    @property
    def groups(self) -> list[np.ndarray]:
        """The places of the features that each column of text becomes."""
        starts = np.cumsum([len(self.numbers), *map(len, self.categories.values())])
        return [np.arange(start, end) for start, end in pairwise(starts)]

    @property
    def is_log(self) -> np.ndarray:
        """Which features are logarithms, (F,) bool."""
        return np.array([name in self.logs for name in self.numbers] + [False] * (len(self.names) - len(self.numbers)))

    def selection(self, weights: str | None = None, kept: Sequence[str] = ()) -> ColumnSelection:
        """Return the columns to read."""
        return ColumnSelection(self.numbers, tuple(self.categories), weights, tuple(kept), self.dates)

    def of(self, rows: Rows, table: str) -> np.ndarray:
        """Return the features (n, F) of rows; NaN where a value is missing, or a text not among its column's values.

        Raises
        ------
        SourceError
            When a logarithm is taken of 0 or less.
        """
        blocks = [rows.numbers]
        for column in (index for index, name in enumerate(self.numbers) if name in self.logs):
            values = rows.numbers[:, column]
            faults = rows.complete & (values <= 0)
            if faults.any():
                row, name = int(np.argmax(faults)), self.numbers[column]
                raise SourceError(
                    f"{table}: row {rows.start + row + 1}, column {name!r} is {values[row]:g}, which has no logarithm: "
                    "leave the column out of --log"
                )
            if blocks[0] is rows.numbers:
                blocks[0] = rows.numbers.copy()
            blocks[0][:, column] = np.log(values, where=values > 0, out=np.full(len(values), np.nan))
        for known, texts in zip(self.categories.values(), rows.categories, strict=True):
            blocks.append(_one_hot(texts, known))
        return np.hstack(blocks) if len(blocks) > 1 else blocks[0]

    def unseen(self, rows: Rows) -> np.ndarray:
        """Return which rows that could be used hold a text that was not learned, (n,) bool."""
        unknown = np.zeros(len(rows), bool)
        for known, texts in zip(self.categories.values(), rows.categories, strict=True):
            unknown |= as_array(texts.is_valid()) & (_codes(texts, known) < 0)
        return rows.complete & unknown

    @staticmethod
    def is_new(value: str, known: tuple[str, ...]) -> bool:
        """Tell whether a value of a column of text is none of those that were learned."""
        return bool(np.isnan(_one_hot(pa.array([value], pa.string()), known)).any())


def _one_hot(texts: pa.Array, known: tuple[str, ...]) -> np.ndarray:
    """Return a column of 0 and 1 for each known value (n, len(known)); rows of a missing or unknown text are NaN."""
    codes = _codes(texts, known)
    encoded = (codes[:, None] == np.arange(len(known))).astype(np.float64)
    encoded[codes < 0] = np.nan
    return encoded


def _codes(texts: pa.Array, known: tuple[str, ...]) -> np.ndarray:
    """Return the place of each text among the known ones (n,), -1 for others and for missing ones."""
    values = as_text(pa.array(known, pa.string()))  # models of before know True
    codes = pc.index_in(texts, value_set=values)
    return np.where(as_array(codes.is_valid()), as_array(codes), -1)


@dataclass(frozen=True)
class Preparation:
    """Features, and the affine map that standardises and projects them; see the module's text.

    Attributes
    ----------
    features : Features
        How rows become features.
    offset : ndarray (F,)
        The features' values that become 0.
    forward : ndarray (F, D)
        A.
    backward : ndarray (D, F)
        B.
    steps : tuple of {"scale", "baseline", "pca"}
        What the map does: standardise, leave out the first value of each column of text, project on principal
        components.
    """

    features: Features
    offset: np.ndarray
    forward: np.ndarray
    backward: np.ndarray
    steps: tuple[str, ...] = ()

    @classmethod
    def identity(cls, features: Features) -> Preparation:
        """Return a preparation that leaves the features as they are."""
        n = len(features.names)
        return cls(features, np.zeros(n), np.eye(n), np.eye(n))

    @property
    def n_outputs(self) -> int:
        """D, what a model of the prepared rows takes."""
        return self.forward.shape[1]

    def transform(self, features: np.ndarray) -> np.ndarray:
        """Return the prepared rows (n, D) of features (n, F)."""
        if not self.steps:
            return features
        if "pca" in self.steps:
            return (features - self.offset) @ self.forward
        kept = np.abs(self.forward).argmax(axis=0)  # a product would spread what is missing over the row
        return (features[:, kept] - self.offset[kept]) * self.forward[kept, np.arange(len(kept))]

    def without_baseline(self) -> Preparation:
        """Return the preparation, which projects nothing, that also leaves out the first value of each column of text.

        It is 1 less the others: with it their covariance is singular. `restore` finds it again.
        """
        features, backward = self.features, self.backward.copy()
        offset, kept = self.offset.copy(), np.ones(len(self.offset), bool)
        for group in features.groups:
            first, others = group[0], group[1:]
            kept[first] = False
            offset[first] = 1.0 - offset[others].sum()
            backward[others, first] = -backward[others, others]
        forward = self.forward[:, kept]
        return Preparation(features, offset, forward, backward[kept], (*self.steps, "baseline"))

    @property
    def output_names(self) -> list[str]:
        """What the columns of the prepared rows are called, D names."""
        if "pca" in self.steps:
            return [f"principal component {i + 1}" for i in range(self.n_outputs)]
        names = self.features.names
        return [names[i] for i in np.abs(self.forward).argmax(axis=0)]

    def restore(self, prepared: np.ndarray) -> np.ndarray:
        """Return the features (n, F) of prepared rows (n, D); of means, the means in the features' units."""
        return self.offset + prepared @ self.backward

    def restore_covariances(self, covariances: np.ndarray) -> np.ndarray:
        """Return covariances (K, F, F) of the features for those (K, D, D) of prepared rows."""
        return np.swapaxes(self.backward, 0, 1) @ covariances @ self.backward

    def in_units(self, features: np.ndarray) -> np.ndarray:
        """Return features (n, F) with logarithms undone; of means, medians in those columns."""
        return np.where(self.features.is_log, np.exp(np.where(self.features.is_log, features, 0.0)), features)

    def columns_of(self, features: np.ndarray) -> dict[str, np.ndarray | pa.Array]:
        """Return the table's columns for features (n, F): logarithms undone, days as dates, of texts the likeliest."""
        values = self.in_units(features)
        columns: dict[str, np.ndarray | pa.Array] = {
            name: from_days(values[:, index]) if name in self.features.dates else values[:, index]
            for index, name in enumerate(self.features.numbers)
        }
        start = len(columns)
        for name, known in self.features.categories.items():
            codes = values[:, start : start + len(known)].argmax(axis=1)
            columns[name] = pa.array(known, pa.string()).take(pa.array(codes))
            start += len(known)
        return columns

    # ------------------------------------------------------------------------------------------- in model files

    def meta(self) -> dict[str, Any]:
        """Return what JSON can hold of it."""
        features = self.features
        return {
            "numbers": list(features.numbers),
            "logs": list(features.logs),
            "categories": [[name, list(values)] for name, values in features.categories.items()],
            "steps": list(self.steps),
            **({"dates": list(features.dates)} if features.dates else {}),
        }

    def arrays(self) -> dict[str, np.ndarray]:
        """Return its arrays by name."""
        return {"offset": self.offset, "forward": self.forward, "backward": self.backward}

    @classmethod
    def from_parts(cls, meta: Any, arrays: Mapping[str, np.ndarray]) -> Preparation:
        """Return the preparation of which these are `meta` and `arrays`.

        Raises
        ------
        ModelFileError
            When they do not fit together.
        """
        match meta:
            case {
                "numbers": list(numbers),
                "logs": list(logs),
                "categories": list(categories),
                "steps": list(steps),
            } if (
                _are_names(numbers)
                and _are_names(logs)
                and all(map(_is_category, categories))
                and _are_dates(meta, numbers)
                and _are_names(steps)
                and tuple(steps) in _STEPS
            ):
                known = {name: tuple(values) for name, values in categories}
                features = Features(tuple(numbers), tuple(logs), known, tuple(meta.get("dates", ())))
                found = [arrays.get(name, np.empty(0)) for name in ("offset", "forward", "backward")]
                shapes = [array.shape for array in found]
                n, width = len(features.names), shapes[2][0] if shapes[2] else 0
                if n and shapes == [(n,), (n, width), (width, n)] and all(np.isfinite(a).all() for a in found):
                    offset, forward, backward = (array.astype(np.float64) for array in found)
                    return cls(features, offset, forward, backward, tuple(steps))
        raise ModelFileError("its preparation of tables is not laid out as it should be; fit the model again")


def _are_names(names: list[Any]) -> bool:
    return all(isinstance(name, str) for name in names)


def _are_dates(meta: Mapping[str, Any], numbers: list[str]) -> bool:
    """Tell whether the columns of dates, of which first models know nothing, are among those of numbers."""
    dates = meta.get("dates", [])
    return isinstance(dates, list) and _are_names(dates) and set(dates) <= set(numbers)


def _is_category(entry: object) -> bool:
    match entry:
        case [str(), list(values)]:
            return _are_names(values)
    return False


def check_columns(names: Sequence[str], what: str) -> None:
    """Raise ParameterError if a column is named twice."""
    for index, name in enumerate(names):
        if name in names[:index]:
            raise ParameterError(f"{what} names column {name!r} twice: name it once")
