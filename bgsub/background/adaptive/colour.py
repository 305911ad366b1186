"""The colour of a pixel in the background's light: luma, chroma, and what a clipped channel may have been.

A channel at the top of the camera's range is a bound: the light there was that bright or brighter. In the light of the
background, g times the frame's, it would look darker than it was, or brighter than the camera can tell. So where g is
not 1 a channel x, of which the heaviest mode expects mu_c, becomes::

    x <- max(x, mu_c / g)   where x is clipped
    x <- min(x, 255 / g)

When somebody enters an office the camera opens up (g < 1), and its white wall stays as white as it was.
"""

from __future__ import annotations

import numpy as np

from bgsub.background.adaptive.codes import MEAN_C, MEAN_Y
from bgsub.background.adaptive.light import CHROMA, LUMA
from bgsub.background.modes import ONE, ZERO
from bgsub.simd import LANES, any_, inline, load_pixels, select, splat_like

_PER_RED, _PER_BLUE = np.float32(1 / CHROMA[0]), np.float32(1 / CHROMA[1])
_NEVER = np.float32(np.inf)
_BLUE, _RED, _PER_GREEN = np.float32(LUMA[0]), np.float32(LUMA[2]), np.float32(1 / LUMA[1])


@inline
def luma_of(pixel, p):
    """Return Y of the pixels, in the background's light."""
    y = pixel[0] * p.luma[0]
    for c in range(1, len(pixel)):
        y = y + pixel[c] * p.luma[c]
    return y


@inline
def chroma_of(pixel, y, c, p):
    """Return Cr (c = 1) or Cb (c = 2), centred on 0, of BGR pixels of luma y."""
    return (pixel[4 - 2 * c] * p.gain - y) * p.chroma[c - 1]


@inline
def channels_of(y, cr, cb):
    """Return B, G and R of a colour."""
    red, blue = y + cr * _PER_RED, y + cb * _PER_BLUE
    return blue, (y - blue * _BLUE - red * _RED) * _PER_GREEN, red


@inline
def bounded(x, expected, p):
    """Return a channel of sixteen pixels as what it can have been that is nearest to what is `expected` of it."""
    raised = select((x >= p.clipped) & (expected > x), expected, x)
    return select(raised > p.most, splat_like(x, p.most), raised)


@inline
def any_bound(pixel, p):
    """Return whether a channel is one that `unclipped` would change."""
    if p.clipped == _NEVER and p.most == _NEVER:  # as mostly
        return False
    brightest = pixel[0]
    for c in range(1, len(pixel)):
        brightest = select(pixel[c] > brightest, pixel[c], brightest)
    return any_((brightest >= p.clipped) | (brightest > p.most))


@inline
def unclipped(s, t, pixel, p):
    """Return the pixels of tile t with their clipped channels as they may have been."""
    y, inverse = s.modes[0, t, MEAN_Y], ONE / p.gain
    if len(pixel) == 1:
        return (bounded(pixel[0], y * inverse, p),)
    blue, green, red = channels_of(y, s.modes[0, t, MEAN_C], s.modes[0, t, MEAN_C + 1])
    return (
        bounded(pixel[0], blue * inverse, p),
        bounded(pixel[1], green * inverse, p),
        bounded(pixel[2], red * inverse, p),
    )


@inline
def pixels_of(image, s, t, p):
    """Return the pixels of tile t of an image, one vector a channel, with clipped channels as they may have been."""
    pixel = load_pixels(image, t)
    return unclipped(s, t, pixel, p) if any_bound(pixel, p) else pixel


@inline
def bounded_one(x, expected, p):
    """Return what `bounded` does, of one pixel."""
    return min(max(x, expected) if x >= p.clipped else x, p.most)


@inline
def colour_of(image, modes, i, p):
    """Return Y, Cr and Cb of pixel i in the background's light, as of `pixels_of`; a grey one has no chroma."""
    t, lane, inverse = i // LANES, i % LANES, ONE / p.gain
    expected = modes[0, t, MEAN_Y, lane]
    if image.ndim == 1:
        return bounded_one(np.float32(image[i]), expected * inverse, p) * p.luma[0], ZERO, ZERO
    b, g, r = np.float32(image[i, 0]), np.float32(image[i, 1]), np.float32(image[i, 2])
    if max(b, g, r) >= p.clipped or max(b, g, r) > p.most:
        blue, green, red = channels_of(expected, modes[0, t, MEAN_C, lane], modes[0, t, MEAN_C + 1, lane])
        b, g, r = (
            bounded_one(b, blue * inverse, p),
            bounded_one(g, green * inverse, p),
            bounded_one(r, red * inverse, p),
        )
    y = b * p.luma[0] + g * p.luma[1] + r * p.luma[2]
    return y, (r * p.gain - y) * p.chroma[0], (b * p.gain - y) * p.chroma[1]
