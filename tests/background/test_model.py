"""The base of the streaming models, under a model that is as small as can be: it remembers the last frame."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

from bgsub.background.model import BackgroundModel
from bgsub.background.parameters import Parameter
from bgsub.errors import ModelFileError, ParameterError
from bgsub.files import read_container, write_container

TABLE = {
    p.name: p
    for p in [
        Parameter("n_components", 1, 1, 4, "", "planes"),
        Parameter("threshold", 10.0, 0, 255, "grey levels", "smaller differences are background"),
    ]
}


class Plane:
    """An engine: it owns the last frame."""

    def __init__(self, shape, threads):
        self.threads = threads
        self.last = np.zeros(shape, np.uint8)

    def forget(self):
        self.last[...] = 0

    def saved(self):
        return {"last": self.last.copy()}

    def restore(self, arrays):
        if arrays["last"].max() == 255:
            raise ValueError("values that cannot be trusted")
        self.last[...] = arrays["last"]


class Card(Plane):
    """An engine beside it, with a layout of its own: upside down."""

    def __init__(self, shape, threads):
        super().__init__(shape, threads)
        self.kept = self.last
        self.last = self.kept[::-1]


ENGINES = {"cpu": f"{__name__}:Plane", "card": f"{__name__}:Card"}


class LastFrame(BackgroundModel):
    """A pixel is foreground when it differs from the last frame; `brightest` is what was learned besides."""

    _KIND = "last"
    _VERSION = 3
    _TABLE = TABLE
    _ENGINES = ENGINES
    _SETTINGS = ("flavour",)

    def __init__(self, *, flavour="plain", **others):
        self.flavour = flavour
        super().__init__(**others)

    def reset(self):
        super().reset()
        self.brightest = 0.0
        self.seen = []

    def apply(self, image, *, learning_rate=None, known_foreground=None, out=None, probability=None):
        call = self._accept(image, learning_rate, known_foreground, out, probability)
        assert call.pixels.flags.c_contiguous
        assert call.mask.flags.c_contiguous
        difference = np.abs(call.pixels.astype(np.float32) - self.engine.last)
        call.mask[...] = (difference > self.parameters["threshold"]) * 255
        if call.probability is not None:
            assert call.probability.flags.c_contiguous
            call.probability[...] = difference / 255
        self.seen.append((call.rate, self.n_frames, int(self.engine.last.max()), call.known_foreground))
        assert call.learns == (call.rate != 0)
        if call.learns:
            self.engine.last[...] = call.pixels
            self.brightest = max(self.brightest, float(call.pixels.max()))
        return self._result(call)

    def _check_parameters(self, values):
        return {name: p.check(values.get(name, p.default)) for name, p in TABLE.items()}

    def _rescale(self, change):
        raise AssertionError("its frames have 8 bits")

    def _layout(self, shape):
        return {"last": (shape, np.dtype(np.uint8))}

    def _make_engine(self, make, shape):
        return make(shape, self.threads)

    def _progress(self):
        return {"brightest": self.brightest}

    def _set_progress(self, values):
        if not isinstance(values["brightest"], float):
            raise ValueError("brightest is no number")
        self.brightest = values["brightest"]


GREY = np.arange(12, dtype=np.uint8).reshape(3, 4) * 5
DARK = np.zeros((3, 4), np.uint8)


def trained(**options):
    model = LastFrame(**options)
    model.apply(GREY)
    model.apply(GREY + np.uint8(3))
    return model


# -------------------------------------------------------------------------------------------------------------- apply


def test_a_frame_comes_to_the_model_with_its_rate_and_the_number_of_frames_before():
    model = LastFrame()
    for rate in (None, 0.25, 0, 1, np.float64(0.5)):
        model.apply(GREY, learning_rate=rate)
    assert model.seen == [
        (None, 0, 0, None),
        (0.25, 1, 55, None),
        (0, 2, 55, None),
        (1, 0, 0, None),  # emptied before
        (0.5, 1, 55, None),
    ]
    assert (model.n_frames, model.shape) == (2, (3, 4))


def test_rate_0_before_the_first_frame_leaves_nothing_behind():
    model = LastFrame()
    np.testing.assert_array_equal(model.apply(GREY, learning_rate=0), (GREY > 10) * 255)
    assert (model.shape, model.n_frames, model.engine) == (None, 0, None)
    model.apply(np.zeros((5, 5), np.uint8))
    assert model.shape == (5, 5)


def test_what_is_known_comes_to_the_model_as_given():
    model, known = LastFrame(), GREY > 20
    model.apply(GREY, known_foreground=known)
    assert model.seen[0][3] is known


PROBABILITIES = {
    "contiguous": lambda: np.full((3, 4), 9, np.float32),
    "strided": lambda: np.full((6, 8), 9, np.float32)[::2, ::2],
    "transposed": lambda: np.full((4, 3), 9, np.float32).T,
}


@pytest.mark.parametrize("make", PROBABILITIES.values(), ids=PROBABILITIES)
def test_the_probability_goes_to_the_array_given(make):
    model, probability = LastFrame(), make()
    model.apply(GREY, probability=probability)
    np.testing.assert_array_equal(probability, GREY.astype(np.float32) / 255)


def test_a_strided_probability_leaves_its_neighbours():
    whole = np.full((6, 8), 9, np.float32)
    LastFrame().apply(GREY, probability=whole[::2, ::2])
    assert (whole[1::2] == 9).all()
    assert (whole[:, 1::2] == 9).all()


def read_only():
    plane = np.zeros((3, 4), np.float32)
    plane.flags.writeable = False
    return plane


@pytest.mark.parametrize(
    ("probability", "message"),
    [
        (np.zeros((3, 4)), r"probability is float64 of shape \(3, 4\): give a float32 array of shape \(3, 4\)"),
        (np.zeros((4, 3), np.float32), r"probability is float32 of shape \(4, 3\): give a float32 array of shape"),
        ([[0.0]], "probability is list: give a float32 array"),
        (read_only(), "probability cannot be written: give a writable float32 array"),
    ],
    ids=["dtype", "shape", "list", "read-only"],
)
def test_a_wrong_probability_is_refused_and_nothing_learned(probability, message):
    model = LastFrame()
    with pytest.raises(ParameterError, match=message):
        model.apply(GREY, probability=probability)
    assert (model.shape, model.n_frames, model.seen) == (None, 0, [])


# --------------------------------------------------------------------------------------------------------- parameters


def test_repr_names_the_class_and_what_differs_from_its_table():
    assert repr(LastFrame()) == "LastFrame()"
    assert repr(LastFrame(threshold=5)) == "LastFrame(threshold=5.0)"


def test_the_first_frame_fixes_the_shape_of_the_state():
    model = LastFrame()
    model.set_parameters(n_components=2)
    model.apply(GREY)
    with pytest.raises(ParameterError, match=r"n_components is fixed by the first frame: call reset\(\)"):
        model.set_parameters(n_components=3, threshold=99)
    assert model.parameters == {"n_components": 2, "threshold": 10.0}
    model.set_parameters(n_components=2, threshold=99)
    assert model.parameters["threshold"] == 99
    model.reset()
    model.set_parameters(n_components=3)


# ------------------------------------------------------------------------------------------------- copies and files


def through_a_file(model, tmp_path):
    model.save(tmp_path / "m")
    return LastFrame.load(tmp_path / "m", threads=model.threads)


WAYS = {
    "copy": lambda model, _: model.copy(),
    "deepcopy": lambda model, _: copy.deepcopy(model),
    "pickle": lambda model, _: pickle.loads(pickle.dumps(model)),
    "file": through_a_file,
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("region", [None, [[(0, 0), (3, 0), (3, 3)]]], ids=["whole", "region"])
def test_settings_state_and_progress_travel(way, region, tmp_path):
    model = trained(flavour="sour", threshold=2, threads=2, region=region)
    twin = way(model, tmp_path)
    assert type(twin) is LastFrame
    assert (twin.flavour, twin.parameters, twin.threads) == ("sour", {"n_components": 1, "threshold": 2.0}, 2)
    assert (twin.shape, twin.n_frames, twin.brightest) == ((3, 4), 2, 58.0)
    assert np.array_equal(twin.region or [], region or [])
    np.testing.assert_array_equal(twin.apply(DARK), model.apply(DARK))
    twin.apply(GREY)
    assert (model.engine.last == DARK).all()


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_a_model_without_frames_travels(way, tmp_path):
    twin = way(LastFrame(flavour="sour", threshold=7), tmp_path)
    assert (twin.flavour, twin.parameters["threshold"], twin.shape, twin.engine) == ("sour", 7.0, None, None)


def test_a_file_has_the_kind_and_version_of_the_model(tmp_path):
    trained().save(tmp_path / "m")
    meta, arrays = read_container(tmp_path / "m", "last", 3)
    assert (meta["flavour"], meta["brightest"], list(arrays)) == ("plain", 58.0, ["last"])
    write_container(tmp_path / "m", "last", 4, meta, arrays)
    with pytest.raises(ModelFileError, match="format 4, this one reads 3"):
        LastFrame.load(tmp_path / "m")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"flavour": None}, "'flavour'"),
        ({"brightest": None}, "'brightest'"),
        ({"brightest": "very"}, "brightest is no number"),
        ({"n_frames": -1}, "-1 frames"),
        ({"shape": [3, 4, 2]}, r"frames of shape \(3, 4, 2\)"),
        ({"shape": [1 << 20, 1 << 20]}, r"last of shape \(3, 4\) and dtype uint8, not \(1048576, 1048576\)"),
        ({"parameters": {"threshold": 999}}, "threshold is 999: give a number from 0 to 255"),
        ({"last": np.full((3, 4), 255, np.uint8)}, "values that cannot be trusted"),
        ({"last": np.zeros((3, 4), np.int8)}, "last of shape .* and dtype int8"),
    ],
    ids=lambda part: "".join(part) if isinstance(part, dict) else "",
)
def test_a_file_that_describes_no_such_model_is_refused(changes, message, tmp_path):
    trained().save(tmp_path / "m")
    meta, arrays = read_container(tmp_path / "m", "last", 3)
    for name, value in changes.items():
        content = arrays if name in arrays else meta
        content.pop(name)
        if value is not None:
            content[name] = value
    write_container(tmp_path / "m", "last", 3, meta, arrays)
    with pytest.raises(ModelFileError, match=rf"m: it describes no LastFrame model \(.*{message}.*\); save it again"):
        LastFrame.load(tmp_path / "m")
