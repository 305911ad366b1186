"""A fit to any training data: here rows that lie in parts, of which each is sampled and passed over alone."""

from __future__ import annotations

from contextlib import nullcontext
from functools import reduce

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from bgsub import BgsubError, GaussianMixture
from bgsub.mixture.em import starts
from bgsub.mixture.em.row_sample import RowSample
from bgsub.mixture.passes.cpu import expectation
from bgsub.mixture.passes.statistics import add
from tests.mixture.samples import COVARIANCE_TYPES, blobs


class RowsInParts:
    """Parts of a table that do not see each other."""

    def __init__(self, parts, names=None):
        self.parts, self.names = parts, names
        self.n_rows, self.n_features = sum(map(len, parts)), parts[0].shape[1]
        self.dtype = np.result_type(*parts)

    def sample(self, size, seed):
        merged, first = RowSample(size, seed), 0
        for part in self.parts:
            alone = RowSample(size, seed, first)
            alone.add(part)
            merged.merge(alone)
            first += len(part)
        return merged.result()

    def passes(self, n_components, covariance_type, threads):
        return nullcontext(
            lambda parameters: reduce(add, [expectation(part, parameters, covariance_type) for part in self.parts])
        )

    def ranges(self):
        return None


@pytest.mark.parametrize("seeding_rows", [100, 20_000])
@pytest.mark.parametrize("acceleration", [None, "squarem"])
@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_parts_give_the_fit_of_the_whole(covariance_type, acceleration, seeding_rows, monkeypatch):
    monkeypatch.setattr(starts, "FEWEST_SEEDING_ROWS", seeding_rows)
    monkeypatch.setattr(starts, "SEEDING_ROWS_A_COMPONENT", 1)
    X = blobs(n=900, spread=3.0)[0]
    settings = {"covariance_type": covariance_type, "acceleration": acceleration, "random_state": 1, "max_iter": 300}
    whole = GaussianMixture(4, **settings).fit(X)
    parts = GaussianMixture(4, **settings).fit_data(RowsInParts(np.split(X, [100, 130, 700]), ["a", "b", "c"]))
    assert_allclose(parts.lower_bounds_, whole.lower_bounds_, rtol=1e-11)
    assert_allclose(parts.means_, whole.means_, rtol=1e-9, atol=1e-9)
    assert (parts.n_features_in_, parts.converged_, list(parts.feature_names_in_)) == (3, True, ["a", "b", "c"])


def test_float32_parts_and_no_names():
    X = blobs(n=300)[0].astype(np.float32)
    model = GaussianMixture(2, random_state=0).fit_data(RowsInParts(np.split(X, 3)))
    assert model.means_.dtype == np.float32
    assert not hasattr(model, "feature_names_in_")
    assert_array_equal(model.fit_data(RowsInParts(np.split(X, 3))).predict(X), model.predict(X))


def test_errors_are_those_of_fit():
    with pytest.raises(BgsubError, match="n_components = 5, n_samples = 4"):
        GaussianMixture(5).fit_data(RowsInParts([np.zeros((2, 2)), np.zeros((2, 2))]))
    with pytest.raises(BgsubError, match="ill-defined empirical covariance"):
        GaussianMixture(2, reg_covar=0.0).fit_data(RowsInParts([np.ones((5, 2)), np.ones((5, 2))]))


def test_a_drawn_start_depends_on_the_state_of_the_generator_alone(monkeypatch):
    monkeypatch.setattr(starts, "FEWEST_SEEDING_ROWS", 100)
    monkeypatch.setattr(starts, "SEEDING_ROWS_A_COMPONENT", 1)
    X = blobs(n=900)[0]
    states = (7, np.random.RandomState(7), 8)
    seven, again, eight = (GaussianMixture(4, max_iter=0, random_state=state).fit(X).means_ for state in states)
    assert_array_equal(seven, again)
    assert not np.array_equal(seven, eight)
