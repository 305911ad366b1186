"""What the streaming models share: arguments and their checks, copies, model files. Each adds its state and kernels."""

from __future__ import annotations

import copy
import operator
import os
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from bgsub.background.parameters import Parameter
from bgsub.background.pixels import as_pixels, check_plane
from bgsub.background.region import Polygon
from bgsub.errors import ModelFileError, ParameterError
from bgsub.files import read_container, write_container

if TYPE_CHECKING:  # compiles kernels, of which a model may need none
    from bgsub.background.mog2.cpu import Layout


class BackgroundModel(ABC):
    """A model of the background that learns from each frame: the base of `MOG2` and `BackgroundSubtractor`.

    A subclass fills in the class attributes, the methods under "what a model adds", and a public `apply` that calls
    `_apply`.

    Parameters
    ----------
    region : ndarray of bool or uint8, shape (H, W), or list of polygons, optional
        Region of interest; by default the whole frame.
    threads : int, optional
        Most threads to use, by default as many as there are processors; small frames get fewer.
    **parameters
        Parameters of the model, by name.

    Attributes
    ----------
    parameters : dict
        The parameters in force, by name.
    shape : tuple or None
        Shape of the frames, (H, W) or (H, W, 3); None before the first.
    n_frames : int
        Frames learned so far.
    """

    _KIND: ClassVar[str]  # of model files
    _VERSION: ClassVar[int]
    _TABLE: ClassVar[Mapping[str, Parameter]]
    _FIXED: ClassVar[tuple[str, ...]] = ("n_components",)  # the parameters that decide the shape of the state

    def __init__(
        self,
        *,
        region: np.ndarray | Sequence[Polygon] | None = None,
        threads: int | None = None,
        **parameters: Any,
    ) -> None:
        self.parameters = self._check_parameters(parameters)
        self.threads = threads
        self._region = copy.deepcopy(region)
        self.reset()

    def __repr__(self) -> str:
        changed = [f"{k}={v!r}" for k, v in self.parameters.items() if v != self._TABLE[k].default]
        return f"{type(self).__name__}({', '.join(changed)})"

    # ------------------------------------------------------------------------------------------------ settings

    @property
    def threads(self) -> int | None:
        """Most threads to use; None for as many as there are processors."""
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
            When a value is out of bounds, or one would change that the first frame has fixed (`n_components`).
        """
        checked = self._check_parameters({**self.parameters, **parameters})
        for name in self._FIXED if self.shape is not None else ():
            if name in checked and checked[name] != self.parameters[name]:
                raise ParameterError(f"{name} is fixed by the first frame: call reset() before changing it")
        self.parameters = checked

    # ------------------------------------------------------------------------------------------------ the model

    def reset(self) -> None:
        """Forget everything, the shape of the frames too; the parameters stay."""
        self.shape: tuple[int, ...] | None = None
        self.n_frames = 0
        self._state: Any = None

    def copy(self) -> Self:
        """Return an independent copy: what the one learns later, the other does not know."""
        return copy.deepcopy(self)

    def _apply(
        self,
        image: np.ndarray,
        learning_rate: float | None,
        known_foreground: np.ndarray | None,
        out: np.ndarray | None,
        probability: np.ndarray | None = None,
    ) -> np.ndarray:
        """Do what `MOG2.apply` describes; `probability`, float32 of shape (H, W), receives what `_mask` has for it."""
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
        if probability is not None:
            _check_probability(probability, pixels.shape)
        if self._state is None:
            self._allocate(pixels.shape)
        elif rate == 1:
            self._state.forget()
            self.n_frames = 0
        mask = out if out is not None and out.flags.c_contiguous else np.empty(pixels.shape[:2], np.uint8)
        filled = None if probability is None else np.require(probability, requirements=["C", "A"])
        self._mask(pixels, mask, rate, known_foreground, filled)
        if rate != 0:
            self.n_frames += 1
        elif self.n_frames == 0:
            self.reset()
        if probability is not None and filled is not probability:
            probability[...] = filled
        if out is not None and mask is not out:
            out[...] = mask
            return out
        return mask

    def _learned_shape(self) -> tuple[int, ...]:
        """Return the shape of the frames learned, or raise ParameterError when there are none."""
        if self._state is None or self.shape is None:
            raise ParameterError("there is no background yet: apply() a frame first")
        return self.shape

    def _allocate(self, shape: tuple[int, ...]) -> Any:
        """Make an empty state for frames of `shape`."""
        self._state = self._make_state(shape)
        self.shape = shape
        return self._state

    # ----------------------------------------------------------------------------------------- what a model adds

    @abstractmethod
    def _check_parameters(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return all parameters: `values`, checked, and defaults for the rest; or raise ParameterError."""

    @abstractmethod
    def _layout(self, shape: tuple[int, ...]) -> Layout:
        """Return shape and dtype of every saved array of a state for frames of `shape`; takes no memory for them."""

    @abstractmethod
    def _make_state(self, shape: tuple[int, ...]) -> Any:
        """Return an empty state for frames of `shape`, or raise ParameterError when the region does not fit them.

        It has `forget()`, which empties it; `saved()`, the arrays of `_layout` by name; and `restore(arrays)`, which
        takes over arrays of that layout and may raise ValueError for values that the kernels cannot trust.
        """

    @abstractmethod
    def _mask(
        self,
        pixels: np.ndarray,
        mask: np.ndarray,
        rate: float | None,
        known_foreground: np.ndarray | None,
        probability: np.ndarray | None,
    ) -> None:
        """Mask a frame and, unless `rate` is 0, learn it; `n_frames` is still the number before this frame.

        Parameters
        ----------
        pixels : ndarray of uint8 or float32, shape (H, W) or (H, W, 3)
            C-contiguous, in [0, 255].
        mask : ndarray of uint8, shape (H, W)
            C-contiguous; receives the mask.
        rate : float in [0, 1] or None
            Learning rate, None for the automatic one; with 1 the state has just been emptied.
        known_foreground : ndarray of bool or uint8, shape (H, W), or None
            Pixels to mark 255 and not to learn.
        probability : ndarray of float32, shape (H, W), or None
            C-contiguous; receives the probability of foreground, in models that have one.
        """

    def _check_arrays(self, arrays: Mapping[str, np.ndarray]) -> None:  # noqa: B027 (may stay empty)
        """Raise ValueError when saved arrays, of the right layout, hold values that the kernels cannot trust."""

    def _settings(self) -> dict[str, Any]:
        """Return the arguments of the constructor, besides region and parameters, that belong in a model file."""
        return {}

    def _progress(self) -> dict[str, Any]:
        """Return what was learned besides the state, as plain values; the names are always the same."""
        return {}

    def _set_progress(self, values: Mapping[str, Any]) -> None:  # noqa: B027 (may stay empty)
        """Take over what `_progress` returned, or raise ValueError about a value that it cannot have."""

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
        write_container(path, self._KIND, self._VERSION, meta, arrays)

    @classmethod
    def load(cls, path: str | os.PathLike[str], *, threads: int | None = None) -> Self:
        """Read a model that `save` has written; it goes on bit for bit where the saved one stood.

        Raises
        ------
        ModelFileError
            When the file is missing, truncated, altered, of another kind or version.
        ParameterError
            When `threads` is out of its bounds.
        """
        meta, arrays = read_container(path, cls._KIND, cls._VERSION)
        model = cls.__new__(cls)
        try:
            model._import({**meta, "threads": None}, arrays)
        except (KeyError, TypeError, ValueError, ParameterError) as error:
            raise ModelFileError(
                f"cannot use {path}: it describes no {cls.__name__} model ({error}); save it again"
            ) from error
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
            **self._settings(),
            "shape": self.shape,
            "n_frames": self.n_frames,
            "polygons": None if isinstance(self._region, np.ndarray) else self._region,
            **self._progress(),
        }
        arrays = {}
        if isinstance(self._region, np.ndarray):
            arrays["region"] = np.asarray(self._region, np.uint8)
        if self._state is not None:
            arrays |= self._state.saved()
        return meta, arrays

    def _import(self, meta: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
        """Become the model that `_exported` described, or raise an error about what is wrong with it."""
        self.__init__(  # type: ignore[misc]
            **meta["parameters"],
            **{name: meta[name] for name in type(self)()._settings()},  # a new model knows their names
            region=arrays.get("region", meta["polygons"]),
            threads=meta["threads"],
        )
        if meta["shape"] is None:
            return
        shape, n_frames = tuple(meta["shape"]), meta["n_frames"]
        _check_frames(shape, n_frames)
        for name, (expected, dtype) in self._layout(shape).items():  # before memory is taken for that shape
            array = arrays[name]
            if array.shape != expected or array.dtype != dtype:
                raise ValueError(f"{name} of shape {array.shape} and dtype {array.dtype}, not {expected} and {dtype}")
        self._check_arrays(arrays)
        self._allocate(shape).restore(arrays)
        self.n_frames = n_frames
        self._set_progress({name: meta[name] for name in self._progress()})


def _plain(polygons: Sequence[Polygon] | None) -> list[list[list[float]]] | None:
    """Return polygons, given perhaps as arrays, as JSON can hold them."""
    if polygons is None:
        return None
    return [[[float(value) for value in corner] for corner in polygon] for polygon in polygons]


def _check_frames(shape: tuple[Any, ...], n_frames: Any) -> None:
    """Raise ValueError unless a file's shape and number of frames can be those of a model."""
    if not all(type(n) is int and n > 0 for n in shape) or not (len(shape) == 2 or shape[2:] == (3,)):
        raise ValueError(f"frames of shape {shape}")
    if type(n_frames) is not int or not 0 <= n_frames < 2**63:
        raise ValueError(f"{n_frames!r} frames")


def _check_probability(plane: Any, shape: tuple[int, ...]) -> None:
    """Raise ParameterError unless `plane` is a writable float32 array of the frame's height and width."""
    if not isinstance(plane, np.ndarray) or plane.dtype != np.float32 or plane.shape != shape[:2]:
        given = f"{plane.dtype} of shape {plane.shape}" if isinstance(plane, np.ndarray) else type(plane).__name__
        raise ParameterError(f"probability is {given}: give a float32 array of shape {shape[:2]}")
    if not plane.flags.writeable:
        raise ParameterError("probability cannot be written: give a writable float32 array")


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
