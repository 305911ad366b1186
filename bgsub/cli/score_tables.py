"""What ``bgsub evaluate`` prints: scores as tables of plain text."""

from __future__ import annotations

from collections.abc import Sequence

import click

from bgsub.cli.tables import print_table
from bgsub.evaluation.protocol import METRIC_NAMES, Metrics
from bgsub.evaluation.results import MethodResult

_HEADINGS = ("recall", "specif.", "FPR", "FNR", "PWC", "precision", "F")
_SPARE = ("FPR", "FNR", "specif.", "ms", "frames/s", "PWC")


def print_scores(results: Sequence[MethodResult]) -> None:
    """Print one method's figures by sequence; of several, F by sequence, and all figures overall."""
    if len(results) == 1:
        _print_one(results[0])
        return
    _print_side_by_side(results)
    click.echo()
    rows = [[r.label, *_figures(r.overall), *_times(r.milliseconds)] for r in results]
    print_table(["overall", *_HEADINGS, "ms", "frames/s"], rows, names=True, rules=(-1,))


def _print_one(result: MethodResult) -> None:
    """Print a row a sequence, and means below each category."""
    rows, rules = [], [-1]
    for category, mean in result.categories.items():
        for score in result.scores:
            if score.category == category:
                rows.append([score.key, *_figures(score.metrics), *_times(score.milliseconds)])
        rows.append([category, *_figures(mean), "", ""])
        rules.append(len(rows) - 1)
    rows.append(["mean over sequences", *_figures(result.sequence_mean), *_times(result.milliseconds)])
    rows.append(["overall, over categories", *_figures(result.overall), "", ""])
    headings = ["sequence", *_HEADINGS, "ms", "frames/s"]
    print_table(headings, rows, names=True, tall=True, rules=rules, spare=_SPARE)


def _print_side_by_side(results: Sequence[MethodResult]) -> None:
    """Print F of each method, a row a sequence."""
    rows = [
        [first.key, *(_number(r.scores[i].metrics.f_measure) for r in results)]
        for i, first in enumerate(results[0].scores)
    ]
    rules = (-1, len(rows) - 1)
    rows.append(["mean over sequences", *(_number(r.sequence_mean.f_measure) for r in results)])
    rows.append(["overall, over categories", *(_number(r.overall.f_measure) for r in results)])
    print_table(["F by sequence", *(r.label for r in results)], rows, names=True, tall=True, rules=rules)


def _figures(metrics: Metrics) -> list[str]:
    return [_number(getattr(metrics, name)) for name in METRIC_NAMES]


def _times(milliseconds: float | None) -> tuple[str, str]:
    return (f"{milliseconds:.2f}", f"{1000 / milliseconds:.0f}") if milliseconds else ("-", "-")


def _number(value: float) -> str:
    return "-" if value != value else f"{value:.4f}"  # only nan differs from itself
