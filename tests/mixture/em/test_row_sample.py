"""Rows drawn while they go by: uniform, by weight, and the same whoever has which part of them."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from bgsub.mixture.em.row_sample import RowSample


def test_all_rows_while_they_fit():
    sample = RowSample(10, 0)
    X = np.arange(20.0).reshape(10, 2)
    weights = np.arange(10.0)
    sample.add(X[:4], weights[:4])
    sample.add(X[4:], weights[4:])
    rows, kept = sample.result()
    assert_array_equal(rows, X)
    assert_array_equal(kept, weights)


@pytest.mark.parametrize("cuts", [[], [3], [10, 11, 500], list(range(0, 1000, 7))])
def test_blocks_do_not_matter(cuts):
    X = np.arange(2000.0).reshape(1000, 2)
    samples = []
    for positions in ([], cuts):
        sample = RowSample(50, 1)
        for block in np.split(X, positions):
            sample.add(block)
        samples.append(sample.result()[0])
    assert_array_equal(samples[0], samples[1])
    assert len(samples[0]) == 50
    assert len(np.unique(samples[0][:, 0])) == 50
    assert (np.diff(samples[0][:, 0]) > 0).all()


def test_every_row_has_the_same_chance():
    counts = np.zeros(20)
    for seed in range(3000):
        sample = RowSample(5, seed)
        for block in np.split(np.arange(20.0)[:, None], [1, 12]):
            sample.add(block)
        counts[sample.result()[0][:, 0].astype(int)] += 1
    assert_allclose(counts / 3000, 0.25, atol=0.035)


def test_heavy_rows_come_more_often_and_weightless_ones_never():
    X = np.arange(300.0)[:, None]
    weights = np.repeat([0.0, 1.0, 9.0], 100)
    heavy = 0
    for seed in range(100):
        sample = RowSample(20, seed)
        sample.add(X, weights)
        rows, kept = sample.result()
        assert (rows >= 100).all()
        assert_array_equal(kept, np.ones(20))
        heavy += (rows >= 200).sum()
    assert heavy / 2000 == pytest.approx(0.89, abs=0.03)


def test_fewer_rows_of_weight_than_places():
    sample = RowSample(20, 0)
    sample.add(np.arange(100.0)[:, None], np.r_[np.ones(5), np.zeros(95)])
    assert_array_equal(sample.result()[0][:, 0], np.arange(5.0))


@pytest.mark.parametrize("size", [40, 5000])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("cuts", [[500], [10, 11, 900], list(range(90, 1000, 90))])
def test_samples_of_parts_merge_to_the_sample_of_the_whole(cuts, weighted, size):
    """Whatever the order in which the parts come in, and where some keep all of their rows."""
    random = np.random.default_rng(2)
    X = random.normal(size=(1000, 3)).astype(np.float32)
    weights = random.integers(0, 3, 1000).astype(float) if weighted else None
    whole = RowSample(size, 77)
    whole.add(X, weights)
    parts = []
    for first, last in zip([0, *cuts], [*cuts, 1000], strict=True):
        parts.append(RowSample(size, 77, first))
        parts[-1].add(X[first:last], None if weights is None else weights[first:last])
    merged = RowSample(size, 77)
    for i in random.permutation(len(parts)):
        merged.merge(parts[i])
    for found, expected in zip(merged.result(), whole.result(), strict=True):
        assert_array_equal(found, expected)
    assert len(merged.result()[0]) == min(size, 1000)


def test_seeds_draw_different_rows():
    samples = []
    for seed in (0, 1, 2**64 - 1):
        sample = RowSample(50, seed)
        sample.add(np.arange(1000.0)[:, None])
        samples.append(set(sample.result()[0][:, 0]))
    assert all(len(a & b) < 12 for a, b in ((samples[0], samples[1]), (samples[1], samples[2])))


def test_keys_are_those_of_splitmix64():
    """The row of the smallest key, by the generator in plain Python numbers."""
    mask = 2**64 - 1

    def uniform(seed, row):
        z = (seed + (row + 1) * 0x9E3779B97F4A7C15) & mask
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
        return z ^ (z >> 31)

    assert uniform(0, 0) == 0xE220A8397B1DCDAF  # the generator's known first number
    for seed in (0, 123, 2**63 + 5):
        sample = RowSample(3, seed)
        sample.add(np.arange(200.0)[:, None])
        expected = sorted(sorted(range(200), key=lambda row: -uniform(seed, row))[:3])
        assert_array_equal(sample.result()[0][:, 0], expected)
