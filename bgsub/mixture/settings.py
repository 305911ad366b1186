"""Every setting of a fit: its bounds, and its default for each of those that fit mixtures.

Imports nothing heavy: the help of a command reads it. `GaussianMixture` has scikit-learn's defaults, so that it takes
its steps. `select` and the commands that show clusters to people share better ones: starts that do not depend on the
columns' units and of which only the best run to the end, and a tolerance at which EM does not stop on a plateau.
"""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Integral, Real
from typing import Literal, NamedTuple, get_args

from bgsub.errors import ParameterError

Use = Literal["estimator", "table", "frames", "colors"]
"""`GaussianMixture`; clusters of a table's rows; kinds of scene among frames; colours of pixels."""


class Setting(NamedTuple):
    """A number that a fit takes.

    Attributes
    ----------
    least : int
        The least value that `GaussianMixture` takes; no value is too large for it.
    low : int
        The least value that a command takes.
    high : int or None
        The highest, of a whole number: above it is a slip of the keyboard. None of a number that need not be whole.
    defaults : mapping of str to number
        By use; None where there is none, or none is needed. Other uses take the estimator's, or one of their own.
    help : str
        What the option says.
    """

    least: int
    low: int
    high: int | None
    defaults: Mapping[str, float | None]
    help: str


SETTINGS: Mapping[str, Setting] = {
    "n_components": Setting(
        1, 1, 10_000, {"estimator": 1, "table": None, "frames": None, "colors": 8}, "Number of clusters."
    ),
    "n_init": Setting(
        1,
        1,
        10_000,
        {"estimator": 1, "table": 12, "frames": 5, "colors": 3},
        "Starts drawn; the best is kept.",
    ),
    "max_iter": Setting(
        0, 1, 1_000_000, {"estimator": 100, "table": 1000, "frames": 500, "colors": 300}, "Most EM iterations."
    ),
    "tol": Setting(
        0,
        0,
        None,
        {"estimator": 1e-3, "table": 1e-6},  # EM can creep past a cluster for a hundred steps of 1e-5
        "Stop when the log-likelihood per row gains less (nats).",
    ),
    "reg_covar": Setting(
        0,
        0,
        None,
        {"estimator": 1e-6, "table": 1e-6, "frames": 0.25},
        "Added to every variance, in squared units of the prepared columns.",
    ),
    "seed": Setting(0, 0, 2**32 - 1, {"table": 0, "frames": 0, "colors": 0}, "Of the starts."),
    "threads": Setting(
        1,
        1,
        256,
        {"estimator": None, "table": None, "frames": None, "colors": None},
        "Threads; by default all processors.",
    ),
}

CovarianceType = Literal["full", "tied", "diag", "spherical"]
"""A matrix each, one matrix for all, variances each, or one variance each."""

COVARIANCE_TYPES: tuple[CovarianceType, ...] = get_args(CovarianceType)

InitParams = Literal["kmeans", "k-means++", "random", "random_from_data", "short_runs"]
"""How a start is drawn."""

Order = Literal["weight"] | None
"""What the components are ordered by."""

INIT_PARAMS: tuple[InitParams, ...] = get_args(InitParams)

Missing = Literal["error", "em"]
"""What NaN in a row is: an error, or not known, so that the row counts by what is."""

MISSING: tuple[Missing, ...] = get_args(Missing)

NoiseRegion = Literal["box", "hull"]
"""Where noise lies: in the box of the rows, or in their convex hull."""

NOISE_REGIONS: tuple[NoiseRegion, ...] = get_args(NoiseRegion)

MOST_TRIMMED = 0.5
"""Share of the rows that may be left out: of the others none is the majority."""

Criterion = Literal["bic", "aic", "icl"]
"""What models are compared by."""

CRITERIA: tuple[Criterion, ...] = get_args(Criterion)

COVARIANCES: Mapping[str, CovarianceType] = {"estimator": "full", "table": "full", "frames": "full", "colors": "tied"}
"""The covariance type by use."""

STARTS: Mapping[str, InitParams] = {"estimator": "kmeans", "table": "short_runs"}
"""How starts are drawn by use."""


def default(name: str, use: Use) -> float:
    """Return the default of a setting that has one."""
    value = SETTINGS[name].defaults[use]
    assert value is not None, f"{name} has no default for {use}"
    return value


_CHOICES: Mapping[str, tuple[str | None, ...]] = {
    "covariance_type": COVARIANCE_TYPES,
    "init_params": INIT_PARAMS,
    "acceleration": (None, "squarem"),
    "noise": (None, *NOISE_REGIONS),
    "order": (None, "weight"),
    "criterion": CRITERIA,
    "missing": MISSING,
}


def check_number(name: str, value: object) -> None:
    """Raise ParameterError unless a value is one that Python may give a setting; `random_state` is its own name."""
    setting = SETTINGS["seed" if name == "random_state" else name]
    whole = setting.high is not None
    sound = isinstance(value, Integral if whole else Real) and value >= setting.least  # type: ignore[operator]
    if name == "random_state":
        sound = sound and value <= setting.high  # type: ignore[operator]
    if not sound:
        what = "a whole number" if whole else "a number"
        up = f"from {setting.least} to {setting.high}" if name == "random_state" else f"from {setting.least} up"
        raise ParameterError(f"{name} is {value!r}: give {what} {up}")


def check_trim(value: object) -> None:
    """Raise ParameterError unless a value is a share of the rows that may be left out."""
    if not (isinstance(value, Real) and 0 <= float(value) <= MOST_TRIMMED):
        raise ParameterError(f"trim is {value!r}: give the share of the rows to leave out, from 0 to {MOST_TRIMMED}")


def check_choice(name: str, value: object) -> None:
    """Raise ParameterError unless a value is one of those that a setting of words has."""
    choices = _CHOICES[name]
    if value not in choices:
        raise ParameterError(f"{name} is {value!r}: give one of {', '.join(map(str, choices))}")
