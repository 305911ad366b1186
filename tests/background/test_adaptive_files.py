"""Copies and files of the adaptive model: a run in two parts is the run in one, and what is no model is refused."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from bgsub import MOG2, BackgroundSubtractor
from bgsub.errors import ModelFileError, OutputError
from bgsub.files import read_container, write_container
from tests.background.adaptive_scenes import FILE_VERSION, in_light, seen, walk, wall, with_square
from tests.background.twins import stored

pytestmark = pytest.mark.slow


def switched_light(shape=(33, 45)):
    """A square before a wall whose light drops by a third half-way, and comes back."""
    rng, background = np.random.default_rng(5), wall(shape, seed=5)
    pictures = [with_square(background, 9, (3 * t) % 31) if t > 4 else background for t in range(30)]
    return [seen(picture * (0.65 if 12 <= t < 19 else 1), rng) for t, picture in enumerate(pictures)]


def waving(shape=(33, 45)):
    """A texture whose pixels blink, and a square before it: flicker and neighbours have something to do."""
    rng = np.random.default_rng(6)
    dark, bright = wall(shape, seed=6), wall(shape, seed=7)
    pictures = [np.where(rng.random((*shape, 1)) < 0.3, bright, dark) for _ in range(30)]
    return [seen(with_square(picture, 9, 2 * t % 31) if t > 9 else picture, rng) for t, picture in enumerate(pictures)]


def lit(shape=(33, 45)):
    """A square stands, and gives way to light on the wall, just before a run is cut: what is decided from memory."""
    rng, background = np.random.default_rng(8), wall(shape, seed=8)
    lamp, covered = in_light(background, 0.5, 6, 12, 20), with_square(background, 4, 10, 24)
    pictures = [background] * 10 + [covered] * 3 + [lamp] * 3 + [covered] * 2 + [lamp] * 6 + [covered] * 6
    return [seen(picture, rng) for picture in pictures]


def shaken():
    """A camera that sways before a wall, far enough to be held still."""
    rng, background = np.random.default_rng(9), wall((84, 104), seed=9, level=(20, 235))
    corners = [(round(6 + 2 * np.sin(1.3 * t)), round(6 + 2 * np.cos(0.9 * t))) for t in range(30)]
    pictures = [with_square(background, 16, 15 + t) if t > 4 else background for t in range(30)]
    return [seen(picture[y : y + 72, x : x + 92], rng) for picture, (y, x) in zip(pictures, corners, strict=True)]


def cloudy():
    """Shadows of one depth pass before a wall, and dark cloth that has their hue."""
    rng, background = np.random.default_rng(10), wall((33, 45), seed=10, level=(110, 160))
    frames = []
    for t in range(30):
        picture = with_square(background, 18, 2 * t % 31, 12)
        picture[2:18, 2 * t % 25 : 2 * t % 25 + 20] *= 0.7
        if t > 15:
            picture[20:32, 30:42] *= 0.5
        frames.append(seen(picture, rng))
    return frames


BGR = walk(30, shape=(33, 45))
SCENES = {
    "colour": (BGR, {}),
    "grey": ([frame[..., 1] for frame in BGR], {}),
    "light": (switched_light(), {}),
    "lit": (lit(), {"detect_shadows": False, "structure_area": 20}),
    "shaken": (shaken(), {}),
    "shadows": (cloudy(), {"shadow_threshold": 0.4}),
    "waving": (waving(), {"flicker_rate": 0.1}),
    "polygons": (BGR, {"region": [[(3, 2), (40.5, 5), (22, 31)], [(0, 20), (9, 20), (9, 30)]]}),
    "mask": (BGR, {"region": np.random.default_rng(0).random((33, 45)) < 0.8, "n_components": 3}),
    "parameters": (BGR, {"history": 20, "detect_shadows": False, "smoothing": 0.7, "min_area": 5, "structure": 1}),
}


def in_memory(way):
    return lambda model, _: way(model)


def through_a_file(model, folder):
    model.save(folder / "wall.model")
    assert [path.name for path in folder.iterdir()] == ["wall.model"]
    return BackgroundSubtractor.load(folder / "wall.model")


WAYS = {
    "copy": in_memory(lambda model: model.copy()),
    "pickle": in_memory(lambda model: pickle.loads(pickle.dumps(model))),
    "file": through_a_file,
}


@pytest.mark.parametrize(
    ("way", "cut", "rate"),
    [
        ("file", 2, None),
        ("file", 13, None),
        ("file", 13, 0.02),
        ("file", 18, None),
        ("copy", 13, 0.02),
        ("pickle", 2, None),
    ],
)
@pytest.mark.parametrize(("frames", "parameters"), SCENES.values(), ids=SCENES)
def test_a_run_in_two_parts_is_the_run_in_one(way, frames, parameters, cut, rate, tmp_path):
    """Also at a rate at which tiles at rest learn in every second frame."""
    model = BackgroundSubtractor(**parameters)
    for t, frame in enumerate(frames[:cut]):
        model.apply(frame, learning_rate=rate if t > 5 else None)
    twin = WAYS[way](model, tmp_path)
    assert type(twin) is BackgroundSubtractor
    assert (twin.parameters, twin.shape, twin.n_frames) == (model.parameters, model.shape, cut)
    np.testing.assert_array_equal(twin.background_image(), model.background_image())
    assert stored(twin) == stored(model)
    n, soft, other_soft = 0, *np.zeros((2, *frames[0].shape[:2]), np.float32)
    for t, frame in enumerate(frames[cut:]):
        mask = model.apply(frame, probability=soft, learning_rate=0 if t == 4 else rate)
        other = twin.apply(frame, probability=other_soft, learning_rate=0 if t == 4 else rate)
        np.testing.assert_array_equal(other, mask, f"frame {cut + t}")
        np.testing.assert_array_equal(other_soft, soft, f"frame {cut + t}")
        n += np.count_nonzero(mask == 255)
    assert stored(twin) == stored(model)
    assert n > 100


def test_copies_are_independent():
    model = BackgroundSubtractor()
    for frame in BGR[:10]:
        model.apply(frame)
    before, twin = stored(model), model.copy()
    for frame in BGR[10:]:
        twin.apply(frame)
    assert stored(model) == before


def test_an_unused_model_keeps_its_parameters(tmp_path):
    BackgroundSubtractor(history=77, min_area=9, region=[[(0, 0), (9, 0), (9, 9)]]).save(tmp_path / "new")
    loaded = BackgroundSubtractor.load(tmp_path / "new", threads=2)
    assert (loaded.shape, loaded.n_frames, loaded.threads) == (None, 0, 2)
    assert (loaded.parameters["history"], loaded.parameters["min_area"]) == (77, 9)


def test_saving_again_and_from_the_loaded_gives_the_same_file(tmp_path):
    model = BackgroundSubtractor()
    for frame in BGR[:9]:
        model.apply(frame)
    model.save(tmp_path / "a")
    BackgroundSubtractor.load(tmp_path / "a").save(tmp_path / "b")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


# ----------------------------------------------------------------------------------------------------- damaged files


@pytest.fixture
def file(tmp_path):
    model = BackgroundSubtractor(n_components=2)
    for frame in walk(8, shape=(6, 22)):
        model.apply(frame)
    model.save(tmp_path / "wall.model")
    return tmp_path / "wall.model"


def refused(path, message, model=BackgroundSubtractor):
    with pytest.raises(ModelFileError, match=message) as refusal:
        model.load(path)
    assert "\n" not in str(refusal.value)
    assert str(path) in str(refusal.value)


def test_a_truncated_or_altered_file_is_refused(file):
    whole = file.read_bytes()
    for size in [*range(0, len(whole), 397), len(whole) - 1]:
        file.write_bytes(whole[:size])
        refused(file, "it is damaged|it is no model file of bgsub")
    for place in range(0, len(whole), 397):
        altered = bytearray(whole)
        altered[place] ^= 0x41
        file.write_bytes(altered)
        refused(file, "damaged|no model file of bgsub|of kind|written by")


def test_models_of_another_kind_are_refused(file, tmp_path):
    refused(file, "it holds a model of kind 'adaptive', not 'mog2'; give one of that kind", MOG2)
    MOG2().save(tmp_path / "old.model")
    refused(tmp_path / "old.model", "it holds a model of kind 'mog2', not 'adaptive'; give one of that kind")


def test_another_version_is_refused(file):
    version = FILE_VERSION
    content = read_container(file, "adaptive", version)
    write_container(file, "adaptive", version + 1, *content)
    refused(file, rf"written by a newer bgsub \(format {version + 1}, this one reads {version}\): upgrade bgsub")


def test_a_missing_file_and_a_missing_folder(tmp_path):
    refused(tmp_path / "missing.model", "no such file; check the path")
    with pytest.raises(OutputError, match="No such file or directory; choose a folder"):
        BackgroundSubtractor().save(tmp_path / "missing" / "wall.model")


ABSURD = {
    "200 Gaussians in a pixel": ("n_modes", lambda a: np.full_like(a, 200)),
    "no Gaussian in a pixel that has a weight": ("n_modes", np.zeros_like),
    "a row too few": ("n_modes", lambda a: a[:-1]),
    "weights of another shape": ("weights", lambda a: a[:, :1]),
    "weights of another dtype": ("weights", lambda a: a.astype(np.float64)),
    "modes of grey frames": ("modes", lambda a: a[:, :, :2]),
    "flicker that is NaN": ("flicker", lambda a: a * np.float32(np.nan)),
    "flicker above 1": ("flicker", lambda a: a + np.float32(1.5)),
    "negative flicker": ("flicker", lambda a: a - np.float32(0.5)),
    "flicker of another shape": ("flicker", np.ravel),
    "raw of another dtype": ("raw", lambda a: a.astype(bool)),
    **{f"no {name}": (name, None) for name in ("weights", "modes", "n_modes", "flicker", "raw", "age")},
    **{f"no {name} ": (name, None) for name in ("parameters", "shape", "n_frames", "polygons")},
    "another shape": ("shape", lambda shape: [9, 9, 3]),
    "a huge shape": ("shape", lambda shape: [2**20, 2**20, 3]),
    "four channels": ("shape", lambda shape: [6, 22, 4]),
    "negative n_frames": ("n_frames", lambda n: -1),
    "n_frames that are no number": ("n_frames", lambda n: "many"),
    "NaN in parameters": ("parameters", lambda p: {**p, "threshold": float("nan")}),
    "another n_components": ("parameters", lambda p: {**p, "n_components": 3}),
    "an unknown parameter": ("parameters", lambda p: {**p, "sharpness": 1}),
    "a parameter named as another argument": ("parameters", lambda p: {**p, "threads": 2}),
    "parameters that contradict each other": ("parameters", lambda p: {**p, "var_min_y": 80.0, "var_max": 70.0}),
    "tones that are too few": ("tones", lambda tones: tones[1:]),
    "negative tones": ("tones", lambda tones: [-1.0, *tones[1:]]),
    "tones that are no numbers": ("tones", lambda tones: ["many", *tones[1:]]),
    "tones that are no list": ("tones", lambda tones: 12.0),
    "polygons outside": ("polygons", lambda p: [[[100, 100], [105, 100], [105, 105]]]),
}


@pytest.mark.parametrize(("name", "change"), ABSURD.values(), ids=ABSURD)
def test_absurd_content_is_refused(file, name, change):
    meta, arrays = read_container(file, "adaptive", FILE_VERSION)
    content = meta if name in meta else arrays
    value = content.pop(name)
    if change is not None:
        content[name] = change(value)
    write_container(file, "adaptive", FILE_VERSION, meta, arrays)
    refused(file, "it describes no BackgroundSubtractor model .*; save it again")


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("value", ["any bits", np.inf, -np.inf, np.nan, 0.0, 3e38, 1e-38], ids=str)
def test_values_that_no_frame_could_have_left_do_no_harm(file, value):
    """The kernels trust counts and shapes, not values: with any bits in them they stay within their arrays."""
    meta, arrays = read_container(file, "adaptive", FILE_VERSION)
    rng = np.random.default_rng(0)
    for name in ("weights", "modes"):
        array = arrays[name]
        bits = rng.integers(0, 256, array.nbytes, np.uint8).view(np.float32).reshape(array.shape)
        arrays[name] = bits if value == "any bits" else np.full_like(array, value)
    last = np.arange(1, len(arrays["weights"]) + 1)[:, None, None]
    arrays["n_modes"] = np.where(arrays["weights"] > 0, last, 0).max(0).astype(np.uint8)
    for name in ("raw", "age"):
        arrays[name] = rng.integers(0, 256, arrays[name].shape, np.uint8)
    write_container(file, "adaptive", FILE_VERSION, meta, arrays)
    model = BackgroundSubtractor.load(file)
    model.background_image()
    for frame in walk(6, shape=(6, 22)):
        assert set(np.unique(model.apply(frame))) <= {0, 127, 255}
