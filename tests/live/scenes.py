"""Pictures of a camera, made: a yard by day and by night, somebody who walks through, and what is no motion."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from typing import NamedTuple

import cv2
import numpy as np

from bgsub.video.frame import VideoInfo

WIDTH, HEIGHT, RATE = 320, 240, 12.5
INFO = VideoInfo("yard", WIDTH, HEIGHT, Fraction(25, 2), None, "h264", None, live=True)


class Picture(NamedTuple):
    """As `bgsub.video.live.LivePicture`."""

    index: int
    time: float
    image: np.ndarray
    gap: float = 0.0


def yard(seed: int = 3) -> np.ndarray:
    """Ground with structure, float, levels around 110."""
    rng = np.random.default_rng(seed)
    coarse, fine = rng.normal(110, 25, (12, 16)), rng.normal(0, 8, (60, 80))
    size = (WIDTH, HEIGHT)
    return cv2.resize(coarse, size, interpolation=cv2.INTER_CUBIC) + cv2.resize(fine, size)


def walker(image: np.ndarray, x: float, level: float = 200, top: int = 90, width: int = 20, height: int = 60) -> None:
    """Draw somebody whose left side is at x."""
    left, right = max(0, round(x)), min(WIDTH, round(x) + width)
    if right > left:
        rows = np.arange(height)[:, None] % 12
        image[top : top + height, left:right] = level + 2.0 * rows


def pictures(
    seconds: float,
    draw: Callable[[float, np.ndarray], np.ndarray | None] | None = None,
    *,
    ground: np.ndarray | None = None,
    noise: float = 2.0,
    seed: int = 0,
    start: float = 0.0,
    rate: float = RATE,
    gaps: Iterable[tuple[float, float]] = (),
) -> Iterator[Picture]:
    """Yield noisy pictures; `draw` gets time and picture, and changes it or returns another; gaps are (at, length)."""
    rng = np.random.default_rng(seed)
    ground = yard() if ground is None else ground
    left = sorted(gaps)
    away = 0.0
    for i in range(round(seconds * rate)):
        time, gap = start + i / rate, 0.0
        if left and time >= left[0][0]:
            gap = left.pop(0)[1]
            away += gap
        image = ground.copy()
        if draw is not None:
            changed = draw(time, image)
            image = image if changed is None else changed
        image += rng.normal(0, noise, image.shape)
        yield Picture(i, time + away, image.clip(0, 255).astype(np.uint8), gap)


def walk(begin: float, speed: float = 60.0, **look: float) -> Callable[[float, np.ndarray], None]:
    """Return what draws somebody who comes in at the left at a time and goes to the right, pixels a second."""

    def draw(time: float, image: np.ndarray) -> None:
        if time >= begin:
            walker(image, speed * (time - begin) - 20, **look)  # type: ignore[arg-type]

    return draw
