"""What the streaming models share: arguments and their checks, engines, copies, model files."""

from __future__ import annotations

import copy
import importlib
import os
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from bgsub.background import arguments
from bgsub.background.arguments import as_image, check_out, check_plane, check_probability, checked_rate
from bgsub.background.engine import ModelEngine
from bgsub.background.layout import Layout, check_arrays, check_frames, from_version_1
from bgsub.background.levels import Levels, Rescaling
from bgsub.background.parameters import Parameter
from bgsub.background.region import Polygon, plain_polygons
from bgsub.errors import ModelFileError, ParameterError
from bgsub.files import read_versions, write_container


@dataclass(slots=True)
class Call:
    """One call of `apply`: its arguments as the engines want them, and the arrays that receive the results.

    Attributes
    ----------
    pixels : ndarray of uint8 or float32, shape (H, W) or (H, W, 3)
        The frame, C-contiguous, in [0, 255] unless the model takes values as they are.
    rate : float in [0, 1] or None
        Learning rate, None for the automatic one; with 1 the model has just been emptied.
    learns : bool
        Whether the model may change: the rate is not 0.
    known_foreground : ndarray of bool or uint8, shape (H, W), or None
        Pixels to mark 255 and not to learn.
    mask : ndarray of uint8, shape (H, W)
        C-contiguous; receives the mask.
    probability : ndarray of float32, shape (H, W), or None
        C-contiguous; receives the probability of foreground.
    wanted : tuple
        The caller's own arrays for mask and probability, or None: filled last where they are others than those above.
    """

    pixels: np.ndarray
    rate: float | None
    learns: bool
    known_foreground: np.ndarray | None
    mask: np.ndarray
    probability: np.ndarray | None
    wanted: tuple[np.ndarray | None, np.ndarray | None]


class BackgroundModel(ABC):
    """A model of the background that learns from each frame: the base of `MOG2` and `BackgroundSubtractor`.

    A model is policy: parameters, and decisions on pictures and tables of objects. Its *engine* owns the arrays and
    does what touches every pixel; `device` chooses it. A subclass fills in the class attributes, the methods under
    "what a model adds", and a public `apply` between `_accept` and `_result`; its constructor and
    `set_parameters` name the parameters one by one, so that editors and type checkers know them.

    Parameters
    ----------
    region : ndarray of bool or uint8, shape (H, W), or list of polygons, optional
        Region of interest; by default the whole frame.
    threads : int, optional
        Most threads to use, see `threads`.
    device : {"cpu"}
        Where the frames are worked on.
    scale : {"full", "auto", "opencv"}
        How values become grey levels, see `Levels`.
    value_range : (float, float), optional
        The values that become grey levels 0 and 255, whatever the scale.
    **parameters
        Parameters of the model, by name.

    Attributes
    ----------
    parameters : dict
        The parameters in force, by name.
    device : str
        As it was given.
    shape : tuple or None
        Shape of the frames, (H, W) or (H, W, 3); None before the first.
    n_frames : int
        Frames learned so far.
    engine : object or None
        The arrays of the model and what works on them, an `Engine` of the model's package; None before the first frame.
    """

    _KIND: ClassVar[str]  # of model files
    _VERSION: ClassVar[int] = 2  # of model files: 1 held the tiles of the CPU's kernels, 2 holds planes of pixels
    _TABLE: ClassVar[Mapping[str, Parameter]]
    _ENGINES: ClassVar[Mapping[str, str]]  # "module:class" of the engine of each device
    _FIXED: ClassVar[tuple[str, ...]] = ("n_components",)  # the parameters that decide the shape of the state
    _SETTINGS: ClassVar[tuple[str, ...]] = ()  # arguments besides region and parameters that belong in a model file
    _LATER: ClassVar[tuple[str, ...]] = ()  # settings and parts of `_progress` that older files lack: a new model's do

    def __init__(
        self,
        *,
        region: np.ndarray | Sequence[Polygon] | None = None,
        threads: int | None = None,
        device: str = "cpu",
        scale: str = "full",
        value_range: Sequence[float] | None = None,
        **parameters: Any,
    ) -> None:
        if device not in self._ENGINES:
            raise ParameterError(f"device is {device!r}: give {' or '.join(map(repr, self._ENGINES))}")
        self.device = device
        self.scale = scale
        self.parameters = self._check_parameters(parameters)
        self._levels = Levels(scale, value_range)
        self.engine: Any = None  # a ModelEngine from the first frame on
        self.threads = threads
        self._region = copy.deepcopy(region)
        self.reset()

    def __repr__(self) -> str:
        changed = [f"{k}={v!r}" for k, v in self.parameters.items() if v != self._TABLE[k].default]
        return f"{type(self).__name__}({', '.join(changed)})"

    # ------------------------------------------------------------------------------------------------ settings

    @property
    def threads(self) -> int | None:
        """Most threads that work on a frame, the caller's included; None for as many as there are processors.

        Small frames get fewer. The masks are the same for any number. See `bgsub.threads.opencv_bounded` for what a
        bound means to OpenCV's functions.
        """
        return self._threads

    @threads.setter
    def threads(self, threads: int | None) -> None:
        self._threads = None if threads is None else arguments.checked_threads(threads)
        if self.engine is not None:
            self.engine.threads = self._threads

    @property
    def region(self) -> np.ndarray | Sequence[Polygon] | None:
        """Region of interest as it was given, or None for the whole frame."""
        return self._region

    @property
    def value_range(self) -> tuple[float, float] | None:
        """The values of the frames that count as black and as white, as given or as found.

        None where nothing is stretched, as of frames of 8 bits, and before the first frame. In the first 25 frames
        what is found may change.
        """
        found = self._levels.range
        return None if found is None else (found.low, found.high)

    @property
    def n_clipped(self) -> int:
        """How many values so far lay outside `value_range`, and were taken for its ends."""
        return self._levels.clipped

    @property
    def dtype(self) -> np.dtype | None:
        """Dtype of the last frame learned; None before the first."""
        return self._levels.dtype

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
        self.engine = None
        self._levels.forget()

    def copy(self) -> Self:
        """Return an independent copy: what the one learns later, the other does not know."""
        return copy.deepcopy(self)

    def _accept(
        self,
        image: np.ndarray,
        learning_rate: float | None,
        known_foreground: np.ndarray | None,
        out: np.ndarray | None,
        probability: np.ndarray | None = None,
    ) -> Call:
        """Check the arguments of `apply`, and make the model ready for this frame: allocated, or emptied at rate 1.

        Raises
        ------
        ParameterError
            When an argument is not as `apply` wants it; the model stays as it was.
        """
        rate, image = checked_rate(learning_rate), as_image(image)
        shape = image.shape
        known_foreground, extremes = self._check_arguments(image, rate, known_foreground)
        if out is not None:
            check_out(out, shape)
        if probability is not None:
            check_probability(probability, shape)
        if self.engine is None:
            self._allocate(shape)
        elif rate == 1:
            self._forget()
        pixels, change = self._levels.pixels(image, extremes, rate != 0)
        if change is not None:
            self._rescale(change)
        mask = out if out is not None and out.flags.c_contiguous else np.empty(shape[:2], np.uint8)
        filled = None if probability is None else np.require(probability, requirements=["C", "A"])
        return Call(pixels, rate, rate != 0, known_foreground, mask, filled, (out, probability))

    def _check_arguments(
        self, image: np.ndarray, rate: float | None, known_foreground: np.ndarray | None
    ) -> tuple[np.ndarray | None, arguments.Extremes | None]:
        """Check a frame, from `as_image`, and what is known of it; return that, and the frame's extremes."""
        shape = image.shape
        if self.shape is not None and shape != self.shape:
            raise ParameterError(
                f"image has shape {shape}, the model {self.shape}: resize the image, or call reset() first"
            )
        if known_foreground is not None:
            known_foreground = check_plane("known_foreground", known_foreground, shape)
        return known_foreground, self._levels.checked_anew(image) if rate == 1 else self._levels.check(image)

    def _result(self, call: Call) -> np.ndarray:
        """Count the frame, and return its mask where the caller wants it."""
        if call.learns:
            self.n_frames += 1
        elif self.n_frames == 0:
            self.reset()
        for filled, wanted in zip((call.mask, call.probability), call.wanted, strict=True):
            if wanted is not None and filled is not wanted:
                wanted[...] = filled
        return call.mask if call.wanted[0] is None else call.wanted[0]

    def _learned_shape(self) -> tuple[int, ...]:
        """Return the shape of the frames learned, or raise ParameterError when there are none."""
        if self.engine is None or self.shape is None:
            raise ParameterError("there is no background yet: apply() a frame first")
        return self.shape

    def _allocate(self, shape: tuple[int, ...]) -> None:
        """Make an empty engine for frames of `shape`; when that fails, the model stays as it was."""
        module, name = self._ENGINES[self.device].split(":")
        self.engine = self._make_engine(getattr(importlib.import_module(module), name), shape)
        self.shape = shape

    def _forget(self) -> None:
        """Empty what was learned; the shape of the frames stays."""
        self.engine.forget()
        self.n_frames = 0
        self._levels.forget()

    # ----------------------------------------------------------------------------------------- what a model adds

    @abstractmethod
    def _check_parameters(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return all parameters: `values`, checked, and defaults for the rest; or raise ParameterError."""

    @abstractmethod
    def _layout(self, shape: tuple[int, ...]) -> Layout:
        """Return shape and dtype of every saved array for frames of `shape`; takes no memory for them."""

    @abstractmethod
    def _make_engine(self, make: Any, shape: tuple[int, ...]) -> ModelEngine:
        """Return an empty engine of the class `make`; ParameterError when the region does not fit the frames."""

    def _saved(self) -> dict[str, np.ndarray]:
        """Return the arrays of `_layout`."""
        return self.engine.saved()

    def _restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Take over the arrays of `_layout`, or raise ValueError when they cannot be trusted."""
        self.engine.restore(arrays)

    @abstractmethod
    def _rescale(self, change: Rescaling) -> None:
        """Bring what was learned to other grey levels, while the range of values is looked for."""

    def _progress(self) -> dict[str, Any]:
        """Return what was learned besides the arrays, as plain values; the names are always the same."""
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
        meta["polygons"] = plain_polygons(meta["polygons"])
        write_container(path, self._KIND, self._VERSION, meta, arrays)

    @classmethod
    def load(cls, path: str | os.PathLike[str], *, threads: int | None = None, device: str = "cpu") -> Self:
        """Read a model that `save` has written; it goes on bit for bit where the saved one stood.

        Raises
        ------
        ModelFileError
            When the file is missing, truncated, altered, of another kind or of a newer version.
        ParameterError
            When `threads` is out of its bounds, or there is no such `device`.
        """
        content = read_versions(path, cls._KIND, 1, cls._VERSION)
        model = cls.__new__(cls)
        try:
            model._import(content.meta, content.arrays, content.version)
        except (KeyError, TypeError, ValueError, ParameterError) as error:
            raise ModelFileError(
                f"cannot use {path}: it describes no {cls.__name__} model ({error}); save it again"
            ) from error
        model.threads = threads
        return model

    def __getstate__(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        meta, arrays = self._exported()
        return {**meta, "threads": self.threads, "device": self.device}, arrays

    def __setstate__(self, state: tuple[dict[str, Any], dict[str, np.ndarray]]) -> None:
        meta, arrays = state
        self._import(meta, arrays, self._VERSION, threads=meta["threads"], device=meta["device"])

    def _exported(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Return all that makes this model, as plain values and as arrays."""
        meta = {
            "parameters": self.parameters,
            **{name: getattr(self, name) for name in self._SETTINGS},
            "value_range": None if self._levels.given is None else list(self._levels.given),
            "levels": self._levels.progress(),
            "shape": self.shape,
            "n_frames": self.n_frames,
            "polygons": None if isinstance(self._region, np.ndarray) else self._region,
            **self._progress(),
        }
        arrays = {}
        if isinstance(self._region, np.ndarray):
            arrays["region"] = np.asarray(self._region, np.uint8)
        if self.engine is not None:
            arrays |= self._saved() | self._levels.arrays()
        return meta, arrays

    def _import(
        self,
        meta: dict[str, Any],
        arrays: dict[str, np.ndarray],
        version: int,
        threads: int | None = None,
        device: str = "cpu",
    ) -> None:
        """Become the model that `_exported` described, or raise an error about what is wrong with it."""
        self.__init__(  # type: ignore[misc]
            **meta["parameters"],
            **{name: meta[name] for name in self._SETTINGS if name in meta or name not in self._LATER},
            **({"value_range": meta["value_range"]} if meta.get("value_range") else {}),
            region=arrays.get("region", meta["polygons"]),
            threads=threads,
            device=device,
        )
        if meta["shape"] is None:
            return
        shape, n_frames = tuple(meta["shape"]), meta["n_frames"]
        check_frames(shape, n_frames)
        layout = self._layout(shape)  # checked before memory is taken for that shape
        if version == 1:
            arrays = from_version_1(arrays, layout)
        check_arrays(arrays, layout)
        self._allocate(shape)
        self._restore(arrays)
        self._levels.restore(meta.get("levels"), arrays, shape)
        self.n_frames = n_frames
        fresh = {name: value for name, value in self._progress().items() if name in self._LATER}
        self._set_progress({name: (fresh | meta)[name] for name in self._progress()})
