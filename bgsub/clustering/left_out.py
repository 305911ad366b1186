"""Rows of a table that a model says nothing of: how many, and why."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from bgsub.clustering.assigned import Assigned
from bgsub.tables.preparation import Features

_SHOWN_VALUES = 5  # of a column
_LONGEST = 40  # characters of a value


@dataclass
class LeftOut:
    """The rows of a table that have no label, no probabilities and no density.

    Attributes
    ----------
    missing : int
        Rows with an empty, NaN or infinite value.
    unseen : int
        Rows with a category that the model has not learned.
    values : dict of str to list of str
        By column the first few of those categories.
    """

    missing: int = 0
    unseen: int = 0
    values: dict[str, list[str]] = field(default_factory=dict)

    def add(self, block: Assigned, features: Features) -> None:
        """Count a block's rows."""
        self.missing += int((~block.rows.complete).sum())
        unseen = block.unseen
        if not unseen.any():
            return
        self.unseen += int(unseen.sum())
        for (name, known), texts in zip(features.categories.items(), block.rows.categories, strict=True):
            found = self.values.setdefault(name, [])
            for value in pc.unique(texts.filter(pa.array(unseen))).to_pylist():
                shown = value if len(value) <= _LONGEST else f"{value[:_LONGEST]}..."
                if features.is_new(value, known) and shown not in found and len(found) < _SHOWN_VALUES:
                    found.append(shown)
            if not found:
                del self.values[name]

    def merge(self, other: LeftOut) -> None:
        """Count the rows of a part after this one, too."""
        self.missing += other.missing
        self.unseen += other.unseen
        for name, values in other.values.items():
            found = self.values.setdefault(name, [])
            found += [value for value in values if value not in found][: _SHOWN_VALUES - len(found)]

    def facts(self) -> dict[str, Any]:
        """Return what JSON says of them."""
        return {"missing": self.missing, "unseen": self.unseen, "unseen_values": self.values}

    def lines(self) -> list[str]:
        """Return what a summary says of them, a line for each reason."""
        lines = []
        if self.missing:
            lines.append(f"{_rows(self.missing)} a missing value, and no label")
        if self.unseen:
            shown = "; ".join(f"{name} {', '.join(map(repr, values))}" for name, values in self.values.items())
            lines.append(f"{_rows(self.unseen)} a category that the model has not seen, and no label: {shown}")
        return lines


def _rows(count: int) -> str:
    return "1 row has" if count == 1 else f"{count:,} rows have"
