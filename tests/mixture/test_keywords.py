"""Keywords of the mixtures: choices are types, and docstrings give the defaults."""

from __future__ import annotations

import inspect
import re
from typing import get_args, get_type_hints

import pytest

from bgsub.mixture.estimator import GaussianMixture
from bgsub.mixture.selection import MixtureOptions, select
from bgsub.mixture.settings import COVARIANCE_TYPES, CRITERIA, INIT_PARAMS, Criterion

TYPES = get_type_hints(GaussianMixture.__init__)
KEYWORDS = {n: p for n, p in inspect.signature(GaussianMixture.__init__).parameters.items() if n != "self"}


def said_defaults(documented):
    """Of every parameter the default that a docstring gives, as it is written; several may share a line."""
    text = inspect.getdoc(documented).split("\nReturns\n")[0].split("\nAttributes\n")[0]
    said = {}
    for names, rest in re.findall(r"^([\w, ]+) : (.*)$", text, re.M):
        _, default, written = rest.partition(", default ")
        if default:
            names = names.split(", ")
            said |= dict(zip(names, written.split(" and ") if len(names) > 1 else [written], strict=True))
    return said


def test_choices_are_those_that_are_checked():
    assert get_args(TYPES["covariance_type"]) == COVARIANCE_TYPES == ("full", "tied", "diag", "spherical")
    scikit_learns = ("kmeans", "k-means++", "random", "random_from_data")
    assert get_args(TYPES["init_params"]) == INIT_PARAMS == (*scikit_learns, "short_runs")
    assert get_args(get_type_hints(select)["criterion"]) == get_args(Criterion) == CRITERIA
    for name in ("covariance_type", "init_params"):
        (options,) = GaussianMixture._parameter_constraints[name]
        assert options.options == set(get_args(TYPES[name]))


@pytest.mark.parametrize("name", KEYWORDS)
def test_the_docstring_gives_the_default(name):
    default = KEYWORDS[name].default
    said = said_defaults(GaussianMixture)
    if name in said:
        assert eval(said[name]) == default
    else:
        assert default is None


def test_the_docstring_of_select_gives_its_defaults():
    defaults = {name: p.default for name, p in inspect.signature(select).parameters.items()}
    said = said_defaults(select)
    assert said.pop("n_components") == "1 to 9"
    assert said.pop("covariance_type") == "all"
    assert (list(defaults["n_components"]), defaults["covariance_type"]) == (list(range(1, 10)), COVARIANCE_TYPES)
    assert {name: eval(written) for name, written in said.items()} == {
        "criterion": "bic",
        "n_init": 12,
        "allow_collapsed": False,
    }
    assert (defaults["criterion"], defaults["n_init"]) == ("bic", 12)


def test_select_passes_on_all_that_it_does_not_take_itself():
    own = {*inspect.signature(select).parameters, "weights_init", "means_init", "precisions_init"}
    options = get_type_hints(MixtureOptions)
    assert set(options) == set(KEYWORDS) - own
    assert options == {name: TYPES[name] for name in options}
