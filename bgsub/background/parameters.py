"""Parameters of the streaming models: one table that constructors check and the command line shows."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bgsub.errors import ParameterError


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
    """

    name: str
    default: Any
    low: float
    high: float
    unit: str
    description: str
    above: bool = False

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
    p.name: p
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

_COMPACT_HIGHEST = 255.0  # a 16-bit variance is kept in steps of 1/256


def check_mog2(values: Mapping[str, Any], precision: str) -> dict[str, Any]:
    """Return all of MOG2's parameters: `values`, checked, and defaults for the rest.

    Raises
    ------
    ParameterError
        When a name is unknown, a value out of bounds, or two contradict each other.
    """
    unknown = [name for name in values if name not in MOG2_PARAMETERS]
    if unknown:
        raise ParameterError(f"unknown parameter {unknown[0]!r}: there are {', '.join(MOG2_PARAMETERS)}")
    checked = {name: p.check(values.get(name, p.default)) for name, p in MOG2_PARAMETERS.items()}
    if checked["var_min"] > checked["var_max"]:
        raise ParameterError(
            f"var_min is {checked['var_min']:g}, above var_max {checked['var_max']:g}: exchange or change them"
        )
    if precision not in ("exact", "compact"):
        raise ParameterError(f"precision is {precision!r}: give 'exact' or 'compact'")
    for name in ("var_init", "var_max") if precision == "compact" else ():
        if checked[name] > _COMPACT_HIGHEST:
            raise ParameterError(
                f"{name} is {checked[name]:g}: with precision='compact' give at most {_COMPACT_HIGHEST:g}"
            )
    return checked
