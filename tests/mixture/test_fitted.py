"""A mixture as plain parameters: what the estimator says, without scikit-learn; and arrays that are no mixture."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from bgsub import GaussianMixture, ParameterError
from bgsub.mixture.fitted import FittedMixture
from bgsub.mixture.parameters import covariance_shape, fault, layout_fault
from tests.mixture.samples import COVARIANCE_TYPES, blobs
from tests.mixture.starts import some_parameters
from tests.naive import naive_e_step

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
class TestTheSame:
    def test_as_the_naive_reference(self, covariance_type):
        X = blobs(90, 3)[0]
        mixture = FittedMixture(some_parameters(X, 4, covariance_type), covariance_type)
        densities, r = naive_e_step(X, *mixture.parameters[:3], covariance_type)
        assert_allclose(mixture.log_densities(X), densities, rtol=1e-12)
        assert_allclose(mixture.responsibilities(X), r, rtol=1e-9, atol=1e-18)
        assert_array_equal(mixture.labels(X), r.argmax(axis=1))
        assert mixture.score(X) == pytest.approx(densities.mean(), rel=1e-12)
        w = np.random.default_rng(0).random(90)
        assert mixture.score(X, w) == pytest.approx(np.average(densities, weights=w), rel=1e-12)
        assert mixture.criteria(X, w)["log_likelihood"] == pytest.approx(w @ densities, rel=1e-12)

    def test_to_the_estimator_and_back(self, covariance_type):
        X = blobs(200, 3)[0]
        model = GaussianMixture(3, covariance_type=covariance_type, random_state=4).fit(X)
        mixture = model.fitted_mixture()
        again = GaussianMixture.from_mixture(mixture, random_state=4, threads=1)
        assert_array_equal(again.predict_proba(X), model.predict_proba(X))
        assert_array_equal(again.sample(30)[0], model.sample(30)[0])
        assert_array_equal(mixture.sample(30, np.random.RandomState(4))[0], model.sample(30)[0])
        assert (again.covariance_type, again.n_features_in_, again.threads) == (covariance_type, 3, 1)
        assert mixture.criteria(X) == model.criteria(X)

    def test_another_order(self, covariance_type):
        X = blobs(200, 3)[0]
        model = GaussianMixture(3, covariance_type=covariance_type, random_state=4).fit(X)
        before, order = model.fitted_mixture(), [2, 0, 1]
        model.reorder(order)
        after = before.reordered(np.array(order))
        for mixture in (after, model.fitted_mixture()):
            assert_array_equal(mixture.means, before.means[order])
            assert_allclose(mixture.responsibilities(X), before.responsibilities(X)[:, order], rtol=1e-9, atol=1e-12)
        assert_array_equal(model.precisions_cholesky_, after.precisions_cholesky)

    def test_covariances_as_matrices(self, covariance_type):
        X = blobs(90, 3)[0]
        mixture = FittedMixture(some_parameters(X, 2, covariance_type), covariance_type)
        assert mixture.covariances.shape == covariance_shape(covariance_type, 2, 3)
        full = FittedMixture(
            mixture.parameters._replace(
                covariances=mixture.matrices.copy(),
                precisions_cholesky=np.stack([np.linalg.inv(np.linalg.cholesky(m)).T for m in mixture.matrices]),
            ),
            "full",
        )
        assert_allclose(full.log_densities(X), mixture.log_densities(X), rtol=1e-10)


def test_rows_of_another_width_are_refused():
    mixture = FittedMixture(some_parameters(blobs(90, 3)[0], 2, "full"), "full")
    with pytest.raises(ParameterError, match=r"rows have the shape \(5, 2\), the mixture 3 features: give rows of"):
        mixture.labels(np.zeros((5, 2)))


class TestFaults:
    @pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
    def test_a_mixture_has_none(self, covariance_type):
        parameters = some_parameters(blobs(90, 3)[0], 2, covariance_type)
        assert fault(parameters, covariance_type, 3) == ""
        assert "has the shape" in layout_fault(parameters, covariance_type, 4, 3)
        assert "has the shape" in fault(parameters, covariance_type, 2)

    @pytest.mark.parametrize(
        ("changed", "message"),
        [
            ({"weights": np.array([0.5, 0.6])}, "its weights do not sum to 1"),
            ({"weights": np.array([1.5, -0.5])}, "its weights do not sum to 1"),
            ({"weights": np.ones((1, 2))}, "weights has the shape (1, 2) where (0,) belongs"),
            ({"means": np.full((2, 3), np.inf)}, "its parameters are not finite numbers"),
            ({"means": np.zeros((2, 3), int)}, "its parameters are not finite numbers"),
            ({"covariances": -np.stack([np.eye(3)] * 2)}, "its covariances are not positive definite"),
            ({"precisions_cholesky": np.stack([np.eye(3)] * 2)}, "its precisions are not those of its covariances"),
        ],
    )
    def test_one_thing_wrong(self, changed, message):
        parameters = some_parameters(blobs(90, 3)[0], 2, "full")._replace(**changed)
        assert fault(parameters, "full", 3) == message


def modules_after(program):
    """The modules that a process of its own has imported after a program."""
    done = subprocess.run(
        [sys.executable, "-c", program + "\nimport sys; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.split())


def test_predict_imports_neither_kmeans_nor_squarem(tmp_path):
    X = blobs(50)[0]
    GaussianMixture(2, random_state=0).fit(X).save(tmp_path / "m")
    np.save(tmp_path / "X.npy", X)
    loaded = f"import numpy as np, bgsub; bgsub.GaussianMixture.load({str(tmp_path / 'm')!r})"
    modules = modules_after(f"{loaded}.predict(np.load({str(tmp_path / 'X.npy')!r}))")
    assert "bgsub.mixture.passes.cpu" in modules
    assert not {"bgsub.mixture.em.kmeans", "bgsub.mixture.em.squarem", "sklearn.mixture"} & modules


def test_a_plain_mixture_needs_no_scikit_learn():
    modules = modules_after(
        "import numpy as np\n"
        "from bgsub.mixture.fitted import FittedMixture\n"
        "from bgsub.mixture.parameters import Parameters\n"
        "one = Parameters(np.ones(1), np.zeros((1, 2)), np.ones(1), np.ones(1))\n"
        "mixture = FittedMixture(one, 'spherical')\n"
        "mixture.labels(np.zeros((4, 2))); mixture.score(np.zeros((4, 2)))\n"
        "mixture.sample(4, np.random.RandomState(0))"
    )
    assert not [name for name in modules if name.split(".")[0] == "sklearn"]
