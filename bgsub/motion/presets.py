"""Settings for kinds of places, by the names of the command line's options; scripts/README.md has what was measured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

PRESETS: Mapping[str, Mapping[str, Any]] = {
    # A room: people are large, and stand still on their way. Longer than .2 s loses events there, 0.2% as well.
    "indoor": {"min_motion": "0.1%", "min_length": 0.2, "merge": 3.0},
    # A yard: leaves and clouds move too, and are gone sooner than what counts.
    "outdoor": {"min_motion": "0.1%", "min_length": 0.6, "merge": 3.0},
    # A camera trap: rare and small animals, of which nothing may be missed; long clips. Of these nothing was measured.
    "wildlife": {"min_motion": "0.02%", "min_length": 0.2, "merge": 8.0, "before": 3.0, "after": 5.0},
    # Noise that looks like motion, and small lights that are none; longer than .4 s loses events.
    "night": {"min_motion": "0.1%", "min_length": 0.4, "merge": 4.0},
    # One vehicle after another: short gaps tell them apart, and one may be gone in half a second.
    "traffic": {"min_motion": "0.05%", "min_length": 0.4, "merge": 0.8, "before": 0.5, "after": 0.5},
}
