"""Rippling water: waves of many lengths that tilt the mirror of bank and sky."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from .geometry import Camera, unit
from .textures import Array, srgb

_FINE = 2
_WIDE, _HIGH = 1.2, 1.5


class Water:
    """A lake at z = 0.

    Parameters
    ----------
    camera : Camera
        Where it is seen from.
    area : callable
        ``(x, y) -> bool``: where the water is.
    mirrored : callable
        ``directions (n, 3) -> radiance (n, 3)``: what the water mirrors.
    seed : int
        Seed of the waves.
    """

    def __init__(
        self,
        camera: Camera,
        area: Callable[[Array, Array], Array],
        mirrored: Callable[[Array], Array],
        seed: int,
    ):
        self.camera, self.mirrored = camera, _panorama(mirrored)
        rays = camera.rays(_FINE)
        eye = np.asarray(camera.position)
        down = rays[..., 2] < -1e-3
        distance = np.where(down, -eye[2] / np.where(down, rays[..., 2], -1), 0)
        points = eye + distance[..., None] * rays
        self.mask = down & area(points[..., 0], points[..., 1]) & (distance < 150)
        self.points, self.rays = points[self.mask], unit(rays[self.mask])
        rng = np.random.default_rng(seed)
        lengths = np.geomspace(0.22, 3.2, 14)
        angles = rng.normal(0.4, 0.55, 14)
        self.waves = (2 * np.pi / lengths)[:, None] * np.stack([np.cos(angles), np.sin(angles)], -1)
        self.rates = np.sqrt(9.81 * 2 * np.pi / lengths)
        self.phases = rng.uniform(0, 6.28, 14)
        self.slopes = 0.02 * rng.uniform(0.6, 1.2, 14)
        # Waves shorter than a pixel there average out.
        pixel = distance[self.mask] / camera.focal * np.maximum(2.0, 0.5 / np.maximum(-self.rays[:, 2], 0.02))
        self.fading = np.exp(-((0.5 * pixel[None] / lengths[:, None]) ** 2)).astype(np.float32)

    def light(self, time: float) -> tuple[Array, Array]:
        """Return the water's linear light ``(H, W, 3)`` and its share of each pixel ``(H, W)``."""
        x, y = self.points[:, 0], self.points[:, 1]
        gust = 0.7 + 0.3 * np.sin(0.35 * x - 0.25 * y + 1.1 * time)
        slope = np.zeros((len(x), 2))
        for wave, rate, phase, steep, fading in zip(
            self.waves, self.rates, self.phases, self.slopes, self.fading, strict=True
        ):
            swing = steep * fading * np.cos(wave[0] * x + wave[1] * y - rate * time + phase)
            slope += swing[:, None] * (wave / np.linalg.norm(wave))
        slope *= gust[:, None]
        normal = unit(np.column_stack([-slope, np.ones(len(x))]))
        facing = np.clip(-(self.rays * normal).sum(1), 0.01, 1)
        away = self.rays + 2 * facing[:, None] * normal
        away[:, 2] = np.maximum(away[:, 2], 0.01)
        fresnel = (0.03 + 0.97 * (1 - facing) ** 5)[:, None]
        body = srgb(0x2C4238) * (0.55 + 0.25 * gust[:, None])
        fine = np.zeros((*self.mask.shape, 3), np.float32)
        fine[self.mask] = fresnel * self._looked_up(away) + (1 - fresnel) * body
        size = (self.camera.width, self.camera.height)
        share = cv2.resize(self.mask.astype(np.float32), size, interpolation=cv2.INTER_AREA)
        return cv2.resize(fine, size, interpolation=cv2.INTER_AREA), share

    def _looked_up(self, directions: Array) -> Array:
        """Return the mirrored world in some directions, from its panorama."""
        rows, columns = self.mirrored.shape[:2]
        along = np.arctan2(directions[:, 0], directions[:, 1]) / (2 * _WIDE) + 0.5
        column, row = along * columns - 0.5, np.sqrt(np.arcsin(directions[:, 2]) / _HIGH) * rows - 0.5
        # OpenCV's tables hold fewer than 32768 entries a side: fold the list into a square.
        side = int(np.ceil(np.sqrt(len(directions))))
        maps = [np.resize(place, side * side).reshape(side, side).astype(np.float32) for place in (column, row)]
        found = cv2.remap(self.mirrored, maps[0], maps[1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return found.reshape(-1, 3)[: len(directions)]


def _panorama(world: Callable[[Array], Array]) -> Array:
    """Paint the world above the horizon: columns are angles around, rows roots of angles up."""
    along = ((np.arange(1500) + 0.5) / 1500 - 0.5) * 2 * _WIDE
    up = ((np.arange(400) + 0.5) / 400) ** 2 * _HIGH
    around, rise = np.meshgrid(along, up)
    flat = np.cos(rise)
    return world(np.stack([flat * np.sin(around), flat * np.cos(around), np.sin(rise)], axis=-1)).astype(np.float32)
