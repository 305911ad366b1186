"""The map between a table's units and the model's: means, covariances and densities agree on both sides; its file."""

import numpy as np
import pyarrow as pa
import pytest
from scipy.stats import multivariate_normal

from bgsub.errors import ModelFileError
from bgsub.tables.preparation import Features, Preparation
from bgsub.tables.rows import Rows

FEATURES = Features(("a", "b", "c"), ("c",), {"kind": ("x", "y")})


def turned(n_outputs=5, seed=0):
    """A preparation with a scale for each feature, and a rotation of which the first components are kept."""
    rng = np.random.default_rng(seed)
    scale = np.array([0.01, 1.0, 30.0, 5.0, 2.0])
    rotation = np.linalg.qr(rng.normal(size=(5, 5)))[0][:, :n_outputs]
    return Preparation(
        FEATURES, rng.normal(size=5) * 100, rotation / scale[:, None], rotation.T * scale, steps=("scale", "pca")
    )


def test_densities_agree_on_both_sides():
    """p_x(x) = p_z(z) |det A|: what the plain formula gives for restored means and covariances."""
    preparation, rng = turned(), np.random.default_rng(1)
    root = rng.normal(size=(5, 5))
    mean, covariance = rng.normal(size=5), root @ root.T
    z = rng.normal(size=(20, 5)) * 2
    x = preparation.restore(z)
    inside = multivariate_normal(mean, covariance).logpdf(z)
    outside = multivariate_normal(
        preparation.restore(mean[None])[0], preparation.restore_covariances(covariance[None])[0]
    ).logpdf(x)
    assert np.allclose(outside, inside + np.linalg.slogdet(preparation.forward)[1], rtol=1e-9)


def test_moments_of_many_rows_are_restored():
    preparation = turned(n_outputs=2)
    z = np.random.default_rng(1).normal(size=(5000, 2)) * [3, 0.5] + [1, 2]
    x = preparation.restore(z)
    assert np.allclose(preparation.restore(z.mean(axis=0)[None])[0], x.mean(axis=0), rtol=1e-10)
    covariance = np.cov(z.T, bias=True)
    assert np.allclose(
        preparation.restore_covariances(covariance[None])[0], np.cov(x.T, bias=True), rtol=1e-8, atol=1e-9
    )
    assert np.allclose(preparation.transform(x), z, rtol=1e-9, atol=1e-9)


def test_logarithms_are_undone_and_nothing_else():
    features = np.array([[1.0, -2.0, np.log(7.0), 0.0, 1.0]])
    assert np.allclose(turned().in_units(features), [[1, -2, 7, 0, 1]], rtol=1e-15)


def rows(texts):
    numbers = np.arange(3.0 * len(texts)).reshape(-1, 3) + 1
    column = pa.array(texts, pa.string())
    complete = column.is_valid().to_numpy(zero_copy_only=False)
    return Rows(10, numbers, [column], None, complete, pa.RecordBatch.from_pydict({}))


def test_features_of_rows():
    given = rows(["y", None, "x"])
    found = FEATURES.of(given, "t.csv")
    assert np.array_equal(found[:, :2], given.numbers[:, :2])
    assert np.allclose(found[:, 2], np.log([3, 6, 9]))
    assert np.array_equal(found[[0, 2], 3:], [[0, 1], [1, 0]])
    assert np.isnan(found[1, 3:]).all()
    assert given.numbers[0, 2] == 3  # the rows are as they were


def test_an_unknown_text_is_marked_and_a_missing_one_is_not():
    given = rows(["y", "z", None, "Y"])
    found = FEATURES.of(given, "t.csv")
    assert np.array_equal(found[0, 3:], [0, 1])
    assert np.isnan(found[1:, 3:]).all()
    assert not np.isnan(found[:, :3]).any()
    assert FEATURES.unseen(given).tolist() == [False, True, False, True]
    assert FEATURES.is_new("z", ("x", "y")) and not FEATURES.is_new("x", ("x", "y"))


def test_in_a_file_and_back():
    before = turned(n_outputs=3)
    after = Preparation.from_parts(before.meta(), before.arrays())
    assert after.features == FEATURES and after.steps == before.steps
    x = np.random.default_rng(0).normal(size=(4, 5))
    assert np.array_equal(after.transform(x), before.transform(x))
    assert np.array_equal(after.restore(x[:, :3]), before.restore(x[:, :3]))


@pytest.mark.parametrize(
    ("meta", "arrays"),
    [
        ({"numbers": ["a"]}, {}),
        ({"numbers": ["a", 3, "c"]}, {}),
        ({"categories": [["kind", "xy"]]}, {}),
        ({"steps": ["explode"]}, {}),
        ({"dates": ["when"]}, {}),
        ({"dates": "a"}, {}),
        ({}, {"offset": np.zeros(4)}),
        ({}, {"forward": np.zeros((5, 2))}),
        ({}, {"backward": np.full((3, 5), np.nan)}),
        ({}, {"offset": np.zeros((5, 1))}),
    ],
)
def test_parts_that_do_not_fit_are_refused(meta, arrays):
    sound = turned(n_outputs=3)
    with pytest.raises(
        ModelFileError, match="its preparation of tables is not laid out as it should be; fit the model"
    ):
        Preparation.from_parts(sound.meta() | meta, sound.arrays() | arrays)
    with pytest.raises(ModelFileError):
        Preparation.from_parts(None, sound.arrays())
