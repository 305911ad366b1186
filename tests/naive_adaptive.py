"""The slow, obvious reference of the adaptive mixture: one pixel, one mode and one line of arithmetic at a time.

Nothing of bgsub is imported here. Numbers are float32, rounded after each operation. Only what happens within a pixel
is done: evidence and its owner, shadows, learning and flicker, and the constants of a frame that these need. What a
pixel hears of its surroundings (what the mask says of it, whether a large object is near, how far the neighbourhood
flickers, whether it rests) is handed in; `naive_policy` does all of that.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tests.naive_shadows import ShadowConstants, odds_in_shadow

f32 = np.float32
CERTAIN, LEAST = f32(11.875), f32(-20)
OBJECT, LEFT = 255, 1  # in the mask that is learned: an object; the place that one has left

Colour = tuple[np.float32, list[np.float32]]  # Y, and [Cr, Cb] or, for grey, []

ABSORBED = 0.186  # weight at which a Gaussian that is well matched counts as background


@dataclass(frozen=True)
class Constants:
    """What the equations of one frame need beside the pixels; float32 but for the counts."""

    luma: tuple[np.float32, ...]  # shares of blue, green and red in Y, times the gain; of grey the gain alone
    chroma: tuple[np.float32, np.float32]
    gain: np.float32
    clipped: np.float32  # channels from here on are bounds
    most: np.float32  # the highest value that means something
    acuity: np.float32  # factor of squared distances
    alpha: np.float32  # learning rate of background
    slow: np.float32  # of objects
    fast: np.float32  # of the places that objects have left
    match: np.float32
    offset: np.float32
    low_weight: np.float32
    prior: np.float32
    prior_slope: np.float32
    steadiness: np.float32  # evidence asked for by a 1024th of flicker beyond the dead zone
    dead_zone: np.float32  # 1024ths, as `restless`
    restless: np.float32
    blink_rate: np.float32
    var_init_y: np.float32
    var_init_c: np.float32
    var_min_y: np.float32
    var_min_c: np.float32
    var_max: np.float32
    var_stretch: np.float32
    n_components: int
    together: int  # frames that are learned as one at rest
    turn: int  # which of so many blocks learns at rest
    few: int  # the same where several modes are seen
    few_turn: int


def constants_of(
    p: dict[str, Any],
    n_learned: int,
    rate: float | None,
    gain: float,
    liveliness: float,
    colour: bool,
    seconds: float | None = None,
    acuity: float = 1.0,
) -> Constants:
    """Return the constants of the frame that comes after `n_learned` others, from the descriptions of the parameters.

    `rate` is the caller's, `gain` brings the frame to the background's light, `liveliness` is 0 for a calm scene and 1
    for one in motion, `seconds` have passed since the frame before: those of one frame unless told; `acuity` is above 1
    in fog.
    """
    number = n_learned + 1
    alpha = 1 / min(number, p["history"]) if rate is None or number == 1 else rate
    slow = alpha
    if number > 3:  # until then what stands there may be the background
        per_second = p["absorption_time"] * p["frame_rate"]
        absorbing = ABSORBED / per_second if seconds is None else seconds * ABSORBED / p["absorption_time"]
        early = alpha if number <= p["taper"] else alpha * p["taper"] / number
        slow = min(alpha, max(absorbing, early))
    if not p["compensate_light"]:
        gain = 1.0
    new = min(0.4, (1 - liveliness) * p["early_doubt"] / max(n_learned, 1))  # weight that a few early frames can give
    together = max([1, *(n for n in (2, 4, 8, 16) if n * alpha <= 0.04)])
    few = min(4, together)
    dead_zone = p["flicker_still"] + liveliness * (p["flicker_lively"] - p["flicker_still"])
    return Constants(
        luma=tuple(f32(share * gain) for share in ((0.114, 0.587, 0.299) if colour else (1.0,))),
        chroma=(f32(0.713), f32(0.564)),
        gain=f32(gain),
        clipped=f32(250 if gain != 1 else np.inf),
        most=f32(255 / gain if gain > 1 else np.inf),
        acuity=f32(acuity),
        alpha=f32(alpha),
        slow=f32(slow),
        fast=f32(max(p["ghost_rate"], alpha)),
        match=f32(p["match_distance"]),
        offset=f32(p["threshold"]),
        low_weight=f32(p["low_weight"] + new),
        prior=f32(p["weight_doubt"]),
        prior_slope=f32(p["weight_doubt"] / p["weight_span"]),
        steadiness=f32(p["flicker_doubt"] / 1024),
        dead_zone=f32(1024 * dead_zone),
        restless=f32(1024 * p["restless"]),
        blink_rate=f32(p["flicker_rate"]),
        var_init_y=f32(p["var_init_y"]),
        var_init_c=f32(p["var_init_c"]),
        var_min_y=f32(p["var_min_y"]),
        var_min_c=f32(p["var_min_c"]),
        var_max=f32(p["var_max"]),
        var_stretch=f32(p["var_max"] * p["var_stretch"] / 1024),
        n_components=p["n_components"],
        together=together,
        turn=n_learned % together,
        few=few,
        few_turn=(n_learned % few) ^ ((n_learned // few * 40503 // 65536) % few),
    )


@dataclass
class AdaptiveMode:
    """One Gaussian of one pixel; chroma is empty for grey."""

    weight: np.float32
    luma: np.float32
    luma_variance: np.float32
    chroma: list[np.float32]
    chroma_variance: np.float32


@dataclass
class AdaptivePixel:
    """What is known of one pixel: its modes, heaviest first, its flicker, and the sign of its last evidence."""

    modes: list[AdaptiveMode] = field(default_factory=list)
    flicker: np.float32 = field(default_factory=f32)
    was_positive: bool = False


@dataclass
class Verdict:
    """What one frame says of one pixel: evidence L, the mode that is near (None without), whether it is a shadow."""

    evidence: np.float32
    owner: int | None
    shadow: bool


class NaiveAdaptive:
    """The adaptive mixture of a row of pixels."""

    def __init__(self, n_pixels: int, n_components: int) -> None:
        self.n_components = n_components
        self.pixels = [AdaptivePixel() for _ in range(n_pixels)]

    # -------------------------------------------------------------------------------------------------- evidence

    def score(
        self,
        colours: list[Colour],
        flicker: np.ndarray,
        constants: Constants,
        shadow: ShadowConstants | None,
        uneven: Callable[[int], np.float32],
    ) -> list[Verdict]:
        """Judge the pixels of a frame; `flicker` is that of their surroundings, in 1024ths.

        With `shadow` a shadow may explain them, for which is asked how unevenly the surroundings of a pixel are dimmed.
        """
        verdicts = []
        for i, (pixel, colour, trembling) in enumerate(zip(self.pixels, colours, flicker, strict=True)):
            distances = distances_of(pixel, colour, constants)
            owner = _owner(pixel, distances, constants)
            asked = distances if owner is None else distances[: owner + 1]  # the lighter ones are not asked
            odds = _odds(pixel, asked, constants)
            is_shadow = False
            if shadow is not None and odds > 0:
                odds = min(odds, _odds_in_shadow(pixel, colour, uneven(i), constants, shadow))
                is_shadow = bool(odds <= 0)
            odds = odds - constants.steadiness * max(f32(trembling) - constants.dead_zone, f32(0))
            verdicts.append(Verdict(max(odds, LEAST), owner, is_shadow))
        return verdicts

    # -------------------------------------------------------------------------------------------------- learning

    def begin(self) -> list[Verdict]:
        """Say of the first frame that nothing is known: every pixel will get its first mode."""
        return [Verdict(LEAST, None, False) for _ in self.pixels]

    def update(
        self,
        colours: list[Colour],
        verdicts: list[Verdict],
        evidence: np.ndarray,
        constants: Constants,
        *,
        mask: np.ndarray,
        near: np.ndarray,
        flicker: np.ndarray,
        closed: np.ndarray,
        pace: np.ndarray,
    ) -> None:
        """Learn a frame; `evidence` is a byte, foreground above 160; near and closed count where not 0.

        `mask` is OBJECT, LEFT or 0. Objects learn slowly where nothing flickers, so that they stay objects for long;
        a place that one has left learns fast, since only the ground will be seen there. `pace` is 1 where the pixel
        learns, 0 where it leaves this frame out, more where it makes up for some left out.
        """
        c = constants
        for i, pixel in enumerate(self.pixels):
            if closed[i] or not pace[i]:
                continue
            steady = f32(flicker[i])
            alpha = f32(pace[i]) * c.alpha
            if mask[i] == OBJECT and steady < c.restless:
                alpha = c.slow
            elif mask[i] == LEFT:
                alpha = c.fast
            self._move(pixel, colours[i], verdicts[i].owner, alpha, c.var_max + c.var_stretch * steady, c)
            positive = bool(evidence[i] > 160)
            blinks = positive != pixel.was_positive and not near[i]
            pixel.flicker = pixel.flicker + min(f32(pace[i]) * c.blink_rate, f32(1)) * (f32(blinks) - pixel.flicker)
            pixel.was_positive = positive

    def _move(
        self,
        pixel: AdaptivePixel,
        colour: Colour,
        owner: int | None,
        alpha: np.float32,
        ceiling: np.float32,
        c: Constants,
    ) -> None:
        y, chroma = colour
        for mode in pixel.modes:
            mode.weight = mode.weight * (f32(1) - alpha)
        if owner is None:
            pixel.modes = [mode for mode in pixel.modes if mode.weight > 0][: self.n_components - 1]
            pixel.modes.append(AdaptiveMode(alpha, y, c.var_init_y, chroma, c.var_init_c))
            _rise(pixel.modes, len(pixel.modes) - 1)
            return
        mode = pixel.modes[owner]
        mode.weight = mode.weight + alpha
        share = min(alpha / mode.weight, f32(1))
        square = (y - mode.luma) * (y - mode.luma)
        mode.luma = mode.luma + share * (y - mode.luma)
        mode.luma_variance = _within(mode.luma_variance + share * (square - mode.luma_variance), c.var_min_y, ceiling)
        if chroma:
            square = f32(0.5) * _square(chroma, mode.chroma)
            mode.chroma = [m + share * (x - m) for x, m in zip(chroma, mode.chroma, strict=True)]
            mode.chroma_variance = _within(
                mode.chroma_variance + share * (square - mode.chroma_variance), c.var_min_c, ceiling
            )
        _rise(pixel.modes, owner)


def bounded(image: np.ndarray, pixels: list[AdaptivePixel], c: Constants) -> np.ndarray:
    """Return pixels, (N,) or (N, 3), as what may have been seen that is nearest to their heaviest mode, float32.

    A clipped channel was that bright or brighter; and nothing is brighter than white in the background's light.
    """
    likely = image.astype(np.float32)
    for i, pixel in enumerate(pixels):
        if pixel.modes:
            mode = pixel.modes[0]
            expected = np.array(bgr_of(mode.luma, mode.chroma) if mode.chroma else mode.luma, np.float32) / c.gain
            likely[i] = np.where(likely[i] >= c.clipped, np.maximum(likely[i], expected), likely[i])
    return np.minimum(likely, c.most)


def bgr_of(y: np.float32, chroma: list[np.float32]) -> list[float]:
    """Return the channels of a colour, by the inverse of what makes Y, Cr and Cb of them."""
    red, blue = y + chroma[0] / 0.713, y + chroma[1] / 0.564
    return [blue, (y - 0.114 * blue - 0.299 * red) / 0.587, red]


def colours_of(image: np.ndarray, c: Constants) -> list[Colour]:
    """Return Y and Cr, Cb (none for grey) of pixels, (N,) or (N, 3), in the background's light."""
    image = image.astype(np.float32)
    if image.ndim == 1:
        return [(y, []) for y in image * c.luma[0]]
    blue, green, red = image.T
    y = blue * c.luma[0] + green * c.luma[1] + red * c.luma[2]
    planes = (y, (red * c.gain - y) * c.chroma[0], (blue * c.gain - y) * c.chroma[1])
    return [(luma, [cr, cb]) for luma, cr, cb in zip(*planes, strict=True)]


def distances_of(pixel: AdaptivePixel, colour: Colour, c: Constants) -> list[np.float32]:
    """Return D, the squared Mahalanobis distance, of each mode."""
    y, chroma = colour
    distances = []
    for mode in pixel.modes:
        d = (y - mode.luma) * (y - mode.luma) / mode.luma_variance
        if chroma:
            d = d + _square(chroma, mode.chroma) / mode.chroma_variance
        distances.append(d * c.acuity)
    return distances


def _odds(pixel: AdaptivePixel, distances: list[np.float32], c: Constants) -> np.float32:
    """Return S without shadows."""
    least = CERTAIN
    for mode, d in zip(pixel.modes, distances, strict=False):
        if mode.weight > c.low_weight:
            doubt = c.prior - (mode.weight - c.low_weight) * c.prior_slope
            least = min(least, f32(0.5) * d - c.offset + max(doubt, f32(0)))
    return least


def _odds_in_shadow(
    pixel: AdaptivePixel, colour: Colour, uneven: np.float32, c: Constants, shadow: ShadowConstants
) -> np.float32:
    """Return the least evidence that a shadow leaves."""
    told = [odds_in_shadow(*colour, mode, uneven, shadow) for mode in pixel.modes if mode.weight > c.low_weight]
    return min([CERTAIN, *(odds for odds in told if odds is not None)])


def _owner(pixel: AdaptivePixel, distances: list[np.float32], c: Constants) -> int | None:
    """Return the first mode that is near."""
    for i, (mode, d) in enumerate(zip(pixel.modes, distances, strict=True)):
        if mode.weight > 0 and d < c.match:
            return i
    return None


def _square(a: list[np.float32], b: list[np.float32]) -> np.float32:
    total = f32(0)
    for x, y in zip(a, b, strict=True):
        total = total + (x - y) * (x - y)
    return total


def _within(value: np.float32, low: np.float32, high: np.float32) -> np.float32:
    return min(max(value, low), high)


def _rise(modes: list[AdaptiveMode], i: int) -> None:
    """Move mode `i` up past every lighter one."""
    while i > 0 and modes[i].weight > modes[i - 1].weight:
        modes[i], modes[i - 1] = modes[i - 1], modes[i]
        i -= 1
