"""Kinds of scene from features of known kinds: who belongs together, who belongs to nobody."""

import numpy as np
import pytest

from bgsub.errors import SourceError
from bgsub.features.collecting import FEATURES, FrameFeatures
from bgsub.features.kinds import Settings, find_scenes

LENGTHS = (70, 25, 40, 35)  # frames of a day, a dusk, a night, and the dusk again
KINDS = np.repeat([0, 1, 2, 1], LENGTHS)


def features_of(kinds=KINDS, seed=0, fps=10):
    """Three kinds of scene that differ by brightness, blue and edges, with noise."""
    rng = np.random.default_rng(seed)
    values = rng.normal(0, 0.05, (len(kinds), len(FEATURES)))
    for name, levels in {"brightness": (60, 40, 15), "blue": (2, 9, 5), "vertical_edges": (3, 2, 0.5)}.items():
        values[:, FEATURES.index(name)] += np.array(levels)[kinds]
    values[:, -8:] *= 10
    values[:, FEATURES.index("embedding_0")] += np.array([30, 0, -30])[kinds]
    return FrameFeatures(np.arange(len(kinds)) * 2, np.arange(len(kinds)) / fps, values)


def strange(features, row):
    """The same features with one frame like no other: white, all of it moving."""
    for name, value in {"brightness": 99, "white": 90, "foreground": 95, "embedding_1": 60}.items():
        features.values[row, FEATURES.index(name)] = value
    return features


def test_kinds_are_found_and_numbered_by_how_often_they_are_seen():
    scenes = find_scenes(features_of())
    assert scenes.n_kinds == 3
    assert np.array_equal(scenes.labels, KINDS)
    assert scenes.segments() == [(0, 70, 0), (70, 95, 1), (95, 135, 2), (135, 170, 1)]
    assert np.allclose(scenes.seconds(), [7.0, 6.0, 4.0])
    assert np.allclose(scenes.probabilities.sum(axis=1), 1)
    assert np.array_equal(scenes.probabilities.argmax(axis=1), scenes.labels)
    assert scenes.learned.all()


@pytest.mark.parametrize("covariance", ["full", "tied", "diag", "spherical"])
def test_a_given_number_of_kinds(covariance):
    scenes = find_scenes(features_of(), Settings(3, covariance))
    assert np.array_equal(scenes.labels, KINDS)
    assert scenes.fit.mixture.covariance_type == covariance
    prepared = (scenes.features.values - scenes.offset) @ scenes.forward
    assert np.array_equal(scenes.fit.mixture.labels(prepared), scenes.labels)  # sorted, and still one mixture
    assert np.allclose(scenes.fit.mixture.log_densities(prepared), scenes.log_density)


@pytest.mark.parametrize("components", [None, 3, 4])
def test_one_strange_frame_is_the_least_likely_and_no_kind(components):
    scenes = find_scenes(strange(features_of(), 100), Settings(components))
    assert scenes.log_density.argmin() == 100
    assert scenes.unusual(3)[0] == 100
    assert scenes.n_kinds == (components or 3)
    assert np.bincount(scenes.labels).min() >= 3
    others = np.delete(np.arange(170), 100)
    if components != 4:
        assert np.array_equal(scenes.labels[others], KINDS[others])


def test_a_frame_that_would_be_a_kind_of_its_own_is_set_aside():
    scenes = find_scenes(strange(features_of(), 100), Settings(4, reg_covar=0.01))
    assert np.flatnonzero(~scenes.learned).tolist() == [100]
    assert 100 not in [row for kind in range(4) for row in scenes.typical(kind, 50)]


def test_no_more_than_a_twentieth_is_set_aside():
    kinds = np.repeat([0, 1], [10, 2])
    scenes = find_scenes(features_of(kinds), Settings(2))
    assert scenes.learned.all()
    assert np.array_equal(scenes.labels, kinds)


def test_a_still_scene_is_one_kind():
    features = features_of(np.zeros(50, int))
    assert find_scenes(features).n_kinds == 1
    features.values[:] = features.values[0]  # not even noise
    scenes = find_scenes(features)
    assert (scenes.n_kinds, scenes.segments()) == (1, [(0, 50, 0)])
    assert np.isfinite(scenes.log_density).all()
    assert scenes.striking(0) == []


def test_typical_frames_lie_apart_and_near_the_middle():
    scenes = find_scenes(features_of())
    for kind in range(3):
        rows = scenes.typical(kind, 4)
        assert len(rows) == 4 and rows == sorted(rows)
        assert (KINDS[rows] == kind).all()
        places = np.searchsorted(np.flatnonzero(kind == KINDS), rows)
        assert np.diff(places).min() > (kind == KINDS).sum() // 8
        density = scenes.log_density
        assert density[rows].mean() > density[kind == KINDS].mean()
    assert len(scenes.typical(2, 1000)) <= 40


def test_unusual_frames_are_of_different_moments():
    rows = find_scenes(strange(strange(features_of(), 100), 101)).unusual(5)
    assert rows[0] in (100, 101) and len({100, 101} & set(rows)) == 1
    assert np.diff(sorted(rows)).min() > 170 // 40


def test_what_a_kind_stands_out_by():
    scenes = find_scenes(features_of())
    (first, up), (second, _) = scenes.striking(0)
    assert {first, second} <= {"brightness", "blue", "vertical_edges"}
    name, deviations = scenes.striking(2)[0]
    values = scenes.features[name]
    assert deviations == pytest.approx((values[KINDS == 2].mean() - values.mean()) / values.std())
    assert scenes.striking(0, 0) == []
    assert abs(up) >= 0.5


def test_the_map_to_prepared_features_and_back():
    scenes = find_scenes(features_of())
    prepared = (scenes.features.values - scenes.offset) @ scenes.forward
    assert 1 <= prepared.shape[1] <= 6
    assert np.allclose(scenes.backward @ scenes.forward, np.eye(prepared.shape[1]))
    assert np.allclose(prepared.mean(axis=0), 0, atol=1e-9)
    covariance = np.cov(prepared.T, bias=True)
    assert np.allclose(covariance, np.diag(np.diag(covariance)), atol=1e-9)
    assert (np.diff(np.diag(covariance)) <= 0).all()


def test_noise_that_nobody_sees_makes_no_kinds():
    """Two frames' worth of flicker, far under what counts: standardising alone would blow it up."""
    features = features_of(np.zeros(80, int))
    features.values[:] = features.values[0]
    features.values[::2, FEATURES.index("brightness")] += 0.01
    assert find_scenes(features).n_kinds == 1


def test_same_seed_same_kinds():
    first, second = (find_scenes(features_of(), Settings(5, seed=3)) for _ in range(2))
    assert np.array_equal(first.probabilities, second.probabilities)


@pytest.mark.parametrize(
    ("count", "components", "message"),
    [
        (1, None, r"^1 frame is too few: give 2 or more$"),
        (1, 3, r"^1 frame is too few for 3 kinds of scene: give 3 or more$"),
        (4, 5, r"^4 frames are too few for 5 kinds of scene: give 5 or more$"),
    ],
)
def test_too_few_frames(count, components, message):
    with pytest.raises(SourceError, match=message):
        find_scenes(features_of(np.zeros(count, int)), Settings(components))


def test_as_few_frames_as_kinds():
    assert find_scenes(features_of(np.array([0, 1, 2])), Settings(3)).labels.tolist() in (
        [[a, b, c] for a in range(3) for b in range(3) for c in range(3) if len({a, b, c}) == 3]
    )
    assert find_scenes(features_of(np.array([0, 1]))).n_kinds == 1
