"""The motion graph of a timeline as a picture."""

from __future__ import annotations

import os

from bgsub.motion.results import Scanned
from bgsub.plots.figures import save_figure
from bgsub.plots.motion_graph import MotionGraph, motion_figure


def write_graph(path: str | os.PathLike[str], result: Scanned) -> bool:
    """Write how much moved over time, with the events, and tell whether there was anything to draw.

    Parameters
    ----------
    path : path-like
        A name in ``.png``, ``.svg``, ``.jpg`` or ``.pdf``, replaced where it exists.
    result : Scanned
        With its activity.

    Raises
    ------
    OutputError
        When the extension is another or the file cannot be written.
    """
    facts, activity = result.facts, result.activity
    if facts is None or activity is None or not len(activity.times):
        return False
    events = [(event.number, event.start, event.end) for event in result.events]
    graph = MotionGraph(facts.name, activity.times, activity.shares, facts.duration, events, facts.recorded)
    save_figure(motion_figure(graph), path, few_colours=True)
    return True
