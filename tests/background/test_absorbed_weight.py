"""The weight from which a stopped object is background: where the formula of the evidence gives none."""

from __future__ import annotations

import math

import pytest

from bgsub.background.adaptive.constants import absorbed_weight

USUAL = 3.58  # squared Mahalanobis distance


def evidence(weight, threshold, low_weight, weight_span, weight_doubt):
    """S of a pixel at the usual distance of a Gaussian, as the docstring of the package has it."""
    doubt = weight_doubt * max(0.0, 1 - (weight - low_weight) / weight_span)
    return USUAL / 2 - threshold + doubt


def test_of_the_defaults():
    assert absorbed_weight(6.5, 0.1, 0.4, 6.0) == 0.186


@pytest.mark.parametrize("parameters", [(6.5, 0.1, 0.4, 6.0), (5.0, 0.1, 0.4, 6.0), (6.0, 0.3, 0.1, 9.0)], ids=str)
def test_no_evidence_is_left_at_it_and_some_below(parameters):
    weight = absorbed_weight(*parameters)
    assert evidence(weight, *parameters) == pytest.approx(0)
    assert evidence(weight - 0.01, *parameters) > 0.1
    assert evidence(weight + 0.01, *parameters) < -0.1


def test_two_thirds_of_the_pixels_of_a_gaussian_are_nearer_than_usual():
    """The distribution function of chi-squared with three degrees of freedom."""
    nearer = math.erf(math.sqrt(USUAL / 2)) - math.sqrt(2 * USUAL / math.pi) * math.exp(-USUAL / 2)
    assert nearer == pytest.approx(2 / 3, abs=0.03)
