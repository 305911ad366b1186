"""What was learned in other grey levels: means move, variances grow with the gain squared, within their bounds."""

from __future__ import annotations

import numpy as np
import pytest

from bgsub.background.adaptive import engine as adaptive
from bgsub.background.mog2 import engine as mog2
from bgsub.background.mog2.step import MODE_SCALE
from bgsub.background.parameters import check_adaptive, check_mog2

WEIGHTS = np.array([[[0.7, 1.0]], [[0.3, 0.0]]], np.float32)  # two modes of two pixels, the second of one only


def arrays_of(layout, modes):
    """Return saved arrays of two pixels whose modes have the values of `modes` (rows,), or 0 where there is none."""
    arrays = {name: np.zeros(shape, dtype) for name, (shape, dtype) in layout.items()}
    arrays["weights"][...] = WEIGHTS if arrays["weights"].dtype == np.float32 else WEIGHTS * 65040
    arrays["modes"][...] = np.where(WEIGHTS[:, None] > 0, np.array(modes, np.float32)[None, :, None, None], 0)
    return arrays


@pytest.mark.parametrize(("gain", "offset"), [(0.5, 30.0), (1.2, -20.0)])
def test_modes_of_the_adaptive_model(gain, offset):
    arrays = arrays_of(adaptive.layout((1, 2), 3, 2), [32.0, 100.0, 30.0, 12.0, -8.0])
    parameters = check_adaptive({"var_min_y": 4, "var_min_c": 10, "var_max": 40})
    arrays["reference"][...] = 100
    found = adaptive.rescaled(arrays, gain, offset, parameters)
    learned = WEIGHTS > 0
    for row, expected in enumerate(
        (min(32 * gain**2, 40), 100 * gain + offset, max(30 * gain**2, 10), 12 * gain, -8 * gain)
    ):
        np.testing.assert_allclose(
            found["modes"][:, row][learned], min(expected, 40) if row == 2 else expected, rtol=1e-6
        )
    assert (found["modes"][:, 1][~learned] == 0).all()  # where nothing was learned there is no light
    assert (found["reference"] == round(100 * gain + offset)).all()
    assert (arrays["modes"][0, 1] == 100).all()  # what is given stays
    for name in ("weights", "flicker", "raw", "age", "mask", "n_modes"):
        np.testing.assert_array_equal(found[name], arrays[name])


def test_a_reference_that_was_never_taken_stays_empty():
    arrays = arrays_of(adaptive.layout((1, 2), 1, 2), [32.0, 100.0])
    assert not adaptive.rescaled(arrays, 0.5, 30, check_adaptive({}))["reference"].any()


@pytest.mark.parametrize("precision", ["exact", "compact"])
@pytest.mark.parametrize(("gain", "offset"), [(0.5, 30.0), (1.5, -20.0), (9.0, -400.0)])
def test_modes_of_mog2(precision, gain, offset):
    unit = MODE_SCALE if precision == "compact" else 1
    arrays = arrays_of(mog2.layout((1, 2), 2, precision), [20 * unit, 100 * unit])
    found = mog2.rescaled(arrays, gain, offset, check_mog2({}, precision))
    learned = WEIGHTS > 0
    assert found["modes"].dtype == arrays["modes"].dtype
    variance, mean = (found["modes"][:, row][learned] / unit for row in (0, 1))
    np.testing.assert_allclose(variance, min(max(20 * gain**2, 4), 75), rtol=1e-3)
    highest = 65535 / MODE_SCALE if precision == "compact" else np.inf
    np.testing.assert_allclose(mean, min(100 * gain + offset, highest), rtol=1e-3)
    assert (found["modes"].transpose(1, 0, 2, 3)[:, ~learned] == 0).all()
