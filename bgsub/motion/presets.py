"""Settings for kinds of places, by the names of the command line's options."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

PRESETS: Mapping[str, Mapping[str, Any]] = {
    # A room: people are large, and stand still on their way.
    "indoor": {"min_motion": "0.2%", "min_length": 0.4, "merge": 3.0},
    # A yard: leaves and clouds move too, and what counts is larger than they are.
    "outdoor": {"min_motion": "0.1%", "min_length": 0.6, "merge": 3.0},
    # A camera trap: rare and small animals, of which nothing may be missed; long clips.
    "wildlife": {"min_motion": "0.02%", "min_length": 0.2, "merge": 8.0, "before": 3.0, "after": 5.0},
    # Noise that looks like motion, and small lights that are none.
    "night": {"min_motion": "0.1%", "min_length": 0.8, "merge": 4.0},
    # One vehicle after another: short gaps tell them apart.
    "traffic": {"min_motion": "0.05%", "min_length": 0.4, "merge": 0.8, "before": 0.5, "after": 0.5},
}
