"""Clusters, and tables of any kind, on a terminal."""

from __future__ import annotations

from typing import Any

import click
import numpy as np

from bgsub.tables.table import printable

_SHOWN_FEATURES = 8


def print_clusters(facts: dict[str, Any], to_stderr: bool) -> None:
    """Print a row a cluster: share, size, and mean ± standard deviation of each column."""
    components = facts["components"]
    names = list(components[0]["mean"])
    rows = []
    for component in components:
        cells = [str(component["label"]), f"{component['weight']:.2%}", f"{component['rows']:,}"]
        for name in names[:_SHOWN_FEATURES]:
            mean, deviation = component["mean"][name], component["standard_deviation"][name]
            cells.append(_with_spread(mean, deviation, name in facts["logarithms"]))
        rows.append(cells)
    print_table(["cluster", "weight", "rows", *names[:_SHOWN_FEATURES]], rows, to_stderr)
    if len(names) > _SHOWN_FEATURES:
        click.echo(f"and {len(names) - _SHOWN_FEATURES} more columns; --json shows all", err=to_stderr)


def print_table(headings: list[str], rows: list[list[str]], to_stderr: bool) -> None:
    """Print a table, folded to the terminal's width, or of whatever width it needs where there is none."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, header_style="bold", pad_edge=False)
    for heading in headings:
        table.add_column(escape(printable(heading)), justify="right", overflow="fold")
    for row in rows:
        table.add_row(*(escape(printable(cell)) for cell in row))
    console = Console(stderr=to_stderr, highlight=False)
    if not console.is_terminal:
        widths = [max(len(cell) for cell in column) for column in zip(headings, *rows, strict=True)]
        console = Console(stderr=to_stderr, highlight=False, width=sum(widths) + 2 * len(widths))
    console.print(table)


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
