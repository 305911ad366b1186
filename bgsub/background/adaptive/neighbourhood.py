"""Moved background: a pixel that looks like the background of a neighbour.

Leaves, water and a camera that trembles bring the colour of one pixel to the next. Where the background flickers, a
pixel with evidence of foreground is compared with the modes of the pixels around it as well (Elgammal et al. 2000,
section 3.2, compare it with its neighbours' samples for the same reason). Few pixels come here: the kernel finds them
sixteen at a time, and takes them one at a time.
"""

from __future__ import annotations

import numpy as np

from bgsub.background.adaptive.codes import LEAST, MEAN_C, MEAN_Y, STEPS, VAR_C, VAR_Y, ZERO_BYTE
from bgsub.background.adaptive.colour import colour_of
from bgsub.background.adaptive.kernels import HALF
from bgsub.background.modes import ZERO
from bgsub.simd import LANES, any_, convert, inline, kernels_of, rows, select

kernel = kernels_of(__name__)

_ZERO_BYTE = np.float32(ZERO_BYTE)
_STEPS = np.float32(STEPS)
_SHIFT, _LANE = LANES.bit_length() - 1, LANES - 1  # j // LANES and j % LANES of what is not negative, faster


@inline
def odds_around(image, weights, modes, n_modes, shape, i, odds, p, neighbours):
    """Return the evidence that the best mode around pixel i leaves of `odds`."""
    height, width = shape
    row, column, radius = i // width, i % width, neighbours.neighbour_radius
    y, cr, cb = colour_of(image, modes, i, p)
    for other_row in range(max(0, row - radius), min(height, row + radius + 1)):
        if odds < neighbours.explained:
            break
        for other_column in range(max(0, column - radius), min(width, column + radius + 1)):
            j = other_row * width + other_column
            t, lane = j >> _SHIFT, j & _LANE
            for k in range(n_modes[t]):
                weight = weights[t, k, lane]
                if weight <= neighbours.low_weight:
                    break  # the lighter ones follow
                doubt = max(p.weight_doubt - (weight - neighbours.low_weight) * neighbours.doubt_slope, ZERO)
                difference = y - modes[k, t, MEAN_Y, lane]
                d = difference * difference / modes[k, t, VAR_Y, lane]
                if not HALF * d * p.acuity - p.threshold + doubt + neighbours.neighbour_doubt < odds:
                    continue  # nor is it better with chroma
                if modes.shape[2] > VAR_C:
                    red, blue = cr - modes[k, t, MEAN_C, lane], cb - modes[k, t, MEAN_C + 1, lane]
                    d += (red * red + blue * blue) / modes[k, t, VAR_C, lane]
                odds = min(odds, HALF * d * p.acuity - p.threshold + doubt + neighbours.neighbour_doubt)
    return odds


@kernel
def explain_by_neighbours(image, state, planes, shape, p, neighbours, lo, hi):
    """Lower the evidence of the tiles lo to hi - 1 to what the best mode of their neighbours leaves of it.

    `image` is (pixels,) or (pixels, 3), `shape` (height, width), `p` a Step and `neighbours` a Neighbourhood. Writes
    ``planes.evidence`` of these tiles only, and reads nothing of it elsewhere.
    """
    n_pixels = shape[0] * shape[1]
    weights, modes, n_modes = state.weights, state.modes, state.n_modes  # arrays in a tuple are counted at every use
    evidence, smooth = planes.evidence, planes.smooth_flicker
    levels, flicker = rows(evidence, LANES), rows(smooth, LANES)
    for t in range(lo, hi):
        steady = convert(flicker[t], np.float32)
        trembles = steady >= np.float32(neighbours.least_flicker)
        if not any_(trembles):
            continue
        excess = steady - p.dead_zone
        doubt = p.flicker_doubt * select(excess > ZERO, excess, ZERO)
        odds = (convert(levels[t], np.float32) - _ZERO_BYTE) / _STEPS + doubt
        if not any_(trembles & (odds > ZERO)):
            continue
        for lane in range(min(LANES, n_pixels - LANES * t)):
            trembling = smooth[t, lane]
            asked = p.flicker_doubt * max(np.float32(trembling) - p.dead_zone, ZERO)
            known = (np.float32(evidence[t, lane]) - _ZERO_BYTE) / _STEPS + asked
            if trembling >= neighbours.least_flicker and known > ZERO:
                left = odds_around(image, weights, modes, n_modes, shape, LANES * t + lane, known, p, neighbours)
                level = max(left - asked, LEAST) * _STEPS + _ZERO_BYTE + HALF
                evidence[t, lane] = np.uint8(level)
