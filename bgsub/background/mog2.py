"""`MOG2`: OpenCV's background subtractor, several times faster, saveable and freezable."""

from __future__ import annotations

import copy
import operator
import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from bgsub.background.kernel import MODE_SCALE, Step
from bgsub.background.parameters import MOG2_PARAMETERS, check_mog2
from bgsub.background.pixels import as_pixels, check_plane
from bgsub.background.region import Polygon
from bgsub.background.tiles import Tiles, layout
from bgsub.errors import ModelFileError, ParameterError
from bgsub.files import read_container, write_container

_FILE_KIND = "mog2"
_FILE_VERSION = 1
_GOLDEN_RATIO = 0.6180339887498949  # its multiples, modulo 1, are spread most evenly


class MOG2:
    """Background subtraction by an adaptive mixture of Gaussians for each pixel.

    With equal parameters the masks are those of ``cv2.createBackgroundSubtractorMOG2``.

    Parameters
    ----------
    n_components : int, 1 to 32
        Most Gaussians that a pixel can have.
    history : int
        Memory in frames: the automatic learning rate is 1 / min(2 n, history) in frame n.
    var_threshold : float
        Squared Mahalanobis distance up to which a pixel is background.
    var_threshold_gen : float
        Squared Mahalanobis distance up to which a pixel belongs to a Gaussian and updates it.
    background_ratio : float in (0, 1]
        The heaviest Gaussians, up to this share of the weights, are the background.
    var_init, var_min, var_max : float
        Variance of a new Gaussian, and the bounds of every variance, in squared grey levels (0 to 255).
    complexity_prior : float in [0, 0.5]
        Evidence, as a share of the frames, that a Gaussian needs to be kept; 0 keeps all.
    detect_shadows : bool
        Mark pixels that are a darker version of the background with `shadow_value` instead of 255.
    shadow_value : int, 0 to 255
        Mask value of shadows.
    shadow_threshold : float in [0, 1]
        Darkest shadow, as a share of the background's brightness.
    region : ndarray of bool or uint8, shape (H, W), or list of polygons, optional
        Region of interest: a mask, inside where it is not 0, or polygons of (x, y) corners in pixels. Outside,
        masks are 0 and nothing is learned.
    threads : int, optional
        Threads to use; by default as many as there are processors and work for them. The masks are the same
        for any number.
    precision : {"exact", "compact"}
        "compact" keeps the state in 16-bit fixed point: half the memory, faster where memory is what
        bounds it, and about one pixel in ten thousand decided otherwise.

    Attributes
    ----------
    parameters : dict
        The parameters in force, by name.
    shape : tuple or None
        Shape of the frames, (H, W) or (H, W, 3); None before the first.
    n_frames : int
        Frames learned so far.

    Raises
    ------
    ParameterError
        When a value is out of its bounds; the text names parameter, value and bounds.

    Notes
    -----
    Objects can be copied, pickled, and used side by side in several threads, one thread an object.

    References
    ----------
    Z. Zivkovic, "Improved adaptive Gaussian mixture model for background subtraction", ICPR 2004.
    Z. Zivkovic and F. van der Heijden, "Efficient adaptive density estimation per image pixel for the task of
    background subtraction", Pattern Recognition Letters 27, 2006.

    Examples
    --------
    >>> import numpy as np
    >>> from bgsub import MOG2
    >>> subtractor = MOG2(history=100, detect_shadows=False)
    >>> wall = np.full((4, 4, 3), 90, np.uint8)
    >>> for _ in range(20):
    ...     mask = subtractor.apply(wall)
    >>> wall[1:3, 1:3] = 200
    >>> subtractor.apply(wall)
    array([[  0,   0,   0,   0],
           [  0, 255, 255,   0],
           [  0, 255, 255,   0],
           [  0,   0,   0,   0]], dtype=uint8)
    """

    def __init__(
        self,
        *,
        region: np.ndarray | Sequence[Polygon] | None = None,
        threads: int | None = None,
        precision: str = "exact",
        **parameters: Any,
    ) -> None:
        self.parameters = check_mog2(parameters, precision)
        self.precision = precision
        self.threads = threads
        self._region = copy.deepcopy(region)
        self.reset()

    def __repr__(self) -> str:
        changed = [f"{k}={v!r}" for k, v in self.parameters.items() if v != MOG2_PARAMETERS[k].default]
        return f"MOG2({', '.join(changed)})"

    # ------------------------------------------------------------------------------------------------ settings

    @property
    def threads(self) -> int | None:
        """Threads to use; None chooses by the size of the frames."""
        return self._threads

    @threads.setter
    def threads(self, threads: int | None) -> None:
        if threads is not None:
            threads = _checked_threads(threads)
        self._threads = threads

    @property
    def region(self) -> np.ndarray | Sequence[Polygon] | None:
        """Region of interest as it was given, or None for the whole frame."""
        return self._region

    def set_parameters(self, **parameters: Any) -> None:
        """Change parameters from the next frame on; what was learned stays.

        Raises
        ------
        ParameterError
            When a value is out of bounds, or `n_components` would change after the first frame.
        """
        checked = check_mog2({**self.parameters, **parameters}, self.precision)
        if self.shape is not None and checked["n_components"] != self.parameters["n_components"]:
            raise ParameterError("n_components is fixed by the first frame: call reset() before changing it")
        self.parameters = checked

    # ------------------------------------------------------------------------------------------------ the model

    def apply(
        self,
        image: np.ndarray,
        *,
        learning_rate: float | None = None,
        known_foreground: np.ndarray | None = None,
        out: np.ndarray | None = None,
    ) -> np.ndarray:
        """Learn a frame and return its foreground mask.

        Parameters
        ----------
        image : ndarray, shape (H, W) or (H, W, 3)
            Grey or BGR, any strides: uint8, float32 in [0, 255], or uint16 (divided by 257). The first frame fixes
            the shape.
        learning_rate : float in [0, 1], optional
            None: automatic, 1 / min(2 n, history). 0: only classify; the model does not change and the frame is
            not counted. 1: forget all and start again with this frame. The first frame is always learned at
            the automatic rate, as in OpenCV.
        known_foreground : ndarray of bool or uint8, shape (H, W), optional
            Pixels that are not 0 are foreground for sure: marked 255, and not learned.
        out : ndarray of uint8, shape (H, W), optional
            Receives the mask, and is returned.

        Returns
        -------
        ndarray of uint8, shape (H, W)
            0 background, 127 (`shadow_value`) shadow, 255 foreground. While nothing has been learned (rate 0 before
            the first frame) every pixel is foreground. In the first learned frame nearly all are shadow where shadows
            are looked for, foreground otherwise, as in OpenCV.

        Raises
        ------
        ParameterError
            When an argument is not as above or the image is not of the first one's shape; the model stays as it was.
        """
        pixels = as_pixels(image)
        if self.shape is not None and pixels.shape != self.shape:
            raise ParameterError(
                f"image has shape {pixels.shape}, the model {self.shape}: resize the image, or call reset() first"
            )
        rate = _checked_rate(learning_rate)
        if known_foreground is not None:
            known_foreground = check_plane("known_foreground", known_foreground, pixels.shape)
        if out is not None and (check_plane("out", out, pixels.shape).dtype != np.uint8 or not out.flags.writeable):
            raise ParameterError("out cannot be written: give a writable uint8 array")
        if self._tiles is None:
            self._allocate(pixels.shape)
        elif rate == 1:
            self._tiles.forget()
            self.n_frames = 0
        mask = out if out is not None and out.flags.c_contiguous else np.empty(pixels.shape[:2], np.uint8)
        assert self._tiles is not None
        self._tiles.run(
            pixels,
            mask,
            self._step(rate),
            shadows=self.parameters["detect_shadows"],
            frozen=rate == 0,
            known_foreground=known_foreground,
            threads=self.threads,
        )
        if rate != 0:
            self.n_frames += 1
        elif self.n_frames == 0:
            self.reset()
        if out is not None and mask is not out:
            out[...] = mask
            return out
        return mask

    def background_image(self) -> np.ndarray:
        """Return the learned background: for each pixel the weighted mean of its background Gaussians.

        Returns
        -------
        ndarray of uint8, shape (H, W) or (H, W, 3)
            0 where nothing has been learned (outside the region).

        Raises
        ------
        ParameterError
            Before the first frame.
        """
        if self._tiles is None or self.shape is None:
            raise ParameterError("there is no background yet: apply() a frame first")
        return self._tiles.background_image(self.shape, self.parameters["background_ratio"])

    def reset(self) -> None:
        """Forget everything, the shape of the frames too; the parameters stay."""
        self.shape: tuple[int, ...] | None = None
        self.n_frames = 0
        self._tiles: Tiles | None = None

    def copy(self) -> MOG2:
        """Return an independent copy: what the one learns later, the other does not know."""
        return copy.deepcopy(self)

    # ---------------------------------------------------------------------------------------------- persistence

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the learned model, state and parameters, to a file that appears whole or not at all.

        Raises
        ------
        OutputError
            When the file cannot be written.
        """
        meta, arrays = self._exported()
        meta["polygons"] = _plain(meta["polygons"])
        write_container(path, _FILE_KIND, _FILE_VERSION, meta, arrays)

    @classmethod
    def load(cls, path: str | os.PathLike[str], *, threads: int | None = None) -> MOG2:
        """Read a model that `save` has written; it goes on bit for bit where the saved one stood.

        Raises
        ------
        ModelFileError
            When the file is missing, truncated, altered, of another kind or version.
        ParameterError
            When `threads` is out of its bounds.
        """
        meta, arrays = read_container(path, _FILE_KIND, _FILE_VERSION)
        model = cls.__new__(cls)
        try:
            model._import({**meta, "threads": None}, arrays)
        except (KeyError, TypeError, ValueError, ParameterError) as error:
            raise ModelFileError(f"cannot use {path}: it describes no MOG2 model ({error}); save it again") from error
        model.threads = threads
        return model

    def __getstate__(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        meta, arrays = self._exported()
        return {**meta, "threads": self.threads}, arrays

    def __setstate__(self, state: tuple[dict[str, Any], dict[str, np.ndarray]]) -> None:
        self._import(*state)

    def _exported(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Return all that makes this model, as plain values and as arrays."""
        meta = {
            "parameters": self.parameters,
            "precision": self.precision,
            "shape": self.shape,
            "n_frames": self.n_frames,
            "polygons": None if isinstance(self._region, np.ndarray) else self._region,
        }
        arrays = {}
        if isinstance(self._region, np.ndarray):
            arrays["region"] = np.asarray(self._region, np.uint8)
        if self._tiles is not None:
            arrays |= self._tiles.saved()
        return meta, arrays

    def _import(self, meta: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
        """Become the model that `_exported` described, or raise an error about what is wrong with it."""
        self.__init__(  # type: ignore[misc]
            **meta["parameters"],
            precision=meta["precision"],
            region=arrays.get("region", meta["polygons"]),
            threads=meta["threads"],
        )
        if meta["shape"] is None:
            return
        shape, n_frames = tuple(meta["shape"]), meta["n_frames"]
        if not all(type(n) is int and n > 0 for n in shape) or not (len(shape) == 2 or shape[2:] == (3,)):
            raise ValueError(f"frames of shape {shape}")
        if type(n_frames) is not int or not 0 <= n_frames < 2**63:
            raise ValueError(f"{n_frames!r} frames")
        for name, (expected, dtype) in layout(
            shape, self.parameters["n_components"], self.precision
        ).items():  # before memory is taken for that shape
            array = arrays[name]
            if array.shape != expected or array.dtype != dtype:
                raise ValueError(f"{name} of shape {array.shape} and dtype {array.dtype}, not {expected} and {dtype}")
        n_modes = arrays["n_modes"]
        if not 1 <= int(n_modes.min()) <= int(n_modes.max()) <= self.parameters["n_components"]:
            raise ValueError("numbers of Gaussians out of bounds")  # the kernels trust them
        self._allocate(shape).restore(arrays)
        self.n_frames = n_frames

    # -------------------------------------------------------------------------------------------------- inside

    def _allocate(self, shape: tuple[int, ...]) -> Tiles:
        """Make an empty state for frames of `shape`."""
        self._tiles = Tiles(shape, self.parameters["n_components"], self.precision, self._region)
        self.shape = shape
        return self._tiles

    def _step(self, rate: float | None) -> Step:
        """Return the constants of the frame that comes next, rounded as OpenCV rounds them."""
        p = self.parameters
        n = self.n_frames + 1
        alpha = rate if rate is not None and n > 1 else 1 / min(2 * n, p["history"])
        return Step(
            alpha=np.float32(alpha),
            decay=np.float32(1) - np.float32(alpha),
            prune=np.float32(-alpha * float(np.float32(p["complexity_prior"]))),
            background=np.float32(p["var_threshold"]),
            match=np.float32(p["var_threshold_gen"]),
            share=np.float32(p["background_ratio"]),
            var_init=np.float32(p["var_init"]),
            var_min=np.float32(p["var_min"]),
            var_max=np.float32(p["var_max"]),
            tau=np.float32(p["shadow_threshold"]),
            shadow_value=np.uint8(p["shadow_value"]),
            last=p["n_components"] - 1,
            dither=self._dither(n),
        )

    def _dither(self, n: int) -> np.float32:
        """Return what to add to the means of frame n before they are rounded.

        Small steps towards a new mean would be lost if a compact state rounded each to the nearest 1/256. Offsets that
        cover the rounding interval evenly from frame to frame keep their average: a fifth to a half fewer
        pixels of real footage are decided otherwise than by an exact state.
        """
        if self.precision == "exact":
            return np.float32(0)
        return np.float32((n * _GOLDEN_RATIO % 1 - 0.5) / MODE_SCALE)


def _plain(polygons: Sequence[Polygon] | None) -> list[list[list[float]]] | None:
    """Return polygons, given perhaps as arrays, as JSON can hold them."""
    if polygons is None:
        return None
    return [[[float(value) for value in corner] for corner in polygon] for polygon in polygons]


def _checked_threads(threads: int) -> int:
    """Return a number of threads as an int, or raise ParameterError."""
    try:
        whole = operator.index(threads)
    except TypeError:
        whole = 0
    if isinstance(threads, bool) or not 1 <= whole <= 256:
        raise ParameterError(f"threads is {threads!r}: give a whole number from 1 to 256, or None")
    return whole


def _checked_rate(learning_rate: float | None) -> float | None:
    """Return the learning rate as a float, None for automatic, or raise ParameterError."""
    if learning_rate is None:
        return None
    try:
        rate = float(learning_rate)
    except (TypeError, ValueError):
        rate = -1.0
    if not 0 <= rate <= 1:
        raise ParameterError(f"learning_rate is {learning_rate!r}: give None (automatic) or a number from 0 to 1")
    return rate
