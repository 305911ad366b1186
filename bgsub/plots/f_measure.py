"""F over the time of a sequence."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from bgsub.plots.figures import colours, dashes
from bgsub.plots.scored import Score

_WINDOWS = 40  # in the length of a sequence


def f_over_time(scores: Mapping[str, Score], marked: Sequence[int] = ()) -> bytes:
    """Draw F over the numbers of the frames, a line for each method.

    Parameters
    ----------
    scores : mapping of str to Score
        By method, all of one sequence. Every line is the F of all pixels in a window that moves along; with up to two
        methods the F of single frames stands behind it.
    marked : sequence of int
        Numbers of frames to mark.

    Returns
    -------
    bytes
        An SVG picture.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    style: Any = {"font.size": 8.5, "font.family": "sans-serif", "text.parse_math": False, "svg.hashsalt": "bgsub"}
    with rc_context(style):
        figure = Figure(figsize=(11, 2.1), layout="constrained")
        axes = figure.add_subplot()
        for number in marked:
            axes.axvline(number, color="#d0d7de", linewidth=1, zorder=1)
        styles = zip(colours(len(scores)), dashes(len(scores)), strict=True)
        for i, ((colour, dash), (label, score)) in enumerate(zip(styles, scores.items(), strict=True)):
            if len(scores) <= 2:
                axes.plot(score.numbers, score.f_measures, color=tuple(colour), alpha=0.3, linewidth=0.7)
            shown = label if not label.startswith("_") else f" {label}"  # matplotlib hides a leading underscore
            order = 3 + len(scores) - i  # the first lies on top
            line: Any = {"color": tuple(colour), "linestyle": dash, "linewidth": 1.8, "label": shown, "zorder": order}
            axes.plot(score.numbers, moving_f_measure(score), **line)
        axes.set(ylim=(-0.02, 1.02), ylabel="F", xlabel="frame")
        axes.margins(x=0.01)
        axes.grid(axis="y", color="#eaeef2")
        axes.spines[["top", "right"]].set_visible(False)
        if len(scores) > 1:
            axes.legend(loc="upper left", bbox_to_anchor=(1, 1.03), frameon=False, handlelength=3.5)
        picture = io.BytesIO()
        figure.savefig(picture, format="svg", metadata={"Date": None})
    return picture.getvalue()


def moving_f_measure(score: Score) -> np.ndarray:
    """Return the F of all pixels within a window around each frame that counts; nan where it is undefined."""
    tp, fp, fn = np.array(score.counts, dtype=np.int64).reshape(-1, 6)[:, :3].T
    reach = max(1, len(tp) // _WINDOWS) // 2
    found, all_ = _window_sums(2 * tp, reach), _window_sums(2 * tp + fp + fn, reach)
    return np.divide(found, all_, out=np.full(len(tp), np.nan), where=all_ > 0)


def _window_sums(values: np.ndarray, reach: int) -> np.ndarray:
    """Return the sum over ``i - reach ... i + reach``, as far as there is something, for each i."""
    sums = np.concatenate([[0], np.cumsum(values)])
    i = np.arange(len(values))
    return sums[np.minimum(i + reach + 1, len(values))] - sums[np.maximum(i - reach, 0)]
