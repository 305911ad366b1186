"""Zivkovic's adaptive mixture, sixteen pixels at a time, in OpenCV's order of operations.

A pixel has up to K Gaussians ("modes"), heaviest first, each with a weight w, a mean per channel and one variance v.
A frame moves them by incremental EM (Zivkovic 2004, equations 4 to 8 and 14; alpha is the learning rate, c_T the
complexity prior), where the first mode that is near enough owns the pixel (o = 1) and no other does (o = 0)::

    w    <- (1 - alpha) w + alpha o - alpha c_T        and w <- 0 below alpha c_T, then all sum to 1
    mean <- mean + (alpha / w) (x - mean)              for the owner only
    v    <- v + (alpha / w) (|x - mean|^2 - v)         for the owner only, kept in var_min .. var_max

With no owner, a new mode of weight alpha and variance var_init starts at x, in place of the last if there are K.

A *tile* is 16 consecutive pixels of the flat image, one a lane. Masks equal OpenCV's because every float32 operation
is the same and in the same order; the speed comes from doing sixteen pixels at once and skipping what no lane needs:

* every lane matched its first mode (the usual case): below it only weights change;
* a lower mode is read only if some lane has not matched yet, and written only if some lane matches there;
* inserting, sorting, pruning and the shadow test run only for tiles that need them;
* what a tile will need, judged by the last frame, is fetched from memory while the tiles before it are worked on.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bgsub.background.modes import ONE, ZERO, MixtureRows, fetch, rise, start_mode, with_room
from bgsub.background.mog2.step import MODE_SCALE, WEIGHT_SCALE
from bgsub.simd import (
    LANES,
    all_,
    any_,
    clip,
    fixed_point,
    flush_denormals,
    inline,
    kernels_of,
    load_pixels,
    none_like,
    restore_denormals,
    rows,
    select,
    splat_like,
    to_bytes,
    zeros_like,
)

kernel = kernels_of(__name__)

# Constants that are no parameters; of each its origin, as `parameters.Origin` defines the words.
AHEAD = 24  # cost: tiles between asking for memory and using it: about the time that memory takes to answer
WEIGHTS_AHEAD = 5  # cost: modes whose weights are asked for, mostly all: beyond them lies the next tile's first row
PAST_EQUALS = True  # opencv: a mode rises past others of its weight, as OpenCV's do

VAR, MEAN = 0, 1  # rows of a mode: its variance, then its mean in each channel

FAINT = np.float32(1e-30)  # opencv: weight of a pruned mode that is still listed: adds nothing to a sum of weights

LEARN, OUTSIDE, KNOWN_FOREGROUND = 0, 1, 2  # what a gate says of a pixel


class State(NamedTuple):
    """The mixture of every pixel, in tiles of 16; float32, or uint16 fixed point for the compact state.

    A weight of exactly 0 means that there is no such mode; the modes that there are come first.
    """

    weights: np.ndarray  # (tiles, K, 16)
    modes: np.ndarray  # (K, tiles, 1 + channels, 16): first modes lie together, where most of the work is
    n_modes: np.ndarray  # (tiles,) uint8: the most modes that a lane has, at least 1
    depth: np.ndarray  # (tiles + AHEAD,) uint8: last mode visited in the last frame; a hint, not part of the model


class Gated(NamedTuple):
    """A mixture of which some pixels are not to learn."""

    state: State
    gates: np.ndarray  # (tiles, 16) uint8: LEARN, OUTSIDE or KNOWN_FOREGROUND
    scratch: np.ndarray  # (K, 2 + channels, 16) float32: room for a tile, of one call alone


# ------------------------------------------------------------------------------------------- one mode of one tile


@inline
def squared_distance(s, t, i, pixel, scale):
    """Return |scale * mean - pixel|^2 for mode i."""
    difference = scale * s.modes[i, t, MEAN] - pixel[0]
    total = difference * difference
    for c in range(1, len(pixel)):
        difference = scale * s.modes[i, t, MEAN + c] - pixel[c]
        total = total + difference * difference
    return total


@inline
def visit(s, t, i, pixel, weight, candidates, p):
    """Compare the pixels with mode i and move it towards them in the lanes where it matches."""
    var = s.modes[i, t, VAR]
    distance = squared_distance(s, t, i, pixel, ONE)
    near = candidates & (distance < p.var_threshold * var)
    matched = candidates & (distance < p.var_threshold_gen * var)
    if any_(matched):
        grown = weight + p.alpha
        rate = p.alpha / grown
        for c in range(len(pixel)):
            mean = s.modes[i, t, MEAN + c]
            s.modes[i, t, MEAN + c] = select(matched, mean - rate * (mean - pixel[c]) + p.dither, mean)
        s.modes[i, t, VAR] = select(matched, clip(rate * (distance - var) + var, p.var_min, p.var_max), var)
        weight = select(matched, grown, weight)
    return weight, matched, near


@inline
def drop_last_instead(s, t, i, n, pruned):
    """Keep mode i - 1 of the lanes `pruned`, with no weight, and drop their last mode, unseen.

    When OpenCV prunes a mode it shortens the list by one without closing the gap: the pruned mode lives on with
    weight 0, and may match again, while the last mode is lost. Mostly the two are the same mode; here they are not.
    """
    s.weights[t, i - 1] = select(pruned, FAINT, s.weights[t, i - 1])
    for j in range(n - 1, i - 1, -1):
        last = pruned & (s.weights[t, j] > ZERO)
        s.weights[t, j] = select(last, ZERO, s.weights[t, j])
        pruned = pruned & ~last


# ------------------------------------------------------------------------------------------- all modes of one tile


@inline
def normalise(s, t, n, total):
    """Make the weights of each pixel add up to one."""
    share = select(total > ZERO, ONE / total, ONE)
    for i in range(n):
        s.weights[t, i] = s.weights[t, i] * share


@inline
def insert(s, t, n, pixel, new, p):
    """Start a mode at the pixel in the lanes `new`: in the first free place, else in place of the last."""
    waiting = new
    for i in range(min(n, p.last) + 1):
        weight = s.weights[t, i]
        here = with_room(waiting, weight, i, p.last)
        weight = select(here, p.alpha if i else ONE, select(new, weight * p.decay, weight))
        s.weights[t, i] = weight
        if any_(here):
            n = max(n, i + 1)
            waiting = waiting & ~here
            start_mode(s, t, i, here, (splat_like(pixel[0], p.var_init), *pixel), PAST_EQUALS)
    return n


@inline
def in_shadow(s, t, n, pixel, foreground, p):
    """Return the lanes of `foreground` that are a darker version of a background mode.

    As in Prati et al. 2003: a = x.mean / |mean|^2 is the pixel's brightness beside the mode's, and it is shadow where
    tau <= a <= 1 and |a mean - x|^2 < var_threshold v a^2.
    """
    looking = foreground
    shadow = none_like(foreground)
    total = zeros_like(pixel[0])
    for i in range(n):
        mean = s.modes[i, t, MEAN]
        dot, norm = pixel[0] * mean, mean * mean
        for c in range(1, len(pixel)):
            mean = s.modes[i, t, MEAN + c]
            dot, norm = dot + pixel[c] * mean, norm + mean * mean
        weight = s.weights[t, i]
        looking = looking & (weight > ZERO) & (norm > ZERO)
        darker = looking & (dot <= norm) & (dot >= p.shadow_threshold * norm)
        if any_(darker):
            a = dot / norm
            found = darker & (squared_distance(s, t, i, pixel, a) < p.var_threshold * s.modes[i, t, VAR] * a * a)
            shadow = shadow | found
            looking = looking & ~found
        total = total + weight
        looking = looking & (total <= p.background_ratio)
        if not any_(looking):
            break
    return shadow


@inline
def mask_of(s, t, n, pixel, background, p, shadows):
    """Return the mask: 0 background, `shadow_value` shadow, 255 foreground."""
    foreground = ~background
    value = to_bytes(foreground, 255)
    if shadows and any_(foreground):
        value = select(in_shadow(s, t, n, pixel, foreground, p), p.shadow_value, value)
    return value


@inline
def keep(s, t, i, weight, listed, p):
    """Store the weight of mode i, 0 where it has become too light; return it, and the lanes `listed` where it has."""
    stays = listed & (weight >= p.limit)
    weight = select(stays, weight, ZERO)
    s.weights[t, i] = weight
    return weight, listed & ~stays


@inline
def update_tile(s, n_modes, depth, t, pixel, p, shadows):
    """Learn 16 pixels and return their mask.

    `NaiveMOG2._update` in ``tests/naive.py`` does the same for one pixel, in plain Python: read that first. Here its
    loop over modes runs for 16 pixels at once, as far as the longest list. Of mode i, `listed` are the lanes that have
    it, `hit` those whose pixel it owns; `matched` are those whose pixel is owned by it or a heavier one, and `pruned`
    those where the mode before it has just lost its weight.
    """
    fetch(s, t + AHEAD, WEIGHTS_AHEAD, depth[t + AHEAD] + 1, 1 + len(pixel))
    n = np.int64(n_modes[t])
    weight = s.weights[t, 0]
    listed = weight > ZERO
    weight, matched, background = visit(s, t, 0, pixel, p.decay * weight - p.limit, listed, p)
    weight, pruned = keep(s, t, 0, weight, listed, p)
    above = total = weight  # of the mode before, and of all so far
    alone = all_(matched)  # the usual case: below its first mode, weights are all that changes
    deepest = 0
    for i in range(1, n):
        weight = s.weights[t, i]
        listed = weight > ZERO
        if any_(pruned & listed):
            drop_last_instead(s, t, i, n, pruned & listed)
            weight = s.weights[t, i]
            listed = weight > ZERO
        weight = p.decay * weight - p.limit
        rising = none_like(matched)
        if not alone:
            candidates = listed & ~matched
            if any_(candidates):
                weight, hit, near = visit(s, t, i, pixel, weight, candidates, p)
                background = background | near & (total < p.background_ratio)
                matched = matched | hit
                rising = hit & (weight >= above)
                deepest = i
        weight, pruned = keep(s, t, i, weight, listed, p)
        above = weight
        total = total + weight
        if not alone and any_(rising):
            rise(s, t, i, rising, 1 + len(pixel), PAST_EQUALS)
            above = s.weights[t, i]
    normalise(s, t, n, total)
    if n > 1 and not any_(weight > ZERO):
        n -= 1
    if not alone and not all_(matched):
        n = insert(s, t, n, pixel, ~matched, p)
    n_modes[t] = n
    depth[t] = deepest
    return mask_of(s, t, n, pixel, background, p, shadows)


@inline
def classify_tile(s, n, t, pixel, p, shadows):
    """Return the mask of 16 pixels and learn nothing."""
    waiting = s.weights[t, 0] > ZERO
    background = none_like(waiting)
    total = zeros_like(pixel[0])
    for i in range(n):
        weight = s.weights[t, i]
        waiting = waiting & (weight > ZERO)
        if not any_(waiting):
            break
        distance = squared_distance(s, t, i, pixel, ONE)
        var = s.modes[i, t, VAR]
        background = background | waiting & (total < p.background_ratio) & (distance < p.var_threshold * var)
        waiting = waiting & ~(distance < p.var_threshold_gen * var)
        total = total + weight
    return mask_of(s, t, n, pixel, background, p, shadows)


@inline
def update_gated_tile(s, n_modes, depth, t, pixel, gate, old, p, shadows):
    """Learn the lanes whose gate is open, put back what the others had, and return the mask.

    Gates close around the edge of a region or an object, so few tiles come here: learning all 16 lanes and undoing
    some costs little and leaves the equations above alone. `old` is room for the tile's state.
    """
    learn = gate == LEARN
    before = n_modes[t]
    n_rows = 1 + len(pixel)
    for i in range(p.last + 1):
        old[i, n_rows] = s.weights[t, i]
        for f in range(n_rows):
            old[i, f] = s.modes[i, t, f]
    value = update_tile(s, n_modes, depth, t, pixel, p, shadows)
    for i in range(p.last + 1):
        s.weights[t, i] = select(learn, s.weights[t, i], old[i, n_rows])
        for f in range(n_rows):
            s.modes[i, t, f] = select(learn, s.modes[i, t, f], old[i, f])
    n_modes[t] = max(before, n_modes[t])
    return select(learn, value, to_bytes(gate == KNOWN_FOREGROUND, 255))


# ------------------------------------------------------------------------------------------------- runs of tiles
# Each entry point works on the tiles lo to hi - 1. `image` (pixels, or pixels x 3) and `out` (tiles, 16) begin with
# tile `first`. `shadows` is spelled out as a constant where speed matters most, which keeps the test out of the loop.


@inline
def as_vectors(state):
    """Return the mixture with its arrays seen as rows of vectors."""
    return MixtureRows(fixed_point(state.weights, WEIGHT_SCALE, LANES), fixed_point(state.modes, MODE_SCALE, LANES))


@kernel
def update_tiles(image, state, out, first, p, shadows, lo, hi):
    """Learn the tiles and write their masks."""
    before = flush_denormals()
    s, mask, n_modes, depth = as_vectors(state), rows(out, LANES), state.n_modes, state.depth
    if shadows:
        for t in range(lo, hi):
            mask[t - first] = update_tile(s, n_modes, depth, t, load_pixels(image, t - first), p, True)
    else:
        for t in range(lo, hi):
            mask[t - first] = update_tile(s, n_modes, depth, t, load_pixels(image, t - first), p, False)
    restore_denormals(before)


@kernel
def classify_tiles(image, state, out, first, p, shadows, lo, hi):
    """Write the masks of the tiles and change nothing else."""
    s, mask, n_modes = as_vectors(state), rows(out, LANES), state.n_modes
    for t in range(lo, hi):
        mask[t - first] = classify_tile(s, np.int64(n_modes[t]), t, load_pixels(image, t - first), p, shadows)


@kernel
def update_gated_tiles(image, gated, out, first, p, shadows, lo, hi):
    """Learn and mask the pixels whose gate is LEARN.

    The mask of pixels OUTSIDE is 0, of KNOWN_FOREGROUND 255; neither changes the model.
    """
    before = flush_denormals()
    state, gates, scratch = gated
    s, mask, n_modes, depth = as_vectors(state), rows(out, LANES), state.n_modes, state.depth
    gate_rows, old = rows(gates, LANES), rows(scratch, LANES)
    for t in range(lo, hi):
        gate = gate_rows[t]
        if all_(gate == LEARN):
            mask[t - first] = update_tile(s, n_modes, depth, t, load_pixels(image, t - first), p, shadows)
        elif any_(gate == LEARN):
            pixel = load_pixels(image, t - first)
            mask[t - first] = update_gated_tile(s, n_modes, depth, t, pixel, gate, old, p, shadows)
        else:
            mask[t - first] = to_bytes(gate == KNOWN_FOREGROUND, 255)
    restore_denormals(before)
