"""Recordings as cameras leave them, made by tests; and a clock that stands until it is told."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from bgsub.live.clock import Clock
from bgsub.live.layout import event_id, record_file, stamp
from bgsub.live.messages import EventRecord, SegmentRecord

NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)


class SteppedClock(Clock):
    """Time that passes when a test says so."""

    def __init__(self, now: datetime = NOW) -> None:
        self.time = now
        self.ran = 0.0

    def now(self) -> datetime:
        return self.time

    def monotonic(self) -> float:
        return self.ran

    def sleep(self, seconds: float) -> None:
        self.step(seconds)

    def step(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)
        self.ran += seconds


def put(path: Path, size: int, changed: datetime) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * size)
    os.utime(path, (changed.timestamp(),) * 2)


def make_event(directory: Path, start: datetime, *, camera="yard", length=8.0, size=1000, **values) -> EventRecord:
    """Write clip, thumbnail and record of an event; of length None it goes on."""
    identity = event_id(camera, start)
    stem = record_file(identity).removesuffix(".json")
    end = None if length is None else start + timedelta(seconds=length)
    files = {"clip": f"{stem}.mp4", "thumbnail": f"{stem}.jpg"}
    for name in files.values():
        put(directory / name, size // 2, end or start + timedelta(seconds=5))
    record = EventRecord(**{"id": identity, "camera": camera, "start": start, "end": end, **files, **values})
    data = msgspec.json.encode(record)
    (directory / f"{stem}.json").write_bytes(data)
    os.utime(directory / f"{stem}.json", (start.timestamp(),) * 2)
    return msgspec.structs.replace(record, size=size + len(data))


def make_segment(directory: Path, start: datetime, *, camera="yard", length=300.0, size=1000) -> SegmentRecord:
    """Write a segment."""
    path = f"{camera}/{start:%Y-%m-%d}/{stamp(start)}.segment.mp4"
    end = start + timedelta(seconds=length)
    put(directory / path, size, end)
    return SegmentRecord(camera=camera, path=path, start=start, end=end, size=size)
