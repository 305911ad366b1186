"""What stays after an event: an object that has stopped, the place of one that has gone, or nothing."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
import pytest

import bgsub
from bgsub.motion.blobs import find_blobs, least_area
from bgsub.motion.events import EventFinder, Rule
from bgsub.motion.sifting import Sieve
from bgsub.motion.standing import Aftermath

HEIGHT, WIDTH, FPS = 144, 192, 20
RULE = Rule()


def wall() -> np.ndarray:
    rng = np.random.default_rng(1)
    blocks = rng.normal(size=(14, 18)).astype(np.float32)
    return np.clip(95 + 8 * cv2.resize(blocks, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC), 20, 180)


def put(scene: np.ndarray, thing: np.ndarray, x: int, y: int) -> None:
    shown = thing[:, max(-x, 0) : max(0, WIDTH - x)]
    scene[y : y + thing.shape[0], max(x, 0) : max(x, 0) + shown.shape[1]] = shown


def scene(kind: str, t: float, car: np.ndarray, man: np.ndarray) -> np.ndarray:
    picture = wall()
    if kind == "stops" and t >= 2:
        put(picture, car, int(min(40 * (t - 2), 80)), 60)
    elif kind == "drives off" and 80 + 40 * (t - 6) < WIDTH:
        put(picture, car, 80 if t < 6 else int(80 + 40 * (t - 6)), 60)
    elif kind == "goes at once" and 80 + 40 * (t - 1) < WIDTH:
        put(picture, car, 80 if t < 1 else int(80 + 40 * (t - 1)), 60)
    elif (kind == "is taken" and t < 7.5) or (kind == "is left" and t >= 4.4):
        put(picture, car, 80, 60)
    if kind in ("passes", "is left") and 2 <= t < 7:
        put(picture, man, int(40 * (t - 2)), 52)
    if kind.startswith("stops, ") and t >= 2:
        put(picture, car, int(min(40 * (t - 2), 80)), 60)
    if kind == "stops, and another passes" and t >= 7.6:
        put(picture, man, int(40 * (t - 7.6)), 8)
    if kind == "stops, and goes on" and t >= 7.6:
        picture = wall()
        put(picture, car, 80 + int(40 * (t - 7.6)), 60)
    if kind == "is taken" and 6 <= t < 10:
        put(picture, man, int(50 * (t - 6)), 52)
    return picture


def kinds_of(kind: str, light: float = 1.0, until: float = 14.0, rule: Rule = RULE) -> list[str]:
    rng = np.random.default_rng(5)
    car = cv2.resize(rng.uniform(20, 230, (5, 5)).astype(np.float32), (26, 26), interpolation=cv2.INTER_NEAREST)
    man = cv2.resize(rng.uniform(20, 230, (12, 6)).astype(np.float32), (18, 44), interpolation=cv2.INTER_NEAREST)

    def frames() -> Iterator[np.ndarray]:
        for i in range(int(until * FPS)):
            gain = light if i / FPS > 5 else 1.0
            yield np.clip(scene(kind, i / FPS, car, man) * gain + rng.normal(size=(HEIGHT, WIDTH)) * 2, 0, 255)

    model, sieve, finder = bgsub.BackgroundSubtractor(threads=1), Sieve(), EventFinder(rule, HEIGHT * WIDTH)
    aftermath = Aftermath()
    kinds = []
    for i, image in enumerate(frames()):
        image = image.astype(np.uint8)
        blobs = find_blobs(model.apply(image), min_area=least_area((WIDTH, HEIGHT)))
        seen = sieve.update(i, i / FPS, blobs, image).observation(i, i / FPS, HEIGHT * WIDTH)
        closed = finder.update(seen)
        told = aftermath.update(i / FPS, image, closed, is_open=finder.is_open, moves=finder.moves)
        kinds += [event.kind for event in told]
    return kinds + [event.kind for event in aftermath.finish(finder.finish(until))]


@pytest.mark.parametrize(
    ("what", "light", "kind"),
    [
        ("passes", 0.7, "motion"),
        ("stops", 1.0, "stopped"),
        ("is left", 0.7, "stopped"),
        ("drives off", 0.7, "removed"),
        ("is taken", 1.0, "removed"),
        ("goes at once", 1.0, "ghost"),
    ],
)
def test_what_stays_is_told_in_whatever_light(what: str, light: float, kind: str) -> None:
    assert kinds_of(what, light) == [kind]


@pytest.mark.parametrize(
    ("what", "until", "kind"),
    [
        ("stops", 6.0, "stopped"),
        ("stops", 3.5, "motion"),  # it still moves
        ("drives off", 10.5, "removed"),
        ("goes at once", 5.5, "ghost"),
        ("passes", 7.6, "motion"),
        ("passes", 5.0, "motion"),
    ],
)
def test_it_is_told_of_an_event_that_is_open_as_the_recording_ends(what: str, until: float, kind: str) -> None:
    assert kinds_of(what, until=until) == [kind]


@pytest.mark.parametrize("rule", [RULE, Rule(merge=1.0)])
@pytest.mark.parametrize(
    ("what", "kinds"),
    [("stops, and another passes", ["stopped", "motion"]), ("stops, and goes on", ["stopped", "removed"])],
)
def test_it_is_told_where_the_next_event_begins_before_the_last_is_over(
    what: str, kinds: list[str], rule: Rule
) -> None:
    assert kinds_of(what, rule=rule) == kinds


def test_a_part_of_an_event_that_is_cut_is_motion_and_the_last_one_tells_what_has_stayed() -> None:
    kinds = kinds_of("stops", rule=Rule(max_length=1.0))
    assert kinds[:-1] == ["motion"] * (len(kinds) - 1)
    assert (len(kinds) > 1, kinds[-1]) == (True, "stopped")
