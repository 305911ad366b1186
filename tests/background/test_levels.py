"""Frames of more than 8 bits: their range is found, kept and told, what is in it is found, and 8 bits stay the same."""

from __future__ import annotations

import copy
import logging
import pickle

import numpy as np
import pytest

from bgsub import MOG2, BackgroundSubtractor, ModelFileError, ParameterError
from bgsub.files import read_versions, write_container
from tests.background.twins import stored

SHAPE = (60, 80)
WARM = np.s_[20:40, 30:55]


def texture(low, high, seed=5):
    picture = np.random.default_rng(seed).uniform(0, 1, (SHAPE[0] // 5, SHAPE[1] // 5))
    return low + (high - low) * picture.repeat(5, 0).repeat(5, 1)


def as_dtype(picture, dtype):
    return picture.astype(dtype) if np.dtype(dtype).kind == "f" else np.rint(picture).astype(dtype)


def frames_of(place, noise, change, dtype, n=45, first=40, seed=0):
    """Return frames of a place with noise; from the frame `first` on all values of a part of it change."""
    rng, frames = np.random.default_rng(seed), []
    for t in range(n):
        frame = place + rng.normal(0, noise, place.shape)
        if t >= first:
            frame[WARM] += change
        frames.append(as_dtype(frame, dtype))
    return frames


def masks_of(model, frames):
    return np.stack([model.apply(frame) for frame in frames])


MODELS = {
    "adaptive": lambda **options: BackgroundSubtractor(**options),
    "mog2": lambda **options: MOG2(**{"scale": "auto", "detect_shadows": False, **options}),
    "compact": lambda **options: MOG2(**{"scale": "auto", "precision": "compact", "detect_shadows": False, **options}),
}
every_model = pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)

KINDS = {
    "thermal, hundredths of a kelvin": (texture(29_300, 29_700), 4, 500, np.uint16),
    "thermal, kelvin": (texture(293, 297), 0.04, 5, np.float32),
    "thermal, degrees": (texture(-4, 3), 0.04, 5, np.float64),
    "thermal, a flat wall": (np.full(SHAPE, 29_500.0), 4, 500, np.uint16),
    "thermal, halves": (texture(-4, 3), 0.04, 5, np.float16),
    "depth, millimetres": (texture(1500, 2500), 2, -300, np.uint16),
    "depth, metres": (texture(1.5, 2.5), 0.002, -0.3, np.float32),
    "12 bits": (texture(400, 1600), 12, 900, np.uint16),
    "10 bits at the upper end": (np.rint(texture(200, 500)) * 64, 200, 16_000, np.uint16),
    "signed": (texture(-1500, -300), 12, 900, np.int16),
    "of a fraction": (texture(0.2, 0.5), 0.01, 0.3, np.float32),
    "many digits": (texture(1e6, 1.003e6), 20, 2500, np.int32),
    "no noise": (texture(1000, 1500), 0, 300, np.uint16),
    "no noise, no texture": (np.full(SHAPE, 1000.0), 0, 7, np.uint16),
    "no noise, no texture, floats": (np.full(SHAPE, 0.25), 0, 0.1, np.float32),
    "two values": (np.where(texture(0, 1) > 0.5, 1500.0, 1000.0), 0, 300, np.uint16),
    "noise of less than a count": (texture(1000, 1020), 0.3, 40, np.uint16),
    "much noise": (np.full(SHAPE, 30_000.0), 800, 14_000, np.uint16),
}


@pytest.mark.slow
@every_model
@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_what_stands_out_is_found_with_the_defaults_and_nothing_else(make, kind):
    model, (_, noise, _, _) = make(), kind
    masks = masks_of(model, frames_of(*kind))
    truth = np.zeros(SHAPE, bool)
    truth[WARM] = True
    assert (masks[41:, WARM[0], WARM[1]] == 255).mean() > 0.9
    around = truth.copy()
    around[17:43, 27:58] = True
    assert (masks[1:, ~around] == 255).mean() < 0.001
    assert (masks[2:40] == 255).mean() < 0.001
    low, high = model.value_range
    assert noise * 255 / (high - low) <= 1.5


@every_model
def test_three_channels_share_a_range(make):
    rng = np.random.default_rng(0)
    place = np.dstack([texture(3000, 4000, seed) for seed in range(3)])
    model = make()
    for t in range(45):
        frame = place + rng.normal(0, 15, place.shape)
        if t >= 40:
            frame[WARM] = (6000, 2500, 5000)
        mask = model.apply(frame.astype(np.uint16))
    assert (mask[WARM] == 255).mean() > 0.95
    mask[17:43, 27:58] = 0
    assert not mask.any()
    assert model.background_image().dtype == np.uint16
    assert np.abs(model.background_image().astype(float)[:15] - place[:15]).max() < 60


@pytest.mark.parametrize("kelvin", [20, 60, 100])
@pytest.mark.parametrize(("unit", "dtype"), [(100, np.uint16), (1, np.float32)], ids=["hundredths", "kelvin"])
def test_five_kelvin_are_found_beside_a_cold_sky_and_a_hot_engine(kelvin, unit, dtype):
    frames = frames_of(texture(250, 250 + kelvin) * unit, 0.04 * unit, 5 * unit, dtype)
    masks = masks_of(BackgroundSubtractor(detect_shadows=False), frames)
    assert not masks[5:40].any()
    assert (masks[-1][WARM] == 255).mean() > 0.9
    masks[-1][WARM] = 0
    assert (masks[-1] == 255).mean() < 0.02


def test_only_a_measure_whose_noise_is_far_below_a_grey_level_has_narrower_gaussians():
    quiet, noisy = (frames_of(texture(0, 8000), noise, 0, np.uint16) for noise in (1, 60))
    for frames, shape, share in [
        (quiet, SHAPE, 1 / 9),
        (noisy, SHAPE, 1),
        (quiet, (*SHAPE, 3), 1),
        ([np.clip(frame / 40, 0, 255).astype(np.uint8) for frame in quiet], SHAPE, 1),
    ]:
        model = BackgroundSubtractor()
        for frame in frames[:25]:
            model.apply(frame if len(shape) == 2 else frame[..., None].repeat(3, -1))
        assert model._levels.suited({"var_min_y": 20.0}, shape)["var_min_y"] == pytest.approx(20 * share)


def test_what_keeps_the_structure_of_a_measure_is_an_object_and_no_light():
    """Something flat in front of a wall, 300 mm nearer; of 8 bits, and of grey levels, it would be a lamp's light."""
    found = {}
    for dtype, scale in ((np.uint16, 1), (np.uint8, 0.1), (np.float32, 0.1)):
        model, place = BackgroundSubtractor(), texture(500, 2400) * scale
        masks = masks_of(model, frames_of(place, 2 * scale, -300 * scale, dtype, 33, 30))
        found[np.dtype(dtype).name] = (masks[-1][WARM] == 255).mean()
    assert found == {"uint16": pytest.approx(1, abs=0.02), "uint8": 0, "float32": 0}


# ------------------------------------------------------------------------------------------------------- the range


@every_model
def test_it_may_change_in_25_frames_and_stays_then(make):
    model, ranges = make(), []
    for t, frame in enumerate(frames_of(texture(1000, 1500), 3, 0, np.uint16, 40)):
        frame[5:10, :10] = 1500 + 100 * t + 300 * (t >= 24)
        model.apply(frame)
        ranges.append(model.value_range)
    used = 1500 + 100 * 24 + 300 - 1000
    assert ranges[24] == pytest.approx((1000 - used / 4, 4200 + used / 4), abs=0.05 * used)
    assert len(set(ranges[:25])) > 5
    assert ranges[23] != ranges[24]
    assert set(ranges[24:]) == {ranges[24]}


@every_model
def test_what_was_learned_moves_with_it(make):
    """A model whose range was found late goes on as one that was given it from the start."""
    rng = np.random.default_rng(0)
    frames = [as_dtype(texture(1000, 1400) + rng.normal(0, 3, SHAPE), np.uint16) for _ in range(60)]
    for frame in frames[10:]:
        frame[:5, :20] += 2000  # so the range grows six times
    model = make()
    masks_of(model, frames[:40])
    given = make(value_range=model.value_range)
    masks_of(given, frames[:40])
    difference = model.background_image().astype(float) - given.background_image()
    difference[:8, :23] = 0
    assert np.abs(difference).max() < 40  # of 2400; a grey level is 14
    ours, theirs = masks_of(model, frames[40:]), masks_of(given, frames[40:])
    assert (ours != theirs).mean() < 0.002


@every_model
def test_frames_that_are_only_classified_do_not_change_it(make):
    model, frames = make(), frames_of(texture(1000, 2000), 3, 0, np.uint16)
    masks_of(model, frames[:10])
    before, kept = model.value_range, stored(model)
    model.apply(frames[11].astype(np.int32) * 5, learning_rate=0)
    assert (model.value_range, model.dtype) == (before, np.uint16)
    assert stored(model) == kept


@every_model
@pytest.mark.parametrize("again", ["reset", "rate 1"])
def test_a_new_start_finds_it_anew(make, again):
    model = make()
    masks_of(model, frames_of(texture(1000, 2000), 3, 0, np.uint16))
    if again == "reset":
        model.reset()
        assert (model.value_range, model.dtype, model.n_clipped) == (None, None, 0)
    model.apply(as_dtype(texture(20_000, 30_000), np.uint16), learning_rate=1 if again == "rate 1" else None)
    assert model.value_range == pytest.approx((17_500, 32_500), abs=100)


def test_a_new_start_may_be_with_other_bits():
    model = BackgroundSubtractor()
    model.apply(np.full(SHAPE, 90, np.uint8))
    model.apply(as_dtype(texture(-3000, 1000), np.int16), learning_rate=1)
    assert model.value_range == pytest.approx((-4000, 2000), abs=20)
    model.apply(np.full(SHAPE, 90, np.uint8), learning_rate=1)
    assert model.value_range is None


@every_model
def test_a_range_that_is_given_is_taken_for_every_kind_of_frame(make):
    model = make(value_range=(100, 355))
    twin = make() if make is not MODELS["adaptive"] else make(structure=1)  # no lamp changes a measure
    rng = np.random.default_rng(0)
    for t in range(30):
        frame = rng.normal(90, 2, SHAPE)
        frame[WARM] += 60 if t > 25 else 0
        frame = np.rint(frame)
        given = (frame.astype(np.uint16) + 100, frame + 100, frame.astype(np.int32) + 100)[t % 3]
        np.testing.assert_array_equal(model.apply(given), twin.apply(frame.astype(np.uint8)))
    assert model.value_range == (100, 355)


@every_model
def test_values_outside_are_clipped_counted_and_told_once(make, caplog):
    model = make(value_range=(100, 200))
    frame = np.full(SHAPE, 150, np.uint16)
    with caplog.at_level(logging.WARNING, "bgsub"):
        model.apply(frame)
        assert (model.n_clipped, caplog.messages) == (0, [])
        frame[0, :5], frame[1, :2] = 90, 260
        for _ in range(3):
            model.apply(frame)
    assert model.n_clipped == 21
    assert caplog.messages == [
        "7 of 4800 values of a frame, from 90 to 260, lie outside the range 100 to 200 that was given and count as its "
        "ends; give a wider one (value_range, --range) if they matter"
    ]
    assert model.background_image().min() >= 100


def test_what_comes_outside_after_the_first_frames_is_told(caplog):
    model, frames = BackgroundSubtractor(), frames_of(texture(1000, 2000), 3, 9000, np.uint16)
    with caplog.at_level(logging.WARNING, "bgsub"):
        masks = masks_of(model, frames)
    assert (masks[-1][WARM] == 255).mean() > 0.95
    assert model.n_clipped == 5 * 20 * 25
    assert len(caplog.messages) == 1
    assert "lie outside the range 7" in caplog.text
    assert "that the first frames use" in caplog.text


def test_a_hot_pixel_is_told_when_the_range_no_longer_changes(caplog):
    model, frames = BackgroundSubtractor(), frames_of(texture(1000, 2000), 3, 0, np.uint16, 30)
    for t, frame in enumerate(frames):
        frame[0, 0] = 60_000
        model.apply(frame)
        assert len(caplog.messages) == (t >= 24)
    assert model.n_clipped == 30
    assert "1 of 4800 values" in caplog.text


@pytest.mark.parametrize("base", [2**40, -(2**36), 2**24 + 1])
def test_digits_beyond_those_of_float32_are_kept(base):
    model, twin = (BackgroundSubtractor(value_range=(low, low + 1500)) for low in (base, 0))
    for frame in frames_of(texture(500, 1000), 3, 300, np.int64, 30, 25):
        np.testing.assert_array_equal(model.apply(frame + base), twin.apply(frame))


def test_eight_bits_have_no_range(caplog):
    for make in MODELS.values():
        model, plain = make(), make()
        for t, frame in enumerate(frames_of(texture(60, 180), 2, 60, np.uint8)):
            given = (frame, frame.astype(np.float32), frame.astype(np.uint16) * 257, frame.astype(np.float64))[t % 4]
            np.testing.assert_array_equal(
                model.apply(frame if make is not MODELS["adaptive"] and t % 4 == 3 else given), plain.apply(frame)
            )
        assert (model.value_range, plain.value_range, plain.n_clipped) == (None, None, 0)
        assert plain.background_image().dtype == np.uint8
    assert not caplog.messages


def test_bool_is_black_and_white():
    model, twin = BackgroundSubtractor(min_area=0), BackgroundSubtractor(min_area=0)
    for t in range(12):
        frame = np.zeros(SHAPE, bool)
        frame[WARM] = t > 8
        np.testing.assert_array_equal(model.apply(frame), twin.apply(frame * np.uint8(255)))
    assert (model.value_range, model.background_image().dtype) == (None, np.uint8)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("kind", ["u2", "f4", "f8", "i4"])
def test_bytes_of_either_order(order, kind):
    frames = [frame.astype(f"{order}{kind}") for frame in frames_of(texture(1000, 1500), 3, 300, np.uint16, 20, 15)]
    native = [frame.astype(f"={kind}") for frame in frames]
    model = BackgroundSubtractor()
    np.testing.assert_array_equal(masks_of(model, frames), masks_of(BackgroundSubtractor(), native))
    assert model.background_image().dtype == np.dtype(kind)


# ------------------------------------------------------------------------------------------------- background images

UNITS = [
    (texture(29_300, 29_700), np.uint16, 3),
    (texture(-1500, -300), np.int16, 10),
    (texture(-4, 3), np.float32, 0.05),
    (texture(0.2, 0.5), np.float64, 0.003),
    (texture(1e6, 1.003e6), np.int64, 20),
]


@every_model
@pytest.mark.parametrize(("place", "dtype", "step"), UNITS, ids=lambda value: getattr(value, "__name__", ""))
def test_the_background_has_the_frames_dtype_and_units(make, place, dtype, step):
    region = [[(20, 0), (80, 0), (80, 60), (20, 60)]]
    model = make(region=region)
    for frame in frames_of(place, 0, 0, dtype, 30):
        model.apply(frame)
    found = model.background_image()
    assert (found.dtype, model.dtype, found.shape) == (dtype, dtype, SHAPE)
    assert np.abs(found.astype(float) - place)[:, 21:].max() <= step
    assert (found[:, :19] == 0).all()


def test_the_background_of_grey_levels_is_of_8_bits():
    for dtype, value in ((np.uint16, 80 * 257), (np.float32, 80.3), (np.uint8, 80)):
        model = MOG2()
        model.apply(np.full((8, 9), value, dtype))
        assert (model.background_image().dtype, model.dtype) == (np.uint8, dtype)
        assert (model.background_image() == 80).all()


# --------------------------------------------------------------------------------------------------- what is refused


@every_model
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e300])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_is_no_number_is_refused_with_its_place(make, value, dtype):
    model, frames = make(), [frame.astype(dtype) for frame in frames_of(texture(-4, 3), 0.1, 0, np.float32, 12)]
    masks_of(model, frames[:9])
    before = stored(model)
    bad = frames[9].copy()
    with np.errstate(over="ignore"):
        bad[7, 30] = value
    with pytest.raises(
        ParameterError, match=r"image is (nan|-?inf|1e\+300) in row 7, column 30: put a number in its pl"
    ):
        model.apply(bad)
    colour = np.dstack([frames[0]] * 3)
    with np.errstate(over="ignore"):
        colour[3, 4, 1] = value
    with pytest.raises(ParameterError, match="in row 3, column 4, channel 1: put a number"):
        make().apply(colour)
    assert stored(model) == before
    model.apply(frames[9])


def test_values_that_are_no_grey_levels_are_refused_where_they_have_to_be():
    place = r"it is (nan|-0.01) in row 2, column 1"
    for value in (np.nan, -0.01):
        frame = np.full((6, 7), 90, np.float32)
        frame[2, 1] = value
        with pytest.raises(ParameterError, match=place):
            MOG2().apply(frame)
        model = BackgroundSubtractor()
        model.apply(np.full((6, 7), 90, np.uint8))
        with pytest.raises(ParameterError, match=place):
            model.apply(frame)
    with pytest.raises(ParameterError, match=r"image has dtype int16: convert it .* or choose scale='auto'"):
        MOG2().apply(np.full((6, 7), 90, np.int16))
    with pytest.raises(
        ParameterError, match=r"image has dtype int16: .* call reset\(\) first, since the first frame had"
    ):
        model.apply(np.full((6, 7), 90, np.int16))


CHANNELS = [
    (2, "give one or three of its channels, or each to a model of its own"),
    (4, r"of BGRA give image\[..., :3\]"),
    (6, "give one or three of its channels"),
]


@pytest.mark.parametrize(("channels", "advice"), CHANNELS, ids=str)
@pytest.mark.parametrize("make", [BackgroundSubtractor, MOG2, lambda: MOG2(scale="opencv")])
def test_other_numbers_of_channels_are_refused_with_advice(make, channels, advice):
    for dtype in (np.uint8, np.uint16, np.float32):
        with pytest.raises(ParameterError, match=rf"image has shape \(6, 7, {channels}\): give .*; {advice}"):
            make().apply(np.zeros((6, 7, channels), dtype))


@pytest.mark.parametrize("dtype", [np.complex64, object, "U1", "M8[s]"])
def test_what_are_no_real_numbers(dtype):
    with pytest.raises(ParameterError, match=r"image has dtype .*: convert it to uint8, or another type of real"):
        BackgroundSubtractor().apply(np.zeros((6, 7), dtype))


@pytest.mark.parametrize("make", [BackgroundSubtractor, MOG2])
def test_the_end_of_a_video_is_told(make):
    with pytest.raises(ParameterError, match="image is a NoneType: give a NumPy array; has the video ended"):
        make().apply(None)


def test_scales_and_ranges_that_do_not_go_together():
    with pytest.raises(ParameterError, match=r"value_range is \(5, 1\): give \(low, high\)"):
        BackgroundSubtractor(value_range=(5, 1))
    with pytest.raises(
        ParameterError, match="there is no scale here: the range of values is found, or given as value_"
    ):
        BackgroundSubtractor(scale="opencv")
    with pytest.raises(ParameterError, match="scale is 'half': give 'full', 'auto' or 'opencv'"):
        MOG2(scale="half")
    with pytest.raises(ParameterError, match="scale='opencv' takes values that precision='compact' has no room for"):
        MOG2(scale="opencv", precision="compact")
    with pytest.raises(ParameterError, match="scale='opencv' takes values as they are: leave out value_range"):
        MOG2(scale="opencv", value_range=(0, 9))
    with pytest.raises(ParameterError, match=r"var_max is 1000000.0: give a number above 0, up to 65025"):
        MOG2(var_max=1e6)
    assert MOG2(scale="opencv", var_max=1e6).parameters["var_max"] == 1e6


# ---------------------------------------------------------------------------------------------------- copies and files


def through_a_file(model, path):
    model.save(path)
    return type(model).load(path)


WAYS = {
    "copy": lambda model, _: model.copy(),
    "deepcopy": lambda model, _: copy.deepcopy(model),
    "pickle": lambda model, _: pickle.loads(pickle.dumps(model)),
    "file": through_a_file,
}


@pytest.mark.parametrize("make", [MODELS["adaptive"], MODELS["compact"]], ids=["adaptive", "compact"])
@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("n", [0, 1, 10, 25])
def test_a_twin_goes_on_with_the_same_range(make, way, n, tmp_path):
    frames = frames_of(texture(1000, 2000), 3, 3000, np.uint16, 40, 35)
    for t in range(15, 40):
        frames[t][:10, :10] += 2000
    model = make()
    for frame in frames[:n]:
        model.apply(frame)
    twin = way(model, tmp_path / "m.bgsub")
    assert (twin.value_range, twin.n_clipped, twin.dtype) == (model.value_range, model.n_clipped, model.dtype)
    for frame in frames[n:]:
        np.testing.assert_array_equal(twin.apply(frame), model.apply(frame))
    assert (twin.value_range, twin.n_clipped) == (model.value_range, model.n_clipped)
    assert stored(twin) == stored(model)


@every_model
def test_a_given_range_and_a_scale_travel(make, tmp_path):
    model = make(value_range=(5, 500))
    for twin in (through_a_file(model, tmp_path / "a.bgsub"), model.copy()):
        assert twin.value_range == (5, 500)
        assert twin.scale == model.scale
    model.apply(np.full(SHAPE, 90, np.uint16))
    twin = through_a_file(model, tmp_path / "b.bgsub")
    twin.reset()
    assert twin.value_range == (5, 500)
    assert through_a_file(MOG2(scale="opencv"), tmp_path / "c.bgsub").scale == "opencv"


@pytest.mark.parametrize("cls", [BackgroundSubtractor, MOG2])
def test_a_file_from_before_ranges_were_found(cls, tmp_path):
    model = cls()
    frames = frames_of(texture(60, 180), 2, 60, np.uint8, 20, 12)
    masks_of(model, frames[:10])
    model.save(tmp_path / "m.bgsub")
    content = read_versions(tmp_path / "m.bgsub", model._KIND, 2, 2)
    for name in ("levels", "value_range", "scale"):
        content.meta.pop(name, None)
    write_container(tmp_path / "old.bgsub", model._KIND, 2, content.meta, content.arrays)
    old = cls.load(tmp_path / "old.bgsub")
    for t, frame in enumerate(frames[10:]):
        given = (frame, frame.astype(np.uint16) * 257, frame.astype(np.float32))[t % 3]
        np.testing.assert_array_equal(old.apply(given), model.apply(frame))
    assert old.value_range is None


def changed(meta, arrays, **values):
    return {**meta, "levels": {**meta["levels"], **values}}, arrays


def with_finder(meta, arrays, **values):
    return changed(meta, arrays, finder={**meta["levels"]["finder"], **values})


WRONG = {
    "a dtype": lambda m, a: changed(m, a, dtype="object"),
    "a range": lambda m, a: changed(m, a, range=[5, 1]),
    "a range of texts": lambda m, a: changed(m, a, range="12"),
    "a count": lambda m, a: changed(m, a, clipped=-1),
    "no levels": lambda m, a: ({**m, "levels": 7}, a),
    "other lows": lambda m, a: with_finder(m, a, lows=[1.0]),
    "lows that are texts": lambda m, a: with_finder(m, a, lows=["1"] * 5),
    "a thousand frames": lambda m, a: with_finder(m, a, lows=[1.0] * 1000, highs=[2.0] * 1000),
    "noises": lambda m, a: with_finder(m, a, noises=[float("nan")]),
    "less noise than none": lambda m, a: changed(m, a, quiet=-1.0),
    "no sample": lambda m, a: (m, {name: array for name, array in a.items() if name != "earlier"}),
    "a sample of another shape": lambda m, a: (m, {**a, "earlier": np.zeros((3, 4))}),
    "a sample of nothing": lambda m, a: (m, {**a, "earlier": np.full(SHAPE, np.nan)}),
    "a sample of another dtype": lambda m, a: (m, {**a, "earlier": np.zeros(SHAPE, np.float32)}),
}


@pytest.mark.parametrize("change", WRONG.values(), ids=WRONG)
def test_files_that_cannot_be_are_refused(change, tmp_path):
    model = BackgroundSubtractor()
    masks_of(model, frames_of(texture(1000, 2000), 3, 0, np.uint16, 5))
    model.save(tmp_path / "m.bgsub")
    content = read_versions(tmp_path / "m.bgsub", "adaptive", 2, 2)
    write_container(tmp_path / "bad.bgsub", "adaptive", 2, *change(content.meta, content.arrays))
    with pytest.raises(ModelFileError, match="it describes no BackgroundSubtractor model"):
        BackgroundSubtractor.load(tmp_path / "bad.bgsub")
