"""From linear light to the 8-bit picture of a cheap camera, and the camera's own movement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from .textures import Array

_UNFILTERED = np.array([[0.22], [0.36], [0.42]], np.float32)


@dataclass(frozen=True)
class Sensor:
    """Lens, sensor and picture processing.

    Attributes
    ----------
    seed : int
        Seed of the noise; a frame's noise depends on it and the frame's index only.
    full_well : float
        Electrons of a pixel at full scale: fewer mean more shot noise, growing with the root of the light.
    read_noise : float
        Noise of a dark pixel, as a share of full scale (linear).
    blur : float
        Standard deviation of the lens's point spread in pixels.
    vignette : float
        Loss of light in the corners, 0..1.
    sharpen : float
        Strength of the in-camera sharpening, which leaves faint halos.
    glare : float
        Share of very bright light that spreads around its source.
    grey : bool
        A sensor without colour filters, as infrared cameras have: one signal in all three channels.
    """

    seed: int
    full_well: float = 4500.0
    read_noise: float = 0.0016
    blur: float = 0.6
    vignette: float = 0.3
    sharpen: float = 0.45
    glare: float = 0.0
    grey: bool = False

    def expose(self, light: Array, index: int, gain: float = 1.0, balance: Sequence[float] = (1, 1, 1)) -> Array:
        """Return the BGR uint8 picture of linear light ``(H, W, 3)``, where 1.0 is nearly white."""
        height, width = light.shape[:2]
        if self.grey:
            light = np.repeat(light @ _UNFILTERED, 3, axis=-1)
        picture = light * self._falloff(height, width)[..., None]
        if self.glare > 0:
            bright = np.minimum(np.maximum(picture - 0.6, 0), 6)
            picture = picture + self.glare * (
                cv2.GaussianBlur(bright, (0, 0), 2.5) + 0.6 * cv2.GaussianBlur(bright, (0, 0), 11)
            )
        picture = cv2.GaussianBlur(picture, (0, 0), self.blur) * np.float32(gain)
        rng = np.random.default_rng([self.seed, index])
        # Most of what is left after colour interpolation is common to the three channels.
        noise = 0.7 * rng.standard_normal(picture.shape, np.float32)
        noise += 0.7 * rng.standard_normal((*picture.shape[:2], 1), np.float32)
        if self.grey:
            noise = np.repeat(1.4 * noise[..., :1], 3, axis=-1)
        # Colour interpolation on the sensor smears noise over neighbours.
        noise = 0.6 * noise + 0.9 * cv2.GaussianBlur(noise, (0, 0), 0.8)
        picture += noise * np.sqrt(np.maximum(picture, 0) * gain / self.full_well + (self.read_noise * gain) ** 2)
        encoded = _tone(picture * np.asarray(balance, np.float32))
        halo = encoded - cv2.GaussianBlur(encoded, (0, 0), 1.1)
        return np.clip((encoded + self.sharpen * halo) * 255 + 0.5, 0, 255).astype(np.uint8)

    def _falloff(self, height: int, width: int) -> Array:
        y = (np.arange(height, dtype=np.float32) + 0.5) / height * 2 - 1
        x = (np.arange(width, dtype=np.float32) + 0.5) / width * 2 - 1
        return 1 - self.vignette * np.minimum((x[None, :] ** 2 + y[:, None] ** 2) / 2, 1) ** 1.3


def _tone(linear: Array) -> Array:
    """Gamma with a soft shoulder, so that highlights roll off before they clip."""
    linear = np.maximum(linear, 0)
    rolled = np.where(linear < 0.7, linear, 0.7 + 0.3 * np.tanh((linear - 0.7) / 0.45))
    return np.where(rolled < 0.0031308, 12.92 * rolled, 1.055 * rolled ** (1 / 2.4) - 0.055)


@dataclass(frozen=True)
class Shake:
    """A camera that sways: shifts in pixels, roll in degrees, as sums of slow and quick swings."""

    seed: int
    shift: float = 3.0
    roll: float = 0.4

    @property
    def margin(self) -> int:
        """Pixels of scenery that are needed around the picture."""
        return int(np.ceil(3 * self.shift)) + 6

    def matrix(self, time: float, width: int, height: int) -> Array:
        """Return the 2x3 map from the picture to the steady, wider picture."""
        rng = np.random.default_rng(self.seed)
        sway = []
        for _ in range(3):
            rates, phases = rng.uniform([0.25, 0.9, 2.4], [0.5, 1.6, 4.2]), rng.uniform(0, 6.28, 3)
            sway.append(float(np.sin(6.283 * rates * time + phases) @ np.array([0.6, 0.4, 0.22])))
        angle = np.radians(self.roll * sway[2])
        cosine, sine = np.cos(angle), np.sin(angle)
        centre = np.array([width / 2, height / 2])
        turn = np.array([[cosine, -sine], [sine, cosine]])
        offset = centre + self.margin - turn @ centre + self.shift * np.array(sway[:2])
        return np.column_stack([turn, offset])

    def apply(self, image: Array, times: Sequence[float], width: int, height: int) -> Array:
        """Cut the swaying view out of a wider image, averaged over the moments the shutter is open."""
        views = [
            cv2.warpAffine(
                image,
                self.matrix(t, width, height),
                (width, height),
                flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
            )
            for t in times
        ]
        return np.asarray(np.mean(views, axis=0, dtype=np.float32))
