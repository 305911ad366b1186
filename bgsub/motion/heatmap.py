"""Where how much moved, as a picture: heat over the grey background, with a legend in seconds."""

from __future__ import annotations

import os

import cv2
import numpy as np

from bgsub.errors import OutputError
from bgsub.files import atomic_write
from bgsub.motion.results import Scanned

_WIDEST, _NARROWEST = 1280, 480
_LEGEND = 44  # rows below the picture
_BELOW = 0.02  # of the hottest, where heat is as good as none


def heat_picture(result: Scanned, *, legend: bool = True, width: int | None = None) -> np.ndarray | None:
    """Return the heat map of a scanned video over its background.

    Colours are of a perceptually uniform map and grow with the root of the seconds, so that a path that was walked once
    can be seen beside a road; where nothing moved the background is left grey.

    Parameters
    ----------
    result : Scanned
        With its heat.
    legend : bool
        Add a strip with the colours and their seconds.
    width : int, optional
        Of the picture, in pixels; default the source's, from 480 to 1280.

    Returns
    -------
    ndarray of uint8, shape (H, W, 3), or None
        BGR; None where there is no heat.
    """
    if result.heat is None or result.heat.size == 0:
        return None
    height, wide = result.heat.shape
    if result.facts is not None:
        height, wide = result.facts.height, result.facts.width
    width = width or int(np.clip(wide, _NARROWEST, _WIDEST))
    size = (width, max(1, round(height * width / wide)))
    hottest = float(result.heat.max())
    heat = cv2.resize(result.heat, size, interpolation=cv2.INTER_LINEAR) / (hottest or 1.0)
    strength = np.sqrt(np.where(heat < _BELOW, 0, heat).clip(0, 1))
    colours = cv2.applyColorMap((255 * strength).astype(np.uint8), cv2.COLORMAP_INFERNO)
    opacity = (0.9 * strength**0.5)[..., None]
    picture = ((1 - opacity) * _grey(result.background, size) + opacity * colours).round().astype(np.uint8)
    return np.vstack([picture, _legend(width, hottest)]) if legend else picture


def write_heatmap(path: str | os.PathLike[str], result: Scanned) -> bool:
    """Write the heat map as PNG, and tell whether there was any heat to draw.

    Parameters
    ----------
    path : path-like
        A name in ``.png``, replaced where it exists.
    result : Scanned
        With its heat.

    Raises
    ------
    OutputError
        When the extension is another or the file cannot be written.
    """
    if not os.fspath(path).lower().endswith(".png"):
        raise OutputError(f"cannot write the heat map {path}: its extension is not .png; choose that")
    picture = heat_picture(result)
    if picture is None:
        return False
    _, data = cv2.imencode(".png", picture)
    with atomic_write(path) as file:
        file.write(data.tobytes())
    return True


def _grey(background: np.ndarray | None, size: tuple[int, int]) -> np.ndarray:
    """Return the background in grey, a little darker than it is, that colours stand out."""
    if background is None:
        return np.full((size[1], size[0], 3), 40.0, np.float32)
    grey = background if background.ndim == 2 else cv2.cvtColor(background, cv2.COLOR_BGR2GRAY)
    grey = cv2.resize(grey, size, interpolation=cv2.INTER_LINEAR).astype(np.float32) * 0.8
    return np.repeat(grey[..., None], 3, axis=2)


def _legend(width: int, hottest: float) -> np.ndarray:
    """Return a strip with the colours from none to the hottest, and the seconds at its quarters of the root."""
    strip = np.full((_LEGEND, width, 3), 24, np.uint8)
    left, right = 24, width - 24
    ramp = np.linspace(0, 255, right - left).astype(np.uint8)[None].repeat(10, axis=0)
    strip[8:18, left:right] = cv2.applyColorMap(ramp, cv2.COLORMAP_INFERNO)
    for part in (0.0, 0.25, 0.5, 0.75, 1.0):
        text = written_seconds(hottest * part**2)
        (wide, _), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, 0.45, 1)
        x = int(np.clip(left + part * (right - left) - wide / 2, 2, width - wide - 2))
        cv2.putText(strip, text, (x, 36), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (220, 220, 220), 1, cv2.LINE_AA)
    return strip


def written_seconds(seconds: float) -> str:
    """Return a length of time as a legend has it: ``0.4 s``, ``12 s``, ``3 min``, ``2.5 h``."""
    for unit, of in (("h", 3600.0), ("min", 60.0)):
        if seconds >= 2 * of:
            return f"{seconds / of:.3g} {unit}"
    return f"{seconds:.2g} s" if seconds < 10 else f"{seconds:.0f} s"
