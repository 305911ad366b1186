"""Continuous recording as it is told: segments that are whole, broken off, and begun with nothing in them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bgsub.live.clock import Clock
from bgsub.live.messages import SegmentClosed, SegmentOpened
from bgsub.live.recording.continuous import Continuous
from bgsub.live.recording.filing import Filing
from tests.motion.recordings import record

BEGINNING = datetime(2026, 11, 27, 16, 0, tzinfo=UTC)


class Written:
    """A segment's clip, as far as its test says."""

    def __init__(self, start: float) -> None:
        self.start, self.end = start, start + 8.0
        self.size = 1
        self.error: str | None = None
        self.why: str | None = None
        self.closed = self.shows = False

    def close(self, until: float | None = None) -> None:
        self.closed = True


class Recording:
    """Opens segments when told to."""

    def __call__(
        self, path_for: Callable[[float], Path], seconds: float, *, opened: Callable, closed: Callable
    ) -> Recording:
        self.path_for, self.opened = path_for, opened
        return self

    def begin(self, at: float) -> tuple[Written, Path]:
        path, clip = self.path_for(at), Written(at)
        path.parent.mkdir(parents=True, exist_ok=True)
        self.opened(clip)
        return clip, path

    def close(self) -> None:
        pass


@pytest.fixture
def recorded(tmp_path: Path):
    """What records, what tells of it, and what is told."""
    told: list = []
    filing = Filing(tmp_path, 0, Clock())
    recording = Recording()
    continuous = Continuous(
        "yard", 8.0, tmp_path, filing, recording, lambda time: BEGINNING + timedelta(seconds=time), told.append
    )
    continuous.tick()
    return recording, continuous, filing, told


def test_a_segment_is_told_once_it_shows_something_and_when_it_is_over(recorded) -> None:
    recording, continuous, filing, told = recorded
    clip, path = recording.begin(2.0)
    continuous.tick()
    assert told == []
    clip.shows = True
    continuous.tick()
    clip.closed = True
    continuous.tick()
    filing.close(60)
    opened, closed = told
    assert isinstance(opened, SegmentOpened) and isinstance(closed, SegmentClosed)
    assert opened.record.path == closed.record.path == f"yard/2026-11-27/{path.name}"
    assert (opened.record.end, closed.record.end) == (None, BEGINNING + timedelta(seconds=10))
    assert continuous.idle and continuous.trouble is None


def test_a_segment_lasts_as_long_as_it_does_where_the_clock_is_set_meanwhile(recorded) -> None:
    recording, continuous, filing, told = recorded
    clip, _ = recording.begin(2.0)
    continuous._moment_of = lambda time: BEGINNING + timedelta(seconds=time - 3600)
    clip.shows = clip.closed = True
    continuous.tick()
    filing.close(60)
    assert told[-1].record.end == BEGINNING + timedelta(seconds=10)


def test_a_segment_that_was_broken_off_ends_with_what_its_file_shows(recorded) -> None:
    """Not with what waited for the disk."""
    recording, continuous, filing, told = recorded
    clip, path = recording.begin(2.0)
    record(path, 50)
    clip.shows = clip.closed = True
    clip.error = "cannot write it: the disk is full"
    continuous.tick()
    filing.close(60)
    assert (told[-1].record.end - BEGINNING).total_seconds() == pytest.approx(4.0, abs=0.1)
    assert continuous.trouble == clip.error


def test_a_segment_that_shows_nothing_is_not_told_and_its_file_goes(recorded) -> None:
    recording, continuous, filing, told = recorded
    clip, path = recording.begin(2.0)
    path.write_bytes(bytes(1300))
    clip.closed, clip.error = True, "cannot write it: the disk is full"
    continuous.tick()
    filing.close(60)
    assert told == []
    assert not path.exists()
    assert continuous.idle
