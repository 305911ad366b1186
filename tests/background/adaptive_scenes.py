"""Small scenes for the adaptive model, a model that tells its constants, and what a scene should give."""

from __future__ import annotations

import cv2
import numpy as np

from bgsub import BackgroundSubtractor

PER_PIXEL = {
    "smoothing": 0,
    "min_area": 0,
    "lively_area": 0,
    "fill_area": 0,
    "neighbour_radius": 0,
    "standing_gain": 0,
    "structure": 1,
}
"""Parameters that leave no spatial step to the mask: evidence above 0 is foreground."""


class Telling(BackgroundSubtractor):
    """Keeps the constants of its last frame in `step`, and whether it looked for shadows in `shadows`."""

    step = None
    shadows = False

    def _step(self, *arguments):
        self.step = super()._step(*arguments)
        return self.step

    def _score(self, state, image, step, liveliness, shadows):
        self.shadows = shadows
        super()._score(state, image, step, liveliness, shadows)


def wall(shape=(60, 80), channels=3, seed=0, level=(60, 180)):
    """A background of coloured blocks with some grain, float."""
    rng = np.random.default_rng(seed)
    blocks = rng.uniform(*level, (-(-shape[0] // 6), -(-shape[1] // 6), channels))
    picture = blocks.repeat(6, 0).repeat(6, 1)[: shape[0], : shape[1]] + rng.normal(0, 4, (*shape, channels))
    return picture if channels == 3 else picture[..., 0]


def seen(picture, rng, noise=2.0):
    """One frame of a picture: a camera's noise, and whole grey levels."""
    return np.clip(np.rint(picture + rng.normal(0, noise, picture.shape)), 0, 255).astype(np.uint8)


def with_square(picture, top, left, size=14, colour=(30, 220, 240)):
    """A picture with a plain square on it."""
    picture = picture.copy()
    picture[top : top + size, left : left + size] = colour if picture.ndim == 3 else colour[2]
    return picture


def square(shape, top, left, size=14):
    """Where that square is."""
    inside = np.zeros(shape[:2], bool)
    inside[max(0, top) : top + size, max(0, left) : left + size] = True
    return inside


def in_light(picture, factor, top, left, size):
    """A picture with light on a square of it, whose edges are soft."""
    gain = np.ones(picture.shape[:2])
    gain[top : top + size, left : left + size] = factor
    gain = cv2.GaussianBlur(gain, (0, 0), 4)
    return picture * (gain if picture.ndim == 2 else gain[..., None])


def walk(n_frames, shape=(40, 52), channels=3, seed=0, empty=5):
    """Frames of a wall before which a square walks from the sixth frame on."""
    rng = np.random.default_rng(seed)
    background = wall(shape, channels, seed)
    frames = []
    for t in range(n_frames):
        picture = background if t < empty else with_square(background, 12, (3 * t) % (shape[1] - 14))
        frames.append(seen(picture, rng))
    return frames


def calm(model, picture, n_frames, rng, **options):
    """Show a picture for some frames; return the last mask."""
    for _ in range(n_frames):
        mask = model.apply(seen(picture, rng), **options)
    return mask


def f_measure(mask, truth):
    """F of one mask: 255 counts, nothing else."""
    found = mask == 255
    return 2 * np.count_nonzero(found & truth) / (np.count_nonzero(found) + np.count_nonzero(truth))


def mixture(model):
    """Return weights (pixels, K) and modes (pixels, K, rows), without the lanes that fill up the last tile."""
    state = model._state.state
    n, k = model._state.n_pixels, state.weights.shape[1]
    weights = state.weights.transpose(0, 2, 1).reshape(-1, k)[:n]
    modes = state.modes.transpose(1, 3, 0, 2).reshape(-1, k, state.modes.shape[2])[:n]
    return weights, modes
