"""OpenCV's interface to a background model: the calls, the names and the habits that its programs know."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from typing import Any, ClassVar, TypeVar

import numpy as np

from bgsub.background.arguments import as_image
from bgsub.errors import ParameterError

T = TypeVar("T")


class OpenCVSubtractor:
    """OpenCV's methods and habits around a model; a subclass names the model's parameters with `accessors`.

    Unlike the models themselves, and like OpenCV: frames of another size, type or number of channels restart the
    model, a negative learning rate is the automatic one, a rate of 1 or more restarts, and the first frame is learned
    whatever the rate. OpenCV's `read` and `write`, which take its own file storage, are left out: `save` writes a model
    file.
    """

    _NAME: ClassVar[str]  # as OpenCV's getDefaultName tells it
    _COUNTS_FROZEN: ClassVar[bool] = False  # whether frames with rate 0 make the automatic rate of later ones smaller

    def __init__(self, model: Any) -> None:
        self.model = model

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.model!r})"

    def apply(
        self,
        image: np.ndarray,
        fgmask: np.ndarray | None = None,
        learningRate: float = -1,
        *,
        knownForegroundMask: np.ndarray | None = None,
        time: float | None = None,
    ) -> np.ndarray:
        """Learn a frame and return its mask, which is `fgmask` where that can take it.

        Parameters
        ----------
        image : ndarray, shape (H, W) or (H, W, 3)
            Grey or BGR, as the model takes it.
        fgmask : ndarray of uint8, shape (H, W) or (H, W, 1), optional
            Receives the mask, and is returned; as in OpenCV one of another shape or type stays as it is.
        learningRate : float, default -1
            Negative: automatic. 0: classify only. 1 and more: restart.
        knownForegroundMask : ndarray of uint8, shape (H, W), optional
            Pixels that are foreground for sure: marked 255, and not learned.
        time : float, optional
            When the frame was taken, in seconds that rise, such as ``capture.get(cv2.CAP_PROP_POS_MSEC) / 1000``. Only
            the adaptive model looks at it.

        Returns
        -------
        ndarray of uint8, shape (H, W)
            0 background, 127 shadow, 255 foreground.

        Raises
        ------
        ParameterError
            When an argument is not as above, such as the None that ``VideoCapture.read`` gives at the end of a video;
            the model stays as it was.
        """
        given = _checked_rate(learningRate)
        shape, dtype = as_image(image).shape, image.dtype.newbyteorder("=")
        out = _plane_for(fgmask, shape[:2])
        before = self.model.dtype or dtype  # None is equal to float64, as NumPy has it
        if self.model.shape not in (None, shape) or before != dtype:
            self.model._levels.checked_anew(image)  # what is refused restarts nothing
            self.model.reset()
        rate = None if given < 0 or self.model.n_frames == 0 else min(1.0, given)
        mask = self.model.apply(image, learning_rate=rate, known_foreground=knownForegroundMask, out=out, time=time)
        if rate == 0 and self._COUNTS_FROZEN:
            self.model.n_frames += 1
        return mask if out is None or fgmask is None else fgmask

    def getBackgroundImage(self) -> np.ndarray | None:
        """Return the background, of the frames' shape; None before the first frame."""
        return None if self.empty() else self.model.background_image()

    def clear(self) -> None:
        """Forget everything that was learned."""
        self.model.reset()

    def empty(self) -> bool:
        """Return whether nothing has been learned yet."""
        return self.model.shape is None

    def save(self, filename: str | os.PathLike[str]) -> None:
        """Write the model, what it has learned included, to a file, whole or not at all.

        OpenCV's method writes parameters only, as YAML. To go on later, give a subtractor the model again:
        ``subtractor.model = bgsub.MOG2.load(filename)``.

        Raises
        ------
        OutputError
            When the file cannot be written.
        """
        self.model.save(filename)

    def getDefaultName(self) -> str:
        """Return the algorithm's name in OpenCV's files."""
        return self._NAME

    def getNMixtures(self) -> int:
        """Return the most Gaussians that a pixel can have."""
        return self.model.parameters["n_components"]

    def setNMixtures(self, nmixtures: int) -> None:
        """Set the most Gaussians that a pixel can have; the model restarts."""
        self.model._check_parameters({**self.model.parameters, "n_components": nmixtures})  # before it forgets
        self.model.reset()
        self.model.set_parameters(n_components=nmixtures)


def accessors(suffix: str, name: str, kind: type[T]) -> tuple[Callable[[Any], T], Callable[[Any, T], None]]:
    """Return OpenCV's getter and setter, ``get`` or ``set`` and `suffix`, of the parameter `name`, a `kind`."""

    def get(self: OpenCVSubtractor) -> T:
        return self.model.parameters[name]

    def set(self: OpenCVSubtractor, value: T) -> None:
        try:
            self.model.set_parameters(**{name: value})
        except ParameterError as error:
            raise ParameterError(f"set{suffix}: {error}") from error

    get.__name__, get.__doc__ = f"get{suffix}", f"Return the model's parameter `{name}`."
    set.__name__, set.__doc__ = f"set{suffix}", f"Set the model's parameter `{name}` from the next frame on."
    return get, set


def _plane_for(fgmask: Any, shape: tuple[int, ...]) -> np.ndarray | None:
    """Return the plane of OpenCV's `fgmask` that takes a mask of `shape`, None where OpenCV would make a new array."""
    if fgmask is None:
        return None
    if not isinstance(fgmask, np.ndarray):
        raise ParameterError(f"fgmask is a {type(fgmask).__name__}: give a uint8 array, and learningRate by its name")
    plane = fgmask[:, :, 0] if fgmask.ndim == 3 and fgmask.shape[2] == 1 else fgmask
    return plane if plane.dtype == np.uint8 and plane.shape == shape and plane.flags.writeable else None


def _checked_rate(learningRate: Any) -> float:
    """Return OpenCV's learning rate as a float, or raise ParameterError where it is no number."""
    try:
        rate = float(learningRate)
    except (TypeError, ValueError):
        rate = math.nan
    if math.isnan(rate):
        raise ParameterError(f"learningRate is {learningRate!r}: give a number, -1 for the automatic rate")
    return rate
