"""Scenes in public rooms: an office before a clipped white wall, a hall with a polished floor."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from . import interior, textures
from . import light as lighting
from .backdrop import Backdrop, paint
from .geometry import Camera, MirroredCamera, Surface, box, unit
from .metering import automatic
from .paths import Path
from .props import table
from .scene import Scene, even
from .sensor import Sensor
from .stage import Actor, Stage
from .textures import Array, srgb
from .walkers import Walker

_SECONDS = 14.0


def office(scale: float = 1.0) -> Scene:
    """Build an office whose white wall is clipped by its lamps; the camera opens up for whoever stands before it."""
    camera = Camera((-0.9, -2.3, 2.2), (-0.15, 3.6, 0.98), 290 * scale, even(320 * scale), even(240 * scale))
    white = srgb(0xFFF6E8)
    lights = [
        lighting.panel("wall lamps", 17.0 * white, (-2.4, 4.3, 2.64), (4.2, 0, 0), (0, 0.08, 0), (0.0, 0.8, -0.6)),
        lighting.panel("ceiling", 3.2 * white, (-0.6, 1.2, 2.66), (1.2, 0, 0), (0, 0.6, 0), (0, 0, -1)),
        lighting.panel("window", 1.2 * srgb(0xDCE8FF), (-2.68, 1.9, 0.9), (0, 2, 0), (0, 0, 1.3), (1, 0, 0)),
        lighting.everywhere("fill", 0.2 * white),
    ]
    wall = textures.flat(0xF4F1EA, 1010, 0.03)
    surfaces = [
        interior.floor(lambda u, v: textures.cloth(u, v, 1020, 0x54585E)),
        interior.ceiling(),
        *interior.left_wall(textures.flat(0xB4AEA2, 1030), interior.window),
        *interior.back_wall(wall),
        Surface((2.9, -4.0, 0.0), (0.0, 9.6, 0.0), (0.0, 0.0, interior.TALL), textures.flat(0xB4AEA2, 1040)),
        *table((-2.3, 4.5), (-1.0, 5.2), 0.74, 0x8A6A4A),
        *table((1.6, 0.9), (2.8, 2.4), 0.74, 0x8A6A4A),
        *box((-1.95, 4.95, 0.78), (-1.4, 5.0, 1.12), textures.flat(0x1E2022)),
        *box((-1.75, 4.9, 0.74), (-1.6, 5.05, 0.8), textures.flat(0x1E2022)),
        *box((2.0, 1.2, 0.74), (2.4, 1.6, 0.98), textures.flat(0x8A2E2A)),
        *box((-2.65, 0.6, 0.0), (-2.2, 1.6, 1.1), textures.wood),
        Surface((0.05, 5.58, 1.35), (0.6, 0, 0), (0, 0, 0.42), interior.picture),
    ]
    backdrop = paint(camera, surfaces, lights, supersample=3)
    actors: list[Actor] = [
        Walker(
            Path([(1.5, 1.4, 6.9), (3.2, 1.1, 4.7), (4.2, 0.0, 3.8), (5.0, -0.3, 3.5), (7.0, -0.3, 3.5),
                  (8.6, 1.2, 2.2), (10.4, 3.2, 0.6)]),
            0x23304A, 0x26282E,
        ),
        Walker(
            Path([(7.4, -1.5, -1.4), (8.8, -0.5, 1.2), (10.6, 0.1, 3.2), (12.2, 1.3, 5.0), (13.4, 1.4, 6.9)]),
            0x7A3236, 0x33363E, height=1.66, coat=True, bag=0x3A2A1C,
        ),
        Walker(Path([(11.0, 1.4, 6.9), (12.0, 1.2, 4.9), (13.9, -1.2, 3.8)]), 0x9AA6AE, 0x2A2C34, height=1.8),
    ]  # fmt: skip
    stage = Stage(camera, backdrop, lights, actors, shutter=0.02)
    sensor = Sensor(seed=11, full_well=2200, read_noise=0.003, glare=0.05)
    exposure = automatic(stage, _SECONDS, 1.15, strength=2.5, most=1.8)
    return Scene(stage, sensor, 20, round(20 * _SECONDS), exposure=exposure)


def polished(scale: float = 1.0) -> Scene:
    """Build a hall whose polished stone floor mirrors doors, pillars and people."""
    camera = Camera((0.9, -4.5, 3.3), (-0.1, 7.0, 0.75), 375 * scale, even(384 * scale), even(288 * scale))
    white = srgb(0xFFF4E2)
    lights = [
        lighting.panel("front lamps", 9.0 * white, (-3.0, 1.0, 4.4), (6.0, 0, 0), (0, 2.0, 0), (0.0, 0.0, -1.0)),
        lighting.panel("back lamps", 9.0 * white, (-3.0, 9.0, 4.4), (6.0, 0, 0), (0, 2.0, 0), (0.0, 0.0, -1.0)),
        lighting.panel("doors", 14.0 * srgb(0xE4EEFA), (-3.0, 17.9, 0.3), (6.0, 0, 0), (0, 0, 2.6), (0.0, -1.0, 0.0)),
        lighting.everywhere("fill", 0.24 * white),
    ]
    walls = _hall()
    floor = Surface((-8.0, -8.0, 0.0), (16.0, 0.0, 0.0), (0.0, 30.0, 0.0), _stone, ground=True)
    backdrop = paint(camera, [floor, *walls], lights, supersample=3)
    backdrop, mirror, mirrored = _polish(backdrop, camera, walls, lights)
    actors: list[Actor] = [
        Walker(Path([(1.4, -6.2, 6.4), (9.2, 5.4, 5.2)]), 0x2C3E5E, 0x2A2C32, bag=0x3A2A1C),
        Walker(Path([(2.4, 1.6, 17.5), (13.4, -0.8, 2.0), (14.4, -1.2, 0.6)]), 0x8E3A34, 0x30343C, height=1.7),
        Walker(Path([(4.6, 5.8, 9.6), (12.6, -5.8, 10.4)]), 0xB8AE98, 0x3C4250, coat=True, height=1.66),
        Walker(Path([(5.4, 2.6, 1.2), (13.8, -2.6, 13.2)]), 0x33373C, 0x1E2024),
        Walker(Path([(8.6, -5.2, 4.2), (14.4, 3.8, 3.2)]), 0x4C7A58, 0x54504A, 0x7A5A34, height=1.76),
    ]
    stage = Stage(camera, backdrop, lights, actors, 0.02, mirror, mirrored, (0.8, 1.7))
    sensor = Sensor(seed=12, full_well=2400, read_noise=0.0025, glare=0.06)
    return Scene(stage, sensor, 20, 280, exposure=lambda time: (1.15, (1.0, 1.0, 1.0)))


def _hall() -> list[Surface]:
    """Return walls, ceiling, pillars and glass doors of a hall 12 m wide, without its floor."""

    def upright(corner: tuple[float, float, float], along: tuple[float, float, float], rise: float,
                material: textures.Material, shine: textures.Material | None = None) -> Surface:  # fmt: skip
        return Surface(corner, along, (0.0, 0.0, rise), material, emission=shine)

    cream = textures.flat(0xC8BCA4, 1110)
    shop = textures.facade(cream, 1120, (3.2, 4.5))
    parts = [
        upright((-6.0, -6.0, 0.0), (0.0, 24.0, 0.0), 4.5, shop),
        upright((6.0, -6.0, 0.0), (0.0, 24.0, 0.0), 4.5, cream),
        upright((-6.0, 18.0, 0.0), (12.0, 0.0, 0.0), 4.5, cream),
        upright((-3.0, 17.95, 0.0), (6.0, 0.0, 0.0), 2.9, textures.flat(0x202020), _doors),
        upright((5.97, 5.0, 1.0), (0.0, 2.4, 0.0), 1.6, _poster(0xA8402E, 1130)),
        upright((5.97, 11.0, 1.0), (0.0, 2.4, 0.0), 1.6, _poster(0x2E5E8A, 1140)),
        Surface((-6.0, -6.0, 4.5), (12.0, 0.0, 0.0), (0.0, 24.0, 0.0), textures.flat(0xD8D4CC), emission=_panels),
    ]
    for x, y in ((-3.7, 8.0), (3.4, 8.0), (-3.7, 14.0), (3.4, 14.0)):
        parts += box((x, y, 0.0), (x + 0.45, y + 0.45, 4.5), textures.flat(0x8E7A66, 1150))
    for y in (4.0, 11.4):
        parts += box((-5.9, y, 0.0), (-5.3, y + 1.8, 0.45), textures.wood)
    return parts


def _stone(u: Array, v: Array) -> Array:
    """Polished slabs of two tones with thin joints and veins."""
    i, j = np.floor(u / 1.2), np.floor(v / 1.2)
    edge = np.minimum(u / 1.2 - i, v / 1.2 - j)
    vein = np.exp(-((textures.fractal(u / 0.9, v / 0.9, 1160, 5) / 0.05) ** 2))
    tone = 1 + 0.06 * textures.hashed(i, j, 1170) + 0.08 * textures.fractal(u * 2, v * 2, 1180, 5, 0.7) - 0.1 * vein
    light, dark = textures.tint(srgb(0xA59B8C), tone), textures.tint(srgb(0x8B8276), tone)
    albedo = np.where(((i + j) % 2 < 1)[..., None], light, dark)
    return albedo * np.where(edge < 0.008, 0.6, 1.0)[..., None]


def _doors(u: Array, v: Array) -> Array:
    """Bright day behind glass doors with dark frames."""
    frame = (u % 1.5 < 0.07) | (u % 1.5 > 1.43) | (np.abs(v - 1.1) < 0.03) | (v > 2.82) | (v < 0.1)
    outside = textures.mix(srgb(0x8A9484), 1.5 * srgb(0xE8F0F8), (v - 0.9 - 0.3 * textures.fractal(u, v, 1190)) * 2)
    return np.where(frame[..., None], 0.05 * srgb(0x606468), outside)


def _panels(u: Array, v: Array) -> Array:
    """Rows of lamps in the ceiling."""
    lit = (np.abs(u % 3.0 - 1.5) < 0.6) & (np.abs(v % 2.4 - 1.2) < 0.12)
    return np.where(lit[..., None], 1.6 * srgb(0xFFF4E2), 0.0)


def _poster(colour: int, seed: int) -> textures.Material:
    """Return a framed poster: a coloured field with a few pale blocks."""

    def paint_(u: Array, v: Array) -> Array:
        blocks = (textures.hashed(np.floor(u / 0.6), np.floor(v / 0.4), seed) > 0.3)[..., None]
        frame = (u < 0.07) | (u > 2.33) | (v < 0.07) | (v > 1.53)
        return np.where(frame[..., None], srgb(0x202020), np.where(blocks, srgb(0xD8D0C0), srgb(colour)))

    return paint_


def _polish(
    backdrop: Backdrop, camera: Camera, walls: list[Surface], lights: list[lighting.Light]
) -> tuple[Backdrop, Array, Array]:
    """Add what the floor mirrors; also return the share that it mirrors, and the mirrored picture."""
    below = paint(MirroredCamera.of(camera), walls, lights, supersample=2)
    mirrored: Array = np.asarray(sum(below.layers.values()))
    mirrored = cv2.GaussianBlur(mirrored, (0, 0), 0.8, sigmaY=1.7)
    # Fresnel's law in Schlick's form, for waxed stone: a sixth from above, more along the floor.
    cosine = np.abs(unit(backdrop.points - np.asarray(camera.position))[..., 2])
    uneven = 1 + 0.12 * textures.fractal(backdrop.points[..., 0] / 1.4, backdrop.points[..., 1] / 1.4, 1195, 3)
    mirror = ((0.17 + 0.83 * (1 - cosine) ** 5) * uneven * backdrop.ground).astype(np.float32)
    layers = {name: layer * (1 - mirror)[..., None] for name, layer in backdrop.layers.items()}
    layers["emission"] = layers["emission"] + mirror[..., None] * mirrored
    return replace(backdrop, layers=layers), mirror, mirrored
