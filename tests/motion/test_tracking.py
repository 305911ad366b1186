"""Blobs are linked to the same object: gaps, pieces, meetings, noise, times and bounds."""

from __future__ import annotations

import math

import numpy as np
import pytest

from bgsub.errors import ParameterError
from bgsub.motion.blobs import Blob
from bgsub.motion.observing import Observation
from bgsub.motion.tracking import Sighting, Track, Tracker, TrackRule


def blob(x: float, y: float, width: float = 20, height: float = 40) -> Blob:
    """A whole box that moves."""
    box = (round(x), round(y), round(width), round(height))
    return Blob(box, float(box[2] * box[3]), (box[0] + (box[2] - 1) / 2, box[1] + (box[3] - 1) / 2), 1.0)


def tracked(frames, times=None, rule=None) -> list[Track]:
    """The tracks of a list of frames' blobs, 25 a second."""
    tracker, tracks = Tracker(rule), []
    for i, blobs in enumerate(frames):
        time = i / 25 if times is None else times[i]
        tracks += tracker.update(Observation(i, time, tuple(sorted(blobs, key=lambda b: -b.area))))
    return sorted(tracks + tracker.finish(), key=lambda track: track.number)


def xs(track: Track) -> list[int]:
    return [sighting.box[0] for sighting in track.sightings]


def test_an_object_is_one_track_with_its_path_size_speed_and_direction() -> None:
    (track,) = tracked([[blob(10 + 4 * i, 100)] for i in range(51)])
    assert (track.number, track.start, track.end, len(track.sightings)) == (1, 0.0, 2.0, 51)
    assert track.size == (20, 40)
    assert track.speed == pytest.approx(100)  # 4 pixels a frame, 25 frames a second
    assert (track.distance, track.displacement, track.direction) == (pytest.approx(200), 200, 0)
    assert track.path[0] == (19.5, 119.5)
    assert track.path[-1] == (219.5, 119.5)


@pytest.mark.parametrize(("dx", "dy", "degrees"), [(0, -4, 90), (0, 4, -90), (-4, 0, 180), (4, -4, 45)])
def test_directions_are_as_on_paper(dx: int, dy: int, degrees: float) -> None:
    (track,) = tracked([[blob(300 + dx * i, 300 + dy * i)] for i in range(30)])
    assert track.direction == pytest.approx(degrees)


def test_trembling_is_no_path() -> None:
    (track,) = tracked([[blob(100 + i % 2, 100)] for i in range(250)])
    assert track.distance <= track.length * 4 + 1  # not 1 pixel a frame, 250
    assert track.displacement <= 1


@pytest.mark.parametrize(("gap", "n"), [(10, 1), (23, 1), (30, 2)])
def test_who_is_hidden_for_a_second_goes_on_and_for_longer_is_another(gap: int, n: int) -> None:
    frames = [[] if 30 <= i < 30 + gap else [blob(10 + 3 * i, 100)] for i in range(90)]
    tracks = tracked(frames)
    assert len(tracks) == n
    assert tracks[0].start == 0
    assert sum(len(track.sightings) for track in tracks) == 90 - gap


def test_a_gap_is_one_of_time_and_not_of_frames() -> None:
    slow = [i / 5 for i in range(40)]
    frames = [[] if 20 <= i < 24 else [blob(10 + 8 * i, 100)] for i in range(40)]
    assert len(tracked(frames, slow)) == 1  # .8 s
    frames = [[] if 20 <= i < 27 else [blob(10 + 8 * i, 100)] for i in range(40)]
    assert len(tracked(frames, slow)) == 2  # 1.4 s


def test_a_variable_frame_rate_loses_nobody_and_speed_is_by_time() -> None:
    times = np.concatenate([np.arange(50) / 25, 2 + np.arange(25) / 12.5])
    (track,) = tracked([[blob(10 + 100 * t, 100)] for t in times], times)
    assert track.speed == pytest.approx(100, rel=0.01)


def test_one_frame_a_second_is_enough_for_slow_objects() -> None:
    tracks = tracked([[blob(10 + 15 * i, 100)] for i in range(12)], times=range(12))
    assert [len(track.sightings) for track in tracks] == [12]


def test_a_fast_object_that_never_overlaps_itself_is_one() -> None:
    (track,) = tracked([[blob(10 + 26 * i, 100)] for i in range(20)])
    assert len(track.sightings) == 20
    assert track.speed == pytest.approx(26 * 25)


def test_an_object_in_pieces_is_one_track_with_the_box_around_them() -> None:
    def frame(i: int) -> list[Blob]:
        x = 10 + 3 * i
        if 30 <= i < 60:  # head, body and legs apart
            return [blob(x + 5, 100, 10, 8), blob(x, 110, 20, 14), blob(x + 2, 126, 16, 14)]
        return [blob(x, 100)]

    (track,) = tracked([frame(i) for i in range(90)])
    assert len(track.sightings) == 90
    assert {sighting.box[1:] for sighting in track.sightings} == {(100, 20, 40)}
    assert track.sightings[45].area == 10 * 8 + 20 * 14 + 16 * 14


def meeting(path_a, path_b, n: int, apart: int = 2) -> list[list[Blob]]:
    """Frames of two objects that are one blob where they touch."""
    frames = []
    for i in range(n):
        a, b = path_a(i), path_b(i)
        if abs(a - b) < 20 + apart:
            left, right = min(a, b), max(a, b) + 20
            frames.append([blob(left, 100, right - left, 40)])
        else:
            frames.append([blob(a, 100), blob(b, 100)])
    return frames


def test_two_who_meet_and_pass_keep_their_numbers() -> None:
    tracks = tracked(meeting(lambda i: 10 + 4 * i, lambda i: 410 - 4 * i, 100))
    assert len(tracks) == 2
    assert (xs(tracks[0])[0], xs(tracks[0])[-1]) in {(10, 406), (410, 14)}
    assert (xs(tracks[1])[0], xs(tracks[1])[-1]) in {(10, 406), (410, 14)}
    assert all(sighting.box[2:] == (20, 40) for track in tracks for sighting in track.sightings)


def test_two_who_meet_stand_and_turn_back_keep_their_numbers() -> None:
    def come_and_go(i: int) -> int:
        return min(4 * i, 4 * 40) if i < 80 else 4 * 40 - 4 * (i - 80)

    tracks = tracked(meeting(lambda i: 40 + come_and_go(i), lambda i: 380 - come_and_go(i), 120))
    assert len(tracks) == 2
    assert {(xs(track)[0], xs(track)[-1]) for track in tracks} == {(40, 44), (380, 376)}


def test_who_comes_out_of_another_is_a_track_of_its_own() -> None:
    frames = meeting(lambda i: 100, lambda i: 100 + max(0, 2 * (i - 30)), 120)
    tracks = tracked(frames)
    assert len(tracks) == 2
    assert tracks[0].start == 0
    assert 1.2 < tracks[1].start < 2.2


def test_two_who_walk_together_for_good_are_one_after_a_while() -> None:
    frames = [
        [blob(10 + 2 * i, 100), blob(60 + 2 * i, 100)] if i < 30 else [blob(10 + 2 * i, 100, 70)] for i in range(200)
    ]
    tracks = tracked(frames)
    assert len(tracks) == 2
    assert sorted(round(track.end, 2) for track in tracks) == [29 / 25, 199 / 25]


@pytest.mark.parametrize(("seen", "n"), [(3, 0), (5, 0), (6, 1)])
def test_what_is_seen_too_shortly_gets_no_number(seen: int, n: int) -> None:
    frames = [[blob(100, 100)] if i < seen else [] for i in range(40)]
    assert len(tracked(frames)) == n  # .2 s at 25 frames a second are 6 of them


def test_numbers_are_in_the_order_of_beginning_though_others_are_seen_more_often() -> None:
    def frame(i: int) -> list[Blob]:
        first = [blob(10 + i, 100)] if i % 4 == 0 or i > 20 else []  # seen seldom at first
        return first + ([blob(300 + i, 100)] if i >= 2 else [])

    tracks = tracked([frame(i) for i in range(60)])
    assert [(track.number, track.start) for track in tracks] == [(1, 0.0), (2, 0.08)]


def test_current_are_the_tracks_that_the_frame_shows() -> None:
    tracker = Tracker()
    numbers = []
    for i in range(20):
        blobs = (blob(10 + i, 100),) if i != 15 else ()
        tracker.update(Observation(i, i / 25, blobs))
        numbers.append(tracker.current())
    assert numbers == [()] * 5 + [(1,)] * 10 + [()] + [(1,)] * 4


def test_a_gap_in_the_recording_ends_all_and_a_clock_that_is_set_back_too() -> None:
    frames = [[blob(100, 100)]] * 60
    for jump in (3600.0, -3600.0):
        times = [i / 25 + (jump if i >= 30 else 0) for i in range(60)]
        assert [len(track.sightings) for track in tracked(frames, times)] == [30, 30]


def test_equal_times_are_no_division_by_zero() -> None:
    (track,) = tracked([[blob(10 + i, 100)] for i in range(60)], [i // 2 / 25 for i in range(60)])
    assert len(track.sightings) == 60
    assert math.isfinite(track.speed)


def test_rain_is_bounded_and_the_same_every_time() -> None:
    random = np.random.default_rng(3)
    rain = [[blob(x, y, 2, 6) for x, y in random.integers(0, 2000, (400, 2))] for _ in range(100)]
    car = [[blob(10 + 12 * i, 500, 80, 40)] for i in range(100)]
    tracker = Tracker()
    tracks = []
    for i in range(100):
        tracks += tracker.update(Observation(i, i / 25, tuple(car[i] + rain[i])))
        assert len(tracker._paths) <= 500
    tracks += tracker.finish()
    (seen,) = (track for track in tracks if len(track.sightings) > 90)
    assert seen.speed == pytest.approx(300, rel=0.05)
    again = tracked([car[i] + rain[i] for i in range(100)])
    assert [track for track in again if len(track.sightings) > 90] == [seen]


def test_a_track_without_end_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bgsub.motion.tracking._LONGEST", 100)
    tracks = tracked([[blob(10 + i, 100)] for i in range(250)])
    assert [track.number for track in tracks] == [1, 2, 3]
    assert sum(len(track.sightings) for track in tracks) == 250
    frames = [sighting.frame for track in tracks for sighting in track.sightings]
    assert frames == list(range(250))


def test_a_track_of_one_sighting_has_all_properties() -> None:
    track = Track(1, (Sighting(3, 0.1, (10, 20, 5, 7), 30.0, (12.0, 23.0)),))
    assert (track.speed, track.direction, track.size, track.distance) == (0, None, (5, 7), 0)
    assert track.path == ((12.0, 23.0),)


@pytest.mark.parametrize("wrong", [{"sightings": 0}, {"gap": -1.0}, {"meeting": math.nan}, {"length": math.inf}])
def test_rules_are_checked(wrong: dict) -> None:
    with pytest.raises(ParameterError, match=f"{next(iter(wrong))}=.* is out of bounds; give"):
        TrackRule(**wrong)


def test_legs_and_body_that_come_apart_and_grow_together_are_one_object() -> None:
    def frame(i: int) -> list[Blob]:
        x = 10 + 3 * i
        return [blob(x, 100, 20, 24), blob(x + 2, 127, 16, 13)] if i < 30 or 60 <= i < 65 else [blob(x, 100)]

    tracks = tracked([frame(i) for i in range(120)])
    assert [len(track.sightings) for track in tracks if track.end > 2] == [120]
    assert tracks[0].sightings[-1].box[2:] == (20, 40)


def test_two_who_walk_one_way_and_part_again_keep_their_numbers() -> None:
    def second(i: int) -> float:  # catches up with the first from behind, walks beside it, and falls back
        return 10 + 2 * i + (min(3 * i, 180) if i < 90 else 180 - 3 * (i - 90))

    tracks = tracked(meeting(lambda i: 210 + 2 * i, second, 150))
    assert len(tracks) == 2
    ends = sorted((xs(track)[0], xs(track)[-1]) for track in tracks)
    assert ends == [(10, 10 + 2 * 149 + 180 - 3 * 59), (210, 210 + 2 * 149)]


def test_tracks_are_told_while_they_are_under_way() -> None:
    tracker = Tracker()
    for i in range(20):
        walker, other = blob(10 + 4 * i, 100), blob(200, 10 + 3 * i)
        tracker.update(Observation(i, i / 25, (walker, other) if i < 15 else (walker,)))
    assert {number: sighting.box[:2] for number, sighting in tracker.now().items()} == {1: (86, 100)}
    assert tuple(tracker.now()) == tracker.current()
    assert [(track.number, len(track.sightings)) for track in tracker.so_far()] == [(1, 20), (2, 15)]
    assert [(track.number, len(track.sightings)) for track in tracker.finish()] == [(1, 20), (2, 15)]
