"""Is it dimmed evenly? A shadow divides the light by one number; an object has a texture of its own.

So q, which is r of the heaviest mode (`shadows`), is the same all over a shadow; within an object it has the texture of
the object and, reversed, that of the background. With the variance of q over nine pixels, two apart from each other,
those of which q is known, u is 0 where it is even and 1 where it is not::

    u = clip((var q - e_0^2) / (e_1^2 - e_0^2), 0, 1)

Few pixels come here, since `kernels` has flagged with SHADOW those that an even shadow would explain better than all
else; the flag stays where a shadow does.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bgsub.background.adaptive.codes import (
    CERTAIN,
    DIMMING_STEPS,
    LEAST,
    ROUNDED_ZERO_BYTE,
    SHADOW,
    STEPS,
    SUSPECT,
    rows_of_mode,
)
from bgsub.background.adaptive.colour import luma_of, pixels_of
from bgsub.background.adaptive.kernels import WAITING, vectors_of
from bgsub.background.adaptive.shadows import odds_of_shadow
from bgsub.background.modes import ONE, ZERO, fetch
from bgsub.simd import LANES, all_, any_, clip, convert, inline, kernels_of, rows, select, splat_like, zeros_like

kernel = kernels_of(__name__)

# Constants that are no parameters; of each its origin, as `parameters.Origin` defines the words.
AROUND = 2  # chosen: pixels each way over which a shadow must be even

_PER_STEP = np.float32(1 / DIMMING_STEPS**2)
_EXPLAINED_BITS = np.uint8(SHADOW - 1)


class Dimming(NamedTuple):
    """How far each pixel is dimmed: q as a byte, `DIMMING_STEPS` q, 0 where nothing is known.

    Memory beyond the picture on both sides holds 0, so that any pixel has pixels around it.
    """

    tiles: np.ndarray  # (tiles, 16) uint8
    around: np.ndarray  # (pixels, 16) uint8, the same memory: row i has the 16 bytes from byte i on
    first: int  # row of `around` that begins with the first pixel
    lanes: np.ndarray  # (1, 16) float32: 0 to 15


def dimming_for(size: tuple[int, int], n_tiles: int) -> Dimming:
    """Return a plane of q for a picture of `size`, (h, w): nothing is known."""
    margin = -(-(AROUND * size[1] + AROUND) // LANES)
    memory = np.zeros((n_tiles + 2 * margin, LANES), np.uint8)
    around = np.lib.stride_tricks.as_strided(memory, (memory.size - LANES + 1, LANES), (1, 1))
    lanes = np.arange(LANES, dtype=np.float32)[None]
    return Dimming(memory[margin : margin + n_tiles], around, LANES * margin, lanes)


# ------------------------------------------------------------------------------------------------------- evidence


@inline
def spread_of(around, lanes, first, t, width):
    """Return the variance of q around the pixels of tile t."""
    column = lanes[0] + np.float32((LANES * t) % width)
    column = column - np.float32(width) * convert(convert(column / np.float32(width), np.int32), np.float32)
    n = total = squares = zeros_like(column)
    for across in range(-AROUND, AROUND + 1, 2):
        beside = column + np.float32(across)
        inside = (beside >= ZERO) & (beside < np.float32(width))
        for down in range(-AROUND, AROUND + 1, 2):
            q = select(inside, convert(around[first + LANES * t + down * width + across], np.float32), ZERO)
            n = n + select(q > ZERO, splat_like(q, ONE), ZERO)
            total = total + q
            squares = squares + q * q
    n = select(n > ZERO, n, ONE)
    return (squares - total * total / n) / n * _PER_STEP


@kernel
def explain_shadows(image, state, planes, dimming, width, p, shadow, lo, hi):
    """Lower the evidence of the flagged pixels of the tiles lo to hi - 1 to what a shadow leaves of it.

    `image` is (pixels, 3), `width` that of the picture, `p` a Step and `shadow` a Shadow. A flag is taken off where no
    shadow explains the pixel.
    """
    s, n_modes = vectors_of(state), state.n_modes
    evidence, owners = rows(planes.evidence, LANES), rows(planes.owner, LANES)
    flicker, closed = rows(planes.smooth_flicker, LANES), rows(planes.closed, LANES)
    around, lanes, first = rows(dimming.around, LANES), rows(dimming.lanes, LANES), dimming.first
    n_rows = rows_of_mode(3)
    ahead, asked = lo, 0  # the next tile to be looked at; tiles whose memory has been asked for
    for t in range(lo, hi):
        while ahead < hi and asked < WAITING:
            if any_(owners[ahead] >= np.uint8(SHADOW)):
                n = min(np.int64(n_modes[ahead]), 2)
                fetch(s, ahead, n, n, n_rows)
                asked += 1
            ahead += 1
        owner = owners[t]
        suspect = owner >= np.uint8(SHADOW)
        if not any_(suspect):
            continue
        asked -= 1
        if all_(closed[t] != 0):
            continue
        spread = spread_of(around, lanes, first, t, width)
        uneven = clip((spread - shadow.even_variance) * shadow.uneven_slope, ZERO, ONE)
        pixel = pixels_of(image, s, t, p)
        odds = odds_of_shadow(s, np.int64(n_modes[t]), t, pixel, luma_of(pixel, p), suspect, uneven, p, shadow)
        excess = convert(flicker[t], np.float32) - p.dead_zone
        left = clip(odds - p.flicker_doubt * select(excess > ZERO, excess, ZERO), LEAST, CERTAIN)
        level, before = convert(left * np.float32(STEPS) + ROUNDED_ZERO_BYTE, np.uint8), evidence[t]
        evidence[t] = select(suspect & (level < before), level, before)
        owners[t] = select(suspect & (odds > ZERO), owner & _EXPLAINED_BITS, owner)


# ----------------------------------------------------------------------------------------------------------- tone


@inline
def lies_within(owner, i, shape):
    """Return whether pixel i, a shadow, has eight neighbours that are shadows too."""
    height, width = shape
    row, column = i // width, i % width
    if row == 0 or column == 0 or row == height - 1 or column == width - 1:
        return False
    for j in (i - width, i - 1, i + 1, i + width, i - width - 1, i - width + 1, i + width - 1, i + width + 1):
        if owner[j // LANES, j % LANES] < SHADOW:
            return False
    return True


@kernel
def count_depths(planes, active, dimming, shape, counts, lo, hi):
    """Add to counts[q], int64 of 256, the pixels of the tiles lo to hi - 1 that lie within a shadow, by their q.

    `active` tells which tiles have suspects, `dimming` is (tiles, 16) uint8, `shape` (height, width). Pixels at the rim
    of a shadow are half in the light.
    """
    n_pixels = shape[0] * shape[1]
    owners, owner, closed = rows(planes.owner, LANES), planes.owner, planes.closed
    for t in range(lo, hi):
        if not active[t] & SUSPECT or not any_(owners[t] >= np.uint8(SHADOW)):
            continue
        for lane in range(min(LANES, n_pixels - LANES * t)):
            if owner[t, lane] >= SHADOW and not closed[t, lane] and lies_within(owner, LANES * t + lane, shape):
                counts[dimming[t, lane]] += 1
