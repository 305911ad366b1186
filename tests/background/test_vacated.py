"""Where something has left that stood there in the first frame, the ground looks like the ground around it."""

from __future__ import annotations

import numpy as np
import pytest

from bgsub import BackgroundSubtractor
from bgsub.background.adaptive.codes import MEAN_Y, ZERO_BYTE, rows_of_mode
from bgsub.background.adaptive.vacated import clear_vacated, vacated
from bgsub.simd import LANES

SHAPE = (60, 80)
PLACE = np.s_[20:40, 30:42]
FOUND = ZERO_BYTE + 50


def ground(level=120, spread=3.0, seed=0):
    return np.clip(np.random.default_rng(seed).normal(level, spread, SHAPE), 0, 255).astype(np.uint8)


def evidence_at(*places):
    evidence = np.full(SHAPE, ZERO_BYTE - 30, np.uint8)
    for place in places:
        evidence[place] = FOUND
    return evidence


def with_object(picture, place=PLACE, level=40):
    picture = picture.copy()
    picture[place] = level
    return picture


def modes_of(luma):
    """The heaviest mode of each pixel of such a background, grey: in tiles, the last one not full."""
    modes = np.full((-(-luma.size // LANES), rows_of_mode(1), LANES), 77, np.float32)
    for i, value in enumerate(luma.reshape(-1).tolist()):
        modes[i // LANES, MEAN_Y, i % LANES] = value
    return modes


def test_ground_that_something_has_left():
    left = vacated(ground(), with_object(ground(seed=1)), evidence_at(PLACE), 0.4)
    assert left[PLACE].mean() > 0.9
    assert not (left & (evidence_at(PLACE) != FOUND)).any()  # only what is foreground is asked


def test_an_object_before_known_ground_stays():
    assert not vacated(with_object(ground()), ground(seed=1), evidence_at(PLACE), 0.4).any()


def test_an_object_in_the_place_of_another_stays():
    assert not vacated(with_object(ground(), level=200), with_object(ground(seed=1)), evidence_at(PLACE), 0.4).any()


def test_a_ghost_is_told_from_the_object_that_it_touches():
    beside = np.s_[20:40, 42:54]
    seen, learned = with_object(ground(), beside), with_object(ground(seed=1))
    left = vacated(seen, learned, evidence_at(PLACE, beside), 0.4)
    assert left[20:40, 30:40].mean() > 0.9
    assert not left[20:40, 44:54].any()


@pytest.mark.parametrize("difference", [4, 7])
def test_what_hardly_stood_out_tells_nothing(difference):
    learned = with_object(ground(seed=1), level=120 + difference)
    assert not vacated(ground(), learned, evidence_at(PLACE), 0.4).any()


def test_in_uneven_surroundings_nothing_stands_out():
    uneven = ground()
    uneven[::2] += 80
    assert not vacated(uneven, with_object(uneven, level=100), evidence_at(PLACE), 0.4).any()


def test_without_enough_ground_around_nothing_is_said():
    everything = np.full(SHAPE, FOUND, np.uint8)
    assert not vacated(ground(), with_object(ground(seed=1)), everything, 0.4).any()


@pytest.mark.parametrize("scale", [1, 2, 5])
@pytest.mark.parametrize("channels", [1, 3])
def test_evidence_is_taken_away_in_frames_of_every_size_and_in_another_light(scale, channels):
    def enlarged(picture):
        return np.kron(np.tile(picture, (4, 4)), np.ones((scale, scale), picture.dtype))

    frame, evidence = enlarged(ground() // 2), enlarged(evidence_at(PLACE))
    if channels == 3:
        frame = np.dstack([frame] * 3)
    before = evidence.copy()
    clear_vacated(evidence, frame, modes_of(enlarged(with_object(ground(seed=1)))), 2.0, 0.4)
    inside = before == FOUND
    assert (evidence[inside] == ZERO_BYTE).mean() > 0.9
    np.testing.assert_array_equal(evidence[~inside], before[~inside])
    clear_vacated(before, frame, modes_of(enlarged(ground(seed=1))), 2.0, 0.4)
    assert (before[inside] == FOUND).all()


@pytest.mark.parametrize("place", [PLACE, np.s_[:15, :10], np.s_[50:, 70:], np.s_[0:60, 36:44]], ids=str)
def test_only_the_surroundings_of_evidence_are_looked_at(place):
    """And what is said of it is what the whole picture says."""
    seen, learned, evidence = ground(), with_object(ground(seed=1), place), evidence_at(place)
    expected = vacated(seen, learned, evidence, 0.4)
    assert expected.any()
    clear_vacated(evidence, seen, modes_of(learned), 1.0, 0.4)
    np.testing.assert_array_equal(evidence[place] == ZERO_BYTE, expected[place])


# ------------------------------------------------------------------------------------------------ with the model


def masks_of_a_walk(**parameters):
    """Somebody stands from the first frame on and walks off after twenty; the masks from then on, and where he is."""
    rng, model = np.random.default_rng(2), BackgroundSubtractor(stabilise=False, **parameters)
    for t in range(40):
        left = 40 + max(0, 2 * (t - 20))
        place = np.s_[40:80, left : left + 12]
        frame = rng.normal(130, 2, (120, 160, 3))
        frame[place] = rng.normal(60, 2, (40, 12, 3))
        mask = model.apply(np.clip(frame, 0, 255).astype(np.uint8)) == 255
        if t > 20:
            yield place, mask


def pixels_of_the_ghost(**parameters):
    pixels = 0
    for place, mask in masks_of_a_walk(**parameters):
        ghost = mask.copy()
        ghost[38:82, place[1].start - 2 : place[1].stop + 2] = False
        pixels += np.count_nonzero(ghost)
    return pixels


def test_who_walks_off_leaves_a_third_of_the_ghost():
    with_ghost = pixels_of_the_ghost(vacated_frames=0)
    assert with_ghost > 2000
    assert pixels_of_the_ghost() < 0.35 * with_ghost


def test_and_is_found_himself():
    shares = [mask[place].mean() for place, mask in masks_of_a_walk()]
    assert min(shares[8:]) > 0.9


def test_known_foreground_stays():
    model, known = BackgroundSubtractor(stabilise=False), np.zeros(SHAPE, bool)
    known[PLACE] = True
    for _ in range(4):
        model.apply(with_object(ground()))
    assert (model.apply(ground(), known_foreground=known)[PLACE] == 255).all()


def test_it_ends_with_the_first_frames():
    """What leaves later is told by its edges."""
    model = BackgroundSubtractor(stabilise=False, ghost_ratio=0.0, structure=1.0, vacated_frames=30)
    for _ in range(30):
        model.apply(with_object(ground()))
    assert (model.apply(ground(), learning_rate=0)[PLACE] == 255).mean() > 0.9
    model.set_parameters(vacated_frames=31)
    assert not (model.apply(ground(), learning_rate=0)[PLACE] == 255).any()
