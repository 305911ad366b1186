"""The slow, obvious reference of the adaptive model's shadows: one pixel at a time, and the tone of a scene.

Nothing of bgsub is imported here. A shadow dims the background, keeps its hue, does both evenly, and is as dark as the
scene's other shadows.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

f32 = np.float32
STEPS = f32(255 / 1.2)  # bytes to brightness as of the background


@dataclass(frozen=True)
class ShadowConstants:
    """What the equations need; float32."""

    darkest: np.float32
    precision: np.float32
    base: np.float32
    even_credit: np.float32
    even_darkest: np.float32
    even_slope: np.float32
    even_variance: np.float32
    uneven_slope: np.float32
    tone: np.float32
    tone_doubt: np.float32
    tone_slope: np.float32


def shadow_constants_of(p: dict[str, Any], depth: float, sure: float, acuity: float = 1.0) -> ShadowConstants:
    """Return the constants of a scene whose shadows are that deep, as far as that is known; `acuity` is more in fog."""
    darkest = p["shadow_threshold"]
    low, high = p["even_spread"] ** 2, p["uneven_spread"] ** 2
    values = {
        "darkest": darkest,
        "precision": acuity / (2 * p["shadow_spread"]),
        "base": p["shadow_doubt"] - p["threshold"],
        "even_credit": p["even_credit"] / acuity,
        "even_darkest": p["even_depth"] * darkest,
        "even_slope": 1 / max(darkest - p["even_depth"] * darkest, 1e-6),
        "even_variance": low,
        "uneven_slope": 1 / (high - low),
        "tone": depth,
        "tone_doubt": sure * p["tone_doubt"],
        "tone_slope": 1 / p["tone_margin"],
    }
    return ShadowConstants(**{name: f32(value) for name, value in values.items()})


def within(value: np.float32, low: float = 0, high: float = 1) -> np.float32:
    """Return a value kept from `low` to `high`."""
    return min(max(value, f32(low)), f32(high))


def odds_in_shadow(
    luma: np.float32,
    chroma: list[np.float32],
    mode: Any,
    uneven: np.float32,
    c: ShadowConstants,
) -> np.float32 | None:
    """Return the evidence that is left of a pixel if a Gaussian stands in a shadow; None where it cannot."""
    r = luma / max(mode.luma, f32(1))
    if not c.even_darkest + (c.darkest - c.even_darkest) * uneven < r < 1:
        return None
    apart = f32(0)
    for x, m in zip(chroma, mode.chroma, strict=True):
        apart = apart + (x - r * m) * (x - r * m)
    odds = apart / mode.chroma_variance * c.precision + c.base
    odds = odds - c.even_credit * (f32(1) - uneven) * within((r - c.even_darkest) * c.even_slope)
    return odds + c.tone_doubt * within((c.tone - r) * c.tone_slope - f32(1))


def dimming_of(luma: np.float32, pixel: Any) -> int:
    """Return brightness beside that of the heaviest Gaussian as a byte; 0 without one."""
    if not pixel.modes:
        return 0
    q = luma / max(pixel.modes[0].luma, f32(1))
    return math.floor(within(q * STEPS + f32(0.5), 1, 255))


def unevenness(dimming: np.ndarray, y: int, x: int, c: ShadowConstants) -> np.float32:
    """Return 0 where the picture is dimmed evenly around a pixel, 1 where it is not: of nine pixels, two apart."""
    near = [
        int(dimming[row, column])
        for row in (y - 2, y, y + 2)
        for column in (x - 2, x, x + 2)
        if 0 <= row < dimming.shape[0] and 0 <= column < dimming.shape[1] and dimming[row, column]
    ]
    if not near:
        return f32(0)
    n, total, squares = f32(len(near)), f32(sum(near)), f32(sum(q * q for q in near))
    variance = (squares - total * total / n) / n * f32(1 / STEPS**2)
    return within((variance - c.even_variance) * c.uneven_slope)


class NaiveTones:
    """How many pixels within shadows are dimmed by how much: twelve twentieths from .4 to 1, old frames fading."""

    def __init__(self) -> None:
        self.bins = [0.0] * 12

    def learn(self, shadow: np.ndarray, known: np.ndarray, dimming: np.ndarray) -> int:
        """Count the pixels of a frame that have shadow all around; return how many."""
        self.bins = [0.998 * n for n in self.bins]
        counted = 0
        for y, x in np.argwhere(shadow & ~known).tolist():
            square = shadow[max(0, y - 1) : y + 2, max(0, x - 1) : x + 2]
            twentieth = int(dimming[y, x]) * 20 * 1.2 / 255 - 8 + 1e-9
            if square.size == 9 and square.all():
                counted += 1
                if 0 <= twentieth < 12:
                    self.bins[int(twentieth)] += 1
        return counted

    def tone(self) -> tuple[float, float]:
        """Return how deep the scene's shadows are, and how sure that is."""
        total = sum(self.bins)
        if total < 500:
            return 0.5, 0.0
        wide = [sum(self.bins[max(0, i - 1) : i + 2]) for i in range(12)]
        peak = next(i for i in range(12) if wide[i] >= 0.6 * max(wide))
        while peak < 11 and wide[peak + 1] > wide[peak]:
            peak += 1
        members = [i for i in (peak - 1, peak, peak + 1) if 0 <= i < 12]
        mean = sum(i * self.bins[i] for i in members) / wide[peak]
        share = (wide[peak] / total - 0.25) / 0.4
        return 0.425 + 0.05 * mean, min(max(share, 0.0), 1.0) * min(total / 5000, 1.0)
