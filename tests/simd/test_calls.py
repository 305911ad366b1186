"""A kernel called at its address by another that knows neither its code nor the sizes that it is unrolled for."""

from __future__ import annotations

import numpy as np
import pytest

from bgsub.simd import kernels_of
from bgsub.simd.calls import address_of, call_at, size_of

kernel = kernels_of(__name__)


@kernel
def add_length(out, by, size):
    out[0] += by * len(size)


@kernel
def subtract(out, by, size):
    out[0] -= by * len(size)


@kernel
def repeat(address, n, out, by):
    for _ in range(n):
        call_at(address, out, by)


@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize("n", [1, 3, 16])
def test_each_kernel_and_size_has_its_address(n, plain):
    out = np.zeros(1)
    caller = repeat.py_func if plain else repeat
    for one, sign in ((add_length, 1), (subtract, -1)):
        one = one.py_func if plain else one
        out[0] = 0
        caller(address_of(one, (out, 1.0), (size_of(n),)), 3, out, 2.0)
        assert out[0] == sign * 6.0 * n


def test_the_caller_is_compiled_once():
    out = np.zeros(1)
    for n in (2, 5):
        for one in (add_length, subtract):
            repeat(address_of(one, (out, 1.0), (size_of(n),)), 1, out, 1.0)
    assert out[0] == 0
    assert len(repeat.signatures) == 1
    assert len(add_length.signatures) >= 2
