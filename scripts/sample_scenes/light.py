"""Lights: what they give to a surface, and where they cast shadows.

A light is a handful of samples, directions for the sun and the sky, points for a window or a lamp: the shadow
of each sample is hard, and their mean has the penumbra of the whole light.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .geometry import Surface, unit
from .textures import Array


@dataclass(frozen=True)
class Light:
    """One light of a scene.

    Attributes
    ----------
    name : str
        Key of its layer in the backdrop and of its gain over time.
    colour : ndarray, shape (3,)
        Linear BGR strength.
    samples : ndarray, shape (n, 3), or None
        Unit directions towards the light (directional) or points on it; None for even light from everywhere.
    directional : bool
        Sun and sky: the same direction everywhere, no falloff.
    shadows : bool
        Moving objects cast shadows in it.
    beam : tuple of float or None
        Direction in which an area light (a window) faces, which dims it at slanting angles.
    """

    name: str
    colour: Array
    samples: Array | None = None
    directional: bool = True
    shadows: bool = False
    beam: tuple[float, float, float] | None = None

    def incidence(self, points: Array, normals: Array, sample: Array) -> Array:
        """Strength of one sample on surfaces ``(n, 3)``, occlusion aside; ``(n,)``."""
        if self.directional:
            return np.maximum(normals @ sample, 0)
        towards = sample - points
        square = np.maximum((towards**2).sum(-1), 0.04)
        towards = towards / np.sqrt(square)[..., None]
        strength = np.maximum((normals * towards).sum(-1), 0) / square
        if self.beam is not None:
            strength = strength * np.maximum(-(towards @ np.asarray(self.beam)), 0)
        return strength

    def shade(self, points: Array, normals: Array) -> Array:
        """Mean strength over a few samples on a moving object's surfaces, unoccluded; ``(n,)``."""
        if self.samples is None:
            return 0.75 + 0.25 * normals[..., 2]
        if self.directional and not self.shadows:
            return 0.25 * (1 + normals[..., 2])
        few = self.samples[:: max(1, len(self.samples) // 4)]
        return np.mean([self.incidence(points, normals, sample) for sample in few], axis=0)

    def irradiance(self, points: Array, normals: Array) -> Array:
        """Light of this lamp's colour on surfaces, unoccluded; ``(n, 3)``."""
        return self.shade(points, normals)[:, None] * self.colour

    def onto_ground(self, points: Array, sample: Array) -> Array:
        """Cast points along one sample onto the plane z = 0."""
        if self.directional:
            return points - sample * (points[..., 2:] / sample[2])
        # A sample below the object's top would throw the shadow to the horizon.
        raised = np.array([sample[0], sample[1], max(sample[2], 2.3)])
        share = points[..., 2:] / (raised[2] - np.minimum(points[..., 2:], 2.0))
        return points - (raised - points) * share


def visible(points: Array, sample: Array, directional: bool, surfaces: Sequence[Surface]) -> Array:
    """Tell for each point whether nothing stands between it and the light's sample."""
    free = np.ones(len(points), bool)
    reach = 1e9 if directional else 0.999
    for surface in surfaces:
        if not surface.casts or surface.ground:
            continue
        along, up, normal, length, height = surface.frame
        corner = np.asarray(surface.corner)
        approach = float(sample @ normal) if directional else (sample - points) @ normal
        with np.errstate(divide="ignore", invalid="ignore"):
            distance = ((corner - points) @ normal) / approach
        # Most points lie on the wrong side of the plane: the rest of the sum is for few.
        near = np.flatnonzero(free & (distance > 5e-3) & (distance < reach))
        towards = sample if directional else sample - points[near]
        hit = points[near] + distance[near, None] * towards - corner
        u, v = hit @ along, hit @ up
        free[near[(u >= 0) & (u <= length) & (v >= 0) & (v <= height)]] = False
    return free


def sun(name: str, colour: Array, azimuth: float, elevation: float, spread: float = 0.012) -> Light:
    """Directional light; angles in degrees, azimuth from x towards y; `spread` is its radius in radians."""
    around, up = np.radians(azimuth), np.radians(elevation)
    centre = np.array([np.cos(around) * np.cos(up), np.sin(around) * np.cos(up), np.sin(up)])
    side = unit(np.cross(centre, (0.0, 0.0, 1.0)))
    other = np.cross(centre, side)
    angles = np.arange(8) * 2.4
    radii = spread * np.sqrt((np.arange(8) + 0.5) / 8)
    offsets = radii[:, None] * (np.cos(angles)[:, None] * side + np.sin(angles)[:, None] * other)
    return Light(name, colour, unit(centre + offsets), shadows=True)


def sky(name: str, colour: Array, count: int = 20) -> Light:
    """Even light of the half sphere above, which walls and boxes occlude."""
    height = (np.arange(count) + 0.5) / count
    angle = np.arange(count) * 2.399963
    flat = np.sqrt(1 - height**2)
    return Light(name, colour, np.stack([flat * np.cos(angle), flat * np.sin(angle), height], axis=-1))


def panel(
    name: str,
    colour: Array,
    corner: tuple[float, float, float],
    along: tuple[float, float, float],
    up: tuple[float, float, float],
    facing: tuple[float, float, float] | None,
    shadows: bool = True,
) -> Light:
    """Area light: a window (`facing` into the room) or, with no facing, a lamp of that size."""
    u, v = np.meshgrid((np.arange(4) + 0.5) / 4, (np.arange(3) + 0.5) / 3)
    points = np.asarray(corner) + u.reshape(-1, 1) * np.asarray(along) + v.reshape(-1, 1) * np.asarray(up)
    return Light(name, colour, points, directional=False, shadows=shadows, beam=facing)


def everywhere(name: str, colour: Array) -> Light:
    """Even fill light: what walls and ground throw back."""
    return Light(name, colour)
