"""Mask moving objects in video with a per-pixel online mixture of Gaussians."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from bgsub.extras import explained

if TYPE_CHECKING:
    from bgsub.background.adaptive.model import BackgroundSubtractor
    from bgsub.background.adaptive.opencv import createBackgroundSubtractor
    from bgsub.background.mog2.model import MOG2
    from bgsub.background.mog2.opencv import createBackgroundSubtractorMOG2
    from bgsub.clustering.model import TableModel
    from bgsub.errors import (
        BgsubError,
        FitWarning,
        MissingExtraError,
        ModelFileError,
        OutputError,
        ParameterError,
        SourceError,
    )
    from bgsub.mixture.estimator import GaussianMixture
    from bgsub.mixture.selection import select
    from bgsub.motion.scanning import scan
    from bgsub.plots.fitted import plot_mixture, plot_selection
    from bgsub.video.composing import cutout, overlay
    from bgsub.video.frame import Frame, VideoInfo
    from bgsub.video.opening import open_source
    from bgsub.video.writing import VideoWriter, open_sink

__version__ = "0.1.0"

_HOME = {
    "BackgroundSubtractor": "bgsub.background.adaptive.model",
    "MOG2": "bgsub.background.mog2.model",
    "createBackgroundSubtractor": "bgsub.background.adaptive.opencv",
    "createBackgroundSubtractorMOG2": "bgsub.background.mog2.opencv",
    "GaussianMixture": "bgsub.mixture.estimator",
    "select": "bgsub.mixture.selection",
    "scan": "bgsub.motion.scanning",
    "plot_selection": "bgsub.plots.fitted",
    "plot_mixture": "bgsub.plots.fitted",
    "TableModel": "bgsub.clustering.model",
    "open_source": "bgsub.video.opening",
    "open_sink": "bgsub.video.writing",
    "VideoWriter": "bgsub.video.writing",
    "overlay": "bgsub.video.composing",
    "cutout": "bgsub.video.composing",
    "Frame": "bgsub.video.frame",
    "VideoInfo": "bgsub.video.frame",
    "BgsubError": "bgsub.errors",
    "FitWarning": "bgsub.errors",
    "MissingExtraError": "bgsub.errors",
    "ModelFileError": "bgsub.errors",
    "OutputError": "bgsub.errors",
    "ParameterError": "bgsub.errors",
    "SourceError": "bgsub.errors",
}

__all__ = [
    "MOG2",
    "BackgroundSubtractor",
    "BgsubError",
    "FitWarning",
    "Frame",
    "GaussianMixture",
    "MissingExtraError",
    "ModelFileError",
    "OutputError",
    "ParameterError",
    "SourceError",
    "TableModel",
    "VideoInfo",
    "VideoWriter",
    "createBackgroundSubtractor",
    "createBackgroundSubtractorMOG2",
    "cutout",
    "open_sink",
    "open_source",
    "overlay",
    "plot_mixture",
    "plot_selection",
    "scan",
    "select",
]


def __getattr__(name: str) -> Any:
    """Import a public name at its first use: ``bgsub --help`` must not wait for Numba."""
    if name == "distributed":  # a room of its own, whose public names are imported at their first use, too
        return importlib.import_module("bgsub.distributed")
    if name not in _HOME:
        raise AttributeError(f"module 'bgsub' has no attribute {name!r}")
    with explained(f"bgsub.{name}"):
        value = getattr(importlib.import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
