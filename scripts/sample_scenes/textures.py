"""Surface colours made of noise at several scales: asphalt, slabs, grass, brick, facades, wood.

A material is a function ``(u, v) -> albedo``: coordinates on the surface in metres, linear-light BGR out.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np

Array = np.ndarray
Material = Callable[[Array, Array], Array]

_TABLE = 256


def srgb(code: int) -> Array:
    """Turn ``0xRRGGBB`` into linear-light BGR, float32 in 0..1."""
    red, green, blue = code >> 16 & 255, code >> 8 & 255, code & 255
    encoded = np.array([blue, green, red], np.float64) / 255
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4).astype(np.float32)


@functools.lru_cache(maxsize=64)
def _lattice(seed: int) -> Array:
    return np.random.default_rng(seed).uniform(-1, 1, (_TABLE, _TABLE)).astype(np.float32)


def value_noise(u: Array, v: Array, seed: int) -> Array:
    """Smooth noise in -1..1 with features about one unit wide, periodic every 256 units."""
    table = _lattice(seed)
    u0, v0 = np.floor(u), np.floor(v)
    fu, fv = (u - u0).astype(np.float32), (v - v0).astype(np.float32)
    fu, fv = fu * fu * (3 - 2 * fu), fv * fv * (3 - 2 * fv)
    i, j = u0.astype(np.int64) % _TABLE, v0.astype(np.int64) % _TABLE
    i1, j1 = (i + 1) % _TABLE, (j + 1) % _TABLE
    low = table[j, i] * (1 - fu) + table[j, i1] * fu
    high = table[j1, i] * (1 - fu) + table[j1, i1] * fu
    return low * (1 - fv) + high * fv


def fractal(u: Array, v: Array, seed: int, octaves: int = 4, gain: float = 0.55) -> Array:
    """Sum of `octaves` of value noise, each twice as fine and `gain` times as strong; about -1..1."""
    total = np.zeros(np.shape(u), np.float32)
    amplitude, norm = 1.0, 0.0
    for octave in range(octaves):
        scale = 2.0**octave
        total += amplitude * value_noise(u * scale + 17.3 * octave, v * scale + 5.1 * octave, seed + octave)
        norm += amplitude
        amplitude *= gain
    return total / norm


def hashed(i: Array, j: Array, seed: int) -> Array:
    """One fixed random number in -1..1 for each integer cell (brick, slab, window)."""
    return _lattice(seed)[np.asarray(j, np.int64) % _TABLE, np.asarray(i, np.int64) % _TABLE]


def tint(colour: Array, factor: Array) -> Array:
    """Scale one colour by an array of factors."""
    return colour * np.maximum(factor, 0.0)[..., None]


def mix(below: Array, above: Array, share: Array) -> Array:
    """Blend two albedo arrays (or one colour) by `share` in 0..1."""
    return below + (above - below) * np.clip(share, 0, 1)[..., None]


def asphalt(u: Array, v: Array, seed: int = 11, colour: int = 0x6C6C6F) -> Array:
    """Worn road surface: patches, grain, cracks and tar repairs."""
    tone = 1 + 0.16 * fractal(u / 3.5, v / 3.5, seed) + 0.16 * fractal(u * 9, v * 9, seed + 9, 3, 0.8)
    crack = np.abs(fractal(u / 2.6, v / 2.6, seed + 20, 5))
    tone -= 0.35 * np.exp(-((crack / 0.012) ** 2)) * (value_noise(u / 5, v / 5, seed + 27) > 0.1)
    repair = (hashed(np.floor(u / 1.7), np.floor(v / 4.3), seed + 30) > 0.86).astype(np.float32)
    return tint(srgb(colour), tone * (1 - 0.2 * repair))


def slabs(u: Array, v: Array, seed: int = 40, colour: int = 0xA8A198, size: float = 0.6) -> Array:
    """Paving slabs with joints, each of its own tone, with stains."""
    i, j = np.floor(u / size), np.floor(v / size)
    edge = np.minimum(np.minimum(u / size - i, i + 1 - u / size), np.minimum(v / size - j, j + 1 - v / size))
    tone = 1 + 0.1 * hashed(i, j, seed) + 0.14 * fractal(u / 2, v / 2, seed + 1)
    tone += 0.1 * fractal(u * 12, v * 12, seed + 7, 3, 0.8)
    return tint(srgb(colour), tone * np.where(edge < 0.03, 0.62, 1.0))


def grass(u: Array, v: Array, seed: int = 60, colour: int = 0x5C7440) -> Array:
    """Mown grass: blades, tufts, dry patches."""
    tone = 1 + 0.6 * fractal(u * 5, v * 5, seed, 4, 0.8) + 0.25 * fractal(u / 2, v / 2, seed + 5)
    dry = 0.5 + 0.9 * fractal(u / 4, v / 4, seed + 9)
    return mix(tint(srgb(colour), tone), tint(srgb(0x8A8458), tone), 0.55 * dry)


def gravel(u: Array, v: Array, seed: int = 80, colour: int = 0xB5A78C) -> Array:
    """Trodden gravel or bare earth."""
    tone = 1 + 0.25 * fractal(u * 10, v * 10, seed, 3, 0.9) + 0.2 * fractal(u / 1.5, v / 1.5, seed + 5)
    return tint(srgb(colour), tone)


def brick(u: Array, v: Array, seed: int = 100, colour: int = 0x96604C) -> Array:
    """Brick wall in stretcher bond with pale mortar."""
    row = np.floor(v / 0.11)
    shifted = u / 0.34 + 0.5 * (row % 2)
    column = np.floor(shifted)
    joint = (shifted - column < 0.05) | (v / 0.11 - row < 0.13)
    tone = 1 + 0.24 * hashed(column, row, seed) + 0.2 * fractal(u / 2, v / 2, seed + 1)
    return np.where(joint[..., None], tint(srgb(0x988C80), tone), tint(0.8 * srgb(colour) + 0.2 * srgb(0x6E6460), tone))


def plaster(u: Array, v: Array, seed: int = 120, colour: int = 0xCFC3A8) -> Array:
    """Wall with a smooth render: soft blotches, rain streaks, dirt at the foot."""
    tone = 1 + 0.09 * fractal(u / 1.5, v / 1.5, seed) + 0.05 * fractal(u * 6, v * 6, seed + 4, 3)
    tone += 0.08 * fractal(u * 3, v / 4, seed + 8, 3)
    return tint(srgb(colour), tone * (1 - 0.25 * np.exp(-np.maximum(v, 0) / 0.5)))


def wood_floor(u: Array, v: Array, seed: int = 140, colour: int = 0xA9794A) -> Array:
    """Floor boards along u with grain and dark joints."""
    row = np.floor(v / 0.16)
    along = u + 0.9 * hashed(row, row * 0, seed)
    board = np.floor(along / 1.6)
    tone = 1 + 0.2 * hashed(board, row, seed + 1) + 0.16 * fractal(u * 1.2, v * 26, seed + 2, 3)
    joint = (v / 0.16 - row < 0.06) | (along / 1.6 - board < 0.008)
    return tint(srgb(colour), tone * np.where(joint, 0.5, 1.0))


def wood(u: Array, v: Array, seed: int = 160, colour: int = 0x7A5233) -> Array:
    """Furniture wood: grain only."""
    return tint(srgb(colour), 1 + 0.18 * fractal(u * 2, v * 18, seed, 4))


def cloth(u: Array, v: Array, seed: int = 180, colour: int = 0x5B6B7A) -> Array:
    """Woven cloth: a carpet, a sofa."""
    tone = 1 + 0.12 * fractal(u * 20, v * 20, seed, 2) + 0.15 * fractal(u * 2, v * 2, seed + 3)
    return tint(srgb(colour), tone)


def flat(colour: int, seed: int = 200, grain: float = 0.06) -> Material:
    """Painted surface of one colour with a little unevenness."""
    return lambda u, v: tint(srgb(colour), 1 + grain * fractal(u * 3, v * 3, seed))


def facade(wall: Material, seed: int = 220, pitch: tuple[float, float] = (2.4, 3.1), shop: bool = True) -> Material:
    """House front: `wall` with rows of framed windows, sills, ledges and dark shop windows below."""

    def paint(u: Array, v: Array) -> Array:
        column, row = np.floor(u / pitch[0]), np.floor(v / pitch[1])
        du, dv = u - column * pitch[0] - pitch[0] / 2, v - row * pitch[1]
        ground = (row == 0) & shop
        half = np.where(ground, pitch[0] * 0.41, 0.55)
        low, high = np.where(ground, 0.55, 0.95), np.where(ground, 2.55, 2.5)
        albedo = wall(u, v)
        frame = (np.abs(du) < half + 0.11) & (dv > low - 0.11) & (dv < high + 0.11)
        glass = (np.abs(du) < half) & (dv > low) & (dv < high) & ~((np.abs(du) < 0.04) & ~ground)
        chance = hashed(column, row, seed)
        shine = 0.42 + 0.35 * chance + 0.5 * (dv - low) + 0.8 * fractal(u * 1.3, v * 0.8, seed + 1)
        pane = tint(srgb(0x57646F), shine)
        curtain = (chance > 0.15) & (np.abs(du) > half * (0.3 + 0.5 * np.abs(chance))) & ~ground
        pane = np.where(curtain[..., None], tint(srgb(0xA9A498), 0.8 + 0.2 * np.sin(u * 40)), pane)
        albedo = np.where(frame[..., None], srgb(0xD8D4CA), albedo)
        albedo = np.where(glass[..., None], pane, albedo)
        sill = (np.abs(du) < half + 0.2) & (np.abs(dv - low + 0.16) < 0.06)
        ledge = (np.abs(dv) < 0.09) & (row > 0)
        albedo = np.where((sill | ledge)[..., None], srgb(0xBDB5A6), albedo)
        under = np.exp(-np.maximum(low - 0.22 - dv, 0) / 0.12) * (dv < low - 0.22) * (np.abs(du) < half + 0.2)
        return albedo * (1 - 0.35 * under)[..., None]

    return paint
