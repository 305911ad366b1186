"""Trees in the wind: every leaf a small polygon that swings with its branch and flutters by itself."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from .geometry import Camera, unit
from .light import Light
from .textures import Array, srgb

_FINE = 2


@dataclass(frozen=True)
class Wind:
    """Gusts that run over the trees.

    Attributes
    ----------
    strength : float
        Swing of the outer twigs in metres.
    pace : float
        Swings a second.
    """

    strength: float = 0.16
    pace: float = 0.45

    def gust(self, time: float) -> float:
        """Strength of the wind at a time, as a share."""
        return 0.6 + 0.3 * np.sin(2 * np.pi * time / 5.3 + 0.6) + 0.15 * np.sin(2 * np.pi * time / 2.1)


class Foliage:
    """Leaves of one crown or bush.

    Parameters
    ----------
    seed : int
        Seed of the places, sizes and tones of the leaves.
    centre, radii : tuple of float
        Ellipsoid of the crown in metres.
    count : int
        Number of leaves (clumps of leaves, rather).
    leaf : float
        Radius of a clump in metres.
    colour : int
        ``0xRRGGBB``.
    """

    def __init__(
        self,
        seed: int,
        centre: tuple[float, float, float],
        radii: tuple[float, float, float],
        count: int = 900,
        leaf: float = 0.15,
        colour: int = 0x5C7A34,
    ):
        rng = np.random.default_rng(seed)
        lumps = unit(rng.normal(size=(12, 3))) * 0.62
        within = unit(rng.normal(size=(count, 3))) * rng.uniform(0.1, 0.5, (count, 1)) ** 0.6
        place = lumps[rng.integers(len(lumps), size=count)] + within * 0.62
        self.places = np.asarray(centre) + place * np.asarray(radii)
        self.places[:, 2] = np.maximum(self.places[:, 2], 0.05)
        angles = rng.uniform(0, 6.28, (count, 1)) + np.arange(5) * 1.2566
        across, over = unit(rng.normal(size=(count, 3))), unit(rng.normal(size=(count, 3)))
        size = leaf * rng.uniform(0.5, 1.2, (count, 1, 1))
        self.shapes = size * (
            np.cos(angles)[..., None] * across[:, None] + 0.7 * np.sin(angles)[..., None] * over[:, None]
        )
        self.phase, self.rate = rng.uniform(0, 6.28, count), rng.uniform(1.2, 2.8, count)
        # Outer and upper leaves swing more, and are lit better.
        reach = np.linalg.norm(place, axis=1)
        self.freedom = np.clip(0.25 + 0.5 * reach + 0.3 * place[:, 2], 0.1, 1.2)
        self.albedo = srgb(colour) * (rng.uniform(0.6, 1.4, (count, 1)))
        self.reach, self.outward = reach, unit(place + 0.4 * rng.normal(size=place.shape))

    def polygons(self, time: float, wind: Wind) -> Array:
        """Return the leaves' corners at a time, ``(n, 5, 3)``."""
        x, y = self.places[:, 0], self.places[:, 1]
        wave = 2 * np.pi * wind.pace * time - 0.55 * x - 0.3 * y
        swing = wind.gust(time - 0.08 * float(x.mean())) * (0.5 + np.sin(wave) + 0.4 * np.sin(2.3 * wave + 1))
        flutter = 0.3 * np.sin(2 * np.pi * self.rate * time + self.phase)
        amount = wind.strength * self.freedom
        shift = np.stack(
            [amount * (swing + flutter), 0.4 * amount * flutter, 0.3 * amount * (flutter - 0.3 * swing)], -1
        )
        turn = 1 + 0.25 * np.sin(2 * np.pi * self.rate * time + 2 * self.phase)
        return self.places[:, None] + shift[:, None] + self.shapes * turn[:, None, None]

    def tones(self, lights: list[Light]) -> Array:
        """Return the light that each leaf sends to the camera, ``(n, 3)``."""
        inside = np.clip(1.5 * self.reach - 0.25, 0.12, 1)[:, None]
        total = np.zeros_like(self.albedo)
        for light in lights:
            total += light.shade(self.places, self.outward)[:, None] * light.colour
            if light.shadows:
                # Leaves let some light through.
                total += 0.2 * light.colour
        return self.albedo * total * inside


class Grove:
    """Several crowns drawn together, and the dappled shadow they throw."""

    def __init__(self, crowns: list[Foliage], wind: Wind, camera: Camera, lights: list[Light]):
        self.crowns, self.wind, self.camera = crowns, wind, camera
        self.sun = next((light for light in lights if light.shadows), None)
        tones = np.concatenate([crown.tones(lights) for crown in crowns])
        depths = np.concatenate([camera.project(crown.places)[1] for crown in crowns])
        self.order = np.argsort(-depths)
        self.tones = tones[self.order].astype(np.float32)

    def draw(self, time: float, light: Array) -> Array:
        """Draw the leaves over `light`, in place; return their coverage ``(H, W)``."""
        corners = np.concatenate([crown.polygons(time, self.wind) for crown in self.crowns])[self.order]
        pixels, _ = self.camera.project(corners)
        points = np.clip((pixels * _FINE - 0.5) * 16, -1e6, 1e6).astype(np.int32)
        height, width = light.shape[:2]
        colour = np.zeros((height * _FINE, width * _FINE, 3), np.float32)
        mask = np.zeros(colour.shape[:2], np.uint8)
        for outline, tone in zip(points, self.tones.tolist(), strict=True):
            cv2.fillConvexPoly(colour, outline, tone, cv2.LINE_8, 4)
            cv2.fillConvexPoly(mask, outline, 255, cv2.LINE_8, 4)
        share = cv2.resize(mask, (width, height), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
        light *= 1 - share[..., None]
        light += cv2.resize(colour, (width, height), interpolation=cv2.INTER_AREA)
        return share

    def dapple(self, time: float, size: tuple[int, int]) -> Array:
        """Return the share of the sun that the leaves keep from the ground, ``(H, W)``."""
        mask = np.zeros(size, np.uint8)
        if self.sun is None or self.sun.samples is None:
            return mask.astype(np.float32)
        for crown in self.crowns:
            fallen = self.sun.onto_ground(crown.polygons(time, self.wind), self.sun.samples[0])
            pixels, depth = self.camera.project(fallen)
            points = np.clip((pixels - 0.5) * 16, -1e6, 1e6).astype(np.int32)
            for outline, near in zip(points, depth.min(axis=1), strict=True):
                if near > 0.5:
                    cv2.fillConvexPoly(mask, outline, 255, cv2.LINE_8, 4)
        return cv2.GaussianBlur(mask.astype(np.float32) / 255, (0, 0), 1.0)
