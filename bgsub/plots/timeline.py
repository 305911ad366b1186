"""When each kind of scene is seen: probabilities and curves over time."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bgsub.plots.figures import INK, UNUSUAL_COLOUR, colours, plain_axes
from bgsub.times import written_time

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COLUMNS = 1600  # of a timeline: more than its pixels would only take longer
_NUMBERED = 0.025  # of the whole time that a kind must last for its number to stand in its area


@dataclass(frozen=True)
class Timeline:
    """What a timeline shows of N frames.

    Attributes
    ----------
    times : ndarray of float, shape (N,)
        Seconds, ascending.
    probabilities : ndarray of float, shape (N, K)
        Of each kind of scene.
    names : sequence of str
        Of the K kinds.
    curves : mapping of str to ndarray of float, shape (N,)
        What is drawn below, by its label.
    unusual : sequence of int
        Rows to mark in the last curve.
    """

    times: np.ndarray
    probabilities: np.ndarray
    names: Sequence[str]
    curves: Mapping[str, np.ndarray]
    unusual: Sequence[int] = ()


def timeline_figure(timeline: Timeline) -> Figure:
    """Draw when each kind of scene is seen, with its probability as the height of its colour, and curves below.

    Of more frames than the picture has columns, each column shows the mean; of the last curve, the lowest.
    """
    from matplotlib.figure import Figure

    n_curves = len(timeline.curves)
    figure = Figure(figsize=(11, 1.6 + 1.15 * n_curves), layout="constrained")
    axes = figure.subplots(1 + n_curves, 1, sharex=True, height_ratios=[1.5, *[1.0] * n_curves])
    _probabilities(axes[0], timeline)
    last = len(timeline.curves) - 1
    for row, (label, values) in enumerate(timeline.curves.items()):
        times, shown = _columns(timeline.times, values, lowest=row == last)
        axes[row + 1].plot(times, shown, color="#3b5b7a", linewidth=1.2)
        axes[row + 1].set_ylabel(label)
    if len(timeline.unusual):
        rows = list(timeline.unusual)
        values = list(timeline.curves.values())[-1]
        axes[-1].plot(
            timeline.times[rows], values[rows], "D", color=UNUSUAL_COLOUR, markersize=5, label="unusual", clip_on=False
        )
        axes[-1].margins(y=0.12)
        axes[-1].legend(loc="upper left", bbox_to_anchor=(1.0, 1.05), frameon=False, fontsize=9)
    for ax in axes:
        plain_axes(ax)
    axes[0].grid(False)
    axes[-1].set_xlabel("time")
    axes[-1].xaxis.set_major_formatter(_time_of_tick)
    return figure


def _time_of_tick(seconds: float, _place: int | None) -> str:
    """Return what stands below a tick; hundredths only where there are some."""
    return written_time(seconds).removesuffix(".00")


def _probabilities(axes: Axes, timeline: Timeline) -> None:
    """Draw the probabilities one above the other."""
    times, _ = _columns(timeline.times, timeline.times)
    heights = [_columns(timeline.times, column)[1] for column in timeline.probabilities.T]
    # A frame lasts until the next one: steps, with the end of the last as one more point.
    end = times[-1] + (np.median(np.diff(times)) if len(times) > 1 else 1.0)
    steps = np.append(times, end)
    palette = [tuple(colour) for colour in colours(len(heights))]
    axes.stackplot(
        steps, [np.append(h, h[-1]) for h in heights], colors=palette, labels=timeline.names, step="post", linewidth=0
    )
    _numbers(axes, steps, np.array(heights))
    axes.set(ylim=(0, 1), yticks=[0, 1], ylabel="probability", xlim=(steps[0], steps[-1]))
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.05), frameon=False, fontsize=9)


def _numbers(axes: Axes, steps: np.ndarray, heights: np.ndarray) -> None:
    """Write into each long stretch of one kind which one it is, so that it need not be told by its colour."""
    likeliest = heights.argmax(axis=0)
    borders = [0, *(np.flatnonzero(np.diff(likeliest)) + 1).tolist(), len(likeliest)]
    for first, after in itertools.pairwise(borders):
        if steps[after] - steps[first] < _NUMBERED * (steps[-1] - steps[0]):
            continue
        kind = likeliest[first]
        middle = (heights[:kind].sum(axis=0) + heights[kind] / 2)[first:after].mean()
        axes.text(
            (steps[first] + steps[after]) / 2,
            middle,
            str(kind),
            ha="center",
            va="center",
            fontsize=9,
            fontweight="bold",
            color=INK,
            bbox={"boxstyle": "round,pad=0.2", "facecolor": "white", "edgecolor": "none", "alpha": 0.8},
        )


def _columns(times: np.ndarray, values: np.ndarray, *, lowest: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Return first time and mean, or lowest, value of each of at most `_COLUMNS` groups of neighbours."""
    if len(times) <= _COLUMNS:
        return times, values
    starts = np.arange(_COLUMNS) * len(times) // _COLUMNS
    if lowest:
        return times[starts], np.minimum.reduceat(values, starts)
    return times[starts], np.add.reduceat(values, starts) / np.diff(np.append(starts, len(times)))
