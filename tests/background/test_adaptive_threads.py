"""Threads of the adaptive model: the same bits for any number, and models side by side."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from bgsub import BackgroundSubtractor
from bgsub import threads as pool
from tests.background.adaptive_scenes import seen, wall, with_square
from tests.background.twins import stored

pytestmark = pytest.mark.usefixtures("every_tile_worth_a_thread")

SHAPE = (83, 131)


def scene(seed, channels=3):
    """A part that blinks, and a square: every kernel has something to do."""
    rng = np.random.default_rng(seed)
    dark, bright = (wall(SHAPE, channels, seed + i) for i in range(2))
    frames = []
    for t in range(14):
        blink = rng.random(SHAPE if channels == 1 else (*SHAPE, 1)) < 0.2
        blink[:, 60:] = False
        picture = np.where(blink, bright, dark)
        frames.append(seen(with_square(picture, 30, 8 * t, 20) if t > 6 else picture, rng))
    return frames


FRAMES = scene(0)


def run(threads, frames=FRAMES, **parameters):
    """Return masks, probabilities and state; some frames are frozen, some have known objects."""
    model = BackgroundSubtractor(threads=threads, flicker_rate=0.2, neighbour_still=0.01, **parameters)
    known = np.zeros(SHAPE, bool)
    known[50:70, 20:60] = True
    masks, soft = [], np.zeros((len(frames), *SHAPE), np.float32)
    for t, frame in enumerate(frames):
        rate = 0.02 if t > 5 else None  # at which tiles at rest learn in every second frame
        options = {8: {"learning_rate": 0}, 10: {"known_foreground": known}}.get(t, {"learning_rate": rate})
        masks.append(model.apply(frame, probability=soft[t], **options))
    return np.stack(masks), soft, stored(model)


def assert_same_run(result, expected):
    np.testing.assert_array_equal(result[0], expected[0])
    np.testing.assert_array_equal(result[1], expected[1])
    assert result[2] == expected[2]


@pytest.mark.parametrize("parameters", [{}, {"region": FRAMES[0][..., 0] > 90}], ids=["whole", "region"])
def test_any_number_of_threads_gives_the_same_bits(parameters, monkeypatch):
    used, share = set(), pool.share

    def noting(work, n, threads):
        used.add(threads)
        share(work, n, threads)

    monkeypatch.setattr(pool, "share", noting)
    expected = run(1, **parameters)
    assert (expected[0] == 255).any()
    assert used == {1}
    for threads in (2, 3, 7):
        used.clear()
        assert_same_run(run(threads, **parameters), expected)
        assert threads == max(used)  # a few shadows, or objects, are not worth as many


def test_the_same_run_twice_gives_the_same_bits():
    assert_same_run(run(2), run(2))


def test_two_models_at_once_give_the_masks_of_each_alone():
    scenes = FRAMES, scene(5, channels=1)
    expected = [run(2, frames) for frames in scenes]
    start, results = threading.Barrier(4), {}

    def apply(key, frames):
        start.wait(30)
        results[key] = run(2, frames)

    threads = [threading.Thread(target=apply, args=(key, scenes[key % 2])) for key in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(results) == 4
    for key, result in results.items():
        assert_same_run(result, expected[key % 2])
