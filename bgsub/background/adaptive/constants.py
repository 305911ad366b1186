"""The constants of one frame, from the adaptive model's parameters, its age, and what the scene is like."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from bgsub.background.adaptive.kernels import FLICKER_STEPS, Step
from bgsub.background.adaptive.light import CHROMA, LUMA, Light
from bgsub.background.adaptive.neighbourhood import Neighbourhood
from bgsub.background.adaptive.standing import Standing

_ABSORBED = 0.186  # weight at which a Gaussian that is well matched counts as background
_UNPROTECTED = 3  # frames after which foreground learns slowly
_MOST_DOUBT = 0.4  # weight that early doubt can take away
_UNHURRIED = 0.02  # learning rate up to which two frames may be learned as one
_EXPLAINED = -4.0  # evidence below which a neighbour explains a pixel well enough


class Moment(NamedTuple):
    """What the constants depend on besides the parameters.

    Attributes
    ----------
    n_frames : int
        Frames learned so far.
    rate : float or None
        Learning rate that the caller asks for.
    light : Light
        Of the frame.
    liveliness : float
        How far the whole scene is in motion, 0 to 1.
    """

    n_frames: int
    rate: float | None
    light: Light
    liveliness: float


def learning_rates(parameters: Mapping[str, Any], moment: Moment) -> tuple[float, float]:
    """Return the learning rate of background and that of foreground.

    A Gaussian that gains weight at the rate a is background once 1 - (1 - a)^n is `_ABSORBED`: so foreground's rate
    follows from `absorption_time`. In the first frames it is higher, since what stands there may be the background.
    """
    n = moment.n_frames + 1
    automatic = max(1 / n, 1 / parameters["history"])
    alpha = moment.rate if moment.rate is not None and n > 1 else automatic
    if n <= _UNPROTECTED:
        return alpha, alpha
    settled = _ABSORBED / (parameters["absorption_time"] * parameters["frame_rate"])
    return alpha, min(alpha, max(settled, alpha * min(1.0, parameters["taper"] / n)))


def step_of(parameters: Mapping[str, Any], moment: Moment, has_channels: bool) -> Step:
    """Return the constants of the kernels; `has_channels` is False for grey images."""
    p = {name: np.float32(value) for name, value in parameters.items()}
    calm = 1 - moment.liveliness
    alpha, slow = learning_rates(parameters, moment)
    # A few early frames give an object that passes the weight of a background mode.
    doubt = min(_MOST_DOUBT, parameters["early_doubt"] * calm / max(1, moment.n_frames))
    gain = moment.light.gain if parameters["compensate_light"] else 1.0
    dead_zone = moment.liveliness * parameters["flicker_lively"] + calm * parameters["flicker_still"]
    return Step(
        luma=tuple(np.float32(share * gain) for share in (LUMA if has_channels else (1.0, 0.0, 0.0))),
        chroma=tuple(np.float32(scale) for scale in CHROMA),
        gain=np.float32(gain),
        alpha=np.float32(alpha),
        slow=np.float32(slow),
        fast=np.float32(max(alpha, parameters["ghost_rate"])),
        match=p["match_distance"],
        offset=p["threshold"],
        low_weight=np.float32(parameters["low_weight"] + doubt),
        prior_slope=p["weight_doubt"] / p["weight_span"],
        prior=p["weight_doubt"],
        shadow_darkest=p["shadow_threshold"],
        shadow_chroma=np.float32(0.5) / p["shadow_spread"],
        shadow_offset=p["shadow_doubt"] - p["threshold"],
        steadiness=p["flicker_doubt"] / FLICKER_STEPS,
        dead_zone=np.float32(dead_zone) * FLICKER_STEPS,
        restless=p["restless"] * FLICKER_STEPS,
        blink_rate=p["flicker_rate"],
        var_init_y=p["var_init_y"],
        var_init_c=p["var_init_c"],
        var_min_y=p["var_min_y"],
        var_min_c=p["var_min_c"],
        var_max=p["var_max"],
        var_stretch=p["var_max"] * p["var_stretch"] / FLICKER_STEPS,
        last=parameters["n_components"] - 1,
        turn=moment.n_frames % 2 if alpha <= _UNHURRIED else -1,
    )


def neighbourhood_of(parameters: Mapping[str, Any], liveliness: float) -> Neighbourhood:
    """Return the constants of the search for moved background."""
    p = parameters
    level = liveliness * p["neighbour_lively"] + (1 - liveliness) * p["neighbour_still"]
    return Neighbourhood(
        radius=p["neighbour_radius"],
        flicker=int(np.ceil(level * float(FLICKER_STEPS))),
        low_weight=np.float32(p["low_weight"]),
        prior_slope=np.float32(p["weight_doubt"] / p["weight_span"]),
        penalty=np.float32(p["neighbour_doubt"]),
        enough=np.float32(_EXPLAINED),
    )


def standing_of(parameters: Mapping[str, Any]) -> Standing:
    """Return the constants that tell what stands from what lies on the ground."""
    return Standing(gain=np.float32(parameters["standing_gain"]), share=np.float32(parameters["standing_share"]))
