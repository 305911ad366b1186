"""Zones: named parts of the picture, parts that are not looked at, and lines that are counted over."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import cv2
import numpy as np

from bgsub.background.region import Polygon, region_mask
from bgsub.errors import ParameterError, SourceError
from bgsub.motion.blobs import Blob

Kind = Literal["watch", "ignore", "line"]
KINDS: tuple[str, ...] = get_args(Kind)

MOST_ZONES = 256  # each is a plane of the picture in memory
_LONGEST_NAME = 64  # characters; it stands in tables and file names
_FARTHEST = 1e6  # pixels; far beyond any picture


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

    Raises
    ------
    ParameterError
        When name, kind or shape is none.
    """

    name: str
    shape: tuple[Polygon, ...] | str
    kind: Kind = "watch"

    def __post_init__(self) -> None:
        if not _is_name(self.name):
            raise ParameterError(
                f"zone name {str(self.name)[:_LONGEST_NAME]!r} does not do: give 1 to {_LONGEST_NAME} letters, digits, "
                "-, _ and spaces between them"
            )
        if self.kind not in KINDS:
            raise ParameterError(f"zone {self.name}: unknown kind {self.kind!r}: give {', '.join(KINDS)}")
        if isinstance(self.shape, str):
            if self.kind == "line":
                raise ParameterError(f"zone {self.name}: a line cannot be a mask: give two or more points x,y")
            return
        least, what = (2, "line") if self.kind == "line" else (3, "polygon")
        shape = tuple(_corners(self.name, polygon, least, what) for polygon in self.shape)
        if not shape:
            raise ParameterError(f"zone {self.name} has no {what}: give at least {least} points x,y")
        object.__setattr__(self, "shape", shape)


class PlacedZones:
    """Zones on the masks of a source, whose pixels may be larger than the source's.

    Zones that are left out take pixels from a mask before it falls into blobs. Zones that are watched only lend their
    names: what moves elsewhere counts just as much.

    Parameters
    ----------
    zones : sequence of Zone
        Their names are all different.
    size : (int, int)
        Width and height of the source's pictures, in pixels.
    factor : int
        Pixels of the source along the side of a pixel of the masks, whose rows and columns at the right and lower edge
        that do not fill one are cut off.
    region : ndarray of uint8 or bool, shape (H, W), optional
        Part of the source's picture that is looked at, inside where not 0; all by default.

    Attributes
    ----------
    n_pixels : float
        Pixels of the source that are looked at.

    Raises
    ------
    ParameterError
        When two have the same name, or one does not fit the pictures; when nothing is left to look at.
    SourceError
        When a mask image cannot be read.
    """

    def __init__(
        self, zones: Sequence[Zone], size: tuple[int, int], factor: int = 1, region: np.ndarray | None = None
    ) -> None:
        check_names(zones)
        self._factor = factor
        self._ignored: np.ndarray | None = None
        self._watched: dict[str, np.ndarray] = {}
        inside = np.ones(size[::-1], bool) if region is None else np.asarray(region) != 0
        for zone in zones:
            if zone.kind == "line":
                _check_line(zone, size)
                continue
            plane = zone_plane(zone, size)
            if zone.kind == "ignore":
                inside &= plane == 0
                # A pixel that is ignored in part is ignored: a flag must not wave along the edge of its zone.
                small = _shrunk(plane, factor) > 0
                self._ignored = small if self._ignored is None else self._ignored | small
            else:
                small = _shrunk(plane, factor)
                half = small >= 128
                self._watched[zone.name] = half if half.any() else small > 0
        if not inside.any():
            raise ParameterError("zones that are ignored cover all that is looked at: leave a part of the picture")
        self.n_pixels = float(np.count_nonzero(inside))

    def clear_ignored(self, mask: np.ndarray) -> np.ndarray:
        """Set what is ignored in a mask to 0, in place, and return the mask."""
        if self._ignored is not None:
            height, width = mask.shape
            mask[self._ignored[:height, :width]] = 0
        return mask

    def touched(self, mask: np.ndarray, blobs: Sequence[Blob]) -> tuple[str, ...]:
        """Return the names of the watched zones that hold moving pixels of blobs, in the zones' order.

        Parameters
        ----------
        mask : ndarray of uint8, shape (H, W)
            255 is foreground.
        blobs : sequence of Blob
            Of the mask; what else moves in it is noise.
        """
        if not self._watched or not blobs:
            return ()
        windows = [self._window(blob, mask.shape) for blob in blobs]
        return tuple(
            name
            for name, plane in self._watched.items()
            if any(bool(np.any(plane[window] & (mask[window] == 255))) for window in windows)
        )

    def _window(self, blob: Blob, shape: tuple[int, ...]) -> tuple[slice, slice]:
        x, y, width, height = blob.box
        k = self._factor
        return slice(y // k, min(-(-(y + height) // k), shape[0])), slice(x // k, min(-(-(x + width) // k), shape[1]))


def check_names(zones: Sequence[Zone]) -> None:
    """Raise ParameterError where two zones have the same name, or there are too many."""
    if len(zones) > MOST_ZONES:
        raise ParameterError(f"{len(zones)} zones are too many: give at most {MOST_ZONES}")
    names: set[str] = set()
    for zone in zones:
        if zone.name in names:
            raise ParameterError(f"two zones are called {zone.name}: give each a name of its own")
        names.add(zone.name)


def _is_name(name: object) -> bool:
    return (
        isinstance(name, str)
        and 0 < len(name) <= _LONGEST_NAME
        and name == name.strip()
        and all(letter.isalnum() or letter in "-_ " for letter in name)
    )


def _corners(name: str, polygon: Polygon, least: int, what: str) -> tuple[tuple[float, float], ...]:
    try:
        corners = tuple((float(x), float(y)) for x, y in polygon)
    except (TypeError, ValueError):
        raise ParameterError(f"zone {name} has a {what} that is no list of points: give [x, y] for each") from None
    if len(corners) < least:
        raise ParameterError(f"zone {name} has a {what} of {len(corners)} points: give at least {least}")
    if not all(math.isfinite(value) and abs(value) <= _FARTHEST for corner in corners for value in corner):
        raise ParameterError(f"zone {name} has a {what} with a point out of range: give pixels of the picture")
    if what == "line" and len(set(corners)) < 2:
        raise ParameterError(f"zone {name} has a line without length: give two points that differ")
    return corners


def zone_plane(zone: Zone, size: tuple[int, int]) -> np.ndarray:
    """Return a zone as a picture of the source's size: uint8, 255 inside."""
    width, height = size
    if isinstance(zone.shape, str):
        from bgsub.video.readers.images import read_mask  # where it is needed: few have masks

        try:
            mask = read_mask(Path(zone.shape))
        except SourceError as error:
            raise SourceError(f"zone {zone.name}: {error}") from error
        if mask.shape != (height, width):
            raise ParameterError(
                f"zone {zone.name}: the mask {zone.shape} has {mask.shape[1]}x{mask.shape[0]} pixels, the video "
                f"{width}x{height}: give a mask of the video's size"
            )
        if not mask.any():
            raise ParameterError(f"zone {zone.name}: the mask {zone.shape} is black: make white what is inside")
        return np.where(mask, np.uint8(255), np.uint8(0))
    try:
        return region_mask(list(zone.shape), (height, width))
    except ParameterError:
        raise ParameterError(
            f"zone {zone.name} lies outside the picture of {width}x{height} pixels: give pixels of the video"
        ) from None


def _check_line(zone: Zone, size: tuple[int, int]) -> None:
    assert not isinstance(zone.shape, str)  # a zone sees to it
    width, height = size
    for line in zone.shape:
        points = [(round(x), round(y)) for x, y in line]
        if not any(cv2.clipLine((0, 0, width, height), *pair)[0] for pair in itertools.pairwise(points)):
            raise ParameterError(
                f"zone {zone.name} has a line outside the picture of {width}x{height} pixels: give pixels of the video"
            )


def _shrunk(plane: np.ndarray, factor: int) -> np.ndarray:
    """Return the mean of each square of pixels, rounded up, so that a touched one is not 0."""
    if factor == 1:
        return plane
    height, width = (n // factor for n in plane.shape)
    squares = plane[: height * factor, : width * factor].reshape(height, factor, width, factor)
    sums = squares.astype(np.uint32).sum(axis=(1, 3))
    return np.minimum(-(-sums // factor**2), 255).astype(np.uint8)
