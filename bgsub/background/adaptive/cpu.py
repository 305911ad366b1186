"""What the adaptive model knows of every pixel, and the planes on which its stages hand each other their results."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import cv2
import numpy as np

from bgsub import threads as pool
from bgsub.background.adaptive.kernels import FLICKER_STEPS, MEAN_C, MEAN_Y, Planes, State
from bgsub.background.adaptive.light import CHROMA, LUMA
from bgsub.background.adaptive.registration import Displacement, Registration, small_shape
from bgsub.background.region import Polygon, region_mask
from bgsub.simd import LANES, zeros

Layout = dict[str, tuple[tuple[int, ...], np.dtype]]
Box = tuple[slice, slice]

_NEIGHBOURHOOD = (5, 5)  # over which flicker is averaged, pixels


def layout(shape: tuple[int, ...], n_components: int) -> Layout:
    """Return shape and dtype of the saved arrays of a state for an area of `shape`, (H, W) or (H, W, 3)."""
    n_tiles = -(-shape[0] * shape[1] // LANES)
    rows = 5 if len(shape) == 3 else 2
    return {
        "weights": ((n_tiles, n_components, LANES), np.dtype(np.float32)),
        "modes": ((n_components, n_tiles, rows, LANES), np.dtype(np.float32)),
        "n_modes": ((n_tiles,), np.dtype(np.uint8)),
        "flicker": ((n_tiles, LANES), np.dtype(np.float32)),
        "raw": ((n_tiles, LANES), np.dtype(np.uint8)),
        "age": ((n_tiles, LANES), np.dtype(np.uint8)),
        "mask": ((n_tiles, LANES), np.dtype(np.uint8)),
        "reference": (small_shape(shape), np.dtype(np.uint8)),
    }


def area_of(region: np.ndarray | Sequence[Polygon] | None, shape: tuple[int, ...]) -> Box:
    """Return the rows and columns that a region reaches, the whole frame without one.

    Raises
    ------
    ParameterError
        When the region does not fit the frames.
    """
    if region is None:
        return slice(0, shape[0]), slice(0, shape[1])
    x, y, width, height = cv2.boundingRect(region_mask(region, (shape[0], shape[1])))
    return slice(y, y + height), slice(x, x + width)


class AdaptiveState:
    """Mixture, flicker and planes for the part of a frame that a region reaches.

    Parameters
    ----------
    shape : tuple
        Shape of the frames, (H, W) or (H, W, 3).
    n_components : int
        Most Gaussians that a pixel can have.
    region : ndarray or list of polygons, optional
        Region of interest, see `region_mask`.

    Attributes
    ----------
    area : (slice, slice)
        Rows and columns of the frame that the state covers.
    size : (int, int)
        Height and width of that area.
    state, planes : State, Planes
        What the kernels work on.
    registration : Registration
        Whether the camera shakes.
    """

    def __init__(
        self, shape: tuple[int, ...], n_components: int, region: np.ndarray | Sequence[Polygon] | None = None
    ) -> None:
        self.area = area_of(region, shape)
        self.size = tuple(part.stop - part.start for part in self.area)
        arrays = layout((*self.size, *shape[2:]), n_components)
        (n_tiles,), _ = arrays["n_modes"]
        self.n_pixels = self.size[0] * self.size[1]
        self.state = State(
            weights=zeros(*arrays["weights"]),
            modes=zeros(*arrays["modes"]),
            n_modes=np.ones(n_tiles, np.uint8),
            flicker=zeros(*arrays["flicker"]),
            raw=zeros(*arrays["raw"]),
        )
        self.planes = Planes(*(np.zeros((n_tiles, LANES), np.uint8) for _ in Planes._fields))
        self.age = np.zeros((n_tiles, LANES), np.uint8)  # frames since a larger object came, 0 where there is none
        self._outside = np.ones((n_tiles, LANES), np.uint8)
        inside = self.view(self._outside)
        inside[...] = 0
        if region is not None:
            inside[...] = region_mask(region, (shape[0], shape[1]))[self.area] == 0
        self.planes.closed[...] = self._outside
        self.outside = inside != 0
        self.registration = Registration(self.outside)

    def view(self, plane: np.ndarray) -> np.ndarray:
        """Return a plane of tiles as a picture, shape (H, W); no copy."""
        return plane.reshape(-1)[: self.n_pixels].reshape(self.size)

    def displacement(self, frame: np.ndarray, n_frames: int, learn: bool) -> Displacement | None:
        """Return how a frame that comes after `n_frames` others is displaced, None when it is not to be moved."""
        part = frame[self.area]
        if learn and self.registration.due(n_frames):
            self.registration.renew(self.view(self.state.modes[0, :, MEAN_Y]) if n_frames else part)
        matrix = self.registration.displacement(part, n_frames, learn)
        if matrix is None:
            return None
        corner = np.array([self.area[1].start, self.area[0].start])
        matrix[:, 2] += corner - matrix[:, :2] @ corner
        return Displacement(matrix, (frame.shape[0], frame.shape[1]))

    def background_luma(self, box: Box) -> np.ndarray:
        """Return Y of the heaviest mode of each pixel of a box, float32."""
        rows, columns = (np.arange(part.start, part.stop) for part in box)
        pixel = rows[:, None] * self.size[1] + columns
        modes = self.state.modes[0]
        lane = pixel % LANES
        return modes.reshape(-1).take((pixel - lane) * modes.shape[1] + MEAN_Y * LANES + lane)

    def pixels(self, frame: np.ndarray) -> np.ndarray:
        """Return the area's pixels of a frame one after another, shape (N,) or (N, 3), N a multiple of 16."""
        part = np.ascontiguousarray(frame[self.area])
        flat = part.reshape(self.n_pixels, *frame.shape[2:])
        missing = self.planes.mask.size - self.n_pixels
        if missing:
            flat = np.concatenate([flat, np.zeros((missing, *frame.shape[2:]), frame.dtype)])
        return np.require(flat, requirements=["A", "W"])

    def close(self, known_foreground: np.ndarray | None, hidden: np.ndarray | None) -> None:
        """Let nothing be learned outside the region, where objects are known, and what the frame does not show."""
        self.planes.closed[...] = self._outside
        for plane in (known_foreground, hidden):
            if plane is not None:
                self.view(self.planes.closed)[plane[self.area] != 0] = 1

    def share(self, work: Callable[[int, int], None], threads: int | None) -> None:
        """Call ``work(lo, hi)`` for ranges of tiles side by side."""
        pool.share(work, len(self.state.n_modes), pool.threads_for(self.n_pixels, threads))

    def spread_flicker(self) -> None:
        """Average the flicker of each pixel with that of its neighbours."""
        cv2.blur(self.view(self.planes.flicker), _NEIGHBOURHOOD, dst=self.view(self.planes.smooth_flicker))

    def flickering(self, level: int) -> float:
        """Return the share of pixels whose flicker, in bytes, is above `level`."""
        above = cv2.threshold(self.view(self.planes.flicker), level, 1, cv2.THRESH_BINARY)[1]
        return cv2.countNonZero(above) / self.n_pixels

    def background(self) -> np.ndarray:
        """Return the mean of the heaviest mode of each pixel, uint8, shape (h, w) or (h, w, 3); 0 without one."""
        modes = self.state.modes[0]
        luma = self.view(modes[:, MEAN_Y])
        if modes.shape[1] == 2:
            picture = luma
        else:
            red = luma + self.view(modes[:, MEAN_C]) / np.float32(CHROMA[0])
            blue = luma + self.view(modes[:, MEAN_C + 1]) / np.float32(CHROMA[1])
            green = (luma - np.float32(LUMA[0]) * blue - np.float32(LUMA[2]) * red) / np.float32(LUMA[1])
            picture = np.dstack([blue, green, red])
        picture = np.clip(np.rint(picture), 0, 255).astype(np.uint8)
        picture[self.view(self.state.weights[:, 0]) == 0] = 0
        return picture

    def forget(self) -> None:
        """Empty the state."""
        self.state.weights[...] = 0
        self.state.modes[...] = 0  # the light is measured against them
        self.state.n_modes[...] = 1
        for plane in (self.state.flicker, self.state.raw, self.age, *self.planes):
            plane[...] = 0
        self.registration.forget()

    def saved(self) -> dict[str, np.ndarray]:
        """Return the arrays that make the model."""
        beside = {"age": self.age, "mask": self.planes.mask, "reference": self.registration.reference}
        return {**self.state._asdict(), **beside}

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Take over what `saved` gave; shapes and dtypes must be those of `layout`.

        Raises
        ------
        ValueError
            When the kernels could not trust the values.
        """
        n_modes, flicker = arrays["n_modes"], arrays["flicker"]
        if not 1 <= int(n_modes.min()) <= int(n_modes.max()) <= self.state.weights.shape[1]:
            raise ValueError("numbers of Gaussians out of bounds")
        if not (flicker.min() >= 0 and flicker.max() <= 1):  # false for NaN too
            raise ValueError("flicker out of bounds")
        for name in State._fields:
            getattr(self.state, name)[...] = arrays[name]
        self.age[...] = arrays["age"]
        self.planes.mask[...] = arrays["mask"]
        self.registration.restore(arrays["reference"])
        self.planes.flicker[...] = np.minimum(self.state.flicker * FLICKER_STEPS + np.float32(0.5), 255)
        self.spread_flicker()
