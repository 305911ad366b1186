"""What ``bgsub evaluate`` prints: scores as tables of plain text."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from bgsub.evaluation.protocol import METRIC_NAMES, Metrics
from bgsub.evaluation.results import MethodResult

_WIDEST = 1000  # columns; a table takes what it needs, and its lines are never broken
_HEADINGS = ("recall", "specif.", "FPR", "FNR", "PWC", "precision", "F")


def print_scores(results: Sequence[MethodResult]) -> None:
    """Print one method's figures by sequence; of several, F by sequence, and all figures overall."""
    console = Console(width=_WIDEST)
    if len(results) == 1:
        console.print(_one_method(results[0]))
        return
    console.print(_side_by_side(results))
    console.print()
    console.print(_overall(results))


def _one_method(result: MethodResult) -> Table:
    table = _table("sequence", *_HEADINGS, "ms", "frames/s")
    for category, mean in result.categories.items():
        scores = [score for score in result.scores if score.category == category]
        for score in scores:
            table.add_row(_plain(score.key), *_figures(score.metrics), *_times(score.milliseconds))
        table.add_row(_plain(category), *_figures(mean), style="bold", end_section=True)
    table.add_row("mean over sequences", *_figures(result.sequence_mean), *_times(result.milliseconds), style="bold")
    table.add_row("overall, over categories", *_figures(result.overall), style="bold")
    return table


def _side_by_side(results: Sequence[MethodResult]) -> Table:
    table = _table("F by sequence", *(_plain(result.label) for result in results))
    for i, first in enumerate(results[0].scores):
        table.add_row(_plain(first.key), *(_number(r.scores[i].metrics.f_measure) for r in results))
    table.add_section()
    means = [_number(result.sequence_mean.f_measure) for result in results]
    table.add_row("mean over sequences", *means, style="bold")
    table.add_row("overall, over categories", *(_number(r.overall.f_measure) for r in results), style="bold")
    return table


def _overall(results: Sequence[MethodResult]) -> Table:
    table = _table("overall", *_HEADINGS, "ms", "frames/s")
    for result in results:
        table.add_row(_plain(result.label), *_figures(result.overall), *_times(result.milliseconds))
    return table


def _table(first: str, *others: str | Text) -> Table:
    table = Table(box=box.SIMPLE_HEAD, header_style="bold", show_edge=False, pad_edge=False, collapse_padding=True)
    table.add_column(first, no_wrap=True)
    for heading in others:
        table.add_column(heading, justify="right", no_wrap=True)
    return table


def _plain(text: str) -> Text:
    """Return text, which may come from a file's name, as rich prints it to the letter."""
    return Text(text if text.isprintable() else ascii(text))


def _figures(metrics: Metrics) -> list[str]:
    return [_number(getattr(metrics, name)) for name in METRIC_NAMES]


def _times(milliseconds: float | None) -> tuple[str, str]:
    return (f"{milliseconds:.2f}", f"{1000 / milliseconds:.0f}") if milliseconds else ("-", "-")


def _number(value: float) -> str:
    return "-" if value != value else f"{value:.4f}"  # only nan differs from itself
