"""Zones: named parts of the picture, parts that are not looked at, and lines that are counted over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bgsub.background.region import Polygon


@dataclass(frozen=True)
class Zone:
    """A part of the picture that has a name.

    Attributes
    ----------
    name : str
        Letters, digits, ``-``, ``_`` and spaces.
    shape : sequence of polygons, or str
        Polygons, each of (x, y) corners in pixels of the source; or the path of a mask image, inside where it is
        not 0. Of a line two or more points.
    kind : {'watch', 'ignore', 'line'}
        What moves in it is named by it, or is not looked at, or is counted when it goes over the line.
    """

    name: str
    shape: tuple[Polygon, ...] | str
    kind: Literal["watch", "ignore", "line"] = "watch"
