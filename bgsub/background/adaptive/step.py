"""The constants of one frame as the engines take them; `constants` computes them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np


class Step(NamedTuple):
    """The constants of one frame, `p` in what follows; float32 where nothing else is said.

    They have the names of the parameters where they are these. Flicker is counted in bytes here, `FLICKER_STEPS` to 1.
    """

    luma: Any  # tuple of 3: shares of B, G and R in Y (or 1, 0, 0 for grey), times `gain`
    chroma: Any  # tuple of 2: scales of R - Y and B - Y
    gain: Any  # g, brings the frame to the background's light
    clipped: Any  # value from which a channel is clipped; infinite where g is 1, and nothing need be done
    most: Any  # value that g brings to white, where g > 1; infinite else
    acuity: Any  # A, from `low_contrast` and `noise_margin`
    alpha: Any  # learning rate
    slow: Any  # learning rate of foreground, from `absorption_time` and `taper`
    fast: Any  # learning rate where an object has gone, from `ghost_rate`
    match_distance: Any
    threshold: Any  # c
    low_weight: Any  # w_0, raised by `early_doubt` in the first frames
    weight_doubt: Any  # c_w
    doubt_slope: Any  # c_w / (w_1 - w_0), from `weight_doubt` and `weight_span`
    flicker_doubt: Any  # kappa, per byte of flicker
    dead_zone: Any  # f_0 in bytes, from `flicker_still` and `flicker_lively`
    restless: Any  # in bytes
    flicker_rate: Any  # b
    var_init_y: Any
    var_init_c: Any
    var_min_y: Any
    var_min_c: Any
    var_max: Any
    var_stretch: Any  # growth of `var_max` per byte of flicker
    last: Any  # n_components - 1, int
    together: Any  # frames that a tile at rest learns as one, a power of 2, int
    turn: Any  # which of so many frames this is, int: those blocks of tiles learn that have the same number
    few: Any  # frames that a tile at rest learns as one where several modes are seen, a power of 2, int
    few_turn: Any  # the same of so many, in another order each time, int


class Shadow(NamedTuple):
    """The constants of what a shadow explains; float32."""

    darkest: Any  # tau, `shadow_threshold`
    precision: Any  # A / (2 s), from `shadow_spread`
    base: Any  # c_s - c, from `shadow_doubt` and `threshold`
    even_credit: Any  # c_e, from `even_credit` and A
    even_darkest: Any  # tau_e, from `even_depth` and `shadow_threshold`
    even_slope: Any  # 1 / (tau - tau_e)
    even_variance: Any  # e_0^2, from `even_spread`
    uneven_slope: Any  # 1 / (e_1^2 - e_0^2), from `even_spread` and `uneven_spread`
    tone: Any  # t, learned
    tone_doubt: Any  # c_t, from `tone_doubt` and how sure the tone is
    tone_slope: Any  # 1 / m_t, from `tone_margin`


NO_SHADOW = Shadow(*map(np.float32, (1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0)))
"""For frames without colour, whose shadows nothing tells from objects."""


class Neighbourhood(NamedTuple):
    """The constants of one frame beside those of `Step`; `neighbours` in what follows."""

    neighbour_radius: Any  # of the square of neighbours, int
    least_flicker: Any  # bytes from which a pixel is compared, int, from `neighbour_still` and `neighbour_lively`
    low_weight: Any  # w_0, not raised in the first frames
    doubt_slope: Any  # as in `Step`
    neighbour_doubt: Any  # c_n
    explained: Any  # evidence at which no better explanation is looked for


class Standing(NamedTuple):
    """The constants of the stage."""

    standing_gain: Any  # g
    standing_share: Any  # q_0
