"""What goes and what stays; and that the disk never fills, whatever happens to it."""

from __future__ import annotations

import contextlib
import logging
import os
import random
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from bgsub.live.archive.index import Index
from bgsub.live.archive.index_questions import Kept
from bgsub.live.archive.index_tables import micros
from bgsub.live.archive.rebuilding import VANISHED, compare
from bgsub.live.archive.recordings import MARK, Recordings
from bgsub.live.archive.retention import (
    TOO_FULL,
    TOO_MUCH,
    TOO_OLD,
    Keeper,
    free_bytes,
    interest,
    what_goes,
    why_no_room,
    written_bytes,
)
from bgsub.live.settings import Retention
from tests.live.recordings_made import NOW, SteppedClock, make_event, make_segment

HOUR, DAY = 3600, 86400


def kept(key, ago, *, length=10.0, size=100, camera="yard", **values):
    """An event or segment that began `ago` seconds before now; of length None it goes on."""
    start = micros(NOW - timedelta(seconds=ago))
    return Kept(key, camera, start, None if length is None else start + int(length * 1e6), size, **values)


def keys(going):
    return [(one.key, why) for one, why in going]


def chosen(events=(), segments=(), size=None, free=10**6, **rules):
    all_of_it = sum(one.size for one in (*events, *segments))
    rules = Retention(**{"min_free": 0, **rules})
    return keys(what_goes(events, segments, all_of_it if size is None else size, free, rules, NOW))


def test_nothing_goes_without_a_reason():
    assert chosen([kept("a", 400 * DAY), kept("b", 10)], [kept("c", 9 * DAY)]) == []


def test_what_is_too_old_goes_the_oldest_first():
    events = [kept("a", 9 * DAY), kept("b", 11 * DAY), kept("c", 10 * DAY + 5), kept("d", 30 * DAY, unusual=1.0)]
    segments = [kept("s", 20 * DAY, length=300)]
    assert chosen(events, segments, max_age=10 * DAY) == [(key, TOO_OLD) for key in ("d", "s", "b")]


def test_what_is_being_written_stays():
    events, segments = [kept("a", 9 * DAY, length=None)], [kept("s", 9 * DAY, length=None)]
    assert chosen(events, segments, free=0, max_age=1, max_size=1, min_free=10**9) == []


def test_room_is_made_with_a_little_to_spare_and_no_more():
    events = [kept(f"{k}", (100 - k) * DAY) for k in range(100)]
    assert chosen(events, max_size=10_000) == []
    assert chosen(events, max_size=9_900) == [("0", TOO_MUCH), ("1", TOO_MUCH)]  # 100 over, and 99 to spare
    assert chosen(events, free=1000, min_free=1000) == []
    assert chosen(events, free=900, min_free=1000) == [("0", TOO_FULL), ("1", TOO_FULL)]
    assert chosen(events, free=0, min_free=10**9) == [(f"{k}", TOO_FULL) for k in range(100)]


def test_what_goes_for_its_age_makes_room_too():
    events = [kept(f"{k}", (10 - k) * DAY) for k in range(10)]
    assert chosen(events, max_size=900, max_age=9.5 * DAY) == [("0", TOO_OLD)]
    assert chosen(events, max_size=800, max_age=9.5 * DAY) == [("0", TOO_OLD), ("1", TOO_MUCH), ("2", TOO_MUCH)]


def test_the_least_interesting_of_an_age_go_first():
    events = [
        kept("typical", 2 * DAY),
        kept("odd", 2 * DAY, unusual=0.99),
        kept("usual", 2 * DAY, unusual=0.01),
        kept("in a zone", 2 * DAY, named=True),
        kept("long", 2 * DAY, length=120.0),
    ]
    order = [key for key, _ in chosen(events, free=0, min_free=10**9)]
    assert order == ["usual", "typical", "long", "odd", "in a zone"]


def test_the_oldest_go_before_what_is_less_interesting_but_much_younger():
    events = [kept("old and odd", 40 * DAY, unusual=1.0, named=True, length=600), kept("young", 5 * DAY, unusual=0.0)]
    assert chosen(events, free=0, min_free=10)[0][0] == "old and odd"


def test_a_segment_is_as_interesting_as_what_it_shows():
    segments = [
        kept("nothing", HOUR, length=300),
        kept("all", 2 * HOUR, length=300),
        kept("late", 3 * HOUR, length=300),
    ]
    events = [
        kept("e", 2 * HOUR - 60, size=0, unusual=1.0, named=True),
        kept("other camera", HOUR - 60, size=0, camera="door", unusual=1.0, named=True),
        kept("reaches in", 3 * HOUR + 60, length=90.0, size=0, unusual=1.0, named=True),
    ]
    assert [key for key, _ in chosen(events, segments, free=0, min_free=10**6)] == ["nothing", "late", "all"]


def test_what_frees_nothing_is_not_removed_for_room():
    assert chosen([kept("a", DAY, size=0)], free=0, min_free=10**6) == []


@pytest.mark.parametrize(
    "values", [{}, {"unusual": 0.0}, {"unusual": 1.0, "named": True, "length": 1e6}, {"length": None}]
)
def test_interest_is_a_share(values):
    assert 0 <= interest(kept("a", DAY, **values)) <= 1


@pytest.mark.parametrize("seed", range(40))
def test_whatever_there_is_enough_goes_and_no_more(seed):
    chance = random.Random(seed)

    def some(prefix):
        return [
            kept(
                f"{prefix}{k}",
                chance.uniform(0, 60 * DAY),
                length=chance.choice([None, chance.expovariate(1 / 20)]) if chance.random() < 0.1 else 10.0,
                size=chance.choice([0, chance.randrange(1, 10_000)]),
                camera=chance.choice(["yard", "door"]),
                unusual=chance.choice([None, chance.random()]),
                named=chance.random() < 0.3,
            )
            for k in range(chance.randrange(60))
        ]

    events, segments = some("e"), some("s")
    size = sum(one.size for one in (*events, *segments))
    free = chance.randrange(0, 10**5)
    rules = Retention(
        max_age=chance.choice([None, 30 * DAY]),
        max_size=chance.choice([None, chance.randrange(1, 2 * size + 2)]),
        min_free=chance.randrange(0, 2 * 10**5),
    )
    going = what_goes(events, segments, size, free, rules, NOW)
    went = {one.key for one, _ in going}
    assert len(went) == len(going)
    assert all(one.end is not None for one, _ in going)
    old = {
        one.key
        for one in (*events, *segments)
        if rules.max_age is not None and one.end is not None and one.end < micros(NOW - timedelta(days=30))
    }
    assert {one.key for one, why in going if why == TOO_OLD} == old
    freed = sum(one.size for one, _ in going)
    left = [one for one in (*events, *segments) if one.key not in went and one.end is not None and one.size]
    fits = free + freed >= rules.min_free and (rules.max_size is None or size - freed <= rules.max_size)
    assert fits or not left
    before_last = freed - (going[-1][0].size if going and going[-1][1] != TOO_OLD else 0)
    if before_last < freed:  # the last one was needed, with what is to spare
        spare = max(rules.min_free * 0.05, (rules.max_size or 0) * 0.01)
        over = max(rules.min_free - free, size - (rules.max_size or size))
        assert before_last < over + spare
    reversed_order = what_goes(events[::-1], segments[::-1], size, free, rules, NOW)
    assert {one.key for one, _ in reversed_order} == went  # whatever the order they come in


# The keeper, which removes


class Disk:
    """Free bytes as a test says; what is removed from the folder becomes free."""

    def __init__(self, directory: Path, capacity: int) -> None:
        self.directory, self.capacity = directory, capacity

    def __call__(self, folder: Path) -> int:
        return self.capacity - sum(path.stat().st_size for path in self.directory.rglob("*.*") if path.is_file())


class Kept24Events:
    """A folder with an event an hour, its index and its keeper."""

    def __init__(self, tmp_path: Path, capacity: int = 10**9, **rules) -> None:
        self.directory = tmp_path / "recordings"
        self.clock = SteppedClock()
        self.index = Index(tmp_path / "index.sqlite", self.clock)
        self.recordings = Recordings(self.directory, self.index)
        self.recordings.settle()
        self.events = [make_event(self.directory, NOW - timedelta(hours=k)) for k in range(24, 0, -1)]
        for event in self.events:
            self.index.put_event(event)
        self.disk = Disk(self.directory, capacity)
        self.keeper = Keeper(self.index, self.recordings, Retention(**rules), self.clock, self.disk, settling=0)

    def left(self) -> list[int]:
        """Numbers of the events whose files are all there; of the others none is, and the index agrees."""
        numbers = []
        for k, event in enumerate(self.events):
            stem = event.clip.removesuffix(".mp4")
            there = {(self.directory / f"{stem}{ending}").exists() for ending in (".mp4", ".jpg", ".json")}
            assert there == {self.index.event(event.id) is not None}
            numbers += [k] if there == {True} else []
        return numbers


@pytest.fixture
def hours(tmp_path):
    made = []

    def make(**values):
        made.append(Kept24Events(tmp_path, **values))
        return made[-1]

    yield make
    for one in made:
        one.index.close()


def test_old_files_go_with_all_that_lies_beside_them(hours, caplog):
    caplog.set_level(logging.INFO, "bgsub")
    one = hours(max_age=6.5 * HOUR, min_free=0)
    assert one.keeper.sweep() == 18
    assert one.left() == list(range(18, 24))
    assert one.keeper.trouble is None
    assert one.keeper.may_record()
    assert one.index.counts().removed[TOO_OLD][0] == 18
    assert f"removed {one.events[0].id}: older than max_age" in caplog.messages
    assert "retention removed 18 recordings: older than max_age" in caplog.messages
    assert one.keeper.sweep() == 0
    assert one.clock.step(HOUR) is None
    assert one.keeper.sweep() == 1


def test_room_is_made_again_and_again_and_the_disk_never_fills(hours):
    one = hours(capacity=50_000, min_free=12_000)
    assert one.keeper.sweep() == 0
    for _ in range(100):
        one.clock.step(60)
        event = make_event(one.directory, one.clock.now(), size=1500)
        one.events.append(event)
        one.index.put_event(event)
        one.keeper.sweep()
        assert one.disk(one.directory) >= 12_000
        assert one.keeper.may_record()
    assert one.index.counts().removed[TOO_FULL][0] >= 80
    assert one.left()[-10:] == list(range(114, 124))


def test_max_size_holds(hours):
    one = hours(max_size=20_000, min_free=0)
    one.keeper.sweep()
    assert 18_000 < one.index.counts().size <= 20_000
    assert one.left() == list(range(24 - len(one.left()), 24))
    assert list(one.index.counts().removed) == [TOO_MUCH]


def test_when_nothing_may_go_any_more_it_says_so_and_recording_pauses(hours, caplog):
    caplog.set_level(logging.INFO, "bgsub")
    one = hours(capacity=35_000, min_free=100_000)
    one.index.put_event(msgspec.structs.replace(make_event(one.directory, NOW, length=None), size=0))
    assert one.keeper.sweep() == 24
    assert not one.keeper.may_record()
    assert one.keeper.trouble.startswith(f"cannot record in {one.directory}: 3")
    assert one.keeper.trouble.endswith("kB are free; make room, or set min_free lower")
    assert one.left() == []
    one.disk.capacity = 80_000
    one.keeper.sweep()
    assert one.keeper.may_record()
    assert "nothing is left that may be removed, and 7" in one.keeper.trouble
    one.disk.capacity = 800_000
    one.keeper.sweep()
    assert one.keeper.trouble is None
    assert caplog.messages[-1] == f"{one.directory}: there is room again"


def test_trouble_is_logged_once(hours, caplog):
    one = hours(capacity=35_000, min_free=10**6)
    for _ in range(5):
        one.keeper.sweep()
    assert len([line for line in caplog.messages if "cannot record" in line]) == 1


def test_a_share_that_is_away_costs_nothing_but_recording(hours, tmp_path):
    one = hours(max_age=1, min_free=0)
    one.directory.rename(tmp_path / "elsewhere")
    one.index.put_fact("device", "another")
    assert one.keeper.sweep() == 0
    assert one.keeper.trouble.startswith(f"the recordings in {one.directory} are away")
    assert not one.keeper.may_record()
    assert one.index.counts().events == 24
    (tmp_path / "elsewhere").rename(one.directory)
    assert one.keeper.sweep() == 24
    assert (one.keeper.trouble, one.keeper.may_record()) == (None, True)


def test_a_folder_that_somebody_has_removed_begins_anew_while_cameras_run(hours):
    one = hours(min_free=0)
    shutil.rmtree(one.directory)
    being_written = make_event(one.directory, NOW, length=None)
    one.index.put_event(being_written)
    assert one.keeper.sweep() == 0
    assert (one.keeper.trouble, one.keeper.may_record()) == (None, True)
    assert (one.directory / MARK).exists()
    assert [event.id for event in one.index.events()] == [being_written.id]
    assert one.index.counts().removed == {VANISHED: (24, 0)}


def test_nothing_but_named_files_is_removed(hours):
    one = hours(max_age=1, min_free=0)
    day = one.directory / "yard" / "2026-03-19"
    for name in ("notes.txt", "2026-03-19T12-00-00.000Z.mov", "holiday.mp4"):
        (day / name).write_text("mine")
    one.index.put_event(msgspec.structs.replace(one.events[5], clip="../outside.mp4"))
    (one.directory.parent / "outside.mp4").write_text("mine")
    one.keeper.sweep()
    assert (one.directory.parent / "outside.mp4").exists()
    assert "leads out of" in one.keeper.trouble
    assert sorted(path.name for path in day.iterdir() if path.read_bytes() == b"mine") == [
        "2026-03-19T12-00-00.000Z.mov",
        "holiday.mp4",
        "notes.txt",
    ]


def test_the_folder_of_an_empty_day_goes_but_not_one_that_is_being_recorded_into(hours):
    one = hours(max_age=1, min_free=0)
    one.clock.step(3 * DAY)
    one.keeper.sweep()
    assert list((one.directory / "yard").iterdir()) == []
    event = make_event(one.directory, one.clock.now())
    one.index.put_event(event)
    one.clock.step(60)
    one.keeper.sweep()
    assert [path.name for path in (one.directory / "yard").iterdir()] == ["2026-03-23"]


def test_a_clip_of_which_the_record_says_nothing_goes_too(hours):
    one = hours(max_age=1, min_free=0)
    one.index.put_event(msgspec.structs.replace(one.events[3], clip=None))
    one.keeper.sweep()
    assert one.left() == []


def test_a_clock_that_was_set_to_decades_hence_removes_nothing(hours, caplog):
    caplog.set_level(logging.INFO, "bgsub")
    one = hours(max_age=10 * DAY, min_free=0)
    keeper = Keeper(one.index, one.recordings, one.keeper.rules, one.clock, one.disk)  # with its patience
    for minutes in range(15):  # a machine begins, and its clock is set to nonsense ten minutes later, for five minutes
        one.clock.step(60)
        if minutes == 10:
            one.clock.time += timedelta(days=20_000)
        assert keeper.sweep() == 0
    one.clock.time -= timedelta(days=20_000)
    for _ in range(30):
        one.clock.step(60)
        assert keeper.sweep() == 0
    assert one.left() == list(range(24))
    told = [line.partition(": ")[0] for line in caplog.messages if line.startswith("the clock was set")]
    assert told == ["the clock was set by 1728000000 s", "the clock was set by -1728000000 s"]
    one.clock.step(20 * DAY)  # the machine ran all the time: its clocks agree
    assert keeper.sweep() == 24


class Machine:
    """A machine that runs a keeper again and again, with a clock that is set."""

    def __init__(self, hours, **rules):
        self.one = hours(**{"max_age": 10 * DAY, "min_free": 0, **rules})
        self.clock = self.one.clock
        self.begin()

    def begin(self, now=None):
        """Begin anew, at a time of the day."""
        self.clock.time = now or self.clock.time
        self.clock.ran = 0.0
        rules = self.one.keeper.rules
        self.keeper = Keeper(self.one.index, self.one.recordings, rules, self.clock, lambda folder: 10**9)

    def run(self, hours):
        """Run for so long, a sweep every ten minutes; return how many went."""
        went = 0
        for _ in range(round(hours * 6)):
            self.clock.step(600.0)
            went += self.keeper.sweep()
        return went


def test_a_clock_that_is_set_decades_ahead_is_believed_after_a_day_and_till_then_told(hours, caplog):
    machine = Machine(hours)
    assert machine.run(1) == 0
    machine.clock.time += timedelta(days=20_000)
    assert machine.run(1) == 0
    assert machine.keeper.ages.doubt == (
        "the clock says 2080-12-21, 20000 days after what it last was: set it if that is wrong, else what is older "
        "than max_age is removed from 2080-12-22T13:10Z on"
    )
    assert [line for line in caplog.messages if line.startswith("the clock says")] == [machine.keeper.ages.doubt]
    machine.begin()  # begun anew within the day
    assert machine.run(12) == 0
    machine.clock.time += timedelta(days=3000)  # and set further still
    assert machine.run(23) == 0
    assert machine.run(2) == 24
    assert machine.keeper.ages.doubt is None


def test_a_clock_that_is_put_right_again_removes_nothing(hours):
    machine = Machine(hours)
    machine.run(1)
    machine.clock.time += timedelta(days=20_000)
    machine.run(23)
    machine.clock.time -= timedelta(days=20_000)
    assert machine.run(48) == 0
    assert machine.keeper.ages.doubt is None
    machine.clock.time += timedelta(days=20_000)  # it is doubted as before
    assert machine.run(1) == 0


def test_a_machine_that_was_off_for_long_waits_a_day_and_one_that_ran_does_not(hours):
    machine = Machine(hours)
    machine.run(1)
    machine.clock.step(11 * DAY)
    assert machine.keeper.sweep() == 24
    machine = Machine(hours)
    machine.run(1)
    machine.begin(machine.clock.time + timedelta(days=11))
    assert machine.run(1) == 0
    assert machine.run(24) == 24


def test_a_machine_without_a_battery_keeps_what_it_records_before_its_clock_is_set(hours):
    machine = Machine(hours)
    machine.run(1)
    index, directory = machine.one.index, machine.one.directory
    for days in range(3):  # power is cut once a day
        machine.begin(datetime(1970, 1, 1, 0, 0, 20 + days, tzinfo=UTC))
        index.put_event(make_event(directory, machine.clock.now()))
        index.put_segment(make_segment(directory, machine.clock.now()))
        assert machine.run(1) == 0
        machine.clock.time = NOW + timedelta(days=days + 1)
        assert machine.run(1) == 0
        assert machine.keeper.ages.doubt is None
    undated = [one.key for one in index.kept_before(datetime(1971, 1, 1, tzinfo=UTC))]
    assert len(undated) == 6
    machine.begin(NOW + timedelta(days=9))
    machine.run(25)  # what was dated has gone
    assert index.counts().events == 3
    assert machine.run(25) == 2  # an event and a segment of the first day
    assert machine.run(24) == 2
    assert machine.run(24) == 2
    assert not list((directory / "yard" / "1970-01-01").glob("*.mp4"))


def test_what_has_no_date_is_not_the_first_to_go_for_room(hours):
    machine = Machine(hours, max_size=22_000, max_age=None)
    event = make_event(machine.one.directory, datetime(1970, 1, 1, tzinfo=UTC))
    machine.one.index.put_event(event)
    machine.run(1)
    assert machine.one.index.event(event.id) is not None
    assert 12 < machine.one.index.counts().events < 24


def test_room_is_made_while_the_clock_is_not_trusted(hours):
    one = hours(max_size=20_000, max_age=1, min_free=0)
    keeper = Keeper(one.index, one.recordings, one.keeper.rules, one.clock, one.disk)
    assert 0 < keeper.sweep() < 24
    assert list(one.index.counts().removed) == [TOO_MUCH]
    one.clock.step(601)
    keeper.sweep()
    assert one.left() == []


def test_what_somebody_has_removed_or_put_there_is_known_after_a_look(hours):
    one = hours(min_free=0)
    for event in one.events[:5]:
        for path in (one.directory / event.clip).parent.glob(f"{event.id[5:]}*"):
            path.unlink()
    put_there = make_event(one.directory, NOW - timedelta(hours=30))
    being_written = make_event(one.directory, NOW, length=None)
    one.index.put_event(being_written)
    one.keeper.look()
    assert one.index.counts().events == 24 - 5 + 2
    assert one.index.event(put_there.id) == put_there
    assert one.index.event(being_written.id).end is None
    one.directory.rename(one.directory.with_name("elsewhere"))
    one.index.put_fact("device", "another")
    one.keeper.look()
    assert one.index.counts().events == 21


def test_segments_go_too(hours):
    one = hours(max_age=HOUR, min_free=0)
    segments = [make_segment(one.directory, NOW - timedelta(hours=k)) for k in range(4)]
    for segment in segments:
        one.index.put_segment(segment)
    one.keeper.sweep()
    assert [(one.directory / segment.path).exists() for segment in segments] == [True, True, False, False]


def test_what_the_index_was_not_told_is_found_at_the_next_sweep(hours):
    one = hours(min_free=0)
    missed = make_event(one.directory, NOW - timedelta(hours=30))
    one.index.behind = "the disk was full"
    one.keeper.sweep()
    assert one.index.event(missed.id) == missed
    assert one.index.behind is None


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder_is_told(hours):
    one = hours(max_age=1, min_free=0)
    for day in (one.directory / "yard").iterdir():
        day.chmod(0o500)
    one.keeper.sweep()
    assert one.keeper.trouble.startswith("cannot remove ")


def test_files_that_cannot_be_removed_are_told_and_stay_in_the_index(hours, monkeypatch):
    one = hours(max_age=1, min_free=0)

    def refused(path, missing_ok=False):
        raise OSError(30, "Read-only file system", str(path))

    monkeypatch.setattr(Path, "unlink", refused)
    assert one.keeper.sweep() == 0
    path = one.directory / one.events[0].clip
    assert one.keeper.trouble == f"cannot remove {path}: Read-only file system; check its permissions"
    monkeypatch.undo()
    assert one.left() == list(range(24))
    assert one.keeper.sweep() == 24
    assert one.keeper.trouble is None


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (OSError(116, "Stale file handle"), "[Errno 116] Stale file handle"),
        (ValueError("a slip"), "cannot remove recordings: ValueError; see the log"),
    ],
)
def test_whatever_goes_wrong_the_next_sweep_comes(hours, monkeypatch, fault, told):
    one = hours(max_age=1, min_free=0)

    def failing():
        raise fault

    monkeypatch.setattr(one.recordings, "away", failing)
    assert one.keeper.sweep() == 0
    assert one.keeper.trouble == told
    monkeypatch.undo()
    assert one.keeper.sweep() == 24
    assert one.keeper.trouble is None


def test_a_kill_amid_a_removal_leaves_nothing_behind(hours, monkeypatch):
    one = hours(max_age=HOUR * 20.5, min_free=0)
    real = Path.unlink

    def killed(path, missing_ok=False):
        if path.suffix == ".json":
            raise KeyboardInterrupt
        real(path)

    monkeypatch.setattr(Path, "unlink", killed)
    with pytest.raises(KeyboardInterrupt):
        one.keeper.sweep()
    monkeypatch.undo()
    compare(one.index, one.recordings, one.clock)
    one.keeper.sweep()
    assert one.left() == list(range(4, 24))


def test_no_room_is_told_in_a_line(tmp_path):
    assert why_no_room(tmp_path, 100, lambda _: 50) is None
    assert why_no_room(tmp_path, 0, lambda _: 1) is None
    no_room = f"cannot record in {tmp_path}: 0 bytes are free; make room, or set min_free lower"
    assert why_no_room(tmp_path, 0, lambda _: 0) == no_room
    assert why_no_room(tmp_path, 100, lambda _: 49).startswith(f"cannot record in {tmp_path}: 49 bytes are free")
    assert free_bytes(tmp_path / "none" / "at all") > 0
    assert [written_bytes(size) for size in (5, 1500, 2_100_000, 3 * 10**9, 4 * 10**12)] == [
        "5 bytes",
        "1.5 kB",
        "2.1 MB",
        "3.0 GB",
        "4.0 TB",
    ]


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 4 MB, where mounting is allowed, in memory."""
    folder = tmp_path / "small"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", folder], capture_output=True).returncode:
        pytest.skip("mounting is not allowed here")
    yield folder
    subprocess.run(["umount", folder], check=True)


def fill(folder, name):
    with contextlib.suppress(OSError), (folder / name).open("wb", buffering=0) as file:
        while True:
            file.write(b"x" * 100_000)


def test_a_small_disk_never_fills(tmp_path, small_disk):
    clock = SteppedClock()
    with Index(tmp_path / "index.sqlite", clock) as index:
        recordings = Recordings(small_disk / "recordings", index)
        recordings.settle()
        keeper = Keeper(index, recordings, Retention(min_free=1_500_000), clock)
        for _ in range(60):
            clock.step(600)
            assert keeper.may_record()
            index.put_event(make_event(recordings.directory, clock.now(), size=300_000))
            keeper.sweep()
        assert keeper.trouble is None
        assert 4 <= index.counts().events <= 9
        # Somebody else's files: all of ours is removed, and then nothing more is recorded.
        for name in ("other", "another"):
            fill(small_disk, name)
            keeper.sweep()
        assert index.counts().events == 0
        assert not keeper.may_record()


def test_a_disk_that_becomes_read_only_is_told_and_what_is_there_stays_known(tmp_path, small_disk):
    clock = SteppedClock()
    with Index(tmp_path / "index.sqlite", clock) as index:
        recordings = Recordings(small_disk / "recordings", index)
        recordings.settle()
        keeper = Keeper(index, recordings, Retention(max_age=60, min_free=0), clock, settling=0)
        event = make_event(recordings.directory, NOW - timedelta(hours=1))
        index.put_event(event)
        subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
        assert keeper.sweep() == 0
        told = f"cannot remove {recordings.directory / event.clip}: Read-only file system; check its permissions"
        assert keeper.trouble == told
        assert index.events() == [event]
        subprocess.run(["mount", "-o", "remount,rw", small_disk], check=True)
        assert keeper.sweep() == 1
        assert keeper.trouble is None
