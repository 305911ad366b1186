"""Kinds of scene in figures and words: what each is like, when it is seen, which frames are typical."""

from __future__ import annotations

from typing import Any

import numpy as np

from bgsub.features.collecting import FEATURES, N_EMBEDDING
from bgsub.features.kinds import Scenes

TYPICAL, UNUSUAL = 5, 5
"""Frames that stand for a kind; unusual frames of a video."""


def describe(scenes: Scenes) -> dict[str, Any]:
    """Return what JSON says of the kinds of scene."""
    f = scenes.features
    seconds = scenes.seconds()
    named = FEATURES[: len(FEATURES) - N_EMBEDDING]
    kinds = []
    for kind in range(scenes.n_kinds):
        rows = np.flatnonzero(scenes.labels == kind)
        means = f.values[rows].mean(axis=0) if len(rows) else np.full(len(FEATURES), np.nan)
        kinds.append(
            {
                "label": kind,
                "frames": len(rows),
                "share": len(rows) / len(f),
                "seconds": float(seconds[kind]),
                "first_time": float(f.times[rows[0]]) if len(rows) else None,
                "stands_out_by": dict(scenes.striking(kind)),
                "mean": {name: float(m) for name, m in zip(named, means, strict=False)} if len(rows) else {},
                "typical_frames": f.indices[scenes.typical(kind, TYPICAL)].tolist(),
            }
        )
    return {
        "kinds": kinds,
        "segments": [
            {"start": float(f.times[first]), "end": _end(f.times, after), "label": kind}
            for first, after, kind in scenes.segments()
        ],
        "unusual": [
            {
                "frame": int(f.indices[row]),
                "time": float(f.times[row]),
                "log_density": float(scenes.log_density[row]),
            }
            for row in scenes.unusual(UNUSUAL)
        ],
        "frames_of_no_kind": f.indices[~scenes.learned].tolist(),
    }


def in_words(scenes: Scenes, kind: int) -> list[str]:
    """Return by what a kind stands out, in standard deviations: ``blue +1.6``, ``contrast -0.9``."""
    return [f"{name.replace('_', ' ')} {deviations:+.1f}" for name, deviations in scenes.striking(kind)]


def _end(times: np.ndarray, after: int) -> float:
    """Return when the frame before row `after` ends."""
    if after < len(times):
        return float(times[after])
    return float(times[-1] + (np.median(np.diff(times)) if len(times) > 1 else 0.0))
