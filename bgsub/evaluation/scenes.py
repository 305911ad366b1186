"""Synthetic surveillance footage of which every pixel is known to be background or foreground."""

from __future__ import annotations

import math

import cv2
import numpy as np

from bgsub.errors import ParameterError
from bgsub.masks import FOREGROUND

_N_OBJECTS = 6
_BLOCK_SIZES = (4, 16, 64, 256)  # pixels: the scales of the background's texture
_NOISE_TABLE_SIZE = 1 << 22


def synthetic_scene(
    width: int,
    height: int,
    n_frames: int,
    *,
    noise: float = 5.0,
    waving: float = 0.20,
    objects: float = 0.04,
    seed: int = 0,
) -> tuple[np.ndarray, np.ndarray]:
    """Return frames of a textured background with moving objects, and their ground truth.

    Part of the background waves as foliage does: its pixels switch between three colours, in step with their
    neighbours. Objects cross the frame with a slight bob, leave it at one side and return at the other, hide
    one another, and cast shadows, which are background to the ground truth.

    Parameters
    ----------
    width, height : int
        Size of the frames in pixels, at least 32 each.
    n_frames : int
        Number of frames, at least 1; all are in memory at once.
    noise : float, default=5.0
        Standard deviation of the sensor's noise in grey levels, 0 to 30.
    waving : float, default=0.20
        Share of the frame that waves, 0 to 1.
    objects : float, default=0.04
        Share of the frame that objects cover, 0 to 0.3, less what is hidden or has left the frame.
    seed : int, default=0
        The same seed gives the same scene.

    Returns
    -------
    frames : ndarray of uint8, shape (n_frames, height, width, 3)
        BGR.
    truth : ndarray of uint8, shape (n_frames, height, width)
        255 where an object is, 0 elsewhere.

    Raises
    ------
    ParameterError
        When an argument is out of its bounds.
    """
    _check("width", width, 32, 1 << 15)
    _check("height", height, 32, 1 << 15)
    _check("n_frames", n_frames, 1, math.inf)
    _check("noise", noise, 0, 30)
    _check("waving", waving, 0, 1)
    _check("objects", objects, 0, 0.3)
    rng = np.random.default_rng(seed)
    background = _Background(width, height, waving, rng)
    n_objects = _N_OBJECTS if objects else 0
    crossing = [_MovingObject(width, height, objects / n_objects, rng) for _ in range(n_objects)]
    sensor = _Sensor(noise, rng)

    frames = np.empty((n_frames, height, width, 3), np.uint8)
    truth = np.zeros((n_frames, height, width), np.uint8)
    for t in range(n_frames):
        image = background.at(t)
        for thing in crossing:
            thing.draw(t, image, truth[t])
        frames[t] = sensor.expose(image)
    return frames, truth


class _Background:
    """A still image, and two variants that part of it takes on in turn."""

    def __init__(self, width: int, height: int, waving: float, rng: np.random.Generator) -> None:
        texture = np.zeros((height, width, 3), np.float32)
        for size in _BLOCK_SIZES:
            blocks = (max(2, height // size), max(2, width // size))
            texture += _smooth_noise((*blocks, 3), (width, height), rng) * (6 + 2 * math.log2(size))
        texture = np.clip(texture + 115, 20, 235)
        self.still = texture.astype(np.uint8)
        self.bright = np.clip(0.5 * texture + 0.5 * texture[::-1, ::-1] + 25, 0, 255).astype(np.uint8)
        self.dull = (0.8 * texture + 20).astype(np.uint8)

        level = _smooth_noise((8, 12), (width, height), rng)
        self.waves = level >= np.quantile(level, 1 - waving) if waving else np.zeros((height, width), bool)
        self.phase = 6 * _smooth_noise((height // 8, width // 8), (width, height), rng)
        self.period = rng.uniform(7, 17)  # frames

    def at(self, t: int) -> np.ndarray:
        """Return the background of frame `t`, a new image."""
        swing = np.sin(self.phase + np.float32(2 * np.pi * t / self.period))
        image = self.still.copy()
        cv2.copyTo(self.bright, (self.waves & (swing > 0.4)).view(np.uint8), image)
        cv2.copyTo(self.dull, (self.waves & (swing < -0.8)).view(np.uint8), image)
        return image


class _MovingObject:
    """A textured rectangle on its way across the frame, its shadow beside its foot."""

    def __init__(self, width: int, height: int, share: float, rng: np.random.Generator) -> None:
        area = share * width * height
        self.frame_width = width
        self.width = max(1, int(math.sqrt(area) * rng.uniform(0.6, 1)))
        self.height = min(max(1, round(area / self.width)), height)
        self.x = rng.uniform(0, width)
        self.y = rng.uniform(0, height - self.height)
        self.speed = rng.uniform(3, 9) * rng.choice([-1, 1]) * width / 640  # pixels a frame
        self.bob = rng.uniform(-10, 10) * width / 640  # pixels
        colour = rng.uniform(20, 235, 3)
        grain = rng.normal(0, 12, (self.height, self.width, 3))
        self.texture = np.clip(colour + grain, 0, 255).astype(np.uint8)

    def draw(self, t: int, image: np.ndarray, truth: np.ndarray) -> None:
        """Draw the object of frame `t`, and mark it in the frame's ground truth."""
        x = int((self.x + self.speed * t) % (self.frame_width + self.width)) - self.width
        y = int(self.y + self.bob * math.sin(0.1 * t))

        left, top = x + self.width // 3, y + self.height - self.height // 4
        shadow = _window(left, top, self.width, self.height // 4 + self.height // 6)
        image[shadow] = image[shadow] * np.float32(0.7)

        body = _window(x, y, self.width, self.height)
        rows, columns = image[body].shape[:2]
        first_row, first_column = max(0, -y), max(0, -x)
        image[body] = self.texture[first_row : first_row + rows, first_column : first_column + columns]
        truth[body] = FOREGROUND


class _Sensor:
    """Adds normal noise in whole grey levels, for each row of a frame from another place of one table."""

    def __init__(self, noise: float, rng: np.random.Generator) -> None:
        deviates = rng.standard_normal(_NOISE_TABLE_SIZE, np.float32) * np.float32(noise)
        self.table = np.clip(np.rint(deviates), -128, 127).astype(np.int8)
        self.rng = rng

    def expose(self, image: np.ndarray) -> np.ndarray:
        """Return the image with noise."""
        height, width, channels = image.shape
        length = width * channels
        starts = self.rng.integers(0, self.table.size - length, height)
        noise = np.stack([self.table[start : start + length] for start in starts])
        return cv2.add(image, noise.reshape(image.shape), dtype=cv2.CV_8U)


def _smooth_noise(shape: tuple[int, ...], size: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """Return normal deviates of a coarse grid, enlarged smoothly to (width, height)."""
    return cv2.resize(rng.standard_normal(shape, np.float32), size, interpolation=cv2.INTER_CUBIC)


def _window(x: int, y: int, width: int, height: int) -> tuple[slice, slice]:
    """Return the part of a rectangle that no negative index would turn around; slicing cuts the other end."""
    return slice(max(0, y), max(0, y + height)), slice(max(0, x), max(0, x + width))


def _check(name: str, value: float, least: float, most: float) -> None:
    if not least <= value <= most:
        bounds = f"{least} or more" if most == math.inf else f"{least} to {most}"
        raise ParameterError(f"{name}={value!r}: give {bounds}")
