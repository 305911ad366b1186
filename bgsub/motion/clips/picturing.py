"""What is drawn on the frames of a clip."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from bgsub.motion.clips.masks import KeptMasks
from bgsub.motion.events import Event
from bgsub.motion.results import Scanned
from bgsub.motion.tracking import Sighting
from bgsub.times import written_time
from bgsub.video.colors import Color
from bgsub.video.writers import annotating

_COLORS: tuple[Color, ...] = ((60, 220, 255), (255, 200, 60), (120, 255, 120), (255, 120, 255), (90, 150, 255))
_POINTS = 200  # of a graph


@dataclass(frozen=True)
class Drawing:
    """What is drawn on clips.

    Attributes
    ----------
    boxes : bool
        A box around each object, with the number of its track; around all that moved where there are no tracks.
    path : bool
        The way that each object has come.
    time : bool
        Time in the source and number of the event; the hour of the day where the file tells it.
    graph : bool
        How much moves over the time of the clip.
    mask : bool
        What moves, tinted and outlined.
    """

    boxes: bool = False
    path: bool = False
    time: bool = False
    graph: bool = False
    mask: bool = False

    def __bool__(self) -> bool:
        return self.boxes or self.path or self.time or self.graph or self.mask


class Picturer:
    """Draws on the frames of a part of a timeline.

    Parameters
    ----------
    drawing : Drawing
        What is drawn.
    result : Scanned
        Where tracks, activity and hour are from.
    start, end : float
        Seconds of the timeline: the part.
    event : Event, optional
        Whose clip it is; without it the one that lasts at the time.
    masks : KeptMasks, optional
        Of the scan.
    """

    def __init__(
        self,
        drawing: Drawing,
        result: Scanned,
        start: float,
        end: float,
        event: Event | None = None,
        masks: KeptMasks | None = None,
    ) -> None:
        self._drawing, self._start, self._end, self._masks = drawing, start, end, masks
        self._event, self._events = event, result.events if event is None else (event,)
        self._facts = result.facts
        self._ways: dict[int, list[Sighting]] = {}
        self._seen: dict[int, list[tuple[int, Sighting]]] = defaultdict(list)
        for track in result.tracks:
            if track.end < start or track.start >= end:
                continue
            self._ways[track.number] = list(track.sightings)
            for sighting in track.sightings:
                self._seen[sighting.frame].append((track.number, sighting))
        self._graph = self._activity(result)

    def draw(self, picture: np.ndarray, index: int, time: float) -> None:
        """Draw on the frame of an index and a time in the timeline; it is changed."""
        if self._drawing.mask and self._masks is not None:
            self._masks.tint(picture, index)
        if self._drawing.path:
            self._draw_ways(picture, index)
        if self._drawing.boxes:
            self._draw_boxes(picture, index, time)
        if self._drawing.graph and self._graph is not None:
            now = (time - self._start) / max(self._end - self._start, 1e-9)
            annotating.draw_graph(picture, self._graph, min(max(now, 0.0), 1.0), _COLORS[0])
        if self._drawing.time:
            event = self._event or self._event_at(time)
            said = "" if event is None else f"  event {event.number}"
            annotating.draw_text(picture, f"{written_time(time)}{said}")
            if self._facts is not None and self._facts.recorded is not None:
                hour = self._facts.recorded + timedelta(seconds=time)
                annotating.draw_text(picture, f"{hour:%Y-%m-%d %H:%M:%S}", line=1)

    def _draw_ways(self, picture: np.ndarray, index: int) -> None:
        for number, way in self._ways.items():
            come = [sighting.center for sighting in way if sighting.frame <= index]
            if come and way[-1].frame >= index:
                annotating.draw_path(picture, come, _color(number))

    def _draw_boxes(self, picture: np.ndarray, index: int, time: float) -> None:
        for number, sighting in self._seen.get(index, ()):
            annotating.draw_box(picture, sighting.box, _color(number), str(number))
        event = self._event_at(time)
        if not self._ways and event is not None:
            annotating.draw_box(picture, event.box, _COLORS[0])

    def _event_at(self, time: float) -> Event | None:
        """Return the event that lasts at a time."""
        return next((event for event in self._events if event.start <= time < event.end), None)

    def _activity(self, result: Scanned) -> np.ndarray | None:
        activity = result.activity
        if activity is None or not len(activity.times):
            return None
        times = np.linspace(self._start, self._end, _POINTS)
        stretch = np.clip(np.searchsorted(activity.times, times, side="right") - 1, 0, None)
        shares = np.asarray(activity.shares, float)[stretch]
        return shares / max(float(shares.max()), 1e-9)


def _color(number: int) -> Color:
    return _COLORS[(number - 1) % len(_COLORS)]
