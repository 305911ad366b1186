"""The loop of a camera, with a played one: events and their files, gaps, schedules, what cannot be written."""

from __future__ import annotations

import itertools
import logging
import threading
import time
from datetime import timedelta
from pathlib import Path

import cv2
import msgspec
import numpy as np
import pytest

from bgsub.live.layout import record_file
from bgsub.live.messages import (
    CameraFound,
    CameraLost,
    EventClosed,
    EventOpened,
    EventRecord,
    Hold,
    Show,
    Shown,
    Status,
)
from bgsub.live.settings import Zone
from tests.live.played import BEGINNING, of, play
from tests.live.scenes import HEIGHT, RATE, WIDTH, pictures, walk, walker

PRIVATE = Zone(name="window", kind="privacy", polygon=((0.5, 0.3), (0.8, 0.3), (0.8, 0.8), (0.5, 0.8)))


def seconds(moment) -> float:
    return (moment - BEGINNING).total_seconds()


def stored(directory: Path, record: EventRecord) -> EventRecord:
    """What the file of a record says."""
    return msgspec.json.decode((directory / record_file(record.id)).read_bytes(), type=EventRecord)


def test_somebody_who_walks_by_is_an_event_with_its_files(tmp_path: Path) -> None:
    told, source, _ = play(tmp_path, pictures(22, walk(5)), before=2, after=3)
    (opened,), (closed,) = of(told, EventOpened), of(told, EventClosed)
    record: EventRecord = closed.record
    assert opened.record.id == record.id == "yard/2026-11-27T16-00-05.040Z"
    assert opened.record.end is None and opened.record.clip == record.clip
    assert (seconds(record.start), seconds(record.end)) == (pytest.approx(5.04), pytest.approx(10.7, abs=0.3))
    (clip,) = source.clips
    assert (clip.start, clip.until) == (pytest.approx(3.04), pytest.approx(seconds(record.end) + 3, abs=2))
    assert (seconds(record.clip_start), seconds(record.clip_end)) == (clip.start, clip.until)
    kept = tmp_path / "kept"
    folder = "yard/2026-11-27/2026-11-27T16-00-05.040Z"
    assert (record.clip, record.thumbnail, record.tracks) == (
        f"{folder}.mp4",
        f"{folder}.jpg",
        f"{folder}.tracks.csv",
    )
    names = {path.name for path in (kept / folder).parent.iterdir()}
    assert names == {Path(folder + ending).name for ending in (".mp4", ".jpg", ".json", ".tracks.csv")}
    assert stored(kept, record) == record
    assert record.size == sum((kept / name).stat().st_size for name in (record.clip, record.thumbnail, record.tracks))
    assert (record.objects, record.error, record.gap) == (1, None, 0.0)
    assert 0 <= record.box[0] < 0.05 and record.box[0] + record.box[2] > 0.95  # from side to side


def test_tracks_lie_beside_the_clip_with_times_and_fractions(tmp_path: Path) -> None:
    told, *_ = play(tmp_path, pictures(18, walk(5)))
    (closed,) = of(told, EventClosed)
    head, *lines = (tmp_path / "kept" / closed.record.tracks).read_text().splitlines()
    assert head == "track,time,left,top,width,height"
    assert {line.split(",")[0] for line in lines} == {"1"}
    lefts = [float(line.split(",")[2]) for line in lines]
    assert lefts == sorted(lefts)
    assert lines[0].split(",")[1].startswith("2026-11-27T16:00:05.") and lines[0].split(",")[1].endswith("Z")


def test_the_picture_of_the_peak_has_a_box_around_who_moves(tmp_path: Path) -> None:
    told, *_ = play(tmp_path, pictures(18, walk(5)))
    (closed,) = of(told, EventClosed)
    image = cv2.imread(str(tmp_path / "kept" / closed.record.thumbnail))
    assert image.shape[:2] == (HEIGHT, WIDTH)
    yellow = (np.abs(image.astype(int) - (60, 200, 255)).sum(2) < 120).nonzero()
    assert (yellow[0].min(), yellow[0].max()) == (pytest.approx(90, abs=6), pytest.approx(150, abs=6))


def test_what_moves_for_too_short_is_nothing(tmp_path: Path) -> None:
    def flash(at, image):
        if 8 <= at < 8.3:
            walker(image, 100)

    told, source, _ = play(tmp_path, pictures(16, flash), min_length=0.6)
    assert of(told, EventOpened, EventClosed) == [] and source.clips == []


def test_two_events_that_follow_each_other_have_a_clip_each_and_never_three_at_a_time(tmp_path: Path) -> None:
    def often(at, image):
        if (at % 4) < 1.5 and at > 3:
            walker(image, 60 * (at % 4) + 20 * (at // 4))

    told, source, _ = play(tmp_path, pictures(26, often), merge=0.5, after=30, before=1)
    opened, closed = of(told, EventOpened), of(told, EventClosed)
    assert [o.record.id for o in opened] == [c.record.id for c in closed]
    assert len(closed) >= 5
    for first, second in itertools.pairwise(source.clips):
        assert second.start < first.until <= second.start + 1 + 2  # it ends where the next one has begun


def test_an_event_that_does_not_end_goes_on_in_another(tmp_path: Path) -> None:
    def restless(at, image):
        if at > 3:
            walker(image, 140 + 60 * np.sin(3 * at))

    told, *_ = play(tmp_path, pictures(24, restless), longest=6, before=1)
    closed = of(told, EventClosed)
    assert len(closed) >= 3
    lengths = [(c.record.end - c.record.start).total_seconds() for c in closed]
    assert max(lengths) <= 6.5
    for first, second in itertools.pairwise(closed):
        assert second.record.start - first.record.end <= timedelta(seconds=0.2)
        assert second.record.clip_start < first.record.clip_end  # nothing is missing between


def test_a_gap_is_told_once_and_is_no_motion(tmp_path: Path) -> None:
    def parked(at, image):  # it came while the camera was away
        if at >= 8:
            walker(image, 100, level=220, width=60, height=50)

    told, *_ = play(tmp_path, pictures(20, parked, gaps=[(8, 30), (14, 3)]))
    assert of(told, EventOpened) == []
    assert [(seconds(m.at), m.why) for m in of(told, CameraLost)] == [
        (pytest.approx(7.92), "yard closed the connection"),
        (pytest.approx(43.92), "yard closed the connection"),
    ]
    assert [m.away for m in of(told, CameraFound)] == [pytest.approx(30.08), pytest.approx(3.08)]
    assert of(told, Status)[-1].reconnects == 2


def test_an_event_tells_how_long_the_camera_was_away_in_it(tmp_path: Path) -> None:
    told, *_ = play(tmp_path, pictures(18, walk(5, speed=40), gaps=[(8, 2.5)]))
    (closed,) = of(told, EventClosed)
    assert closed.record.gap == 2.5


def test_an_event_does_not_wait_for_a_camera_that_is_away_and_who_walks_on_then_is_another(tmp_path: Path) -> None:
    told, source, _ = play(tmp_path, pictures(20, walk(7, speed=40), gaps=[(9, 60)]), merge=2)
    first, second = (closed.record for closed in of(told, EventClosed))
    assert (seconds(first.start), seconds(first.end)) == (pytest.approx(7.1, abs=0.3), pytest.approx(8.9, abs=0.2))
    assert source.clips[0].until < 20
    assert (seconds(second.start), seconds(second.end)) == (pytest.approx(70.5, abs=0.5), pytest.approx(75.5, abs=1))
    assert first.gap == second.gap == 0


@pytest.mark.parametrize("merge", [0.0, 4.0])
def test_a_camera_of_a_picture_each_five_seconds_has_events_as_others_have(tmp_path: Path, merge: float) -> None:
    told, *_ = play(tmp_path, pictures(400, walk(100, speed=2), rate=0.2), merge=merge)
    (closed,) = of(told, EventClosed)
    assert seconds(closed.record.start) == pytest.approx(105, abs=6)
    assert seconds(closed.record.end) == pytest.approx(270, abs=20)


def test_a_restart_needs_no_learning_and_makes_no_event(tmp_path: Path) -> None:
    """Who is in view at the start would leave a hole in a model that has just begun."""
    play(tmp_path, pictures(12))
    assert (tmp_path / "state" / "models" / "yard.bgsub").exists()
    told, *_ = play(tmp_path, pictures(12, lambda at, image: walker(image, 150), seed=1))
    assert of(told, EventOpened) == []
    told, *_ = play(tmp_path, pictures(16, walk(-2.0), seed=2))
    (closed,) = of(told, EventClosed)
    assert seconds(closed.record.end) < 4.5  # he has left by then, and no ghost goes on
    assert closed.record.box[0] > 0.2


def test_a_model_that_does_not_fit_is_told_and_learned_anew(tmp_path: Path, caplog) -> None:
    path = tmp_path / "state" / "models" / "yard.bgsub"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"no model")
    with caplog.at_level(logging.WARNING, "bgsub"):
        told, *_ = play(tmp_path, pictures(18, walk(5)))
    assert len(of(told, EventClosed)) == 1
    assert "yard.bgsub is not used, all is learned anew: " in caplog.text
    caplog.clear()
    play(tmp_path, pictures(3), method="mog2")
    assert "holds a model of method adaptive, not mog2" in caplog.text


def test_outside_the_schedule_there_are_no_events(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    told, source, _ = play(tmp_path, pictures(18, walk(5)), schedule=("17:00-18:00",))
    assert of(told, EventOpened, EventClosed) == [] and source.clips == []
    told, *_ = play(tmp_path, pictures(18, walk(5)), schedule=("17:00-18:00", "fri 15:00-16:30"))
    assert len(of(told, EventClosed)) == 1


@pytest.mark.parametrize("broken", ["cannot write c.mp4: no space left; make room", "refuses"])
def test_a_clip_that_cannot_be_written_is_told_and_the_next_one_is_tried(tmp_path: Path, broken: str) -> None:
    def twice(at, image):
        for begin in (4, 18):
            walk(begin)(at, image) if at < begin + 8 else None

    def heal(loop, source):
        source.broken = broken
        original = source.open_clip

        def open_clip(path, since, **options):
            try:
                return original(path, since, **options)
            finally:
                source.broken = None

        source.open_clip = open_clip

    told, *_ = play(tmp_path, pictures(30, twice), prepare=heal)
    first, second = of(told, EventClosed)
    assert first.record.error is not None and (
        "no space left" in first.record.error or "it refuses" in first.record.error
    )
    assert first.record.thumbnail is not None  # the picture could be written
    assert second.record.error is None and second.record.clip is not None
    troubles = [status.trouble for status in of(told, Status)]
    assert first.record.error in troubles and troubles[-1] is None


def test_a_folder_that_cannot_be_written_costs_no_looking(tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("a file where the folder should be")
    told, *_ = play(tmp_path, pictures(18, walk(5)))
    (closed,) = of(told, EventClosed)
    assert closed.record.error.startswith("cannot make the folder yard/2026-11-27: ")
    assert closed.record.thumbnail is None and closed.record.end is not None


def test_a_share_that_hangs_stops_nothing(tmp_path: Path) -> None:
    away = threading.Event()

    def hang(loop, source):
        made = source._pictures
        loop._filing.do(lambda: away.wait(60))

        def until_the_end():
            yield from made
            away.set()

        source._pictures = until_the_end()

    told, source, _ = play(tmp_path, pictures(40, walk(18)), prepare=hang, patience=0)
    (opened,), (closed,) = of(told, EventOpened), of(told, EventClosed)
    assert opened.record.error == f"{tmp_path / 'kept'} does not answer; is the share away?" == closed.record.error
    assert closed.record.end is not None and source.clips == []
    assert of(told, Status)[-1].trouble == opened.record.error
    assert len(of(told, Status)) > 25  # it went on telling


def test_a_share_that_comes_back_when_an_event_is_long_over_begins_no_clip_of_it(tmp_path: Path) -> None:
    away = threading.Event()

    def hang(loop, source):
        made = source._pictures

        def until_the_end():
            for picture in made:
                if picture.index == round(17.6 * RATE):
                    loop._filing.do(lambda: away.wait(60))
                yield picture
            away.set()

        source._pictures = until_the_end()

    told, source, _ = play(tmp_path, pictures(70, walk(18)), prepare=hang, patience=0)
    (closed,) = of(told, EventClosed)
    assert closed.record.error == f"{tmp_path / 'kept'} does not answer; is the share away?"
    assert source.clips == [] and of(told, EventOpened) == []


def never_finish(loop, source) -> None:
    open_clip = source.open_clip

    def hanging(path, since, **options):
        clip = open_clip(path, since, **options)
        clip.close = lambda until=None: None
        return clip

    source.open_clip = hanging


def test_an_event_whose_clip_is_not_finished_when_all_ends_is_told_nevertheless(tmp_path: Path) -> None:
    told, *_ = play(tmp_path, pictures(8, walk(4)), prepare=never_finish)
    (closed,) = of(told, EventClosed)
    assert closed.record.error == "its clip was not finished: the folder, or the processor, is too slow"
    assert (tmp_path / "kept" / closed.record.clip).exists()
    assert stored(tmp_path / "kept", closed.record) == closed.record


def test_a_clip_that_is_never_finished_is_given_up_and_no_other_is_begun_beside_it(tmp_path: Path) -> None:
    def twice(at, image):
        for begin in (4, 50):
            walk(begin)(at, image) if at < begin + 8 else None

    told, source, _ = play(tmp_path, pictures(64, twice), prepare=never_finish)
    first, second = of(told, EventClosed)
    assert first.record.error == "its clip was not finished: the folder, or the processor, is too slow"
    assert second.record.error == f"{tmp_path / 'kept'} does not answer; is the share away?"
    assert len(source.clips) == 1


def test_recording_that_is_held_ends_the_clip_and_is_told(tmp_path: Path) -> None:
    def hold(loop, source):
        pictures_of = source._pictures

        def watched():
            for picture in pictures_of:
                if picture.time > 7:
                    loop.hear(Hold("no room in kept; make some"))
                yield picture

        source._pictures = watched()

    told, source, _ = play(tmp_path, pictures(18, walk(5)), prepare=hold)
    (closed,) = of(told, EventClosed)
    assert closed.record.error == "no room in kept; make some"
    assert source.clips[0].until == pytest.approx(7.1, abs=0.2)
    assert of(told, Status)[-1].trouble == "no room in kept; make some"


def test_nothing_but_data_is_kept_where_that_is_asked_for(tmp_path: Path) -> None:
    told, source, _ = play(tmp_path, pictures(18, walk(5)), record="none")
    (closed,) = of(told, EventClosed)
    assert source.clips == [] and closed.record.clip is None and closed.record.error is None
    assert (tmp_path / "kept" / closed.record.thumbnail).exists()


def test_what_is_private_is_black_in_thumbnails_and_views_and_is_not_looked_at(tmp_path: Path) -> None:
    views = ("picture", "overlay", "mask", "background")
    told, *_ = play(
        tmp_path,
        pictures(18, walk(5)),
        zones=(PRIVATE,),
        record="none",
        prepare=lambda loop, source: loop.hear(Show(views=views)),
    )
    (closed,) = of(told, EventClosed)
    shown = {message.view: cv2.imdecode(np.frombuffer(message.jpeg, np.uint8), 1) for message in of(told, Shown)}
    assert set(shown) == set(views)
    shown["thumbnail"] = cv2.imread(str(tmp_path / "kept" / closed.record.thumbnail))
    for image in shown.values():
        height, width = image.shape[:2]
        inside = image[int(0.3 * height) : int(0.8 * height), int(0.5 * width) : int(0.8 * width)]
        assert inside.max() < 12  # as JPEG has black
    assert shown["picture"].max() > 100


def test_pictures_are_shown_for_ten_seconds_and_no_more_of_them_than_asked_for(tmp_path: Path) -> None:
    told, *_ = play(
        tmp_path,
        pictures(15),
        prepare=lambda loop, source: loop.hear(Show(views=("mask",), per_second=2, width=100)),
    )
    times = [seconds(message.at) for message in of(told, Shown)]
    assert 19 <= len(times) <= 22 and times[-1] <= 10
    assert cv2.imdecode(np.frombuffer(of(told, Shown)[0].jpeg, np.uint8), 0).shape[1] == 100


def test_who_loiters_is_told_from_who_passes(tmp_path: Path) -> None:
    bench = Zone(name="bench", polygon=((0.4, 0.3), (0.6, 0.3), (0.6, 0.9), (0.4, 0.9)), loiter=3)

    def sits(at, image):
        walker(image, min(60 * (at - 5), 150) + 6 * np.sin(4 * at)) if at >= 5 else None

    told, *_ = play(tmp_path / "passes", pictures(18, walk(5)), zones=(bench,))
    assert of(told, EventOpened) == []
    told, source, _ = play(tmp_path / "stays", pictures(18, sits), zones=(bench,), before=2)
    (closed,) = of(told, EventClosed)
    assert closed.record.zones == ("bench",)
    assert source.clips[0].start == pytest.approx(3.04, abs=0.2)  # from before he came, not from when he loiters
    assert source.arguments["keep"] >= 2 + 3
    others = Zone(name="yard", polygon=((0, 0), (1, 0), (1, 1), (0, 1)))
    told, *_ = play(tmp_path / "both", pictures(18, walk(5)), zones=(bench, others))
    (closed,) = of(told, EventClosed)
    assert closed.record.zones == ("yard",)


def test_who_goes_over_a_line_is_counted(tmp_path: Path) -> None:
    line = Zone(name="gate", kind="line", polygon=((0.5, 1.0), (0.5, 0.0)))
    told, *_ = play(tmp_path, pictures(18, walk(5)), zones=(line,))
    (closed,) = of(told, EventClosed)
    assert closed.record.crossings == {"gate in": 1}


@pytest.mark.slow
def test_nothing_grows_over_fifty_events(tmp_path: Path) -> None:
    def often(at, image):
        if (at % 3) < 1 and at > 3:
            walker(image, 100 + 100 * (at % 3))

    counts = []

    def watched(loop, source):
        made = source._pictures

        def counting():
            for picture in made:
                if picture.index % 75 == 74:
                    counts.append((threading.active_count(), _size(loop)))
                yield picture

        source._pictures = counting()

    told, *_ = play(tmp_path, pictures(160, often, noise=1.0), prepare=watched, merge=0.5, before=0.5, after=0.5)
    assert len(of(told, EventClosed)) > 45
    threads, sizes = zip(*counts[2:], strict=True)
    assert len(set(threads)) == 1
    half = len(sizes) // 2
    assert max(sizes[half:]) < max(sizes[:half]) + 20  # twenty-five events later


def _size(loop) -> int:
    """Things that the parts of a loop hold, however deep."""
    seen: set[int] = set()
    ahead, count = [loop], 0
    while ahead:
        one = ahead.pop()
        if id(one) in seen or isinstance(one, str | bytes | int | float | np.ndarray | type):
            continue
        seen.add(id(one))
        if isinstance(one, dict):
            ahead += one.values()
        elif isinstance(one, list | tuple | set | frozenset) or hasattr(one, "popleft"):
            ahead += list(one)
            count += len(one)
        elif type(one).__module__.startswith("bgsub"):
            ahead += [getattr(one, name) for name in getattr(one, "__dict__", {}) if name not in ("_send",)]
    return count
