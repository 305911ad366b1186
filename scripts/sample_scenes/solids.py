"""What moving things and props are built of, capsules and flat faces, and how they are drawn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import cv2
import numpy as np

from .geometry import Camera, unit
from .light import Light
from .textures import Array

Shade = Callable[[Array, Array], Array]
"""``(points (n, 3), normals (n, 3)) -> irradiance (n, 3)``, linear BGR."""

_CIRCLE = np.linspace(0, 2 * np.pi, 10, endpoint=False)
_UP = np.array([0.0, 0.0, 1.0])


@dataclass(frozen=True)
class Capsule:
    """A limb: two spheres and the cone between them."""

    start: Array
    end: Array
    radius: float
    end_radius: float
    colour: Array


@dataclass(frozen=True)
class Face:
    """A flat polygon, seen only from its front (corners counter-clockwise) unless `both_sides`.

    `decals` lie on it and are drawn right after it; `gloss` mirrors that share of the sky; `emission` shines.
    """

    points: Array
    colour: Array
    gloss: float = 0.0
    emission: Array | None = None
    both_sides: bool = False
    decals: list[Face] = field(default_factory=list)

    @property
    def normal(self) -> Array:
        """Unit normal of the polygon (Newell's method: sound for any planar polygon)."""
        (x, y, z), (x1, y1, z1) = self.points.T, np.roll(self.points, -1, axis=0).T
        return unit(np.array([(y * z1 - z * y1).sum(), (z * x1 - x * z1).sum(), (x * y1 - y * x1).sum()]))


Solid = Capsule | Face


class Patch(NamedTuple):
    """One polygon to fill: corners in the world, final colour, and whether to fill their convex hull."""

    points: Array
    colour: Array
    hull: bool = False


def patches(solids: Sequence[Solid], eye: Array, shade: Shade) -> list[Patch]:
    """Turn solids into shaded polygons in painting order, the farthest from `eye` first."""
    limbs = [solid for solid in solids if isinstance(solid, Capsule)]
    keyed = _capsule_patches(limbs, eye, shade) if limbs else []
    faces = [solid for solid in solids if isinstance(solid, Face)]
    keyed += _face_patches(faces, eye, shade) if faces else []
    keyed.sort(key=lambda entry: -entry[0])
    return [patch for _, group in keyed for patch in group]


def _face_patches(faces: list[Face], eye: Array, shade: Shade) -> list[tuple[float, list[Patch]]]:
    seen: list[tuple[int, Face, Array, Array]] = []

    def look(group: int, face: Face) -> None:
        centre, normal = face.points.mean(axis=0), face.normal
        if (eye - centre) @ normal <= 0:
            if not face.both_sides:
                return
            normal = -normal
        seen.append((group, face, centre, normal))
        for decal in face.decals:
            look(group, decal)

    for group, face in enumerate(faces):
        look(group, face)
    if not seen:
        return []
    centres, normals = np.array([entry[2] for entry in seen]), np.array([entry[3] for entry in seen])
    direct, above = shade(centres, normals), shade(centres, np.broadcast_to(_UP, normals.shape))
    groups: dict[int, tuple[float, list[Patch]]] = {}
    for (group, face, centre, _), lit, sky in zip(seen, direct, above, strict=True):
        colour = face.colour * lit + face.gloss * sky
        if face.emission is not None:
            colour = colour + face.emission
        away = float(np.linalg.norm(centre - eye))
        groups.setdefault(group, (away, []))[1].append(Patch(face.points, colour))
    return list(groups.values())


def _capsule_patches(limbs: list[Capsule], eye: Array, shade: Shade) -> list[tuple[float, list[Patch]]]:
    start, end = np.array([c.start for c in limbs]), np.array([c.end for c in limbs])
    radius, end_radius = np.array([[c.radius] for c in limbs]), np.array([[c.end_radius] for c in limbs])
    colour = np.array([c.colour for c in limbs])
    middle = (start + end) / 2
    to_eye = eye - middle
    distance = np.linalg.norm(to_eye, axis=1)
    to_eye = to_eye / distance[:, None]
    long = np.linalg.norm(end - start, axis=1, keepdims=True) > 1e-3
    axis = np.where(long, unit(end - start), _UP)
    side = unit(np.cross(axis, to_eye))
    front = unit(to_eye - (to_eye * axis).sum(1, keepdims=True) * axis)
    rise = np.cross(to_eye, side)
    ring = np.cos(_CIRCLE)[:, None] * side[:, None] + np.sin(_CIRCLE)[:, None] * rise[:, None]
    outline = np.concatenate([start[:, None] + radius[:, None] * ring, end[:, None] + end_radius[:, None] * ring], 1)
    bands = [(-1.0, -0.4, -0.75), (-0.4, 0.4, 0.0), (0.4, 1.0, 0.75)]
    tones = [shade(middle, side * k + front * np.sqrt(1 - k * k)) * colour for _, _, k in bands]
    below = shade(middle, unit(front - 0.5 * _UP)) * colour
    above = shade(middle, unit(front + 0.6 * _UP)) * colour
    groups = []
    for i in range(len(limbs)):
        if long[i, 0]:
            group = [Patch(outline[i], tones[1][i], hull=True)]
            for (left, right, _), tone in zip(bands, tones, strict=True):
                corners = [
                    start[i] + left * radius[i] * side[i],
                    end[i] + left * end_radius[i] * side[i],
                    end[i] + right * end_radius[i] * side[i],
                    start[i] + right * radius[i] * side[i],
                ]
                group.append(Patch(np.array(corners), tone[i], hull=True))
        else:
            inner = start[i] + 0.22 * radius[i] * _UP + 0.72 * radius[i] * ring[i]
            group = [Patch(outline[i], below[i], hull=True), Patch(inner, above[i], hull=True)]
        groups.append((float(distance[i]), group))
    return groups


def cast(solids: Sequence[Solid], light: Light, sample: Array) -> list[Patch]:
    """Return the shadows that solids throw onto the ground in one sample of a light."""
    limbs = [solid for solid in solids if isinstance(solid, Capsule)]
    outlines = [solid.points for solid in solids if isinstance(solid, Face)]
    flat_count = len(outlines)
    if limbs:
        # A body is small beside its distance to a lamp: one direction serves all its limbs.
        towards = sample if light.directional else unit(sample - limbs[0].start)
        side = unit(np.cross(towards, (0.3, 0.9, 0.1)))
        ring = np.cos(_CIRCLE)[:, None] * side + np.sin(_CIRCLE)[:, None] * np.cross(towards, side)
        outlines += [
            np.concatenate([limb.start + limb.radius * ring, limb.end + limb.end_radius * ring]) for limb in limbs
        ]
    if not outlines:
        return []
    points = np.concatenate(outlines)
    points[:, 2] = np.maximum(points[:, 2], 0)
    fallen = np.split(light.onto_ground(points, sample), np.cumsum([len(outline) for outline in outlines])[:-1])
    return [Patch(outline, _UP, hull=i >= flat_count) for i, outline in enumerate(fallen)]


class Region(NamedTuple):
    """A rectangle of the picture, in whole pixels."""

    top: int
    bottom: int
    left: int
    right: int

    @property
    def slices(self) -> tuple[slice, slice]:
        """Index of the rectangle in an image."""
        return slice(self.top, self.bottom), slice(self.left, self.right)

    def grown(self, pad: int, camera: Camera) -> Region:
        """Return the rectangle with `pad` more pixels on every side, inside the picture."""
        return Region(
            max(self.top - pad, 0),
            min(self.bottom + pad, camera.height),
            max(self.left - pad, 0),
            min(self.right + pad, camera.width),
        )


class Drawing:
    """Polygons projected into a camera, ready to be filled at several times the resolution."""

    def __init__(self, shapes: Sequence[Patch], camera: Camera):
        self.shapes: list[tuple[Array, Array]] = []
        if not shapes:
            return
        pixels, depths = camera.project(np.concatenate([shape.points for shape in shapes]))
        begin = 0
        for shape in shapes:
            stop = begin + len(shape.points)
            if depths[begin:stop].min() > 0.3:
                corners: Array = pixels[begin:stop].astype(np.float32)
                if shape.hull:
                    corners = cv2.convexHull(corners)[:, 0]
                self.shapes.append((corners, shape.colour))
            begin = stop

    def region(self, camera: Camera) -> Region | None:
        """Bounding rectangle inside the picture, or None where nothing of it is in view."""
        if not self.shapes:
            return None
        corners = np.concatenate([points for points, _ in self.shapes])
        low, high = np.floor(corners.min(axis=0)) - 2, np.ceil(corners.max(axis=0)) + 3
        left, top = np.maximum(low, 0).astype(int).tolist()
        right, bottom = np.minimum(high, (camera.width, camera.height)).astype(int).tolist()
        return Region(top, bottom, left, right) if right > left and bottom > top else None

    def fill(self, region: Region, supersample: int) -> tuple[Array, Array]:
        """Return colour premultiplied by coverage ``(h, w, 3)`` and coverage ``(h, w)`` of a region."""
        height, width = region.bottom - region.top, region.right - region.left
        colour = np.zeros((height * supersample, width * supersample, 3), np.float32)
        mask = np.zeros(colour.shape[:2], np.float32)
        for points, tone in self._placed(region, supersample):
            cv2.fillPoly(colour, [points], tone.tolist(), shift=4)
            cv2.fillPoly(mask, [points], 1.0, shift=4)
        size = (width, height)
        return cv2.resize(colour, size, interpolation=cv2.INTER_AREA), cv2.resize(
            mask, size, interpolation=cv2.INTER_AREA
        )

    def stamp(self, region: Region, supersample: int) -> Array:
        """Return the coverage alone, ``(h, w)`` in 0..1."""
        mask = np.zeros(
            ((region.bottom - region.top) * supersample, (region.right - region.left) * supersample), np.uint8
        )
        for points, _ in self._placed(region, supersample):
            cv2.fillPoly(mask, [points], 255, shift=4)
        size = (region.right - region.left, region.bottom - region.top)
        return cv2.resize(mask, size, interpolation=cv2.INTER_AREA).astype(np.float32) / 255

    def _placed(self, region: Region, supersample: int) -> list[tuple[Array, Array]]:
        corner = np.array([region.left, region.top], np.float32)
        scale = 16 * supersample
        return [
            (np.clip((points - corner) * scale - 8, -2e6, 2e6).astype(np.int32), tone) for points, tone in self.shapes
        ]


def joint_region(drawings: Sequence[Drawing], camera: Camera) -> Region | None:
    """Smallest rectangle that holds every drawing."""
    found = [region for drawing in drawings if (region := drawing.region(camera))]
    if not found:
        return None
    top, bottom, left, right = zip(*found, strict=True)
    return Region(min(top), max(bottom), min(left), max(right))
