"""The still part of a scene: surfaces and props, ray-traced once, one picture for every light."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np

from .geometry import Camera, Surface
from .light import Light, visible
from .solids import Drawing, Face, Region, Solid, cast, patches
from .textures import Array

Sky = Callable[[Array], Array]
"""``directions (n, 3) -> radiance (n, 3)``, linear BGR."""


class Haze(NamedTuple):
    """Air that pales what is far away.

    Attributes
    ----------
    colour : ndarray, shape (3,)
        Light of the air itself.
    reach : float
        Depth in metres at which a third of the light is left.
    fog : bool
        So thick that props before the sky pale too; thin air pales them as it does what stands behind them.
    """

    colour: Array
    reach: float
    fog: bool = False

    def share(self, depth: Array) -> Array:
        """Share of the air in what is seen at `depth`."""
        return 1 - np.exp(-np.minimum(depth, 1e4) / self.reach)


@dataclass(frozen=True)
class Backdrop:
    """What :func:`paint` returns; ``s`` is the supersampling.

    Attributes
    ----------
    layers : dict of str to ndarray, shape (H, W, 3)
        Linear light that each light sends from the still scene to the camera; ``emission`` shines by itself.
    visibility : dict of str to ndarray, shape (H, W)
        How much of each light with samples reaches the surface.
    ground : ndarray, shape (H, W)
        Share of the pixel that is ground.
    depth : ndarray, shape (H * s, W * s)
        Depth of walls and props in metres, infinite on ground and sky.
    points, normals, albedo : ndarray, shape (H, W, 3)
        Geometry and colour at the pixel, for lights that move.
    """

    layers: dict[str, Array]
    visibility: dict[str, Array]
    ground: Array
    depth: Array
    points: Array
    normals: Array
    albedo: Array
    haze: Haze | None = None


def paint(
    camera: Camera,
    surfaces: Sequence[Surface],
    lights: Sequence[Light],
    props: Sequence[Sequence[Solid]] = (),
    sky: Sky | None = None,
    supersample: int = 3,
    haze: Haze | None = None,
) -> Backdrop:
    """Trace the still scene.

    Parameters
    ----------
    camera : Camera
        Where it is seen from.
    surfaces : sequence of Surface
        Ground, walls, boxes; they occlude each other and cast shadows.
    lights : sequence of Light
        Each gets its own layer, so that it can be dimmed later.
    props : sequence of sequences of Solid
        Parked cars, poles, bins: drawn over the surfaces, far ones first, with their shadows.
    sky : callable, optional
        Colour of rays that hit nothing.
    supersample : int
        Rays a pixel along each axis.
    haze : Haze, optional
        Air that pales what is far away.
    """
    tracer = _Trace(camera, surfaces, supersample)
    size = (camera.width, camera.height)
    fine: dict[str, Array] = {"emission": tracer.emission(sky)}
    visibility: dict[str, Array] = {}
    for light in lights:
        strength, free = tracer.receive(light)
        fine[light.name] = tracer.albedo * strength[..., None] * light.colour
        visibility[light.name] = cv2.resize(free, size, interpolation=cv2.INTER_AREA)
    _add_props(fine, tracer.depth, props, lights, camera, supersample, tracer.ground)
    if haze:
        depth = np.minimum(tracer.nearest, tracer.depth) if haze.fog else tracer.nearest
        share = haze.share(depth)[..., None].astype(np.float32)
        share[(tracer.which < 0) & np.isinf(depth)] = 0
        for layer in fine.values():
            layer *= 1 - share
        fine["emission"] += share * haze.colour
    shrink = {name: cv2.resize(layer, size, interpolation=cv2.INTER_AREA) for name, layer in fine.items()}
    step = slice(supersample // 2, None, supersample)
    return Backdrop(
        shrink,
        visibility,
        cv2.resize(tracer.ground.astype(np.float32), size, interpolation=cv2.INTER_AREA),
        tracer.depth,
        tracer.points[step, step],
        tracer.normals[step, step],
        cv2.resize(tracer.albedo, size, interpolation=cv2.INTER_AREA),
        haze,
    )


class _Trace:
    """First hits of all rays, at the fine resolution."""

    def __init__(self, camera: Camera, surfaces: Sequence[Surface], supersample: int):
        rays = camera.rays(supersample)
        self.fine = supersample
        self.eye, self.rays, self.surfaces = np.asarray(camera.position, float), rays, surfaces
        shape = rays.shape[:2]
        nearest: Array = np.full(shape, np.inf)
        self.which: Array = np.full(shape, -1)
        self.albedo = np.zeros((*shape, 3), np.float32)
        self.glow = np.zeros((*shape, 3), np.float32)
        self.normals = np.zeros((*shape, 3), np.float32)
        u, v = np.zeros(shape), np.zeros(shape)
        for index, surface in enumerate(surfaces):
            distance, along, up = surface.intersect(self.eye, rays)
            nearer = distance < nearest
            nearest[nearer], self.which[nearer] = distance[nearer], index
            u[nearer], v[nearer] = along[nearer], up[nearer]
        for index, surface in enumerate(surfaces):
            mask = self.which == index
            if mask.any():
                self.albedo[mask] = surface.material(u[mask], v[mask])
                normal = surface.frame[2]
                # A rectangle has no back: its normal looks at the camera.
                self.normals[mask] = normal if (self.eye - np.asarray(surface.corner)) @ normal > 0 else -normal
                if surface.emission is not None:
                    self.glow[mask] = surface.emission(u[mask], v[mask])
        on_ground = np.array([surface.ground for surface in surfaces] + [False])
        self.ground = on_ground[self.which]
        self.nearest = nearest
        self.points = (self.eye + np.where(np.isinf(nearest), 0, nearest)[..., None] * rays).astype(np.float32)
        # Rays have depth 1 along the optical axis, so their lengths are depths.
        self.depth = np.where(self.ground, np.inf, nearest).astype(np.float32)

    def emission(self, sky: Sky | None) -> Array:
        """Light that needs no lamp: the sky and shining surfaces."""
        glow = self.glow.copy()
        missed = self.which < 0
        if sky is not None and missed.any():
            glow[missed] = sky(self.rays[missed])
        return glow

    def receive(self, light: Light) -> tuple[Array, Array]:
        """Return incident strength and free share of a light, each ``(h, w)``."""
        # Light changes slowly: one ray in the middle of each pixel serves its sub-pixels on the same surface.
        fine = self.fine
        rows, columns = (np.arange(length) // fine * fine + fine // 2 for length in self.which.shape)
        spread = np.ix_(rows, columns)
        strength, free = np.zeros(self.which.shape, np.float32), np.ones(self.which.shape, np.float32)
        middle = np.zeros(self.which.shape, bool)
        middle[fine // 2 :: fine, fine // 2 :: fine] = True
        self._receive_at(middle & (self.which >= 0), light, strength, free)
        alone = self.which != self.which[spread]
        strength, free = strength[spread], free[spread]
        self._receive_at(alone & (self.which >= 0), light, strength, free)
        return self._smoothed(strength), free

    def _receive_at(self, where: Array, light: Light, strength: Array, free: Array) -> None:
        points, normals = self.points[where].astype(float), self.normals[where].astype(float)
        if light.samples is None:
            strength[where] = 0.75 + 0.25 * normals[:, 2]
            return
        reached, total = np.zeros(len(points)), np.zeros(len(points))
        lifted = points + 4e-3 * normals
        for sample in light.samples:
            seen = visible(lifted, sample, light.directional, self.surfaces)
            total += seen * light.incidence(points, normals, sample)
            reached += seen
        strength[where], free[where] = total / len(light.samples), reached / len(light.samples)

    def _smoothed(self, image: Array) -> Array:
        """Blur within each surface: few samples of a light leave faint steps in its penumbra."""
        result = image.copy()
        for index in np.unique(self.which[self.which >= 0]):
            mask = (self.which == index).astype(np.float32)
            weight = cv2.GaussianBlur(mask, (0, 0), 2.0)
            blurred = cv2.GaussianBlur(image * mask, (0, 0), 2.0) / np.maximum(weight, 1e-3)
            result[mask > 0] = blurred[mask > 0]
        return result


def _add_props(
    fine: dict[str, Array],
    depth: Array,
    props: Sequence[Sequence[Solid]],
    lights: Sequence[Light],
    camera: Camera,
    supersample: int,
    ground: Array,
) -> None:
    """Draw props and their shadows into the fine layers and depths, in place."""
    eye = np.asarray(camera.position, float)
    large = Camera(
        camera.position,
        camera.target,
        camera.focal * supersample,
        *(size * supersample for size in (camera.width, camera.height)),
    )
    whole = Region(0, large.height, 0, large.width)
    for light in lights:
        if light.shadows and light.samples is not None and props:
            shade = np.zeros(depth.shape, np.float32)
            for sample in light.samples:
                outlines = [shape for prop in props for shape in cast(prop, light, sample)]
                shade += Drawing(outlines, large).stamp(whole, 1) / len(light.samples)
            fine[light.name] *= (1 - shade * ground)[..., None]

    def anchor(prop: Sequence[Solid]) -> float:
        middle = np.mean([s.points.mean(axis=0) if isinstance(s, Face) else s.start for s in prop], axis=0)
        return float(camera.project(middle)[1])

    for prop in sorted(props, key=anchor, reverse=True):
        away = anchor(prop)
        for light in lights:
            drawing = Drawing(patches(prop, eye, light.irradiance), large)
            region = drawing.region(large)
            if region is None:
                continue
            colour, mask = drawing.fill(region, 1)
            seen = mask * (depth[region.slices] > away)
            fine[light.name][region.slices] *= (1 - seen)[..., None]
            fine[light.name][region.slices] += colour * seen[..., None]
        if region is not None:
            fine["emission"][region.slices] *= (1 - seen)[..., None]
            depth[region.slices] = np.where(seen > 0.5, away, depth[region.slices])
            ground[region.slices] &= seen < 0.5
