"""Parameters of the streaming models: one table that constructors check and the command line shows."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from bgsub.errors import ParameterError

Origin = Literal["tuned", "chosen", "physics", "cost", "opencv", "wish"]
"""Where a default comes from, and so who may change it.

``tuned``: by F on labelled footage (``scripts/tune_adaptive.py``), and to be tuned again when the model changes.
``chosen``: by hand, and not searched for. ``physics``: what the camera does. ``cost``: as much as the time of a frame
allows. ``opencv``: that of ``cv2.createBackgroundSubtractorMOG2``. ``wish``: what somebody wants of the mask, which no
footage can tell.
"""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A number or a switch: name, default, bounds and what it does.

    Attributes
    ----------
    name : str
        Name of the keyword; the command line writes ``-`` for ``_``.
    default : int, float or bool
        Its type is the parameter's type.
    low, high : float
        Bounds, both allowed unless `above` is set: then `low` itself is not.
    unit : str
        Unit of the value, or "".
    description : str
        One line for help texts.
    advanced : bool
        Left out of help texts: few will want to change it.
    origin : str
        Where the default comes from, see `Origin`.
    """

    name: str
    default: Any
    low: float
    high: float
    unit: str
    description: str
    above: bool = False
    advanced: bool = False
    origin: Origin = "wish"

    @property
    def bounds(self) -> str:
        """The bounds in words."""
        if isinstance(self.default, bool):
            return "true or false"
        kind = "a whole number" if isinstance(self.default, int) else "a number"
        if self.above:
            return f"{kind} above {self.low:g}, up to {self.high:g}"
        return f"{kind} from {self.low:g} to {self.high:g}"

    def check(self, value: Any) -> Any:
        """Return `value` as the parameter's type.

        Raises
        ------
        ParameterError
            When it is of another type or out of bounds; the text names parameter, value and bounds.
        """
        kind = type(self.default)
        try:
            given = kind(value)
            valid = given == value and math.isfinite(given)
        except (TypeError, ValueError, OverflowError):
            valid = False
        if kind is not bool and isinstance(value, bool):
            valid = False
        if not valid or not (self.low < given if self.above else self.low <= given) or given > self.high:
            raise ParameterError(f"{self.name} is {value!r}: give {self.bounds}")
        return given


MOG2_PARAMETERS = {
    p.name: replace(p, origin="opencv")
    for p in [
        Parameter("n_components", 5, 1, 32, "", "most Gaussians that a pixel can have"),
        Parameter("history", 500, 1, 1_000_000_000, "frames", "memory: the learning rate settles at 1/history"),
        Parameter(
            "var_threshold",
            16.0,
            0,
            1e6,
            "",
            "squared Mahalanobis distance up to which a pixel is background; higher finds less",
            above=True,
        ),
        Parameter(
            "var_threshold_gen",
            9.0,
            0,
            1e6,
            "",
            "squared Mahalanobis distance up to which a pixel belongs to a Gaussian; beyond it a new one starts",
            above=True,
        ),
        Parameter("background_ratio", 0.9, 0, 1, "", "share of the weights that counts as background", above=True),
        Parameter("var_init", 15.0, 0, 65025, "grey levels^2", "variance of a new Gaussian", above=True),
        Parameter("var_min", 4.0, 0, 65025, "grey levels^2", "smallest variance of a Gaussian", above=True),
        Parameter("var_max", 75.0, 0, 65025, "grey levels^2", "largest variance of a Gaussian", above=True),
        Parameter("complexity_prior", 0.05, 0, 0.5, "", "evidence that a Gaussian needs to be kept; 0 keeps all"),
        Parameter("detect_shadows", True, 0, 1, "", "tell cast shadows from objects; without, they count as objects"),
        Parameter("shadow_value", 127, 0, 255, "", "mask value of shadows"),
        Parameter("shadow_threshold", 0.5, 0, 1, "", "darkest shadow, as a share of the background's brightness"),
    ]
}
"""The parameters of `bgsub.MOG2`, by name: OpenCV's, under names of their own."""


def _check_names(values: Mapping[str, Any], table: Mapping[str, Parameter]) -> None:
    """Raise ParameterError about the first name that is in no table, with the one that was perhaps meant."""
    for name in values:
        if name not in table:
            common = ", ".join(known for known, p in table.items() if not p.advanced)
            rarer = ", and rarer ones" if any(p.advanced for p in table.values()) else ""
            close = difflib.get_close_matches(name.lower(), table, 1)
            meant = f"; did you mean {close[0]}?" if close else ""
            raise ParameterError(f"unknown parameter {name!r}: there are {common}{rarer}{meant}")


_VARIANCES = ("var_init", "var_min", "var_max")
_UNSCALED_HIGHEST = 1e12
_FARTHEST = 1e18  # of a range: its square must fit a float32
_COMPACT_HIGHEST = 255.0  # a 16-bit variance is kept in steps of 1/256


def check_mog2(values: Mapping[str, Any], precision: str, scale: str = "full") -> dict[str, Any]:
    """Return all of MOG2's parameters: `values`, checked, and defaults for the rest.

    Where the `scale` is "opencv" variances are in units of the frames, and may be far above those of grey levels.

    Raises
    ------
    ParameterError
        When a name is unknown, a value out of bounds, or two contradict each other.
    """
    _check_names(values, MOG2_PARAMETERS)
    table = MOG2_PARAMETERS
    if scale == "opencv":
        table = table | {name: replace(table[name], high=_UNSCALED_HIGHEST) for name in _VARIANCES}
    checked = {name: p.check(values.get(name, p.default)) for name, p in table.items()}
    if checked["var_min"] > checked["var_max"]:
        raise ParameterError(
            f"var_min is {checked['var_min']:g}, above var_max {checked['var_max']:g}: exchange or change them"
        )
    if precision not in ("exact", "compact"):
        raise ParameterError(f"precision is {precision!r}: give 'exact' or 'compact'")
    if scale not in ("full", "auto", "opencv"):
        raise ParameterError(f"scale is {scale!r}: give 'full', 'auto' or 'opencv'")
    if scale == "opencv" and precision == "compact":
        raise ParameterError("scale='opencv' takes values that precision='compact' has no room for: leave out one")
    for name in ("var_init", "var_max") if precision == "compact" else ():
        if checked[name] > _COMPACT_HIGHEST:
            raise ParameterError(
                f"{name} is {checked[name]:g}: with precision='compact' give at most {_COMPACT_HIGHEST:g}"
            )
    return checked


def _advanced(
    name: str, default: float, low: float, high: float, unit: str, description: str, origin: Origin = "tuned"
) -> Parameter:
    return Parameter(name, default, low, high, unit, description, advanced=True, origin=origin)


ADAPTIVE_PARAMETERS = {
    p.name: p
    for p in [
        Parameter("n_components", 4, 1, 16, "", "most Gaussians that a pixel can have", origin="cost"),
        Parameter("history", 500, 1, 1_000_000_000, "frames", "memory: the learning rate settles at 1/history"),
        Parameter(
            "threshold",
            6.5,
            0,
            50,
            "log-odds",
            "evidence that makes a pixel foreground; higher finds less",
            above=True,
            origin="tuned",
        ),
        Parameter(
            "smoothing",
            1.5,
            0,
            20,
            "pixels",
            "reach over which neighbours share their evidence; 0 for none",
            origin="tuned",
        ),
        Parameter("min_area", 20, 0, 1_000_000_000, "pixels", "smaller objects are dropped", origin="tuned"),
        Parameter("detect_shadows", True, 0, 1, "", "tell cast shadows from objects; without, they count as objects"),
        Parameter("shadow_value", 127, 0, 255, "", "mask value of shadows", origin="opencv"),
        Parameter(
            "shadow_threshold",
            0.45,
            0,
            1,
            "",
            "darkest shadow, as a share of the background's brightness",
            origin="tuned",
        ),
        Parameter("absorption_time", 180.0, 0, 1e9, "s", "time after which a stopped object is background", above=True),
        Parameter(
            "frame_rate",
            25.0,
            0,
            1e6,
            "frames/s",
            "frames a second, for times; a run knows its own",
            above=True,
            origin="physics",
        ),
        Parameter("compensate_light", True, 0, 1, "", "follow changes of the light of the whole scene"),
        Parameter("stabilise", True, 0, 1, "", "undo the movements of a camera that shakes, once it is found to"),
        _advanced("match_distance", 13.0, 0.1, 1e6, "", "squared Mahalanobis distance at which a Gaussian is updated"),
        _advanced("low_weight", 0.1, 0, 0.9, "", "weight up to which a Gaussian is no background"),
        _advanced(
            "weight_span", 0.4, 0.01, 1, "", "weight above that at which all doubt of a Gaussian ends", origin="chosen"
        ),
        _advanced("weight_doubt", 6.0, 0, 50, "log-odds", "evidence against a Gaussian of low weight"),
        _advanced("early_doubt", 2.0, 0, 100, "frames", "frames of a Gaussian that do not count while all is new"),
        _advanced("shadow_spread", 0.6, 0.01, 100, "", "variance of a shadow's chroma beside that of the background"),
        _advanced("shadow_doubt", 5.5, 0, 50, "log-odds", "evidence against a pixel being in shadow"),
        _advanced("even_credit", 4.0, 0, 50, "log-odds", "evidence for a shadow where all is dimmed evenly"),
        _advanced("even_depth", 0.67, 0, 1, "", "darkest even shadow, as a share of shadow_threshold"),
        _advanced("even_spread", 0.03, 0, 1, "", "spread of the dimming around a pixel up to which it is even"),
        _advanced("uneven_spread", 0.06, 0, 1, "", "spread from which it is not"),
        _advanced("tone_doubt", 6.0, 0, 50, "log-odds", "evidence against shadows darker than the scene's others"),
        _advanced("tone_margin", 0.1, 0.001, 1, "", "brightness by which they are darker; twice that counts in full"),
        _advanced("standing_gain", 30.0, 0, 1000, "log-odds", "evidence against shadow where all below is foreground"),
        _advanced("standing_share", 0.1, 0, 1, "", "share of foreground below a pixel that speaks neither way"),
        _advanced("standing_reach", 0.17, 0, 1, "", "how far below it counts, as a share of the frame's height"),
        _advanced("flicker_doubt", 60.0, 0, 1000, "log-odds", "evidence asked for where all frames flicker"),
        _advanced("flicker_rate", 0.02, 0.0001, 1, "", "learning rate of the flicker"),
        _advanced("flicker_still", 0.07, 0, 0.25, "", "flicker of a calm scene that asks for no evidence"),
        _advanced("flicker_lively", 0.02, 0, 0.25, "", "the same for a scene in motion"),
        _advanced("neighbour_radius", 2, 0, 8, "pixels", "reach of moved background; 0 for none", origin="cost"),
        _advanced("neighbour_still", 0.115, 0, 0.25, "", "flicker from which it is looked for in a calm scene"),
        _advanced("neighbour_lively", 0.015, 0, 0.25, "", "the same for a scene in motion"),
        _advanced("neighbour_doubt", 0.5, 0, 50, "log-odds", "evidence against moved background"),
        _advanced("liveliness_low", 0.05, 0, 1, "", "share of flickering pixels up to which a scene is calm"),
        _advanced("liveliness_high", 0.1, 0, 1, "", "share from which it is in motion"),
        _advanced("restless", 0.05, 0, 0.25, "", "flicker from which foreground is learned like background"),
        _advanced("var_init_y", 20.0, 0.1, 65025, "grey levels^2", "variance of a new Gaussian, luma"),
        _advanced("var_init_c", 12.0, 0.1, 65025, "grey levels^2", "variance of a new Gaussian, chroma"),
        _advanced("var_min_y", 20.0, 0.1, 65025, "grey levels^2", "smallest variance, luma"),
        _advanced("var_min_c", 12.0, 0.1, 65025, "grey levels^2", "smallest variance, chroma"),
        _advanced("var_max", 50.0, 0.1, 65025, "grey levels^2", "largest variance where nothing flickers"),
        _advanced("var_stretch", 200.0, 0, 10000, "", "growth of that bound with the flicker, as a factor"),
        _advanced("fill_area", 0.004, 0, 1, "", "holes below this share of the frame are filled"),
        _advanced("lively_area", 0.002, 0, 1, "", "added to min_area in a scene in motion, as a share of the frame"),
        _advanced("large_area", 0.005, 0, 1, "", "share of the frame from which an object is no flicker"),
        _advanced("large_still", 0.001, 0, 1, "", "the same for a calm scene"),
        _advanced("large_early", 30, 0, 1_000_000, "frames", "first frames in which every scene counts as calm for it"),
        _advanced("lively_age", 8.0, 1, 1000, "frames", "age from which objects of a scene in motion may be flicker"),
        _advanced("structure", 0.5, 0, 1, "", "correlation with the background that makes an object a change of light"),
        _advanced(
            "structure_area", 100, 0, 1_000_000_000, "pixels", "objects from this on are judged so", origin="chosen"
        ),
        _advanced(
            "vacated_frames", 60, 0, 1_000_000, "frames", "first frames that look for ground that something has left"
        ),
        _advanced("vacated_ratio", 0.4, 0, 1, "", "how far it looks like its surroundings, beside what was learned"),
        _advanced("low_contrast", 0.42, 0, 1, "", "contrast, dark beside bright, below which fainter objects count"),
        _advanced("noise_margin", 2.0, 0.1, 100, "", "variances of the view's noise that they must stand out from"),
        _advanced("ghost_ratio", 0.5, 0, 10, "", "edges around a ghost beside the background's; 0 looks for none"),
        _advanced("ghost_edges", 6.0, 0, 255, "grey levels", "edges of the background that make a ghost likely"),
        _advanced("ghost_rate", 0.2, 0, 1, "", "learning rate where an object has gone", origin="chosen"),
        _advanced("taper", 10.0, 0, 1e6, "frames", "first frames in which foreground is learned like background"),
    ]
}
"""The parameters of `bgsub.BackgroundSubtractor`, by name."""


_RISING = (
    ("var_min_y", "var_max"),
    ("var_min_c", "var_max"),
    ("liveliness_low", "liveliness_high"),
    ("even_spread", "uneven_spread"),
)


def check_adaptive(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return all parameters of the adaptive model: `values`, checked, and defaults for the rest.

    Raises
    ------
    ParameterError
        When a name is unknown, a value out of bounds, or two contradict each other.
    """
    _check_names(values, ADAPTIVE_PARAMETERS)
    checked = {name: p.check(values.get(name, p.default)) for name, p in ADAPTIVE_PARAMETERS.items()}
    for low, high in _RISING:
        if checked[low] >= checked[high]:
            raise ParameterError(f"{low} is {checked[low]:g}, {high} {checked[high]:g}: the first must be the smaller")
    return checked


def check_range(value_range: Any, scale: str | None = None) -> tuple[float, float] | None:
    """Return a range of values, (low, high), as the user gave it; None where there is none.

    Raises
    ------
    ParameterError
        When it is none, or the `scale` is "opencv", which has no use for it.
    """
    if value_range is None:
        return None
    try:
        low, high = map(float, value_range)
    except (TypeError, ValueError, OverflowError):
        low = high = math.nan
    wide = -_FARTHEST <= low < high <= _FARTHEST and high - low >= 1 / _FARTHEST
    if isinstance(value_range, str) or not wide:
        raise ParameterError(f"value_range is {value_range!r}: give (low, high), two numbers, the smaller one first")
    if scale == "opencv":
        raise ParameterError("scale='opencv' takes values as they are: leave out value_range, or the scale")
    return low, high
