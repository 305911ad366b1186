"""Shadows that are even, and as deep as the scene's others, are none of the objects; dark clothes are."""

from __future__ import annotations

import numpy as np
import pytest

from bgsub import BackgroundSubtractor
from bgsub.background.adaptive.tone import UNKNOWN, ShadowTones
from bgsub.background.levels import Rescaling
from bgsub.files import read_container, write_container
from tests.background.adaptive_scenes import FILE_VERSION, PER_PIXEL, calm, evidence_of, seen, wall
from tests.background.test_adaptive_kernel import Followed
from tests.background.twins import stored

SHAPE = (60, 80)
PLACE = slice(20, 40), slice(48, 78)
WITHIN = slice(23, 37), slice(51, 75)  # what lies well inside


def road(seed=1):
    """A background with hue and little grain, on which a shadow can be told."""
    return wall(SHAPE, level=(120, 170), seed=seed)


def dimmed(picture, factor, place=PLACE):
    """A picture with a shadow: all channels are dimmed by one number, or by one of each pixel."""
    picture = picture.copy()
    picture[place] *= factor
    return picture


def model_of(picture, n_frames=40, **parameters):
    """A model that has seen an empty scene."""
    model = BackgroundSubtractor(stabilise=False, **{"standing_gain": 0.0, "structure": 1, **parameters})
    calm(model, picture, n_frames, np.random.default_rng(2))
    return model


def share_of(mask, value, place=WITHIN):
    return float((mask[place] == value).mean())


def with_tone(model, depth, rng, picture, n_frames=10):
    """Show a model shadows of a depth, which walk over its left half."""
    for t in range(n_frames):
        place = slice(3 * t, 3 * t + 25), slice(t, t + 34)
        model.apply(seen(dimmed(picture, depth, place), rng))
    return model


# ------------------------------------------------------------------------------------------------------ evenness


def test_a_deep_shadow_is_one_where_it_is_even():
    picture, rng = road(), np.random.default_rng(0)
    model = model_of(picture, shadow_threshold=0.45)
    mask = model.apply(seen(dimmed(picture, 0.38), rng))
    assert share_of(mask, 127) > 0.95
    without = model_of(picture, shadow_threshold=0.45, even_depth=1.0)
    assert share_of(without.apply(seen(dimmed(picture, 0.38), rng)), 255) > 0.95


def test_cloth_of_that_darkness_is_none_where_it_has_a_pattern():
    picture, rng = road(), np.random.default_rng(0)
    pattern = 0.38 + np.random.default_rng(3).choice([-0.1, 0.1], (20, 30, 1))
    mask = model_of(picture).apply(seen(dimmed(picture, pattern), rng))
    assert share_of(mask, 255) > 0.9


def test_the_deepest_shadow_keeps_its_share_of_the_threshold():
    picture, rng = road(), np.random.default_rng(0)
    for threshold, depth, value in ((0.6, 0.5, 127), (0.6, 0.36, 255), (0.3, 0.25, 127), (0.3, 0.17, 255)):
        model = model_of(picture, shadow_threshold=threshold)
        assert share_of(model.apply(seen(dimmed(picture, depth), rng)), value) > 0.9, (threshold, depth)


def test_evenness_counts_by_its_credit_and_less_towards_the_deepest():
    """In the middle of a shadow whose hue is right S is c_s - c, less the credit, which rises from tau_e to tau."""
    picture = road()
    plain = {
        **PER_PIXEL,
        "tone_doubt": 0.0,
        "low_contrast": 0.0,
        "flicker_doubt": 0.0,
        "shadow_doubt": 5.5,
        "threshold": 6.5,
    }
    found = {}
    for depth in (0.7, 0.375):
        model = BackgroundSubtractor(stabilise=False, **plain)
        for _ in range(40):
            model.apply(np.rint(picture).astype(np.uint8))
        frame = dimmed(np.rint(picture), depth)
        found[depth] = (np.median(evidence_of(model, frame.astype(np.float32))[WITHIN]) - 160) / 8
    assert found[0.7] == pytest.approx(-1 - 4, abs=0.1)
    assert found[0.375] == pytest.approx(-1 - 4 * (0.375 - 0.3015) / (0.45 - 0.3015), abs=0.1)


@pytest.mark.parametrize("shape", [(1, 40), (40, 1), (2, 33), (5, 17), (9, 3), (16, 16)], ids=str)
def test_at_the_edges_of_any_frame_as_the_twin_has_it(shape):
    """Where a window leaves the picture, or would go on in the next row, what is not there does not count."""
    rng, followed = np.random.default_rng(4), Followed(**PER_PIXEL)
    picture = rng.uniform(100, 180, (*shape, 3))
    for t in range(10):
        pattern = rng.choice([0.55, 0.6, 0.75], shape)[..., None] if t % 2 else 0.6
        followed.apply(seen(picture * pattern if t > 4 else picture, rng, noise=1))
    assert followed.twin.counted["even"] > 10
    assert followed.twin.counted["uneven"] > 10


# ---------------------------------------------------------------------------------------------------------- tone


def depths_at(**counts):
    """Depths of shadows as an engine counts them: so many pixels at each brightness, in hundredths."""
    depths = np.zeros(256, np.int64)
    for name, n in counts.items():
        depths[round(int(name[1:]) / 100 * 255 / 1.2)] += n
    return depths


def tone_of(n_frames=1, **counts):
    tones = ShadowTones()
    for _ in range(n_frames):
        tones.learn(depths_at(**counts))
    return tones.tone()


def test_little_is_known_of_few_pixels_and_nothing_of_fewer_than_500():
    assert tone_of(r72=499) == UNKNOWN
    assert tone_of(r72=500).sure == pytest.approx(0.1)
    assert tone_of(r72=2500).sure == pytest.approx(0.5)
    assert tone_of(r72=50_000).sure == 1


def test_the_tone_is_the_centre_of_the_peak():
    assert tone_of(r72=9000).depth == pytest.approx(0.725)
    assert tone_of(r72=9000, r78=9000).depth == pytest.approx(0.75)
    assert tone_of(r42=9000).depth == pytest.approx(0.425)
    assert tone_of(r98=9000).depth == pytest.approx(0.975)


def test_of_two_peaks_the_darker_counts_unless_it_is_much_the_lower():
    assert tone_of(r52=7000, r82=9000).depth == pytest.approx(0.525)
    assert tone_of(r52=5000, r82=9000).depth == pytest.approx(0.825)


def test_it_is_sure_by_the_share_of_the_peak():
    even = {f"r{r}": 9000 for r in range(42, 100, 5)}
    assert tone_of(**even).sure == 0
    assert tone_of(r52=4500, r82=5500).sure == pytest.approx((0.45 - 0.25) / 0.4)
    assert tone_of(r52=9000, r82=500).sure == 1


def test_what_is_darker_or_lighter_than_any_shadow_does_not_count():
    assert tone_of(r38=9000, r110=9000) == UNKNOWN
    assert tone_of(r38=90_000, r72=2500).sure == pytest.approx(0.5)


def test_old_frames_fade():
    tones = ShadowTones()
    tones.learn(depths_at(r52=10_000))
    for _ in range(1000):
        tones.learn(depths_at())
    assert tones.bins.sum() == pytest.approx(10_000 * 0.998**1000)


def test_a_scene_with_shadows_gets_to_know_their_depth():
    picture, rng = road(), np.random.default_rng(5)
    model = with_tone(model_of(picture), 0.72, rng, picture)
    tone = model._tones.tone()
    assert tone.depth == pytest.approx(0.72, abs=0.02)
    assert tone.sure > 0.9


def test_clothes_darker_than_the_shadows_of_the_scene_are_an_object():
    """And where nothing is known of its shadows they pass for one."""
    picture, rng = road(), np.random.default_rng(6)
    clothes = seen(dimmed(picture, 0.5), rng)
    assert share_of(model_of(picture).apply(clothes), 127) > 0.9
    knowing = with_tone(model_of(picture), 0.75, rng, picture)
    assert share_of(knowing.apply(clothes), 255) > 0.9
    assert share_of(knowing.apply(seen(dimmed(picture, 0.72), rng)), 127) > 0.9  # shadows stay some
    assert share_of(knowing.apply(seen(dimmed(picture, 0.85), rng)), 255) == 0  # penumbra is lighter


def test_without_its_doubt_the_tone_changes_nothing():
    picture, rng = road(), np.random.default_rng(6)
    model = with_tone(model_of(picture, tone_doubt=0.0), 0.75, rng, picture)
    assert share_of(model.apply(seen(dimmed(picture, 0.5), rng)), 127) > 0.9


def test_the_tone_as_the_twin_has_it():
    """Shadows of one depth walk, then darker cloth; some pixels are known, and some rows of sixteen whole."""
    rng, picture, followed = np.random.default_rng(7), wall((30, 48), level=(110, 170), seed=4), Followed(min_area=6)
    known = np.zeros((30, 48), bool)
    known[3:5] = known[10, 5:9] = True
    for t in range(20):
        frame = picture.copy()
        if t > 5:
            frame = dimmed(frame, 0.72, (slice(2, 26), slice(t, t + 28)))
        if t > 14:
            frame = dimmed(picture, 0.5, (slice(4, 22), slice(t, t + 20)))
        followed.apply(seen(frame, rng), known=known if t % 3 == 0 else None)
    assert followed.twin.counted["within a shadow"] > 1000
    assert followed.twin.counted["tone known"] > 8
    assert followed.model._tones.bins == pytest.approx(followed.twin.tones.bins)


# --------------------------------------------------------------------------------------------- what is kept of it


@pytest.fixture(scope="module")
def knowing():
    picture = road()
    return with_tone(model_of(picture), 0.72, np.random.default_rng(5), picture)


def test_at_rate_0_the_tone_is_not_learned(knowing):
    model, before = knowing.copy(), stored(knowing)
    model.apply(seen(dimmed(road(), 0.6), np.random.default_rng(0)), learning_rate=0)
    assert model._tones.progress() == knowing._tones.progress()
    assert stored(model) == before


def test_at_rate_1_and_by_reset_it_is_forgotten(knowing):
    model = knowing.copy()
    model.apply(seen(road(), np.random.default_rng(0)), learning_rate=1)
    assert model._tones.tone() == UNKNOWN
    model = knowing.copy()
    model.reset()
    model.apply(seen(road(), np.random.default_rng(0)))
    assert model._tones.tone() == UNKNOWN


def test_files_keep_it_and_older_files_are_without(knowing, tmp_path):
    knowing.save(tmp_path / "m")
    assert BackgroundSubtractor.load(tmp_path / "m")._tones.tone() == knowing._tones.tone()
    meta, arrays = read_container(tmp_path / "m", "adaptive", FILE_VERSION)
    del meta["tones"]
    write_container(tmp_path / "old", "adaptive", FILE_VERSION, meta, arrays)
    old = BackgroundSubtractor.load(tmp_path / "old")
    assert old._tones.tone() == UNKNOWN
    assert old.n_frames == knowing.n_frames
    assert share_of(old.apply(seen(dimmed(road(), 0.72), np.random.default_rng(0))), 127) > 0.9


@pytest.mark.parametrize(("offset", "known"), [(0.0, True), (900.0, False)])
def test_ratios_are_others_after_an_offset_of_the_values(knowing, offset, known):
    model = knowing.copy()
    model._rescale(Rescaling(0.8, offset / 100))
    assert (model._tones.tone() == knowing._tones.tone()) == known
    assert (model._tones.tone() == UNKNOWN) == (not known)


def test_pictures_without_colour_have_no_tone():
    picture, rng = road().mean(axis=2), np.random.default_rng(5)
    for grey in (picture, picture[..., None].repeat(3, 2)):
        model = with_tone(model_of(grey), 0.72, rng, grey)
        assert model._tones.tone() == UNKNOWN


@pytest.mark.parametrize("threads", [2, 5])
def test_the_tone_is_the_same_for_any_number_of_threads(threads):
    rng, picture = np.random.default_rng(8), wall((250, 420), level=(120, 170))
    place = slice(40, 200), slice(60, 360)
    frames = [seen(dimmed(picture, 0.7, place) if t > 5 else picture, rng) for t in range(9)]
    alone, together = BackgroundSubtractor(threads=1), BackgroundSubtractor(threads=threads)
    for frame in frames:
        np.testing.assert_array_equal(alone.apply(frame), together.apply(frame))
    assert alone._tones.progress() == together._tones.progress()
    assert alone._tones.bins.sum() > 1000
