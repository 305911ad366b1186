"""Mixtures of rows in partitions: the parameters of one machine, whatever cuts the rows and whoever does the work."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import bgsub
from bgsub.errors import ClusterError, ParameterError

da = pytest.importorskip("dask.array")
dd = pytest.importorskip("dask.dataframe")
pd = pytest.importorskip("pandas")
from bgsub import distributed  # noqa: E402 (once it is known that there is Dask)
from tests.distributed import errands  # noqa: E402
from tests.distributed.conftest import small_cluster  # noqa: E402

FITTED = ("weights_", "means_", "covariances_", "precisions_cholesky_")


def rows(n=3000, seed=0, far=0.0, width=3):
    """Three clusters, far from the origin where that is wanted, in random order."""
    random = np.random.default_rng(seed)
    centres = random.normal(0, 4, (3, width)) + far
    return centres[random.choice(3, n, p=[0.5, 0.3, 0.2])] + random.normal(0, 1, (n, width)) * [1.0] * width


def with_gaps(X, share=0.2, seed=1):
    X = X.copy()
    X[np.random.default_rng(seed).random(X.shape) < share] = np.nan
    return X


def with_strays(X, n=150):
    """The rows, and some anywhere, in random order."""
    random = np.random.default_rng(3)
    strays = random.uniform(X.min(axis=0) - 5, X.max(axis=0) + 5, (n, X.shape[1]))
    return random.permutation(np.concatenate([X, strays]))


def in_blocks(X, *lengths):
    """The rows as a Dask array of such blocks; the last takes the rest."""
    return da.from_array(X, chunks=((*lengths, len(X) - sum(lengths)), (X.shape[1],)))


def frame(X, npartitions=4, **others):
    named = pd.DataFrame(X, columns=[f"c{i}" for i in range(X.shape[1])]).assign(**others)
    return dd.from_pandas(named, npartitions=npartitions, sort=False)


def mixture(**options):
    return bgsub.GaussianMixture(**{"n_components": 3, "random_state": 0, "max_iter": 200, **options})


def assert_same(found, wanted, rtol=1e-9):
    assert found.n_iter_ == wanted.n_iter_
    for name in FITTED:
        ours, theirs = getattr(found, name), getattr(wanted, name)
        assert ours.dtype == theirs.dtype
        np.testing.assert_allclose(ours, theirs, rtol=rtol, atol=rtol * np.abs(theirs).max())
    assert found.lower_bound_ == pytest.approx(wanted.lower_bound_, rel=1e-9)


def assert_equal_bits(found, wanted):
    for name in FITTED:
        assert getattr(found, name).tobytes() == getattr(wanted, name).tobytes(), name


class TestOneMachinesParameters:
    @pytest.mark.parametrize("covariance_type", ["full", "tied", "diag", "spherical"])
    def test_of_every_covariance_type(self, covariance_type):
        X = rows(far=1e4)
        wanted = mixture(covariance_type=covariance_type).fit(X)
        assert_same(distributed.fit(mixture(covariance_type=covariance_type), in_blocks(X, 700, 1, 1500)), wanted)

    def test_of_more_columns_than_are_unrolled(self):
        X = rows(width=20)
        assert_same(distributed.fit(mixture(), in_blocks(X, 900)), mixture().fit(X))

    @pytest.mark.parametrize("init_params", ["kmeans", "k-means++", "random_from_data", "short_runs"])
    def test_from_the_same_starts_where_they_are_drawn_from_some_of_the_rows(self, init_params):
        X = rows(25_000)  # of which 20,000 are drawn
        options = {"init_params": init_params, "n_init": 3}
        assert_same(distributed.fit(mixture(**options), in_blocks(X, 10_000, 3, 9000)), mixture(**options).fit(X))

    def test_with_weights(self):
        X = rows()
        weights = np.random.default_rng(2).integers(0, 4, len(X)).astype(float)
        wanted = mixture().fit(X, sample_weight=weights)
        blocks = in_blocks(X, 1000, 1000)
        assert_same(distributed.fit(mixture(), blocks, sample_weight=weights), wanted)
        assert_same(distributed.fit(mixture(), blocks, sample_weight=da.from_array(weights, chunks=600)), wanted)
        assert_same(distributed.fit(mixture(), frame(X, w=weights), sample_weight="w"), wanted)
        named = frame(X, w=weights)
        assert_same(distributed.fit(mixture(), named[["c0", "c1", "c2"]], sample_weight=named["w"]), wanted)

    @pytest.mark.parametrize("covariance_type", ["full", "tied"])
    def test_with_noise(self, covariance_type):
        X = with_strays(rows())
        options = {"covariance_type": covariance_type, "noise": "box"}
        wanted, found = mixture(**options).fit(X), distributed.fit(mixture(**options), in_blocks(X, 1000, 0, 1500))
        assert_same(found, wanted)
        assert 0.02 < found.noise_.weight < 0.06
        assert found.noise_.weight == pytest.approx(wanted.noise_.weight, rel=1e-9)
        labels = distributed.predict(found, in_blocks(X, 800)).compute()
        np.testing.assert_array_equal(labels, wanted.predict(X))
        assert 50 < (labels == -1).sum() < 200

    def test_with_noise_as_far_as_rows_of_a_weight_lie(self):
        X = with_strays(rows())
        X[7], X[2000] = 1e6, -1e6
        weights = np.random.default_rng(2).integers(0, 4, len(X)).astype(float)
        weights[[7, 2000]] = 0
        wanted = mixture(noise="box").fit(X, sample_weight=weights)
        found = distributed.fit(mixture(noise="box"), in_blocks(X, 1000), sample_weight=weights)
        assert_same(found, wanted)
        region = found.fitted_mixture().noise.region
        assert region.low.tolist() == X[weights > 0].min(axis=0).tolist()
        assert region.high.tolist() == X[weights > 0].max(axis=0).tolist()

    def test_with_gaps(self):
        X = with_gaps(rows())
        X[40] = np.nan
        wanted = mixture(missing="em").fit(X)
        assert_same(distributed.fit(mixture(missing="em"), in_blocks(X, 41, 1500)), wanted)
        assert_same(distributed.fit(mixture(missing="em"), frame(X)), wanted)

    def test_with_gaps_and_weights_and_starts_from_some_of_the_rows(self):
        X = with_gaps(rows(25_000))
        X[::7] = np.nan
        weights = np.random.default_rng(2).random(len(X)) * (np.arange(len(X)) % 3 > 0)
        with pytest.warns(bgsub.FitWarning, match="the weights sum to"):
            wanted = mixture(missing="em").fit(X, sample_weight=weights)
        with pytest.warns(bgsub.FitWarning, match="the weights sum to .* rows that have one: criteria"):
            found = distributed.fit(mixture(missing="em"), in_blocks(X, 5000, 7000), sample_weight=weights)
        assert_same(found, wanted, rtol=1e-8)

    def test_of_float32(self):
        X = rows().astype(np.float32)
        found = distributed.fit(mixture(), in_blocks(X, 1000))
        assert found.means_.dtype == np.float32
        assert_same(found, mixture().fit(X), rtol=1e-6)
        assert_same(distributed.fit(mixture(), frame(X)), mixture().fit(X), rtol=1e-6)

    def test_of_whole_numbers_and_truth_values(self):
        X = np.column_stack([np.round(rows() * 10), rows()[:, 0] > 0]).astype(int)
        assert_same(distributed.fit(mixture(), in_blocks(X, 1000)), mixture().fit(X))

    def test_of_frames_whose_numbers_are_of_several_types_and_may_be_na(self):
        X = with_gaps(np.round(rows() * 10))
        named = pd.DataFrame(X, columns=["a", "b", "c"]).astype({"a": "Int64", "b": "Float32", "c": "float64"})
        found = distributed.fit(mixture(missing="em"), dd.from_pandas(named, npartitions=3))
        assert_same(found, mixture(missing="em").fit(X))
        assert found.feature_names_in_.tolist() == ["a", "b", "c"]

    def test_of_masked_blocks(self):
        X = with_gaps(rows())
        masked = da.ma.masked_invalid(in_blocks(X, 1000))
        assert_same(distributed.fit(mixture(missing="em"), masked), mixture(missing="em").fit(X))

    def test_with_given_starts_and_squarem_and_from_where_the_last_fit_ended(self):
        X = rows()
        given = {"means_init": X[:3], "acceleration": "squarem"}
        assert_same(distributed.fit(mixture(**given), in_blocks(X, 1000)), mixture(**given).fit(X))
        ours, theirs = mixture(warm_start=True, max_iter=3, tol=0), mixture(warm_start=True, max_iter=3, tol=0)
        with pytest.warns(Warning, match="did not converge"):
            for _ in range(2):
                distributed.fit(ours, in_blocks(X, 1000))
                theirs.fit(X)
        assert_same(ours, theirs)

    def test_of_columns_cut_apart_and_blocks_of_unknown_length(self):
        X = rows()
        wanted = mixture().fit(X)
        assert_same(distributed.fit(mixture(), da.from_array(X, chunks=(1000, 2))), wanted)
        unknown = frame(X).to_dask_array()
        assert np.isnan(unknown.shape[0])
        assert_same(distributed.fit(mixture(), unknown), wanted)

    def test_with_partitions_without_rows_without_values_and_without_weight(self):
        X = with_gaps(rows())
        X[1000:1500] = np.nan  # a partition of its own
        weights = np.ones(len(X))
        weights[2000:2500] = 0  # another
        blocks = in_blocks(X, 1000, 0, 500, 500, 500)
        wanted = mixture(missing="em").fit(X, sample_weight=weights)
        assert_same(distributed.fit(mixture(missing="em"), blocks, sample_weight=weights), wanted)
        X = rows()
        kept = frame(X)[frame(X)["c0"] > np.sort(X[:, 0])[-400]]
        few = kept.partitions[[0, 1]]
        assert_same(distributed.fit(mixture(), few), mixture().fit(few.compute().to_numpy()))

    def test_a_column_that_is_missing_in_some_partitions(self):
        X = with_gaps(rows())
        X[:1000, 1] = np.nan
        assert_same(distributed.fit(mixture(missing="em"), in_blocks(X, 1000)), mixture(missing="em").fit(X))

    def test_blocks_of_which_one_has_no_weight_are_fitted_here_too(self):
        X = rows()
        weights = np.ones(len(X))
        weights[:1000] = 0
        cut = [(X[i : i + 1000], weights[i : i + 1000]) for i in range(0, len(X), 1000)]
        assert_same(mixture().fit_blocks(cut), mixture().fit(X, sample_weight=weights))
        with pytest.raises(ParameterError, match="every sample_weight is zero"):
            mixture().fit_blocks([(X, np.zeros(len(X)))])


class TestParquet:
    @pytest.fixture
    def table(self, tmp_path, monkeypatch):
        """A folder of two files, in groups of 300 rows, each a partition."""
        monkeypatch.setattr("bgsub.tables.parts._FEWEST_CELLS", 900)
        X = rows()
        named = pd.DataFrame(X, columns=["a", "b", "c"]).assign(who="x", w=np.arange(3000) % 4)
        (tmp_path / "t").mkdir()
        for name, part in (("1", named[:1300]), ("2", named[1300:])):
            part.to_parquet(tmp_path / "t" / f"{name}.parquet", row_group_size=300)
        named.to_parquet(tmp_path / "t.parquet", row_group_size=300)
        return tmp_path / "t", named

    def test_a_folder_and_a_file_are_fitted_as_rows_in_memory(self, table):
        folder, named = table
        wanted = mixture().fit(named[["a", "b", "c"]], sample_weight=named["w"])
        found = distributed.fit(mixture(), folder, sample_weight="w")
        assert found.feature_names_in_.tolist() == ["a", "b", "c"]
        assert_same(found, wanted)
        assert_same(distributed.fit(mixture(), str(folder.with_suffix(".parquet")), sample_weight="w"), wanted)
        chosen = distributed.fit(mixture(), folder, columns=["b", "a"])
        assert_same(chosen, mixture().fit(named[["b", "a"]]))
        assert (distributed.predict(chosen, folder).compute() == chosen.predict(named[["b", "a"]])).all()
        assert distributed.score_samples(chosen, folder).shape == (3000,)

    def test_gaps_are_known_and_what_is_infinite_is_named(self, table):
        folder, named = table
        X = with_gaps(named[["a", "b", "c"]].to_numpy())
        gaps = pd.DataFrame(X, columns=["a", "b", "c"])
        gaps.to_parquet(folder.parent / "gaps.parquet", row_group_size=300)
        wanted = mixture(missing="em").fit(X)
        assert_same(distributed.fit(mixture(missing="em"), folder.parent / "gaps.parquet"), wanted)
        gaps.loc[1702, "b"] = np.inf
        gaps.to_parquet(folder.parent / "gaps.parquet", row_group_size=300)
        with pytest.raises(ParameterError, match=r"infinity .* row 1702, column 1 \('b'\) \(partition 5 of 10\)"):
            distributed.fit(mixture(missing="em"), folder.parent / "gaps.parquet")

    def test_columns_and_weights_that_are_none(self, table):
        folder, _ = table
        with pytest.raises(ParameterError, match=r"^column 'who' of .*t holds no numbers: .* there are a, b, c, w"):
            distributed.fit(mixture(), folder, columns=["a", "who"])
        with pytest.raises(ParameterError, match=r"^.*t has no column 'z': there are a, b, c, who, w"):
            distributed.fit(mixture(), folder, sample_weight="z")
        with pytest.raises(ParameterError, match=r"^sample_weight of Parquet is the name of its column"):
            distributed.fit(mixture(), folder, sample_weight=np.ones(3000))
        with pytest.raises(ParameterError, match=r"^column 'a' is named twice"):
            distributed.fit(mixture(), folder, columns=["a", "a"])
        with pytest.raises(bgsub.SourceError, match=r"cannot read nowhere.parquet: no such file"):
            distributed.fit(mixture(), "nowhere.parquet")


class TestTheSameBits:
    def test_of_the_same_partitions_by_any_number_of_threads(self):
        dask = pytest.importorskip("dask")
        X = in_blocks(with_gaps(rows()), 400, 400, 400, 400)
        found = []
        for scheduler in ({"scheduler": "synchronous"}, {"scheduler": "threads", "num_workers": 4}):
            with dask.config.set(**scheduler):
                found.append(distributed.fit(mixture(missing="em"), X))
        assert_equal_bits(*found)

    def test_of_many_partitions_added_up_as_a_tree(self):
        X = rows()
        blocks = in_blocks(X, *[50] * 59)
        once, again = (distributed.fit(mixture(), blocks) for _ in range(2))
        assert_equal_bits(once, again)
        assert_same(once, mixture().fit(X))


class TestSelection:
    def test_finds_what_one_machine_finds(self):
        X = rows()
        weights = np.random.default_rng(3).random(len(X))
        options = {"n_components": [1, 2], "covariance_type": ["full", "diag"], "random_state": 1, "n_init": 3}
        options |= {"max_iter": 30, "tol": 1e-4}
        with pytest.warns(bgsub.FitWarning, match="are scaled to sum to that number"):
            wanted = bgsub.select(X, sample_weight=weights, **options)
        with pytest.warns(bgsub.FitWarning, match="are scaled to sum to that number"):
            found = distributed.select(in_blocks(X, 900, 900), sample_weight=weights, **options)
        assert [c[:2] for c in found.table] == [c[:2] for c in wanted.table]
        np.testing.assert_allclose([c[2:6] for c in found.table], [c[2:6] for c in wanted.table], rtol=1e-9)
        assert_same(found.best, wanted.best)
        assert found.best.get_params() == wanted.best.get_params()

    def test_tells_of_what_has_collapsed(self):
        X = np.column_stack([rows()[:, :2], np.random.default_rng(0).integers(0, 2, 3000)])
        with pytest.warns(bgsub.FitWarning, match="collapsed and cannot be the best"):
            found = distributed.select(in_blocks(X, 1000), [1, 4], ["diag"], random_state=0, n_init=1, max_iter=50)
        assert any(candidate.collapsed for candidate in found.table)
        assert not found.best_candidate.collapsed

    def test_finds_what_bgsub_select_finds_among_noise(self):
        X = with_strays(rows()[:, :2])
        options = {"random_state": 0, "n_init": 1, "noise": "box"}
        found = distributed.select(in_blocks(X, 1000), [2, 3], ["full", "diag"], **options)
        wanted = bgsub.select(X, [2, 3], ["full", "diag"], **options)
        np.testing.assert_allclose([c[2:6] for c in found.table], [c[2:6] for c in wanted.table], rtol=1e-9)
        assert_same(found.best, wanted.best)

    def test_takes_no_hull(self):
        with pytest.raises(ParameterError, match=r"^a hull of noise needs the rows here: give noise='box'"):
            distributed.select(in_blocks(rows(), 1000), [1, 2], noise="hull")


class TestWhatIsSaidOfRows:
    @pytest.mark.parametrize("missing", ["error", "em"])
    def test_is_what_the_mixture_says(self, missing):
        X = rows() if missing == "error" else with_gaps(rows())
        fitted = mixture(missing=missing).fit(X)
        for given in (in_blocks(X, 700), da.from_array(X, chunks=(700, 2)), frame(X).to_dask_array()):
            labels, densities = distributed.predict(fitted, given), distributed.score_samples(fitted, given)
            assert isinstance(labels, da.Array)
            assert labels.dtype == np.intp
            assert (labels.compute() == fitted.predict(X)).all()
            np.testing.assert_allclose(densities.compute(), fitted.score_samples(X), rtol=1e-12)
        assert distributed.predict(fitted, in_blocks(X, 700)).chunks == ((700, 2300),)

    def test_finds_columns_by_their_names_in_any_order(self):
        X = rows()
        fitted = mixture().fit(pd.DataFrame(X, columns=["c0", "c1", "c2"]))
        shuffled = frame(X, name="somebody")[["c2", "name", "c0", "c1"]]
        assert (distributed.predict(fitted, shuffled).compute() == fitted.fitted_mixture().labels(X)).all()
        with pytest.raises(ParameterError, match="X has no column 'c1': there are c0, c2"):
            distributed.predict(fitted, frame(X)[["c0", "c2"]])

    def test_is_float32_where_all_is(self):
        X = rows().astype(np.float32)
        fitted = mixture().fit(X)
        assert distributed.score_samples(fitted, in_blocks(X, 1000)).compute().dtype == np.float32
        assert distributed.score_samples(fitted, in_blocks(X.astype(float), 1000)).dtype == np.float64

    def test_knows_noise(self):
        X = np.concatenate([rows(), np.random.default_rng(0).uniform(-30, 30, (200, 3))])
        fitted = mixture(noise="box").fit(X)
        found = distributed.predict(fitted, in_blocks(X, 1000)).compute()
        assert (found == fitted.predict(X)).all()
        assert (found == -1).sum() > 100

    def test_of_no_rows_at_all(self):
        fitted = mixture().fit(rows())
        assert distributed.predict(fitted, in_blocks(np.empty((0, 3)))).compute().shape == (0,)

    def test_needs_a_fitted_mixture_and_its_columns(self):
        from sklearn.exceptions import NotFittedError

        with pytest.raises(NotFittedError):
            distributed.predict(mixture(), in_blocks(rows(), 1000))
        with pytest.raises(ParameterError, match="X has 2 features, but the mixture was fitted to 3"):
            distributed.score_samples(mixture().fit(rows()), in_blocks(rows()[:, :2], 1000))
        with pytest.raises(ParameterError, match=r"^Input X contains NaN at row 2, column 1 of a partition"):
            X = rows()
            X[1002, 1] = np.nan
            distributed.predict(mixture().fit(rows()), in_blocks(X, 1000)).compute()


@pytest.mark.parametrize("method", ["fit", "fit_predict", "partial_fit", "predict", "score_samples", "predict_proba"])
@pytest.mark.parametrize("make", [frame, lambda X: in_blocks(X, 1000), lambda X: frame(X)["c0"]])
def test_the_estimator_names_who_takes_what_lies_in_partitions(method, make):
    fitted = mixture().fit(rows())
    told = r"^X is a Dask (DataFrame|Array|Series), which may be larger than memory: give it to bgsub\.distributed\."
    with pytest.raises(ParameterError, match=told):
        getattr(fitted, method)(make(rows()))
    with pytest.raises(ParameterError, match=told):
        bgsub.select(make(rows()))


class TestUnfitRows:
    @pytest.mark.parametrize(
        ("value", "missing", "told"),
        [
            (np.nan, "error", r"^Input X contains NaN at row 1702, column 1 \(partition 2 of 4\); .*missing=\"em\""),
            (
                np.inf,
                "error",
                r"^Input X contains infinity .* at row 1702, column 1 \(partition 2 of 4\); drop or impute",
            ),
            (
                -np.inf,
                "em",
                r"^Input X contains infinity .* at row 1702, column 1 \(partition 2 of 4\); drop or impute",
            ),
        ],
    )
    def test_a_value_that_is_not_finite_is_named(self, value, missing, told):
        X = rows()
        X[1702, 1] = X[2500, 0] = value
        with pytest.raises(ParameterError, match=told):
            distributed.fit(mixture(missing=missing), in_blocks(X, 1000, 500, 500))

    def test_columns_of_a_frame_have_their_names(self):
        X = rows()
        X[1702, 1] = np.inf
        with pytest.raises(ParameterError, match=r"row 1702, column 1 \('c1'\) \(partition 2 of 4\)"):
            distributed.fit(mixture(), frame(X))

    @pytest.mark.parametrize("weight", [np.nan, -1.0, np.inf])
    def test_a_weight_that_is_none(self, weight):
        weights = np.ones(3000)
        weights[1003] = weight
        with pytest.raises(ParameterError, match=rf"^partition 1 of 2: sample_weight\[3\] is {weight}: give finite"):
            distributed.fit(mixture(), in_blocks(rows(), 1000), sample_weight=weights)

    def test_no_weight_at_all(self):
        with pytest.raises(ParameterError, match=r"^every sample_weight is zero"):
            distributed.fit(mixture(), in_blocks(rows(), 1000), sample_weight=np.zeros(3000))

    def test_text(self):
        named = frame(rows(), name="somebody")
        with pytest.raises(ParameterError, match=r"^column 'name' of X holds .*: .*columns=\['c0', 'c1', 'c2'\]"):
            distributed.fit(mixture(), named)
        assert distributed.fit(mixture(), named, columns=["c0", "c1"]).n_features_in_ == 2
        with pytest.raises(ParameterError, match=r"^X is a Dask array of dtype <U"):
            distributed.fit(mixture(), in_blocks(rows().astype(str), 1000))
        with pytest.raises(ParameterError, match=r"^X is a Dask array of dtype complex128"):
            distributed.fit(mixture(), in_blocks(rows() + 0j, 1000))

    def test_text_where_numbers_were_promised(self):
        X = da.map_blocks(lambda block: block.astype(str).astype(object) + "x", in_blocks(rows(), 1000), dtype=float)
        with pytest.raises(ParameterError, match=r"^partition 0 of 2: X holds what is no number \(could not convert"):
            distributed.fit(mixture(), X)

    def test_other_columns_than_were_promised(self):
        X = da.map_blocks(lambda block: block[:, :2], in_blocks(rows(), 1000), dtype=float, chunks=((1000, 2000), (3,)))
        with pytest.raises(ParameterError, match=r"^partition 0 of 2: it has the shape \(1000, 2\), where 3 columns"):
            distributed.fit(mixture(), X)

    def test_too_few_rows(self):
        with pytest.raises(ParameterError, match=r"n_components = 3, n_samples = 2"):
            distributed.fit(mixture(), in_blocks(rows(2), 1))
        with pytest.raises(ParameterError, match=r"^X holds no rows"):
            distributed.fit(mixture(), in_blocks(np.empty((0, 3))))
        with pytest.raises(ParameterError, match=r"^X has 1 row that counts"):
            distributed.fit(mixture(n_components=1), in_blocks(rows(1)))

    def test_a_column_that_is_missing_everywhere(self):
        X = rows()
        X[:, 2] = np.nan
        with pytest.raises(ParameterError, match=r"^column 2 \('c2'\) of X is missing in every row"):
            distributed.fit(mixture(missing="em"), frame(X))

    def test_a_hull_of_noise(self):
        with pytest.raises(ParameterError, match=r"^a hull of noise needs the rows here"):
            distributed.fit(mixture(noise="hull"), in_blocks(rows(), 1000))

    def test_noise_among_gaps_and_in_a_constant_column(self):
        with pytest.raises(ParameterError, match=r"^noise and trim need complete rows"):
            distributed.fit(mixture(noise="box", missing="em"), in_blocks(rows(), 1000))
        X = rows()
        X[:, 1] = 3.0
        with pytest.raises(ParameterError, match=r"^column 1 \('c1'\) is constant, so that the region of noise has no"):
            distributed.fit(mixture(noise="box"), frame(X))

    def test_what_is_no_table(self):
        with pytest.raises(ParameterError, match=r"^X is of type ndarray: give a Dask array"):
            distributed.fit(mixture(), rows())
        with pytest.raises(ParameterError, match=r"^X is a Dask series: give a data frame"):
            distributed.fit(mixture(), frame(rows())["c0"])
        with pytest.raises(ParameterError, match=r"^X has the shape \(3000,\)"):
            distributed.fit(mixture(), da.from_array(rows()[:, 0]))
        with pytest.raises(ParameterError, match=r"^the mixture is of type Array: give a bgsub.GaussianMixture"):
            distributed.fit(in_blocks(rows(), 1000), mixture())
        with pytest.raises(ParameterError, match=r"^X has no column 'z': there are c0, c1, c2"):
            distributed.fit(mixture(), frame(rows()), columns=["c0", "z"])
        with pytest.raises(ParameterError, match=r"^columns is given for an array"):
            distributed.fit(mixture(), in_blocks(rows(), 1000), columns=["a"])

    def test_weights_of_another_length_or_cut_otherwise(self):
        X = in_blocks(rows(), 1000)
        with pytest.raises(ParameterError, match=r"^sample_weight.shape == \(5,\), expected \(3000,\)"):
            distributed.fit(mixture(), X, sample_weight=np.ones(5))
        with pytest.raises(ParameterError, match=r"^sample_weight of a Dask data frame is the name of its column"):
            distributed.fit(mixture(), frame(rows()), sample_weight=np.ones(3000))
        unknown = frame(rows()).to_dask_array()
        with pytest.raises(ParameterError, match=r"^sample_weight has 3 blocks, X 4, of unknown length"):
            distributed.fit(mixture(), unknown, sample_weight=da.ones(3000, chunks=1000))
        with pytest.raises(ParameterError, match=r"^partition 0 of 4: there are 1000 weights for 750 rows"):
            distributed.fit(mixture(), unknown, sample_weight=da.ones(3750, chunks=(1000, 1000, 1000, 750)))


def test_what_is_public_is_imported_at_its_first_use():
    code = (
        "import sys, bgsub; names = dir(bgsub.distributed); assert 'dask' not in sys.modules, 'too early'; "
        "bgsub.distributed.fit; assert 'dask' in sys.modules; print(*names)"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(told.stdout.split()) >= {"fit", "predict", "score_samples", "select"}
    code = "import sys; sys.modules['dask'] = None; import bgsub.distributed; bgsub.distributed.fit"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert told.stderr.splitlines()[-1].endswith(
        'bgsub.distributed.fit needs dask, which is not installed; pip install "bgsub[dask]"'
    )
    with pytest.raises(AttributeError, match=r"^module 'bgsub.distributed' has no attribute 'fits'$"):
        distributed.fits  # noqa: B018


# ------------------------------------------------------------------------------------------------ processes of workers


@pytest.fixture(scope="module")
def scaled():
    """A cluster whose number of workers these tests change."""
    with small_cluster(1) as cluster:
        yield cluster


def with_workers(cluster, n):
    """A client of so many workers."""
    cluster.scale(n)
    client = cluster.get_client()
    client.wait_for_workers(n, timeout=60)
    return client


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*did not converge")
class TestWorkers:
    def test_any_number_of_them_gives_the_same_bits(self, scaled):
        X = with_gaps(rows())
        blocks = in_blocks(X, *[300] * 9)
        few = {"missing": "em", "max_iter": 8, "tol": 0}
        here = distributed.fit(mixture(**few), blocks)
        for n in (1, 2):
            with with_workers(scaled, n) as client:
                assert_equal_bits(distributed.fit(mixture(**few), blocks), here)
                assert_equal_bits(distributed.fit(mixture(**few), blocks.persist()), here)
                assert (distributed.predict(here, frame(X)).compute() == here.predict(X)).all()
                assert client.scheduler_info(n_workers=-1)["workers"]
        assert_same(here, mixture(**few).fit(X))

    def test_one_of_another_code_that_joins_later_is_refused(self, scaled):
        with with_workers(scaled, 1) as client:
            client.run(errands.have_other_code)
            with pytest.raises(
                ClusterError, match=r"^the worker \S+ has bgsub \S+ with other code, this process bgsub"
            ):
                distributed.fit(mixture(), in_blocks(rows(), 1000))
            client.run(errands.have_the_same_code)

    def test_the_error_of_a_partition_is_the_same_line(self, scaled):
        X = rows()
        X[1702, 1] = np.nan
        with with_workers(scaled, 1), pytest.raises(ParameterError, match=r"row 1702, column 1 \(partition 1 of 2\)"):
            distributed.fit(mixture(), in_blocks(X, 1000))

    def test_one_that_is_killed_in_the_middle_of_a_pass_costs_its_partitions_only(self, scaled, tmp_path):
        X = rows()
        flag = tmp_path / "killed"

        def deadly(block, block_info=None):
            """The rows; one block kills its worker, once, in the third pass."""
            if block_info[0]["chunk-location"][0] == 2:
                seen = tmp_path / f"pass-{time.monotonic_ns()}"
                seen.touch()
                if len(list(tmp_path.glob("pass-*"))) > 3 and not flag.exists():
                    flag.touch()
                    os.kill(os.getpid(), signal.SIGKILL)
            return block

        blocks = in_blocks(X, 1000, 500, 500)
        with with_workers(scaled, 2):
            found = distributed.fit(mixture(max_iter=4), da.map_blocks(deadly, blocks, dtype=float))
        assert flag.exists()
        assert_equal_bits(found, distributed.fit(mixture(max_iter=4), blocks))

    def test_a_partition_that_kills_every_worker_is_an_error_of_one_line(self, scaled):
        def deadly(block):
            os.kill(os.getpid(), signal.SIGKILL)
            return block

        scaled.scheduler.allowed_failures = 0
        with (
            with_workers(scaled, 2),
            pytest.raises(ClusterError, match=r"^a partition has taken down every worker that tried it"),
        ):
            distributed.fit(
                mixture(), da.map_blocks(deadly, in_blocks(rows(), 1000), dtype=float, meta=np.empty((0, 0)))
            )
