"""The keywords of the models are the table of parameters: names, types, defaults, in code and in the docstrings."""

from __future__ import annotations

import inspect
import re
from typing import Literal, get_args, get_type_hints

import pytest

from bgsub import MOG2, BackgroundSubtractor
from bgsub.background.keywords import AdaptiveParameters, MOG2Parameters, NoOthers, RareParameters
from bgsub.background.methods import METHODS
from bgsub.background.parameters import ADAPTIVE_PARAMETERS, MOG2_PARAMETERS
from bgsub.errors import ParameterError

MODELS = {
    BackgroundSubtractor: (ADAPTIVE_PARAMETERS, RareParameters, AdaptiveParameters),
    MOG2: (MOG2_PARAMETERS, NoOthers, MOG2Parameters),
}


@pytest.fixture(params=MODELS, ids=lambda model: model.__name__)
def model(request):
    return request.param


def keywords_of(function):
    """The keywords of a function, and the TypedDict of those that it unpacks."""
    parameters = dict(inspect.signature(function).parameters)
    parameters.pop("self", None)
    *named, rest = parameters.values()
    assert rest.kind is inspect.Parameter.VAR_KEYWORD
    (unpacked,) = get_args(get_type_hints(function)[rest.name])
    return {p.name: p for p in named}, unpacked


def test_the_constructor_names_the_common_parameters_in_the_order_of_the_table(model):
    table, rare, _ = MODELS[model]
    keywords, unpacked = keywords_of(model.__init__)
    common = {name: p for name, p in table.items() if not p.advanced}
    assert [name for name in keywords if name in table] == list(common)
    assert {name: keywords[name].default for name in common} == {name: p.default for name, p in common.items()}
    types = get_type_hints(model.__init__)
    assert {name: types[name] for name in common} == {name: type(p.default) for name, p in common.items()}
    assert all(keyword.kind is inspect.Parameter.KEYWORD_ONLY for keyword in keywords.values())
    assert unpacked is rare


def test_the_rest_is_the_rare_parameters(model):
    table, rare, _ = MODELS[model]
    assert get_type_hints(rare) == {name: type(p.default) for name, p in table.items() if p.advanced}


def test_set_parameters_names_all(model):
    table, _, every = MODELS[model]
    named, unpacked = keywords_of(model.set_parameters)
    assert (named, unpacked) == ({}, every)
    assert get_type_hints(every) == {name: type(p.default) for name, p in table.items()}
    assert not every.__required_keys__


def test_choices_are_those_that_are_checked(model):
    types = get_type_hints(model.__init__)
    assert types["device"] == Literal[tuple(model._ENGINES)]
    method = next(method for method in METHODS.values() if method.model_class() is model)
    for name, choices in method.settings.items():
        assert types[name] == Literal[choices]
        assert inspect.signature(model).parameters[name].default == choices[0]


def test_the_docstring_gives_types_and_defaults(model):
    table, _, _ = MODELS[model]
    said = re.findall(r"^    (\w+) : (\w+), default (\S+)$", inspect.getdoc(model).replace("\n", "\n    "), re.M)
    common = {name: p for name, p in table.items() if not p.advanced}
    assert {name: kind for name, kind, _ in said if name in common} == {
        name: type(p.default).__name__ for name, p in common.items()
    }
    assert {name: default for name, _, default in said if name in common} == {
        name: str(p.default) if isinstance(p.default, bool) else f"{p.default:g}" for name, p in common.items()
    }


def test_every_keyword_of_the_table_works(model):
    table, _, _ = MODELS[model]
    made = model(**{name: p.default for name, p in table.items()})
    assert made.parameters == {name: p.default for name, p in table.items()}
    for name, p in table.items():
        value = {bool: not p.default, int: p.default + 1, float: p.default * 1.05}[type(p.default)]
        assert model(**{name: value}).parameters == {**made.parameters, name: value}


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [
        ({"treshold": 3}, "; did you mean threshold?"),
        ({"varThreshold": 3}, "; did you mean threshold?"),
        ({"min_weight": 1, "threshold": 3}, "; did you mean low_weight?"),
        ({"MATCH_DISTANCE": 3}, "; did you mean match_distance?"),
        ({"xyz": 3}, ", and rarer ones"),
    ],
)
def test_an_unknown_keyword_is_told_with_what_was_perhaps_meant(wrong, meant):
    for use in (BackgroundSubtractor, BackgroundSubtractor().set_parameters):
        with pytest.raises(ParameterError) as refusal:
            use(**wrong)
        assert str(refusal.value).startswith(f"unknown parameter {next(iter(wrong))!r}: there are n_components, ")
        assert str(refusal.value).endswith(meant)


def test_an_unknown_keyword_of_mog2():
    with pytest.raises(ParameterError, match=r"^unknown parameter 'histroy': there are .*; did you mean history\?$"):
        MOG2(histroy=3)
    with pytest.raises(ParameterError, match=r"shadow_threshold$"):
        MOG2(taper=3)
