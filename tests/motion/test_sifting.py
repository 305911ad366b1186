"""Light, noise and standing things make no event, whoever walks by meanwhile does: drawn clips through the models."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import cv2
import numpy as np
import pytest

import bgsub
from bgsub.motion.blobs import Blob, find_blobs, least_area
from bgsub.motion.events import Event, EventFinder, Rule
from bgsub.motion.lights import LightMeter
from bgsub.motion.sifting import Moving, Sieve

HEIGHT, WIDTH = 144, 192
REGION = float(HEIGHT * WIDTH)
FPS, N = 20, 160
ACROSS = np.arange(WIDTH, dtype=np.float32)[None] * np.ones((HEIGHT, 1), np.float32)
DOWN = np.arange(HEIGHT, dtype=np.float32)[:, None] * np.ones((1, WIDTH), np.float32)


def step(gain: float, until: float = np.inf) -> Callable[[float], np.ndarray]:
    return lambda t: np.full_like(ACROSS, gain if 4 <= t < until else 1)


LIGHTS: dict[str, Callable[[float], np.ndarray]] = {
    "lamp on": step(1.6),
    "lamp off": step(0.55),
    "lightning": step(1.5, 4.2),
    "infrared filter": step(0.4, 5.5),
    "exposure within .4 s": lambda t: np.full_like(ACROSS, 1 + 0.5 * np.clip((t - 4) / 0.4, 0, 1)),
    "dawn in 3 s": lambda t: np.full_like(ACROSS, 1 + 0.5 * np.clip((t - 3) / 3, 0, 1)),
    "neon": lambda t: np.full_like(ACROSS, 1 + 0.12 * np.sin(2 * np.pi * 7 * t)),
    "cloud": lambda t: 1 - 0.4 / (1 + np.exp(np.clip((ACROSS - 1.3 * WIDTH * (t - 4) / 1.5) / 8, -50, 50))),
    "half": lambda t: np.where((ACROSS < WIDTH / 2) & (t >= 4), np.float32(0.6), np.float32(1)),
    "desk lamp": lambda t: 1 + (t >= 4) * 0.9 * np.exp(-((ACROSS - 134) ** 2 + (DOWN - 58) ** 2) / 2500),
    "headlamp": lambda t: (
        1 + (3.5 < t < 6) * 0.8 * np.exp(-((ACROSS - WIDTH * (t - 4) / 1.5) ** 2 / 800 + (DOWN - 100) ** 2 / 400))
    ),
}


def wall() -> np.ndarray:
    rng = np.random.default_rng(1)
    texture = np.full((HEIGHT, WIDTH), 95, np.float32)
    for size in (4, 12, 40):
        blocks = rng.normal(size=(HEIGHT // size + 2, WIDTH // size + 2)).astype(np.float32)
        texture += cv2.resize(blocks, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC) * (5 + size / 4)
    return np.clip(texture, 20, 180)


def clip(light: Callable[[float], np.ndarray], walks: tuple[float, float] | None = None) -> Iterator[np.ndarray]:
    """Frames of 8 s; somebody of 18x36 pixels walks from left to right between two times."""
    rng = np.random.default_rng(2)
    clothes = cv2.resize(rng.uniform(20, 230, (12, 6)).astype(np.float32), (18, 36), interpolation=cv2.INTER_NEAREST)
    ground = wall()
    for i in range(N):
        t = i / FPS
        scene = ground.copy()
        if walks is not None and walks[0] <= t < walks[1]:
            x = int((t - walks[0]) / (walks[1] - walks[0]) * (WIDTH + 18)) - 18
            left, right = max(x, 0), min(x + 18, WIDTH)
            scene[60:96, left:right] = clothes[:, left - x : right - x]
        yield np.clip(scene * light(t) + rng.normal(size=scene.shape) * 2, 0, 255).astype(np.uint8)


def events_of(frames: Iterator[np.ndarray], fps: float = FPS, rule: Rule | None = None) -> list[Event]:
    model, sieve, finder = bgsub.BackgroundSubtractor(threads=1), Sieve(), EventFinder(rule or Rule(), REGION)
    events, n = [], 0
    for i, image in enumerate(frames):
        blobs = find_blobs(model.apply(image), min_area=least_area((WIDTH, HEIGHT)))
        events += finder.update(sieve.update(i, i / fps, blobs, image).observation(i, i / fps, REGION))
        n = i + 1
    return events + finder.finish(n / fps)


@pytest.mark.parametrize("light", LIGHTS)
def test_light_makes_no_event(light: str) -> None:
    assert events_of(clip(LIGHTS[light])) == []


@pytest.mark.parametrize("light", LIGHTS)
def test_who_walks_when_the_light_changes_is_one_event(light: str) -> None:
    (event,) = events_of(clip(LIGHTS[light], (2.0, 6.5)))
    assert event.start == pytest.approx(2.0, abs=0.15)
    assert event.end == pytest.approx(6.5, abs=0.3)


@pytest.mark.parametrize("light", [light for light in LIGHTS if light not in ("cloud", "half")])
def test_who_comes_just_after_the_light_has_changed_is_found_within_a_second(light: str) -> None:
    (event,) = events_of(clip(LIGHTS[light], (4.3, 7.5)))
    assert 4.3 <= event.start <= 5.0
    assert event.end == pytest.approx(7.5, abs=0.3)


@pytest.mark.parametrize("light", ["cloud", "half"])
def test_who_comes_with_the_edge_of_a_shadow_is_found_a_second_after_it(light: str) -> None:
    (event,) = events_of(clip(LIGHTS[light], (4.3, 7.5)))
    assert 4.3 <= event.start <= 5.5  # its edge has crossed the view at 5.2 s


def test_steady_light_is_none_and_a_large_thing_that_passes_is_none_either() -> None:
    meter = LightMeter()
    assert not any(meter.update(i / FPS, image) for i, image in enumerate(clip(step(1.0), (0.5, 3.0))))
    meter, ground = LightMeter(), wall().astype(np.uint8)
    bus = cv2.resize(np.random.default_rng(3).integers(0, 255, (12, 16), np.uint8), (96, 100))
    told = []
    for i in range(40):
        image = ground.copy()
        image[20:120, 2 * i : 2 * i + 96] = bus
        told.append(meter.update(i / FPS, image))
    assert not any(told)


def look(sieve: Sieve, i: int, boxes: list[tuple[int, int, int, int]], image: np.ndarray, fps: float = FPS) -> tuple:
    blobs = tuple(Blob(box, float(box[2] * box[3]), (0.0, 0.0), 1.0) for box in boxes)
    return sieve.update(i, i / fps, blobs, image)


def textured(x: int) -> np.ndarray:
    image = wall().astype(np.uint8)
    image[40:60, x : x + 20] = np.random.default_rng(4).integers(0, 255, (20, 20))
    return image


def comes_at(n: int, fps: float, count: int, boxes: Callable[[int], list]) -> list[Moving]:
    """What is seen of boxes from frame n on, after the time in which a model is young."""
    sieve, empty = Sieve(), wall().astype(np.uint8)
    seen = []
    for i in range(n + count):
        now = boxes(i - n) if i >= n else []
        seen.append(look(sieve, i, now, textured(now[0][0]) if now and now[0][0] <= 160 else empty, fps))
    return seen


def test_what_lasts_for_a_moment_is_noise_and_what_lasts_tells_since_when_and_where() -> None:
    seen = comes_at(40, FPS, 30, lambda i: [(10, 10, 6, 6)] if i < 5 else [])
    assert not any(moving.blobs for moving in seen)
    seen = comes_at(40, FPS, 12, lambda i: [(3 * i, 40, 20, 20)])
    assert [bool(moving.blobs) for moving in seen[40:]] == [False] * 5 + [True] * 7
    assert (seen[45].first, seen[45].since, seen[45].came) == (40, 2.0, ((0, 40, 20, 20),))


@pytest.mark.parametrize(("there", "of", "counts"), [(1, 2, False), (2, 3, False), (5, 6, True), (9, 10, True)])
def test_what_comes_and_goes_all_the_time_is_no_object(there: int, of: int, counts: bool) -> None:
    """A camera that shakes, and rain, show their edges in every other frame, at the same place or near it."""
    seen = comes_at(50, 25.0, 60, lambda i: [(3 * i, 40, 20, 20)] if i % of < there else [])
    assert any(moving.blobs for moving in seen) == counts


@pytest.mark.parametrize(("fps", "late"), [(60, 16), (30, 8), (25, 6), (12, 3), (5, 1), (1, 0), (0.2, 0)])
def test_what_is_noise_is_a_matter_of_time_and_at_few_frames_all_counts(fps: float, late: int) -> None:
    """A blob has been there for three quarters of the last moment after .2 ln 4 s, .277."""
    n = math.ceil(1.6 * fps) + 1
    seen = comes_at(n, fps, 20, lambda i: [(3 * i, 40, 20, 20)])
    assert [bool(moving.blobs) for moving in seen] == [False] * (n + late) + [True] * (20 - late)


@pytest.mark.parametrize(
    ("box", "late"), [((10, 40, 30, 30), 5), ((10, 40, 20, 20), 13)], ids=["much of the view", "little of it"]
)
def test_at_first_little_things_have_to_last_and_a_car_that_fills_the_gate_has_not(box: tuple, late: int) -> None:
    """Of the picture of 192x144: 900 pixels are more than three hundredths of it."""
    seen = comes_at(2, 25.0, 25, lambda i: [(box[0] + 3 * i, *box[1:])])
    shown = [bool(moving.blobs) for moving in seen]
    assert shown.index(True) == 2 + late
    assert all(shown[2 + late :])
    sieve = Sieve(region=4000.0)  # of a region less is much
    shown = [bool(look(sieve, i, [(3 * i, 40, 20, 20)] if i >= 2 else [], textured(3 * i)).blobs) for i in range(9)]
    assert shown == [False] * 6 + [True] * 3


@pytest.mark.parametrize("fps", [25.0, 5.0])
def test_what_stands_still_for_a_second_moves_no_more_until_it_does(fps: float) -> None:
    sieve = Sieve()
    places = [min(3 * i, 60) if i < 60 * fps / 5 else 63 + 3 * (i - int(60 * fps / 5)) for i in range(int(12.4 * fps))]
    seen = [look(sieve, i, [(x, 40, 20, 20)], textured(x), fps) for i, x in enumerate(places)]
    still = [bool(moving.standing) for moving in seen]
    stops, starts = 20 / fps, 12.0
    times = np.arange(len(seen)) / fps
    assert all(moving.blobs for moving, t in zip(seen, times, strict=True) if 0.65 < t < stops + 1)
    assert not any(moving.blobs for moving, t in zip(seen, times, strict=True) if stops + 1.5 < t < starts - 0.01)
    assert all(s for s, t in zip(still, times, strict=True) if stops + 1.5 < t < starts - 0.01)
    assert seen[-1].blobs


def test_more_bits_are_the_same_light() -> None:
    plain = [LightMeter().update(0.0, wall().astype(np.uint8))]
    one, deep = Sieve(), Sieve(white=1023)
    for i in range(12):
        image = (wall() * (1.3 if i >= 6 else 1.0)).astype(np.uint8)
        a, b = one.update(i, i / FPS, (), image), deep.update(i, i / FPS, (), image.astype(np.uint16) * 4)
        assert a.light == b.light == (i >= 6)
    assert plain == [False]


def in_light(boxes: list[tuple[int, int, int, int]], stirs_from: int) -> list[bool]:
    """Whether a blob counts in each frame, which the lamp lights more from frame to frame; noise stirs in it."""
    sieve, rng, ground = Sieve(), np.random.default_rng(6), wall() * 0.6
    counts = []
    for i in range(60):
        image = ground * (1 + 0.02 * np.clip(i - 5, 0, 35))
        if i >= stirs_from:
            image[30:100, 0:130] = rng.integers(0, 255, (70, 130))
        box = boxes[min(max(i - 10, 0), len(boxes) - 1)]
        counts.append(bool(look(sieve, i, [box] if i >= 10 else [], image.astype(np.uint8)).blobs))
    return counts


def test_a_patch_of_light_that_grows_and_flickers_in_its_place_has_not_moved() -> None:
    patch = [(80, 50, 20, 20), (78, 48, 24, 24), (76, 46, 28, 28)]
    assert not any(in_light(patch, stirs_from=14))


def test_what_leaves_its_place_or_comes_in_at_the_side_has_moved_in_whatever_light() -> None:
    assert any(in_light([(60 + 3 * i, 50, 20, 20) for i in range(16)], stirs_from=0)[10:25])
    assert any(in_light([(0, 50, 2 + 3 * i, 40) for i in range(6)], stirs_from=0)[10:25])
