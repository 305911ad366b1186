"""Rows that are left out: the same as of one machine, to the row, whatever cuts them; little is told by a partition."""

from __future__ import annotations

import numpy as np
import pytest

import bgsub

pytest.importorskip("dask.array")
from bgsub import distributed
from bgsub.distributed import trimming
from bgsub.mixture.passes.robust import weight_left_out, without_least
from tests.distributed.test_mixtures import assert_equal_bits, assert_same, in_blocks, mixture, rows, with_strays


def kept_of(densities, weights, cuts, share):
    """What partitions keep of rows of given densities, and the least density that is kept."""
    cut = [
        (part, None if weights is None else w)
        for part, w in zip(
            np.split(densities, cuts), np.split(np.ones(1) if weights is None else weights, cuts), strict=True
        )
    ]
    total = np.ones(len(densities)) if weights is None else weights
    left_out = weight_left_out(total, share)
    interval = trimming.interval_of([trimming._points(held) for held in cut], left_out)
    told = [trimming._between(held, *interval) for held in cut]
    border = trimming.border_of(told, left_out)
    kept = [trimming.kept_weights(held, part, border.density) for held, part in zip(cut, border.shares, strict=True)]
    return np.concatenate(kept), border.least, sum(len(part.values) for part in told)


CASES = {
    "all different": lambda r: (r.normal(size=5000), None),
    "many alike": lambda r: (r.integers(0, 9, 5000).astype(float), None),
    "all alike": lambda r: (np.zeros(500), None),
    "weights": lambda r: (r.normal(size=5000), r.integers(0, 4, 5000) * 0.1),
    "weights of rows alike": lambda r: (r.integers(0, 9, 5000).astype(float), r.random(5000)),
    "few": lambda r: (r.normal(size=12), None),
}


@pytest.mark.parametrize("share", [0.001, 0.1, 0.37])
@pytest.mark.parametrize("case", CASES)
def test_the_same_rows_are_left_out_as_where_all_are_sorted(case, share):
    random = np.random.default_rng(0)
    densities, weights = CASES[case](random)
    cuts = np.sort(random.choice(len(densities), 4))
    cuts[1] = cuts[0]  # a partition without rows
    kept, least, _ = kept_of(densities, weights, cuts, share)
    ones = np.ones(len(densities)) if weights is None else weights
    wanted = without_least(densities, ones, weight_left_out(ones, share))
    np.testing.assert_allclose(kept, wanted, rtol=1e-9, atol=1e-9)
    assert least == densities[wanted > 0].min()


def test_little_is_told_of_a_partition():
    densities = np.random.default_rng(0).normal(size=200_000)
    kept, _, told = kept_of(densities, None, [50_000, 100_000, 150_000], 0.05)
    assert kept.sum() == 190_000
    assert told < 2 * 200_000 / trimming._POINTS + 4 * 2


class TestOneMachinesParameters:
    @pytest.mark.parametrize("covariance_type", ["full", "tied", "diag", "spherical"])
    def test_of_every_covariance_type(self, covariance_type):
        X = with_strays(rows())
        options = {"covariance_type": covariance_type, "trim": 0.05, "max_iter": 30}
        with np.errstate(all="ignore"):
            wanted, found = mixture(**options).fit(X), distributed.fit(mixture(**options), in_blocks(X, 1000, 0, 1500))
        assert_same(found, wanted)
        assert found.cutoff_ == pytest.approx(wanted.cutoff_, rel=1e-9)
        labels = distributed.predict(found, in_blocks(X, 800)).compute()
        np.testing.assert_array_equal(labels, wanted.predict(X))
        assert 100 < (labels == -1).sum() < 220

    def test_with_weights_and_rows_that_are_alike(self):
        X = np.round(with_strays(rows()), 1)
        weights = np.random.default_rng(2).integers(0, 4, len(X)).astype(float)
        wanted = mixture(trim=0.05).fit(X, sample_weight=weights)
        found = distributed.fit(mixture(trim=0.05), in_blocks(X, 1000, 700), sample_weight=weights)
        assert_same(found, wanted)
        assert found.cutoff_ == pytest.approx(wanted.cutoff_, rel=1e-9)

    def test_of_select(self):
        X = with_strays(rows()[:, :2])
        options = {"random_state": 0, "n_init": 1, "trim": 0.05}
        found = distributed.select(in_blocks(X, 1000), [2, 3], ["full", "diag"], **options)
        wanted = bgsub.select(X, [2, 3], ["full", "diag"], **options)
        np.testing.assert_allclose([c[2:6] for c in found.table], [c[2:6] for c in wanted.table], rtol=1e-9)
        assert_same(found.best, wanted.best)

    def test_the_same_bits_by_any_number_of_threads(self):
        import dask

        X, found = in_blocks(with_strays(rows()), 400, 400, 400, 400), []
        for scheduler in ({"scheduler": "synchronous"}, {"scheduler": "threads", "num_workers": 4}):
            with dask.config.set(**scheduler):
                found.append(distributed.fit(mixture(trim=0.05), X))
        assert_equal_bits(*found)
