"""The few colours that a picture is made of, by a Gaussian mixture of its pixels.

Pixels are compared in CIE Lab, where equal distances look equally different: a cluster is then a group of colours that
people call alike, and a shadow on a wall is a step in lightness instead of in all three of blue, green and red. The
mixture is fitted to pixels drawn at random, 100,000 at most: a picture has no more to say about eight colours. By
default all clusters have one shape: with a shape each, one would spread over whatever is left, and its colour be mud.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from bgsub.errors import ParameterError
from bgsub.mixture.comparison import compare
from bgsub.mixture.fitted import FittedMixture
from bgsub.mixture.fitting import FitOptions
from bgsub.mixture.settings import COVARIANCES, CovarianceType, default
from bgsub.video.writers.drawing import to_bgr

MOST_PIXELS = 100_000
"""Most pixels that a palette is learned from."""

_PER_FRAME = 4096  # pixels drawn of each frame of a video
_BLOCK = 1 << 16  # pixels whose probabilities are in memory together
_PHOTOGRAPH = 1 << 14  # values between black and white of 16 bits
_NOTICEABLE = 1.0  # squared distance in Lab, added to every variance: smaller differences are hardly seen


class PixelSample:
    """Pixels drawn at random from any number of images, in bounded memory.

    Parameters
    ----------
    seed : int
        Of the choice.
    single : bool
        Whether all that can be kept comes from one image.
    """

    def __init__(self, seed: int = 0, *, single: bool = False) -> None:
        self._random = np.random.default_rng(seed)
        self._per_image = MOST_PIXELS if single else _PER_FRAME
        self._keys = np.empty(0)
        self._pixels = np.empty((0, 3), np.uint8)

    def add(self, image: np.ndarray) -> None:
        """Draw from one more image, uint8, (H, W, 3) in BGR or (H, W)."""
        pixels = as_colour(image).reshape(-1, 3)
        if len(pixels) > self._per_image:
            pixels = pixels[self._random.choice(len(pixels), self._per_image, replace=False, shuffle=False)]
        # Those of the lowest keys remain: every pixel drawn so far has the same chance.
        self._keys = np.concatenate([self._keys, self._random.random(len(pixels))])
        self._pixels = np.concatenate([self._pixels, pixels])
        if len(self._keys) > 2 * MOST_PIXELS:
            self._shrink()

    def pixels(self) -> np.ndarray:
        """Return the pixels, uint8, (n, 3) in BGR, n up to `MOST_PIXELS`."""
        self._shrink()
        return self._pixels

    def _shrink(self) -> None:
        if len(self._keys) > MOST_PIXELS:
            kept = np.argpartition(self._keys, MOST_PIXELS)[:MOST_PIXELS]
            self._keys, self._pixels = self._keys[kept], self._pixels[kept]


@dataclass(frozen=True)
class Palette:
    """Colours, the most frequent first.

    Attributes
    ----------
    mixture : FittedMixture
        Of pixels in Lab, a component a colour.
    colours : ndarray of uint8, shape (K, 3)
        BGR.
    shares : ndarray of float64, shape (K,)
        Of the pixels that each colour is the most probable one of; they sum to 1.
    threads : int or None
        That share the pixels of an image; None for all processors.
    """

    mixture: FittedMixture
    colours: np.ndarray
    shares: np.ndarray
    threads: int | None = None

    def hexadecimal(self) -> list[str]:
        """Return the colours as the web writes them: ``#rrggbb``."""
        return [f"#{r:02x}{g:02x}{b:02x}" for b, g, r in self.colours.tolist()]

    def quantised(self, image: np.ndarray, *, soft: bool = False) -> np.ndarray:
        """Return the image in the palette's colours.

        Parameters
        ----------
        image : ndarray of uint8, shape (H, W, 3) or (H, W)
            BGR or grey.
        soft : bool
            Instead of its most probable colour, give each pixel the mean of all colours (in Lab), each counting as
            probable as it is: borders between colours become smooth.

        Returns
        -------
        ndarray of uint8, shape (H, W, 3)
            BGR.
        """
        pixels = as_colour(image).reshape(-1, 3)
        out = np.empty_like(pixels)
        for start in range(0, len(pixels), _BLOCK):
            lab = _lab(pixels[start : start + _BLOCK])
            if soft:
                out[start : start + _BLOCK] = _bgr(
                    self.mixture.responsibilities(lab, threads=self.threads) @ self.mixture.means
                )
            else:
                out[start : start + _BLOCK] = self.colours[self.mixture.labels(lab, threads=self.threads)]
        return out.reshape(*image.shape[:2], 3)


def learn_palette(
    pixels: np.ndarray,
    n_components: int,
    *,
    covariance_type: CovarianceType = COVARIANCES["colors"],
    n_init: int = int(default("n_init", "colors")),
    seed: int = int(default("seed", "colors")),
    threads: int | None = None,
) -> Palette:
    """Find the colours that pixels are made of.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (n, 3)
        BGR, such as `PixelSample.pixels` returns.
    n_components : int
        Number of colours, at least 1 and at most that of the different pixels.
    covariance_type : {'full', 'tied', 'diag', 'spherical'}
        Shape of a colour's cluster.
    n_init : int
        Starts, of which the best is kept.
    seed : int
        Of the starts.
    threads : int, optional
        Threads; None for all processors.

    Raises
    ------
    ParameterError
        When there are fewer different colours than asked for.
    """
    distinct = np.unique(pixels @ np.array([1 << 16, 1 << 8, 1])).size
    if distinct < n_components:
        found = "1 colour" if distinct == 1 else f"{distinct} colours"
        raise ParameterError(
            f"the picture has only {found}, fewer than the {n_components} asked for: give at most {distinct}"
        )
    lab = _lab(pixels)
    options = FitOptions(
        n_init=n_init, max_iter=int(default("max_iter", "colors")), reg_covar=_NOTICEABLE, threads=threads
    )
    only = [n_components], [covariance_type]
    mixture = compare(lab, *only, "bic", options, seed, allow_collapsed=True).best_mixture  # few colours are no fault
    shares = np.bincount(mixture.labels(lab, threads=threads), minlength=n_components) / len(lab)
    order = np.argsort(-shares, kind="stable")
    return Palette(mixture.reordered(order), _bgr(mixture.means[order]), shares[order], threads)


def as_colour(image: np.ndarray) -> np.ndarray:
    """Return an image, grey or colour, as BGR of uint8.

    Of 16 bits white is the type's largest value, unless less than a quarter of them is in use, as by thermal cameras:
    then, and of floats, it is the range in use that is shown.
    """
    if image.dtype == np.uint16 and int(image.max()) - int(image.min()) >= _PHOTOGRAPH:
        image = cv2.convertScaleAbs(image, alpha=1 / 257)
    return to_bgr(image)


def _lab(pixels: np.ndarray) -> np.ndarray:
    """Return BGR pixels (n, 3) of uint8 in Lab, float64: L* from 0 to 100, a* and b* about -127 to 127."""
    scaled = pixels[None].astype(np.float32) * np.float32(1 / 255)
    return cv2.cvtColor(scaled, cv2.COLOR_BGR2Lab)[0].astype(np.float64)


def _bgr(lab: np.ndarray) -> np.ndarray:
    """Return colours (n, 3) in Lab as BGR of uint8."""
    return np.rint(255 * cv2.cvtColor(lab[None].astype(np.float32), cv2.COLOR_Lab2BGR)[0]).clip(0, 255).astype(np.uint8)
