"""What is an event for a camera by day and by night, and what is none: light, infrared, rain, a turned camera."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable

import cv2
import numpy as np
import pytest

from bgsub.errors import ParameterError
from bgsub.live.looking.settling import LEARNED_FIRST, Settling
from bgsub.live.looking.watching import Watching
from bgsub.live.settings import Camera, Zone
from bgsub.motion.events import Event
from tests.live.scenes import HEIGHT, INFO, WIDTH, Picture, pictures, walk, walker, yard

NIGHT = yard() * 0.3 + 10


def events(made: Iterable[Picture], **asked) -> list[Event]:
    watching, over, time = Watching(Camera(name="yard", source="played", **asked), INFO), [], 0.0
    for picture in made:
        over += watching.look(picture).over
        time = picture.time
    return [one.event for one in [*over, *watching.finish(time)]]


@pytest.mark.parametrize(
    ("ground", "noise", "level"), [(None, 2, 200), (NIGHT, 4, 75), (NIGHT, 8, 75), (NIGHT, 12, 90)]
)
def test_the_same_settings_find_who_walks_by_day_and_by_noisy_night_and_nobody_else(ground, noise, level) -> None:
    assert events(pictures(14, ground=ground, noise=noise)) == []
    (event,) = events(pictures(16, walk(6, level=level), ground=ground, noise=noise))
    assert event.start == pytest.approx(6.1, abs=0.2)
    assert event.end == pytest.approx(11.7, abs=0.4)


def lamp(time: float, image: np.ndarray) -> np.ndarray | None:
    return image * 1.5 + 10 if time >= 8 else None


def exposure(time: float, image: np.ndarray) -> np.ndarray | None:
    return image * (1 + 0.5 * min(1.0, (time - 8) / 0.6)) if time >= 8 else None


def infrared(time: float, image: np.ndarray) -> np.ndarray | None:
    """A filter that is switched: black for a moment, too bright for another, then other tones of the same ground."""
    other = yard() * 0.5 + yard(9) * 0.5 + 20
    if 8 <= time < 8.4:
        return image * 0 + 5
    if 8.4 <= time < 9:
        return other * (1 + 0.8 * (9 - time))
    return other if time >= 9 else None


def turned(time: float, image: np.ndarray) -> np.ndarray | None:
    return np.roll(image, 90, 1) if time >= 8 else None


def rain(time: float, image: np.ndarray) -> None:
    chance = np.random.default_rng(int(time * 1000))
    for x, y in zip(chance.integers(0, WIDTH, 60), chance.integers(0, HEIGHT - 20, 60), strict=True):
        cv2.line(image, (int(x), int(y)), (int(x) + 2, int(y) + 18), 200.0, 1)


def then(change: Callable, somebody: Callable) -> Callable:
    def draw(time: float, image: np.ndarray) -> np.ndarray:
        image = image if (changed := change(time, image)) is None else changed
        somebody(time, image)
        return image

    return draw


@pytest.mark.parametrize("change", [lamp, exposure, infrared, turned, rain])
def test_what_is_no_motion_is_no_event_and_who_walks_afterwards_is(change: Callable) -> None:
    (event,) = events(pictures(22, then(change, walk(14, level=230))))
    assert event.start == pytest.approx(14.1, abs=0.3)
    assert event.end == pytest.approx(19.7, abs=0.5)


def test_another_scene_is_told(caplog) -> None:
    with caplog.at_level(logging.INFO, "bgsub"):
        assert events(pictures(16, turned, gaps=[(8, 60)])) == []
    assert "camera yard shows another scene, which is learned anew" in caplog.text


@pytest.mark.parametrize(("sensitivity", "found"), [(1.0, 0), (4.0, 1)])
def test_sensitivity_finds_smaller_things(sensitivity: float, found: int) -> None:
    small = walk(5, width=4, height=10, top=120)
    assert len(events(pictures(18, small, noise=1.0), sensitivity=sensitivity)) == found


def test_what_is_ignored_or_private_is_not_looked_at() -> None:
    for kind in ("ignore", "privacy"):
        path = Zone(name="path", kind=kind, polygon=((0, 0.3), (1, 0.3), (1, 0.75), (0, 0.75)))
        assert events(pictures(16, walk(5)), zones=(path,)) == []


def test_two_zones_of_one_name_are_refused() -> None:
    zone = Zone(name="path", polygon=((0, 0.3), (1, 0.3), (1, 0.75)))
    with pytest.raises(ParameterError, match="two zones are called path: give each a name of its own"):
        Watching(Camera(name="yard", source="played", zones=(zone, zone)), INFO)


def test_zones_are_the_same_for_a_small_and_a_large_stream() -> None:
    from dataclasses import replace

    gate = Zone(name="gate", polygon=((0.5, 0), (1, 0), (1, 1), (0.5, 1)))
    for size in ((WIDTH, HEIGHT), (4 * WIDTH, 4 * HEIGHT)):
        watching = Watching(Camera(name="yard", source="played", zones=(gate,)), replace(INFO, source_size=size))
        over, named = [], []
        for picture in pictures(16, walk(5)):
            seen = watching.look(picture)
            over += seen.over
            named += [sighting.box[0] / size[0] for sighting in seen.objects.values() if "gate" in seen.now.zones]
        (event,) = [one.event for one in over]
        assert event.zones == ("gate",)
        assert min(named) == pytest.approx(0.5 - 20 / WIDTH, abs=0.04)


def test_an_event_is_told_while_it_is_open() -> None:
    watching = Watching(Camera(name="yard", source="played", min_length=1.0), INFO)
    told = []
    for picture in pictures(16, walk(5)):
        seen = watching.look(picture)
        if seen.event is not None and not told:
            told.append((picture.time, seen.event.start, seen.event.length))
    ((time, start, length),) = told
    assert (time, start) == (pytest.approx(6.1, abs=0.3), pytest.approx(5.1, abs=0.2))
    assert length >= 1.0


def test_tracks_of_an_event_end_with_it_though_they_go_on() -> None:
    def restless(time: float, image: np.ndarray) -> None:
        if time > 3:
            walker(image, 140 + 60 * np.sin(3 * time))

    watching, over = Watching(Camera(name="yard", source="played", longest=5.0), INFO), []
    for picture in pictures(15, restless):
        over += watching.look(picture).over
    assert len(over) == 2
    for event, tracks in over:
        assert tracks and {track.number for track in tracks} <= set(event.tracks)
        assert all(event.start <= s.time <= event.end for track in tracks for s in track.sightings)


# ----------------------------------------------------------------------------------------------------------- settling


def test_the_first_pictures_and_those_after_a_gap_are_learned_only() -> None:
    settling = Settling()
    learned = [settling.update(i / 10, 20.0 if i == 40 else 0.0, 0.02) for i in range(80)]
    until = [i for i in range(80) if learned[i]]
    assert until == [*range(15), *range(40, 55)]
    assert LEARNED_FIRST == 1.5


@pytest.mark.parametrize(("share", "anew"), [(0.1, False), (0.9, True)])
def test_a_sudden_change_is_learned_and_another_scene_learned_anew(share: float, anew: bool) -> None:
    settling, restarts, learned = Settling(), [], []
    for i in range(100):
        shown = 0.02 if i < 50 or restarts else 0.9 if i < 55 else share
        learned.append(settling.update(i / 10, 0.0, shown))
        restarts += [i] if settling.starts_anew else []
    assert settling.upsets == 1
    assert learned[50] and not learned[49] and not learned[99]
    assert bool(restarts) == anew


def test_what_grows_until_it_fills_the_picture_is_believed() -> None:
    settling = Settling()
    learned = [settling.update(i / 10, 0.0, min(0.9, max(0.0, (i - 30) / 20))) for i in range(100)]
    assert not any(learned[15:])
