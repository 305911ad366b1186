"""The constants of one frame, from MOG2's parameters and its age, rounded as OpenCV rounds them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from bgsub.background.mog2.step import MODE_SCALE, Step

_GOLDEN_RATIO = 0.6180339887498949  # its multiples, modulo 1, are spread most evenly


def step_of(parameters: Mapping[str, Any], n_frames: int, rate: float | None, precision: str) -> Step:
    """Return the constants of the frame that comes after `n_frames` others.

    Parameters
    ----------
    parameters : mapping
        Of `MOG2`, by name.
    rate : float in [0, 1] or None
        Learning rate that was asked for, None for the automatic one; the first frame has the automatic one anyway.
    precision : {"exact", "compact"}
        Of the state.
    """
    p = parameters
    n = n_frames + 1
    alpha = rate if rate is not None and n > 1 else 1 / min(2 * n, p["history"])
    return Step(
        alpha=np.float32(alpha),
        decay=np.float32(1) - np.float32(alpha),
        limit=np.float32(alpha * float(np.float32(p["complexity_prior"]))),
        var_threshold=np.float32(p["var_threshold"]),
        var_threshold_gen=np.float32(p["var_threshold_gen"]),
        background_ratio=np.float32(p["background_ratio"]),
        var_init=np.float32(p["var_init"]),
        var_min=np.float32(p["var_min"]),
        var_max=np.float32(p["var_max"]),
        shadow_threshold=np.float32(p["shadow_threshold"]),
        shadow_value=np.uint8(p["shadow_value"]),
        last=p["n_components"] - 1,
        dither=np.float32(0) if precision == "exact" else _dither(n),
    )


def _dither(n: int) -> np.float32:
    """Return what to add to the means of frame n of a compact state before they are rounded.

    Small steps towards a new mean would be lost if each were rounded to the nearest 1/256. Offsets that cover the
    rounding interval evenly from frame to frame keep their average: a fifth to a half fewer pixels of real footage are
    decided otherwise than by an exact state.
    """
    return np.float32((n * _GOLDEN_RATIO % 1 - 0.5) / MODE_SCALE)
