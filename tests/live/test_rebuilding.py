"""The index agrees with the recordings: built again from them it is the same, and nothing hostile comes into it."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from bgsub.errors import OutputError
from bgsub.files import replacing
from bgsub.live.archive.index import Index
from bgsub.live.archive.rebuilding import VANISHED, compare
from bgsub.live.archive.recordings import MARK, Recordings
from tests.live.recordings_made import NOW, SteppedClock, make_event, make_segment, put

AGO = timedelta(hours=3)


@pytest.fixture
def clock():
    return SteppedClock()


@pytest.fixture
def directory(tmp_path):
    return tmp_path / "recordings"


@pytest.fixture
def index(tmp_path, clock):
    with Index(tmp_path / "state" / "index.sqlite", clock) as opened:
        yield opened


@pytest.fixture
def recordings(directory, index):
    settled = Recordings(directory, index)
    assert settled.settle() is None
    return settled


def made(directory):
    """Events and segments of two cameras on two days."""
    events = [
        make_event(directory, NOW - timedelta(hours=10 * k), camera=camera, zones=("gate",), crossings={"a in": k})
        for k in range(4)
        for camera in ("yard", "door")
    ]
    return events, [make_segment(directory, NOW - timedelta(hours=k), camera="hall") for k in range(3)]


def test_an_index_is_built_again_as_it_was(index, recordings, clock, tmp_path):
    events, segments = made(recordings.directory)
    for event in events:
        index.put_event(event)
    for segment in segments:
        index.put_segment(segment)
    with Index(tmp_path / "other.sqlite", clock) as other:
        found = Recordings(recordings.directory, other)
        found.settle()
        done = compare(other, found, clock)
        assert (done.added, done.completed, done.gone, done.refused) == (11, 0, 0, [])
        assert other.events() == index.events()
        assert other.kept_segments() == index.kept_segments()
        assert other.counts() == index.counts()
        assert compare(other, found, clock).added == 0


def test_what_has_vanished_is_forgotten_and_counted(index, recordings, clock):
    events, segments = made(recordings.directory)
    compare(index, recordings, clock)
    for name in (events[0].clip, events[0].thumbnail, events[0].id.replace("/", "/2026-03-20/") + ".json"):
        (recordings.directory / name).unlink()
    (recordings.directory / segments[0].path).unlink()
    assert compare(index, recordings, clock).gone == 2
    assert index.event(events[0].id) is None
    assert index.counts().removed == {VANISHED: (2, 0)}


def test_an_event_whose_clip_has_vanished_says_so(index, recordings, clock):
    event = make_event(recordings.directory, NOW - AGO)
    (recordings.directory / event.clip).unlink()
    compare(index, recordings, clock)
    assert (index.event(event.id).clip, index.event(event.id).error) == (None, "its clip has vanished")


def test_an_event_of_a_killed_program_is_completed_once(index, recordings, clock):
    event = make_event(recordings.directory, NOW - AGO, length=None)
    index.put_event(event)
    segment = make_segment(recordings.directory, NOW - AGO)
    index.put_segment(msgspec.structs.replace(segment, end=None, size=0))
    assert compare(index, recordings, clock).completed == 2
    (ended,) = index.events()
    assert ended.end == ended.clip_end == event.start + timedelta(seconds=5)  # when its clip was written last
    assert ended.error == "the program ended during it"
    assert index.segments(start=NOW - AGO, end=NOW) == [segment]
    done = compare(index, recordings, clock)
    assert (done.added, done.completed, done.gone) == (0, 0, 0)
    # What its camera finds out of the clip itself takes the place of that.
    better = msgspec.structs.replace(ended, end=event.start + timedelta(seconds=4))
    index.put_event(better)
    assert index.events() == [better]


def test_an_event_that_was_killed_before_its_record_was_written_has_its_clip(index, recordings, clock):
    event = make_event(recordings.directory, NOW - AGO, length=None)
    index.put_event(event)
    record = recordings.directory / f"yard/2026-03-20/{event.id[5:]}.json"
    record.unlink()
    compare(index, recordings, clock)
    assert index.event(event.id).end is not None
    assert index.event(event.id).clip == event.clip
    index.remove_event(event.id, "test")
    compare(index, recordings, clock)
    (found,) = index.events()
    assert (found.id, found.clip, found.start) == (event.id, event.clip, event.start)
    assert found.error == "its record was lost; its times are those of its clip"


def test_while_cameras_run_what_they_write_is_left_to_them(index, recordings, clock):
    clock.time = NOW + timedelta(minutes=3)
    event, segment = make_event(recordings.directory, NOW, length=None), make_segment(recordings.directory, NOW)
    index.put_event(make_event(recordings.directory, NOW - AGO, length=None))
    done = compare(index, recordings, clock, running=True)
    assert (done.added, done.completed, done.gone) == (0, 0, 0)
    clock.time = NOW + timedelta(hours=1)
    assert compare(index, recordings, clock, running=True).added == 2
    assert index.event(event.id).end is None
    assert index.segments(start=NOW, end=NOW + timedelta(seconds=1)) == [segment]


def test_what_a_killed_program_left_unfinished_is_removed(index, recordings, clock):
    event = make_event(recordings.directory, NOW - AGO)
    folder = (recordings.directory / event.clip).parent
    with pytest.raises(KeyboardInterrupt), replacing(folder / f"{event.id[5:]}.json") as temporary:
        left = temporary.with_name(temporary.name)
        mine = temporary.with_name(".notes.part")
        raise KeyboardInterrupt
    for path in (left, mine):
        path.write_text("half")
    compare(index, recordings, clock, running=True)
    assert left.exists()
    compare(index, recordings, clock)
    assert not left.exists()
    assert mine.exists()
    assert index.counts().events == 1


def test_what_is_strange_is_left_alone(index, recordings, clock, tmp_path):
    day = recordings.directory / "yard" / "2026-03-20"
    for name in ("holiday.mp4", "notes.json.txt", "2026-03-20T09-00-00.000Z.segment.avi", "x.segment.mp4", ".a.mp4"):
        put(day / name, 10, NOW - AGO)
    put(recordings.directory / "yard" / "old" / "2026-03-20T09-00-00.000Z.mp4", 10, NOW - AGO)
    put(recordings.directory / "my camera" / "2026-03-20" / "2026-03-20T09-00-00.000Z.mp4", 10, NOW - AGO)
    outside = make_event(tmp_path / "outside", NOW - AGO)
    (recordings.directory / "link").symlink_to(tmp_path / "outside" / "yard")
    (day / "2026-03-20T09-00-00.000Z.json").symlink_to(tmp_path / "outside" / outside.clip)
    os.mkfifo(day / "2026-03-20T09-00-01.000Z.json")
    compare(index, recordings, clock)
    assert index.counts()[:2] == (0, 0)


HOSTILE = {
    "names the file '../../etc/passwd'": {"clip": "../../etc/passwd"},
    "names the file '/etc/passwd'": {"thumbnail": "/etc/passwd"},
    r"names the file 'yard/2026-03-20/..'": {"tracks": "yard/2026-03-20/.."},
    r"names the file 'yard/2026-03-20/a\nb.mp4'": {"clip": "yard/2026-03-20/a\nb.mp4"},
    "names the file 'door/2026-03-20/a.mp4'": {"segments": ["door/2026-03-20/a.mp4"]},
    "has the identity '../x'": {"id": "../x"},
    "has the identity 'door/2026-03-20T09-00-00.000Z'": {"id": "door/2026-03-20T09-00-00.000Z"},
    "is of the event 'yard/2026-03-20T09-00-01.000Z'": {"id": "yard/2026-03-20T09-00-01.000Z"},
    "Expected `str`, got `int` - at `$.kind`": {"kind": 7},
    "has a time without a zone": {"start": "2026-03-20T09:00:00"},
    "ends before it begins": {"end": "2026-03-20T08:00:00Z"},
    "has more words than any event": {"zones": ["x"] * 2000},
    "has numbers that nothing has": {"size": -5},
    "is no file of 1 to 262144 bytes": {"kind": "x" * 300_000},
    "Invalid": {"start": "yesterday"},
}


@pytest.mark.parametrize("why", HOSTILE)
def test_a_hostile_record_is_refused_and_told(index, recordings, clock, why):
    event = make_event(recordings.directory, NOW - AGO)
    path = recordings.directory / "yard/2026-03-20/2026-03-20T09-00-00.000Z.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **HOSTILE[why]}))
    (line,) = compare(index, recordings, clock).refused
    assert line.startswith(f"the record {path} is left out: it ")
    assert why in line
    assert "\n" not in line
    assert len(line) < 500
    assert index.event(event.id).error == "its record was lost; its times are those of its clip"


@pytest.mark.parametrize("data", [b"", b"[" * 100_000, b'{"id": 1', b"\xff\xfe", b"null"])
def test_a_record_that_is_no_json_is_refused(index, recordings, clock, data):
    put(recordings.directory / "yard/2026-03-20/2026-03-20T09-00-00.000Z.json", 0, NOW - AGO)
    (recordings.directory / "yard/2026-03-20/2026-03-20T09-00-00.000Z.json").write_bytes(data)
    done = compare(index, recordings, clock)
    assert len(done.refused) == 1
    assert index.counts().events == 0


def test_a_share_that_is_away_takes_nothing_out_of_the_index(index, recordings, clock, tmp_path):
    events, _ = made(recordings.directory)
    compare(index, recordings, clock)
    recordings.directory.rename(tmp_path / "mounted elsewhere")
    index.put_fact("device", "another")
    away = (
        f"the recordings in {recordings.directory} are away: the file system under it is another one; mount the share"
    )
    assert recordings.away().startswith(away)
    with pytest.raises(OutputError, match="are away"):
        recordings.settle()
    assert compare(index, recordings, clock).gone == 0
    assert not recordings.directory.exists()
    recordings.directory.mkdir()  # the empty folder on which it is mounted
    assert recordings.away().startswith(away)
    recordings.directory.rmdir()
    (tmp_path / "mounted elsewhere").rename(recordings.directory)
    assert recordings.away() is None
    assert index.counts().events == len(events)


def test_a_folder_that_was_emptied_or_removed_begins_anew(index, recordings, clock, tmp_path):
    made(recordings.directory)
    compare(index, recordings, clock)
    recordings.directory.rename(tmp_path / "away")
    assert recordings.away() is None
    assert recordings.settle() is None
    assert (recordings.directory / MARK).read_text().strip() == index.fact("recordings")
    assert compare(index, recordings, clock).gone == 11


def test_a_folder_that_cannot_be_read_takes_nothing_out_of_the_index(index, recordings, clock, monkeypatch):
    made(recordings.directory)
    compare(index, recordings, clock)
    day = recordings.directory / "yard" / "2026-03-20"
    real = os.scandir

    def scandir(path):
        if path == day:
            raise OSError(5, "Input/output error", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    done = compare(index, recordings, clock)
    assert (done.gone, done.unread, index.counts().events) == (0, 1, 8)
    assert done.refused == [f"cannot read the folder {day}: Input/output error; check its permissions"]


def test_an_index_of_other_recordings_is_emptied(index, recordings, clock, tmp_path):
    made(recordings.directory)
    compare(index, recordings, clock)
    with Index(tmp_path / "other.sqlite", clock) as other_index:
        other = Recordings(tmp_path / "other", other_index)
        other.settle()
    moved = Recordings(tmp_path / "other", index)
    assert moved.settle() == f"the index was of other recordings than those in {tmp_path / 'other'}; it is built again"
    assert index.counts().events == 0


@pytest.mark.parametrize(
    "name", ["../x.mp4", "/etc/passwd", "yard/2026-03-20/../../x", "yard/x.mp4", "", "yard/2026-03-20/"]
)
def test_no_name_leads_out_of_the_folder(recordings, name):
    with pytest.raises(OutputError, match=r"is left alone: it leads out of .*; remove it by hand"):
        recordings.remove(name)


def test_no_link_leads_out_of_the_folder(recordings, tmp_path):
    outside = tmp_path / "outside" / "2026-03-20" / "a.mp4"
    put(outside, 10, NOW)
    (recordings.directory / "yard").symlink_to(tmp_path / "outside")
    with pytest.raises(OutputError, match="it leads out of"):
        recordings.remove("yard/2026-03-20/a.mp4")
    (recordings.directory / "door" / "2026-03-20").mkdir(parents=True)
    (recordings.directory / "door" / "2026-03-20" / "a.mp4").symlink_to(outside)
    recordings.remove("door/2026-03-20/a.mp4")  # the link itself
    assert outside.exists()
    assert recordings.remove("door/2026-03-20/a.mp4") == 0


KILLED = """
import os, signal, sys
from pathlib import Path
from bgsub.live.archive.index import Index
from bgsub.live.archive.rebuilding import compare
from bgsub.live.archive.recordings import Recordings
from tests.live.recordings_made import SteppedClock
left = int(sys.argv[2])
put = Index.put_event
def killed_at_last(self, record):
    global left
    put(self, record)
    left -= 1
    if not left:
        os.kill(os.getpid(), signal.SIGKILL)
Index.put_event = killed_at_last
folder, clock = Path(sys.argv[1]), SteppedClock()
with Index(folder / "state" / "index.sqlite", clock) as index:
    recordings = Recordings(folder / "recordings", index)
    recordings.settle()
    compare(index, recordings, clock)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="processes are killed by signals")
def test_a_kill_while_an_index_is_built_again_costs_nothing(tmp_path, clock):
    directory = tmp_path / "recordings"
    events = [make_event(directory, NOW - timedelta(hours=7 * k), length=8.0 if k else None) for k in range(24)]
    for kills, after in enumerate((1, 9, 10, 5), 1):  # within a day, and between days
        program = [sys.executable, "-c", KILLED, str(tmp_path), str(after)]
        assert subprocess.run(program, cwd=Path(__file__).parents[2], timeout=120).returncode == -signal.SIGKILL
        with sqlite3.connect(tmp_path / "state" / "index.sqlite") as connection:
            assert connection.execute("pragma quick_check").fetchone() == ("ok",), kills
    with Index(tmp_path / "state" / "index.sqlite", clock) as index:
        assert index.new_because is None
        recordings = Recordings(directory, index)
        recordings.settle()
        done = compare(index, recordings, clock)
        assert done.gone == 0
        assert [one.id for one in index.events()] == [one.id for one in events]
        assert index.events()[0].end is not None
        assert index.counts().removed == {}


def test_names_in_capitals_and_of_other_programs_are_nobodys_business(index, recordings, clock):
    event = make_event(recordings.directory, NOW - AGO)
    compare(index, recordings, clock)
    day = (recordings.directory / event.clip).parent
    shouted = day / event.clip.rpartition("/")[2].upper()
    put(shouted, 10, NOW - AGO)
    for name in ("Thumbs.db", "desktop.ini", ".DS_Store", "frigate.db", "2026-03-20/14/yard/31.07.mp4"):
        put(recordings.directory / "yard" / name, 10, NOW - AGO)
        put(recordings.directory / "clips" / name, 10, NOW - AGO)
    done = compare(index, recordings, clock)
    assert (done.added, done.completed, done.gone, done.refused) == (0, 0, 0, [])
    assert index.counts().events == 1
    assert shouted.exists()


def test_what_was_renamed_by_hand_is_forgotten_and_left_alone(index, recordings, clock):
    event, other = (make_event(recordings.directory, NOW - k * AGO) for k in (1, 2))
    compare(index, recordings, clock)
    clip = recordings.directory / event.clip
    clip.rename(clip.with_name("burglar.mp4"))
    for path in (recordings.directory / other.clip).parent.glob(f"{other.id[5:]}*"):
        path.rename(path.with_name(f"kept {path.name}"))
    done = compare(index, recordings, clock)
    assert (done.added, done.completed, done.gone) == (0, 1, 1)
    (left,) = index.events()
    assert (left.id, left.clip, left.error) == (event.id, None, "its clip has vanished")
    assert left.size == event.size - 500  # of the clip
    assert compare(index, recordings, clock).completed == 0
    assert clip.with_name("burglar.mp4").exists()
