"""Background subtractors by name: ours, and the peers that are installed, in one table."""

from __future__ import annotations

import importlib
import re
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import cv2
import numpy as np

from bgsub.background.methods import METHODS, Method
from bgsub.background.subtractor import Subtractor
from bgsub.errors import BgsubError, ParameterError


class PeerError(BgsubError):
    """A peer that is not installed, or that failed."""


@dataclass(frozen=True)
class ChosenMethod:
    """A method with parameters, as ``--method`` names it; makes a new model for every sequence.

    Attributes
    ----------
    label : str
        As it was written: ``mog2:history=300``.
    name : str
        Key of `FAMILIES`.
    variant : str
        The algorithm of a library that has many, else "".
    parameters : dict
        Keywords of the constructor.
    """

    label: str
    name: str
    variant: str = ""
    parameters: dict[str, Any] = field(default_factory=dict)

    def create(self, threads: int = 1) -> Subtractor:
        """Return a new model.

        Parameters
        ----------
        threads : int
            Threads that ours may use; for OpenCV's, `cv2.setNumThreads` sets them.

        Raises
        ------
        PeerError
            When it is not installed; the text says how to make an environment in which it is.
        ParameterError
            When a parameter is unknown or out of its bounds.
        """
        return FAMILIES[self.name].create(self, threads)

    def settings(self) -> dict[str, Any]:
        """Return what the method runs with: all parameters of one of ours; of a peer those given, the rest is its own.

        Raises
        ------
        PeerError, ParameterError
            As of `create`.
        """
        return dict(getattr(self.create(), "parameters", self.parameters))


def parse_method(text: str) -> ChosenMethod:
    """Read ``name``, ``name:key=value,key=value`` or ``pybgs:Algorithm``.

    Raises
    ------
    ParameterError
        When there is no such method, or parameters are not written like this.
    """
    name, _, rest = text.partition(":")
    if name not in FAMILIES:
        raise ParameterError(f"there is no method {name!r}: choose {', '.join(FAMILIES)}")
    if FAMILIES[name].many:
        if not re.fullmatch(r"[A-Za-z]\w{0,60}", rest):
            raise ParameterError(f"method {text!r} names no algorithm: write it like {name}:SuBSENSE")
        return ChosenMethod(text, name, variant=rest)
    return ChosenMethod(text, name, parameters=_parameters(text, rest))


def _parameters(text: str, written: str) -> dict[str, Any]:
    """Return ``key=value,key=value`` as keywords."""
    parameters: dict[str, Any] = {}
    for part in written.split(",") if written else ():
        key, sign, value = (piece.strip() for piece in part.partition("="))
        if not (sign and value and re.fullmatch(r"[A-Za-z]\w*", key)) or key in parameters:
            raise ParameterError(f"method {text!r} is not understood: write parameters like mog2:history=300,var_min=4")
        if key in ("region", "threads"):
            raise ParameterError(f"{key} is no parameter of a method here: the data set and --threads decide it")
        parameters[key] = _value(value)
    return parameters


def _value(text: str) -> bool | int | float | str:
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


# ------------------------------------------------------------------------------------------------------ families


class Family(ABC):
    """A way to make models: one row of the table."""

    many = False

    @abstractmethod
    def create(self, method: ChosenMethod, threads: int) -> Subtractor:
        """Return a new model."""


@dataclass(frozen=True)
class _Ours(Family):
    """A method of bgsub."""

    ours: Method

    def create(self, method: ChosenMethod, threads: int) -> Subtractor:
        """Return a new model."""
        return self.ours.create(threads=threads, **{**self.ours.in_runs, **method.parameters})


@dataclass(frozen=True)
class _OpenCV(Family):
    """A ``createBackgroundSubtractor...`` of OpenCV, with its own names of parameters."""

    function: str
    contrib: bool = False

    def create(self, method: ChosenMethod, threads: int) -> Subtractor:
        """Return a new model."""
        module = getattr(cv2, "bgsegm", None) if self.contrib else cv2
        if module is None or not hasattr(module, self.function):
            package = "opencv-contrib-python"
            raise PeerError(
                f"{method.name} is not in this OpenCV: {package} has it, which overwrites opencv-python, so make an "
                f"environment for it: python -m venv peers; install bgsub, uninstall opencv-python, install {package}"
            )
        try:
            return _Colour(getattr(module, self.function)(**method.parameters), method.label)
        except (TypeError, cv2.error) as error:
            raise ParameterError(f"OpenCV refuses {method.label}: {_one_line(error)}") from error


class _Bgslibrary(Family):
    """An algorithm of bgslibrary."""

    many = True

    def create(self, method: ChosenMethod, threads: int) -> Subtractor:
        """Return a new model."""
        library = self._library()
        algorithm = getattr(library, method.variant, None)
        if algorithm is None or not hasattr(algorithm, "apply"):
            names = sorted(name for name in dir(library) if hasattr(getattr(library, name), "apply"))
            raise ParameterError(f"pybgs has no algorithm {method.variant}: choose {', '.join(names)}")
        return _Colour(algorithm(), method.label)

    @staticmethod
    def _library() -> ModuleType:
        try:
            return importlib.import_module("pybgs")
        except ImportError as error:
            raise PeerError(
                "pybgs (bgslibrary) is not installed: make an environment for it, python -m venv peers, and install "
                "bgsub and pybgs there (its build needs CMake, a C++ compiler and OpenCV's headers)"
            ) from error


class _Colour:
    """A peer that gets grey frames as BGR, as `cv2.imread` returns them, and whose failures are named."""

    def __init__(self, model: Any, label: str) -> None:
        self._model = model
        self._label = label

    def apply(self, image: np.ndarray, *, learning_rate: float | None = None, time: float | None = None) -> np.ndarray:
        """Return the mask; an empty one, which bgslibrary gives before it knows anything, is all background."""
        if image.ndim == 2:
            image = cv2.cvtColor(image, cv2.COLOR_GRAY2BGR)
        rate = {} if learning_rate is None else {"learningRate": learning_rate}
        try:
            mask = self._model.apply(image, **rate)
        except (cv2.error, RuntimeError, TypeError, ValueError) as error:
            raise PeerError(f"{self._label} failed: {_one_line(error)}") from error
        return mask if mask is not None and mask.size else np.zeros(image.shape[:2], np.uint8)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())


FAMILIES: dict[str, Family] = {
    **{name: _Ours(method) for name, method in METHODS.items()},
    "opencv-mog2": _OpenCV("createBackgroundSubtractorMOG2"),
    "opencv-knn": _OpenCV("createBackgroundSubtractorKNN"),
    "gsoc": _OpenCV("createBackgroundSubtractorGSOC", contrib=True),
    "cnt": _OpenCV("createBackgroundSubtractorCNT", contrib=True),
    "lsbp": _OpenCV("createBackgroundSubtractorLSBP", contrib=True),
    "mog": _OpenCV("createBackgroundSubtractorMOG", contrib=True),
    "pybgs": _Bgslibrary(),
}
"""What ``--method`` names; peers are looked for only when they are asked for."""
