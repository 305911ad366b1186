"""When what moves is an event: lengths, gaps and ends by time stamps."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from bgsub.motion.blobs import Blob
from bgsub.motion.events import Event, EventFinder, Rule
from bgsub.motion.observing import Observation

REGION = 10_000.0


def found(rule: Rule, moving: Sequence[float], times: Sequence[float], end: float) -> list[Event]:
    """The events of frames with these areas of motion."""
    finder = EventFinder(rule, REGION)
    events = []
    for i, (area, time) in enumerate(zip(moving, times, strict=True)):
        blobs = (Blob((i, 0, 10, 10), area, (i + 4.5, 4.5), 0.5),) if area else ()
        events += finder.update(Observation(i, time, blobs))
    return events + finder.finish(end)


def test_an_event_ends_with_its_last_frame_of_motion_by_time_stamps() -> None:
    times = [0.0, 0.1, 0.2, 0.5, 0.6, 0.7]
    (event,) = found(Rule(merge=0.05, min_length=0), [0, 80, 80, 0, 0, 0], times, 0.8)
    assert (event.start, event.end, event.first, event.last) == (0.1, 0.5, 1, 2)


@pytest.mark.parametrize(("merge", "n"), [(0.25, 2), (0.35, 1)])
def test_motion_within_the_merge_window_is_one_event(merge: float, n: int) -> None:
    moving = [80, 80, 0, 0, 0, 80, 80, 0, 0, 0, 0, 0]
    assert len(found(Rule(merge=merge, min_length=0), moving, [i / 10 for i in range(12)], 1.2)) == n


def test_an_event_names_the_zones_that_were_touched_while_it_lasted() -> None:
    finder, blobs = EventFinder(Rule(merge=0.5, min_length=0), REGION), (Blob((0, 0, 10, 10), 80.0, (4.5, 4.5), 1.0),)
    touched = [("gate",), (), ("door", "gate"), ()]
    for i, zones in enumerate(touched):
        assert finder.update(Observation(i, i / 10, blobs, zones=zones)) == []
    (event,) = finder.finish(0.4)
    assert event.zones == ("door", "gate")


def test_the_open_event_is_told_as_far_as_it_is_known() -> None:
    finder, blobs = EventFinder(Rule(merge=0.5, min_length=0), REGION), (Blob((0, 0, 10, 10), 80.0, (4.5, 4.5), 1.0),)
    told = []
    for i, moving in enumerate([(), blobs, blobs, (), (), (), (), ()]):
        finder.update(Observation(i, i / 4, moving))
        told.append(None if finder.event is None else (finder.event.start, finder.event.end))
    assert told == [None, (0.25, 0.25), (0.25, 0.5), *[(0.25, 0.75)] * 5]
