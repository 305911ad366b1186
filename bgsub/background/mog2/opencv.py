"""OpenCV's interface to `MOG2`: one changed line moves an OpenCV program over."""

from __future__ import annotations

from bgsub.background.mog2.model import MOG2
from bgsub.background.opencv import OpenCVSubtractor, accessors


def createBackgroundSubtractorMOG2(
    history: int = 500, varThreshold: float = 16, detectShadows: bool = True
) -> BackgroundSubtractorMOG2:
    """Create a background subtractor as ``cv2.createBackgroundSubtractorMOG2`` does, several times faster.

    Parameters
    ----------
    history : int, default 500
        Memory in frames.
    varThreshold : float, default 16
        Squared Mahalanobis distance up to which a pixel is background.
    detectShadows : bool, default True
        Mark shadows with 127.

    Returns
    -------
    BackgroundSubtractorMOG2
        With OpenCV's methods.

    Raises
    ------
    ParameterError
        When a value is out of its bounds.

    See Also
    --------
    createBackgroundSubtractor : the same calls, and far more accurate masks.

    Examples
    --------
    >>> import numpy as np
    >>> import bgsub
    >>> subtractor = bgsub.createBackgroundSubtractorMOG2(history=100, varThreshold=20)
    >>> frame = np.full((60, 80, 3), 90, np.uint8)
    >>> for _ in range(20):
    ...     mask = subtractor.apply(frame)
    >>> frame[20:40, 30:50] = 200
    >>> mask = subtractor.apply(frame, None, 0)
    >>> int(mask[30, 40]), int(mask[5, 5]), subtractor.getHistory()
    (255, 0, 100)
    """
    return BackgroundSubtractorMOG2(
        MOG2(
            history=int(history),
            var_threshold=float(varThreshold),
            detect_shadows=bool(detectShadows),
            scale="opencv",
        )
    )


class BackgroundSubtractorMOG2(OpenCVSubtractor):
    """OpenCV's methods and habits around a `MOG2`.

    Beside what `OpenCVSubtractor` says, frames with rate 0 are counted, as in OpenCV. Frames may have any type of real
    numbers, whose values are taken as they are; unlike OpenCV's, the background of all of them can be had, in the
    frames' own type, and NaN and infinity are refused. So are two, four and more channels, which OpenCV takes, alpha
    like a colour: give ``image[..., :3]``.
    The masks are OpenCV's with one exception: with rate 0 OpenCV brings the weights to a sum of 1 once more, which they
    had not where a Gaussian has just replaced another; here nothing changes. A few pixels in 10 000 may differ then.

    Parameters
    ----------
    model : MOG2
        The model behind it; use it for what OpenCV has not: `region`, `threads`.
    """

    model: MOG2
    _NAME = "BackgroundSubtractor_MOG2"
    _COUNTS_FROZEN = True
    getHistory, setHistory = accessors("History", "history", int)
    getVarThreshold, setVarThreshold = accessors("VarThreshold", "var_threshold", float)
    getVarThresholdGen, setVarThresholdGen = accessors("VarThresholdGen", "var_threshold_gen", float)
    getBackgroundRatio, setBackgroundRatio = accessors("BackgroundRatio", "background_ratio", float)
    getVarInit, setVarInit = accessors("VarInit", "var_init", float)
    getVarMin, setVarMin = accessors("VarMin", "var_min", float)
    getVarMax, setVarMax = accessors("VarMax", "var_max", float)
    getComplexityReductionThreshold, setComplexityReductionThreshold = accessors(
        "ComplexityReductionThreshold", "complexity_prior", float
    )
    getDetectShadows, setDetectShadows = accessors("DetectShadows", "detect_shadows", bool)
    getShadowValue, setShadowValue = accessors("ShadowValue", "shadow_value", int)
    getShadowThreshold, setShadowThreshold = accessors("ShadowThreshold", "shadow_threshold", float)
