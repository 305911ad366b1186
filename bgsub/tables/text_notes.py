"""What is said of how the columns of a file of text were read."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bgsub.tables.dialect import Dialect
from bgsub.tables.notation import Notation, tidied
from bgsub.tables.reading import ReadOptions
from bgsub.tables.table import listed, shown
from bgsub.tables.text_columns import TextColumn, notation_of

_SIGNS = {"brackets as minus": r"\(.*\)$", "a minus behind numbers": r"-$"}


class Readings:
    """Reads numbers as people write them, and remembers which texts were missing values, and which signs unusual."""

    def __init__(self) -> None:
        self._missing: dict[str, list[str]] = defaultdict(list)
        self._signs: dict[str, dict[str, tuple[str, float]]] = {words: {} for words in _SIGNS}

    def numbers(
        self, name: str, values: pa.Array, notation: Notation, options: ReadOptions
    ) -> tuple[np.ndarray, int | None]:
        """Return a column's texts as numbers, missing ones as NaN; and the place of the first that is no number."""
        texts = tidied(values)
        is_missing = notation_of(options).missing_in(texts)
        for text in pc.unique(texts.filter(is_missing)).to_pylist():
            if text and text not in self._missing[name]:
                self._missing[name].append(text)
        texts = pc.if_else(is_missing, pa.scalar(None, pa.string()), texts)
        numbers, fault = notation.numbers(texts)
        if fault is None:
            self._remember_signs(name, texts, numbers)
        return numbers, fault

    def _remember_signs(self, name: str, texts: pa.Array, numbers: np.ndarray) -> None:
        """Keep the first number of a column that is negative though no minus stands before it."""
        for words, pattern in _SIGNS.items():
            if name not in self._signs[words]:
                at = pc.match_substring_regex(texts, pattern).index(pa.scalar(True)).as_py()
                if at >= 0:
                    self._signs[words][name] = texts[at].as_py(), float(numbers[at])

    def lines(self, columns: Sequence[TextColumn], dialect: Dialect) -> list[str]:
        """Return how columns were read, a line each thing."""
        return [
            *_converted(columns),
            *self._negative(columns),
            *self._taken_for_missing(columns),
            *_codes(columns, dialect),
        ]

    def _negative(self, columns: Sequence[TextColumn]) -> list[str]:
        lines = []
        for words, found in self._signs.items():
            names = [column.name for column in columns if column.name in found]
            if names:
                text, number = found[names[0]]
                lines.append(f"read {words} in {listed(names)}: {shown(text)} is {number:.15g}")
        return lines

    def _taken_for_missing(self, columns: Sequence[TextColumn]) -> list[str]:
        groups: dict[tuple[str, ...], list[str]] = defaultdict(list)
        for column in columns:
            texts = tuple(self._missing.get(column.name, ()))
            if texts:
                groups[texts].append(column.name)
        return [
            f"took {_in_words(list(map(shown, texts)))} for missing in {listed(names)}"
            for texts, names in groups.items()
        ]


def _in_words(parts: Sequence[str]) -> str:
    """Return parts as a sentence has them: a, b and c."""
    return " and ".join(filter(None, [", ".join(parts[:-1]), parts[-1]]))


def _converted(columns: Sequence[TextColumn]) -> list[str]:
    """Return which columns have numbers in a notation of their own, with an example."""
    groups: dict[str, list[TextColumn]] = defaultdict(list)
    for column in columns:
        if column.notation is not None and column.notation.words:
            groups[_in_words(column.notation.words)].append(column)
    lines = []
    for words, members in groups.items():
        notation = members[0].notation or Notation()
        ((number,), _) = notation.numbers(tidied(pa.array([members[0].example])))
        names = listed([column.name for column in members])
        lines.append(f"read {words} in {names}: {shown(members[0].example)} is {number:.15g}")
    return lines


def _codes(columns: Sequence[TextColumn], dialect: Dialect) -> list[str]:
    """Return which columns have numbers that look like codes: with zeros before them."""
    lines = []
    for column in columns:
        index = dialect.names.index(column.name)
        written = (row.values[index] for row in dialect.rows if index < len(row.values))
        code = next((value for value in written if re.fullmatch(r"0\d+", value)), None)
        if column.kind == "number" and code:
            lines.append(
                f"{column.name} has numbers with zeros before them, such as {shown(code)}: are they codes? --exclude "
                f"{column.name} leaves them out"
            )
    return lines
