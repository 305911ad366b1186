"""A kernel called at its address by another that knows neither its code nor the sizes that it is unrolled for."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

from bgsub.simd import kernels_of
from bgsub.simd.calls import address_of, call_at, is_at_hand, size_of

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


@kernel
def one_more(out):
    out[0] += 1


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


AT_HAND = """
import numpy as np
from tests.simd.test_calls import one_more
from bgsub.simd.calls import is_at_hand
whole, real = (np.zeros(1, np.int64),), (np.zeros(1),)
print(is_at_hand(one_more, real), len(one_more.overloads))
one_more(*real)
print(is_at_hand(one_more, real), is_at_hand(one_more, whole), real[0][0], sum(one_more.stats.cache_hits.values()))
"""


@pytest.mark.slow
def test_what_is_at_hand_has_been_compiled_by_this_process_or_another(tmp_path):
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    outputs = [
        subprocess.run([sys.executable, "-c", AT_HAND], env=environment, capture_output=True, text=True, check=True)
        for _ in range(2)
    ]
    assert outputs[0].stdout == "False 0\nTrue False 1.0 0\n"
    assert outputs[1].stdout == "True 1\nTrue False 1.0 0\n"  # loaded by asking
    assert is_at_hand(one_more.py_func, (np.zeros(1),))  # which is not to be compiled
