"""Moved background: a pixel that looks like the background of a neighbour.

Leaves, water and a camera that trembles bring the colour of one pixel to the next. Where the background flickers, a
pixel with evidence of foreground is compared with the modes of the pixels around it as well (Elgammal et al. 2000,
section 3.2, compare it with its neighbours' samples for the same reason). Few pixels come here, so the kernel takes
them one at a time.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from bgsub.background.adaptive_kernel import LEAST, MEAN_C, MEAN_Y, STEPS, VAR_C, VAR_Y, ZERO_BYTE
from bgsub.simd import LANES, kernel

_ZERO_BYTE = np.float32(ZERO_BYTE)
_STEPS = np.float32(STEPS)
_LEAST = LEAST
_V_Y, _M_Y, _V_C, _M_C = VAR_Y, MEAN_Y, VAR_C, MEAN_C


class Neighbourhood(NamedTuple):
    """The constants of one frame beside those of `Step`."""

    radius: Any  # of the square of neighbours, int
    flicker: Any  # bytes of flicker from which a pixel is compared, int
    low_weight: Any  # weight above which a neighbour's mode counts
    prior_slope: Any  # as in Step, but not raised in the first frames
    penalty: Any  # evidence added for lying beside the pixel
    enough: Any  # evidence at which no better explanation is looked for


@kernel
def explain_by_neighbours(image, weights, modes, n_modes, planes, shape, lo, hi, p, q):
    """Lower the evidence of the pixels lo to hi - 1 to what the best mode of their neighbours leaves of it.

    `image` is (pixels,) or (pixels, 3), `shape` (height, width), `p` a Step and `q` a Neighbourhood. Writes
    ``planes.evidence`` of these pixels only, and reads nothing of it elsewhere.
    """
    height, width = shape
    evidence, smooth = planes.evidence, planes.smooth_flicker
    colour = modes.shape[2] > 2
    for i in range(lo, hi):
        flicker = smooth[i // LANES, i % LANES]
        if flicker < q.flicker:
            continue
        doubt = p.steadiness * max(np.float32(flicker) - p.dead_zone, np.float32(0))
        odds = (np.float32(evidence[i // LANES, i % LANES]) - _ZERO_BYTE) / _STEPS + doubt
        if odds <= np.float32(0):
            continue
        if image.ndim == 1:
            y = np.float32(image[i]) * p.luma[0]
            cr = cb = np.float32(0)
        else:
            b, g, r = np.float32(image[i, 0]), np.float32(image[i, 1]), np.float32(image[i, 2])
            y = b * p.luma[0] + g * p.luma[1] + r * p.luma[2]
            cr, cb = (r * p.gain - y) * p.chroma[0], (b * p.gain - y) * p.chroma[1]
        row, column = i // width, i % width
        for other_row in range(max(0, row - q.radius), min(height, row + q.radius + 1)):
            if odds < q.enough:
                break
            for other_column in range(max(0, column - q.radius), min(width, column + q.radius + 1)):
                j = other_row * width + other_column
                t, lane = j // LANES, j % LANES
                for k in range(n_modes[t]):
                    weight = weights[t, k, lane]
                    if weight <= q.low_weight:
                        break  # the lighter ones follow
                    difference = y - modes[k, t, _M_Y, lane]
                    d = difference * difference / modes[k, t, _V_Y, lane]
                    if colour:
                        red, blue = cr - modes[k, t, _M_C, lane], cb - modes[k, t, _M_C + 1, lane]
                        d += (red * red + blue * blue) / modes[k, t, _V_C, lane]
                    prior = max(p.prior - (weight - q.low_weight) * q.prior_slope, np.float32(0))
                    odds = min(odds, np.float32(0.5) * d - p.offset + prior + q.penalty)
        level = max(odds - doubt, _LEAST) * _STEPS + _ZERO_BYTE + np.float32(0.5)
        evidence[i // LANES, i % LANES] = np.uint8(level)
