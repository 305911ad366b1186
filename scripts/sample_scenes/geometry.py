"""The pinhole camera and the flat surfaces of the world: x right, y ahead, z up, in metres."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .textures import Array, Material


def unit(vector: Array) -> Array:
    """Scale vectors (last axis) to length 1."""
    return vector / np.maximum(np.linalg.norm(vector, axis=-1, keepdims=True), 1e-9)


@dataclass(frozen=True)
class Camera:
    """A level pinhole camera.

    Attributes
    ----------
    position, target : tuple of float
        Where it stands and what lies in the middle of its picture, in metres.
    focal : float
        Focal length in pixels.
    width, height : int
        Picture size in pixels.
    """

    position: tuple[float, float, float]
    target: tuple[float, float, float]
    focal: float
    width: int
    height: int

    @property
    def axes(self) -> Array:
        """Right, down and forward as the rows of a 3x3 array."""
        forward = unit(np.subtract(self.target, self.position))
        right = unit(np.cross(forward, (0.0, 0.0, 1.0)))
        return np.stack([right, np.cross(forward, right), forward])

    def project(self, points: Array) -> tuple[Array, Array]:
        """Return pixel positions ``(..., 2)`` and depths ``(...)`` in metres along the optical axis."""
        local = (points - np.asarray(self.position)) @ self.axes.T
        depth = local[..., 2]
        near = np.maximum(depth, 0.2)
        x = self.width / 2 + self.focal * local[..., 0] / near
        y = self.height / 2 + self.focal * local[..., 1] / near
        return np.stack([x, y], axis=-1), depth

    def rays(self, supersample: int) -> Array:
        """Return one direction a sub-pixel, ``(height * s, width * s, 3)``, with depth 1 along the axis."""
        x = ((np.arange(self.width * supersample) + 0.5) / supersample - self.width / 2) / self.focal
        y = ((np.arange(self.height * supersample) + 0.5) / supersample - self.height / 2) / self.focal
        grid = np.stack(np.broadcast_arrays(x[None, :], y[:, None], 1.0), axis=-1)
        return grid @ self.axes

    def widened(self, margin: int) -> Camera:
        """Return the same view with `margin` more pixels on every side."""
        return Camera(self.position, self.target, self.focal, self.width + 2 * margin, self.height + 2 * margin)


@dataclass(frozen=True)
class MirroredCamera(Camera):
    """A camera as the ground mirrors it: below, looking up, each pixel sees what the ground shows in that pixel."""

    @classmethod
    def of(cls, camera: Camera) -> MirroredCamera:
        """Return the mirror image of a camera in the plane z = 0."""
        (x, y, z), (to_x, to_y, to_z) = camera.position, camera.target
        return cls((x, y, -z), (to_x, to_y, -to_z), camera.focal, camera.width, camera.height)

    @property
    def axes(self) -> Array:
        """Right, down and forward: those of the camera above with their heights reversed."""
        right, down, forward = super().axes
        return np.stack([right, -down, forward])


@dataclass(frozen=True)
class Surface:
    """A painted rectangle: ``corner + u * along + v * up`` for u, v up to the lengths of the two vectors."""

    corner: tuple[float, float, float]
    along: tuple[float, float, float]
    up: tuple[float, float, float]
    material: Material
    ground: bool = False
    emission: Material | None = None
    casts: bool = True

    @property
    def frame(self) -> tuple[Array, Array, Array, float, float]:
        """Unit vectors along, up and normal; then the two lengths."""
        along, up = np.asarray(self.along, float), np.asarray(self.up, float)
        a, b = unit(along), unit(up)
        return a, b, unit(np.cross(a, b)), float(np.linalg.norm(along)), float(np.linalg.norm(up))

    def intersect(self, origin: Array, direction: Array) -> tuple[Array, Array, Array]:
        """Return distance (in lengths of `direction`; inf where missed), u and v of each ray."""
        a, b, normal, length, height = self.frame
        facing = direction @ normal
        offset = (np.asarray(self.corner) - origin) @ normal
        with np.errstate(divide="ignore", invalid="ignore"):
            distance = offset / np.where(np.abs(facing) < 1e-9, np.nan, facing)
            hit = origin + distance[..., None] * direction - np.asarray(self.corner)
            u, v = hit @ a, hit @ b
            inside = (distance > 1e-3) & (u >= 0) & (u <= length) & (v >= 0) & (v <= height)
        return np.where(inside, distance, np.inf), u, v


def box(low: tuple[float, float, float], high: tuple[float, float, float], material: Material) -> list[Surface]:
    """Return the top and the four sides of an upright box."""
    x, y, z = low
    dx, dy, dz = np.subtract(high, low).tolist()
    rise = (0.0, 0.0, dz)
    return [
        Surface((x, y, z + dz), (dx, 0.0, 0.0), (0.0, dy, 0.0), material),
        Surface((x, y, z), (dx, 0.0, 0.0), rise, material),
        Surface((x, y + dy, z), (dx, 0.0, 0.0), rise, material),
        Surface((x, y, z), (0.0, dy, 0.0), rise, material),
        Surface((x + dx, y, z), (0.0, dy, 0.0), rise, material),
    ]
