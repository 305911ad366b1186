"""OpenCV's interface to `BackgroundSubtractor`: a program's calls stay, and its masks become far more accurate."""

from __future__ import annotations

from bgsub.background.adaptive.model import BackgroundSubtractor
from bgsub.background.opencv import OpenCVSubtractor, accessors


def createBackgroundSubtractor(
    history: int = 500, *, threshold: float = 6.5, detectShadows: bool = True
) -> BackgroundSubtractorAdaptive:
    """Create the accurate background subtractor for programs that are written for OpenCV's.

    Its methods are those of what ``cv2.createBackgroundSubtractorMOG2`` and ``...KNN`` return, so that only the line
    that makes the subtractor changes; the model behind is `bgsub.BackgroundSubtractor`. Its `threshold` is on another
    scale than OpenCV's, which is why it is taken by name only.

    Parameters
    ----------
    history : int, default 500
        Memory in frames.
    threshold : float, default 6.5
        Evidence, as log-odds, that makes a pixel foreground; higher finds less.
    detectShadows : bool, default True
        Mark shadows with 127.

    Returns
    -------
    BackgroundSubtractorAdaptive
        With OpenCV's methods.

    Raises
    ------
    ParameterError
        When a value is out of its bounds.

    Examples
    --------
    >>> import numpy as np
    >>> import bgsub
    >>> subtractor = bgsub.createBackgroundSubtractor()
    >>> frame = np.full((60, 80, 3), 90, np.uint8)
    >>> for _ in range(20):
    ...     mask = subtractor.apply(frame)
    >>> frame[20:40, 30:50] = 200
    >>> mask = subtractor.apply(frame, None, 0.01)
    >>> int(mask[30, 40]), int(mask[5, 5])
    (255, 0)
    >>> subtractor.getBackgroundImage()[30, 40].tolist()
    [90, 90, 90]
    """
    return BackgroundSubtractorAdaptive(
        BackgroundSubtractor(history=int(history), threshold=float(threshold), detect_shadows=bool(detectShadows))
    )


class BackgroundSubtractorAdaptive(OpenCVSubtractor):
    """OpenCV's methods and habits around a `BackgroundSubtractor`.

    With rate 0 the model does not change, and the frame is not counted.

    Parameters
    ----------
    model : BackgroundSubtractor
        The model behind it; use it for what OpenCV has not: `region`, `threads`, probabilities.
    """

    model: BackgroundSubtractor
    _NAME = "BackgroundSubtractor_Adaptive"
    getHistory, setHistory = accessors("History", "history", int)
    getThreshold, setThreshold = accessors("Threshold", "threshold", float)
    getSmoothing, setSmoothing = accessors("Smoothing", "smoothing", float)
    getMinArea, setMinArea = accessors("MinArea", "min_area", int)
    getDetectShadows, setDetectShadows = accessors("DetectShadows", "detect_shadows", bool)
    getShadowValue, setShadowValue = accessors("ShadowValue", "shadow_value", int)
    getShadowThreshold, setShadowThreshold = accessors("ShadowThreshold", "shadow_threshold", float)
    getAbsorptionTime, setAbsorptionTime = accessors("AbsorptionTime", "absorption_time", float)
    getFrameRate, setFrameRate = accessors("FrameRate", "frame_rate", float)
    getCompensateLight, setCompensateLight = accessors("CompensateLight", "compensate_light", bool)
    getStabilise, setStabilise = accessors("Stabilise", "stabilise", bool)
