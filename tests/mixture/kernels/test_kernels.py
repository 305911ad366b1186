"""Kernels run without compiler and with checked indices, the order of products, and blocks shared among threads."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from bgsub.mixture.kernels import full
from bgsub.mixture.kernels.buffers import product_places
from bgsub.mixture.kernels.steps import FULL
from bgsub.mixture.parameters import COVARIANCE_TYPES
from bgsub.mixture.passes.cpu import expectation, log_density
from tests.mixture.samples import blobs
from tests.mixture.starts import run_em, some_parameters

ROOT = Path(__file__).parents[3]


def record(path, types=COVARIANCE_TYPES, sizes=(6, 18)):
    """Run all kernels on few rows, the last of them part of a vector, and write what they give to `path`."""
    results = {"plain": not hasattr(full.full, "py_func")}
    for covariance_type in types:
        for n_features in sizes:
            X = blobs(19, n_features)[0]
            parameters = some_parameters(X, 2, covariance_type)
            r, labels = np.empty((19, 2)), np.empty(19, np.intp)
            name = f"{covariance_type} {n_features}"
            results[name + " density"] = log_density(X, parameters, covariance_type, responsibilities=r, labels=labels)
            results[name + " responsibilities"], results[name + " labels"] = r, labels
            results[name + " scatter"] = expectation(X, parameters, covariance_type).scatter
            em = run_em(X, parameters, covariance_type, reg_covar=1e-3, tol=0, max_iter=2)
            for field, array in em.parameters._asdict().items():
                results[f"{name} {field}"] = array
    np.savez(path, **results)


def recorded_in_another_process(path, *arguments, **environment):
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            f"from tests.mixture.kernels.test_kernels import record; record{(str(path), *arguments)}",
        ],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return dict(np.load(path))


def assert_close(results, expected, plain):
    assert results.pop("plain") == plain
    assert not expected.pop("plain")
    assert results.keys() == expected.keys()
    for name, array in expected.items():
        np.testing.assert_allclose(results[name], array, rtol=1e-9, atol=1e-11, err_msg=name)


@pytest.mark.slow
def test_the_plain_form_gives_the_same_numbers(tmp_path):
    """But for the last digits: a processor that multiplies and adds at once rounds once."""
    record(tmp_path / "compiled.npz")
    plain = recorded_in_another_process(tmp_path / "plain.npz", NUMBA_DISABLE_JIT="1")
    assert_close(plain, dict(np.load(tmp_path / "compiled.npz")), plain=True)


@pytest.mark.slow
def test_no_index_is_out_of_bounds(tmp_path):
    """Vectors are not checked, but all other arrays are; a cache of its own, since the flag is no part of its key."""
    arguments = (("full",), (6,))
    record(tmp_path / "unchecked.npz", *arguments)
    checked = recorded_in_another_process(
        tmp_path / "checked.npz", *arguments, NUMBA_BOUNDSCHECK="1", NUMBA_CACHE_DIR=str(tmp_path / "cache")
    )
    assert_close(checked, dict(np.load(tmp_path / "unchecked.npz")), plain=False)


@pytest.mark.parametrize("n_features", range(1, 17))
def test_every_product_has_one_place(n_features):
    rows, columns = product_places(n_features, FULL)
    assert sorted(zip(rows, columns, strict=True)) == [(i, j) for i in range(n_features) for j in range(i, n_features)]


def test_two_fits_side_by_side_do_not_disturb_each_other():
    X = blobs(2000, 3)[0]
    starts = [some_parameters(X, 4, "full", seed) for seed in (0, 1)]
    expected = [run_em(X, start, "full", reg_covar=1e-6, tol=0, max_iter=20) for start in starts]
    found = [None, None]

    def fit(i):
        found[i] = run_em(X, starts[i], "full", reg_covar=1e-6, tol=0, max_iter=20, threads=2)

    threads = [threading.Thread(target=fit, args=(i,)) for i in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_array_equal(a.parameters.means, b.parameters.means)
