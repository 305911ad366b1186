"""Small recordings in which something crosses the picture, or nothing does."""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tests.cli.clips import write_clip

WIDTH, HEIGHT, FPS = 160, 120, 25


def pictures(count: int, crossings: Sequence[tuple[int, int]] = (), seed: int = 0) -> list[np.ndarray]:
    """BGR pictures of a textured, noisy ground; during each crossing (first frame, one after the last) a square of 24 x
    24 pixels goes from left to right, five pixels a frame."""
    rng = np.random.default_rng(seed)
    ground = rng.integers(90, 130, (HEIGHT, WIDTH, 3)).astype(np.int16)
    square = rng.integers(180, 250, (24, 24, 3))
    made = []
    for i in range(count):
        image = ground + rng.integers(-2, 3, ground.shape)
        for first, after in crossings:
            if first <= i < after:
                left = 4 + 5 * (i - first)
                image[40:64, left : left + 24] = square[:, : WIDTH - left]
        made.append(image.clip(0, 255).astype(np.uint8))
    return made


def record(path: str | Path, count: int, crossings: Sequence[tuple[int, int]] = (), seed: int = 0) -> Path:
    """Write such pictures as a video of 25 frames per second, without loss."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_encoded(path.suffix, count, tuple(map(tuple, crossings)), seed))
    return path


@functools.lru_cache(maxsize=32)
def _encoded(suffix: str, count: int, crossings: tuple[tuple[int, int], ...], seed: int) -> bytes:
    """Return a recording's bytes: most tests of a file want the same one."""
    with tempfile.TemporaryDirectory() as folder:
        return write_clip(Path(folder, f"recording{suffix}"), pictures(count, crossings, seed)).read_bytes()
