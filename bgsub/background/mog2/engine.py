"""What `MOG2` wants of an engine, and what of an engine's state belongs in a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from bgsub.background.engine import ModelEngine
from bgsub.background.layout import Layout
from bgsub.background.mog2.step import MODE_SCALE, Step


class Engine(ModelEngine, Protocol):
    """Owns the mixture of every pixel of frames of one shape, and does what touches every pixel.

    An engine is made by ``Engine(shape, n_components, precision, region, threads)`` and is empty then.
    """

    def run(
        self,
        frames: Sequence[np.ndarray],
        masks: Sequence[np.ndarray],
        steps: Sequence[Step],
        *,
        shadows: bool,
        frozen: bool,
        known_foreground: np.ndarray | None,
    ) -> None:
        """Mask a run of frames and, unless `frozen`, learn them, one after another.

        Parameters
        ----------
        frames : sequence of ndarray of uint8 or float32, shape (H, W) or (H, W, 3)
            C-contiguous; one or more. In [0, 255], unless values are taken as they are.
        masks : sequence of ndarray of uint8, shape (H, W)
            C-contiguous; receive the masks.
        steps : sequence of Step
            The constants of each frame.
        shadows : bool
            Look for shadows.
        frozen : bool
            Change nothing but the masks.
        known_foreground : ndarray of bool or uint8, shape (H, W), or None
            Pixels to mark 255 and not to learn, in all of these frames.
        """

    def background_image(self, background_ratio: float) -> np.ndarray:
        """Return for each pixel the weighted mean of its background modes, float32, shaped as a frame; NaN without."""


def layout(shape: tuple[int, ...], n_components: int, precision: str) -> Layout:
    """Return shape and dtype of the saved arrays for frames of `shape`, (H, W) or (H, W, 3).

    ``weights`` (K, H, W), heaviest mode first; ``modes`` (K, 1 + channels, H, W), the variance of each mode and then
    its mean in each channel; ``n_modes`` (H, W), how many of them are alive. float32, or uint16 where the precision is
    "compact": fixed point with the scales `WEIGHT_SCALE` and `MODE_SCALE`.
    """
    size = shape[:2]
    channels = 3 if len(shape) == 3 else 1
    dtype = np.dtype(np.float32 if precision == "exact" else np.uint16)
    return {
        "weights": ((n_components, *size), dtype),
        "modes": ((n_components, 1 + channels, *size), dtype),
        "n_modes": (size, np.dtype(np.uint8)),
    }


def rescaled(
    arrays: Mapping[str, np.ndarray], gain: float, offset: float, parameters: Mapping[str, Any]
) -> dict[str, np.ndarray]:
    """Return saved arrays as they would be if each grey level v had been gain v + offset from the start.

    Variances keep the bounds that `parameters` set, and so a noise beyond them.
    """
    given = arrays["modes"]
    unit = MODE_SCALE if given.dtype == np.uint16 else np.float32(1)
    modes = given / unit
    modes[:, 0] = np.clip(modes[:, 0] * np.float32(gain**2), parameters["var_min"], parameters["var_max"])
    modes[:, 1:] = modes[:, 1:] * np.float32(gain) + np.float32(offset)
    modes = np.where(arrays["weights"][:, None] > 0, modes, 0) * unit
    if given.dtype == np.uint16:
        modes = np.clip(np.rint(modes), 0, np.iinfo(np.uint16).max)
    return {**arrays, "modes": modes.astype(given.dtype)}
