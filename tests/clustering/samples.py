"""A small table of two clusters, in memory, and what `bgsub cluster` made of it when its models first had a file."""

from pathlib import Path

import numpy as np

from tests.tables.files import NAMES, values

FIRST_VERSION = Path(__file__).parent / "first_version"
"""Written by the first version: rows.csv, model.npz (fit --log value --encode kind --scale), labels.csv (predict)."""


def columns(n=120, seed=0):
    """The table as a dict of columns."""
    return dict(zip(NAMES, values(seed, n).T.copy(), strict=True))


def with_a_gap(table):
    """The same table, one value of its third row missing."""
    changed = {name: column.copy() for name, column in table.items()}
    changed[NAMES[1]][2] = np.nan
    return changed
