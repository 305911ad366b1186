"""States of `bgsub.MOG2` and of its slow twin in one form, so that they can be compared."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bgsub.background.mog2.kernels import FAINT
from bgsub.background.mog2.step import MODE_SCALE, WEIGHT_SCALE


class Mixtures(NamedTuple):
    """The Gaussians of every pixel, heaviest first; 0 where there are fewer than K."""

    n_modes: np.ndarray  # (pixels,)
    weights: np.ndarray  # (pixels, K)
    variances: np.ndarray  # (pixels, K)
    means: np.ndarray  # (pixels, K, channels)


def mixtures_of(model):
    """Return the state of a `bgsub.MOG2`."""
    saved = model.engine.saved()
    k, rows = saved["modes"].shape[:2]
    weights = saved["weights"].reshape(k, -1).T
    modes = saved["modes"].reshape(k, rows, -1).transpose(2, 0, 1)
    if model.precision == "compact":
        weights, modes = weights / WEIGHT_SCALE, modes / MODE_SCALE
    listed = weights > 0
    n_modes = listed.sum(1)
    np.testing.assert_array_equal(listed, np.arange(k) < n_modes[:, None], "modes come first, empty places last")
    np.testing.assert_array_equal(saved["n_modes"].ravel(), n_modes)
    modes = np.where(listed[..., None], modes, 0)
    weights = np.where(weights < 1e6 * FAINT, 0, weights)  # listed without weight
    return Mixtures(n_modes, weights, modes[..., 0], modes[..., 1:])


def mixtures_of_naive(naive):
    """Return the state of a `tests.naive.NaiveMOG2`."""
    pixels = [modes for row in naive.modes for modes in row]
    n, k = len(pixels), naive.n_components
    weights, variances = np.zeros((2, n, k), np.float32)
    means = np.zeros((n, k, naive.n_channels), np.float32)
    for i, modes in enumerate(pixels):
        for j, mode in enumerate(modes):
            weights[i, j], variances[i, j], means[i, j] = mode.weight, mode.variance, mode.mean
    return Mixtures(np.array([len(modes) for modes in pixels]), weights, variances, means)


def assert_same_mixtures(a, b):
    """Compare two states to the bit; each is a model or `Mixtures`."""
    a, b = (x if isinstance(x, Mixtures) else mixtures_of(x) for x in (a, b))
    for name, x, y in zip(Mixtures._fields, a, b, strict=True):
        np.testing.assert_array_equal(x, y, name)


def stored(model):
    """Return the bytes of all that a model keeps of its pixels, and its count of frames."""
    _, arrays = model.__getstate__()
    return {name: array.tobytes() for name, array in arrays.items()} | {"frames": model.n_frames, "shape": model.shape}
