"""How much moves over the time of a recording, with its events."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from bgsub.plots.figures import INK, as_drawn, plain_axes
from bgsub.times import written_time

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COLUMNS = 1600  # more than the picture's pixels would only take longer
_NUMBERED = 0.02  # of the whole time between events that have a number above them
_MOST_TIMES = 9
_MINUTES = (60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400)
_STEPS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, *_MINUTES)  # seconds
_LINE, _EVENT = "#3b5b7a", "#d55e00"


@dataclass(frozen=True)
class MotionGraph:
    """What a graph shows of one recording.

    Attributes
    ----------
    name : str
        Of the recording.
    times : ndarray of float, shape (N,)
        Seconds at which stretches of time begin, ascending.
    shares : ndarray of float, shape (N,)
        Largest part of the region that moves in each, 0 to 1.
    duration : float
        Seconds at which the recording ends.
    events : sequence of (int, float, float)
        Number, start and end in seconds of each.
    began : datetime, optional
        Wall-clock time of 0, where it is known.
    """

    name: str
    times: np.ndarray
    shares: np.ndarray
    duration: float
    events: Sequence[tuple[int, float, float]] = ()
    began: datetime | None = None


def motion_figure(graph: MotionGraph) -> Figure:
    """Draw how much moves, in per cent by its root so that little is seen beside much, over spans that are events.

    Of more stretches than the picture has columns, each column shows the largest.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 2.8), layout="constrained")
    axes = figure.subplots()
    times, shares = _columns(graph)
    begin = float(times[0]) if len(times) else 0.0
    end = max(graph.duration, begin + 1e-3)
    _draw_events(axes, graph.events, end - begin)
    highest = 100 * float(shares.max()) if len(shares) else 0.0
    axes.fill_between([*times, end], [*(100 * shares), 0.0], step="post", color=_LINE, linewidth=0)
    axes.set_yscale("function", functions=(lambda y: np.sqrt(np.maximum(y, 0)), np.square))
    axes.set(xlim=(begin, end), ylim=(0, max(1.15 * highest, 0.01)), ylabel="moving", yticks=_round_shares(highest))
    axes.yaxis.set_major_formatter(lambda share, _: f"{share:g} %")
    axes.set_xticks(_round_times(begin, end, graph.began))
    axes.xaxis.set_major_formatter(lambda seconds, _: _moment(seconds, graph.began))
    axes.set_xlabel("time" if graph.began is None else f"time, from {graph.began:%Y-%m-%d %H:%M:%S}")
    n = len(graph.events)
    found = "nothing moves" if not n else f"{n} event{'s' * (n > 1)}"
    axes.set_title(f"{as_drawn(graph.name)}: {found}", loc="left", fontsize=11)
    plain_axes(axes)
    axes.tick_params(axis="x", pad=7)
    return figure


def _draw_events(axes: Axes, events: Sequence[tuple[int, float, float]], length: float) -> None:
    """Shade the events, and number those that are not too close."""
    numbered = -np.inf
    for number, start, end in events:
        axes.axvspan(start, end, color=_EVENT, alpha=0.25, linewidth=0)
        if (start + end) / 2 - numbered > _NUMBERED * length:
            numbered = (start + end) / 2
            axes.text(
                numbered, 0.98, str(number), transform=axes.get_xaxis_transform(), ha="center", va="top",
                fontsize=8, color=INK,
            )  # fmt: skip


def _columns(graph: MotionGraph) -> tuple[np.ndarray, np.ndarray]:
    """Return times and largest shares of at most `_COLUMNS` groups of neighbours."""
    times, shares = np.asarray(graph.times, float), np.asarray(graph.shares, float)
    if len(times) <= _COLUMNS:
        return times, shares
    starts = np.arange(_COLUMNS) * len(times) // _COLUMNS
    return times[starts], np.maximum.reduceat(shares, starts)


def _round_shares(highest: float) -> list[float]:
    """Return some round shares from 0 up, in per cent, that are apart where they are drawn by their roots."""
    scale = 10.0 ** np.floor(np.log10(max(highest, 0.01)))
    return [0.0, *(share for share in (0.1 * scale, 0.5 * scale, scale, 2 * scale, 5 * scale) if share <= highest)]


def _round_times(begin: float, end: float, began: datetime | None) -> list[float]:
    """Return some times that are round on the clock, at most `_MOST_TIMES` of them, from one to another."""
    step = next((step for step in _STEPS if (end - begin) / step <= _MOST_TIMES), 86400 * math.ceil(end / 86400 / 8))
    late = 0.0
    if began is not None:
        midnight = began.replace(hour=0, minute=0, second=0, microsecond=0)
        late = (began - midnight).total_seconds()
    first, last = math.ceil((begin + late) / step - 1e-9), math.floor((end + late) / step + 1e-9)
    return [k * step - late for k in range(first, last + 1)]


def _moment(seconds: float, began: datetime | None) -> str:
    if began is None:
        return written_time(seconds).removesuffix(".00")
    return f"{began + timedelta(seconds=round(seconds, 3)):%H:%M:%S}"
