"""Rows in blocks and batches: the same mixture as from all rows at once, or close to it."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from bgsub import BgsubError, GaussianMixture
from bgsub.mixture.em import starts
from tests.mixture.samples import COVARIANCE_TYPES, aligned, blobs, ellipses

pytestmark = pytest.mark.slow


@pytest.fixture
def small_seeding(monkeypatch):
    """Starts from 200 rows, so that small data are drawn from."""
    monkeypatch.setattr(starts, "FEWEST_SEEDING_ROWS", 200)
    monkeypatch.setattr(starts, "SEEDING_ROWS_A_COMPONENT", 1)


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
@pytest.mark.parametrize("acceleration", [None, "squarem"])
class TestBlocks:
    def compared(self, X, blocks, weights=None, **parameters):
        whole = GaussianMixture(4, random_state=0, **parameters).fit(X, sample_weight=weights)
        parts = GaussianMixture(4, random_state=0, **parameters).fit_blocks(blocks)
        assert (parts.n_iter_, parts.converged_) == (whole.n_iter_, whole.converged_)
        assert_allclose(parts.lower_bounds_, whole.lower_bounds_, rtol=1e-11)
        assert_allclose(parts.means_, whole.means_, rtol=1e-9, atol=1e-9)
        assert_allclose(parts.covariances_, whole.covariances_, rtol=1e-9, atol=1e-9)
        assert parts.means_.dtype == whole.means_.dtype
        assert parts.n_features_in_ == whole.n_features_in_

    def test_as_all_rows_at_once(self, covariance_type, acceleration):
        X, _ = blobs(n=1000, spread=1.5)
        self.compared(X, np.array_split(X, 7), covariance_type=covariance_type, acceleration=acceleration, max_iter=500)

    def test_also_where_the_start_is_drawn_from_some_rows(self, covariance_type, acceleration, small_seeding):
        X, _ = blobs(n=1000, spread=1.5)
        for n_blocks in (1, 250):
            self.compared(
                X,
                np.array_split(X, n_blocks),
                covariance_type=covariance_type,
                acceleration=acceleration,
                max_iter=500,
                n_init=2,
            )

    def test_with_weights(self, covariance_type, acceleration, small_seeding):
        X, _ = blobs(n=1000, spread=1.5)
        weights = np.random.default_rng(0).integers(0, 5, len(X))
        pairs = list(zip(np.array_split(X, 7), np.array_split(weights, 7), strict=True))
        self.compared(X, pairs, weights, covariance_type=covariance_type, acceleration=acceleration, max_iter=500)


class TestWhatBlocksCanBe:
    def test_a_function_that_starts_again(self):
        X, _ = blobs(n=600)
        passes = []

        def read():
            passes.append(1)
            yield from np.array_split(X, 4)

        model = GaussianMixture(3, random_state=0).fit_blocks(read)
        assert_allclose(model.means_, GaussianMixture(3, random_state=0).fit(X).means_, rtol=1e-10)
        assert len(passes) == model.n_iter_ + 1

    def test_record_batches_of_a_parquet_file(self, tmp_path):
        arrow = pytest.importorskip("pyarrow")
        parquet = pytest.importorskip("pyarrow.parquet")
        X, _ = blobs(n=600)
        path = tmp_path / "rows.parquet"
        parquet.write_table(arrow.table({name: X[:, i] for i, name in enumerate("abc")}), path)
        model = GaussianMixture(3, random_state=0).fit_blocks(lambda: parquet.ParquetFile(path).iter_batches(100))
        assert_allclose(model.means_, GaussianMixture(3, random_state=0).fit(X).means_, rtol=1e-10)

    def test_data_frames_with_names(self):
        pandas = pytest.importorskip("pandas")
        frame = pandas.DataFrame(blobs(n=600)[0], columns=["a", "b", "c"])
        model = GaussianMixture(3, random_state=0).fit_blocks([frame[:200], frame[200:]])
        assert_array_equal(model.feature_names_in_, ["a", "b", "c"])

    def test_a_memory_map_is_read_in_place(self, tmp_path):
        X = blobs(n=600)[0].astype(np.float32)
        np.save(tmp_path / "rows.npy", X)
        mapped = np.load(tmp_path / "rows.npy", mmap_mode="r")
        assert isinstance(mapped, np.memmap)
        model = GaussianMixture(3, random_state=0).fit(mapped)
        assert_array_equal(model.means_, GaussianMixture(3, random_state=0).fit(X).means_)

    def test_float32_blocks_make_a_float32_model(self):
        X = blobs(n=600)[0].astype(np.float32)
        assert GaussianMixture(3, random_state=0).fit_blocks(np.split(X, 3)).means_.dtype == np.float32

    def test_whole_numbers_and_empty_blocks(self):
        X = np.rint(10 * blobs(n=600)[0]).astype(np.int32)
        blocks = [X[:10], X[10:]]
        assert_allclose(
            GaussianMixture(3, random_state=0).fit_blocks(blocks).means_,
            GaussianMixture(3, random_state=0).fit(X).means_,
        )

    def test_a_warm_fit_goes_on(self):
        X, _ = blobs(n=600)
        model = GaussianMixture(3, random_state=0, warm_start=True).fit(X)
        assert model.fit_blocks(np.split(X, 3)).n_iter_ == 1

    def test_an_iterator_is_refused(self):
        with pytest.raises(BgsubError, match="can be read only once: give a list"):
            GaussianMixture().fit_blocks(iter([np.zeros((3, 2))]))

    def test_no_rows(self):
        with pytest.raises(BgsubError, match="blocks holds no rows"):
            GaussianMixture().fit_blocks([])

    def test_too_few_rows(self):
        with pytest.raises(BgsubError, match="n_components = 5, n_samples = 4"):
            GaussianMixture(5).fit_blocks([np.zeros((2, 2)), np.zeros((2, 2))])

    def test_another_width(self):
        with pytest.raises(ValueError, match="X has 3 features, but GaussianMixture is expecting 2"):
            GaussianMixture().fit_blocks([np.zeros((3, 2)), np.zeros((3, 3))])

    def test_what_is_no_number_is_named_by_its_row_of_all(self):
        X = np.zeros((10, 2))
        X[7, 1] = np.nan
        with pytest.raises(BgsubError, match="NaN at row 7, column 1"):
            GaussianMixture().fit_blocks(np.split(X, 5))

    def test_blocks_that_end_sooner_the_second_time(self):
        X, _ = blobs(n=100)
        readings = iter([[X], [X[:50]]])
        with pytest.raises(BgsubError, match="gave 100 rows in the first pass and 50 in a later one"):
            GaussianMixture().fit_blocks(lambda: next(readings))


class TestPartialFit:
    @pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
    def test_the_first_call_is_one_em_iteration(self, covariance_type):
        X, _ = blobs(n=600, spread=2.0)
        kind = {"covariance_type": covariance_type, "random_state": 0}
        with pytest.warns(match="did not converge"):
            once = GaussianMixture(3, max_iter=1, **kind).fit(X)
        first = GaussianMixture(3, **kind).partial_fit(X)
        assert_allclose(first.means_, once.means_, rtol=1e-10)
        assert_allclose(first.covariances_, once.covariances_, rtol=1e-9, atol=1e-12)
        assert first.lower_bound_ == pytest.approx(once.lower_bound_, rel=1e-12)

    @pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
    def test_one_component_with_a_decay_of_one_is_the_mean_of_all_rows(self, covariance_type):
        X, _ = blobs(n=900, n_components=2)
        model = GaussianMixture(covariance_type=covariance_type, learning_decay=1.0)
        for part in np.split(X, 9):
            model.partial_fit(part)
        whole = GaussianMixture(covariance_type=covariance_type).fit(X)
        assert_allclose(model.means_, whole.means_, rtol=1e-10)
        assert_allclose(model.covariances_, whole.covariances_, rtol=1e-8)
        assert model.n_batches_ == 9

    def test_one_component_weighs_calls_by_the_decay(self):
        model = GaussianMixture(learning_decay=0.6)
        batches = [np.random.default_rng(i).normal(i, 1, (50, 1)) for i in range(4)]
        expected = 0.0
        for t, batch in enumerate(batches):
            model.partial_fit(batch)
            rate = (1 + t) ** -0.6
            expected = (1 - rate) * expected + rate * batch.mean()
        assert model.means_[0, 0] == pytest.approx(expected, rel=1e-10)

    @pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
    def test_one_pass_over_batches_comes_close_to_em(self, covariance_type):
        X, _ = blobs(n=20_000, n_features=2, n_components=3, spread=4.0)
        start = {"covariance_type": covariance_type, "random_state": 0}
        model = GaussianMixture(3, **start)
        for part in np.split(X, 40):
            model.partial_fit(part)
        assert model.score(X) > GaussianMixture(3, **start, max_iter=500, tol=1e-6).fit(X).score(X) - 0.01

    def test_a_model_follows_rows_that_drift(self):
        X, _, means, _ = ellipses()
        lags = []
        for decay in (1.0, 0.75, 0.51):
            model = GaussianMixture(2, random_state=0, learning_decay=decay).fit(X)
            order = aligned(model.means_, means)
            for i in range(1, 40):
                model.partial_fit(X + 0.1 * i)
            lags.append((means + 3.9 - model.means_[order]).mean())
        assert lags == sorted(lags, reverse=True)  # the lower the decay, the sooner it forgets
        assert lags[0] > 1.5
        assert lags[-1] < 0.8

    def test_scaled_weights_change_nothing(self):
        X, _ = blobs()
        plain, scaled = (GaussianMixture(2, random_state=0) for _ in range(2))
        for part in np.split(X, 4):
            plain.partial_fit(part)
            scaled.partial_fit(part, sample_weight=np.full(len(part), 3.0))
        assert_allclose(scaled.means_, plain.means_, rtol=1e-12)

    def test_a_given_start_is_used(self):
        X, _ = blobs()
        start = {"means_init": X[:2], "weights_init": [0.3, 0.7], "precisions_init": [np.eye(3)] * 2}
        with pytest.warns(match="did not converge"):
            once = GaussianMixture(2, max_iter=1, **start).fit(X)
        assert_allclose(GaussianMixture(2, **start).partial_fit(X).means_, once.means_, rtol=1e-12)

    @pytest.mark.parametrize("decay", [0.5, 1.1, -1])
    def test_a_decay_out_of_bounds(self, decay):
        with pytest.raises(ValueError, match="'learning_decay' parameter"):
            GaussianMixture(learning_decay=decay).partial_fit(blobs()[0])

    def test_fewer_rows_than_components_are_enough_once_it_is_fitted(self):
        X, _ = blobs()
        model = GaussianMixture(4, random_state=0).partial_fit(X)
        before = model.means_.copy()
        model.partial_fit(X[:1])
        assert not np.array_equal(model.means_, before)
