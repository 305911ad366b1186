"""EM steps in plain Python are those of the compiled kernel, to the bit, and only much work waits for a compiler."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from bgsub.mixture.parameters import COVARIANCE_TYPES
from bgsub.mixture.passes import steps
from bgsub.mixture.passes.cpu import expectation
from bgsub.mixture.passes.statistics import maximisation
from tests.mixture.samples import blobs
from tests.mixture.starts import run_em, some_parameters

ROOT = Path(__file__).parents[3]


@pytest.fixture
def plain(monkeypatch):
    """Return a function that has steps done in plain Python from now on, for at most so many seconds in all."""

    def begin(patience=np.inf):
        monkeypatch.setattr(steps, "_is_compiled", lambda: False)
        monkeypatch.setattr(steps, "_spent", [0.0])
        monkeypatch.setattr(steps, "PATIENCE", patience)

    return begin


def in_both_ways(plain, function):
    compiled = function()
    plain()
    found = function()
    assert steps._spent[0] > 0
    return found, compiled


def assert_same_bits(found, expected):
    for name, array in expected._asdict().items():
        np.testing.assert_array_equal(getattr(found, name), array, err_msg=name)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("n_features", [1, 3, 6])
@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_whole_runs_are_the_same_bits(covariance_type, n_features, weighted, plain):
    X = blobs(150, n_features)[0]
    weights = np.random.default_rng(1).uniform(0, 3, len(X)) if weighted else None
    start = some_parameters(X, 3, covariance_type)
    rules = {"reg_covar": 1e-6, "tol": 1e-4, "max_iter": 60}
    found, compiled = in_both_ways(plain, lambda: run_em(X, start, covariance_type, sample_weight=weights, **rules))
    assert_same_bits(found.parameters, compiled.parameters)
    assert found.lower_bounds == compiled.lower_bounds
    assert found.converged == compiled.converged
    assert len(compiled.lower_bounds) > 2  # else little was compared


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_one_pass_in_several_blocks_and_its_step_are_the_same_bits(covariance_type, dtype, plain):
    X = blobs(120_000, 3)[0].astype(dtype)
    start = some_parameters(X, 3, covariance_type)

    def step():
        sums = expectation(X, start, covariance_type, threads=2)
        return sums, maximisation(sums, start, covariance_type, 1e-6)

    (sums, parameters), (expected_sums, expected) = in_both_ways(plain, step)
    assert_same_bits(sums, expected_sums)
    assert_same_bits(parameters, expected)


def test_a_run_goes_on_compiled_where_patience_ends(plain, monkeypatch):
    X = blobs(150, 3)[0]
    start, rules = some_parameters(X, 3, "full"), {"reg_covar": 1e-6, "tol": 1e-7, "max_iter": 40}
    expected = run_em(X, start, "full", **rules)
    plain(patience=3.5)
    done = []

    def step(*arguments):
        done.append(arguments)
        steps._spent[0] += 1.0
        return plain_step(*arguments)

    plain_step = steps._plain_step
    monkeypatch.setattr(steps, "_plain_step", step)
    found = run_em(X, start, "full", **rules)
    assert len(done) == 4
    assert_same_bits(found.parameters, expected.parameters)
    assert found.lower_bounds == expected.lower_bounds


def test_covariances_that_are_not_positive_definite_are_the_same_error(plain):
    X = np.zeros((40, 2))
    X[:, 0] = np.arange(40)  # the other column is constant
    start = some_parameters(X + np.random.default_rng(0).normal(size=X.shape), 2, "full")
    for begin in (lambda: None, plain):
        begin()
        with pytest.raises(ValueError, match="ill-defined empirical covariance"):
            run_em(X, start, "full", reg_covar=0.0, tol=0, max_iter=20)


def test_a_component_without_weight_is_taken_as_the_kernel_takes_it(plain):
    """The logarithm of 0 is an error in Python, and minus infinity in compiled code."""
    X = blobs(60, 2)[0]
    start = some_parameters(X, 2, "diag")._replace(weights=np.array([0.0, 1.0]))
    rules = {"reg_covar": 1e-6, "tol": 0, "max_iter": 5}
    found, compiled = in_both_ways(plain, lambda: run_em(X, start, "diag", **rules))
    assert_same_bits(found.parameters, compiled.parameters)
    assert np.isfinite(found.parameters.means).all()


FIT = """
import logging, sys
import numpy as np
import bgsub
logging.basicConfig(format="%(message)s")
logging.getLogger("bgsub").setLevel("DEBUG")
for width in map(int, sys.argv[1].split(",")):
    X = np.random.default_rng(0).normal(size=(300, width)) + 4 * (np.arange(300) % 2)[:, None]
    model = bgsub.GaussianMixture(2, covariance_type=sys.argv[2], random_state=0).fit(X)
    print(*(float(x).hex() for x in model.means_.ravel()))
"""


def fitted(cache, widths, covariance_type="full"):
    """Fit in a process of its own; return what it printed, and the kernels that it compiled."""
    done = subprocess.run(
        [sys.executable, "-c", FIT, widths, covariance_type],
        env={**os.environ, "PYTHONPATH": str(ROOT), "NUMBA_CACHE_DIR": str(cache)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout, re.findall("^compiling (.+)$", done.stderr, re.MULTILINE)


@pytest.mark.slow
def test_a_small_fit_compiles_the_pass_alone_and_another_width_only_that(tmp_path):
    first, compiled = fitted(tmp_path, "3")
    assert sorted(compiled) == ["finish", "full", "load_rest"]
    both, compiled = fitted(tmp_path, "3,5")
    assert compiled == ["full"]
    assert both.startswith(first)
    assert fitted(tmp_path, "3,5") == (both, [])  # once is once
    assert fitted(tmp_path, "2", "diag")[1] == ["diag"]
