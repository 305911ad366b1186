"""The index: what is told is there, page by page, after a kill too; and a file that is no use costs nothing."""

from __future__ import annotations

import os
import random
import re
import sqlite3
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bgsub.errors import BgsubError, OutputError, ParameterError, SourceError
from bgsub.live import places
from bgsub.live.archive import index as index_module
from bgsub.live.archive.index import Index
from bgsub.live.archive.index_questions import IndexReader
from bgsub.live.clock import Clock
from bgsub.live.layout import event_id
from bgsub.live.messages import (
    CameraFound,
    CameraLost,
    EventClosed,
    EventOpened,
    EventRecord,
    SegmentClosed,
    SegmentOpened,
    SegmentRecord,
)
from tests.live.recordings_made import SteppedClock

START = datetime(2026, 3, 1, 12, 0, 0, 250_000, UTC)


def record(after=0.0, camera="yard", length=8.0, **values):
    start = START + timedelta(seconds=after)
    end = None if length is None else start + timedelta(seconds=length)
    return EventRecord(**{"id": event_id(camera, start), "camera": camera, "start": start, "end": end, **values})


def segment(after=0.0, camera="yard", length=300.0, **values):
    start = START + timedelta(seconds=after)
    path = f"{camera}/2026-03-01/{event_id(camera, start).partition('/')[2]}.segment.mp4"
    end = None if length is None else start + timedelta(seconds=length)
    return SegmentRecord(**{"camera": camera, "path": path, "start": start, "end": end, **values})


@pytest.fixture
def index(tmp_path):
    with Index(tmp_path / "state" / "index.sqlite", Clock()) as opened:
        yield opened


def test_an_event_is_there_when_it_opens_and_whole_when_it_closes(index):
    opened = record(length=None, clip="yard/2026-03-01/a.mp4")
    index.take(EventOpened(opened))
    assert index.events() == index.unfinished() == [opened]
    closed = record(zones=("gate",), crossings={"fence in": 2}, box=(0.1, 0.2, 0.3, 0.4), size=10, unusual=0.5)
    index.take(EventClosed(closed))
    assert index.events() == [closed] == [index.event(closed.id)]
    assert index.unfinished() == []


def test_an_event_is_there_once_however_often_it_is_told_and_is_not_opened_again(index):
    for message in (EventClosed(record(size=10)), EventOpened(record(length=None)), EventClosed(record(size=20))):
        index.take(message)
    assert index.events() == [record(size=20)]
    assert index.counts()[:3] == (1, 0, 20)


def test_pages_hold_each_event_once_the_latest_first(index):
    records = [record(after=k // 2, camera=f"cam{k % 2}", zones=("gate",) * (k % 3 == 0)) for k in range(50)]
    for one in records:
        index.put_event(one)
    expected = sorted(records, key=lambda one: (one.start, one.id), reverse=True)
    for filters, left in (
        ({}, expected),
        ({"camera": "cam1"}, [one for one in expected if one.camera == "cam1"]),
        ({"zone": "gate"}, [one for one in expected if one.zones]),
        ({"zone": "gate", "camera": "cam0"}, [one for one in expected if one.zones and one.camera == "cam0"]),
        ({"start": START + timedelta(seconds=5)}, expected[:40]),
        ({"end": START + timedelta(seconds=5)}, expected[40:]),
    ):
        found, page = [], index.events(limit=7, **filters)
        while page:
            found += page
            page = index.events(limit=7, before=page[-1].id, **filters)
        assert found == left


def test_a_page_goes_on_from_an_event_that_was_removed(index):
    for k in range(6):
        index.put_event(record(after=k))
    last = index.events(limit=3)[-1].id
    index.remove_event(last, "test")
    assert [one.id for one in index.events(before=last)] == [record(after=k).id for k in (2, 1, 0)]
    with pytest.raises(ParameterError, match=r"before='yard' is no event; give the identity of one"):
        index.events(before="yard")


def test_long_and_unusual_events_are_found(index):
    for k in range(10):
        index.put_event(record(after=20 * k, length=k, unusual=k / 10))
    index.put_event(record(after=500, length=None))
    assert [one.unusual for one in index.events(min_length=7.5)] == [None, 0.9, 0.8]
    assert [one.unusual for one in index.events(unusual=0.8)] == [0.9, 0.8]
    index.mark_unusual({record().id: 0.85})
    assert [one.unusual for one in index.events(unusual=0.8)] == [0.9, 0.8, 0.85]
    assert index.uncompared() == {}


def test_segments_that_show_a_time_are_found(index):
    for k in range(5):
        index.take(SegmentOpened(segment(after=300 * k, length=None)))
        if k < 4:
            index.take(SegmentClosed(segment(after=300 * k, size=7)))
    index.take(SegmentOpened(segment(after=300, length=None)))  # told late
    at = START + timedelta(seconds=650)
    assert index.segments(start=at, end=at + timedelta(seconds=1)) == [segment(after=600, size=7)]
    assert index.segments(camera="door", start=at, end=at + timedelta(seconds=1)) == []
    later = index.segments(camera="yard", start=at, end=at + timedelta(hours=1))
    assert [one.end is None for one in later] == [False, False, True]
    assert index.counts()[:3] == (0, 5, 28)


def test_an_event_points_to_no_segment_that_is_gone(index):
    index.put_segment(segment())
    index.put_segment(segment(after=300))
    index.put_event(record(after=290, length=20, segments=(segment().path, segment(after=300).path)))
    index.remove_all([(segment().path, 5)], "older than max_age")
    assert [one.segments for one in index.events()] == [(segment(after=300).path,)]


def test_outages_begin_and_end_once(index):
    index.take(CameraLost(camera="yard", at=START, why="no picture for 10 s"))
    index.take(CameraLost(camera="yard", at=START + timedelta(seconds=9), why="refused"))
    (open_one,) = index.outages()
    assert open_one == ("yard", START, None, "no picture for 10 s")
    back = START + timedelta(seconds=60)
    index.take(CameraFound(camera="yard", at=back, away=60.0))
    index.take(CameraFound(camera="door", at=back, away=5.0))
    assert index.outages(camera="yard") == [("yard", START, back, "no picture for 10 s")]
    assert index.outages(camera="door") == [("door", back - timedelta(seconds=5), back, "not known")]
    assert index.outages(end=START) == index.outages(start=back) == []


def test_what_is_removed_is_counted_with_its_reason(index):
    for k in range(3):
        index.put_event(record(after=k, zones=("gate",), size=5))
    index.remove_all([(record(after=k).id, 5) for k in (0, 1, 7)], "older than max_age")
    assert index.events(zone="gate") == [record(after=2, zones=("gate",), size=5)]
    assert index.counts() == (1, 0, 5, {"older than max_age": (2, 10)})
    assert [(gone.what, gone.size) for gone in index.removals()] == [(record(after=k).id, 5) for k in (1, 0)]


def test_a_day_is_told_step_by_step_also_where_nothing_happened(index):
    for after, camera in ((0, "yard"), (10, "yard"), (7200, "door")):
        index.put_event(record(after=after, camera=camera, length=4))
    hours = index.amounts(START, START + timedelta(hours=4), 3600)
    assert [(hour.events, hour.seconds) for hour in hours] == [(2, 8.0), (0, 0.0), (1, 4.0), (0, 0.0)]
    assert [hour.events for hour in index.amounts(START, START + timedelta(hours=3), 3600, camera="door")] == [0, 0, 1]
    assert index.amounts(START, START, 60) == []
    assert len(index.amounts(START, START + timedelta(days=400), 1)) <= 1000
    assert list(index.days("yard")) == ["2026-03-01"]


def test_readers_see_what_is_written_while_it_is(index):
    wrong = []

    def read():
        with IndexReader.of(index.path) as reader:
            seen = 0
            while seen < 200:
                now = reader.counts().events
                if now < seen:
                    wrong.append((seen, now))
                seen = now

    readers = [threading.Thread(target=read) for _ in range(2)]
    for one in readers:
        one.start()
    for k in range(200):
        index.put_event(record(after=k))
    for one in readers:
        one.join()
    assert wrong == []


def test_a_reader_writes_nothing_and_needs_an_index(index, tmp_path):
    with IndexReader.of(index.path) as reader, pytest.raises(SourceError, match=r"cannot read the index: .*readonly"):
        reader._rows("delete from event")
    with pytest.raises(SourceError, match=r"cannot read the index .*none.sqlite: .*; start bgsub watch first"):
        IndexReader.of(tmp_path / "none.sqlite")


WITH_TESTS = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}  # programs import what is beside this

KILLED = """
import itertools, sys
from pathlib import Path
from bgsub.live.clock import Clock
from bgsub.live.archive.index import Index
from tests.live.test_index import record
index = Index(Path(sys.argv[1]), Clock())
for k in itertools.count():
    index.put_event(record(after=k, zones=("gate",), clip="yard/2026-03-01/" + "x" * 50))
    print(k, flush=True)
"""


@pytest.mark.slow
def test_a_kill_loses_nothing_that_was_taken(tmp_path):
    path = tmp_path / "index.sqlite"
    program = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(path)], stdout=subprocess.PIPE, text=True, env=WITH_TESTS
    )
    for _ in range(60):
        program.stdout.readline()
    program.kill()
    taken = 60 + len(program.communicate()[0].split())
    with Index(path, Clock()) as index:
        assert index.new_because is None
        assert index.counts().events >= taken
        assert index._rows("pragma integrity_check") == [("ok",)]


LIMITED = """
import resource, sys
from pathlib import Path
from bgsub.errors import BgsubError, OutputError
from bgsub.live.clock import Clock
from bgsub.live.archive.index import Index
from bgsub.live.archive.rebuilding import compare
from bgsub.live.archive.recordings import Recordings
from tests.live.recordings_made import make_event
from tests.live.test_index import START, timedelta
folder = Path(sys.argv[1])
index = Index(folder / "index.sqlite", Clock())
recordings = Recordings(folder / "recordings", index)
recordings.settle()
soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, hard))
fault = None
for k in range(400):
    event = make_event(recordings.directory, START + timedelta(seconds=60 * k))
    try:
        index.put_event(event)
    except OutputError as error:
        fault = error
print(fault)
assert index.behind == str(fault), index.behind
resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
compare(index, recordings, Clock())
print(index.counts().events, index._rows("pragma integrity_check"), index.behind)
"""


@pytest.mark.slow
def test_no_file_may_grow_any_more_and_then_it_may_again(tmp_path):
    told = subprocess.run(
        [sys.executable, "-c", LIMITED, str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env=WITH_TESTS,
    )
    fault, after = told.stdout.splitlines()
    assert fault.startswith(f"cannot write the index {tmp_path / 'index.sqlite'}: ")
    assert fault.endswith("; make room on its disk")
    assert after == "400 [('ok',)] None"


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda path: path.write_bytes(b"no database at all" * 1000), "is damaged"),
        (lambda path: path.write_bytes(path.read_bytes()[:9000]), "is damaged"),
        (lambda path: _execute(path, "pragma application_id=7"), "is of another program"),
        (lambda path: _execute(path, "pragma user_version=99"), r"is of another version \(99\)"),
    ],
)
def test_a_file_that_is_no_use_is_moved_aside(tmp_path, spoil, why):
    path = tmp_path / "index.sqlite"
    with Index(path, Clock()) as index:
        for k in range(100):
            index.put_event(record(after=k))
    spoil(path)
    before = path.read_bytes()
    with Index(path, Clock()) as index:
        assert index.counts().events == 0
        index.put_event(record())
        told = index.new_because
    (aside,) = tmp_path.glob("index.2*.sqlite")
    assert aside.read_bytes() == before
    assert told.startswith(f"the index {path} ")
    assert told.endswith(f"; it was moved to {aside.name}, and is built again from the recordings")
    assert re.search(why, told)
    with Index(path, Clock()) as index:
        assert index.counts().events == 1
        assert index.new_because is None


def test_few_files_that_are_no_use_are_kept(tmp_path):
    clock = SteppedClock()
    for k in range(12):
        (tmp_path / "index.sqlite").write_bytes(b"no database at all %d" % k)
        Index(tmp_path / "index.sqlite", clock).close()
        clock.step(60)
    aside = sorted(tmp_path.glob("index.2*"))
    assert 1 < len(aside) <= 7
    assert aside[-1].read_bytes() == b"no database at all 11"


def test_outages_of_years_do_not_fill_the_index(index, monkeypatch):
    monkeypatch.setattr(index_module, "_OUTAGES", 20)
    for k in range(50):
        at = START + timedelta(seconds=60 * k)
        index.take(CameraLost(camera="yard", at=at, why="refused"))
        index.take(CameraFound(camera="yard", at=at + timedelta(seconds=5), away=5.0))
    assert len(index.outages()) == 20
    assert index.outages()[0].start == START + timedelta(seconds=60 * 49)


def _execute(path, statement):
    with sqlite3.connect(path) as connection:
        connection.execute(statement)
    connection.close()


def test_an_index_that_cannot_be_opened_or_written_is_told_in_a_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=r"cannot open the index .*: .*; make room, or give another folder as state"):
        Index(tmp_path / "file" / "index.sqlite", Clock())
    (tmp_path / "index.sqlite").mkdir()
    with pytest.raises(OutputError, match="it is no file; remove it"):
        Index(tmp_path / "index.sqlite", Clock())
    with Index(tmp_path / "small.sqlite", Clock()) as index:
        index._connection.execute("pragma max_page_count=1")
        with pytest.raises(OutputError, match=r"cannot write the index .*small.sqlite: .*full; make room on its disk"):
            for k in range(1000):
                index.put_event(record(after=k, clip="yard/2026-03-01/" + "x" * 90))
        assert index.behind is not None
        kept = index.counts().events
        index._connection.execute("pragma max_page_count=100000")
        index.put_event(record(after=5000))
        assert index.counts().events == kept + 1


@pytest.mark.parametrize("seed", range(12))
def test_whatever_is_wrong_inside_the_file_is_told_in_a_line(tmp_path, seed):
    path = tmp_path / "index.sqlite"
    with Index(path, Clock()) as index:
        for k in range(200):
            index.put_event(record(after=k, zones=("gate",)))
    chance = random.Random(seed)
    data = bytearray(path.read_bytes())
    for _ in range(30):
        data[chance.randrange(100, len(data))] ^= 1 << chance.randrange(8)
    path.write_bytes(data)
    with Index(path, Clock()) as index:
        try:
            index.events(limit=1000)
            index.kept_events()
            index.put_event(record(after=1000))
            index.remove_all([(record(after=k).id, 1) for k in range(200)], "test")
        except BgsubError as error:
            assert "\n" not in str(error)


MOUNTS = r"""
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:44 / {root}/a\040share rw - nfs4 nas:/video rw
31 22 0:45 / {root}/a\040share/here rw - ext4 /dev/sdb1 rw
"""


def test_a_network_share_is_no_place_for_an_index(tmp_path, monkeypatch):
    mounts = tmp_path / "mounts"
    mounts.write_text(MOUNTS.replace("{root}", str(tmp_path)))
    assert places.share_of(tmp_path, mounts) is None
    assert places.share_of(tmp_path / "a share" / "state", mounts) == "nfs4"
    assert places.share_of(tmp_path / "a share" / "here", mounts) is None
    assert places.share_of(tmp_path, tmp_path / "none") is None
    monkeypatch.setattr(places, "share_of", lambda folder: "nfs4")
    with pytest.raises(OutputError, match=r"on a network share \(nfs4\), where databases break; give a folder of this"):
        Index(tmp_path / "index.sqlite", Clock())


@pytest.mark.parametrize(
    ("system", "variables", "expected"),
    [
        ("linux", {"XDG_STATE_HOME": "/var/state"}, "/var/state/bgsub"),
        ("linux", {"XDG_STATE_HOME": "relative"}, "HOME/.local/state/bgsub"),
        ("linux", {}, "HOME/.local/state/bgsub"),
        ("darwin", {}, "HOME/Library/Application Support/bgsub"),
        ("win32", {}, "HOME/AppData/Local/bgsub"),
        ("win32", {"LOCALAPPDATA": "/local"}, "/local/bgsub"),
    ],
)
def test_the_state_lies_where_the_system_wants_it(system, variables, expected, monkeypatch):
    monkeypatch.setenv("HOME", "/home/somebody")
    assert places.state_folder(variables, system).as_posix() == expected.replace("HOME", "/home/somebody")


# A disk that is full when it begins


def full_disk(monkeypatch):
    """Let no file of an index be opened until `full` is emptied."""
    full = [True]
    opening = index_module.open_for_writing

    def refused(path, kind, clock):
        if full:
            raise OutputError(f"cannot open the index {path}: disk I/O error; make room")
        return opening(path, kind, clock)

    monkeypatch.setattr(index_module, "open_for_writing", refused)
    monkeypatch.setattr(index_module, "is_full", lambda path: bool(full))
    return full


def test_an_index_on_a_full_disk_is_in_memory_until_there_is_room(tmp_path, monkeypatch):
    path, clock = tmp_path / "index.sqlite", SteppedClock()
    with Index(path, clock) as index:
        index.put_fact("recordings", "mark")
        index.put_event(record(1))
    full = full_disk(monkeypatch)
    with Index(path, clock) as index:
        assert index.in_memory_because.endswith("make room; it is in memory alone")
        assert index.fact("recordings") == "mark"  # else a share that is away would not be known
        index.put_event(record(2))
        index.put_event(record(3, length=None))
        index.put_segment(segment(size=7))
        index.take(CameraLost(camera="yard", at=START, why="refused"))
        with pytest.raises(OutputError, match="cannot open the index"):
            index.open_again()
        assert index.counts().events == 2
        full.clear()
        index.open_again()
        assert (index.in_memory_because, index.behind) == (None, f"the index {path} was in memory alone")
        index.put_event(record(4))
    with Index(path, clock) as index:
        assert {one.id for one in index.events()} == {record(k).id for k in (1, 2, 3, 4)}
        assert index.event(record(3).id).end is None
        assert index.counts().segments == 1
        assert list(index.away()) == ["yard"]
