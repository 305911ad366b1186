"""Videos and images of more than 8 bits: what stands out is found with the defaults, or in the range that is typed."""

from __future__ import annotations

import json
from fractions import Fraction

import av
import cv2
import numpy as np
import pytest

from bgsub import MOG2, BackgroundSubtractor
from tests.cli.clips import read_video

SHAPE = (48, 64)
WARM = np.s_[16:36, 20:40]


def thermal(n=30, first=20):
    """Return frames in hundredths of a kelvin, noise 0.04 K; from the frame `first` on something is 5 K warmer."""
    rng = np.random.default_rng(0)
    place = (29_500 + rng.normal(0, 60, (6, 8))).repeat(8, 0).repeat(8, 1)
    frames = [place + rng.normal(0, 4, SHAPE) for _ in range(n)]
    for frame in frames[first:]:
        frame[WARM] += 500
    return [np.rint(frame).astype(np.uint16) for frame in frames]


def write_grey16(path, frames, pixel_format="gray16le"):
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=10)
        stream.width, stream.height, stream.pix_fmt = frames[0].shape[1], frames[0].shape[0], pixel_format
        stream.time_base = Fraction(1, 10)
        for frame in frames:
            container.mux(
                stream.encode(av.VideoFrame.from_ndarray(frame, format="gray16le").reformat(format=pixel_format))
            )
        container.mux(stream.encode())
    return path


@pytest.fixture
def source(request, workplace):
    frames = thermal()
    if request.param == "video":
        return write_grey16(workplace / "thermal.mkv", frames)
    suffix = request.param
    (workplace / "shots").mkdir()
    for number, frame in enumerate(frames):
        cv2.imwrite(f"shots/{number:03}.{suffix}", frame)
    return workplace / "shots"


every_source = pytest.mark.parametrize("source", ["video", "png", "tif"], indirect=True)


@every_source
@pytest.mark.parametrize("method", ["adaptive", "mog2"])
def test_something_5_kelvin_warmer_is_found_with_the_defaults(bgsub, source, method):
    options = [
        "--method",
        method,
        "--no-shadows",
        "--mask",
        "m.mkv",
        "--save-model",
        "m.bgsub",
        "--background",
        "b.tif",
    ]
    outcome = bgsub("run", source, *options)
    assert outcome.code == 0, outcome.err
    masks = np.stack(read_video("m.mkv")[1])
    assert (masks[20:23, WARM[0], WARM[1]] == 255).mean() > 0.9  # MOG2 takes what stands for background soon
    masks[20:, 13:39, 17:43] = 0
    assert (masks[1:] == 255).mean() < 0.001
    model = (BackgroundSubtractor if method == "adaptive" else MOG2).load("m.bgsub")
    low, high = model.value_range
    assert low < 29_400 < 29_700 < high
    assert model.background_image().dtype == np.uint16


@every_source
def test_the_range_that_is_typed_is_taken(bgsub, source):
    outcome = bgsub("run", source, "--range", "29000,31000", "--save-model", "m.bgsub", "--mask", "m.mkv")
    assert (outcome.code, outcome.err) == (0, "")
    assert BackgroundSubtractor.load("m.bgsub").value_range == (29_000, 31_000)


@pytest.mark.parametrize("source", ["video"], indirect=True)
def test_what_lies_outside_is_told_once(bgsub, source):
    outcome = bgsub("run", source, "--range", "29000,29600", "--mask", "m.mkv", "--json")
    assert outcome.code == 0
    assert json.loads(outcome.out)["frames_read"] == 30
    assert outcome.err.count("lie outside the range 29000 to 29600 that was given and count as its ends") == 1
    assert "give a wider one" in outcome.err


@pytest.mark.parametrize("source", ["video"], indirect=True)
def test_a_saved_model_keeps_its_range(bgsub, source):
    bgsub("run", source, "--save-model", "m.bgsub", "--mask", "m.mkv")
    before = BackgroundSubtractor.load("m.bgsub").value_range
    outcome = bgsub("run", source, "--load-model", "m.bgsub", "--save-model", "n.bgsub", "--mask", "n.mkv")
    assert outcome.code == 0
    assert BackgroundSubtractor.load("n.bgsub").value_range == before
    outcome = bgsub("run", source, "--load-model", "m.bgsub", "--range", "1,2")
    assert (outcome.code, outcome.error) == (2, "Error: --range is fixed in a saved model: leave it out")
    assert bgsub("run", source, "--load-model", "m.bgsub", "--scale", "0.9").error.startswith(
        "Error: m.bgsub has learned"
    )


@pytest.mark.parametrize("text", ["5,1", "1,1", "7", "a,b", "1,2,3", "nan,1", "0,inf", ""])
def test_what_is_no_range_is_wrong_usage(bgsub, text):
    outcome = bgsub("run", "no.mkv", "--range", text)
    assert outcome.code == 2
    assert f"{text!r} is no range: write two numbers, the smaller one first, like 28000,32000" in outcome.err
