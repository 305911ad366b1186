"""The hour of a recording, told by its file's metadata or its name."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import av
import pytest

import bgsub
from bgsub.video.recorded import as_local, recorded_at
from tests.video.clips import pictures, write_clip

AT = datetime(2026, 11, 27, 5, 11, 44)


@pytest.mark.parametrize(
    "name",
    [
        "20261127_051144.mp4",
        "cam1_2026-11-27_05-11-44.mkv",
        "20261127051144.avi",
        "2026-11-27 05.11.44.mp4",
        "20261127-051144-cam1.mp4",
        "2026_11_27_05_11_44.mp4",
        "ch01_20261127051144_20261127061144.mp4",
        "2026-11-27--05-11-44.mp4",
        "/20250101_000000/20261127_051144.mp4",
    ],
)
def test_a_date_with_a_time_in_a_name_is_local(name: str) -> None:
    assert recorded_at(name) == AT.astimezone()


def test_a_zone_in_a_name_counts() -> None:
    assert recorded_at("2026-11-27T05-11-44Z.mp4") == AT.replace(tzinfo=UTC)
    told = recorded_at("2026-11-27T05:11:44+0200.mp4")
    assert told == AT.replace(tzinfo=timezone(timedelta(hours=2)))
    assert told is not None
    assert told.utcoffset() == timedelta(hours=2)


def test_milliseconds_in_a_name_count() -> None:
    told = recorded_at("PXL_20261127_051144250.mp4")
    assert told == (AT + timedelta(milliseconds=250)).astimezone()


@pytest.mark.parametrize(
    "name",
    [
        "VID-20261127-WA0001.mp4",
        "20261327_051144.mp4",
        "20261127_251144.mp4",
        "1732683104.mp4",
        "x12345678901234567890.mp4",
        "00010101_000000.mp4",
        "99991231_235959.mp4",
        "street.mp4",
    ],
)
def test_other_digits_are_no_time(name: str) -> None:
    assert recorded_at(name) is None


def test_tags_come_first_and_those_that_know_their_zone_before_others() -> None:
    name = "20200101_000000.mp4"
    assert recorded_at(name, {"creation_time": "2026-11-27T05:11:44.000000Z"}) == AT.replace(tzinfo=UTC)
    apple = {"com.apple.quicktime.creationdate": "2026-11-27T05:11:44+0200", "creation_time": "2000-01-01T00:00:00Z"}
    assert recorded_at(name, apple) == AT.replace(tzinfo=timezone(timedelta(hours=2)))


@pytest.mark.parametrize("text", ["1904-01-01T00:00:00Z", "2019", "2019-05-01", "yesterday", ""])
def test_a_clock_that_was_never_set_and_a_date_alone_are_no_time(text: str) -> None:
    assert recorded_at("street.mp4", {"creation_time": text, "date": text}) is None


def test_a_source_tells_it_by_metadata_and_never_by_the_age_of_the_file(tmp_path: Path) -> None:
    plain = write_clip(tmp_path / "plain.mkv", pictures(3))
    os.utime(plain, (1.6e9, 1.6e9))
    tagged = tmp_path / "20200101_000000.mkv"
    with av.open(str(plain)) as source, av.open(str(tagged), "w") as target:
        target.metadata["creation_time"] = "2026-11-27T05:11:44Z"
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.size:
                packet.stream = stream
                target.mux(packet)
    for path, recorded in ((plain, None), (tagged, AT.replace(tzinfo=UTC))):
        with bgsub.open_source(path) as opened:
            assert opened.info.recorded == recorded


def test_a_local_time_that_says_utc_is_taken_for_one(monkeypatch):
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    try:
        told = as_local(AT.replace(tzinfo=UTC))
        assert told == AT.replace(tzinfo=timezone(timedelta(hours=1)))
        known = AT.replace(tzinfo=timezone(timedelta(hours=2)))
        assert as_local(known) is known  # it has said where it was
        assert as_local(None) is None
    finally:
        monkeypatch.undo()
        time.tzset()
