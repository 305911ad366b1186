"""The engine of `MOG2` on the CPU: the mixture in tiles of sixteen pixels, and how frames go through the kernels."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from bgsub import threads as pool
from bgsub.background.layout import alive, check_modes, fill_tiles, n_tiles, to_pixels
from bgsub.background.mog2 import kernels
from bgsub.background.mog2.kernels import AHEAD, KNOWN_FOREGROUND, LEARN, OUTSIDE, Gated, State
from bgsub.background.mog2.ranges import learning
from bgsub.background.mog2.step import MODE_SCALE, MOST_AT_ONCE, WEIGHT_SCALE, Step
from bgsub.background.region import Polygon, region_mask
from bgsub.simd import LANES, zeros
from bgsub.threads import each_its_own


class CpuEngine:
    """An `Engine` of kernels for tiles, shared by threads.

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
    threads : int, optional
        Most threads to use, by default as many as there are processors.

    Attributes
    ----------
    state : State
        What the kernels work on.

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
        threads: int | None = None,
    ) -> None:
        self._shape = shape
        self.threads = threads
        self._compact = precision == "compact"
        self._n_tiles = n_tiles(shape)
        self._gates: np.ndarray | None = None
        if region is not None:
            self._gates = np.full(self._n_tiles * LANES, OUTSIDE, np.uint8)
            self._gates[: shape[0] * shape[1]][region_mask(region, (shape[0], shape[1])).ravel() > 0] = LEARN
        dtype = np.dtype(np.uint16 if self._compact else np.float32)
        rows = 1 + (3 if len(shape) == 3 else 1)
        self.state = State(
            weights=zeros((self._n_tiles, n_components, LANES), dtype),
            modes=zeros((n_components, self._n_tiles, rows, LANES), dtype),
            n_modes=np.ones(self._n_tiles, np.uint8),
            depth=np.zeros(self._n_tiles + AHEAD, np.uint8),
        )

    @property
    def threads(self) -> int | None:
        """Most threads to use; None for as many as there are processors."""
        return self._threads

    @threads.setter
    def threads(self, threads: int | None) -> None:
        self._threads = threads
        self._n_threads = pool.threads_for(self._shape[0] * self._shape[1], threads)

    def run(
        self,
        frames: Sequence[np.ndarray],
        masks: Sequence[np.ndarray],
        steps: Sequence[Step],
        *,
        shadows: bool,
        frozen: bool,
        known_foreground: np.ndarray | None,
    ) -> None:
        """Mask a run of frames and, unless `frozen`, learn them; see `Engine`."""
        gates = self._gates_with(known_foreground)
        for some in (slice(i, i + MOST_AT_ONCE) for i in range(0, len(frames), MOST_AT_ONCE)):
            self._run(frames[some], masks[some], steps[some], shadows, frozen, gates)

    def background_image(self, background_ratio: float) -> np.ndarray:
        """Return for each pixel the weighted mean of its background modes; see `Engine`."""
        weights, means = self.state.weights, self.state.modes[:, :, kernels.MEAN :]
        if self._compact:
            weights, means = weights / WEIGHT_SCALE, means / MODE_SCALE
        total = np.zeros((self._n_tiles, LANES), np.float32)
        image = np.zeros((self._n_tiles, means.shape[2], LANES), np.float32)
        for k in range(weights.shape[1]):
            taken = np.where(total <= background_ratio, weights[:, k], np.float32(0))
            image += taken[:, None] * means[k]
            total += taken
        image /= np.where(total > 0, total, np.float32(np.nan))[:, None]
        flat = image.transpose(0, 2, 1).reshape(-1, means.shape[2])
        return flat[: self._shape[0] * self._shape[1]].reshape(self._shape)

    def forget(self) -> None:
        """Empty the state."""
        self.state.weights[...] = 0
        self.state.n_modes[...] = 1

    def saved(self) -> dict[str, np.ndarray]:
        """Return the arrays of `layout`, by name: copies."""
        weights = to_pixels(self.state.weights, self._shape)
        modes = to_pixels(self.state.modes, self._shape, axis=1)
        return {"weights": weights, "modes": modes, "n_modes": alive(weights)}

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Take over what `saved` gave; see `Engine`."""
        check_modes(arrays)
        fill_tiles(self.state.weights, arrays["weights"])
        fill_tiles(self.state.modes, arrays["modes"], axis=1)
        in_tiles = np.zeros((self._n_tiles, LANES), np.uint8)
        fill_tiles(in_tiles, arrays["n_modes"])
        self.state.n_modes[...] = np.maximum(in_tiles.max(axis=1), 1)

    # ------------------------------------------------------------------------------------------ a run of frames

    def _run(
        self,
        frames: Sequence[np.ndarray],
        masks: Sequence[np.ndarray],
        steps: Sequence[Step],
        shadows: bool,
        frozen: bool,
        gates: np.ndarray | None,
    ) -> None:
        n = masks[0].size
        full = n // LANES
        images = [frame.reshape(n, *frame.shape[2:]) for frame in frames]
        planes = [mask.reshape(n) for mask in masks]
        kernel, state = self._kernel(frozen, gates)
        if full:
            tiles = [plane[: full * LANES].reshape(full, LANES) for plane in planes]
            work = each_its_own(lambda: learning(kernel, images, state(), tiles, steps, shadows))
            pool.share(work, full, self._n_threads)
        if full < self._n_tiles:  # frames end within a tile: its pixels go on their own, the missing ones beside
            last = state()
            for image, plane, step in zip(images, planes, steps, strict=True):
                rest = np.zeros((LANES, *image.shape[1:]), image.dtype)
                rest[: n - full * LANES] = image[full * LANES :]
                tile = np.empty((1, LANES), np.uint8)
                kernel(rest, last, tile, full, step, shadows, full, self._n_tiles)
                plane[full * LANES :] = tile[0, : n - full * LANES]
        if frozen and gates is not None:
            for plane in planes:
                plane[gates[:n] == OUTSIDE] = 0
                plane[gates[:n] == KNOWN_FOREGROUND] = 255

    def _kernel(self, frozen: bool, gates: np.ndarray | None) -> tuple[Any, Callable[[], State | Gated]]:
        """Return the kernel for a run of frames, and what makes the state that a thread gives it."""
        if frozen or gates is None:
            return kernels.classify_tiles if frozen else kernels.update_tiles, lambda: self.state
        in_tiles, (n_components, _, n_rows, _) = gates.reshape(-1, LANES), self.state.modes.shape

        def gated() -> Gated:
            return Gated(self.state, in_tiles, np.empty((n_components, 1 + n_rows, LANES), np.float32))

        return kernels.update_gated_tiles, gated

    def _gates_with(self, known_foreground: np.ndarray | None) -> np.ndarray | None:
        """Return for each pixel whether it learns; None when all do."""
        if known_foreground is None:
            return self._gates
        all_learn = np.full(self._n_tiles * LANES, LEARN, np.uint8)
        gates = all_learn if self._gates is None else self._gates.copy()
        inside = gates[: known_foreground.size]
        inside[(inside == LEARN) & (known_foreground.ravel() != 0)] = KNOWN_FOREGROUND
        return gates
