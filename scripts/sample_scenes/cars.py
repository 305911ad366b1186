"""Cars: a side profile drawn across the width, with glass, wheels and lamps on it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .paths import Path
from .solids import Face, Solid
from .textures import Array, srgb

_GLASS, _TYRE, _RIM = srgb(0x2A3238), srgb(0x1C1C1E), srgb(0x9A9CA0)
_BELT = 0.93

# Width, first point of the cabin, and the side view as (x, z), from the rear bumper over the roof to the
# front one; the cabin's four points are the rear window's foot, the roof's ends and the windscreen's foot.
_PROFILES: dict[str, tuple[float, int, list[tuple[float, float]]]] = {
    "saloon": (
        1.78,
        3,
        [(-2.2, 0.28), (-2.24, 0.6), (-2.14, 0.9), (-1.55, 0.97), (-0.9, 1.4), (0.3, 1.44), (1.05, 0.99),
         (1.9, 0.84), (2.16, 0.66), (2.16, 0.28)],
    ),
    "hatchback": (
        1.74,
        2,
        [(-1.92, 0.28), (-1.98, 0.62), (-1.9, 0.98), (-1.45, 1.43), (0.25, 1.49), (0.98, 1.02),
         (1.72, 0.88), (1.95, 0.68), (1.94, 0.28)],
    ),
    "van": (
        1.95,
        2,
        [(-2.5, 0.32), (-2.52, 0.7), (-2.5, 1.05), (-2.4, 2.0), (1.15, 2.05), (1.85, 1.22),
         (2.4, 1.02), (2.52, 0.75), (2.5, 0.32)],
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Car:
    """A car on a path.

    Attributes
    ----------
    path : Path
        Way of its centre over the ground.
    kind : {'saloon', 'hatchback', 'van'}
        Its shape.
    paint : int
        Colour as ``0xRRGGBB``.
    lamps : float
        Radiance of its headlights; 0 off.
    """

    path: Path
    kind: str = "saloon"
    paint: int = 0xA02020
    lamps: float = 0.0

    def active(self, time: float) -> bool:
        """Tell whether the car is in the scene."""
        return self.path.active(time)

    def anchor(self, time: float) -> Array:
        """Point on the ground below its middle."""
        return self.path.position(time)

    def solids(self, time: float) -> list[Solid]:
        """Return its faces where it stands at `time`."""
        position, heading = self.path.position(time), self.path.heading(time)
        turn = _turn(heading)
        spin = self.path.travelled(time) / 0.32
        return [_moved(face, turn, position) for face in _body(self.kind, srgb(self.paint), spin, self.lamps)]


def headlights(car: Car, time: float) -> tuple[Array, Array]:
    """Return the two lamps' points ``(2, 3)`` and the direction in which they shine."""
    turn, position = _turn(car.path.heading(time)), car.path.position(time)
    local = np.array([[2.1, 0.62, 0.68], [2.1, -0.62, 0.68]])
    return local @ turn.T + position, turn @ np.array([0.995, 0.0, -0.06])


def _turn(heading: float) -> Array:
    cosine, sine = np.cos(heading), np.sin(heading)
    return np.array([[cosine, -sine, 0], [sine, cosine, 0], [0, 0, 1.0]])


def _moved(face: Face, turn: Array, position: Array) -> Face:
    decals = [_moved(decal, turn, position) for decal in face.decals]
    return Face(face.points @ turn.T + position, face.colour, face.gloss, face.emission, face.both_sides, decals)


def _half_width(x: float, z: float, width: float, top: float, end: float) -> float:
    """Half the body's width: narrower to the roof and towards the bumpers."""
    taper = 0.2 * max(0.0, (z - _BELT) / (top - _BELT)) if z > _BELT else 0.0
    nose = 0.1 * max(0.0, (abs(x) / end - 0.86) / 0.14)
    return width / 2 * (1 - taper - nose)


def _body(kind: str, paint: Array, spin: float, lamps: float) -> list[Face]:
    width, cabin, profile = _PROFILES[kind]
    top, end = max(z for _, z in profile), max(abs(x) for x, _ in profile)
    left = [np.array([x, _half_width(x, z, width, top, end), z]) for x, z in profile]
    right = [point * (1, -1, 1) for point in left]
    faces = []
    for i in range(len(profile) - 1):
        # Seen from outside, from left to right and on to the next point: counter-clockwise.
        strip = np.array([left[i], left[i + 1], right[i + 1], right[i]])[::-1]
        # Newell's normal must look away from the car's inside.
        strip = _outward(strip)
        decals = []
        is_glass = i in (cabin, cabin + 2)
        if is_glass and not (kind == "van" and i == cabin):
            decals.append(Face(_inset(strip, 0.9), _GLASS, gloss=0.08))
        decals += _end_decals(i, len(profile), left, lamps)
        faces.append(Face(strip, paint, gloss=0.05, decals=decals))
    for side in (left, right):
        faces += _side(side, cabin, kind, paint, width, spin)
    faces += _tyre_ends(width, end, profile)
    return faces


def _outward(points: Array) -> Array:
    centre = points.mean(axis=0)
    normal = Face(points, _TYRE).normal
    return points if normal @ (centre - np.array([0, 0, 0.7])) > 0 else points[::-1]


def _inset(points: Array, share: float) -> Array:
    centre = points.mean(axis=0)
    return centre + (points - centre) * share


def _end_decals(i: int, count: int, left: list[Array], lamps: float) -> list[Face]:
    """Lamps, grille and plates on the strips at the rear (1) and the front."""
    decals: list[Face] = []
    low, high = left[i], left[i + 1]
    rear, front = i == 1, i == count - 3

    def patch(y0: float, y1: float, z0: float, z1: float) -> Array:
        corners = []
        for y, z in ((y0, z0), (y1, z0), (y1, z1), (y0, z1)):
            point = low + (high - low) * z
            corners.append([point[0], y * point[1], point[2]])
        return _outward(np.array(corners))

    if rear:
        for sign in (-1, 1):
            glow = srgb(0xFF2010) * (0.12 * lamps) if lamps else None
            decals.append(Face(patch(sign * 0.6, sign * 0.97, 0.25, 0.95), srgb(0x9C1414), 0.05, glow))
        decals.append(Face(patch(-0.3, 0.3, 0.1, 0.6), srgb(0xD8D8CC)))
    elif front:
        for sign in (-1, 1):
            glow = srgb(0xFFF4D8) * lamps if lamps else None
            decals.append(Face(patch(sign * 0.55, sign * 0.96, 0.1, 0.9), srgb(0xA8ACB0), 0.3, glow))
        decals.append(Face(patch(-0.5, 0.5, 0.3, 0.95), srgb(0x202224), 0.05))
    elif i in (0, count - 2):
        decals.append(Face(patch(-0.95, 0.95, 0.0, 0.35), srgb(0x2A2A2C)))
        decals.append(Face(patch(-0.28, 0.28, 0.5, 0.8), srgb(0xD8D8CC)))
    return decals


def _side(side: list[Array], cabin: int, kind: str, paint: Array, width: float, spin: float) -> list[Face]:
    """One flank: lower body with wheels, sill and door lines; cabin with windows."""
    sign = np.sign(side[0][1])
    y = sign * width / 2
    lower = np.array([*side[: cabin + 1], *side[cabin + 3 :]])
    axle = 1.32 if kind != "van" else 1.55
    front, back = (axle, -axle + (0.05 if kind == "saloon" else 0.1))

    def flat(points: list[tuple[float, float]], colour: Array, gloss: float = 0.0) -> Face:
        return Face(_outward(np.array([[px, y, pz] for px, pz in points])), colour, gloss)

    decals = [flat([(-1.75, 0.26), (1.75, 0.26), (1.75, 0.37), (-1.75, 0.37)], paint * 0.35)]
    for x in (-0.55, 0.42):
        decals.append(flat([(x, 0.38), (x + 0.025, 0.38), (x + 0.025, _BELT), (x, _BELT)], paint * 0.45))
    for x in (front, back):
        decals.append(flat(_disc(x, 0.36, 0.39), srgb(0x101011)))
        decals.append(flat(_disc(x, 0.32, 0.32), _TYRE))
        decals.append(flat(_disc(x, 0.32, 0.2), _RIM))
        for k in range(5):
            angle = sign * spin + k * 2 * np.pi / 5
            hub, away = np.array([x, 0.32]), np.array([np.cos(angle), np.sin(angle)])
            across = np.array([-away[1], away[0]]) * 0.035
            decals.append(
                flat([tuple(hub + away * 0.18 + across), tuple(hub + away * 0.18 - across), tuple(hub)], _TYRE)
            )
    upper = np.array(side[cabin : cabin + 4])
    glass = _inset(upper, 0.84)
    glass[:, 2] += 0.02
    windows = []
    if kind == "van":
        split = _between(glass, 0.74, 1.0)
        windows.append(Face(_outward(split), _GLASS, 0.07))
    else:
        windows.append(Face(_outward(_between(glass, 0.0, 0.47)), _GLASS, 0.07))
        windows.append(Face(_outward(_between(glass, 0.53, 1.0)), _GLASS, 0.07))
    return [
        Face(_outward(lower), paint, 0.03, decals=decals),
        Face(_outward(upper), paint, 0.03, decals=windows),
    ]


def _between(quad: Array, start: float, stop: float) -> Array:
    """Part of a cabin window (rear foot, rear roof, front roof, front foot) along the car."""
    foot, roof = quad[3] - quad[0], quad[2] - quad[1]
    return np.array([quad[0] + foot * start, quad[1] + roof * start, quad[1] + roof * stop, quad[0] + foot * stop])


def _disc(x: float, z: float, radius: float) -> list[tuple[float, float]]:
    angles = np.linspace(0, 2 * np.pi, 16, endpoint=False)
    return [(x + radius * float(np.cos(a)), z + radius * float(np.sin(a))) for a in angles]


def _tyre_ends(width: float, end: float, profile: list[tuple[float, float]]) -> list[Face]:
    """Tyres and dark underside as seen from ahead and from behind."""
    faces = []
    low = profile[0][1]
    for x in (end - 0.55, -(end - 0.55)):
        for y0, y1 in ((0.55, 0.93), (-0.93, -0.55)):
            corners = [
                (x, y0 * width / 2, 0),
                (x, y1 * width / 2, 0),
                (x, y1 * width / 2, low + 0.1),
                (x, y0 * width / 2, low + 0.1),
            ]
            faces.append(Face(_outward(np.array(corners, float)), _TYRE, both_sides=True))
    return faces
