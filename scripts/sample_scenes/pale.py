"""Outdoor scenes of little colour or contrast: a camera without colours in low sun, a road in fog."""

from __future__ import annotations

import numpy as np

from . import light as lighting
from . import textures
from .backdrop import Haze, paint
from .cars import Car
from .geometry import Camera, Surface
from .outdoors import brick, clear_sky, daylight, drive, ground, house, plaster, street_ground
from .paths import Path
from .props import bin_at, lamp_post, parked, tree
from .scene import Scene, even
from .sensor import Sensor
from .stage import Actor, Stage
from .textures import Array, srgb
from .walkers import Walker


def grey(scale: float = 1.0) -> Scene:
    """Build a car park in low sun, seen by a camera without colours; everybody casts a long shadow."""
    camera = Camera((-2.2, -7.5, 5.4), (0.3, 8.5, 0.4), 400 * scale, even(384 * scale), even(288 * scale))
    lights = daylight(azimuth=152, elevation=36)
    surfaces = [ground(_car_park)]
    surfaces.append(
        Surface((-40.0, 27.0, 0.0), (80.0, 0.0, 0.0), (0.0, 0.0, 9.0), textures.facade(brick(0x8C6450, 1200), 1210))
    )
    surfaces += house(13.0, 6, 27, 7.0, plaster(0xC2B8A4, 1220), 1230)
    props = [
        lamp_post(6.2, 15.5, -1.4), tree(51, -7.5, 21.0, 6.0), tree(52, 8.5, 22.5, 6.5), bin_at(4.6, 14.6),
        parked(-3.6, 19.6, True, "saloon", 0x6A7078), parked(-0.8, 19.6, False, "hatchback", 0xA8A8A2),
        parked(4.8, 19.6, True, "van", 0x4A5A6A),
    ]  # fmt: skip
    backdrop = paint(camera, surfaces, lights, props, clear_sky, 3, Haze(0.7 * srgb(0xD4DCE6), 420))
    actors: list[Actor] = [
        Walker(Path([(1.4, -6.4, 8.6), (9.8, 6.4, 7.2)]), 0x6A3A3A, 0x2A2C34, bag=0x3A2A1C),
        Walker(Path([(2.6, 6.2, 4.8), (11.4, -5.4, 3.4)]), 0x46586E, 0x33363E, 0x5A4028, height=1.68),
        Car(Path([(3.6, -16.0, 12.4), (7.4, 16.0, 12.4)]), "saloon", 0x8E2A2C),
        Walker(Path([(4.4, 1.9, 18.2), (13.4, 0.4, 4.0)]), 0xC4BCA8, 0x4A4E58, coat=True, height=1.66),
        Walker(Path([(5.6, -5.6, 5.4), (13.8, 5.4, 9.4)]), 0x26282C, 0x26282C, height=1.8),
        Car(Path([(9.0, 15.0, 12.8), (13.0, -16.0, 12.8)]), "hatchback", 0xC8C8C2),
    ]
    sensor = Sensor(seed=13, full_well=2600, read_noise=0.003, grey=True)
    return Scene(Stage(camera, backdrop, lights, actors), sensor, 20, 280)


def _car_park(u: Array, v: Array) -> Array:
    """Asphalt with a lane along x at y 10..15 and bays behind it, slabs before it."""
    x, y = u - 200, v - 50
    albedo = np.where((y < 9.6)[..., None], textures.slabs(u, v, 1240), textures.asphalt(u, v, 1250))
    kerb = (y > 9.45) & (y < 9.65)
    albedo = np.where(kerb[..., None], srgb(0xB9B5AC), albedo)
    bay = (y > 16.4) & (y < 21.8) & (np.abs((x + 0.8) % 2.8 - 1.4) < 0.06) | (np.abs(y - 16.4) < 0.05)
    return textures.mix(albedo, srgb(0xD4D4CE), bay * (0.6 + 0.4 * textures.fractal(u * 4, v * 4, 1260)))


def fog(scale: float = 1.0) -> Scene:
    """Build a road in thick fog: small, pale cars, two of them on it from the first frame on."""
    camera = Camera((3.6, -14.0, 7.6), (-0.3, 20.0, 0.2), 390 * scale, even(320 * scale), even(240 * scale))
    air = 0.6 * srgb(0xD6DADC)
    lights = [lighting.sky("sky", 1.7 * srgb(0xD4DAE0)), lighting.everywhere("fill", 0.2 * srgb(0xD4DAE0))]
    surfaces = [ground(_country_road), *house(-13.0, 16, 30, 7.0, plaster(0xB0A690, 1300), 1310)]
    props = [
        tree(61, -7.6, 9.0, 6.0), tree(62, 7.4, 17.0, 6.5), tree(63, -8.0, 26.0, 7.0), tree(64, 7.8, 36.0, 7.0),
        lamp_post(-4.4, 6.0), lamp_post(-4.4, 24.0), lamp_post(-4.4, 42.0),
    ]  # fmt: skip
    backdrop = paint(camera, surfaces, lights, props, lambda d: np.broadcast_to(air, d.shape), 3, Haze(air, 25, True))
    cars = [
        (-1.75, -4.6, 11.0, False, "saloon", 0x7E8488, 0.0),
        (1.75, -2.6, 10.0, True, "hatchback", 0x3E4A5A, 0.6),
        (-1.75, -0.6, 12.0, False, "van", 0xB4B6B4, 0.8),
        (1.75, 1.6, 9.5, True, "saloon", 0xA4A8AA, 0.0),
        (-1.75, 3.0, 10.0, False, "hatchback", 0x8A3A34, 0.8),
        (1.75, 4.6, 11.0, True, "van", 0x6A6E70, 0.6),
        (-1.75, 6.2, 11.0, False, "saloon", 0x2E3236, 0.0),
        (1.75, 7.6, 10.5, True, "hatchback", 0x9A9A94, 0.6),
    ]
    actors: list[Actor] = [
        Car(drive(x, start, speed, *((-8.0, 58.0) if away else (58.0, -8.0))), kind, paint_, lamps)
        for x, start, speed, away, kind, paint_, lamps in cars
    ]
    actors.append(Walker(Path([(-2.0, -5.3, 8.0), (14.0, -5.2, 24.0)]), 0x3A3C40, 0x2A2C32))
    return Scene(Stage(camera, backdrop, lights, actors), Sensor(seed=14, full_well=2600, read_noise=0.003), 20, 240)


def _country_road(u: Array, v: Array) -> Array:
    """Return a road with one pavement on its left between meadows."""
    x = u - 200
    near = (np.abs(x) < 3.6) | ((x < 0) & (x > -6.6))
    return np.where(near[..., None], street_ground(u, v), textures.grass(u, v, 1320, 0x66704E))
