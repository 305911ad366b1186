"""Synthetic camera footage with per-pixel ground truth, drawn with NumPy and OpenCV.

A scene is ray-traced once for every light (`backdrop`); each frame then adds what moves, its shadows and
labels (`stage`), and a cheap camera's optics and noise (`sensor`). World coordinates are metres: x right,
y ahead, z up; colours are linear-light BGR until the sensor.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from . import bad_light, halls, indoors, nature, pale, street
from .scene import Scene


class Clip(NamedTuple):
    """How to make a clip, what it is for, and the folder below `sample_videos` that it lies in."""

    build: Callable[[float], Scene]
    kilobits: int
    tests: str
    folder: str = ""


CLIPS: dict[str, Clip] = {
    "street": Clip(street.street, 260, "cars and walkers of very different sizes, hard and soft cast shadows"),
    "room": Clip(indoors.room, 110, "somebody comes in, sits still for five seconds (stays foreground), leaves"),
    "trees": Clip(nature.trees, 190, "leaves in the wind over a third of the view, dappled moving shade"),
    "water": Clip(nature.water, 165, "rippling water with reflections, a boat, walkers before it"),
    "night": Clip(bad_light.night, 150, "little light, strong noise, headlights that sweep over road and houses"),
    "light_switch": Clip(indoors.light_switch, 115, "a desk lamp, then the ceiling light on and off; exposure follows"),
    "exposure": Clip(street.exposure, 110, "brightness drifting by a third either way, white balance by a tenth"),
    "rain": Clip(bad_light.rain, 120, "rain streaks, reflections in wet ground, umbrellas"),
    "shake": Clip(street.shake, 190, "a swaying and slightly rolling camera before traffic"),
    "bootstrap": Clip(street.bootstrap, 110, "people in view from the first frame, two of them standing until later"),
    "office": Clip(halls.office, 115, "the camera opens up for whoever stands before a clipped white wall", "apart"),
    "polished": Clip(halls.polished, 120, "a polished floor that mirrors people, fainter, below their feet", "apart"),
    "grey": Clip(pale.grey, 150, "a camera without colours: cast shadows differ from objects by shape alone", "apart"),
    "fog": Clip(pale.fog, 115, "small, pale cars in fog, some in view from the first frame on", "apart"),
}
"""Every clip by name: scene, bit rate in kbit/s, what it tests; those apart are scored by themselves."""

__all__ = ["CLIPS", "Clip", "Scene"]
