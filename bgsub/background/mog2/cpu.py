"""The mixture of every pixel of frames of one shape, and the way of a frame through the kernels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from bgsub import threads as pool
from bgsub.background.mog2 import kernels
from bgsub.background.mog2.kernels import AHEAD, KNOWN_FOREGROUND, LEARN, OUTSIDE, State, Step
from bgsub.background.region import Polygon, region_mask
from bgsub.simd import LANES, zeros

SAVED = ("weights", "modes", "n_modes")  # the arrays of a state that make the model; the rest are hints

Layout = dict[str, tuple[tuple[int, ...], np.dtype]]


def layout(shape: tuple[int, ...], n_components: int, precision: str) -> Layout:
    """Return shape and dtype of the saved arrays of a state for frames of `shape`, (H, W) or (H, W, 3)."""
    n_tiles = -(-shape[0] * shape[1] // LANES)
    channels = 3 if len(shape) == 3 else 1
    dtype = np.dtype(np.float32 if precision == "exact" else np.uint16)
    return {
        "weights": ((n_tiles, n_components, LANES), dtype),
        "modes": ((n_components, n_tiles, 1 + channels, LANES), dtype),
        "n_modes": ((n_tiles,), np.dtype(np.uint8)),
    }


class Tiles:
    """State of a mixture, and which pixels learn.

    Parameters
    ----------
    shape : tuple
        Shape of the frames, (H, W) or (H, W, 3).
    n_components : int
        Most Gaussians that a pixel can have.
    precision : {"exact", "compact"}
        float32 or 16-bit fixed point.
    region : ndarray or list of polygons, optional
        Region of interest, see `region_mask`; by default every pixel learns.

    Raises
    ------
    ParameterError
        When the region does not fit the frames.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        n_components: int,
        precision: str,
        region: np.ndarray | Sequence[Polygon] | None = None,
    ) -> None:
        arrays = layout(shape, n_components, precision)
        (n_tiles,), _ = arrays["n_modes"]
        self.compact = precision == "compact"
        self._gates: np.ndarray | None = None
        if region is not None:
            self._gates = np.full(n_tiles * LANES, OUTSIDE, np.uint8)
            self._gates[: shape[0] * shape[1]][region_mask(region, (shape[0], shape[1])).ravel() > 0] = LEARN
        self.state = State(
            weights=zeros(*arrays["weights"]),
            modes=zeros(*arrays["modes"]),
            n_modes=np.ones(n_tiles, np.uint8),
            depth=np.zeros(n_tiles + AHEAD, np.uint8),
        )

    def forget(self) -> None:
        """Empty the state."""
        self.state.weights[...] = 0
        self.state.n_modes[...] = 1

    def saved(self) -> dict[str, np.ndarray]:
        """Return the arrays that make the model."""
        return {name: getattr(self.state, name) for name in SAVED}

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Take over what `saved` gave; shapes and dtypes must be those of `layout`."""
        for name in SAVED:
            getattr(self.state, name)[...] = arrays[name]

    def background_image(self, shape: tuple[int, ...], background_ratio: float) -> np.ndarray:
        """Return for each pixel the weighted mean of its background Gaussians, uint8; 0 where it has none."""
        weights, means = self.state.weights, self.state.modes[:, :, kernels.MEAN :]
        if self.compact:
            weights, means = weights / kernels.WEIGHT_SCALE, means / kernels.MODE_SCALE
        total = np.zeros((weights.shape[0], LANES), np.float32)
        image = np.zeros((weights.shape[0], means.shape[2], LANES), np.float32)
        for k in range(weights.shape[1]):
            taken = np.where(total <= background_ratio, weights[:, k], np.float32(0))
            image += taken[:, None] * means[k]
            total += taken
        image /= np.where(total > 0, total, 1)[:, None]
        flat = np.rint(image).astype(np.uint8).transpose(0, 2, 1).reshape(-1, means.shape[2])
        return flat[: shape[0] * shape[1]].reshape(shape)

    def run(
        self,
        pixels: np.ndarray,
        mask: np.ndarray,
        step: Step,
        *,
        shadows: bool,
        frozen: bool,
        known_foreground: np.ndarray | None,
        threads: int | None,
    ) -> None:
        """Mask a frame and, unless `frozen`, learn it.

        Parameters
        ----------
        pixels : ndarray of uint8 or float32, shape (H, W) or (H, W, 3)
            C-contiguous, in [0, 255].
        mask : ndarray of uint8, shape (H, W)
            C-contiguous; receives the mask.
        step : Step
            Constants of this frame.
        shadows : bool
            Look for shadows.
        frozen : bool
            Change nothing but the mask.
        known_foreground : ndarray of bool or uint8, shape (H, W), or None
            Pixels to mark 255 and not to learn.
        threads : int or None
            None chooses by the size of the frame.
        """
        n = mask.size
        full, n_tiles = n // LANES, len(self.state.n_modes)
        gates = self._gates_with(known_foreground)
        image, flat = pixels.reshape(n, *pixels.shape[2:]), mask.reshape(n)
        channels = self.state.modes.shape[2] - 1

        def work(image: np.ndarray, out: np.ndarray, first: int, lo: int, hi: int) -> None:
            common = (first, lo, hi, step, shadows)
            if frozen:
                kernels.classify_tiles(image, self.state, out, *common)
            elif gates is None:
                kernels.update_tiles(image, self.state, out, *common)
            else:
                scratch = np.empty((step.last + 1, 2 + channels, LANES), np.float32)
                gate_rows = gates[first * LANES :].reshape(-1, LANES)
                kernels.update_gated_tiles(image, self.state, out, gate_rows, scratch, *common)

        if full:
            out = flat[: full * LANES].reshape(full, LANES)
            pool.share(lambda lo, hi: work(image, out, 0, lo, hi), full, pool.threads_for(n, threads))
        if full < n_tiles:  # the frame ends within a tile: its pixels go on their own, with room for the missing ones
            rest = np.zeros((LANES, *image.shape[1:]), image.dtype)
            rest[: n - full * LANES] = image[full * LANES :]
            last = np.empty((1, LANES), np.uint8)
            work(rest, last, full, full, n_tiles)
            flat[full * LANES :] = last[0, : n - full * LANES]
        if frozen and gates is not None:
            flat[gates[:n] == OUTSIDE] = 0
            flat[gates[:n] == KNOWN_FOREGROUND] = 255

    def _gates_with(self, known_foreground: np.ndarray | None) -> np.ndarray | None:
        """Return for each pixel whether it learns; None when all do."""
        if known_foreground is None:
            return self._gates
        all_learn = np.full(len(self.state.n_modes) * LANES, LEARN, np.uint8)
        gates = all_learn if self._gates is None else self._gates.copy()
        inside = gates[: known_foreground.size]
        inside[(inside == LEARN) & (known_foreground.ravel() != 0)] = KNOWN_FOREGROUND
        return gates
