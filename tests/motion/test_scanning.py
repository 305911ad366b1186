"""The loop of a scan: what is read, how it ends, and what is left of it."""

from __future__ import annotations

import contextlib
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

import bgsub
from bgsub.jobs.job import Excerpt, ModelChoice
from bgsub.motion.events import Rule
from bgsub.motion.job import ScanJob
from bgsub.motion.looking import Look, open_small
from bgsub.motion.scanning import Scan
from bgsub.video.frame import VideoInfo
from tests.video.clips import write_clip

W, H = 320, 240
MOVES = range(30, 60)
RULE = Rule(merge=0.5, min_length=0.1)


def walk(count: int = 100, moves: range = MOVES, width: int = W, height: int = H) -> list[np.ndarray]:
    """Somebody goes from left to right before a textured wall."""
    rng = np.random.default_rng(1)
    wall = np.repeat(np.repeat(rng.integers(90, 130, (height // 4, width // 4, 1), dtype=np.uint8), 4, 0), 4, 1)
    images = []
    for i in range(count):
        image = np.dstack([wall[:, :, 0]] * 3)
        if i in moves:
            x = 40 + 6 * (i - moves.start)
            image[80:160, x : x + 40] = 230
        images.append(image)
    return images


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clip(tmp_path_factory.mktemp("walk") / "walk.mkv", walk(), pix_fmt="yuv420p")


def near(box: tuple[int, ...], wanted: tuple[int, ...], by: int) -> bool:
    return all(abs(a - b) <= by for a, b in zip(box, wanted, strict=True))


@pytest.mark.parametrize("shrink", [1, 2, 4])
def test_an_event_is_told_in_pixels_of_the_source_at_any_size(clip: Path, shrink: int) -> None:
    scan = bgsub.scan(str(clip), rule=RULE, looks=None, shrink=shrink)
    (event,) = scan
    assert (event.first, event.last) == (30, 59)
    assert event.start == pytest.approx(1.2)
    assert event.end == pytest.approx(2.4)
    # From where it was first seen, though it counts only when it has been there for a while.
    assert near(event.box, (40, 80, 6 * 29 + 40, 80), 3 * shrink)
    assert event.area == pytest.approx(3200, rel=0.1 * shrink)
    assert 0.5 < event.evidence <= 1
    facts = scan.result.facts
    assert facts is not None
    assert (facts.width, facts.height, facts.duration) == (W, H, pytest.approx(4.0))


def test_the_share_is_that_of_the_region_and_so_is_the_threshold(clip: Path) -> None:
    left = [[(0, 60), (159, 60), (159, 179), (0, 179)]]
    (event,) = bgsub.scan(str(clip), rule=RULE, looks=None, model=ModelChoice(region=left))
    assert event.box[0] + event.box[2] <= 161
    assert event.share == pytest.approx(3200 / (160 * 120), rel=0.2)
    for least, n in ((0.12, 1), (0.3, 0)):
        rule = Rule(merge=0.5, min_length=0.1, threshold=least)
        assert len(list(bgsub.scan(str(clip), rule=rule, model=ModelChoice(region=left)))) == n


def test_nothing_is_looked_at_outside_the_region(clip: Path) -> None:
    scan = bgsub.scan(
        str(clip), rule=RULE, looks=None, model=ModelChoice(region=[[(0, 0), (319, 0), (319, 60), (0, 60)]])
    )
    assert list(scan) == []
    assert scan.result.is_still


def test_ends_are_told_by_time_stamps(tmp_path: Path) -> None:
    """The last frame of a video moves, and is shown for longer than others."""
    images = walk(60)
    pts = [40 * i for i in range(30)] + [1200 + 80 * i for i in range(30)]
    path = write_clip(
        tmp_path / "vfr.mp4", images, codec="libx264", pix_fmt="yuv420p", pts=pts, time_base=Fraction(1, 1000)
    )
    (event,) = bgsub.scan(str(path), rule=RULE, looks=None)
    assert event.start == pytest.approx(1.2, abs=0.001)
    assert event.end == pytest.approx(1.2 + 30 * 0.08, abs=0.002)


def test_a_scan_that_is_given_up_closes_its_source_and_keeps_what_was_seen(clip: Path) -> None:
    scan = bgsub.scan(str(clip), rule=Rule(merge=0.1, min_length=0.1, max_length=0.4))
    events = iter(scan)
    first = next(events)
    events.close()  # type: ignore[attr-defined]
    assert scan.result.events[0] == first
    assert scan.result.tally.read < 60
    assert scan.result.events[-1].end <= 60 / 25


def test_ctrl_c_leaves_the_open_event_closed_in_the_result(clip: Path) -> None:
    n = 0

    def stop() -> bool:
        nonlocal n
        n += 1
        if n == 55:
            raise KeyboardInterrupt
        return False

    scan = Scan(ScanJob(str(clip), rule=RULE, looks=None), stop=stop)
    with pytest.raises(KeyboardInterrupt):
        list(scan)
    (event,) = scan.result.events
    assert (event.first, event.last, event.end) == (30, 54, pytest.approx(2.2))


def test_stop_ends_it_as_the_end_of_the_source_would(clip: Path) -> None:
    scan = Scan(ScanJob(str(clip), rule=RULE, looks=None), stop=lambda: scan_frames(scan) >= 45)
    seen = 0

    def scan_frames(_: Scan) -> int:
        nonlocal seen
        seen += 1
        return seen

    (event,) = scan
    assert (event.last, event.end) == (44, pytest.approx(1.8))
    assert scan.result.tally.read == 45


def test_no_more_events_than_asked_for_are_read(clip: Path) -> None:
    scan = bgsub.scan(str(clip), rule=Rule(merge=0.1, min_length=0.1, max_length=0.4, max_events=1))
    assert len(list(scan)) == 1
    assert len(scan.result.events) == 1
    assert scan.result.tally.read < 50


def test_of_a_part_that_is_missing_the_rest_is_told_and_python_raises(clip: Path, tmp_path: Path) -> None:
    parts = [str(clip), str(tmp_path / "missing.mkv")]
    quiet = Scan(ScanJob(parts, rule=RULE, looks=None))
    assert len(list(quiet)) == 1
    assert quiet.result.error is not None
    assert "missing.mkv" in quiet.result.error
    scan, events = bgsub.scan(parts, rule=RULE, looks=None), []
    with pytest.raises(bgsub.SourceError, match=r"missing\.mkv"):
        for event in scan:
            events.append(event)
    assert events == list(quiet.result.events) == list(scan.result.events)
    assert not scan.result.is_still


def test_two_recordings_are_one_timeline_through_one_model(tmp_path: Path) -> None:
    """Motion that goes on over the cut is one event, and the second part has no first frame to learn."""
    images = walk()
    first = write_clip(tmp_path / "a.mkv", images[:45], pix_fmt="yuv420p")
    second = write_clip(tmp_path / "b.mkv", images[45:], pix_fmt="yuv420p")
    (event,) = bgsub.scan([str(first), str(second)], rule=RULE, looks=None)
    assert (event.first, event.last) == (30, 59)
    assert event.end == pytest.approx(2.4)


def test_the_result_holds_heat_activity_and_background(clip: Path) -> None:
    scan = bgsub.scan(str(clip), rule=RULE, looks=None)
    list(scan)
    result = scan.result
    assert result.activity is not None
    assert result.heat is not None
    assert result.background is not None
    moving = result.activity.times[result.activity.shares > 0]
    assert moving[0] == pytest.approx(1.2, abs=0.11)
    assert moving[-1] == pytest.approx(2.3, abs=0.11)
    # A pixel in the middle of the way is covered for 40 / 6 frames.
    assert result.heat[120, 160] == pytest.approx(40 / 6 / 25, abs=0.1)
    assert result.heat[40].sum() == 0
    assert np.abs(result.background.astype(int) - walk(1)[0][:, :, 0]).mean() < 10


def test_an_excerpt_has_the_times_of_the_whole(clip: Path) -> None:
    (event,) = bgsub.scan(str(clip), rule=RULE, looks=None, excerpt=Excerpt(start=0.5, end=3.0))
    assert (event.first, event.last) == (30, 59)


def test_a_source_of_odd_size_and_a_tiny_one(tmp_path: Path) -> None:
    odd = write_clip(tmp_path / "odd.mkv", walk(width=323, height=241), pix_fmt="yuv444p")
    (event,) = bgsub.scan(str(odd), rule=RULE, looks=None, shrink=2)
    assert (event.first, event.last) == (30, 59)
    tiny = write_clip(tmp_path / "tiny.mkv", [np.zeros((3, 5, 3), np.uint8)] * 3, pix_fmt="bgr0")
    assert list(bgsub.scan(str(tiny))) == []


def test_what_fast_finds_is_the_same_here(clip: Path) -> None:
    (event,) = bgsub.scan(str(clip), rule=RULE, looks=None, fast=True)
    assert (event.first, event.last) == (30, 59)


def test_a_scale_is_refused() -> None:
    with pytest.raises(bgsub.ParameterError, match="does not fit a scan: give shrink=2, 4 or 8"):
        list(bgsub.scan("x.mp4", excerpt=Excerpt(scale=0.5)))


@pytest.mark.parametrize(("rate", "looked_at"), [(10, 100), (20, 100), (25, 50), (30, 50), (60, 20)])
def test_of_a_fast_video_a_dozen_frames_a_second_are_looked_at(tmp_path: Path, rate: int, looked_at: int) -> None:
    path = write_clip(tmp_path / "x.mkv", walk(), pix_fmt="yuv420p", rate=rate)
    scan = bgsub.scan(str(path), rule=Rule(merge=0.5, min_length=0.05))
    (event,) = scan
    assert scan.result.tally.read == looked_at
    step = 100 // looked_at
    assert 30 <= event.first < 30 + step
    assert 59 - step < event.last <= 59
    assert event.start == pytest.approx(event.first / rate, abs=1e-3)
    assert event.end == pytest.approx((event.last + step) / rate, abs=1e-3)
    assert scan.result.facts is not None
    assert scan.result.facts.duration == pytest.approx(100 / rate, abs=2e-3)


def test_opencvs_threads_are_bounded_while_frames_are_read_and_the_users_own_between(clip: Path) -> None:
    before, seen = cv2.getNumThreads(), []

    def opened(info: VideoInfo) -> contextlib.AbstractContextManager[object]:
        return contextlib.nullcontext(lambda tally: seen.append(cv2.getNumThreads()))

    cv2.setNumThreads(3)
    try:
        for _ in Scan(ScanJob(str(clip), rule=RULE, looks=None, model=ModelChoice(threads=2)), opened):
            assert cv2.getNumThreads() == 3
        assert cv2.getNumThreads() == 3
    finally:
        cv2.setNumThreads(before)
    assert set(seen) == {2}


def test_a_saved_model_goes_on_with_another_timeline_and_needs_no_learning(clip: Path, tmp_path: Path) -> None:
    job = ScanJob(str(clip), looks=None)
    with open_small(job) as source:
        look = Look(job, source.info)
        for frame in source:
            look(frame)
    look.learned().save(tmp_path / "learned.bgsub")
    saved = ModelChoice(load=str(tmp_path / "learned.bgsub"))
    (event,) = bgsub.scan(str(clip), rule=RULE, looks=None, model=saved)
    assert (event.first, event.last) == (30, 59)
    look.forget()
    assert look.background() is None
