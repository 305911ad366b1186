"""CDnet's protocol: counts worked out on paper, the seven metrics, edge cases of labels and of division by 0."""

import dataclasses
import math

import numpy as np
import pytest

from bgsub.errors import ParameterError
from bgsub.evaluation.protocol import METRIC_NAMES, Counts, Metrics, count, outside_of

TRUTH = np.array(
    [
        [255, 255, 255, 255, 170],
        [0, 0, 0, 50, 170],
        [50, 50, 0, 255, 85],
        [0, 0, 0, 0, 85],
    ],
    np.uint8,
)
MASK = np.array(
    [
        [255, 255, 255, 0, 255],  # 3 found, 1 missed, an unknown one marked
        [255, 0, 0, 255, 0],  # 1 false, 2 true negatives, 1 false in a shadow
        [127, 255, 0, 127, 255],  # 1 shadow right, 1 false in a shadow, 1 true negative, 1 missed
        [0, 0, 254, 1, 0],  # 4 true negatives
    ],
    np.uint8,
)
ON_PAPER = Counts(tp=3, fp=3, fn=2, tn=8, fp_shadow=2, shadow=3)


def equal(found, expected):
    return found == pytest.approx(expected, nan_ok=True)


def test_counts_on_paper():
    assert count(MASK, TRUTH) == ON_PAPER
    assert sum(ON_PAPER[:4]) == TRUTH.size - 4  # without the two unknown and the two outside


def test_counts_within_a_region():
    region = np.ones(TRUTH.shape, bool)
    region[0, 0] = region[1, 0] = region[2, 1] = region[3, 3] = False  # a hit, a false one, one in a shadow, a negative
    assert count(MASK, TRUTH, outside_of(region)) == Counts(tp=2, fp=1, fn=2, tn=7, fp_shadow=1, shadow=2)
    assert count(MASK, TRUTH, outside_of(region * np.uint8(7))) == count(MASK, TRUTH, outside_of(region))
    assert count(MASK, TRUTH, outside_of(np.zeros(TRUTH.shape))) == Counts(0, 0, 0, 0, 0, 0)
    assert outside_of(None) is None


def test_counts_of_slices_and_masks_that_are_not_contiguous():
    assert count(MASK.T.copy().T, TRUTH[::-1].copy()[::-1]) == ON_PAPER


def test_counts_are_those_of_loops():
    rng = np.random.default_rng(4)
    truth = rng.choice(np.array([0, 50, 85, 170, 255], np.uint8), (37, 23))
    mask = rng.choice(np.array([0, 127, 254, 255], np.uint8), truth.shape)
    region = rng.random(truth.shape) < 0.7
    expected = dict.fromkeys(Counts._fields, 0)
    for label, value, inside in zip(truth.flat, mask.flat, region.flat, strict=True):
        if not inside or label in (85, 170):
            continue
        positive = value == 255
        expected[("t" if positive == (label == 255) else "f") + ("p" if positive else "n")] += 1
        expected["shadow"] += label == 50
        expected["fp_shadow"] += label == 50 and positive
    assert count(mask, truth, outside_of(region)) == Counts(**expected)


@pytest.mark.parametrize("label", [1, 49, 51, 84, 86, 127, 169, 171, 254])
def test_a_label_that_does_not_exist(label):
    truth = TRUTH.copy()
    truth[3, 4] = label
    with pytest.raises(ParameterError, match=f"there is no label {label}: labels are 0, 50"):
        count(MASK, truth)
    with pytest.raises(ParameterError, match=f"there is no label {label}"):  # nor outside the region
        count(MASK, truth, outside_of(np.zeros(truth.shape, bool)))


def test_what_does_not_fit():
    with pytest.raises(ParameterError, match=r"the mask is 5x3, the ground truth 5x4: give both in one size"):
        count(MASK[:3], TRUTH)
    with pytest.raises(ParameterError, match="give both in one size"):
        count(MASK, TRUTH, outside_of(np.ones((4, 4))))
    with pytest.raises(ParameterError, match=r"the mask is of shape \(4, 5, 3\)"):
        count(np.stack([MASK] * 3, -1), TRUTH)
    with pytest.raises(ParameterError, match="the mask is bool, the ground truth uint8: give uint8"):
        count(MASK == 255, TRUTH)


def test_metrics_on_paper():
    metrics = dataclasses.asdict(Metrics.of(ON_PAPER))
    assert metrics == pytest.approx(
        {
            "recall": 3 / 5,
            "specificity": 8 / 11,
            "fpr": 3 / 11,
            "fnr": 2 / 5,
            "pwc": 100 * 5 / 16,
            "precision": 1 / 2,
            "f_measure": 2 * (1 / 2) * (3 / 5) / (1 / 2 + 3 / 5),
        }
    )
    assert tuple(metrics) == METRIC_NAMES


NAN = math.nan


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        # tp, fp, fn, tn              recall, specificity, fpr, fnr, pwc, precision, F
        ((0, 0, 0, 0), (NAN, NAN, NAN, NAN, NAN, NAN, NAN)),  # nothing counts
        ((0, 0, 0, 9), (NAN, 1, 0, NAN, 0, NAN, NAN)),  # no object, nothing marked
        ((0, 1, 0, 9), (NAN, 0.9, 0.1, NAN, 10, 0, 0)),  # no object, something marked
        ((0, 0, 1, 9), (0, 1, 0, 1, 10, 0, 0)),  # an object, nothing marked
        ((0, 1, 1, 8), (0, 8 / 9, 1 / 9, 1, 20, 0, 0)),  # all that is marked is wrong
        ((9, 0, 0, 0), (1, NAN, NAN, 0, 0, 1, 1)),  # nothing but object
        ((4, 0, 0, 6), (1, 1, 0, 0, 0, 1, 1)),
    ],
)
def test_metrics_where_the_formulas_divide_by_zero(counts, expected):
    assert equal(dataclasses.astuple(Metrics.of(Counts(*counts, 0, 0))), expected)


def test_f_is_the_harmonic_mean():
    metrics = Metrics.of(Counts(17, 5, 9, 100, 0, 0))
    assert metrics.f_measure == pytest.approx(
        2 * metrics.precision * metrics.recall / (metrics.precision + metrics.recall)
    )


def test_a_mean_leaves_out_what_is_undefined():
    with_object, without = Metrics.of(Counts(1, 0, 1, 8, 0, 0)), Metrics.of(Counts(0, 0, 0, 10, 0, 0))
    mean = Metrics.mean([with_object, without])
    assert (mean.recall, mean.precision, mean.f_measure) == (0.5, 1, pytest.approx(2 / 3))
    assert (mean.specificity, mean.pwc) == (1, 5)
    assert equal(dataclasses.astuple(Metrics.mean([])), (NAN,) * 7)
    assert math.isnan(Metrics.mean([without, without]).f_measure)


def test_the_mean_of_f_is_not_the_f_of_means():
    first, second = Metrics.of(Counts(9, 1, 0, 0, 0, 0)), Metrics.of(Counts(1, 0, 9, 0, 0, 0))
    mean = Metrics.mean([first, second])
    assert mean.f_measure == pytest.approx((18 / 19 + 2 / 11) / 2)
    assert mean.f_measure != pytest.approx(2 * mean.precision * mean.recall / (mean.precision + mean.recall), abs=0.05)


def test_totals():
    assert Counts.total([ON_PAPER, Counts(1, 2, 3, 4, 5, 6)]) == Counts(4, 5, 5, 12, 7, 9)
    assert Counts.total([]) == Counts(0, 0, 0, 0, 0, 0)
