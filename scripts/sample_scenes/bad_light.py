"""Street scenes in bad light: at night with headlights, and in the rain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np

from . import light as lighting
from . import textures
from .backdrop import Backdrop, Haze, paint
from .cars import Car, headlights
from .geometry import Camera, Surface, unit
from .outdoors import brick, drive, ground, house, plaster, street_ground, terrace
from .paths import Path
from .props import bin_at, lamp_post, parked, tree
from .scene import Scene, even
from .sensor import Sensor
from .stage import Actor, Stage
from .textures import Array, srgb
from .walkers import Walker
from .weather import Rain


def night(scale: float = 1.0) -> Scene:
    """Build a dark street with two street lamps; cars sweep their headlights over it."""
    camera = Camera((-4.9, -6.0, 4.6), (0.9, 11.0, 0.9), 345 * scale, even(384 * scale), even(288 * scale))
    orange, warm = srgb(0xFFC27A), srgb(0xFFDCA0)
    lamps = [lighting.panel(name, 19 * orange, (x, y, 5.9), (0.5, 0, 0), (0, 0.3, 0), (0.0, 0.0, -1.0))
             for name, x, y in (("near lamp", -3.2, 9.0), ("far lamp", 2.6, 25.0))]  # fmt: skip
    lights = [*lamps, lighting.sky("sky", 0.07 * srgb(0xA8B8E0)), lighting.everywhere("fill", 0.03 * orange)]

    def lit_windows(u: Array, v: Array) -> Array:
        column, row = np.floor(u / 2.4), np.floor(v / 3.1)
        du, dv = u - column * 2.4 - 1.2, v - row * 3.1
        pane = (np.abs(du) < 0.55) & (dv > 0.95) & (dv < 2.5) & (row > 0) & (textures.hashed(column, row, 990) > 0.6)
        return np.where(pane[..., None], 0.5 * warm * (0.6 + 0.4 * np.cos(du * 2))[..., None], 0)

    surfaces = [ground(street_ground)]
    surfaces += [replace(s, emission=lit_windows) for s in terrace() if s.up[2] > 0 and abs(s.along[1]) > 0]
    props = [
        lamp_post(-4.6, 9.0),
        lamp_post(4.5, 25.0, -1.4),
        parked(2.8, 15.5, True, "hatchback", 0x54606A),
        bin_at(4.4, 12.0),
    ]
    backdrop = paint(camera, surfaces, lights, props, lambda d: np.zeros_like(d) + 0.03 * srgb(0x9098B8), 3)
    cars = [
        Car(drive(-1.7, 2.6, 11.0, 70.0, -8.0), "saloon", 0x6A6E74, lamps=4.0),
        Car(drive(0.9, 6.0, 9.0, -12.0, 72.0), "hatchback", 0x7A2A2A, lamps=4.0),
        Car(drive(-1.7, 9.2, 12.0, 70.0, -8.0), "van", 0xA8A8A4, lamps=4.0),
    ]
    walkers = [
        Walker(Path([(1.5, 5.0, 27.0), (15.0, 5.2, 6.0)]), 0xB0A894, 0x3A3E48, coat=True),
        Walker(Path([(2.0, -6.0, 3.0), (15.0, -5.0, 21.0)]), 0x6A86A8, 0x4C4C58, bag=0x8A3A2A),
    ]

    def relight(time: float, points: Array, normals: Array) -> Array:
        total = np.zeros_like(points, dtype=np.float32)
        for car in cars:
            if car.active(time):
                total += _beams(car, time, points, normals)[:, None] * srgb(0xFFF2D4)
        return total

    stage = Stage(camera, backdrop, lights, [*cars, *walkers], shutter=0.03, relight=relight)
    return Scene(stage, Sensor(seed=5, full_well=650, read_noise=0.0045, glare=0.22, vignette=0.4), 20, 280)


def _beams(car: Car, time: float, points: Array, normals: Array) -> Array:
    """Strength of a car's two headlights on surfaces; wide to the sides, narrow up and down."""
    lamps, ahead = headlights(car, time)
    left = unit(np.cross((0.0, 0.0, 1.0), ahead))
    up = np.cross(ahead, left)
    total = np.zeros(len(points))
    for lamp in lamps:
        away = points - lamp
        square = np.maximum((away**2).sum(-1), 0.5)
        away = away / np.sqrt(square)[:, None]
        aside, above = np.arcsin(np.clip(away @ left, -1, 1)), np.arcsin(np.clip(away @ up, -1, 1))
        lobe = np.exp(-((aside / 0.5) ** 2)) * np.exp(-((above / np.where(above > 0, 0.1, 0.2)) ** 2))
        facing = np.maximum(-(normals * away).sum(-1), 0)
        total += 70 * lobe * (away @ ahead > 0) * facing / square
    return total


def rain(scale: float = 1.0) -> Scene:
    """Build a wet pavement and road on a grey day; people under umbrellas, mirrored in the puddles."""
    camera = Camera((0.5, -6.0, 3.8), (0.0, 8.0, 0.9), 410 * scale, even(384 * scale), even(288 * scale))
    lights = [lighting.sky("sky", 2.9 * srgb(0xD4DCE4)), lighting.everywhere("fill", 0.16 * srgb(0xD4DCE4))]
    surfaces = [
        ground(_wet_ground),
        Surface((-40.0, 19.0, 0.0), (80.0, 0.0, 0.0), (0.0, 0.0, 24.0), textures.facade(brick(0x8E6654, 480), 582)),
    ]
    surfaces += house(-13.0, 4, 19, 9.0, plaster(0xB0A690, 490), 592)
    props = [
        lamp_post(-4.5, 10.4, 0.01, 5.0),
        lamp_post(5.0, 10.4, 0.01, 5.0),
        tree(41, 7.8, 11.2, 6.0),
        bin_at(2.6, 10.6),
    ]
    backdrop = paint(camera, surfaces, lights, props, _overcast, 3, Haze(0.62 * srgb(0xC8D0D8), 220))
    mirror = _puddles(backdrop.points) * backdrop.ground
    backdrop = _mirroring(backdrop, camera, surfaces, lights, mirror)
    actors: list[Actor] = [
        Walker(Path([(1.6, -6.6, 9.4), (10.4, 6.6, 9.2)]), 0x46608A, 0x2A2C32, umbrella=0xA8322E),
        Walker(Path([(3.2, 6.2, 8.6), (12.2, -6.2, 8.9)]), 0x8A8272, 0x30343C, height=1.7, umbrella=0x2A3A5E),
        Walker(Path([(5.2, -4.4, 3.0), (13.5, 5.2, 4.2)]), 0x4E6A4A, 0x33363E, umbrella=0x2C2C30),
        Walker(Path([(7.0, 5.4, 6.6), (14.0, -5.6, 5.8)]), 0xB89A3A, 0x3E4450, 0x4A3020, height=1.7),
        Car(Path([(5.0, -22.0, 14.6), (9.2, 22.0, 14.6)]), "hatchback", 0x8E9498, lamps=1.6),
        Car(Path([(9.8, 22.0, 12.6), (13.6, -22.0, 12.6)]), "saloon", 0x3E2A2E, lamps=1.6),
    ]  # fmt: skip
    drops = Rain(seed=70, density=1.7, strength=0.075)
    stage = Stage(camera, backdrop, lights, actors, shutter=0.02, mirror=mirror)
    sensor = Sensor(seed=7, full_well=1800, read_noise=0.003, glare=0.1)
    return Scene(stage, sensor, 20, 280, overlay=lambda index, image: drops.over(index, image, backdrop.ground))


def _wet_ground(u: Array, v: Array) -> Array:
    """Paving up to y = 11, then a road across; darkened by the water."""
    y = v - 50
    paving = textures.slabs(u, v, 42, 0x8C877E)
    road = textures.asphalt(u, v)
    line = (np.abs(y - 13.6) < 0.07) & (u % 3 < 1.6)
    road = textures.mix(road, srgb(0xCCCCC6), line * 0.8)
    albedo = np.where((y > 11)[..., None] & (y < 16.4)[..., None], road, paving)
    kerb = (np.abs(y - 11) < 0.09) | (np.abs(y - 16.4) < 0.09)
    return 0.62 * np.where(kerb[..., None], srgb(0xA9A59C), albedo)


def _puddles(points: Array) -> Array:
    """Share that the wet ground mirrors: a film everywhere, more in the puddles."""
    x, y = points[..., 0], points[..., 1]
    depth = textures.fractal(x / 1.8, y / 1.8, 850, 5)
    return (0.12 + 0.5 * np.clip((depth - 0.02) * 7, 0, 1)).astype(np.float32)


def _mirroring(
    backdrop: Backdrop,
    camera: Camera,
    surfaces: Sequence[Surface],
    lights: Sequence[lighting.Light],
    mirror: Array,
) -> Backdrop:
    """Add what the wet ground mirrors of the houses and the sky: the world upside down below it."""

    def sunk(surface: Surface) -> Surface:
        (x, y, z), (ux, uy, uz) = surface.corner, surface.up
        return replace(surface, corner=(x, y, -z), up=(ux, uy, -uz))

    below = [sunk(surface) for surface in surfaces if not surface.ground]
    image = paint(camera, below, lights, (), lambda d: _overcast(d * (1, 1, -1)), 1)
    seen: Array = np.asarray(sum(image.layers.values()))
    seen = cv2.GaussianBlur(seen, (0, 0), 1.5, sigmaY=5)
    layers = {name: layer * (1 - 0.7 * mirror)[..., None] for name, layer in backdrop.layers.items()}
    layers["emission"] = layers["emission"] + mirror[..., None] * seen
    return replace(backdrop, layers=layers)


def _overcast(directions: Array) -> Array:
    """Grey clouds, brighter above."""
    rise = directions[..., 2] / np.linalg.norm(directions, axis=-1)
    cloud = textures.fractal(directions[..., 0] * 2, rise * 6, 860, 4)
    return textures.tint(srgb(0xC8CED4), 0.8 + 0.4 * np.clip(rise, 0, 1) + 0.12 * cloud)
