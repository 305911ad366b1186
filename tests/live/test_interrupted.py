"""Events that a killed process leaves: completed once, from what is there, and never with more."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from bgsub.live.layout import event_id
from bgsub.live.messages import EventClosed, EventRecord, SegmentClosed
from bgsub.live.recording.event_files import Place, write_record
from bgsub.live.recording.interrupted import finish_interrupted
from tests.motion.recordings import record

START = datetime(2026, 11, 27, 16, 0, 5, 40_000, tzinfo=UTC)


def left(directory: Path, start: datetime = START, **facts) -> tuple[Place, EventRecord]:
    """A record whose event nobody has ended."""
    place = Place.of(directory, "yard", start)
    place.path("").parent.mkdir(parents=True, exist_ok=True)
    made = EventRecord(id=event_id("yard", start), camera="yard", start=start, **facts)
    write_record(place, made)
    return place, made


def stored(place: Place) -> EventRecord:
    return msgspec.json.decode(place.path(".json").read_bytes(), type=EventRecord)


def test_an_event_that_was_cut_off_ends_with_its_clip_and_is_told_once(tmp_path: Path) -> None:
    begin = START - timedelta(seconds=2)
    place, made = left(tmp_path, clip="yard/2026-11-27/2026-11-27T16-00-05.040Z.mp4", clip_start=begin)
    record(place.path(".mp4"), 100)
    told: list = []
    finish_interrupted(tmp_path, "yard", told.append)
    (closed,) = told
    assert isinstance(closed, EventClosed)
    shown = closed.record
    assert shown == stored(place)
    assert shown.end == shown.clip_end == pytest.approx(begin + timedelta(seconds=4), abs=timedelta(seconds=0.1))
    assert (shown.id, shown.start, shown.clip, shown.clip_start) == (made.id, made.start, made.clip, begin)
    assert (shown.error, shown.size) == ("the program ended during it", place.path(".mp4").stat().st_size)
    finish_interrupted(tmp_path, "yard", told.append)
    assert len(told) == 1


@pytest.mark.parametrize("content", [None, b"", b"no video"])
def test_a_clip_that_shows_nothing_is_not_told(tmp_path: Path, content: bytes | None) -> None:
    place, _ = left(tmp_path, clip="yard/2026-11-27/2026-11-27T16-00-05.040Z.mp4", clip_start=START)
    if content is not None:
        place.path(".mp4").write_bytes(content)
    told: list = []
    finish_interrupted(tmp_path, "yard", told.append)
    assert (told[0].record.clip, told[0].record.clip_start, told[0].record.end) == (None, None, START)
    assert told[0].record.size == 0
    assert not place.path(".mp4").exists()


def test_what_is_complete_or_of_others_or_long_ago_is_left_alone(tmp_path: Path) -> None:
    for day in range(3):
        left(tmp_path, START - timedelta(days=day), end=None if day == 2 else START + timedelta(seconds=9))
    (tmp_path / "road").mkdir()
    told: list = []
    finish_interrupted(tmp_path, "yard", told.append)
    finish_interrupted(tmp_path, "road", told.append)
    finish_interrupted(tmp_path, "away", told.append)
    assert told == []


def test_a_record_that_somebody_else_has_written_is_left_out_and_told(tmp_path: Path, caplog) -> None:
    place, _ = left(tmp_path)
    text = place.path(".json").read_text()
    place.path(".json").write_text(text.replace('"clip": null', '"clip": "../../../etc/passwd"'))
    told: list = []
    with caplog.at_level(logging.WARNING, "bgsub"):
        finish_interrupted(tmp_path, "yard", told.append)
    assert told == []
    assert "names the file '../../../etc/passwd', which is none of its camera's" in caplog.text


def test_the_last_segment_is_told_with_its_length(tmp_path: Path) -> None:
    folder = tmp_path / "yard" / "2026-11-27"
    record(folder / "2026-11-27T16-00-00.000Z.segment.mp4", 25)
    record(folder / "2026-11-27T16-05-00.000Z.segment.mp4", 50)
    begun = folder / "2026-11-27T16-10-00.000Z.segment.mp4"  # and nothing was written to it
    begun.write_bytes(bytes(1300))
    finish_interrupted(tmp_path, "yard", pytest.fail)
    assert not begun.exists()
    told: list = []
    finish_interrupted(tmp_path, "yard", told.append)
    (closed,) = told
    assert isinstance(closed, SegmentClosed)
    assert closed.record.path == "yard/2026-11-27/2026-11-27T16-05-00.000Z.segment.mp4"
    assert (closed.record.end - closed.record.start).total_seconds() == pytest.approx(2, abs=0.1)
