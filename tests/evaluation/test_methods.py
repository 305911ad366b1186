"""Methods by name: ours, OpenCV's, and peers that are installed, or not."""

import sys
import types

import cv2
import numpy as np
import pytest

from bgsub.background.adaptive.model import BackgroundSubtractor
from bgsub.background.methods import DEFAULT_METHOD
from bgsub.background.mog2.model import MOG2
from bgsub.errors import ParameterError
from bgsub.evaluation.methods import FAMILIES, ChosenMethod, PeerError, parse_method
from tests.evaluation.made import pictures

IMAGES, _ = pictures(8)


def masks_of(model, images=IMAGES):
    return [model.apply(image).copy() for image in images]


def test_names_and_parameters():
    assert parse_method("mog2") == ChosenMethod("mog2", "mog2")
    assert parse_method("mog2:history=300, var_threshold=2.5,detect_shadows=False,precision=compact").parameters == {
        "history": 300,
        "var_threshold": 2.5,
        "detect_shadows": False,
        "precision": "compact",
    }
    assert parse_method("pybgs:SuBSENSE") == ChosenMethod("pybgs:SuBSENSE", "pybgs", variant="SuBSENSE")
    assert parse_method("adaptive:threshold=7,min_area=30,flicker_rate=0.1").parameters == {
        "threshold": 7,
        "min_area": 30,
        "flicker_rate": 0.1,
    }
    assert DEFAULT_METHOD == "adaptive" and next(iter(FAMILIES)) == DEFAULT_METHOD


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "there is no method '': choose "),
        ("vibe", "there is no method 'vibe': choose adaptive, mog2, .*opencv-mog2, opencv-knn, gsoc"),
        ("MOG2", "there is no method 'MOG2'"),
        ("mog2:history", "method 'mog2:history' is not understood: write parameters like mog2:history=300,var_min=4"),
        ("mog2:history=", "is not understood"),
        ("mog2:history=1,history=2", "is not understood"),
        ("mog2:a-b=1", "is not understood"),
        ("mog2:threads=2", "threads is no parameter of a method here: the data set and --threads decide it"),
        ("mog2:region=x", "region is no parameter of a method here"),
        ("pybgs", "method 'pybgs' names no algorithm: write it like pybgs:SuBSENSE"),
        ("pybgs:__import__", "names no algorithm"),
        ("pybgs:A=1", "names no algorithm"),
    ],
)
def test_what_is_not_understood(text, message):
    with pytest.raises(ParameterError, match=message):
        parse_method(text)


@pytest.mark.parametrize(
    ("text", "twin"),
    [
        ("mog2:history=4,detect_shadows=false", MOG2(history=4, detect_shadows=False)),
        ("adaptive", BackgroundSubtractor()),
        (
            "adaptive:threshold=2,min_area=3,detect_shadows=false,flicker_rate=0.5",
            BackgroundSubtractor(threshold=2, min_area=3, detect_shadows=False, flicker_rate=0.5),
        ),
    ],
)
def test_ours_with_parameters(text, twin):
    made = parse_method(text).create(threads=1)
    assert type(made) is type(twin) and made.threads == 1
    assert made.parameters == twin.parameters
    assert np.array_equal(masks_of(made), masks_of(twin))


@pytest.mark.parametrize(
    ("text", "twin"),
    [
        ("opencv-mog2", cv2.createBackgroundSubtractorMOG2()),
        ("opencv-mog2:varThreshold=4,history=3", cv2.createBackgroundSubtractorMOG2(history=3, varThreshold=4)),
        ("opencv-knn:detectShadows=false", cv2.createBackgroundSubtractorKNN(detectShadows=False)),
    ],
)
def test_opencv_s(text, twin):
    cv2.setRNGSeed(1)
    expected = masks_of(twin)
    cv2.setRNGSeed(1)
    assert np.array_equal(masks_of(parse_method(text).create()), expected)


def test_a_learning_rate_reaches_ours_and_opencv_s():
    def masks_at(model, rate):
        return [model.apply(image, learning_rate=rate).copy() for image in IMAGES]

    twin = cv2.createBackgroundSubtractorMOG2()
    expected = [twin.apply(image, learningRate=0.5).copy() for image in IMAGES]
    assert np.array_equal(masks_at(parse_method("opencv-mog2").create(), 0.5), expected)
    assert not np.array_equal(masks_at(parse_method("opencv-mog2").create(), None), expected)
    ours = MOG2()
    assert np.array_equal(
        masks_at(parse_method("mog2").create(), 0.5), [ours.apply(image, learning_rate=0.5) for image in IMAGES]
    )


def test_each_sequence_gets_a_new_model():
    method = parse_method("opencv-mog2")
    first = masks_of(method.create())
    assert np.array_equal(first, masks_of(method.create()))


def test_peers_get_grey_frames_as_colour():
    grey = [image[..., 0].copy() for image in IMAGES]
    twin = cv2.createBackgroundSubtractorMOG2()
    expected = masks_of(twin, [np.stack([image] * 3, -1) for image in grey])
    assert np.array_equal(masks_of(parse_method("opencv-mog2").create(), grey), expected)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("mog2:var_min=100", "var_min is 100, above var_max 75"),
        ("mog2:history=soon", "history is 'soon': give a whole number"),
        ("adaptive:var_min_y=60", "var_min_y is 60, var_max 50: the first must be the smaller"),
        ("adaptive:var_threshold=16", "unknown parameter 'var_threshold': there are n_components, history, threshold"),
        ("adaptive:threshold=0", "threshold is 0: give a number above 0, up to 50"),
        ("mog2:learning=1", "unknown parameter 'learning'"),
        ("opencv-mog2:learning=1", "OpenCV refuses opencv-mog2:learning=1: .*'learning'"),
        ("opencv-knn:history=soon", "OpenCV refuses opencv-knn:history=soon"),
    ],
)
def test_parameters_that_are_refused(text, message):
    with pytest.raises(ParameterError, match=message) as caught:
        parse_method(text).create()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["gsoc", "cnt", "lsbp", "mog"])
def test_opencv_contrib(name, monkeypatch):
    made = []
    function = {"gsoc": "GSOC", "cnt": "CNT", "lsbp": "LSBP", "mog": "MOG"}[name]

    def create(**parameters):
        made.append(parameters)
        return cv2.createBackgroundSubtractorMOG2()

    contrib = types.SimpleNamespace(**{f"createBackgroundSubtractor{function}": create})
    monkeypatch.setattr(cv2, "bgsegm", contrib, raising=False)
    assert len(masks_of(parse_method(f"{name}:x=2").create())) == len(IMAGES)
    assert made == [{"x": 2}]
    monkeypatch.delattr(cv2, "bgsegm")
    with pytest.raises(PeerError, match=rf"^{name} is not in this OpenCV: opencv-contrib-python has it.*make an env"):
        parse_method(name).create()


class Algorithm:
    """As bgslibrary's: it gives an empty mask at first."""

    def __init__(self):
        self.n = 0

    def apply(self, image):
        self.n += 1
        if image.shape[2:] != (3,):
            raise RuntimeError("not\ncolour")
        if self.n == 1:
            return np.empty((0, 0), np.uint8)
        if self.n == 5:
            raise RuntimeError("lost\nits way")
        return np.full(image.shape[:2], 255, np.uint8)


def test_bgslibrary(monkeypatch):
    library = types.ModuleType("pybgs")
    library.SuBSENSE, library.other = Algorithm, 3
    monkeypatch.setitem(sys.modules, "pybgs", library)
    model = parse_method("pybgs:SuBSENSE").create()
    assert [mask.max() for mask in masks_of(model, IMAGES[:3])] == [0, 255, 255]
    assert model.apply(IMAGES[0][..., 0]).shape == IMAGES[0].shape[:2]
    with pytest.raises(PeerError, match="pybgs:SuBSENSE failed: lost its way"):
        model.apply(IMAGES[0])
    for name in ("PAWCS", "other"):
        with pytest.raises(ParameterError, match=f"pybgs has no algorithm {name}: choose SuBSENSE$"):
            parse_method(f"pybgs:{name}").create()


def test_bgslibrary_that_is_absent(monkeypatch):
    monkeypatch.setitem(sys.modules, "pybgs", None)
    with pytest.raises(PeerError, match=r"pybgs \(bgslibrary\) is not installed: make an environment for it"):
        parse_method("pybgs:SuBSENSE").create()


def test_what_a_method_runs_with():
    ours = parse_method("mog2:history=300").settings()
    assert ours["history"] == 300 and ours["var_threshold"] == MOG2().parameters["var_threshold"]
    assert parse_method("opencv-mog2:history=300").settings() == {"history": 300}
    assert parse_method("opencv-knn").settings() == {}
