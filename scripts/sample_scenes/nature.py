"""Scenes whose background moves: trees in the wind, rippling water."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from . import textures
from .backdrop import Haze, paint
from .boats import Boat
from .geometry import Camera
from .outdoors import clear_sky, daylight, ground
from .paths import Path
from .plants import Foliage, Grove, Wind
from .props import bench
from .scene import Scene, even
from .sensor import Sensor
from .solids import Capsule, Solid
from .stage import Actor, Stage
from .textures import Array, srgb
from .walkers import Walker
from .water import Water

_BARK = srgb(0x4E4238)


def trees(scale: float = 1.0) -> Scene:
    """Build a park path under trees and before bushes in a fresh wind, with dappled shadows."""
    camera = Camera((0.0, -3.2, 2.9), (0.2, 9.0, 1.6), 345 * scale, even(320 * scale), even(240 * scale))
    lights = daylight(azimuth=215, elevation=52)

    def lawn(u: Array, v: Array) -> Array:
        path = 5 * (1.5 - np.abs(v - 50 - 6.5) + 0.3 * textures.fractal(u / 1.3, v / 1.3, 350))
        return textures.mix(textures.grass(u, v), textures.gravel(u, v), path)

    stems = [(-4.2, 10.5), (1.0, 13.5), (5.6, 11.0), (-8.5, 15.0), (9.5, 17.0)]
    props: list[list[Solid]] = [
        [Capsule(np.array([x, y, 0.0]), np.array([x + 0.1, y, 4.0]), 0.2, 0.12, _BARK)] for x, y in stems
    ]
    backdrop = paint(
        camera,
        [ground(lawn), *bench(-1.6, 9.0)],
        lights,
        props,
        lambda d: _wooded(d, 3.0),
        3,
        Haze(0.5 * srgb(0xD4DCE6), 260),
    )
    crowns = [Foliage(700 + i, (x, y, 4.6), (2.6, 2.3, 2.3), 900, 0.2) for i, (x, y) in enumerate(stems)]
    bushes = [Foliage(720 + i, (x, y, 0.75), (1.3, 0.8, 0.95), 350, 0.13, 0x6C8440)
              for i, (x, y) in enumerate([(-5.8, 9.6), (3.6, 10.2), (6.9, 10.0), (-2.6, 12.5)])]  # fmt: skip
    grove = Grove([*crowns, *bushes], Wind(0.15, 0.5), camera, lights)
    twig = Grove([Foliage(740, (-1.75, 0.8, 3.35), (1.1, 0.7, 0.85), 260, 0.1)], Wind(0.12, 0.6), camera, lights)

    def scenery(time: float, light: Array) -> Array:
        shade = grove.dapple(time, light.shape[:2]) * backdrop.ground
        light -= np.minimum(shade[..., None] * backdrop.layers["sun"], 0.9 * light)
        grove.draw(time, light)
        return light

    def front(time: float, light: Array, coverage: Array) -> None:
        coverage *= 1 - twig.draw(time, light)

    actors: list[Actor] = [
        Walker(Path([(1.6, -5.2, 6.4), (9.4, 5.4, 6.8)]), 0xA03A34, 0x2B2F3B),
        Walker(Path([(4.4, 5.6, 5.8), (13.0, -5.4, 6.0)]), 0x3A4E74, 0x4E463C, 0x7A5A34, coat=True, height=1.66),
        Walker(Path([(5.0, 5.6, 7.3), (13.4, -5.4, 7.4)]), 0xC8C2B0, 0x33383F),
    ]
    stage = Stage(camera, backdrop, lights, actors, scenery=scenery, front=front)
    return Scene(stage, Sensor(seed=3), 20, 240)


def water(scale: float = 1.0) -> Scene:
    """Build a lake with a boat, and walkers on the near bank."""
    camera = Camera((0.0, -8.0, 3.6), (0.0, 9.0, 1.1), 380 * scale, even(384 * scale), even(288 * scale))
    lights = daylight(azimuth=160, elevation=40)

    def bank(u: Array, v: Array) -> Array:
        y = v - 50 + 0.25 * textures.fractal(u / 2, v / 2, 380)
        albedo = textures.mix(textures.grass(u, v), textures.gravel(u, v), 4 * (1.2 - np.abs(y - 0.6)))
        shore = textures.mix(albedo, srgb(0x4E463A), 3 * (y - 2.4))
        return np.where((v > 100)[..., None], textures.grass(u, v, 390, 0x56663E), shore)

    backdrop = paint(camera, [ground(bank)], lights, (), lambda d: _wooded(d, camera.position[2]), 3)

    def area(x: Array, y: Array) -> Array:
        return (y > 3.0 + 0.35 * textures.fractal(x / 1.5, y * 0, 395)) & (y < 75)

    lake = Water(camera, area, lambda d: _wooded(d, 0.0), 77)

    def scenery(time: float, light: Array) -> Array:
        water_light, share = lake.light(time)
        return light * (1 - share[..., None]) + water_light

    actors: list[Actor] = [
        Boat(Path([(1.5, -14.0, 22.0), (12.5, 14.0, 19.0)])),
        Walker(Path([(2.2, -5.0, 0.4), (9.4, 5.0, 0.9)]), 0x2E4A66, 0x2C2C34, bag=0x7A3A2A),
        Walker(Path([(6.0, 5.2, 1.3), (13.0, -4.6, 1.2)]), 0xA89A7C, 0x3A3E48, coat=True, height=1.65),
    ]
    wet = lake.light(0.0)[1]
    # Nothing throws a shadow on water: it mirrors.
    backdrop = replace(backdrop, ground=backdrop.ground * (1 - wet))
    stage = Stage(camera, backdrop, lights, actors, scenery=scenery, mirror=0.55 * wet)
    return Scene(stage, Sensor(seed=4), 20, 260)


def _wooded(directions: Array, height: float) -> Array:
    """Sky over a wooded far bank, as seen from `height` metres."""
    flat = np.hypot(directions[..., 0], directions[..., 1])
    rise = directions[..., 2] / np.maximum(flat, 1e-6) * 70 + height
    along = directions[..., 0] / np.maximum(directions[..., 1], 0.05) * 70
    edge = 7.5 + 2.5 * textures.fractal(along / 9, along * 0, 800, 4) + 0.8 * textures.fractal(along, along * 0, 805, 3)
    leaves = textures.fractal(along / 1.6, rise / 1.4, 810, 4)
    wood = textures.tint(srgb(0x4C6238), 0.42 + 0.5 * leaves + 0.045 * np.clip(rise, 0, 9))
    return textures.mix(wood, 0.92 * clear_sky(directions), np.clip((rise - edge) / 0.6, 0, 1))
