"""Rain before the lens and on the ground."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from .textures import Array


@dataclass(frozen=True)
class Rain:
    """Streaks that are new in every frame, as drops cross the view within one exposure.

    Attributes
    ----------
    seed : int
        Seed of the streaks.
    density : float
        Streaks a thousand pixels.
    strength : float
        Linear light of the brightest streaks.
    slant : float
        Sideways travel as a share of the fall.
    """

    seed: int
    density: float = 3.0
    strength: float = 0.16
    slant: float = 0.12

    def over(self, index: int, light: Array, ground: Array) -> Array:
        """Return `light` with frame `index`'s streaks before it and splashes on `ground`."""
        height, width = light.shape[:2]
        rng = np.random.default_rng([self.seed, index])
        count = int(self.density * height * width / 1000)
        streaks: Array = np.zeros((height, width), np.float32)
        # Near drops are few, long, and bright; far ones many, short, and faint.
        nearness = rng.uniform(0.12, 1.0, count) ** 2.2
        starts = rng.uniform((-20, -30), (width + 20, height), (count, 2))
        falls = (6 + 26 * nearness) * height / 240
        for near, (x, y), fall in zip(nearness, starts, falls, strict=True):
            begin, end = (int(x * 8), int(y * 8)), (int((x - self.slant * fall) * 8), int((y + fall) * 8))
            value = float(self.strength * (0.25 + 0.6 * near) * rng.uniform(0.5, 1))
            cv2.line(streaks, begin, end, value, 1 + int(near > 0.75), cv2.LINE_8, 3)
        streaks = cv2.GaussianBlur(streaks, (0, 0), 0.7)
        splashes: Array = (rng.random((height, width)) < 0.004).astype(np.float32) * ground
        splashes = cv2.GaussianBlur(splashes, (0, 0), 0.8, sigmaY=0.5) * self.strength * 1.5
        return light * (1 - 0.6 * np.minimum(streaks, 1))[..., None] + (streaks + splashes)[..., None]
