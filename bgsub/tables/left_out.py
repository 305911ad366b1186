"""What is said of the columns that are learned, and of those that are not."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from bgsub.tables.table import Table, listed

_MOST_NAMED = 10
_FEWEST_ROWS = 5  # of fewer nothing can be said
_FEWEST_RISING = 20
_CODES = np.array([-99, -999, -9999, -99999, 999, 9999, 99999, 999999], np.float64)  # that people write for missing


def left_out(table: Table, used: Collection[str]) -> str:
    """Return which columns are not used because they are none of numbers, each with an example of why; or nothing.

    Parameters
    ----------
    table : Table
        The table.
    used : collection of str
        The columns that are used, or were left out on purpose.
    """
    names = [column.name for column in table.columns if column.kind != "number" and column.name not in used]
    reasons = [f"{listed([name])}, {_with_a_way(name, table.left_out(name))}" for name in names[:_MOST_NAMED]]
    more = len(names) - _MOST_NAMED
    return "; ".join(reasons) + (f"; and {more} more" if more > 0 else "")


def _with_a_way(name: str, what: str) -> str:
    """Return what a column holds and, of dates and times, what reads it."""
    return f"{what}: --dates {listed([name])} reads them" if what.startswith(("dates ", "times ")) else what


class CodeWatch:
    """Finds numbers such as -999 that stand for a missing value, while the rows are read.

    Parameters
    ----------
    names : sequence of str
        The columns.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._names = list(names)
        self._counts = np.zeros((len(self._names), len(_CODES)), np.int64)
        self._low, self._high = np.full(len(self._names), np.inf), np.full(len(self._names), -np.inf)

    def add(self, numbers: np.ndarray) -> None:
        """Look at the next rows (n, len(names))."""
        present = np.isfinite(numbers)
        low = np.where(present, numbers, np.inf).min(axis=0, initial=np.inf)
        high = np.where(present, numbers, -np.inf).max(axis=0, initial=-np.inf)
        for place in np.flatnonzero(np.isin(low, _CODES) | np.isin(high, _CODES)):
            values = numbers[present[:, place], place]
            counts = (values[:, None] == _CODES).sum(axis=0)
            others = values[~np.isin(values, _CODES)]
            self._counts[place] += counts
            low[place], high[place] = others.min(initial=np.inf), others.max(initial=-np.inf)
        self._low, self._high = np.minimum(self._low, low), np.maximum(self._high, high)

    def merge(self, other: CodeWatch) -> None:
        """Add what another has found in rows after these."""
        self._counts = self._counts + other._counts
        self._low, self._high = np.minimum(self._low, other._low), np.maximum(self._high, other._high)

    def notes(self) -> list[str]:
        """Return a line for each column that has such a number far from all others."""
        lines = []
        for name, counts, low, high in zip(self._names, self._counts, self._low, self._high, strict=True):
            far = (low - (high - low) / 2 > _CODES) | (high + (high - low) / 2 < _CODES)
            for code in _CODES[(counts > 0) & far & (low < high)]:
                lines.append(
                    f"{listed([name])} has {code:.0f} far from its other values: if it means a missing one, give "
                    f"--na {code:.0f}"
                )
        return lines


class IdWatch:
    """Finds columns that number the rows, while these are read: they tell nothing of the clusters.

    Parameters
    ----------
    names : sequence of str
        The columns.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._columns = {place: _Counter(name) for place, name in enumerate(names)}

    def add(self, numbers: np.ndarray) -> None:
        """Look at the next rows (n, number of columns of the table)."""
        for place, column in list(self._columns.items()):
            if not column.goes_on(numbers[:, place]):
                del self._columns[place]

    def merge(self, other: IdWatch) -> None:
        """Add what another has found in rows after these."""
        both = self._columns.keys() & other._columns.keys()
        self._columns = {place: self._columns[place].followed_by(other._columns[place]) for place in sorted(both)}

    def notes(self) -> list[str]:
        """Return a line for each column that looks like an id."""
        return [note for note in (column.note() for column in self._columns.values()) if note]


class _Counter:
    """Whether the values of a column are whole numbers without a gap, in any order, or rise from row to row."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._n = 0
        self._low, self._high, self._last = np.inf, -np.inf, -np.inf
        self._first = np.inf
        self._mixed = np.uint64(0)
        self._rises = True

    def goes_on(self, values: np.ndarray) -> bool:
        """Take the next values; return whether it may be an id still."""
        if not len(values):
            return True
        if not (np.isfinite(values).all() and np.abs(values).max() < 2**53 and (values == np.floor(values)).all()):
            return False
        if not self._n and len(np.unique(values)) < len(values):
            return False
        self._rises = bool(self._rises and values[0] > self._last and (np.diff(values) > 0).all())
        self._last = values[-1]
        self._first = self._first if self._n else values[0]
        self._n += len(values)
        self._low, self._high = min(self._low, values.min()), max(self._high, values.max())
        with np.errstate(over="ignore"):  # modulo 2^64
            self._mixed += _mixed(values.astype(np.int64))
        return True

    def followed_by(self, other: _Counter) -> _Counter:
        """Return what is known of these rows and those after them; both stay as they are."""
        both = _Counter(self._name)
        both._n = self._n + other._n
        both._low, both._high = min(self._low, other._low), max(self._high, other._high)
        both._first, both._last = (self if self._n else other)._first, (other if other._n else self)._last
        both._rises = self._rises and other._rises and (not self._n or not other._n or other._first > self._last)
        with np.errstate(over="ignore"):
            both._mixed = self._mixed + other._mixed
        return both

    def note(self) -> str:
        """Return what to say of the column, if anything."""
        if self._n < _FEWEST_ROWS:
            return ""
        name = listed([self._name])
        if self._high - self._low + 1 == self._n and self._is_gapless():
            return (
                f"{name} counts from {self._low:,.0f} to {self._high:,.0f}: it looks like an id, "
                f"--exclude {name} leaves it out"
            )
        if self._rises and self._n >= _FEWEST_RISING:
            return f"{name} has whole numbers that rise from row to row: if it is an id, --exclude {name} leaves it out"
        return ""

    def _is_gapless(self) -> bool:
        """Tell whether each number from the lowest to the highest was there once: their mixed bits have one sum."""
        total = np.uint64(0)
        for start in range(int(self._low), int(self._high) + 1, 1 << 20):
            with np.errstate(over="ignore"):
                total += _mixed(np.arange(start, min(start + (1 << 20), int(self._high) + 1)))
        return bool(total == self._mixed)


def _mixed(values: np.ndarray) -> np.uint64:
    """Return the sum, modulo 2**64, of whole numbers with their bits mixed as SplitMix64 does."""
    with np.errstate(over="ignore"):
        bits = values.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return np.uint64((bits ^ (bits >> np.uint64(31))).sum(dtype=np.uint64))
