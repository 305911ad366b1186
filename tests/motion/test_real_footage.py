"""Events of real recordings, where the folder of them is at hand."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bgsub.jobs.job import ModelChoice
from bgsub.motion.scanning import scan

FOLDER = Path(os.environ.get("BGSUB_DATA", "")) / "video"
ROAD = [[(631, 532), (840, 532), (840, 658), (631, 658)]]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not FOLDER.is_dir(), reason="set BGSUB_DATA to the folder of real footage"),
]


@pytest.mark.parametrize("shrink", [1, 2, 4])
def test_a_sudden_change_of_light_is_no_event(shrink: int) -> None:
    assert list(scan(str(FOLDER / "issue53_brightness_change.avi"), shrink=shrink)) == []


@pytest.mark.parametrize("fast", [False, True])
def test_cars_in_a_region_are_three_events(fast: bool) -> None:
    events = list(scan(str(FOLDER / "traffic_camera.mp4"), model=ModelChoice(region=ROAD), fast=fast))
    frames = [(event.first, event.last) for event in events]
    # By eye: the first bumper is in the region from 364 on, which dvr-scan tells from 358 on.
    assert frames == [pytest.approx(truth, abs=3) for truth in [(10, 99), (364, 440), (543, 553)]]


def test_times_are_right_where_the_frame_rate_varies() -> None:
    events = list(scan(str(FOLDER / "traffic_camera_vfr.mp4"), model=ModelChoice(region=ROAD)))
    spans = [(event.start, event.end) for event in events]
    assert spans == [pytest.approx(truth, abs=0.2) for truth in [(0.40, 3.96), (17.60, 23.76), (31.84, 32.72)]]
