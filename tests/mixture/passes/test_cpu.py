"""The E step and its sums, against the naive ones; and that nothing depends on how the rows lie in memory."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from bgsub.mixture.parameters import COVARIANCE_TYPES, Parameters, precisions_cholesky
from bgsub.mixture.passes import cpu, large
from bgsub.mixture.passes.cpu import expectation, log_density
from bgsub.mixture.passes.statistics import Statistics, add
from tests.mixture.samples import blobs
from tests.mixture.starts import some_parameters
from tests.naive import naive_e_step

# One group of features, less than one, several and a rest; unrolled or left to matrix products; part of a vector.
SIZES = [(1, 3, 77), (3, 4, 120), (6, 2, 129), (18, 3, 130), (37, 2, 70)]


def naive_statistics(X, parameters, covariance_type, w):
    weights, means, covariances, _ = parameters
    densities, r = naive_e_step(X, weights, means, covariances, covariance_type)
    r = r * w[:, None]
    d = X[:, None] - means
    scatter = np.einsum("ik,ika,ikb->kab", r, d, d)
    if covariance_type == "tied":
        scatter = scatter.sum(axis=0)
    elif covariance_type == "diag":
        scatter = np.einsum("kaa->ka", scatter)
    elif covariance_type == "spherical":
        scatter = np.einsum("kaa->k", scatter)
    return Statistics(w @ densities, w.sum(), r.sum(axis=0), np.einsum("ik,ika->ka", r, d), scatter)


def assert_close(statistics, expected, rtol=1e-11):
    for name, a, b in zip(Statistics._fields, statistics, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=rtol, atol=rtol * np.abs(b).max(), err_msg=name)


def assert_same(statistics, expected):
    for name, a, b in zip(Statistics._fields, statistics, expected, strict=True):
        np.testing.assert_array_equal(a, b, err_msg=name)


@pytest.fixture
def many_blocks(monkeypatch):
    """Small tables are cut into as many blocks as large ones."""
    monkeypatch.setattr(cpu, "BLOCK_WORK", 2000)
    monkeypatch.setattr(large, "ROWS", 32)
    monkeypatch.setattr(large, "BLOCK_WORK", 2000)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_sums_are_the_naive_ones(covariance_type, size, weighted):
    n_features, n_components, n = size
    X = blobs(n, n_features)[0]
    w = np.random.default_rng(1).uniform(0, 3, n) if weighted else None
    parameters = some_parameters(X, n_components, covariance_type)
    statistics = expectation(X, parameters, covariance_type, sample_weight=w)
    assert_close(statistics, naive_statistics(X, parameters, covariance_type, np.ones(n) if w is None else w))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_densities_responsibilities_and_labels_are_the_naive_ones(covariance_type, size):
    n_features, n_components, n = size
    X = blobs(n, n_features)[0]
    parameters = some_parameters(X, n_components, covariance_type)
    r, labels = np.full((n, n_components), np.nan), np.full(n, -1)
    densities = log_density(X, parameters, covariance_type, responsibilities=r, labels=labels)
    expected, expected_r = naive_e_step(X, *parameters[:3], covariance_type)
    np.testing.assert_allclose(densities, expected, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(r, expected_r, rtol=1e-9, atol=1e-18)
    np.testing.assert_allclose(r.sum(axis=1), 1, rtol=1e-14)
    np.testing.assert_array_equal(labels, expected_r.argmax(axis=1))
    np.testing.assert_array_equal(log_density(X, parameters, covariance_type), densities)


@pytest.mark.parametrize("n_features", [3, 18])
@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_any_number_of_threads_gives_the_same_bits(covariance_type, n_features, many_blocks):
    X = blobs(3000, n_features)[0]
    w = np.random.default_rng(2).random(3000)
    parameters = some_parameters(X, 3, covariance_type)
    one = expectation(X, parameters, covariance_type, sample_weight=w)
    densities = log_density(X, parameters, covariance_type)
    for threads in (2, 3):
        assert_same(expectation(X, parameters, covariance_type, sample_weight=w, threads=threads), one)
        np.testing.assert_array_equal(log_density(X, parameters, covariance_type, threads=threads), densities)


@pytest.mark.parametrize("n_features", [3, 18])
@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_however_the_rows_lie_in_memory(covariance_type, n_features, many_blocks):
    X = blobs(500, n_features)[0].astype(np.float32).astype(np.float64)
    parameters = some_parameters(X, 3, covariance_type)
    plain = expectation(X, parameters, covariance_type)
    frozen = X.copy()
    frozen.setflags(write=False)
    wide = np.full((1000, n_features + 2), np.nan)
    wide[::2, 1:-1] = X
    forms = {
        "Fortran": np.asfortranarray(X),
        "frozen": frozen,
        "strided": wide[::2, 1:-1],
        "float32": X.astype(np.float32),
        "swapped": X.astype(X.dtype.newbyteorder()),
    }
    for form, rows in forms.items():
        assert_close(expectation(rows, parameters, covariance_type), plain, rtol=1e-13)
        np.testing.assert_array_equal(
            log_density(rows, parameters, covariance_type), log_density(X, parameters, covariance_type), form
        )


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_blocks_of_rows_add_up(covariance_type):
    X = blobs(400, 3)[0]
    parameters = some_parameters(X, 4, covariance_type)
    parts = [expectation(X[rows], parameters, covariance_type) for rows in (slice(150), slice(150, None))]
    assert_close(add(*parts), expectation(X, parameters, covariance_type), rtol=1e-12)


@pytest.mark.parametrize("n_features", [3, 18])
@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_nothing_cancels_far_from_the_origin(covariance_type, n_features):
    """The rows are rounded to what is exact after a shift by 1e8."""
    X = np.round(blobs(300, n_features)[0] * 2**10) / 2**10
    here = some_parameters(X, 3, covariance_type)
    there = here._replace(means=here.means + 1e8)
    expected, found = (expectation(x, p, covariance_type) for x, p in ((X, here), (X + 1e8, there)))
    assert_close(found, expected, rtol=1e-9)


@pytest.mark.parametrize("n_features", [2, 18])
@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_a_row_that_is_far_from_everything_has_a_finite_density(covariance_type, n_features):
    X = blobs(60, n_features)[0]
    parameters = some_parameters(X, 3, covariance_type)
    X[7] = 1e6
    r = np.empty((60, 3))
    densities = log_density(X, parameters, covariance_type, responsibilities=r)
    assert densities[7] < -1e8
    np.testing.assert_allclose(densities, naive_e_step(X, *parameters[:3], covariance_type)[0], rtol=1e-11)
    assert r[7].sum() == pytest.approx(1)
    assert np.isfinite(expectation(X, parameters, covariance_type).log_likelihood)


@pytest.mark.parametrize("n_features", [2, 18])
@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_no_responsibility_is_a_denormal(covariance_type, n_features):
    X = np.concatenate([np.zeros((40, n_features)), np.full((40, n_features), 1.0)])
    X += 1e-3 * np.random.default_rng(0).normal(size=X.shape)
    matrices = np.stack([np.eye(n_features) * n_features / scale for scale in (1420.0, 1300.0)])
    covariances = {
        "full": matrices,
        "tied": matrices[0],
        "diag": np.einsum("kaa->ka", matrices).copy(),
        "spherical": matrices[:, 0, 0].copy(),
    }[covariance_type]
    factors = precisions_cholesky(covariances, covariance_type)
    parameters = Parameters(np.full(2, 0.5), np.stack([X[0], X[-1]]), covariances, factors)
    exact = naive_e_step(X, *parameters[:3], covariance_type)[1]
    assert np.any((exact > 0) & (exact < 1e-290))
    r = np.empty((80, 2))
    log_density(X, parameters, covariance_type, responsibilities=r)
    assert set(np.unique(r)) == {0.0, 1.0}


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_a_component_of_no_weight_has_no_share(covariance_type):
    X = blobs(90, 3)[0]
    parameters = some_parameters(X, 3, covariance_type)._replace(weights=np.array([0.4, 0.0, 0.6]))
    statistics = expectation(X, parameters, covariance_type)
    assert statistics.counts[1] == 0
    assert np.isfinite(statistics.log_likelihood)


@pytest.mark.parametrize("n_features", [3, 18])
@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_no_rows_sum_up_to_nothing(covariance_type, n_features):
    parameters = some_parameters(blobs(90, n_features)[0], 3, covariance_type)
    statistics = expectation(np.empty((0, n_features)), parameters, covariance_type)
    assert all(np.all(np.asarray(array) == 0) for array in statistics)
    assert log_density(np.empty((0, n_features)), parameters, covariance_type).shape == (0,)


@pytest.mark.parametrize("n_features", [3, 18])
def test_components_that_are_ruled_out_do_not_matter(n_features):
    """Well separated clusters; none of the sums shows that most products were not made."""
    X = blobs(600, n_features, n_components=4, spread=40.0)[0]
    parameters = some_parameters(X, 4, "full")
    for _ in range(2):
        statistics = expectation(X, parameters, "full")
        assert_close(statistics, naive_statistics(X, parameters, "full", np.ones(600)))
        covariances = np.stack([np.eye(n_features)] * 4)
        parameters = Parameters(np.full(4, 0.25), X[:4].copy(), covariances, covariances.copy())


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_memory_does_not_grow_with_the_rows(covariance_type, dtype):
    """One array of rows by components would be 6.4 MB."""
    X = blobs(100_000, 3)[0].astype(dtype)
    parameters = some_parameters(X, 8, covariance_type)
    expectation(X, parameters, covariance_type)
    tracemalloc.start()
    expectation(X, parameters, covariance_type)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1.5e6


@pytest.mark.parametrize("n_rows", [0, 1, 63, 64, 65, 1000, 12_345])
def test_blocks_are_whole_tiles_and_cover_the_rows(n_rows, monkeypatch):
    monkeypatch.setattr(cpu, "BLOCK_WORK", 5000)
    blocks = cpu.blocks(n_rows, 3, 2, 64)
    assert [row for lo, hi in blocks for row in range(lo, hi)] == list(range(n_rows))
    assert all((hi - lo) % 64 == 0 for lo, hi in blocks[:-1])
    assert len(blocks) <= 64
