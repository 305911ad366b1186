"""What is doubtful about a fit: collapsed components, and the columns that take part, in any direction and any unit."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from bgsub import FitWarning, GaussianMixture
from bgsub.mixture.diagnosis import collapse_of
from bgsub.mixture.parameters import Parameters, precisions_cholesky
from tests.mixture.samples import COVARIANCE_TYPES, blobs


def collapse(X, n_components=1, covariance_type="full", reg_covar=1e-6, **options):
    """Fit, without a word; return where the fit has collapsed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = GaussianMixture(
            n_components, covariance_type=covariance_type, reg_covar=reg_covar, random_state=0, **options
        ).fit(X)
    return collapse_of(model._parameters(), covariance_type, reg_covar, len(X))


def rows(n=300, width=3, seed=0):
    return np.random.default_rng(seed).normal(size=(n, width))


class TestObliqueDirections:
    @pytest.mark.parametrize("covariance_type", ["full", "tied"])
    @pytest.mark.parametrize("unit", [1e-2, 1.0, 1e3])
    def test_a_total_names_its_parts_whatever_the_unit(self, covariance_type, unit):
        parts = unit * rows()
        X = np.c_[parts, rows(seed=1)[:, 0], parts.sum(axis=1)]
        found = collapse(X, 2, covariance_type)
        assert (found.components, found.dependent, found.columns, found.everywhere) == ((0, 1), (0, 1, 2, 4), (), ())

    @pytest.mark.parametrize("covariance_type", ["diag", "spherical"])
    def test_along_the_axes_a_total_does_no_harm(self, covariance_type):
        parts = rows()
        assert not collapse(np.c_[parts, parts.sum(axis=1)], 2, covariance_type)

    @pytest.mark.parametrize("rate", [1e-4, 0.92, 1234.5])
    def test_a_copy_in_another_currency(self, rate):
        X = rows()
        assert collapse(np.c_[X, 7.0 + rate * X[:, 1]]).dependent == ((1, 3) if rate * rate > 1e-5 else ())

    def test_a_part_that_is_small_is_named_all_the_same(self):
        X = rows() * [1.0, 1.0, 0.05]
        assert collapse(np.c_[X, X.sum(axis=1)]).dependent == (0, 1, 2, 3)

    def test_a_group_of_zeros_and_ones(self):
        kinds = np.random.default_rng(0).integers(0, 3, 400)
        assert collapse(np.c_[rows(400, 2), np.eye(3)[kinds]]).dependent == (2, 3, 4)
        assert not collapse(np.c_[rows(400, 2), np.eye(3)[kinds][:, 1:]])

    def test_without_regularisation_it_is_rounding(self):
        X = rows(width=2)
        nearly = np.c_[X, X.sum(axis=1) + 1e-7 * rows(width=1, seed=1)[:, 0]]
        assert collapse(nearly, reg_covar=0.0).dependent == (0, 1, 2)

    def test_columns_that_go_together_closely_are_sound(self):
        X = rows(width=2)
        assert not collapse(np.c_[X, X.sum(axis=1) + 0.01 * rows(width=1, seed=1)[:, 0]])
        assert not collapse(np.c_[X, X[:, 0] + 1e-4 * X[:, 1] ** 2], reg_covar=0.0)

    def test_one_component_of_three_on_a_line(self):
        t = rows(100, 1, seed=3)
        X = np.r_[rows(300, 2), np.c_[t, 2 * t] + 20.0, rows(300, 2, seed=1) - 20.0]
        found = collapse(X, 3)
        assert (len(found.components), found.dependent) == (1, (0, 1))

    def test_fewer_rows_than_columns_is_told_as_that(self):
        found = collapse(rows(20, 30))
        assert (found.components, found.short, found.dependent) == ((0,), (0,), ())
        assert "with fewer rows than a covariance matrix needs): take fewer components or columns" in found.lines()[0]
        assert not collapse(rows(40, 30))


class TestColumns:
    @pytest.mark.parametrize("covariance_type", ["full", "diag"])
    def test_a_component_on_one_value_of_a_count(self, covariance_type):
        X = np.c_[np.repeat([0.0, 5.0], 100) + np.r_[np.zeros(100), rows(100, 1)[:, 0]], rows(200, 1, seed=1)[:, 0]]
        found = collapse(X, 2, covariance_type)
        assert (len(found.components), found.columns, found.dependent) == (1, (0,), ())

    @pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
    def test_equal_rows(self, covariance_type):
        X = np.r_[rows(100, 2), np.full((50, 2), 30.0)]
        found = collapse(X, 2, covariance_type)
        assert bool(found) == (covariance_type != "tied")

    def test_equal_rows_without_regularisation_leave_rounding(self):
        X = np.r_[rows(100, 2), 30.1 + 1e-12 * rows(50, 2)]
        assert len(collapse(X, 2, "diag", reg_covar=0.0).components) == 1

    def test_units_so_small_that_the_data_are_hidden(self):
        X = np.c_[blobs(n_features=2)[0], 1e-4 * blobs(n_features=1)[0]]
        found = collapse(X, 2)
        assert (found.everywhere, found.components) == ((2,), ())
        assert found.lines(["a", "b", "mass"])[0] == (
            "the variance is mostly reg_covar in every component for column 'mass': "
            "drop such columns, scale the data or lower reg_covar"
        )
        assert not collapse(X, 2, reg_covar=1e-12)

    def test_a_value_for_what_is_missing_leaves_the_other_component_sound(self):
        X = np.r_[rows(100, 2), 1e9 + rows(5, 2)]
        assert not collapse(X, 2, "diag", reg_covar=0.0)

    def test_a_wide_table(self):
        X = rows(400, 60)
        X[:, 41] = X[:, 7] - X[:, 9]
        assert collapse(X).dependent == (7, 9, 41)


class TestWords:
    def test_columns_by_name_and_what_helps(self):
        parameters = parameters_of([np.eye(3), [[1.0, 1.0, 0.0], [1.0, 1.0 + 1e-6, 0.0], [0.0, 0.0, 1e-6]]])
        found = collapse_of(parameters, "full", 1e-6)
        assert found.involved == (0, 1, 2)
        assert found.lines(["net", "gross", "visits"]) == [
            "component 1 has collapsed (a variance that is mostly reg_covar, in column 'visits' and in a direction "
            "of columns 'net', 'gross'): leave out a column that follows from others, or take diagonal "
            "covariances, or take fewer components or a larger reg_covar"
        ]

    def test_several_components_in_the_plural(self):
        line = collapse_of(parameters_of([1e-6 * np.eye(2), np.eye(2), 1e-6 * np.eye(2)]), "full", 1e-6).lines()[0]
        assert line.startswith("components 0, 2 have collapsed (a variance that is mostly reg_covar, in columns 0, 1)")

    @pytest.mark.parametrize("method", ["fit", "fit_predict"])
    def test_a_warning_points_at_the_line_that_asked_for_the_fit(self, method):
        X = np.c_[rows(), np.ones(300)]
        with pytest.warns(FitWarning, match="for column 3") as told:
            getattr(GaussianMixture(1), method)(X)
        assert [w.filename for w in told] == [__file__]

    def test_it_can_be_filtered_by_its_category(self):
        X = np.c_[rows(), np.ones(300)]
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            warnings.simplefilter("ignore", FitWarning)
            GaussianMixture(1).fit(X)
            warnings.simplefilter("error", FitWarning)
            with pytest.raises(FitWarning, match="mostly reg_covar"):
                GaussianMixture(1).fit(X)


def parameters_of(matrices):
    covariances = np.asarray(matrices, np.float64)
    n = len(covariances)
    means = np.arange(n * covariances.shape[1], dtype=np.float64).reshape(n, -1)
    return Parameters(np.full(n, 1 / n), means, covariances, precisions_cholesky(covariances, "full"))
