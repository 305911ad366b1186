"""Small scenes for the adaptive model, a model that tells its constants, and what a scene should give."""

from __future__ import annotations

import cv2
import numpy as np

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

FILE_VERSION = 2  # of the model files that are written


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


# ------------------------------------------------------------------------- what a model knows, pixel by pixel


def arrays_of(model):
    """Return what a model has learned: weights (K, H, W), modes (K, rows, H, W), flicker and raw (H, W)..."""
    return model.engine.saved()


def mixture(model):
    """Return weights (pixels, K) and modes (pixels, K, rows)."""
    arrays = arrays_of(model)
    weights, modes = arrays["weights"], arrays["modes"]
    return weights.reshape(len(weights), -1).T, modes.reshape(*modes.shape[:2], -1).transpose(2, 0, 1)


def with_flicker(model, flicker):
    """Return a copy of a model whose pixels flicker as told: a number, or an array (H, W)."""
    copy, arrays = model.copy(), model.engine.saved()
    arrays["flicker"][...] = flicker
    copy.engine.restore(arrays)
    return copy


def engaged(model):
    """Return whether a model has found out that its camera shakes."""
    return model.registration.engaged


def reference_of(model):
    """Return the picture against which a model measures how its camera moves."""
    return model.registration.reference.copy()


def evidence_of(model, frame):
    """Return the evidence of a frame as bytes, (H, W), smoothed unless the model does not; nothing is learned."""
    probability = np.zeros(frame.shape[:2], np.float32)
    model.apply(frame, learning_rate=0, probability=probability)
    p = probability.astype(float)
    return np.rint(160 + 8 * np.log(p / (1 - p))).astype(int)
