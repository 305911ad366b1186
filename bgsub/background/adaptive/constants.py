"""The constants of one frame, from the adaptive model's parameters, its age, and what the scene is like."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from bgsub.background.adaptive.codes import FLICKER_STEPS
from bgsub.background.adaptive.light import CHROMA, LUMA, Light
from bgsub.background.adaptive.step import Neighbourhood, Shadow, Standing, Step
from bgsub.background.adaptive.tone import UNKNOWN, Tone
from bgsub.background.parameters import ADAPTIVE_PARAMETERS

# Constants that are no parameters; of each its origin, as `parameters.Origin` defines the words.
_USUAL_DISTANCE = 3.58  # chosen: D of a pixel that is well matched; 69 % of a Gaussian's lie nearer (3 channels)
_UNPROTECTED = 3  # chosen: frames after which foreground learns slowly
_MOST_DOUBT = 0.4  # chosen: weight that early doubt can take away
_UNHURRIED = 0.04  # cost: learning rate up to which several frames may be learned as one
_TOGETHER = 16  # cost: the most of them, a power of 2
_FEW = 4  # chosen: the most where several modes are seen, whose weights a sample tells less well
_SPREAD = 40503  # chosen: odd, about 2^16 by the golden ratio: its multiples spread evenly (Knuth)
_STEEP = 1e-6  # cost: of brightness, over which a step of evidence is no slope
_UNSURE = 5  # chosen: frames in which any scene is taken to be in motion
NEVER = 256  # cost: frames, an age that no object reaches, since ages are bytes
_CLIPPED = 250.0  # chosen: value from which a channel is clipped: compression and noise leave few at 255
_WHITE = 255.0  # physics: the highest value
_KEENEST = 8.0  # chosen: most that a squared difference gains
_STEEPNESS = 4  # chosen: clear views of little contrast lie close to foggy ones
_EXPLAINED = -4.0  # cost: evidence below which a neighbour explains a pixel well enough


def absorbed_weight(threshold: float, low_weight: float, weight_span: float, weight_doubt: float) -> float:
    """Return the weight at which a Gaussian counts as background: where S = 0 at the usual distance.

    From S = D / 2 - c + c_w (1 - (w - w_0) / (w_1 - w_0)), see the docstring of the package.
    """
    return low_weight + weight_span * (1 - (threshold - _USUAL_DISTANCE / 2) / weight_doubt)


# Of the defaults: .186, whatever the parameters are. Where they are others the formula may give a weight below w_0,
# which is background at once, or above w_1, which no Gaussian needs: `absorption_time` is exact for the defaults.
_ABSORBED = absorbed_weight(
    *(ADAPTIVE_PARAMETERS[name].default for name in ("threshold", "low_weight", "weight_span", "weight_doubt"))
)


class Search(NamedTuple):
    """How the objects of a frame are looked for, besides the constants of `Step`.

    Attributes
    ----------
    shadow : Shadow or None
        Constants of what a shadow explains; None where none are looked for.
    shadow_value : int
        Mask value of shadows.
    neighbourhood : Neighbourhood
        Constants of the search for moved background.
    standing : Standing or None
        Constants that tell what stands from what lies on the ground; None where nothing is asked about it.
    standing_reach : float
        How far below a pixel foreground counts, as a share of the area's height.
    vacated_ratio : float
        By which ground is told from what stood there in the first frame; 0 where nothing is asked about it.
    smoothing : float
        Standard deviation, in pixels, of the Gaussian over which evidence is averaged; 0 for none.
    min_area, fill_area : float
        Pixels: smaller objects are left out, smaller holes filled.
    compared_area : int
        Pixels: smaller objects are not compared with anything.
    """

    shadow: Shadow | None
    shadow_value: int
    neighbourhood: Neighbourhood
    standing: Standing | None
    standing_reach: float
    vacated_ratio: float
    smoothing: float
    min_area: float
    fill_area: float
    compared_area: int


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
    seconds : float or None
        Since the frame before; None for one frame at the rate of the parameters.
    tone : Tone
        Of the scene's shadows.
    """

    n_frames: int
    rate: float | None
    light: Light
    liveliness: float
    seconds: float | None = None
    tone: Tone = UNKNOWN


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
    if moment.seconds is None:
        settled = _ABSORBED / (parameters["absorption_time"] * parameters["frame_rate"])
    else:
        settled = _ABSORBED * moment.seconds / parameters["absorption_time"]
    return alpha, min(alpha, max(settled, alpha * min(1.0, parameters["taper"] / n)))


def together_at(alpha: float) -> int:
    """Return how many frames a tile at rest learns as one, at a learning rate: 1, 2, 4, ..."""
    together = 1
    while together < _TOGETHER and 2 * together * alpha <= _UNHURRIED:
        together *= 2
    return together


def turn_at(n_frames: int, together: int) -> int:
    """Return which blocks of tiles learn in a frame if they rest, 0 to `together` - 1: each once in so many frames.

    The order is another one each time: what blinks every second frame must not be seen in one of its states only.
    """
    cycle, place = divmod(n_frames, together)
    return place ^ (cycle * _SPREAD >> 16) % together


def acuity_of(parameters: Mapping[str, Any], light: Light) -> float:
    """Return the acuity A, a factor of squared distances from 1 on: in fog a little difference counts.

    Fog brings all differences down, those of objects and those that make a background unsteady, which `var_min_y` is
    there for. But not the noise of the camera: `noise_margin` times its variance stays within `var_min_y` / A.
    """
    p = parameters
    wanted = (p["low_contrast"] / max(light.contrast, 0.01)) ** _STEEPNESS
    allowed = p["var_min_y"] / max(p["noise_margin"] * light.noise, 1e-3)
    return max(1.0, min(wanted, allowed, _KEENEST))


def step_of(parameters: Mapping[str, Any], moment: Moment, has_channels: bool) -> Step:
    """Return the constants of the kernels; `has_channels` is False for grey images."""
    p, f32 = parameters, np.float32
    calm = 1 - moment.liveliness
    alpha, slow = learning_rates(parameters, moment)
    # A few early frames give an object that passes the weight of a background mode.
    doubt = min(_MOST_DOUBT, p["early_doubt"] * calm / max(1, moment.n_frames))
    gain = moment.light.gain if p["compensate_light"] else 1.0
    acuity, together = acuity_of(parameters, moment.light), together_at(alpha)
    few = min(_FEW, together)
    dead_zone = moment.liveliness * p["flicker_lively"] + calm * p["flicker_still"]
    return Step(
        luma=tuple(f32(share * gain) for share in (LUMA if has_channels else (1.0, 0.0, 0.0))),
        chroma=tuple(f32(scale) for scale in CHROMA),
        gain=f32(gain),
        clipped=f32(_CLIPPED if gain != 1 else np.inf),
        most=f32(_WHITE / gain if gain > 1 else np.inf),
        acuity=f32(acuity),
        alpha=f32(alpha),
        slow=f32(slow),
        fast=f32(max(alpha, p["ghost_rate"])),
        match_distance=f32(p["match_distance"]),
        threshold=f32(p["threshold"]),
        low_weight=f32(p["low_weight"] + doubt),
        doubt_slope=f32(p["weight_doubt"]) / f32(p["weight_span"]),
        weight_doubt=f32(p["weight_doubt"]),
        flicker_doubt=f32(p["flicker_doubt"]) / FLICKER_STEPS,
        dead_zone=f32(dead_zone) * FLICKER_STEPS,
        restless=f32(p["restless"]) * FLICKER_STEPS,
        flicker_rate=f32(p["flicker_rate"]),
        var_init_y=f32(p["var_init_y"]),
        var_init_c=f32(p["var_init_c"]),
        var_min_y=f32(p["var_min_y"]),
        var_min_c=f32(p["var_min_c"]),
        var_max=f32(p["var_max"]),
        var_stretch=f32(p["var_max"]) * f32(p["var_stretch"]) / FLICKER_STEPS,
        last=p["n_components"] - 1,
        together=together,
        turn=moment.n_frames % together,
        few=few,
        few_turn=turn_at(moment.n_frames, few),
    )


def shadow_of(parameters: Mapping[str, Any], tone: Tone, acuity: float) -> Shadow:
    """Return the constants of what a shadow explains, in a scene whose shadows have such a tone.

    In fog there are hardly any, since light comes from all sides; what is even there is faint.
    """
    p = parameters
    darkest, even_darkest = p["shadow_threshold"], p["shadow_threshold"] * p["even_depth"]
    constants = Shadow(
        darkest=darkest,
        precision=0.5 * acuity / p["shadow_spread"],
        base=p["shadow_doubt"] - p["threshold"],
        even_credit=p["even_credit"] / acuity,
        even_darkest=even_darkest,
        even_slope=1 / max(darkest - even_darkest, _STEEP),
        even_variance=p["even_spread"] ** 2,
        uneven_slope=1 / (p["uneven_spread"] ** 2 - p["even_spread"] ** 2),
        tone=tone.depth,
        tone_doubt=p["tone_doubt"] * tone.sure,
        tone_slope=1 / p["tone_margin"],
    )
    return Shadow(*map(np.float32, constants))


def neighbourhood_of(parameters: Mapping[str, Any], liveliness: float) -> Neighbourhood:
    """Return the constants of the search for moved background."""
    p = parameters
    level = liveliness * p["neighbour_lively"] + (1 - liveliness) * p["neighbour_still"]
    return Neighbourhood(
        neighbour_radius=p["neighbour_radius"],
        least_flicker=int(np.ceil(level * float(FLICKER_STEPS))),
        low_weight=np.float32(p["low_weight"]),
        doubt_slope=np.float32(p["weight_doubt"] / p["weight_span"]),
        neighbour_doubt=np.float32(p["neighbour_doubt"]),
        explained=np.float32(_EXPLAINED),
    )


def standing_of(parameters: Mapping[str, Any]) -> Standing:
    """Return the constants that tell what stands from what lies on the ground."""
    return Standing(np.float32(parameters["standing_gain"]), np.float32(parameters["standing_share"]))


def search_of(parameters: Mapping[str, Any], moment: Moment, n_pixels: int) -> Search:
    """Return how the objects of a frame are looked for, in an area of so many pixels."""
    p, liveliness, light = parameters, moment.liveliness, moment.light
    return Search(
        shadow=shadow_of(p, moment.tone, acuity_of(p, light)) if p["detect_shadows"] and light.has_colour else None,
        shadow_value=p["shadow_value"],
        neighbourhood=neighbourhood_of(p, liveliness),
        standing=standing_of(p) if p["standing_gain"] else None,
        standing_reach=p["standing_reach"],
        vacated_ratio=p["vacated_ratio"] if moment.n_frames < p["vacated_frames"] else 0.0,
        smoothing=p["smoothing"],
        min_area=p["min_area"] + liveliness * p["lively_area"] * n_pixels,
        fill_area=p["fill_area"] * n_pixels,
        compared_area=p["structure_area"],
    )


def liveliness_of(parameters: Mapping[str, Any], n_frames: int, flickering: float) -> float:
    """Return how far a scene is in motion, 0 calm to 1, by the share of its pixels that flicker."""
    if n_frames <= _UNSURE:
        return 1.0
    low, high = parameters["liveliness_low"], parameters["liveliness_high"]
    return min(max((flickering - low) / (high - low), 0.0), 1.0)


def large_area_of(parameters: Mapping[str, Any], moment: Moment, n_pixels: int) -> float:
    """Return the area, in pixels, from which an object is no flicker.

    A scene full of objects must not pass for one in motion, in which they would be flicker for good: so in the first
    frames every scene is taken to be calm.
    """
    p = parameters
    liveliness = 0.0 if moment.n_frames <= p["large_early"] else moment.liveliness
    return (liveliness * p["large_area"] + (1 - liveliness) * p["large_still"]) * n_pixels


def oldest_of(parameters: Mapping[str, Any], moment: Moment) -> int:
    """Return from which age on, in frames, changes within a large object are flicker after all; `NEVER` for none.

    In a scene in motion what has stood long enough may be leaves that hang otherwise than at first. They would keep
    their place for good, so within such an object changes count; a real one that has stopped shows none.
    """
    return math.ceil(min(parameters["lively_age"] / max(moment.liveliness, 1e-9), NEVER))
