"""Still things: trees, lamp posts, parked cars, furniture."""

from __future__ import annotations

import numpy as np

from . import textures
from .cars import Car
from .geometry import Surface, box
from .paths import Path
from .solids import Capsule, Solid
from .textures import Array, srgb


def tree(
    seed: int, x: float, y: float, height: float = 6.5, radius: float = 1.9, colour: int = 0x566A38
) -> list[Solid]:
    """Return a still tree: a trunk and a crown of many small clumps of leaves, dark inside."""
    rng = np.random.default_rng(seed)
    base = np.array([x, y, 0.0])
    middle = base + np.array([0, 0, height - radius])
    parts: list[Solid] = [Capsule(base, middle, 0.16, 0.1, srgb(0x54463A))]
    for angle in np.arange(5) * 1.26:
        tip = middle + radius * 0.6 * np.array([np.cos(angle), np.sin(angle), 0.5])
        parts.append(Capsule(middle - np.array([0, 0, 0.8]), tip, 0.07, 0.03, srgb(0x54463A)))
    lumps = rng.normal(size=(9, 3))
    lumps *= 0.62 * radius / np.linalg.norm(lumps, axis=1, keepdims=True) * np.array([1, 1, 0.8])
    for _ in range(2400):
        offset = rng.normal(size=3)
        offset *= 0.5 * radius * rng.uniform(0.5, 1) ** 0.5 / np.linalg.norm(offset)
        centre = middle + lumps[rng.integers(len(lumps))] + offset
        size = rng.uniform(0.035, 0.1)
        # Leaves deep in a clump and low in the crown get little light.
        lit = 0.35 + 0.45 * np.linalg.norm(offset) / (0.5 * radius) + 0.35 * (centre[2] - middle[2]) / radius
        shade = max(0.12, lit) * rng.uniform(0.5, 1.35)
        parts.append(Capsule(centre, centre, size, size, srgb(colour) * shade))
    return parts


def lamp_post(x: float, y: float, reach: float = 1.4, height: float = 6.0) -> list[Solid]:
    """Return a street lamp with an arm along x."""
    foot, grey = np.array([x, y, 0.0]), srgb(0x5A6064)
    top = foot + np.array([0, 0, height])
    return [
        Capsule(foot, top, 0.09, 0.06, grey),
        Capsule(top, top + np.array([reach, 0, 0.15]), 0.05, 0.04, grey),
        Capsule(
            top + np.array([reach, 0, 0.12]),
            top + np.array([reach * 1.3, 0, 0.1]),
            0.09,
            0.07,
            srgb(0xB8BCBE),
        ),
    ]


def bin_at(x: float, y: float) -> list[Solid]:
    """Return a litter bin."""
    foot = np.array([x, y, 0.0])
    return [
        Capsule(foot, foot + np.array([0, 0, 0.85]), 0.24, 0.26, srgb(0x3C4A40)),
        Capsule(foot + np.array([0, 0, 0.9]), foot + np.array([0, 0, 0.95]), 0.27, 0.2, srgb(0x2E3832)),
    ]


def parked(x: float, y: float, ahead: bool, kind: str, colour: int) -> list[Solid]:
    """Return a car parked along y."""
    step = 1.0 if ahead else -1.0
    return Car(Path([(-1.0, x, y - step), (1.0, x, y + step)]), kind, colour).solids(0.0)


def bench(x: float, y: float, along_x: bool = True) -> list[Surface]:
    """Return a park bench of planks."""
    plank = textures.wood
    dx, dy = (1.7, 0.45) if along_x else (0.45, 1.7)
    parts = box((x, y, 0.4), (x + dx, y + dy, 0.46), plank)
    parts += box((x, y + (0.4 if along_x else 0), 0.55), (x + (dx if along_x else 0.05), y + dy, 0.9), plank)
    for end in (0.1, 0.9):
        px, py = (x + dx * end, y) if along_x else (x, y + dy * end)
        parts += box((px, py, 0.0), (px + 0.08, py + 0.4, 0.4), textures.flat(0x3A3C3E))
    return parts


def table(
    low: tuple[float, float], high: tuple[float, float], top: float = 0.74, colour: int = 0x8A5A34
) -> list[Surface]:
    """Return a table with four legs."""

    def grain(u: Array, v: Array) -> Array:
        return textures.wood(u, v, 161, colour)

    (x0, y0), (x1, y1) = low, high
    parts = box((x0, y0, top - 0.05), (x1, y1, top), grain)
    for x in (x0 + 0.04, x1 - 0.1):
        for y in (y0 + 0.04, y1 - 0.1):
            parts += box((x, y, 0.0), (x + 0.06, y + 0.06, top - 0.05), grain)
    return parts


def sofa(x: float, y: float, length: float, colour: int = 0x5E6E82) -> list[Surface]:
    """Return a sofa along y whose back stands to the right of `x` + 0.6."""

    def weave(u: Array, v: Array) -> Array:
        return textures.cloth(u, v, 181, colour)

    parts = box((x, y, 0.0), (x + 0.65, y + length, 0.42), weave)
    parts += box((x + 0.62, y, 0.0), (x + 0.9, y + length, 0.85), weave)
    parts += box((x, y - 0.2, 0.0), (x + 0.9, y, 0.6), weave)
    parts += box((x, y + length, 0.0), (x + 0.9, y + length + 0.2, 0.6), weave)
    return parts


def books(u: Array, v: Array) -> Array:
    """Front of a bookcase: boards, and book spines of many colours."""
    shelf = np.floor(v / 0.34)
    inside = v / 0.34 - shelf
    slot = np.floor(u / 0.045)
    tone = textures.hashed(slot, shelf, 600)
    height = 0.62 + 0.25 * textures.hashed(slot, shelf, 601)
    hues = np.array([srgb(c) for c in (0x7A2A26, 0x2C4A6E, 0x3C5A3A, 0xC8B890, 0x52402E, 0x9A7A3A, 0x30343C, 0xA9AAA6)])
    spine = hues[((tone + 1) * 4).astype(int) % 8] * (0.75 + 0.25 * np.sin((u / 0.045 - slot) * np.pi))[..., None]
    gap = (inside > height) | (np.abs(textures.hashed(np.floor(u / 0.5), shelf, 602)) > 0.85)
    albedo = np.where(gap[..., None], srgb(0x2A2018), spine)
    board = (inside < 0.07) | (u % 1.2 < 0.03)
    return np.where(board[..., None], textures.wood(u, v), albedo)
