"""Events that are unlike the others come first."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from bgsub.motion.events import Event
from bgsub.motion.results import Scanned, SourceFacts
from bgsub.motion.tracking import Sighting, Track
from bgsub.motion.unusual import FEWEST, mark_unusual

FACTS = SourceFacts(("road.mp4",), "road", 640, 360, 25.0, 7200.0)


def event(
    number: int, start: float, length: float, x: float, y: float, size: float, speed: float
) -> tuple[Event, Track]:
    """An event with one track."""
    box = (round(x - size / 2), round(y - size / 2), round(size), round(size))
    frames = range(0, max(2, round(25 * length)), 5)
    track = Track(
        number,
        tuple(Sighting(i, start + i / 25, (box[0] + round(speed * i / 25), *box[1:]), 1.0, (0.0, 0.0)) for i in frames),
    )
    return (
        Event(number, start, start + length, 0, 1, start, 0, box, (box,), area=0.6 * size**2, tracks=(number,)),
        track,
    )


def day(odd, n: int = 60, seed: int = 1, facts: SourceFacts = FACTS) -> Scanned:
    """Usual events, cars to both sides, and odd ones among them."""
    random = np.random.default_rng(seed)
    made = []
    for i in range(n):
        side = i % 2
        values = random.normal((4, 300 + 60 * side, 200 + 40 * side, 60, 150), (0.5, 20, 6, 6, 15))
        made.append(event(i + 1, 100.0 * i, *values))
    made += [event(n + 1 + k, 100.0 * (n + k), *values) for k, values in enumerate(odd)]
    events, tracks = zip(*made, strict=True)
    return Scanned(facts, events, tracks)


def ranked(result: Scanned) -> list[int]:
    """Numbers of events, the most unusual first."""
    (marked,), why_not = mark_unusual([result])
    assert why_not is None
    assert all(event.unusual is not None and 0 <= event.unusual < 1 for event in marked.events)
    return [event.number for event in sorted(marked.events, key=lambda event: -(event.unusual or 0))]


@pytest.mark.parametrize(
    "odd",
    [
        [(4, 60, 60, 60, 150), (4, 600, 330, 60, 150), (40, 300, 200, 60, 5)],  # places, and one that stays
        [(4, 300, 200, 250, 150), (4, 360, 240, 8, 150), (4, 330, 220, 60, 900)],  # sizes, and one that races
        [(30, 100, 300, 30, 20)] * 3,  # alike: they are no kind of usual
    ],
)
@pytest.mark.filterwarnings("error")  # what a fit doubts is no business of who scans
def test_three_odd_events_among_sixty_come_first(odd) -> None:
    assert sorted(ranked(day(odd))[:3]) == [61, 62, 63]


def test_the_share_is_that_of_events_which_are_more_usual() -> None:
    (marked,), _ = mark_unusual([day([])])
    assert sorted(round(60 * event.unusual) for event in marked.events if event.unusual is not None) == list(range(60))


def test_the_answer_is_the_same_every_time_and_in_parts() -> None:
    odd = [(4, 60, 60, 60, 150)]
    whole = day(odd)
    assert ranked(whole) == ranked(whole)
    halves = [replace(whole, events=whole.events[:30]), replace(whole, events=whole.events[30:])]
    marked, _ = mark_unusual(halves)
    assert [event for part in marked for event in part.events] == list(mark_unusual([whole]).results[0].events)


def test_who_comes_at_night_is_unusual_where_the_date_is_known() -> None:
    noon = datetime(2026, 5, 4, 11, tzinfo=UTC)
    usual = day([], facts=replace(FACTS, recorded=noon))
    one, track = event(1, 0.0, 4, 300, 200, 60, 150)
    night = Scanned(replace(FACTS, recorded=noon - timedelta(hours=9)), (one,), (track,))
    marked, _ = mark_unusual([usual, night])
    assert marked[1].events[0].unusual == pytest.approx(60 / 61)


def test_events_without_tracks_are_compared_by_the_rest() -> None:
    result = day([(4, 60, 60, 60, 150)])
    assert ranked(replace(result, tracks=(), events=tuple(replace(e, tracks=()) for e in result.events)))[0] == 61
    mixed = tuple(replace(e, tracks=()) if e.number % 3 == 0 else e for e in result.events)
    assert 61 in ranked(replace(result, events=mixed))[:3]


def test_too_few_events_are_left_as_they_are_and_told() -> None:
    few = day([], n=FEWEST - 1)
    marked, why_not = mark_unusual([few, Scanned(None, error="damaged")])
    assert marked[0] == few
    assert why_not == "19 events are too few to say which are unusual: scan more, for 20 or more"


def test_events_that_are_all_alike_are_told() -> None:
    one, track = event(1, 0.0, 4, 300, 200, 60, 150)
    same = Scanned(FACTS, tuple(replace(one, number=i) for i in range(1, 31)), (track,))
    assert mark_unusual([same]).why_not == "all events are alike: none is unusual"


def test_one_that_differs_from_many_of_one_kind_comes_first() -> None:
    made = [
        event(i, 0.1 * i, 4 if i != 7 else 8, 300, 200, 60, 150) for i in range(1, 31)
    ]  # lengths differ by rounding
    events, tracks = zip(*made, strict=True)
    assert ranked(Scanned(FACTS, events, tracks))[0] == 7
