"""Results of scans made by hand, with all that a result can hold."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np

from bgsub.motion.events import Event
from bgsub.motion.results import Activity, Scanned, SourceFacts
from bgsub.motion.tracking import Crossing, Sighting, Track
from bgsub.pipeline import Tally


def some_event(number=1, start=0.4, end=4.0, **changes):
    values = {
        "first": round(start * 25),
        "last": round(end * 25) - 1,
        "peak": start + 0.4,
        "peak_frame": round((start + 0.4) * 25),
        "box": (100, 40, 60, 80),
        "peak_boxes": ((110, 50, 30, 60), (150, 60, 8, 8)),
        "area": 1234.0,
        "share": 0.0123,
        "evidence": 0.87,
        "frames": 80,
        "zones": ("gate", "path"),
        "tracks": (1,),
    }
    return Event(number, start, end, **values | changes)


def some_track(number=1, start=0.4, n=20):
    sightings = tuple(
        Sighting(round(start * 25) + i, start + i / 25, (100 + 2 * i, 40, 30, 60), 900.5, (114.5 + 2 * i, 69.5))
        for i in range(n)
    )
    return Track(number, sightings, (Crossing("door", "in", 15, 0.6, number),))


def some_result(source=("clips/gate.mp4",), events=None, **changes):
    rng = np.random.default_rng(5)
    facts = SourceFacts(source, "gate", 320, 180, 25.0, 12.0, datetime(2026, 11, 27, 5, 11, 44, 250_000, UTC))
    values = {
        "events": (some_event(), some_event(2, 7.0, 8.5, unusual=0.75, kind="stopped")) if events is None else events,
        "tracks": (some_track(), some_track(2, 7.0)),
        "activity": Activity(np.arange(0, 12, 0.5), rng.random(24).astype(np.float32)),
        "heat": rng.random((45, 80)).astype(np.float32) ** 4,
        "background": rng.integers(0, 255, (45, 80, 3)).astype(np.uint8),
        "tally": Tally(read=300, first_time=0.0, last_time=11.96, elapsed=1.5, timed=299, steady=1.2),
        "source": source,
    }
    return Scanned(facts, **values | changes)


def failed_result(source=("clips/half.mp4",)):
    return Scanned(None, error=f"cannot open {source[0]}: no video in it; check the file", source=source)
