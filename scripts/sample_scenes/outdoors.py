"""What outdoor scenes share: sky, sunlight, roads and houses."""

from __future__ import annotations

import numpy as np

from . import light, textures
from .geometry import Surface
from .paths import Path
from .textures import Array, srgb


def clear_sky(directions: Array) -> Array:
    """Pale blue above, haze at the horizon, thin clouds."""
    rise = directions[..., 2] / np.linalg.norm(directions, axis=-1)
    cloud = textures.fractal(directions[..., 0] * 4, rise * 14, 300, 5)
    base = textures.mix(srgb(0xDCE3EA), srgb(0x9CBBE0), np.clip(rise * 3.2, 0, 1))
    return 1.05 * textures.mix(base, srgb(0xF2F4F6), np.clip(0.3 + 1.2 * cloud, 0, 0.9))


def road(u: Array, v: Array, half: float, dash: float = 6.0) -> Array:
    """Asphalt with a dashed centre line and darker wheel tracks; u across (0 in the middle), v along."""
    albedo = textures.asphalt(u + 40, v)
    tracks = sum(np.exp(-(((np.abs(u) - track) / 0.28) ** 2)) for track in (half / 2 - 0.75, half / 2 + 0.75))
    albedo = albedo * (1 - 0.16 * tracks)[..., None]
    oil = np.exp(-(((np.abs(u) - half / 2) / 0.35) ** 2)) * (0.5 + 0.5 * textures.fractal(u, v / 2, 310))
    albedo = albedo * (1 - 0.2 * oil)[..., None]
    wear = np.clip(0.75 + 0.8 * textures.fractal(u * 4, v * 4, 320, 4), 0, 1)
    line = (np.abs(u) < 0.07) & (v % dash < dash / 2) | (np.abs(np.abs(u) - half + 0.25) < 0.05)
    return textures.mix(albedo, srgb(0xDCDCD6), line * wear)


def street_ground(u: Array, v: Array, half: float = 3.6, walk: float = 3.0) -> Array:
    """Road along v between pavements with kerbs and gutters; u = 200 is the road's middle."""
    x = u - 200
    away = np.abs(x) - half
    albedo = np.where((away < 0)[..., None], road(x, v, half), textures.slabs(u, v))
    gutter = (away > -0.35) & (away < 0)
    albedo = albedo * np.where(gutter, 0.8, 1.0)[..., None]
    kerb = (away >= 0) & (away < 0.18)
    stone = textures.tint(srgb(0xB9B5AC), 1 + 0.15 * textures.fractal(u * 3, v * 3, 330) - 0.35 * (v % 1.0 < 0.03))
    albedo = np.where(kerb[..., None], stone, albedo)
    shade = np.where((away > -0.06) & (away < 0), 0.55, 1.0)
    return albedo * shade[..., None]


def ground(material: textures.Material) -> Surface:
    """Return the plane z = 0 of 400 m by 400 m around the origin; u = x + 200, v = y + 50."""
    return Surface((-200.0, -50.0, 0.0), (400.0, 0.0, 0.0), (0.0, 400.0, 0.0), material, ground=True)


def house(x: float, y0: float, y1: float, height: float, wall: textures.Material, seed: int) -> list[Surface]:
    """Return a row house whose front stands along y at `x`, facing the road at x = 0, and its gable."""
    front = textures.facade(wall, seed)
    deep = 9.0 if x > 0 else -9.0
    return [
        Surface((x, y0, 0.0), (0.0, y1 - y0, 0.0), (0.0, 0.0, height), front),
        Surface((x, y0, 0.0), (deep, 0.0, 0.0), (0.0, 0.0, height), wall),
        Surface((x, y0, height), (deep, 0.0, 0.0), (0.0, y1 - y0, 0.0), textures.flat(0x70655C)),
    ]


def brick(colour: int, seed: int) -> textures.Material:
    """Return brickwork of one colour."""
    return lambda u, v: textures.brick(u, v, seed, colour)


def plaster(colour: int, seed: int) -> textures.Material:
    """Return a rendered wall of one colour."""
    return lambda u, v: textures.plaster(u, v, seed, colour)


def terrace() -> list[Surface]:
    """Return the houses of the street, both sides and the end."""
    parts: list[Surface] = []
    parts += house(-7.2, 6, 19, 9.6, brick(0x9A6450, 400), 500)
    parts += house(-7.2, 19, 32, 11.2, plaster(0xD2C6A6, 410), 510)
    parts += house(-7.4, 32, 60, 9.0, brick(0x8A5A48, 420), 520)
    parts += house(7.2, 10, 24, 8.4, plaster(0xC9B8A8, 430), 530)
    parts += house(7.2, 27, 44, 10.5, brick(0xA0705A, 440), 540)
    parts += house(7.4, 44, 70, 9.0, plaster(0xBFC4C0, 450), 550)
    parts += [
        Surface((-40.0, 78.0, 0.0), (80.0, 0.0, 0.0), (0.0, 0.0, 11.0), textures.facade(brick(0x94705E, 460), 560))
    ]
    return parts


def daylight(azimuth: float, elevation: float, strength: float = 1.9) -> list[light.Light]:
    """Sun, sky and what the ground throws back."""
    return [
        light.sun("sun", strength * srgb(0xFFF1DC), azimuth, elevation),
        light.sky("sky", 1.15 * srgb(0xC6D8F4)),
        light.everywhere("fill", 0.10 * srgb(0xFFF4E4)),
    ]


def drive(x: float, start: float, speed: float, begin: float = 70.0, end: float = -6.0) -> Path:
    """Return a straight drive along y in the lane at `x`; towards the camera where begin > end."""
    return Path([(start, x, begin), (start + abs(begin - end) / speed, x, end)])
