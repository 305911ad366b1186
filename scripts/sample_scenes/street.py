"""Scenes by day: a street, a road through a shaking camera, a park in drifting exposure, a full square."""

from __future__ import annotations

import numpy as np

from . import textures
from .backdrop import Haze, paint
from .cars import Car
from .geometry import Camera, Surface
from .outdoors import brick, clear_sky, daylight, drive, ground, house, plaster, street_ground, terrace
from .paths import Path
from .props import bench, bin_at, lamp_post, parked, tree
from .scene import Scene, even
from .sensor import Sensor, Shake
from .stage import Actor, Stage
from .textures import Array, srgb
from .walkers import Walker

_AIR = srgb(0xD4DCE6)


def street(scale: float = 1.0) -> Scene:
    """Build the street: cars both ways, walkers on both pavements, the sun low from the right."""
    camera = Camera((4.6, -7.0, 5.2), (-0.6, 12.0, 0.9), 590 * scale, even(640 * scale), even(360 * scale))
    lights = daylight(azimuth=-22, elevation=42)
    props = [
        lamp_post(-4.3, 9.5), lamp_post(4.4, 17.0, -1.4), lamp_post(-4.3, 27.0),
        tree(1, 5.4, 24.5), tree(2, -5.6, 38.0), tree(3, 5.4, 36.0), bin_at(-4.2, 14.0),
        parked(-2.75, 24.0, False, "hatchback", 0x7A8790), parked(-2.75, 30.5, False, "saloon", 0x4A1F24),
    ]  # fmt: skip
    backdrop = paint(camera, [ground(street_ground), *terrace()], lights, props, clear_sky, 2, Haze(0.7 * _AIR, 420))
    actors: list[Actor] = [
        Car(drive(-1.6, 2.0, 10.5), "saloon", 0x8E2A2C),
        Car(drive(1.75, 3.2, 9.0, -14.0, 76.0), "hatchback", 0xB9BCC0),
        Car(drive(-1.6, 5.6, 9.5), "van", 0xD8D8D2),
        Car(drive(1.75, 8.2, 10.5, -14.0, 76.0), "saloon", 0x2A4266),
        Car(drive(-1.6, 8.6, 11.0), "hatchback", 0xB8902E),
        Walker(Path([(1.2, -5.2, 30.0), (22.0, -4.9, 2.0)]), 0x7A2E34, 0x2A3142, bag=0x3A2A1C),
        Walker(Path([(1.5, -5.9, -1.0), (22.0, -5.6, 28.0)]), 0x3F5F8A, 0x4A443C, 0x6A4A28, height=1.68),
        Walker(
            Path([(3.0, 6.4, 3.0), (4.6, 4.4, 5.0), (10.5, 5.0, 13.0), (14.0, 5.4, 17.0)]),
            0xB8AC90, 0x33363E, coat=True, height=1.66,
        ),
        Walker(Path([(2.0, 5.9, 26.0), (18.0, 5.0, 4.0)]), 0x30343A, 0x59616C),
        Walker(Path([(2.4, 5.2, 26.4), (18.4, 5.6, 4.4)]), 0x8C3B60, 0x2C2C34, 0x8A6A3A, height=1.64),
    ]  # fmt: skip
    return Scene(Stage(camera, backdrop, lights, actors), Sensor(seed=1, full_well=3000), 25, 300)


def shake(scale: float = 1.0) -> Scene:
    """Build a two-lane road seen from a swaying mast, slightly turning."""
    sway = Shake(seed=8, shift=2.6 * scale, roll=0.35)
    camera = Camera((7.5, 2.0, 6.0), (-1.5, 16.0, 0.6), 330 * scale, even(320 * scale), even(240 * scale))
    camera = camera.widened(sway.margin)
    lights = daylight(azimuth=200, elevation=50)
    surfaces = [ground(_verges), *house(-14.0, 8, 24, 8.0, brick(0x8C6450, 420), 521)]
    surfaces += house(-14.5, 24, 60, 10.0, plaster(0xC9BFA8, 430), 531)
    props = [
        lamp_post(-4.4, 13.0), lamp_post(-4.4, 33.0), tree(11, -8.5, 18.0, 6.0), tree(12, -9.0, 29.0, 7.0),
        tree(13, -8.0, 40.0), tree(14, 7.5, 34.0, 7.0), parked(-11.0, 24.0, True, "hatchback", 0x3C5A48),
    ]  # fmt: skip
    backdrop = paint(camera, surfaces, lights, props, clear_sky, 3, Haze(0.7 * _AIR, 420))
    actors: list[Actor] = [
        Car(drive(-1.75, 1.6, 12.0, 62.0, -2.0), "hatchback", 0x3E6A4A),
        Car(drive(1.75, 3.0, 11.0, -2.0, 62.0), "saloon", 0xB8BABD),
        Car(drive(-1.75, 5.0, 12.5, 62.0, -2.0), "van", 0x34506E),
        Car(drive(1.75, 6.6, 12.0, -2.0, 62.0), "hatchback", 0x9A2E28),
        Car(drive(-1.75, 7.6, 13.0, 62.0, -2.0), "saloon", 0xD0CCC0),
        Car(drive(1.75, 9.4, 11.5, -2.0, 62.0), "saloon", 0x26282C),
        Walker(Path([(1.0, -5.6, 30.0), (16.0, -5.6, 9.0)]), 0xA03A34, 0x2A3142),
    ]
    return Scene(Stage(camera, backdrop, lights, actors), Sensor(seed=8), 25, 250, shake=sway)


def _verges(u: Array, v: Array) -> Array:
    """Street with narrow pavements and grass beyond."""
    away = np.abs(u - 200)
    return np.where((away < 6.2)[..., None], street_ground(u, v), textures.grass(u, v))


def exposure(scale: float = 1.0) -> Scene:
    """Build a park whose picture drifts in brightness and tint, as clouds and automatic control work."""
    camera = Camera((0.0, -5.0, 3.8), (0.3, 9.0, 0.9), 430 * scale, even(384 * scale), even(288 * scale))
    lights = daylight(azimuth=235, elevation=46)
    surfaces = [ground(_park), *bench(-3.9, 12.4), *bench(1.7, 12.4)]
    surfaces.append(
        Surface(
            (-30.0, 34.0, 0.0),
            (60.0, 0.0, 0.0),
            (0.0, 0.0, 12.0),
            textures.facade(plaster(0xCBBFA4, 470), 571),
        )
    )
    props = [tree(21, -6.5, 16.0, 6.5, 2.2), tree(22, 6.8, 19.0, 7.5, 2.4), tree(23, -2.5, 26.0, 8.0, 2.4),
             tree(24, 10.0, 27.0, 8.0, 2.3), lamp_post(4.6, 9.0, 0.01, 4.2), bin_at(4.4, 12.6)]  # fmt: skip
    backdrop = paint(camera, surfaces, lights, props, clear_sky, 3, Haze(0.7 * _AIR, 420))
    actors: list[Actor] = [
        Walker(Path([(1.6, -7.5, 8.4), (9.6, 7.5, 9.2)]), 0x2E5A7A, 0x3A3630, bag=0x6A2A22),
        Walker(Path([(3.0, 7.0, 10.6), (12.4, -8.5, 10.2)]), 0xC9BBA0, 0x2C3440, coat=True, height=1.65),
        Walker(Path([(3.4, 7.2, 11.3), (12.8, -8.3, 10.9)]), 0x33383C, 0x50545C),
        Walker(Path([(5.5, -0.6, 24.0), (14.0, 0.8, 2.0)]), 0x9A3630, 0x2B2B33),
        Walker(Path([(7.0, -6.5, 6.2), (14.0, 5.6, 5.6)]), 0x4A6B3A, 0x59534A, 0x9A7A4A, height=1.7),
    ]

    def drift(time: float) -> tuple[float, tuple[float, float, float]]:
        swing = 0.3 * np.sin(2 * np.pi * (time - 1.0) / 6.5) + 0.08 * np.sin(2 * np.pi * time / 1.9)
        warm = 0.09 * np.sin(2 * np.pi * time / 8.0)
        return float(np.exp(swing)), (float(1 - warm), 1.0, float(1 + warm))

    return Scene(Stage(camera, backdrop, lights, actors), Sensor(seed=6), 20, 280, exposure=drift)


def _park(u: Array, v: Array) -> Array:
    """Lawns with gravel paths along and across; u = 200 and v = 50 are the origin."""
    x, y = u - 200, v - 50
    ragged = 0.25 * textures.fractal(u / 1.2, v / 1.2, 340)
    cross = np.minimum(np.abs(y - 9.3) - 2.6, np.abs(x) - 1.6) + ragged
    near = np.abs(y - 5.8) - 1.2 + ragged
    path = np.clip(0.5 - 6 * np.minimum(cross, near), 0, 1)
    return textures.mix(textures.grass(u, v), textures.gravel(u, v), path)


def bootstrap(scale: float = 1.0) -> Scene:
    """Build a busy square: people are in view from the first frame, two of them standing at first."""
    camera = Camera((1.5, -5.5, 5.6), (0.0, 7.5, 0.5), 350 * scale, even(320 * scale), even(240 * scale))
    lights = daylight(azimuth=35, elevation=55)
    surfaces = [ground(lambda u, v: textures.slabs(u, v, 41, 0x9E978C, 0.8)), *bench(-5.0, 9.0, False)]
    surfaces.append(
        Surface((-30.0, 17.0, 0.0), (60.0, 0.0, 0.0), (0.0, 0.0, 8.0), textures.facade(brick(0x8E5E4C, 480), 581))
    )
    props = [lamp_post(-3.0, 12.0, 0.01, 4.2), bin_at(4.0, 11.5), tree(31, 6.5, 13.0, 5.5, 1.7)]
    backdrop = paint(camera, surfaces, lights, props, clear_sky, 3)
    rng = np.random.default_rng(90)
    jackets = [
        0x2E4A6A,
        0x7A2E34,
        0x33363A,
        0xA89A80,
        0x4A6A48,
        0x8A5A2A,
        0x5A3A6A,
        0xB8B8B4,
        0x2A5A5A,
        0x9A3A2A,
    ]
    actors: list[Actor] = [
        Walker(
            Path([(-1.0, -1.4, 7.9), (-0.5, -1.2, 7.8), (6.5, -1.2, 7.8), (12.0, -7.5, 4.0)]),
            0x3A4A5A,
            0x26282E,
        ),
        Walker(
            Path([(-1.0, -0.2, 7.4), (-0.5, -0.5, 7.5), (8.0, -0.5, 7.5), (14.0, 7.0, 9.6)]),
            0x9A4A50,
            0x33363E,
            coat=True,
            height=1.66,
        ),
    ]
    for i, jacket in enumerate(jackets):
        side, lane = (1 if i % 2 else -1), 2.2 + 1.15 * i + rng.uniform(-0.3, 0.3)
        start, pace = -1.0 - rng.uniform(0, 3.5) + 1.25 * (i // 2), rng.uniform(1.1, 1.5)
        reach = 4.2 + 0.45 * lane
        path = Path(
            [
                (start, -side * reach, lane),
                (start + 2 * reach / pace, side * reach, lane + rng.uniform(-1, 1)),
            ]
        )
        actors.append(
            Walker(
                path,
                jacket,
                0x2C2E36 if i % 3 else 0x5A5348,
                height=float(rng.uniform(1.62, 1.84)),
                bag=0x3A2A1C if i % 4 == 1 else None,
            )
        )
    return Scene(Stage(camera, backdrop, lights, actors), Sensor(seed=9), 20, 200)
