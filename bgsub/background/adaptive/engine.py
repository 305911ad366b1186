"""What the adaptive model wants of an engine, and what of an engine's state belongs in a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np

from bgsub.background.adaptive.codes import MEAN_C, MEAN_Y, VAR_C, VAR_Y, rows_of_mode
from bgsub.background.adaptive.constants import Search
from bgsub.background.adaptive.registration import small_shape
from bgsub.background.adaptive.step import Step
from bgsub.background.engine import ModelEngine
from bgsub.background.layout import Layout

FLICKERING = 30  # chosen: bytes of flicker, 0.03, that make a pixel count as flickering
SAMPLES = 512  # cost: pixels that tell enough of the light


class View(NamedTuple):
    """What tells, before anything is scored, what a frame and the scene are like.

    Attributes
    ----------
    pixels : ndarray of float32, shape (N,) or (N, 3)
        Pixels of the frame, evenly spread over it: grey or BGR, in [0, 255].
    background : ndarray of float32, shape (N,)
        Y of the heaviest mode of each of them; 0 where nothing has been learned.
    flickering : float
        Share of all pixels whose flicker is above `FLICKERING`.
    """

    pixels: np.ndarray
    background: np.ndarray
    flickering: float


class Objects(NamedTuple):
    """The objects of a frame: sets of touching pixels with evidence, a row each.

    Attributes
    ----------
    area : ndarray of int64, shape (N,)
        Pixels, holes that stay open not counted.
    held : ndarray of int64, shape (N,)
        Pixels of the object's bounding box that were foreground in the last frame learned; 0 for those of fewer pixels
        than `Search.compared_area`.
    """

    area: np.ndarray
    held: np.ndarray


class Likeness(NamedTuple):
    """Sums over an object's pixels that tell whether the picture there has the structure of the background.

    With f the fine structure of the frame, its luma less the local mean, and e that of the background.

    Attributes
    ----------
    seen_edges, learned_edges : float
        Mean gradient along the outline in the frame and in the background, grey levels a pixel; 0 where the object
        fills the picture.
    product, seen_energy, learned_energy : float
        Sums of f e, f f and e e.
    n_pixels : int
        That were summed.
    """

    seen_edges: float
    learned_edges: float
    product: float
    seen_energy: float
    learned_energy: float
    n_pixels: int


class Engine(ModelEngine, Protocol):
    """Owns mixture, flicker and ages of every pixel of an area, and does what touches every pixel or labels regions.

    An engine is made by ``Engine(area, n_channels, n_components, threads)`` and is empty then. For each frame the model
    calls `show`, `score` (`begin` for the very first frame), `keep`, `learn` unless frozen, and `deliver`, in this
    order; the other methods tell it what it decides by. An engine may put off what `learn` asks for until it is wanted,
    and do it together with the scoring of the next frame. Pictures are of the area, (h, w), where nothing else is said.
    `saved` lacks ``reference``, which is the model's own.
    """

    def small_frame(self, pixels: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
        """Return the luma of a whole frame's area, uint8, brought down to `shape` as `registration.small` does."""

    def small_background(self, shape: tuple[int, int]) -> np.ndarray:
        """Return the same of the learned background."""

    def show(self, pixels: np.ndarray, known_foreground: np.ndarray | None, displacement: np.ndarray | None) -> View:
        """Take the frame that the next calls are about, and tell about it.

        Parameters
        ----------
        pixels : ndarray of uint8 or float32, shape (H, W) or (H, W, 3)
            The whole frame, C-contiguous, in [0, 255].
        known_foreground : ndarray of bool or uint8, shape (H, W), or None
            Where it is not 0 there is foreground for sure: to be marked, and not to be learned.
        displacement : ndarray of float64, shape (2, 3), or None
            Takes (x, y, 1) in the background to (x, y) in the frame, pixels of the area; None for no movement.

        Returns
        -------
        View
            Of about `SAMPLES` pixels (up to twice as many).
        """

    def begin(self) -> Objects:
        """Take the frame as one that has nothing to differ from: no pixel has an owner, and there are no objects."""

    def score(self, step: Step, search: Search) -> Objects:
        """Find the objects of the frame.

        The evidence of each pixel (see the package's equations), raised or lowered by its neighbourhood and by what
        stands below it, is smoothed; touching pixels with positive evidence are an object unless there are too few.
        Shadows are marked where most pixels around were explained as one.
        """

    def shadow_depths(self) -> np.ndarray:
        """Return how dark the shadows of the frame are: its pixels within one, by brightness beside the background's.

        Only where `score` was asked for shadows, and after `learn`.

        Returns
        -------
        ndarray of int64, shape (256,)
            Pixels of which all eight neighbours are shadow too, by `DIMMING_STEPS` r.
        """

    def likeness(self, rows: Sequence[int]) -> list[Likeness]:
        """Compare the structure of frame and background within each of some objects."""

    def keep(self, kept: np.ndarray, large: np.ndarray) -> None:
        """Take the objects that are foreground.

        Parameters
        ----------
        kept : ndarray of bool, shape (N,)
            Those that are.
        large : ndarray of bool, shape (N,)
            Those of them around which changes are no flicker, now and in the next frame.
        """

    def learn(self, step: Step, ghosts: np.ndarray, oldest: int) -> None:
        """Move the mixture and the flicker; foreground is learned slowly.

        Parameters
        ----------
        step : Step
            The constants of this frame.
        ghosts : ndarray of bool, shape (N,)
            Objects that have gone: the ground is learned fast.
        oldest : int
            Frames from which on changes within a large object are flicker after all; above 255 for never.
        """

    def deliver(self, mask: np.ndarray, probability: np.ndarray | None) -> None:
        """Write what the caller gets, where the frame shows it.

        Parameters
        ----------
        mask : ndarray of uint8, shape (H, W)
            C-contiguous; receives 0 background, the value of shadows, and 255 foreground.
        probability : ndarray of float32, shape (H, W), or None
            C-contiguous; receives 1 / (1 + exp(-L)) of the smoothed evidence L, 0 outside the region.
        """

    def background_image(self) -> np.ndarray:
        """Return the mean of the heaviest mode of each pixel, float32, (h, w) or (h, w, 3); NaN without one."""


def layout(size: tuple[int, int], n_channels: int, n_components: int) -> Layout:
    """Return shape and dtype of the saved arrays of an area of `size`, (h, w).

    ``weights`` (K, h, w), heaviest mode first; ``modes`` (K, rows, h, w), rows as in the package's equations; how many
    modes are alive, ``n_modes``; ``flicker``, ``raw`` (255 where the last evidence was positive), ``age`` (frames since
    a large object came) and ``mask`` (255 where learning was slow) (h, w). And the ``reference`` of the registration.
    """
    plane, real = np.dtype(np.uint8), np.dtype(np.float32)
    return {
        "weights": ((n_components, *size), real),
        "modes": ((n_components, rows_of_mode(n_channels), *size), real),
        "n_modes": (size, plane),
        "flicker": (size, real),
        "raw": (size, plane),
        "age": (size, plane),
        "mask": (size, plane),
        "reference": (small_shape(size), plane),
    }


def rescaled(
    arrays: Mapping[str, np.ndarray], gain: float, offset: float, parameters: Mapping[str, Any]
) -> dict[str, np.ndarray]:
    """Return saved arrays as they would be if each grey level v had been gain v + offset from the start.

    Variances keep the bounds that `parameters` set, and so a noise beyond them.
    """
    modes, learned = arrays["modes"].copy(), arrays["weights"] > 0
    modes[:, MEAN_Y] = np.where(learned, modes[:, MEAN_Y] * np.float32(gain) + np.float32(offset), 0)
    modes[:, MEAN_C:] *= np.float32(gain)
    for row, least in ((VAR_Y, "var_min_y"), (VAR_C, "var_min_c")):
        if row < modes.shape[1]:
            modes[:, row] = np.clip(modes[:, row] * np.float32(gain**2), parameters[least], parameters["var_max"])
    reference = arrays["reference"]
    if reference.any():
        reference = np.clip(np.rint(reference * gain + offset), 0, 255).astype(np.uint8)
    return {**arrays, "modes": modes, "reference": reference}
