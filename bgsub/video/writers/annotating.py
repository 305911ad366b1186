"""What is drawn on a picture in place: boxes, paths, text, and a graph. All sizes follow the picture's."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from bgsub.video.colors import Color

Box = tuple[int, int, int, int]

WHITE: Color = (255, 255, 255)
_DARK: Color = (24, 24, 24)
_FONT = cv2.FONT_HERSHEY_SIMPLEX
_GRAPH = 10  # part of the picture's height, one in so many
_MARGIN = 60


def thickness(picture: np.ndarray) -> int:
    """Return the width of a line on a picture, in pixels."""
    return max(1, round(max(picture.shape[:2]) / 500))


def draw_box(picture: np.ndarray, box: Box, color: Color, label: str = "") -> None:
    """Draw a rectangle around left, top, width and height, and what it is called above, or below where is no room."""
    left, top, width, height = box
    line = thickness(picture)
    cv2.rectangle(picture, (left, top), (left + width - 1, top + height - 1), color, line)
    if label:
        scale, size, below = _text_size(picture, label, 0.8)
        y = top - line - 2 - below
        if y - size[1] < 0:
            y = min(top + height + line + size[1] + 2, picture.shape[0] - 2)
        x = int(np.clip(left, 0, max(0, picture.shape[1] - size[0])))
        _write(picture, label, (x, y), scale, color)


def draw_path(picture: np.ndarray, points: Sequence[tuple[float, float]], color: Color) -> None:
    """Draw the way of an object, its last point a dot."""
    if not points:
        return
    line = thickness(picture)
    corners = np.rint(np.asarray(points, float) * 16).astype(np.int32).reshape(-1, 1, 2)
    cv2.polylines(picture, [corners], False, color, line, cv2.LINE_AA, 4)
    x, y = (round(value) for value in points[-1])
    cv2.circle(picture, (x, y), 2 * line, color, -1, cv2.LINE_AA)


def draw_text(picture: np.ndarray, text: str, *, line: int = 0) -> None:
    """Write a line of text into the upper left corner; further lines below it."""
    scale, size, below = _text_size(picture, text, 1.0)
    margin = max(2, picture.shape[0] // _MARGIN)
    y = margin + size[1] + line * (size[1] + below + margin)
    _write(picture, text, (margin, y), scale, WHITE)


def draw_graph(picture: np.ndarray, values: np.ndarray, now: float, color: Color) -> None:
    """Draw values from 0 to 1 along the bottom, those up to `now` bright.

    Parameters
    ----------
    picture : ndarray of uint8, shape (H, W, 3)
        It is changed.
    values : ndarray of float, shape (n,)
        One or more.
    now : float
        Part of the way that is over, 0 to 1.
    color : tuple of int
        BGR.
    """
    height, width = picture.shape[:2]
    high = max(4, height // _GRAPH)
    strip = picture[height - high :]
    strip[:] = (strip * 0.4).astype(np.uint8)
    columns = np.arange(width)
    tall = np.interp(columns / max(1, width - 1), np.linspace(0, 1, len(values)), np.clip(values, 0, 1)) * (high - 1)
    filled = np.arange(high)[:, None] >= high - 1 - tall[None, :]
    over = columns[None, :] <= now * (width - 1)
    strip[filled & over] = color
    strip[filled & ~over] = [value // 2 for value in color]
    x = min(round(now * (width - 1)), width - 1)
    cv2.line(picture, (x, height - high), (x, height - 1), WHITE, thickness(picture))


def _text_size(picture: np.ndarray, text: str, part: float) -> tuple[float, tuple[int, int], int]:
    """Return scale, size and depth below the line of a text that fits the picture."""
    scale = max(0.5, picture.shape[0] / 900) * part
    size, below = cv2.getTextSize(text, _FONT, scale, 1)
    if size[0] > picture.shape[1] * 0.96:
        scale *= picture.shape[1] * 0.96 / size[0]
        size, below = cv2.getTextSize(text, _FONT, scale, 1)
    return scale, (size[0], size[1]), below


def _write(picture: np.ndarray, text: str, place: tuple[int, int], scale: float, color: Color) -> None:
    """Write with a dark rim, which is read on everything."""
    line = max(1, round(scale * 1.6))
    cv2.putText(picture, text, place, _FONT, scale, _DARK, line + 2, cv2.LINE_AA)
    cv2.putText(picture, text, place, _FONT, scale, color, line, cv2.LINE_AA)
