"""The table of parameters: defaults, bounds and messages."""

from __future__ import annotations

import importlib.util
import math
from pathlib import Path
from typing import get_args

import cv2
import numpy as np
import pytest

from bgsub import MOG2
from bgsub.background.parameters import ADAPTIVE_PARAMETERS, MOG2_PARAMETERS, Origin, check_mog2
from bgsub.errors import ParameterError
from tests.test_naive import SETTERS

PARAMETERS = list(MOG2_PARAMETERS.values())


@pytest.mark.parametrize("parameter", PARAMETERS, ids=lambda p: p.name)
def test_defaults_are_those_of_opencv(parameter):
    getter = SETTERS[parameter.name].replace("set", "get", 1)
    expected = getattr(cv2.createBackgroundSubtractorMOG2(), getter)()
    assert parameter.default == pytest.approx(expected, rel=1e-6)
    assert parameter.check(parameter.default) == parameter.default
    assert MOG2().parameters[parameter.name] == parameter.default


@pytest.mark.parametrize("parameter", PARAMETERS, ids=lambda p: p.name)
def test_bounds(parameter):
    name, kind = parameter.name, type(parameter.default)
    assert type(parameter.check(parameter.high)) is kind
    if parameter.above:
        with pytest.raises(ParameterError, match=f"{name} is 0: give a number above 0, up to "):
            parameter.check(parameter.low)
        assert parameter.check(1e-9) == 1e-9
    else:
        assert parameter.check(parameter.low) == parameter.low
    if kind is bool:
        outside = [2, 0.5, "yes", None, "False"]
    else:
        outside = [
            parameter.high + 1,
            parameter.low - 1,
            math.nan,
            math.inf,
            -math.inf,
            "many",
            "",
            None,
            [1],
            True,
            1j,
        ]
    if kind is int:
        outside += [parameter.low + 0.5, 1e400, 10**400]
    for value in outside:
        with pytest.raises(ParameterError) as refusal:
            MOG2(**{name: value})
        assert str(refusal.value) == f"{name} is {value!r}: give {parameter.bounds}"


def test_bounds_in_words():
    words = {name: parameter.bounds for name, parameter in MOG2_PARAMETERS.items()}
    assert words["n_components"] == "a whole number from 1 to 32"
    assert words["complexity_prior"] == "a number from 0 to 0.5"
    assert words["var_threshold"] == "a number above 0, up to 1e+06"
    assert words["detect_shadows"] == "true or false"


def test_numpy_scalars_become_plain_numbers():
    given = {"n_components": np.int64(3), "var_threshold": np.float32(20), "detect_shadows": np.bool_(False)}
    checked = check_mog2({**given, "history": 100.0}, "exact")
    assert [type(checked[name]) for name in given] == [int, float, bool]
    assert (checked["n_components"], checked["var_threshold"], checked["detect_shadows"]) == (3, 20.0, False)
    assert type(checked["history"]) is int


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"varThreshold": 16}, "unknown parameter 'varThreshold': there are n_components, history, var_threshold, "),
        ({"var_min": 80}, "var_min is 80, above var_max 75: exchange or change them"),
        ({"var_max": 2}, "var_min is 4, above var_max 2: exchange or change them"),
        ({"precision": "double"}, "precision is 'double': give 'exact' or 'compact'"),
        ({"precision": None}, "precision is None: give 'exact' or 'compact'"),
        ({"precision": "compact", "var_max": 256}, "var_max is 256: with precision='compact' give at most 255"),
        ({"precision": "compact", "var_init": 300}, "var_init is 300: with precision='compact' give at most 255"),
    ],
)
def test_what_does_not_go_together_is_refused(keywords, message):
    with pytest.raises(ParameterError, match=message):
        MOG2(**keywords)


def test_set_parameters_changes_all_or_nothing():
    model = MOG2(history=100)
    for wrong in ({"history": 5, "var_init": -1}, {"history": 5, "var_min": 100}, {"history": 5, "nonsense": 1}):
        before = dict(model.parameters)
        with pytest.raises(ParameterError):
            model.set_parameters(**wrong)
        assert model.parameters == before
    model.set_parameters(var_min=5, var_max=6)
    assert (model.parameters["history"], model.parameters["var_min"]) == (100, 5)


def test_compact_bounds_hold_in_set_parameters_too():
    model = MOG2(precision="compact")
    with pytest.raises(ParameterError, match="var_max is 300: with precision='compact' give at most 255"):
        model.set_parameters(var_max=300)


def test_n_components_is_fixed_by_the_first_frame():
    model = MOG2()
    model.set_parameters(n_components=3)
    model.apply(np.zeros((4, 4), np.uint8))
    model.set_parameters(n_components=3)
    with pytest.raises(ParameterError, match=r"n_components is fixed by the first frame: call reset\(\) before"):
        model.set_parameters(n_components=4)
    model.reset()
    model.set_parameters(n_components=4)
    model.apply(np.zeros((4, 4), np.uint8))


def test_the_extremes_of_every_parameter_run():
    frames = np.random.default_rng(0).integers(0, 256, (6, 7, 5, 3), np.uint8)
    for parameter in PARAMETERS:
        low = 1e-9 if parameter.above else parameter.low
        for value in (low, parameter.high):
            others = {"var_max": 65025} if parameter.name == "var_min" else {}
            others |= {"var_min": 1e-9} if parameter.name == "var_max" else {}
            model = MOG2(**{parameter.name: type(parameter.default)(value)}, **others)
            shadow = model.parameters["shadow_value"]
            for frame in frames:
                assert set(np.unique(model.apply(frame))) <= {0, shadow, 255}, parameter.name


def test_every_default_says_where_it_comes_from():
    """What the script tunes is what the table calls tuned; that MOG2's are OpenCV's is tested above."""
    path = Path(__file__).parents[2] / "scripts" / "tune_adaptive.py"
    spec = importlib.util.spec_from_file_location("tune_adaptive", path)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    assert {name for name, p in ADAPTIVE_PARAMETERS.items() if p.origin == "tuned"} == set(script.CANDIDATES)
    assert {p.origin for p in MOG2_PARAMETERS.values()} == {"opencv"}
    assert all(p.origin in get_args(Origin) for p in ADAPTIVE_PARAMETERS.values())
