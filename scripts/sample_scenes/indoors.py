"""Scenes in a room: somebody comes in and stays a while; lamps are switched on and off."""

from __future__ import annotations

import numpy as np

from . import light as lighting
from . import textures
from .backdrop import paint
from .geometry import Camera, Surface, box
from .interior import TALL, back_wall, bounce, ceiling, floor, floor_lamp, left_wall, picture, window
from .paths import Path
from .props import books, sofa, table
from .scene import Scene, between, even
from .sensor import Sensor
from .solids import Capsule, Solid
from .stage import Actor, Stage
from .textures import Array, srgb
from .walkers import Walker


def room(scale: float = 1.0) -> Scene:
    """Build a living room by day: somebody enters, sits down for five seconds, and leaves to the front."""
    camera = Camera((0.75, -2.6, 2.35), (0.05, 3.3, 0.85), 350 * scale, even(384 * scale), even(288 * scale))
    lights = [
        lighting.panel("window", 7.0 * srgb(0xE6EEFA), (-2.68, 1.9, 0.9), (0, 2.0, 0), (0, 0, 1.3), (1.0, 0.0, 0.0)),
        lighting.sun("sun", 1.9 * srgb(0xFFF0D6), 168, 38),
        bounce("bounce", 1.5 * srgb(0xF8EEE0)),
        lighting.everywhere("fill", 0.26 * srgb(0xF4E8D8)),
    ]
    wall = lambda u, v: textures.plaster(u, v, 920, 0xCDBFA6)  # noqa: E731
    surfaces = [floor(textures.wood_floor), ceiling(), *left_wall(wall, window), *back_wall(wall)]
    surfaces.append(Surface((2.9, -4.0, 0.0), (0.0, 9.6, 0.0), (0.0, 0.0, TALL), wall))
    rug = Surface((-1.5, 1.5, 0.006), (2.6, 0.0, 0.0), (0.0, 2.0, 0.0), _rug, ground=True)
    surfaces += [rug, *sofa(1.85, 1.9, 1.8), *table((-1.0, 2.1), (0.0, 3.0), 0.45)]
    surfaces += [
        *box((-2.5, 5.3, 0.0), (-0.9, 5.58, 1.9), textures.wood),
        Surface((-2.5, 5.29, 0.0), (1.6, 0, 0), (0, 0, 1.9), books),
    ]
    surfaces.append(Surface((-0.55, 5.58, 1.3), (0.8, 0, 0), (0, 0, 0.55), picture))
    backdrop = paint(camera, surfaces, lights, [floor_lamp(2.5, 4.6)], supersample=3)
    path = Path([(1.6, 1.4, 6.9), (4.2, 1.35, 4.3), (5.6, 1.55, 2.85), (5.9, 1.75, 2.8), (6.4, 1.62, 2.78),
                 (11.6, 1.6, 2.78), (12.6, 0.75, 1.6), (14.2, 0.1, -0.9), (15.0, 0.0, -2.4)])  # fmt: skip
    guest = Walker(path, 0x2E5A6E, 0x34343E, sits=(6.3, 11.2))
    return Scene(
        Stage(camera, backdrop, lights, [guest], shutter=0.02),
        Sensor(seed=2, full_well=1800, read_noise=0.003),
        20,
        300,
        exposure=_steady,
    )


def _steady(time: float) -> tuple[float, tuple[float, float, float]]:
    """Exposure for a bright room, without any automatic control."""
    return 1.35, (1.0, 1.0, 1.0)


def _rug(u: Array, v: Array) -> Array:
    """Return a red rug with a border and a pattern of diamonds."""
    edge = np.minimum(np.minimum(u, 2.6 - u), np.minimum(v, 2.0 - v))
    diamond = (np.abs((u * 2.5) % 1 - 0.5) + np.abs((v * 2.5) % 1 - 0.5)) < 0.28
    albedo = textures.cloth(u, v, 930, 0x8A3A34)
    albedo = np.where((diamond & (edge > 0.3))[..., None], textures.cloth(u, v, 930, 0xC4A878), albedo)
    return np.where(((edge > 0.12) & (edge < 0.22))[..., None], textures.cloth(u, v, 930, 0x2E3A4E), albedo)


def light_switch(scale: float = 1.0) -> Scene:
    """Build an office at dusk: a desk lamp and the ceiling light go on, later the ceiling light goes off."""
    camera = Camera((-1.9, -2.4, 2.35), (0.4, 3.2, 0.75), 260 * scale, even(320 * scale), even(240 * scale))
    cold, warm = srgb(0xE6F0FF), srgb(0xFFD9A0)
    lights = [
        lighting.panel("window", 2.6 * srgb(0xA8BCE4), (-2.68, 1.9, 0.9), (0, 2, 0), (0, 0, 1.3), (1, 0, 0)),
        lighting.panel("ceiling", 3.6 * cold, (-0.6, 2.0, 2.66), (1.2, 0, 0), (0, 0.6, 0), (0, 0, -1)),
        lighting.panel("desk", 0.32 * warm, (-0.25, 4.62, 1.22), (0.1, 0, 0), (0, 0.1, 0), None),
        bounce("bounce", 0.25 * srgb(0xB4C4E8)),
        lighting.everywhere("dusk", 0.05 * srgb(0xB4C4E8)),
        lighting.everywhere("glow", 0.26 * cold),
    ]  # fmt: skip
    wall = lambda u, v: textures.plaster(u, v, 940, 0xC4C8C6)  # noqa: E731
    carpet = lambda u, v: textures.cloth(u, v, 950, 0x6A6E74)  # noqa: E731
    surfaces = [
        floor(carpet),
        ceiling(),
        *left_wall(wall, lambda u, v: 0.22 * window(u, v) * srgb(0x9AB0E8)),
        *back_wall(wall),
    ]
    surfaces.append(Surface((2.9, -4.0, 0.0), (0.0, 9.6, 0.0), (0.0, 0.0, TALL), wall))
    surfaces += [
        *table((-1.1, 4.4), (0.6, 5.2), 0.74, 0xA08A6A),
        *table((1.9, 1.6), (2.8, 3.2), 0.74, 0xA08A6A),
    ]
    surfaces += [
        *box((-0.95, 4.85, 0.78), (-0.4, 4.9, 1.15), textures.flat(0x1E2022)),
        *box((-0.75, 4.8, 0.74), (-0.6, 4.95, 0.8), textures.flat(0x1E2022)),
    ]
    surfaces += [
        *box((2.1, 1.9, 0.74), (2.4, 2.2, 0.9), textures.flat(0xC4BCA8)),
        *box((2.1, 2.6, 0.74), (2.5, 2.9, 0.79), textures.flat(0x7A2E2A)),
    ]
    surfaces += [
        *box((-2.6, 4.6, 0.0), (-2.0, 5.5, 1.35), textures.flat(0x8A9094)),
        Surface((2.0, 5.58, 1.2), (0.8, 0, 0), (0, 0, 0.55), picture),
    ]
    stand = np.array([-0.2, 4.75, 0.74])
    desk_lamp: list[Solid] = [
        Capsule(stand, stand + np.array([0, 0, 0.45]), 0.012, 0.012, srgb(0x2A2A2A)),
        Capsule(stand + np.array([0, -0.08, 0.43]), stand + np.array([0, 0, 0.5]), 0.1, 0.05, srgb(0x9A3A30)),
    ]
    backdrop = paint(camera, surfaces, lights, [desk_lamp], supersample=3)
    actors: list[Actor] = [
        Walker(Path([(1.5, 1.4, 6.9), (3.2, 1.15, 4.6), (5.2, -0.1, 2.6), (8.2, 2.9, 0.0)]), 0x7A2E34, 0x30343E),
        Walker(
            Path([(8.0, 2.9, 0.0), (9.7, 0.9, 1.5), (10.9, -0.1, 2.7), (13.6, 1.45, 5.6), (14.3, 1.4, 6.9)]),
            0xA89A7A,
            0x2C2E38,
            height=1.68,
            bag=0x3A2A1C,
        ),
    ]

    def gains(time: float) -> dict[str, float]:
        on = between(time, [(5.0, 0), (5.05, 0.7), (5.1, 0.35), (5.2, 0.9), (5.6, 1.0), (12.0, 1.0), (12.08, 0)])
        return {"ceiling": on, "glow": on, "desk": between(time, [(3.0, 0), (3.1, 1)])}

    def exposure(time: float) -> tuple[float, tuple[float, float, float]]:
        # The camera notices the light only after it has changed.
        gain = between(time, [(5.3, 2.1), (6.6, 1.15), (12.3, 1.15), (13.6, 2.1)])
        return gain, (1.0, 1.0, 1.0)

    stage = Stage(camera, backdrop, lights, actors, shutter=0.025)
    return Scene(stage, Sensor(seed=10, full_well=1300, read_noise=0.003), 20, 280, gains=gains, exposure=exposure)
