"""Clusters on a terminal."""

from __future__ import annotations

from typing import Any

import click
import numpy as np

from bgsub.cli.tables import print_table

_WIDE = 8  # columns; a table of more has a row for each
_SHOWN_FEATURES = 60


def print_clusters(facts: dict[str, Any], to_stderr: bool) -> None:
    """Print a row a cluster: share, size, and mean ± standard deviation of each column; turned, if these are many."""
    components = facts["components"]
    names = list(components[0]["mean"])
    rows = []
    for component in components:
        cells = [str(component["label"]), f"{component['weight']:.2%}", f"{component['rows']:,}"]
        for name in names[:_SHOWN_FEATURES]:
            mean, deviation = component["mean"][name], component["standard_deviation"][name]
            cells.append(_with_spread(mean, deviation, name in facts["logarithms"]))
        rows.append(cells)
    noise = facts["noise"]
    if noise is not None:
        cells = ["noise", f"{noise['weight']:.2%}", f"{noise['rows']:,}"]
        rows.append(cells + [""] * len(names[:_SHOWN_FEATURES]))
    headings = ["cluster", "weight", "rows", *names[:_SHOWN_FEATURES]]
    print_table(headings, rows, to_stderr, turned=len(names) > _WIDE)
    if len(names) > _SHOWN_FEATURES:
        click.echo(f"and {len(names) - _SHOWN_FEATURES} more columns; --json shows all", err=to_stderr)


def _with_spread(mean: float, deviation: float, is_log: bool) -> str:
    """Return ``mean ± deviation``; of a logarithm, the median and the factor of one standard deviation."""
    if is_log:
        return f"{_number(mean)} ×÷ {np.exp(deviation):.3g}"
    digits = 2 - int(np.floor(np.log10(deviation))) if deviation > 0 else 6
    if abs(mean) >= 1e9 or not 0 <= digits <= 8:
        return f"{_number(mean)} ± {_number(deviation)}"
    return f"{round(mean, digits) + 0.0:,.{digits}f} ± {deviation:,.{digits}f}"


def _number(value: float) -> str:
    """Return a number to three digits, or whole."""
    return f"{value:,.0f}" if 1000 <= abs(value) < 1e9 else f"{value:.3g}"
