"""The choice between methods: each takes its own options only, and one that counts in seconds knows the frame rate."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from bgsub.background.adaptive.model import BackgroundSubtractor
from bgsub.background.cleanup import clean
from bgsub.background.mog2.model import MOG2
from tests.cli.clips import FPS, MOG2_RUN, assert_masks, files_in, masks_of, read_video, scene, shares, write_clip

pytestmark = pytest.mark.slow


def test_the_adaptive_model_is_the_default(bgsub, clip, images):
    outcome = bgsub("run", clip, "--save-model", "m.bgsub", "--mask", "m.mkv", "--background", "b.png")
    assert (outcome.code, outcome.err) == (0, "")
    model = BackgroundSubtractor()
    expected = masks_of(images, model=model)
    assert outcome.out.splitlines()[0].endswith(f", {np.mean(shares(expected)):.1%} of the picture moving on average")
    assert np.mean(shares(expected[10:])) > 0.03
    assert not np.array_equal(expected, masks_of(images))
    assert_masks("m.mkv", expected)
    assert np.array_equal(cv2.imread("b.png"), model.background_image())
    assert BackgroundSubtractor.load("m.bgsub").n_frames == len(images)
    assert bgsub(*MOG2_RUN, clip, "--mask", "same.mkv").code == 0
    assert_masks("same.mkv", masks_of(images))


def test_its_parameters_reach_it(bgsub, clip, images):
    options = ["--threshold", "2", "--no-detect-shadows", "--smoothing", "0", "--no-compensate-light"]
    hidden = ["--flicker-rate", "0.3", "--var-max", "90"]
    rest = ["--threads", "2", "--learning-rate", "0.05", "--region", "0,0 50,0 50,40 0,40"]
    assert bgsub("run", clip, "--mask", "m.mkv", "--save-model", "m.bgsub", *options, *hidden, *rest).code == 0
    parameters = {"threshold": 2, "detect_shadows": False, "smoothing": 0, "compensate_light": False}
    parameters |= {"flicker_rate": 0.3, "var_max": 90}
    model = BackgroundSubtractor(**parameters, region=[[(0, 0), (50, 0), (50, 40), (0, 40)]])
    assert_masks("m.mkv", masks_of(images, model=model, learning_rate=0.05))
    assert BackgroundSubtractor.load("m.bgsub").parameters == model.parameters


@pytest.mark.parametrize("threads", [1, 2])
def test_masks_are_the_same_on_any_number_of_threads(bgsub, clip, images, threads):
    assert bgsub("run", clip, "--mask", "m.mkv", "--threads", threads).code == 0
    assert_masks("m.mkv", masks_of(images, model=BackgroundSubtractor(threads=3)))


def test_the_smallest_area_is_the_model_s_and_holds_after_cleaning(bgsub, clip, images):
    options = ["--min-area", "160", "--open", "3"]
    assert bgsub("run", clip, "--mask", "a.mkv", *options).code == 0
    raw = masks_of(images, model=BackgroundSubtractor(min_area=160))
    assert not np.array_equal(raw, masks_of(images, model=BackgroundSubtractor()))
    assert_masks("a.mkv", [clean(mask, open=3, min_area=160) for mask in raw])
    assert bgsub(*MOG2_RUN, clip, "--mask", "m.mkv", "--min-area", "160").code == 0
    assert_masks("m.mkv", [clean(mask, min_area=160) for mask in masks_of(images)])


@pytest.mark.parametrize(
    ("options", "rate"),
    [
        ([], FPS),
        (["--every", "3"], FPS / 3),
        (["--fps", "10"], 10),
        (["--fps", "10", "--every", "2", "--start", "0.3"], 5),
    ],
)
def test_times_count_the_frames_that_the_model_sees(bgsub, clip, options, rate):
    assert bgsub("run", clip, "--save-model", "m.bgsub", *options).code == 0
    assert BackgroundSubtractor.load("m.bgsub").parameters["frame_rate"] == pytest.approx(rate)


def test_images_come_at_25_frames_a_second_unless_told(bgsub, images, workplace):
    (workplace / "shots").mkdir()
    for number, image in enumerate(images[:4]):
        cv2.imwrite(f"shots/{number}.png", image)
    for options, rate in ([], 25), (["--fps", "5"], 5):
        bgsub("run", "shots", "--save-model", "m.bgsub", "--overwrite", *options)
        assert BackgroundSubtractor.load("m.bgsub").parameters["frame_rate"] == rate


def test_a_loaded_model_takes_the_rate_of_its_new_source(bgsub, clip):
    bgsub("run", clip, "--save-model", "m.bgsub")
    bgsub("run", clip, "--load-model", "m.bgsub", "--save-model", "n.bgsub", "--every", "2")
    assert BackgroundSubtractor.load("n.bgsub").parameters["frame_rate"] == FPS / 2


def test_a_stopped_object_is_absorbed_in_the_seconds_that_are_told(bgsub, workplace):
    images = scene(90, leaves=0)
    for image in images[30:]:
        image[20:36, 20:40] = (20, 200, 240)
    write_clip("stop.mkv", images)
    stays = {}
    for seconds in (0.4, 1.2):
        bgsub("run", "stop.mkv", "--mask", f"{seconds}.mkv", "--absorption-time", seconds, "--history", "40")
        masks = np.array(read_video(f"{seconds}.mkv")[1])[30:, 24:32, 24:36]
        assert (masks[0] == 255).all()
        stays[seconds] = int((masks == 255).mean(axis=(1, 2)).sum())
    assert stays[0.4] < stays[1.2] - 5


def test_two_passes_know_the_background_from_the_first_frame_on(bgsub, workplace):
    images = scene(60, leaves=25)
    write_clip("long.mkv", images)
    assert bgsub("run", "long.mkv", "--mask", "m.mkv", "--two-pass", "--warm-up", "0.2").code == 0
    model = BackgroundSubtractor()
    masks_of(images, model=model)
    assert_masks("m.mkv", masks_of(images, model=model)[5:], [index / FPS for index in range(5, 60)])


FOREIGN = [
    (["--var-threshold", "16"], "--var-threshold belongs to --method mog2, not adaptive"),
    (["--precision", "exact"], "--precision belongs to --method mog2, not adaptive"),
    (["--method", "adaptive", "--complexity-prior", "0"], "--complexity-prior belongs to --method mog2, not adaptive"),
    (["--method", "mog2", "--threshold", "6.5"], "--threshold belongs to --method adaptive, not mog2"),
    (["--method", "mog2", "--absorption-time", "9"], "--absorption-time belongs to --method adaptive, not mog2"),
    (["--method", "mog2", "--no-compensate-light"], "--compensate-light belongs to --method adaptive, not mog2"),
    (["--method", "mog2", "--flicker-rate", "0.5"], "--flicker-rate belongs to --method adaptive, not mog2"),
]


@pytest.mark.parametrize(("options", "message"), FOREIGN, ids=lambda value: " ".join(value)[:40])
def test_options_of_the_other_method(bgsub, clip, workplace, options, message):
    outcome = bgsub("run", clip, *options)
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.error == f"Error: {message}: choose that method, or leave it out"
    assert files_in(workplace) == []


BOUNDS = [
    (["--n-components", "17"], "n_components is 17: give a whole number from 1 to 16"),
    (["--method", "mog2", "--n-components", "33"], "Invalid value for '--n-components': 33 is out of bounds: give "),
    (["--method", "mog2", "--var-max", "3"], "var_min is 4, above var_max 3"),
    (["--var-max", "3"], "var_min_y is 20, var_max 3: the first must be the smaller"),
    (["--absorption-time", "0"], "Invalid value for '--absorption-time': 0 is out of bounds: give a number above 0"),
    (["--threshold", "x"], "Invalid value for '--threshold': x is out of bounds: give a number above 0, up to 50"),
    (["--flicker-rate", "2"], "Invalid value for '--flicker-rate': 2 is out of bounds: give a number from 0.0001 to 1"),
    (["--method", "vibe"], "Invalid value for '--method': 'vibe' is not one of 'adaptive', 'mog2'"),
    (["--frame-rate", "9"], "No such option"),
]


@pytest.mark.parametrize(("options", "message"), BOUNDS, ids=lambda value: " ".join(value)[:40])
def test_bounds_are_those_of_the_method(bgsub, clip, workplace, options, message):
    outcome = bgsub("run", clip, *options)
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.error.startswith(f"Error: {message}")
    assert files_in(workplace) == []


def test_more_gaussians_than_the_other_method_may_have(bgsub, clip):
    assert bgsub(*MOG2_RUN, clip, "--n-components", "32", "--save-model", "m.bgsub", "--end", "0.2").code == 0
    assert MOG2.load("m.bgsub").parameters["n_components"] == 32


def test_an_unreadable_model_is_refused_when_it_is_loaded(bgsub, clip, workplace):
    texts = ["", "bgsub model, container 1\n", "bgsub model, container 1\n[]\n", 'x\n{"kind": ["adaptive"]}\n']
    for number, text in enumerate([*texts, "bgsub model, container 1\n" + "[" * 100_000]):
        Path("bad.bgsub").write_text(text)
        outcome = bgsub("run", clip, "--load-model", "bad.bgsub", "--mask", "m.mkv")
        assert outcome.code == 1, number
        assert outcome.error.startswith("Error: cannot load the model bad.bgsub: it is ")


def test_the_summary_for_programs_is_the_same(bgsub, clip):
    ours, opencv_s = (json.loads(bgsub(*run, clip, "--json", "-q").out) for run in (("run",), MOG2_RUN))
    assert ours.keys() == opencv_s.keys()
    assert ours["frames_written"] == 30
