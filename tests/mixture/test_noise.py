"""The regions that noise lies in."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from bgsub import ParameterError
from bgsub.mixture.noise import Noise, region_of

CUBE = np.array(np.meshgrid([0, 2], [0, 3], [0, 5])).reshape(3, -1).T.astype(float)
TRIANGLE = np.array([[0.0, 0.0], [4.0, 0.0], [0.0, 1000.0], [1.0, 100.0]])


class TestABox:
    def test_it_reaches_from_the_lowest_to_the_highest_row_of_all_blocks(self):
        region = region_of([CUBE[:3], CUBE[3:5], CUBE[5:], CUBE[:0]], "box")
        assert (region.low.tolist(), region.high.tolist()) == ([0, 0, 0], [2, 3, 5])
        assert region.log_volume == pytest.approx(np.log(30))
        assert region.kind == "box"

    def test_it_holds_its_rows_and_none_outside(self):
        region = region_of([CUBE], "box")
        assert region.holds(np.concatenate([CUBE, [[1, 1, 1]]])).all()
        assert not region.holds([[2.001, 1, 1], [1, -0.001, 1], [1, 1, 99]]).any()

    def test_what_is_drawn_fills_it(self):
        region = region_of([CUBE], "box")
        rows = region.draw(20_000, np.random.RandomState(0))
        assert region.holds(rows).all()
        assert_allclose(rows.mean(axis=0), [1, 1.5, 2.5], atol=0.05)
        assert_allclose(rows.var(axis=0), np.array([4, 9, 25]) / 12, rtol=0.05)

    def test_a_volume_beyond_all_numbers_has_a_logarithm(self):
        rows = np.random.default_rng(0).normal(0, 1e8, (50, 100))
        assert region_of([rows], "box").log_volume == pytest.approx(np.log(np.ptp(rows, axis=0)).sum())

    def test_two_are_joined(self):
        joined = region_of([CUBE], "box").joined(region_of([CUBE - 10], "box"))
        assert (joined.low.tolist(), joined.high.tolist()) == ([-10, -10, -10], [2, 3, 5])


class TestAHull:
    def test_of_a_triangle_it_is_half_the_box(self):
        region = region_of([TRIANGLE], "hull")
        assert region.log_volume == pytest.approx(np.log(2000))
        assert len(region.vertices) == 3
        assert region.holds(TRIANGLE).all()
        assert not region.holds(np.array([[3.0, 900.0], [-0.1, 0.0]])).any()

    def test_it_does_not_depend_on_the_blocks(self):
        X = np.random.default_rng(0).normal(size=(500, 3)) * [1, 100, 1e-3]
        whole = region_of([X], "hull")
        for n in (2, 7, 400):
            assert region_of(np.array_split(X, n), "hull").log_volume == pytest.approx(whole.log_volume, rel=1e-12)
        halves = region_of([X[:250]], "hull").joined(region_of([X[250:]], "hull"))
        assert halves.log_volume == pytest.approx(whole.log_volume, rel=1e-12)

    def test_what_is_drawn_fills_it(self):
        region = region_of([TRIANGLE], "hull")
        rows = region.draw(20_000, np.random.RandomState(0))
        assert region.holds(rows).all()
        assert_allclose(rows.mean(axis=0), [4 / 3, 1000 / 3], rtol=0.02)  # its centre

    def test_of_one_feature_it_is_the_box(self):
        assert region_of([np.array([[1.0], [4.0]])], "hull").log_volume == pytest.approx(np.log(3))


@pytest.mark.parametrize(
    ("rows", "kind", "message"),
    [
        (
            np.array([[1.0, 2.0], [3.0, 2.0]]),
            "box",
            r"column 1 \('b'\) is constant, so that the region of noise has no volume",
        ),
        (np.array([[1.0, 2.0], [3.0, 2.0]]), "hull", r"column 1 \('b'\) is constant"),
        (np.array([[1.0, 1.0], [2.0, 2.0], [3.0, 3.0]]), "hull", "lie in a plane or on a line.*noise='box'"),
        (np.eye(4), "hull", "the hull of 4 columns takes too long: give noise='box' above 3"),
    ],
)
def test_a_region_without_volume_is_told(rows, kind, message):
    with pytest.raises(ParameterError, match=message):
        region_of([rows], kind, ["a", "b", "c", "d"])


class TestNoise:
    def test_its_share_and_the_whole_density(self):
        noise = Noise(0.25, region_of([CUBE], "box"))
        inside, outside = np.array([[1.0, 1.0, 1.0]]), np.array([[9.0, 9.0, 9.0]])
        others = np.log([0.02])
        assert noise.shares(others)[0] == pytest.approx((0.25 / 30) / (0.25 / 30 + 0.75 * 0.02))
        assert noise.total(others, inside)[0] == pytest.approx(np.log(0.25 / 30 + 0.75 * 0.02))
        assert noise.total(others, outside)[0] == pytest.approx(np.log(0.75 * 0.02))

    @pytest.mark.parametrize(("others", "share"), [(-1e6, 1.0), (-5e17, 1.0), (-np.inf, 1.0), (700.0, 0.0), (1e5, 0.0)])
    def test_a_row_as_far_off_as_can_be(self, others, share):
        noise = Noise(0.1, region_of([CUBE], "box"))
        with np.errstate(all="raise"):
            assert noise.shares(np.array([others]))[0] == pytest.approx(share, abs=1e-200)

    def test_of_no_weight_no_row_is(self):
        noise = Noise(0.0, region_of([CUBE], "box"))
        assert noise.shares(np.array([-10.0, -1e9])).tolist() == [0, 0]
        assert noise.total(np.array([-10.0]), CUBE[:1]).tolist() == [-10.0]
