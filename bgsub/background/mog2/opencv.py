"""OpenCV's interface to `MOG2`: one changed line moves an OpenCV program over."""

from __future__ import annotations

from typing import Any

import numpy as np

from bgsub.background.mog2.model import MOG2
from bgsub.background.parameters import check_mog2
from bgsub.errors import ParameterError


def createBackgroundSubtractorMOG2(
    history: int = 500, varThreshold: float = 16, detectShadows: bool = True
) -> BackgroundSubtractorMOG2:
    """Create a background subtractor as ``cv2.createBackgroundSubtractorMOG2`` does, several times faster.

    Parameters
    ----------
    history : int
        Memory in frames.
    varThreshold : float
        Squared Mahalanobis distance up to which a pixel is background.
    detectShadows : bool
        Mark shadows with 127.

    Returns
    -------
    BackgroundSubtractorMOG2
        With OpenCV's methods.

    Raises
    ------
    ParameterError
        When a value is out of its bounds.
    """
    return BackgroundSubtractorMOG2(
        MOG2(history=int(history), var_threshold=float(varThreshold), detect_shadows=bool(detectShadows))
    )


class BackgroundSubtractorMOG2:
    """OpenCV's methods and habits around a `MOG2`.

    Unlike `MOG2` itself, and like OpenCV: frames of another size or number of channels restart the model, a negative
    learning rate is the automatic one, a rate of 1 or more restarts, and frames with rate 0 are counted.
    The masks are OpenCV's with one exception: with rate 0 OpenCV brings the weights to a sum of 1 once more, which they
    had not where a Gaussian has just replaced another; here nothing changes. A few pixels in 10 000 may differ then.

    Parameters
    ----------
    model : MOG2
        The model behind it; use it for what OpenCV has not: `save`, `region`, `threads`.
    """

    def __init__(self, model: MOG2) -> None:
        self.model = model

    def apply(
        self,
        image: np.ndarray,
        fgmask: np.ndarray | None = None,
        learningRate: float = -1,
        *,
        knownForegroundMask: np.ndarray | None = None,
    ) -> np.ndarray:
        """Learn a frame and return its mask, also written to `fgmask` where that has the frame's size.

        Parameters
        ----------
        image : ndarray, shape (H, W) or (H, W, 3)
            Grey or BGR; uint8, or float32 in [0, 255].
        fgmask : ndarray of uint8, shape (H, W), optional
            Receives the mask.
        learningRate : float
            Negative: automatic. 0: classify only. 1 and more: restart.
        knownForegroundMask : ndarray of uint8, shape (H, W), optional
            Pixels that are foreground for sure: marked 255, and not learned.

        Returns
        -------
        ndarray of uint8, shape (H, W)
        """
        shape = image.shape[:2] if image.ndim == 3 and image.shape[2] == 1 else image.shape
        if self.model.shape is not None and self.model.shape != shape:
            self.model.reset()
        rate = None if learningRate < 0 or self.model.n_frames == 0 else min(1.0, float(learningRate))
        out = fgmask if fgmask is not None and fgmask.shape == image.shape[:2] else None
        mask = self.model.apply(image, learning_rate=rate, known_foreground=knownForegroundMask, out=out)
        if rate == 0:
            self.model.n_frames += 1
        return mask

    def getBackgroundImage(self) -> np.ndarray | None:
        """Return the background, uint8 of the frames' shape; None before the first frame."""
        return None if self.model.shape is None else self.model.background_image()

    def clear(self) -> None:
        """Forget everything that was learned."""
        self.model.reset()

    def getNMixtures(self) -> int:
        """Return the most Gaussians that a pixel can have."""
        return self.model.parameters["n_components"]

    def setNMixtures(self, nmixtures: int) -> None:
        """Set the most Gaussians that a pixel can have; the model restarts."""
        check_mog2({"n_components": nmixtures}, self.model.precision)  # before anything is forgotten
        self.model.reset()
        self.model.set_parameters(n_components=nmixtures)


def _accessors(suffix: str, name: str) -> dict[str, Any]:
    """Return OpenCV's getter and setter of the parameter `name`."""

    def get(self: BackgroundSubtractorMOG2) -> Any:
        return self.model.parameters[name]

    def set(self: BackgroundSubtractorMOG2, value: Any) -> None:
        try:
            self.model.set_parameters(**{name: value})
        except ParameterError as error:
            raise ParameterError(f"set{suffix}: {error}") from error

    get.__name__, get.__doc__ = f"get{suffix}", f"Return MOG2's parameter `{name}`."
    set.__name__, set.__doc__ = f"set{suffix}", f"Set MOG2's parameter `{name}` from the next frame on."
    return {get.__name__: get, set.__name__: set}


for _suffix, _parameter in {
    "History": "history",
    "VarThreshold": "var_threshold",
    "VarThresholdGen": "var_threshold_gen",
    "BackgroundRatio": "background_ratio",
    "VarInit": "var_init",
    "VarMin": "var_min",
    "VarMax": "var_max",
    "ComplexityReductionThreshold": "complexity_prior",
    "DetectShadows": "detect_shadows",
    "ShadowValue": "shadow_value",
    "ShadowThreshold": "shadow_threshold",
}.items():
    for _name, _method in _accessors(_suffix, _parameter).items():
        setattr(BackgroundSubtractorMOG2, _name, _method)
