"""The parameters of the streaming models as keywords with types, for editors and type checkers.

Names and types are those of the tables in `bgsub.background.parameters`, which alone say bounds and defaults.
"""

from __future__ import annotations

from typing import TypedDict


class NoOthers(TypedDict):
    """No further keywords: what is unknown is told by a `ParameterError`, and before that by a type checker."""


class RareParameters(TypedDict, total=False):
    """The parameters of `bgsub.BackgroundSubtractor` that few will want to change."""

    match_distance: float
    low_weight: float
    weight_span: float
    weight_doubt: float
    early_doubt: float
    shadow_spread: float
    shadow_doubt: float
    even_credit: float
    even_depth: float
    even_spread: float
    uneven_spread: float
    tone_doubt: float
    tone_margin: float
    standing_gain: float
    standing_share: float
    standing_reach: float
    flicker_doubt: float
    flicker_rate: float
    flicker_still: float
    flicker_lively: float
    neighbour_radius: int
    neighbour_still: float
    neighbour_lively: float
    neighbour_doubt: float
    liveliness_low: float
    liveliness_high: float
    restless: float
    var_init_y: float
    var_init_c: float
    var_min_y: float
    var_min_c: float
    var_max: float
    var_stretch: float
    fill_area: float
    lively_area: float
    large_area: float
    large_still: float
    large_early: int
    lively_age: float
    structure: float
    structure_area: int
    vacated_frames: int
    vacated_ratio: float
    low_contrast: float
    noise_margin: float
    ghost_ratio: float
    ghost_edges: float
    ghost_rate: float
    taper: float


class AdaptiveParameters(RareParameters, total=False):
    """All parameters of `bgsub.BackgroundSubtractor`."""

    n_components: int
    history: int
    threshold: float
    smoothing: float
    min_area: int
    detect_shadows: bool
    shadow_value: int
    shadow_threshold: float
    absorption_time: float
    frame_rate: float
    compensate_light: bool
    stabilise: bool


class MOG2Parameters(TypedDict, total=False):
    """All parameters of `bgsub.MOG2`."""

    n_components: int
    history: int
    var_threshold: float
    var_threshold_gen: float
    background_ratio: float
    var_init: float
    var_min: float
    var_max: float
    complexity_prior: float
    detect_shadows: bool
    shadow_value: int
    shadow_threshold: float
