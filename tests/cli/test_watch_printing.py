"""What `bgsub watch` prints of what cameras tell, and its table."""

import asyncio
import io
import json
from datetime import UTC, datetime, timedelta

import pytest

from bgsub.cli.watch_printing import Printing, _table
from bgsub.live.clock import Clock
from bgsub.live.health.state import Health
from bgsub.live.messages import (
    CameraFound,
    CameraLost,
    EventClosed,
    EventOpened,
    EventRecord,
    Note,
    Status,
    Trouble,
)

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
RECORD = EventRecord(
    id="yard/1",
    camera="yard",
    start=NOON,
    end=NOON + timedelta(seconds=7.5),
    clip="yard/2026-11-27/1.mp4",
    zones=("gate", "path"),
    crossings={"gate in": 2},
)


@pytest.fixture
def printed(capsys, monkeypatch):
    """Prints messages, and returns the lines."""
    monkeypatch.setenv("TZ", "Europe/Berlin")

    def call(*messages, as_json=False):
        async def tell():
            printing = Printing(as_json=as_json, quiet=False)
            for message in messages:
                await printing.take(message)

        asyncio.run(tell())
        return capsys.readouterr().out.splitlines()

    return call


def local(moment):
    return f"{moment.astimezone():%Y-%m-%d %H:%M:%S}"


def test_a_line_is_printed_for_each_event_that_is_over_and_for_each_change_of_a_camera(printed):
    lines = printed(
        EventOpened(RECORD),
        EventClosed(RECORD),
        EventClosed(EventRecord(id="yard/2", camera="yard", start=NOON, end=NOON, error="the disk is full")),
        CameraLost(camera="door", at=NOON, why="no answer"),
        CameraFound(camera="door", at=NOON, away=61.04),
        CameraFound(camera="door", at=NOON, away=610.0),
        CameraFound(camera="door", at=NOON, away=36_000.0),
        Trouble(at=NOON, why="no room"),
        Trouble(at=NOON, why=None, camera="yard"),
        Note(camera="yard", at=NOON, level=20, text="said elsewhere"),
    )
    at = local(NOON)
    assert lines == [
        f"{at}  yard  motion 7.5 s  gate, path  2 gate in  yard/2026-11-27/1.mp4",
        f"{at}  yard  motion 0.0 s  (the disk is full)",
        f"{at}  door  lost: no answer",
        f"{at}  door  is back, after 61.0 s",
        f"{at}  door  is back, after 10 min",
        f"{at}  door  is back, after 10.0 h",
        f"{at}  recordings  trouble: no room",
        f"{at}  yard  no trouble any more",
    ]


def test_json_is_an_object_a_line_in_utc(printed):
    status = Status(camera="yard", at=NOON, state="live", since=NOON)
    lines = printed(EventOpened(RECORD), CameraLost(camera="door", at=NOON, why="x"), status, as_json=True)
    opened, lost = map(json.loads, lines)
    assert opened["type"] == "EventOpened" and opened["record"]["start"] == "2026-11-27T12:00:00Z"
    assert lost == {"type": "CameraLost", "camera": "door", "at": "2026-11-27T12:00:00Z", "why": "x"}


def test_the_table_tells_how_each_camera_is():
    from rich.console import Console

    health = Health(Clock())
    health.watch(("yard", "door", "roof"))
    more = {"frames_per_second": 12.5, "dropped": 3, "moving": 0.25, "event": "yard/1", "frames": 9}
    health.note(Status(camera="yard", at=NOON, state="live", since=NOON, **more))
    health.note(Status(camera="door", at=NOON, state="lost", since=NOON, why="no [bold]answer"))
    health.note(EventClosed(RECORD))
    out = io.StringIO()
    Console(file=out, width=100).print(_table(health))
    heading, yard, door, roof = (line.split() for line in out.getvalue().splitlines())
    assert heading == ["camera", "state", "frames/s", "dropped", "moving", "events", "last", "event"]
    assert yard == ["yard", "live", "12.5", "3", "25.0%", "1", f"{NOON.astimezone():%H:%M:%S}", "recording"]
    assert door == ["door", "lost", "0.0", "0", "0.0%", "0", "no", "[bold]answer"]
    assert roof == ["roof", "starting", "0"]
