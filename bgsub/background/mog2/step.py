"""The constants of one frame as the engines take them, and the scales of a compact state."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

# Scales of a compact state, chosen. With the first, .9, .75 and .5 come back exactly, so that equalities with
# background_ratio hold; 65535 would wrap round where rounding lifts a weight above 1.
WEIGHT_SCALE = np.float32(65040)
MODE_SCALE = np.float32(256)

MOST_AT_ONCE = 8
"""Frames that are learned at once (cost): more gain little, and all must be held."""


class Step(NamedTuple):
    """The constants of one frame, by the names of the parameters where they are these: float32, or as is said."""

    alpha: Any  # learning rate
    decay: Any  # 1 - alpha
    limit: Any  # alpha * complexity_prior: what a weight loses in each frame, and below which a mode goes
    var_threshold: Any
    var_threshold_gen: Any
    background_ratio: Any
    var_init: Any
    var_min: Any
    var_max: Any
    shadow_threshold: Any  # tau
    shadow_value: Any  # uint8
    last: Any  # n_components - 1, int
    dither: Any  # added to means before they are rounded: 0, or within half a step of a compact state
