"""The adaptive mixture, sixteen pixels at a time: evidence of foreground first, learning after the mask is known.

The equations, and the names of their letters, are in the docstring of the package. `score_tiles` makes the evidence L,
`update_tiles` moves the modes and the flicker.

A tile is 16 consecutive pixels of the flat image, one a lane; what no lane needs is skipped, and what a tile will need
is asked for while the tiles before it are worked on. Reading and writing the mixture is what learning costs: so a tile
at rest, whose pixels all look like their background, learns several frames as one, at so many times the rate, once the
rate is low: more of them where all look like their heaviest mode.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba.extending import register_jitable

from bgsub.background.adaptive.codes import (
    CERTAIN,
    DIMMING_STEPS,
    FLICKER_STEPS,
    FOREGROUND,
    GHOST,
    LEAST,
    MEAN_C,
    MEAN_Y,
    NOBODY,
    ROUNDED_ZERO_BYTE,
    SHADOW,
    STEPS,
    VAR_C,
    VAR_Y,
    ZERO_BYTE,
    rows_of_mode,
)
from bgsub.background.adaptive.colour import chroma_of, luma_of, pixels_of
from bgsub.background.adaptive.shadows import odds_of_shadow
from bgsub.background.modes import ONE, ZERO, MixtureRows, fetch, rise, start_mode, with_room
from bgsub.simd import (
    LANES,
    all_,
    any_,
    clip,
    convert,
    flush_denormals,
    inline,
    kernels_of,
    prefetch,
    restore_denormals,
    rows,
    select,
    splat_like,
    to_bytes,
    zeros_like,
)

kernel = kernels_of(__name__)

# Constants that are no parameters; of each its origin, as `parameters.Origin` defines the words.
AHEAD = 24  # cost: tiles between asking for memory and using it
WAITING = 12  # cost: tiles whose memory is asked for, where not all are used
PAST_EQUALS = False  # chosen: of modes of one weight the older one stays first
BLOCK = 64  # cost: tiles that learn in the same frames: memory is read faster in one piece

HALF = np.float32(0.5)
TWO = np.float32(2)


class State(NamedTuple):
    """The mixture of every pixel, in tiles of 16. A weight of exactly 0 means that there is no such mode."""

    weights: np.ndarray  # (tiles, K, 16) float32
    modes: np.ndarray  # (K, tiles, 2 or 5, 16) float32
    n_modes: np.ndarray  # (tiles,) uint8: the most modes that a lane has, at least 1
    flicker: np.ndarray  # (tiles, 16) float32: share of frames in which the evidence changed sign
    raw: np.ndarray  # (tiles, 16) uint8: 255 where the last frame's evidence was positive


class Planes(NamedTuple):
    """What the two passes over a frame, and the spatial steps between them, tell each other; (tiles, 16) uint8."""

    evidence: np.ndarray  # L as a byte
    owner: np.ndarray  # mode near the pixel or NOBODY, and the flag SHADOW
    mask: np.ndarray  # FOREGROUND, GHOST or 0
    near: np.ndarray  # not 0 near a larger object: changes there are no flicker
    smooth_flicker: np.ndarray  # flicker averaged over a neighbourhood, in FLICKER_STEPS
    flicker: np.ndarray  # flicker of the pixel alone, in FLICKER_STEPS
    closed: np.ndarray  # not 0 where nothing may be learned


register_jitable(rows_of_mode)


# --------------------------------------------------------------------------------------------------------- evidence


@inline
def distance(s, t, i, pixel, y, p):
    """Return D, the squared Mahalanobis distance of mode i."""
    difference = y - s.modes[i, t, MEAN_Y]
    luma, var_y = difference * difference, s.modes[i, t, VAR_Y]
    if len(pixel) == 1:
        return luma / var_y * p.acuity
    square = zeros_like(y)
    for c in range(1, len(pixel)):
        difference = chroma_of(pixel, y, c, p) - s.modes[i, t, MEAN_C + c - 1]
        square = square + difference * difference
    var_c = s.modes[i, t, VAR_C]
    return (luma * var_c + square * var_y) / (var_y * var_c) * p.acuity  # the sum of two quotients, by one division


@inline
def within_reach(s, t, i, y, weight, odds, p):
    """Return the lanes that mode i may own or explain better than `odds`, judged by luma, a part of D."""
    difference = y - s.modes[i, t, MEAN_Y]
    better = TWO * (odds + p.threshold)
    reach = select((weight > p.low_weight) & (better > p.match_distance), better, splat_like(y, p.match_distance))
    return difference * difference * p.acuity <= reach * s.modes[i, t, VAR_Y]


@inline
def log_odds(d, weight, p):
    """Return the evidence against a mode at distance d: CERTAIN where it is too light to count."""
    doubt = p.weight_doubt - (weight - p.low_weight) * p.doubt_slope
    odds = HALF * d - p.threshold + select(doubt > ZERO, doubt, ZERO)
    return select(weight > p.low_weight, odds, CERTAIN)


@inline
def score_tile(s, n, t, pixel, flicker, p, shadows, shadow):
    """Return the bytes of evidence and of the owner, with `shadows` flagged where an even one would explain more."""
    y = luma_of(pixel, p)
    weight = s.weights[t, 0]
    d = distance(s, t, 0, pixel, y, p)
    odds = log_odds(d, weight, p)
    near = (d < p.match_distance) & (weight > ZERO)
    owner = select(near, ZERO, splat_like(y, np.float32(NOBODY)))
    for i in range(1, n):
        if all_(near):  # and no weight is read
            break
        weight = s.weights[t, i]
        waiting = ~near & (weight > ZERO)
        if not any_(waiting):  # weights fall from mode to mode
            break
        if any_(waiting & within_reach(s, t, i, y, weight, odds, p)):
            d = distance(s, t, i, pixel, y, p)
            other = log_odds(d, weight, p)
            odds = select(waiting & (other < odds), other, odds)
            here = waiting & (d < p.match_distance)
            owner = select(here, np.float32(i), owner)
            near = near | here
    odds = select(odds < CERTAIN, odds, CERTAIN)
    if shadows and any_(odds > ZERO):
        left = odds_of_shadow(s, n, t, pixel, y, odds > ZERO, ZERO, p, shadow)
        owner = owner + select((odds > ZERO) & (left < odds), splat_like(y, np.float32(SHADOW)), ZERO)
    excess = flicker - p.dead_zone
    odds = odds - p.flicker_doubt * select(excess > ZERO, excess, ZERO)
    odds = clip(odds, LEAST, CERTAIN)
    return convert(odds * np.float32(STEPS) + ROUNDED_ZERO_BYTE, np.uint8), convert(owner, np.uint8)


@inline
def dimming_of(s, t, pixel, p):
    """Return q, brightness beside that of the heaviest mode, as a byte; 0 where there is none."""
    mean = s.modes[0, t, MEAN_Y]
    q = luma_of(pixel, p) / select(mean > ONE, mean, ONE)
    known = clip(q * DIMMING_STEPS + HALF, ONE, np.float32(255))
    return convert(select(s.weights[t, 0] > ZERO, known, ZERO), np.uint8)


# --------------------------------------------------------------------------------------------------------- learning


@inline
def move_mode(s, t, i, hit, rate, pixel, y, ceiling, p):
    """Move mode i towards the pixels in the lanes `hit`."""
    mean, var = s.modes[i, t, MEAN_Y], s.modes[i, t, VAR_Y]
    difference = y - mean
    moved = clip(var + rate * (difference * difference - var), p.var_min_y, ceiling)
    s.modes[i, t, MEAN_Y] = select(hit, mean + rate * difference, mean)
    s.modes[i, t, VAR_Y] = select(hit, moved, var)
    if len(pixel) > 1:
        square = zeros_like(y)
        for c in range(1, len(pixel)):
            mean = s.modes[i, t, MEAN_C + c - 1]
            difference = chroma_of(pixel, y, c, p) - mean
            square = square + difference * difference
            s.modes[i, t, MEAN_C + c - 1] = select(hit, mean + rate * difference, mean)
        var = s.modes[i, t, VAR_C]
        moved = clip(var + rate * (HALF * square - var), p.var_min_c, ceiling)
        s.modes[i, t, VAR_C] = select(hit, moved, var)


@inline
def add_mode(s, t, n, new, alpha, pixel, y, p):
    """Start a mode at the pixels in the lanes `new`, in the first free place or in the last; return the new n."""
    waiting = new
    for i in range(min(n, p.last) + 1):
        weight = s.weights[t, i]
        here = with_room(waiting, weight, i, p.last)
        if any_(here):
            n = max(n, i + 1)
            waiting = waiting & ~here
            s.weights[t, i] = select(here, alpha, weight)
            var_y = splat_like(y, p.var_init_y)
            if len(pixel) == 1:
                start_mode(s, t, i, here, (var_y, y), PAST_EQUALS)
            else:
                red, blue = chroma_of(pixel, y, 1, p), chroma_of(pixel, y, 2, p)
                start_mode(s, t, i, here, (var_y, y, splat_like(y, p.var_init_c), red, blue), PAST_EQUALS)
    return n


@inline
def update_tile(s, n_modes, t, pixel, owner, alpha, learn, ceiling, p):
    """Learn 16 pixels, the lanes `learn` of them."""
    y = luma_of(pixel, p)
    n = np.int64(n_modes[t])
    keep = ONE - alpha
    first = learn & (owner == 0)
    for i in range(n):
        hit = learn & (owner == i)
        weight = s.weights[t, i] * keep
        if any_(hit):
            grown = weight + alpha
            share = alpha / grown
            move_mode(s, t, i, hit, select(share < ONE, share, ONE), pixel, y, ceiling, p)
            s.weights[t, i] = select(hit, grown, weight)
            if i > 0:
                rise(s, t, i, hit, rows_of_mode(len(pixel)), PAST_EQUALS)
        else:
            s.weights[t, i] = weight
    if not all_(first):
        new = learn & (owner == NOBODY)
        if any_(new):
            n_modes[t] = add_mode(s, t, n, new, alpha, pixel, y, p)


@inline
def together_now(t, owner, evidence, mask, raw, p):
    """Return how many frames tile t learns as one now: 1 unless its pixels look and looked like background, or none."""
    if not all_((owner < NOBODY) & (evidence <= ZERO_BYTE) & (mask == 0) & (raw == 0)):
        return 1
    n, turn = (p.together, p.turn) if all_(owner == 0) else (p.few, p.few_turn)
    return n if (t // BLOCK) & (n - 1) == turn else 0


@inline
def new_flicker(flicker, evidence, before, near, rate):
    """Return the flicker after a frame: near larger objects a change of sign is none."""
    raw = evidence > ZERO_BYTE
    blink = (raw ^ (before != 0)) & (near == 0)
    return flicker + rate * (select(blink, ONE, zeros_like(flicker)) - flicker), to_bytes(raw, 255)


# ------------------------------------------------------------------------------------------ runs of tiles lo to hi-1


@inline
def vectors_of(state):
    """Return the mixture with its arrays seen as rows of vectors."""
    return MixtureRows(rows(state.weights, LANES), rows(state.modes, LANES))


@inline
def fetch_tile(s, owner, t, n, n_weights, n_rows):
    """Ask for the memory of tile t: so many weights and the first mode; all of both where not all pixels have that."""
    moves = any_(owner != 0)
    fetch(s, t, n if moves else min(n, n_weights), n if moves else 1, n_rows)


@inline
def fetch_owned(s, owner, t, n, p, n_rows):
    """Ask for the memory of tile t that learning needs: all weights, and the modes that own a pixel or are replaced."""
    replaced = min(n, p.last) if any_(owner == np.uint8(NOBODY)) else -1
    for i in range(min(n, p.last) + 1):
        prefetch(s.weights, (t, i))
        if i == replaced or any_(owner == np.uint8(i)):
            for f in range(n_rows):
                prefetch(s.modes, (i, t, f))


@kernel
def score_tiles(image, state, planes, dimming, p, shadows, shadow, lo, hi):
    """Write the evidence and the owners of the tiles; `image` is (pixels,) or (pixels, 3), pixels a multiple of 16.

    With `shadows` pixels that may be one have the flag SHADOW, and `dimming`, (tiles, 16) uint8, receives q: what
    `evenness.explain_shadows` goes by; `shadow` is a Shadow.
    """
    before = flush_denormals()
    s, n_modes = vectors_of(state), state.n_modes
    evidence, owners = rows(planes.evidence, LANES), rows(planes.owner, LANES)
    flicker, closed = rows(planes.smooth_flicker, LANES), rows(planes.closed, LANES)
    dimmed = rows(dimming, LANES)
    n_rows = rows_of_mode(1 if image.ndim == 1 else 3)  # known to the compiler
    for t in range(lo, hi):
        if all_(closed[t] != 0):
            dimmed[t] = np.uint8(0)
            continue
        ahead = min(t + AHEAD, hi - 1)
        fetch_tile(s, owners[ahead], ahead, np.int64(n_modes[ahead]), 1, n_rows)  # by the owners of the last frame
        steady = convert(flicker[t], np.float32)
        pixel = pixels_of(image, s, t, p)
        evidence[t], owners[t] = score_tile(s, np.int64(n_modes[t]), t, pixel, steady, p, shadows, shadow)
        if shadows:
            dimmed[t] = dimming_of(s, t, pixel, p)
    restore_denormals(before)


@kernel
def update_tiles(image, state, planes, p, lo, hi):
    """Learn the tiles, at the rates that the mask asks for."""
    before = flush_denormals()
    s, n_modes = vectors_of(state), state.n_modes
    flicker_rows, raw = rows(state.flicker, LANES), rows(state.raw, LANES)
    evidence, owners, mask = rows(planes.evidence, LANES), rows(planes.owner, LANES), rows(planes.mask, LANES)
    near, smooth, flicker_bytes = (
        rows(planes.near, LANES),
        rows(planes.smooth_flicker, LANES),
        rows(planes.flicker, LANES),
    )
    closed = rows(planes.closed, LANES)
    n_rows = rows_of_mode(1 if image.ndim == 1 else 3)  # known to the compiler
    ahead, asked = lo, 0  # the next tile to be looked at; tiles whose memory has been asked for
    for t in range(lo, hi):
        while ahead < hi and asked < WAITING:
            if together_now(ahead, owners[ahead], evidence[ahead], mask[ahead], raw[ahead], p):
                fetch_owned(s, owners[ahead] & np.uint8(127), ahead, np.int64(n_modes[ahead]), p, n_rows)
                asked += 1
            ahead += 1
        together = together_now(t, owners[t], evidence[t], mask[t], raw[t], p)
        if not together:
            continue
        asked -= 1
        learn = closed[t] == 0
        if not any_(learn):
            continue
        times = np.float32(together)
        pixel = pixels_of(image, s, t, p)
        steady = convert(smooth[t], np.float32)
        slow = (mask[t] == FOREGROUND) & (steady < p.restless)
        alpha = select(slow, p.slow, splat_like(steady, times * p.alpha))
        alpha = select(mask[t] == GHOST, p.fast, alpha)
        alpha = select(learn, alpha, ZERO)
        ceiling = p.var_max + p.var_stretch * steady
        update_tile(s, n_modes, t, pixel, owners[t] & np.uint8(127), alpha, learn, ceiling, p)
        flicker, now = new_flicker(flicker_rows[t], evidence[t], raw[t], near[t], min(times * p.flicker_rate, ONE))
        flicker = select(learn, flicker, flicker_rows[t])
        flicker_rows[t] = flicker
        raw[t] = select(learn, now, raw[t])
        flicker_bytes[t] = convert(clip(flicker * FLICKER_STEPS + HALF, ZERO, np.float32(255)), np.uint8)
    restore_denormals(before)
