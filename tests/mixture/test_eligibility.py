"""What `select` may choose: never a fit whose likelihood is that of `reg_covar`, and the reason is told."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from bgsub import FitWarning, ParameterError, select
from bgsub.mixture.few_values import few_values, in_words
from tests.mixture.samples import COVARIANCE_TYPES, blobs

DRAWN_TO_VALUES = {"init_params": "kmeans", "n_init": 3, "tol": 1e-4, "max_iter": 500}
"""Starts that collapse onto the values of a count, where the default's go round them."""


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def with_a_count(n=500):
    """A count and what has nothing to do with it: one cluster."""
    random = np.random.default_rng(0)
    return np.c_[random.poisson(2, n), random.normal(size=n)]


def least_eigenvalue(mixture):
    return min(np.linalg.eigvalsh(matrix)[0] for matrix in mixture.matrices)


TABLES = {
    "a count": with_a_count(),
    "a grade and a total": np.c_[with_a_count(300), normal(300, 2), normal(300, 2).sum(axis=1)],
    "rain, mostly none": np.c_[np.maximum(normal(400) * 5 - 2, 0), normal(400, 2, seed=1)],
    "rounded": np.round(normal(200, 3), 1),
    "cylinders": np.c_[np.random.default_rng(0).choice([3, 4, 5, 6, 8], 400), 30 * normal(400, 2) + 100],
    "repeated rows": np.r_[normal(200, 2), np.full((40, 2), 3.0)],
    "hours of a day": np.c_[np.random.default_rng(1).integers(0, 24, 600), normal(600)],
}


@pytest.mark.filterwarnings("ignore::bgsub.FitWarning")
class TestTheBest:
    @pytest.mark.parametrize("table", TABLES)
    @pytest.mark.parametrize("criterion", ["bic", "aic"])
    def test_has_not_collapsed(self, table, criterion):
        found = select(TABLES[table], range(1, 7), criterion=criterion, random_state=0)
        assert found.best_candidate.eligible
        assert least_eigenvalue(found.best_mixture) > 2e-6
        eligible = [getattr(row, criterion) for row in found.table if row.eligible]
        assert getattr(found.best_candidate, criterion) == min(eligible)

    def test_of_a_count_is_not_the_lowest_of_all(self):
        found = select(with_a_count(), range(1, 10), ["full", "diag"], random_state=0, **DRAWN_TO_VALUES)
        lowest = min(found.table, key=lambda row: row.bic)
        assert (lowest.collapsed, lowest.eligible) == ("in column 0", False)
        assert lowest.bic < 0 < 3000 < found.best_candidate.bic
        assert not found.best_candidate.collapsed

    @pytest.mark.parametrize("unit", [1.0, 1e6])
    def test_of_a_total_is_along_the_axes(self, unit):
        parts = unit * normal(300, 3)
        found = select(np.c_[parts, parts.sum(axis=1)], [1, 2], random_state=0)
        assert found.best_candidate.covariance_type in ("diag", "spherical")
        assert [row.eligible for row in found.table] == [False] * 4 + [True] * 4

    def test_of_a_table_with_names_says_which(self):
        pandas = pytest.importorskip("pandas")
        table = pandas.DataFrame(with_a_count(), columns=["visits", "value"])
        found = select(table, [1, 6], "diag", random_state=0, **DRAWN_TO_VALUES)
        frame = pandas.DataFrame(found.table)
        assert list(frame["collapsed"]) == ["", "in column 'visits'"]

    def test_can_be_a_collapsed_one_where_that_is_wanted(self):
        found = select(with_a_count(), [1, 8], "diag", random_state=0, allow_collapsed=True)
        assert found.best_candidate.n_components == 8

    def test_of_fits_without_regularisation(self):
        X = np.r_[normal(100, 2), np.repeat([[30.0, 30.0]], 50, axis=0)]
        found = select(X, [1, 2], ["diag", "tied"], reg_covar=0.0, random_state=0)
        assert not found.table[1].eligible
        assert found.best_candidate.covariance_type == "tied"


class TestWords:
    def test_one_warning_a_kind_that_points_here(self):
        with pytest.warns(FitWarning) as told:
            select(with_a_count(), range(1, 10), random_state=0, **DRAWN_TO_VALUES)
        texts = [str(warning.message) for warning in told]
        assert [warning.filename for warning in told] == [__file__] * 2
        assert "of 36 combinations have collapsed and cannot be the best (a variance that is mostly reg_" in texts[0]
        assert "in column 0): take fewer components or a larger reg_covar" in texts[0]
        assert texts[1].startswith("column 0 has only 9 different values, and a component can shrink onto one of them")

    def test_none_where_all_is_sound(self):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            select(blobs()[0], range(1, 5), random_state=0)

    @pytest.mark.parametrize("reg_covar", [1e-6, 0.0])
    def test_a_total_for_which_nothing_is_eligible(self, reg_covar):
        parts = normal(300, 3)
        with pytest.raises(ParameterError) as caught:
            select(np.c_[parts, parts.sum(axis=1)], [1, 2], ["full", "tied"], reg_covar=reg_covar, random_state=0)
        assert str(caught.value).startswith("no combination")
        assert "columns 0, 1, 2, 3" in str(caught.value)
        assert "leave" in str(caught.value)

    def test_units_that_are_too_small(self):
        with pytest.raises(ParameterError, match=r"all 8 have collapsed .*in every component for columns 0, 1\): drop"):
            select(1e-4 * normal(100, 2), [1, 2])

    def test_a_wide_table(self):
        with pytest.raises(ParameterError, match=r"with fewer rows than a covariance matrix needs\): take fewer"):
            select(normal(10, 20), [1, 2], ["full", "tied"])

    def test_counts_for_which_nothing_is_eligible(self):
        random = np.random.default_rng(0)
        X = np.c_[random.integers(0, 2, 100), random.integers(0, 3, 100)]
        with pytest.raises(ParameterError) as caught:
            select(X, [5, 6], ["full", "diag"])
        assert "; column 0 has only 2 different values" in str(caught.value)
        assert "; column 1 has only 3 different values" in str(caught.value)

    @pytest.mark.parametrize("kind", COVARIANCE_TYPES)
    def test_what_could_not_be_fitted_is_told_once(self, kind):
        X = np.repeat([[0.0, 0.0], [5.0, 1.0], [5.0, 5.0]], 20, axis=0)
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            found = select(X, [1, 3, 4, 5], kind, reg_covar=0.0, random_state=0)
        assert found.best.n_components == 1
        assert sum("not fitted: Fitting the mixture model failed" in str(warning.message) for warning in told) <= 1
        assert len({str(warning.message) for warning in told}) == len(told)


class TestFewValues:
    def test_counts_grades_and_what_has_many_values(self):
        random = np.random.default_rng(0)
        X = np.c_[random.integers(0, 5, 3000), normal(3000), random.integers(0, 90, 3000), np.full(3000, 7.0)]
        assert few_values(X, range(4)) == {0: 5}
        assert few_values(X, range(4), most=100) == {0: 5, 2: 90}
        assert few_values(X, [1, 2], most=100) == {2: 90}

    def test_a_value_that_comes_late_counts(self):
        X = np.zeros((200_000, 1))
        X[::2] = 1.0
        X[150_000] = 2.0
        assert few_values(X, [0]) == {0: 3}
        X[100_000:100_020, 0] = np.arange(20) + 0.5
        assert few_values(X, [0]) == {}

    def test_few_rows_say_nothing(self):
        assert few_values(normal(10, 1), [0]) == {}

    def test_gaps_do_not_count(self):
        X = np.tile([[0.0], [1.0], [np.nan]], (20, 1)).astype(np.float32)
        assert few_values(X, [0]) == {0: 2}

    def test_in_words(self):
        assert in_words({1: 5}, ["a", "grade"]) == [
            "column 'grade' has only 5 different values, and a component can shrink onto one of them: "
            "leave the column out, or take few components"
        ]

    def test_many_columns_are_one_line(self):
        (line,) = in_words(dict.fromkeys(range(7), 2), None)
        assert line.startswith("there are few different values, 2 in column 0, 2 in column 1, ")
        assert " and others in 2 more, and a component can shrink" in line
