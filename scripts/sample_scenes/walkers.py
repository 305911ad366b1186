"""Walking people: limbs of capsules that swing with the distance walked."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .paths import Path
from .solids import Capsule, Face, Solid
from .textures import Array, srgb

_UP = np.array([0.0, 0.0, 1.0])


@dataclass(frozen=True)
class Walker:
    """A person on a path.

    Attributes
    ----------
    path : Path
        Way over the ground.
    jacket, trousers, hair, skin : int
        Colours as ``0xRRGGBB``.
    height : float
        Metres.
    coat : bool
        A long coat or a skirt down to the knees.
    bag : int or None
        Colour of a shoulder bag.
    umbrella : int or None
        Colour of an umbrella held up.
    sits : tuple of float or None
        Seconds between which the person sits down.
    """

    path: Path
    jacket: int = 0x34495E
    trousers: int = 0x2B2B33
    hair: int = 0x2A1D14
    skin: int = 0xC99A7C
    height: float = 1.74
    coat: bool = False
    bag: int | None = None
    umbrella: int | None = None
    sits: tuple[float, float] | None = None

    def active(self, time: float) -> bool:
        """Tell whether the person is in the scene."""
        return self.path.active(time)

    def anchor(self, time: float) -> Array:
        """Point on the ground between the feet."""
        return self.path.position(time)

    def solids(self, time: float) -> list[Solid]:
        """Return the limbs where the person is at `time`."""
        return _Pose(self, time).limbs()


class _Pose:
    """The body at one moment; lengths are shares of its height."""

    def __init__(self, walker: Walker, time: float):
        self.walker, self.scale = walker, walker.height
        speed = float(np.linalg.norm(walker.path.velocity(time)))
        self.swing = min(1.0, speed / 1.1)
        self.phase = 2 * np.pi * walker.path.travelled(time) / (0.82 * walker.height)
        self.idle = 0.5 * (1 - self.swing) * np.sin(1.7 * time)
        heading = walker.path.heading(time)
        self.ahead = np.array([np.cos(heading), np.sin(heading), 0.0])
        self.left = np.array([-self.ahead[1], self.ahead[0], 0.0])
        self.sit = 0.0
        if walker.sits:
            down, up = walker.sits
            self.sit = float(np.clip((time - down) / 0.8, 0, 1) * np.clip((up - time) / 0.8, 0, 1))
        hip = 0.51 - 0.012 * self.swing * (1 + np.cos(2 * self.phase)) - 0.23 * self.sit
        self.hip = walker.path.position(time) + hip * self.scale * _UP - 0.12 * self.sit * self.ahead
        lean = 0.05 * self.swing + 0.02 * self.idle
        self.chest = self.hip + self.scale * (0.3 * _UP + 0.3 * lean * self.ahead + 0.01 * self.idle * self.left)

    def limbs(self) -> list[Solid]:
        walker, s = self.walker, self.scale
        jacket, trousers = srgb(walker.jacket), srgb(walker.trousers)
        skin, hair = srgb(walker.skin), srgb(walker.hair)
        parts: list[Solid] = []
        for sign in (1, -1):
            parts += self._leg(sign, trousers)
            parts += self._arm(sign, jacket, skin)
        wide = 0.055 * s
        for sign in (1, -1):
            # Two capsules side by side make a chest wider than deep.
            offset = sign * 0.05 * s * self.left
            parts.append(
                Capsule(
                    self.hip + 0.7 * offset,
                    self.chest + offset - 0.04 * s * _UP,
                    wide * 1.25,
                    wide * 1.35,
                    jacket,
                )
            )
        parts.append(Capsule(self.hip - 0.02 * s * _UP, self.chest, wide * 1.5, wide * 1.5, jacket))
        if walker.coat:
            parts.append(Capsule(self.hip + 0.08 * s * _UP, self.hip - 0.17 * s * _UP, 0.088 * s, 0.1 * s, jacket))
        neck = self.chest + 0.05 * s * _UP
        parts.append(Capsule(self.chest, neck + 0.03 * s * _UP, 0.032 * s, 0.03 * s, skin))
        head = self.chest + s * (0.135 * _UP + 0.012 * self.ahead)
        parts.append(Capsule(head, head, 0.062 * s, 0.062 * s, skin))
        crown = head + s * (0.02 * _UP - 0.02 * self.ahead)
        parts.append(Capsule(crown, crown + 0.004 * _UP, 0.062 * s, 0.058 * s, hair))
        if walker.bag is not None:
            side = self.hip - 0.13 * s * self.left + 0.02 * s * _UP
            parts.append(Capsule(side - 0.05 * self.ahead, side + 0.1 * self.ahead, 0.09, 0.09, srgb(walker.bag)))
        if walker.umbrella is not None:
            parts += _umbrella(head + s * 0.14 * _UP + 0.12 * self.ahead, self.ahead, self.left, srgb(walker.umbrella))
        return parts

    def _leg(self, sign: int, trousers: Array) -> list[Solid]:
        s = self.scale
        angle = self.swing * 0.46 * np.sin(self.phase + (0 if sign > 0 else np.pi)) + 1.35 * self.sit
        # The knee bends while the leg swings forward.
        bend = (
            0.12 + self.swing * 0.75 * max(0.0, np.cos(self.phase + (0 if sign > 0 else np.pi) + 0.25)) + 1.3 * self.sit
        )
        joint = self.hip + sign * 0.05 * s * self.left
        knee = joint + 0.245 * s * (np.sin(angle) * self.ahead - np.cos(angle) * _UP)
        shin = angle - bend
        ankle = knee + 0.235 * s * (np.sin(shin) * self.ahead - np.cos(shin) * _UP)
        ankle[2] = max(ankle[2], 0.05)
        toe = ankle + s * (0.075 * self.ahead - 0.012 * _UP)
        toe[2] = max(toe[2], 0.03)
        return [
            Capsule(joint, knee, 0.052 * s, 0.036 * s, trousers),
            Capsule(knee, ankle, 0.035 * s, 0.026 * s, trousers),
            Capsule(ankle, toe, 0.026 * s, 0.02 * s, srgb(0x26221F)),
        ]

    def _arm(self, sign: int, sleeve: Array, skin: Array) -> list[Solid]:
        s = self.scale
        angle = -self.swing * 0.5 * np.sin(self.phase + (0 if sign > 0 else np.pi)) + 0.05 * self.idle + 0.4 * self.sit
        bend = 0.25 + 0.2 * self.swing + 0.9 * self.sit
        if self.walker.umbrella is not None and sign > 0:
            angle, bend = 0.35, 1.9
        shoulder = self.chest + s * (sign * 0.112 * self.left - 0.005 * _UP)
        elbow = shoulder + 0.175 * s * (np.sin(angle) * self.ahead - np.cos(angle) * _UP + sign * 0.1 * self.left)
        fore = angle + bend
        hand = elbow + 0.15 * s * (np.sin(fore) * self.ahead - np.cos(fore) * _UP)
        return [
            Capsule(shoulder, elbow, 0.033 * s, 0.027 * s, sleeve),
            Capsule(elbow, hand, 0.026 * s, 0.021 * s, sleeve),
            Capsule(hand, hand + 0.01 * _UP, 0.023 * s, 0.023 * s, skin),
        ]


def _umbrella(top: Array, ahead: Array, left: Array, colour: Array) -> list[Solid]:
    """Eight panels of a shallow cone and the shaft."""
    angles = np.linspace(0, 2 * np.pi, 9)
    ring = [top + 0.52 * (np.cos(a) * ahead + np.sin(a) * left) for a in angles]
    peak = top + 0.24 * _UP
    parts: list[Solid] = [
        Face(np.array([ring[i], ring[i + 1], peak]), colour * (1.0 if i % 2 else 0.86), 0.02, both_sides=True)
        for i in range(8)
    ]
    shaft = top - 0.55 * _UP - 0.1 * ahead
    parts.append(Capsule(shaft, top + 0.15 * _UP, 0.012, 0.012, srgb(0x444444)))
    return parts
