"""What a cast shadow explains: it dims the background, keeps its hue, and does both evenly.

A mode of weight above w_0 stands in a shadow where r = Y / max(mu_y, 1) is below 1, and not too low; how far hue and
evenness say so makes the evidence that is left::

    S <- min(S, A |chroma - r mu_chroma|^2 / (2 s v_c) + c_s - c
                - c_e (1 - u) clip((r - tau_e) / (tau - tau_e), 0, 1)
                + c_t clip((t - r) / m_t - 1, 0, 1))                    where  tau_e + (tau - tau_e) u < r < 1

An even shadow, u = 0 (`evenness`), may be darker, down to tau_e, and is believed more readily. And one light makes
shadows of one depth, t (`tone`): what is darker than they are is rather somebody's dark clothes. In fog light comes
from all sides, and what is even there is rather faint, so c_e is a share 1 / A of `even_credit`.
"""

from __future__ import annotations

from bgsub.background.adaptive.codes import CERTAIN, MEAN_C, MEAN_Y, VAR_C
from bgsub.background.adaptive.colour import chroma_of
from bgsub.background.modes import ONE, ZERO
from bgsub.simd import any_, clip, inline, select, splat_like, zeros_like


@inline
def shadow_odds(s, t, i, pixel, y, weight, uneven, p, shadow):
    """Return the evidence that is left if mode i stands in a shadow; CERTAIN where it cannot."""
    mean = s.modes[i, t, MEAN_Y]
    r = y / select(mean > ONE, mean, ONE)
    square = zeros_like(y)
    for c in range(1, len(pixel)):
        difference = chroma_of(pixel, y, c, p) - r * s.modes[i, t, MEAN_C + c - 1]
        square = square + difference * difference
    odds = square / s.modes[i, t, VAR_C] * shadow.precision + shadow.base
    odds = odds - shadow.even_credit * (ONE - uneven) * clip((r - shadow.even_darkest) * shadow.even_slope, ZERO, ONE)
    odds = odds + shadow.tone_doubt * clip((shadow.tone - r) * shadow.tone_slope - ONE, ZERO, ONE)
    darkest = shadow.even_darkest + (shadow.darkest - shadow.even_darkest) * uneven
    return select((weight > p.low_weight) & (r > darkest) & (r < ONE), odds, CERTAIN)


@inline
def odds_of_shadow(s, n, t, pixel, y, suspect, uneven, p, shadow):
    """Return the least evidence that a mode in shadow leaves of the pixels `suspect`, at most CERTAIN."""
    odds = splat_like(y, CERTAIN)
    for i in range(n):
        weight = s.weights[t, i]
        if not any_(suspect & (weight > p.low_weight)):  # weights fall from mode to mode
            break
        other = shadow_odds(s, t, i, pixel, y, weight, uneven, p, shadow)
        odds = select(other < odds, other, odds)
    return odds
