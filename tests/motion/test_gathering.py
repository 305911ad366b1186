"""What is kept of all frames has a bounded size, and says how much moved when and where."""

from __future__ import annotations

import numpy as np
import pytest

from bgsub.motion.gathering import ActivityGatherer, HeatGatherer, Timeline
from bgsub.video.frame import Frame

NOTHING = np.zeros((1, 1), np.uint8)


def test_frames_at_the_end_that_are_not_looked_at_count() -> None:
    """Of 25 frames a second every second one: whether one is left after the last, the source's duration tells."""
    for until, end in ((2.0, 2.0), (1.96, 1.96), (1.5, 1.96), (9.0, 1.96), (None, 1.96)):
        timeline = Timeline(12.5, until)
        for i in range(25):
            timeline.note(Frame(2 * i, 0.08 * i, NOTHING, duration=0.04))
        assert timeline.end == pytest.approx(end)


def test_points_stay_few_and_their_peaks_remain() -> None:
    gatherer = ActivityGatherer(most=16)
    for i in range(1000):
        gatherer.add(i / 10, 0.5 if i == 700 else 0.25 if i == 40 else 0.0)
    activity = gatherer.activity()
    assert len(activity.times) <= 16
    assert sorted(activity.shares)[-2:] == [0.25, 0.5]
    width = activity.times[1] - activity.times[0]
    peak = activity.times[np.argmax(activity.shares)]
    assert peak <= 70 < peak + width


def test_what_is_told_late_is_filled_in_and_what_was_told_stays() -> None:
    gatherer = ActivityGatherer()
    for i, (share, since) in enumerate([(0.0, None), (0.3, None), (0.0, None), (0.0, None), (0.5, 0.1), (0.4, None)]):
        gatherer.add(i / 10, share, since)
    assert gatherer.activity().shares.tolist() == pytest.approx([0.0, 0.3, 0.5, 0.5, 0.5, 0.4])


def test_a_clock_that_jumps_far_costs_no_memory() -> None:
    gatherer = ActivityGatherer(most=16)
    gatherer.add(0, 0.1)
    gatherer.add(1e9, 0.2)
    activity = gatherer.activity()
    assert len(activity.times) <= 16
    assert (activity.shares[0], activity.shares[-1]) == (np.float32(0.1), np.float32(0.2))


def test_times_begin_with_the_first_frame_that_is_read() -> None:
    gatherer = ActivityGatherer()
    gatherer.add(100.0, 0.1)
    gatherer.add(100.1, 0.2)
    assert gatherer.activity().times.tolist() == pytest.approx([100.0, 100.1])


def test_heat_lasts_until_the_next_frame() -> None:
    gatherer = HeatGatherer((4, 6))
    mask = np.zeros((4, 6), np.uint8)
    mask[1, 2] = 255
    mask[3, 5] = 127  # a shadow
    upper, all_of_it = (slice(0, 2), slice(0, 6)), (slice(0, 4), slice(0, 6))
    mask[2, 0] = 255
    gatherer.add(0.0, mask, [upper, (slice(1, 2), slice(2, 3))])
    gatherer.add(0.5, np.zeros_like(mask), [])
    gatherer.add(2.0, mask, [all_of_it])
    heat = gatherer.finish(2.25)
    assert heat[1, 2] == pytest.approx(0.75)
    assert heat[2, 0] == pytest.approx(0.25)
    assert heat.sum() == pytest.approx(1.0)


@pytest.mark.parametrize(("duration", "end"), [(0.5, 1.5), (None, 1.25), (0.0, 1.25), (float("nan"), 1.25), (1e6, 3.5)])
def test_a_last_frame_ends_as_its_source_says_or_like_the_one_before(duration: float | None, end: float) -> None:
    timeline = Timeline(fps=None)
    assert timeline.end == 0
    timeline.note(Frame(0, 0.75, NOTHING, duration=0.25))
    timeline.note(Frame(1, 1.0, NOTHING, duration=duration))
    assert timeline.end == pytest.approx(end)


def test_a_single_frame_lasts_as_long_as_frames_do() -> None:
    timeline = Timeline(fps=10)
    timeline.note(Frame(0, 0.0, NOTHING))
    assert timeline.end == pytest.approx(0.1)
