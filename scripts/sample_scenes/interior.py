"""What rooms share: walls with a window and a door, floor and ceiling, a picture, a lamp."""

from __future__ import annotations

import numpy as np

from . import light as lighting
from . import textures
from .geometry import Surface, box
from .solids import Capsule, Solid
from .textures import Array, srgb

TALL = 2.7


def window(u: Array, v: Array) -> Array:
    """Bright view through a window with a cross bar: sky over far trees."""
    bar = (np.abs(u - 1.0) < 0.035) | (np.abs(v - 0.65) < 0.03) | (u < 0.06) | (u > 1.94) | (v < 0.06) | (v > 1.24)
    hill = 0.45 + 0.12 * textures.fractal(u * 1.5, v * 0, 900)
    view = textures.mix(srgb(0x7C8A6A), 1.1 * srgb(0xDCE6F2), (v - hill) * 12)
    return np.where(bar[..., None], 0.12 * srgb(0xE8E4DC), view)


def left_wall(paint_: textures.Material, pane: textures.Material) -> list[Surface]:
    """Wall at x = -2.7 around a window at y 1.9..3.9, z 0.9..2.2; the light passes the pane."""

    def part(y0: float, y1: float, z0: float, z1: float) -> Surface:
        return Surface((-2.7, y0, z0), (0.0, y1 - y0, 0.0), (0.0, 0.0, z1 - z0), paint_)

    glass = Surface(
        (-2.75, 1.9, 0.9),
        (0.0, 2.0, 0.0),
        (0.0, 0.0, 1.3),
        textures.flat(0x202020),
        emission=pane,
        casts=False,
    )
    reveal = textures.flat(0xDAD6CE)
    sill = box((-2.78, 1.8, 0.84), (-2.55, 4.0, 0.9), reveal)
    return [
        part(-4, 1.9, 0, TALL),
        part(3.9, 5.6, 0, TALL),
        part(1.9, 3.9, 0, 0.9),
        part(1.9, 3.9, 2.2, TALL),
        glass,
        *sill,
    ]


def back_wall(paint_: textures.Material, y: float = 5.6) -> list[Surface]:
    """Wall with an open door at x 0.9..1.85 into a corridor, skirting and door frame."""

    def part(x0: float, x1: float, z0: float, z1: float) -> Surface:
        return Surface((x0, y, z0), (x1 - x0, 0.0, 0.0), (0.0, 0.0, z1 - z0), paint_)

    white = textures.flat(0xD8D4CA)
    frame = box((0.82, y - 0.04, 0.0), (0.9, y + 0.1, 2.12), white)
    frame += box((1.85, y - 0.04, 0.0), (1.93, y + 0.1, 2.12), white)
    frame += box((0.82, y - 0.04, 2.06), (1.93, y + 0.1, 2.14), white)
    skirting = [Surface((-2.7, y - 0.01, 0.0), (3.52, 0.0, 0.0), (0.0, 0.0, 0.1), white)]
    corridor = [Surface((0.0, y + 1.5, 0.0), (4.0, 0.0, 0.0), (0.0, 0.0, TALL), textures.flat(0xA89A84))]
    return [
        part(-2.7, 0.9, 0, TALL),
        part(1.85, 2.9, 0, TALL),
        part(0.9, 1.85, 2.1, TALL),
        *frame,
        *skirting,
        *corridor,
    ]


def picture(u: Array, v: Array) -> Array:
    """Return a framed landscape."""
    frame = (u < 0.05) | (u > 0.75) | (v < 0.05) | (v > 0.5)
    hills = 0.25 + 0.08 * textures.fractal(u * 4, v * 0, 910)
    view = textures.mix(srgb(0x6A7A46), srgb(0xA8C0D0), (v - hills) * 25)
    return np.where(frame[..., None], srgb(0x3A2A1C), view)


def floor(material: textures.Material) -> Surface:
    return Surface((-2.7, -4.0, 0.0), (5.6, 0.0, 0.0), (0.0, 11.5, 0.0), material, ground=True)


def ceiling() -> Surface:
    return Surface((-2.7, -4.0, TALL), (5.6, 0.0, 0.0), (0.0, 11.5, 0.0), textures.flat(0xDCD8D0))


def bounce(name: str, colour: Array) -> lighting.Light:
    """Light that the ceiling throws back: wide, without visible shadows of people."""
    return lighting.panel(name, colour, (-2.2, -1.0, 2.6), (4.6, 0, 0), (0, 6.0, 0), (0.0, 0.0, -1.0), shadows=False)


def floor_lamp(x: float, y: float) -> list[Solid]:
    foot = np.array([x, y, 0.0])
    return [
        Capsule(foot, foot + np.array([0, 0, 0.03]), 0.16, 0.14, srgb(0x2C2C2C)),
        Capsule(foot, foot + np.array([0, 0, 1.5]), 0.015, 0.015, srgb(0x2C2C2C)),
        Capsule(foot + np.array([0, 0, 1.45]), foot + np.array([0, 0, 1.7]), 0.17, 0.11, srgb(0xD8CCB0)),
    ]
