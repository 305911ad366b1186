"""A fitted model in words and as JSON: clusters in the table's own units, criteria, whether it converged."""

from __future__ import annotations

from typing import Any

import click
import numpy as np

from bgsub.cli.cluster.model_file import TableModel
from bgsub.tables.table import printable

_SHOWN_FEATURES = 8


def describe(model: TableModel, sizes: np.ndarray, criteria: dict[str, float], total_weight: float) -> dict[str, Any]:
    """Return what JSON says of a fitted model.

    Parameters
    ----------
    model : TableModel
        The model.
    sizes : ndarray (K,)
        Rows for which each cluster is the most probable.
    criteria : dict
        'log_likelihood', 'aic', 'bic', 'icl' on the learned rows.
    total_weight : float
        The sum of the rows' weights.
    """
    preparation, mixture = model.preparation, model.mixture
    names = preparation.features.names
    means = preparation.in_units(model.means())
    deviations = np.sqrt(np.maximum(np.einsum("kii->ki", model.covariances()), 0.0))
    logs = preparation.features.is_log
    return {
        "components": [
            {
                "label": k,
                "weight": float(weight),
                "rows": int(size),
                "mean": dict(zip(names, means[k].tolist(), strict=True)),
                "standard_deviation": dict(zip(names, deviations[k].tolist(), strict=True)),
            }
            for k, (weight, size) in enumerate(zip(mixture.weights_, sizes, strict=True))
        ],
        "logarithms": [name for name, is_log in zip(names, logs, strict=True) if is_log],
        "covariance_type": mixture.covariance_type,
        "log_likelihood_per_row": criteria["log_likelihood"] / total_weight,
        **{name: criteria[name] for name in ("aic", "bic", "icl")},
        "converged": bool(mixture.converged_),
        "iterations": int(mixture.n_iter_),
    }


def advice(facts: dict[str, Any], max_iter: int, n_features: int) -> list[str]:
    """Return what is doubtful about a fitted model, and what to do about it, a line each."""
    lines = []
    if not facts["converged"]:
        lines.append(f"did not converge in {max_iter} iterations: raise --max-iter, or --tol")
    for component in facts["components"]:
        if component["rows"] <= n_features:
            count = "1 row" if component["rows"] == 1 else f"{component['rows']} rows"
            lines.append(
                f"cluster {component['label']} is the most probable one of only {count}: "
                "give fewer --components, or raise --reg-covar"
            )
    return lines


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
