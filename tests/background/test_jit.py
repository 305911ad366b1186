"""Kernels run without compiler and with checked indices: the same bits, and no index out of bounds."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from bgsub import MOG2
from bgsub.background.mog2 import kernels
from tests.test_naive import switching_scene

pytestmark = pytest.mark.slow  # kernels run as plain Python

ROOT = Path(__file__).parents[2]


def record(path, channels, names=("exact", "compact", "region")):
    """Run models through all kernels, on frames with a part of a tile, and write masks and states to `path`."""
    frames = switching_scene(10, shape=(5, 7), channels=channels, n_colours=6, jumps=0.6, seed=71)
    rng = np.random.default_rng(0)
    results = {"plain": not hasattr(kernels.update_tiles, "py_func")}
    parameters = {
        "exact": {"history": 10, "complexity_prior": 0.3},
        "compact": {"history": 10, "precision": "compact", "detect_shadows": False},
        "region": {"region": rng.random((5, 7)) < 0.6, "n_components": 3},
    }
    for name in names:
        model = MOG2(**parameters[name])
        masks = []
        for t, frame in enumerate(frames):
            known = rng.random((5, 7)) < 0.3 if t % 5 == 3 else None
            masks.append(model.apply(frame, learning_rate=0 if t % 5 == 4 else None, known_foreground=known))
        results[name + " masks"] = np.stack(masks)
        for array in ("weights", "modes", "n_modes"):
            results[f"{name} {array}"] = model.engine.saved()[array]
    np.savez(path, **results)


def recorded_in_another_process(path, *arguments, **environment):
    program = f"from tests.background.test_jit import record; record{(str(path), *arguments)}"
    done = subprocess.run(
        [sys.executable, "-W", "ignore::RuntimeWarning", "-c", program],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return dict(np.load(path))


def assert_same(results, expected, plain):
    assert results.pop("plain") == plain
    assert not expected.pop("plain")
    assert results.keys() == expected.keys()
    for name, array in expected.items():
        np.testing.assert_array_equal(results[name], array, name)


def test_the_plain_form_gives_the_same_bits(tmp_path):
    """A division by zero warns in NumPy, and not in a kernel, where its result is not selected."""
    for channels in (1, 3):
        record(tmp_path / "compiled.npz", channels)
        plain = recorded_in_another_process(tmp_path / "plain.npz", channels, NUMBA_DISABLE_JIT="1")
        assert_same(plain, dict(np.load(tmp_path / "compiled.npz")), plain=True)


def test_no_index_is_out_of_bounds(tmp_path):
    """Vectors are not checked, but all other arrays are; a cache of its own, since the flag is no part of its key."""
    names = ("exact", "region")  # one type of state: compiling is what takes long here
    record(tmp_path / "unchecked.npz", 1, names)
    checked = recorded_in_another_process(
        tmp_path / "checked.npz", 1, names, NUMBA_BOUNDSCHECK="1", NUMBA_CACHE_DIR=str(tmp_path / "cache")
    )
    assert_same(checked, dict(np.load(tmp_path / "unchecked.npz")), plain=False)
