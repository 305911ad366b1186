"""A small boat with somebody in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .paths import Path
from .solids import Capsule, Face, Solid
from .textures import Array, srgb

_UP = np.array([0.0, 0.0, 1.0])


@dataclass(frozen=True)
class Boat:
    """A boat on a path, pitching a little.

    Attributes
    ----------
    path : Path
        Way over the water.
    hull, cabin : int
        Colours as ``0xRRGGBB``.
    length : float
        Metres.
    """

    path: Path
    hull: int = 0xE0E2E0
    cabin: int = 0xB8452E
    length: float = 5.2

    def active(self, time: float) -> bool:
        """Tell whether the boat is in the scene."""
        return self.path.active(time)

    def anchor(self, time: float) -> Array:
        """Point on the water below its middle."""
        return self.path.position(time)

    def solids(self, time: float) -> list[Solid]:
        """Return hull, cabin and steersman at `time`."""
        heading = self.path.heading(time)
        ahead, left = (
            np.array([np.cos(heading), np.sin(heading), 0]),
            np.array([-np.sin(heading), np.cos(heading), 0]),
        )
        pitch = 0.03 * np.sin(2.1 * time)
        centre = self.path.position(time) + 0.03 * np.sin(2.9 * time) * _UP
        half = self.length / 2

        def at(x: float, y: float, z: float) -> Array:
            return centre + x * ahead + y * left + (z + pitch * x) * _UP

        deck = [(-half, 0.7), (0.1 * half, 0.85), (0.65 * half, 0.55), (half, 0.0)]
        rim = [*deck, *[(x, -y) for x, y in reversed(deck[:-1])]]
        water = [(0.93 * x, 0.78 * y) for x, y in rim]
        paint, trim = srgb(self.hull), srgb(self.cabin)
        parts: list[Solid] = [Face(np.array([at(x, y, 0.62) for x, y in rim]), srgb(0x9A7A50), both_sides=True)]
        for i in range(len(rim)):
            j = (i + 1) % len(rim)
            side = np.array([at(*rim[i], 0.66), at(*rim[j], 0.66), at(*water[j], 0.0), at(*water[i], 0.0)])
            stripe = side[[3, 2, 1, 0]].copy()
            stripe[2:] = stripe[:2] + 0.28 * (stripe[[3, 2]] - stripe[:2])[::-1]
            parts.append(Face(side, paint, 0.04, both_sides=True, decals=[Face(stripe, trim, both_sides=True)]))
        parts += self._cabin(at, trim)
        seat = at(-0.55 * half, 0.0, 0.62)
        jacket = srgb(0x2A3E66)
        parts.append(Capsule(seat + 0.1 * _UP, seat + 0.62 * _UP, 0.17, 0.19, jacket))
        parts.append(Capsule(seat + 0.55 * _UP + 0.15 * left, seat + 0.35 * _UP + 0.4 * ahead, 0.07, 0.05, jacket))
        parts.append(Capsule(seat + 0.92 * _UP, seat + 0.92 * _UP, 0.12, 0.12, srgb(0xC99A7C)))
        return parts

    def _cabin(self, at: Callable[[float, float, float], Array], trim: Array) -> list[Solid]:
        low, high = [(-0.3, 0.5), (1.0, 0.45)], [(-0.3, 0.45), (0.75, 0.4)]
        foot = [at(x, s * y, 0.64) for s in (1, -1) for x, y in (low if s > 0 else low[::-1])]
        roof = [at(x, s * y, 1.3) for s in (1, -1) for x, y in (high if s > 0 else high[::-1])]
        parts: list[Solid] = [Face(np.array(roof), srgb(0xE8E8E4), both_sides=True)]
        for i in range(4):
            j = (i + 1) % 4
            wall = np.array([foot[i], foot[j], roof[j], roof[i]])
            middle = wall.mean(axis=0)
            glass = Face(middle + (wall - middle) * 0.68, srgb(0x27303A), 0.2, both_sides=True)
            parts.append(Face(wall, trim, both_sides=True, decals=[glass]))
        return parts
