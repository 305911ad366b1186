"""The background models by name: the one table that the command line, jobs, the evaluation and the benchmarks read.

Nothing here imports Numba or OpenCV: a model's class is imported when it is asked for.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bgsub.background.parameters import (
    ADAPTIVE_PARAMETERS,
    MOG2_PARAMETERS,
    Parameter,
    check_adaptive,
    check_mog2,
    check_range,
)
from bgsub.errors import ParameterError

if TYPE_CHECKING:
    from bgsub.background.adaptive.model import BackgroundSubtractor
    from bgsub.background.mog2.model import MOG2

    Model = BackgroundSubtractor | MOG2


@dataclass(frozen=True)
class Method:
    """A background model as it can be asked for by name.

    Attributes
    ----------
    name : str
        As ``--method`` has it.
    home : str
        Where its class is: ``module:class``.
    kind : str
        Kind of its model files, as `bgsub.files.kind_of` tells it.
    parameters : mapping of str to Parameter
        Its table of parameters.
    check_together : callable
        Checks parameters, and settings as keywords, against their bounds and against each other.
    settings : mapping of str to tuple of str
        What its constructor takes besides them, with the choices there are; the first is the default.
    in_runs : mapping of str to str
        Settings that a run, which may be of any video, makes its models with unless told otherwise.
    """

    name: str
    home: str
    kind: str
    parameters: Mapping[str, Parameter]
    check_together: Callable[..., dict[str, Any]] = field(repr=False)
    settings: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    in_runs: Mapping[str, str] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all parameters and settings, and of the range that every model takes."""
        return (*self.parameters, *self.settings, "value_range")

    @property
    def fixed(self) -> tuple[str, ...]:
        """Names of what is decided when a model is made, so that a saved one keeps it."""
        return ("n_components", *self.settings, "value_range", "region")

    def model_class(self) -> type[Model]:
        """Import and return the class."""
        module, _, name = self.home.partition(":")
        return getattr(importlib.import_module(module), name)

    def check(self, values: Mapping[str, Any]) -> None:
        """Check parameters and settings as the constructor would, without importing it.

        Raises
        ------
        ParameterError
            When a name is unknown, a value out of bounds, or two contradict each other.
        """
        chosen = {name: values.get(name, choices[0]) for name, choices in self.settings.items()}
        others = {*self.settings, "value_range"}
        self.check_together({name: v for name, v in values.items() if name not in others}, **chosen)
        check_range(values.get("value_range"), chosen.get("scale"))

    def create(self, **values: Any) -> Model:
        """Return a new model.

        Parameters
        ----------
        **values
            Parameters and settings by name, and the `region` and `threads` of every model.

        Raises
        ------
        ParameterError
            When a name is unknown, a value out of bounds, or two contradict each other.
        """
        return self.model_class()(**values)


METHODS = {
    method.name: method
    for method in [
        Method(
            "adaptive",
            "bgsub.background.adaptive.model:BackgroundSubtractor",
            "adaptive",
            ADAPTIVE_PARAMETERS,
            check_adaptive,
        ),
        Method(
            "mog2",
            "bgsub.background.mog2.model:MOG2",
            "mog2",
            MOG2_PARAMETERS,
            check_mog2,
            {"precision": ("exact", "compact"), "scale": ("full", "auto", "opencv")},
            {"scale": "auto"},
        ),
    ]
}
"""Every method by its name; the first is the default."""

DEFAULT_METHOD = next(iter(METHODS))


def method_of(name: str) -> Method:
    """Return a method by its name.

    Raises
    ------
    ParameterError
        When there is none of that name.
    """
    if name not in METHODS:
        raise ParameterError(f"there is no method {name!r}: choose {', '.join(METHODS)}")
    return METHODS[name]


def method_of_kind(kind: str | None) -> Method | None:
    """Return the method whose model files are of a kind, None where there is none."""
    return next((method for method in METHODS.values() if method.kind == kind), None)
