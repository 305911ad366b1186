"""One table of settings: the estimator takes its bounds and defaults, whatever else fits mixtures its own column."""

import inspect
from numbers import Integral, Real

import pytest

from bgsub.features.kinds import Settings
from bgsub.features.palette import learn_palette
from bgsub.mixture.estimator import GaussianMixture
from bgsub.mixture.settings import COVARIANCES, SETTINGS, default

OF_THE_ESTIMATOR = [name for name, setting in SETTINGS.items() if "estimator" in setting.defaults]


@pytest.mark.parametrize("name", OF_THE_ESTIMATOR)
def test_the_estimator_has_the_bound_and_the_default_of_the_table(name):
    setting = SETTINGS[name]
    assert inspect.signature(GaussianMixture).parameters[name].default == setting.defaults["estimator"]
    (interval, *_) = GaussianMixture._parameter_constraints[name]
    assert (interval.left, interval.right, interval.closed) == (setting.least, None, "left")
    assert interval.type is (Real if setting.high is None else Integral)


@pytest.mark.parametrize("name", SETTINGS)
def test_defaults_are_in_bounds(name):
    setting = SETTINGS[name]
    assert setting.least <= setting.low
    for use, value in setting.defaults.items():
        least = setting.least if use == "estimator" else setting.low
        assert value is None or least <= value <= (setting.high or value)


def test_features_take_their_columns():
    settings = Settings()
    found = (settings.n_init, settings.seed, settings.reg_covar, settings.covariance_type)
    assert found == (5, 0, 0.25, "full") == (*(default(n, "frames") for n in ("n_init", "seed", "reg_covar")), "full")
    of_colours = inspect.signature(learn_palette).parameters
    assert (of_colours["n_init"].default, of_colours["covariance_type"].default) == (3, COVARIANCES["colors"])


def test_what_has_no_default_is_not_asked_for_one():
    with pytest.raises(AssertionError, match="n_components has no default for table"):
        default("n_components", "table")
