"""What decays ends at 0: within a kernel that asks for it, in the models that learn, and nowhere else."""

from __future__ import annotations

import platform

import numpy as np
import pytest
from numba import config

from bgsub import MOG2, BackgroundSubtractor
from bgsub.simd import flush_denormals, restore_denormals
from tests.simd.test_operators import compiled

pytestmark = pytest.mark.skipif(
    platform.machine().lower() not in ("x86_64", "amd64") or config.DISABLE_JIT,
    reason="denormal numbers are flushed in compiled kernels on x86",
)
SMALLEST = np.finfo(np.float32).tiny


@compiled
def scale(values, factor, flushed):
    before = flush_denormals() if flushed else np.uint32(0)
    for i in range(len(values)):
        values[i] = values[i] * factor
    if flushed:
        restore_denormals(before)


def scaled(value: float, factor: float, flushed: bool) -> np.ndarray:
    values = np.full(5, value, np.float32)
    scale(values, np.float32(factor), flushed)
    return values


def test_a_denormal_result_and_a_denormal_operand_are_0():
    assert not scaled(1e-38, 0.1, True).any()
    assert not scaled(1e-40, 1e9, True).any()
    assert (scaled(SMALLEST, 1.0, True) == SMALLEST).all()


def test_what_is_outside_sees_nothing_of_it():
    expected = np.float32(1e-38) * np.float32(0.1)
    assert expected > 0
    scaled(1e-38, 0.1, True)
    assert np.float32(1e-38) * np.float32(0.1) == expected
    assert (scaled(1e-38, 0.1, False) == expected).all()


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("kind", [BackgroundSubtractor, MOG2])
def test_nothing_of_a_model_is_denormal_after_months(kind, channels):
    """Here months are some hundred frames, with a fast model: something white has passed a black picture once."""
    model = kind(history=2)
    shape = (4, 32, channels)[: 2 + (channels > 1)]
    black, white = np.zeros(shape, np.uint8), np.full(shape, 255, np.uint8)
    for frame in (white, black, white, white, *(black,) * 400):
        model.apply(frame, learning_rate=0.3)
    arrays = model.engine.saved()
    decayed = {}
    for name, values in arrays.items():
        if values.dtype == np.float32:
            decayed[name] = int(((values != 0) & (np.abs(values) < SMALLEST)).sum())
    assert decayed and not any(decayed.values()), decayed
