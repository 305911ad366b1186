"""Saved models of both methods: a run goes on where another ended, with its parameters or with others."""

import numpy as np
import pytest

from bgsub.background.adaptive.model import BackgroundSubtractor
from bgsub.background.mog2.model import MOG2
from tests.cli.clips import MOG2_RUN, assert_masks, masks_of, read_video, write_clip

CLASSES = {"adaptive": BackgroundSubtractor, "mog2": MOG2}


@pytest.fixture
def halves(images):
    """The clip cut in two files."""
    return write_clip("a.mkv", images[:13]), write_clip("b.mkv", images[13:])


@pytest.fixture(params=CLASSES)
def method(request):
    return request.param


@pytest.mark.parametrize(
    ("method", "options"),
    [
        ("adaptive", []),
        ("adaptive", ["--absorption-time", "0.2", "--smoothing", "0", "--min-area", "4"]),
        ("adaptive", ["--region", "5,5 60,5 60,40"]),
        ("mog2", []),
        ("mog2", ["--precision", "compact"]),
        ("mog2", ["--region", "5,5 60,5 60,40"]),
    ],
)
def test_a_run_split_in_two_files_gives_the_masks_of_the_whole(bgsub, halves, clip, method, options):
    chosen = ["--method", method, *options]
    assert bgsub("run", clip, "--mask", "whole.mkv", *chosen).code == 0
    first = bgsub("run", halves[0], "--mask", "m1.mkv", "--save-model", "door.bgsub", *chosen)
    assert first.out.endswith("\n  wrote m1.mkv\n  wrote door.bgsub\n")
    again = ["--mask", "m2.mkv", "--load-model", "door.bgsub", "--save-model", "door.bgsub"]
    assert bgsub("run", halves[1], *again).error.startswith("Error: door.bgsub exists; pass --overwrite")
    assert bgsub("run", halves[1], *again, "--overwrite").code == 0
    _, whole = read_video("whole.mkv")
    assert np.array_equal(read_video("m1.mkv")[1] + read_video("m2.mkv")[1], whole)
    assert np.any(np.array(whole[13:]) == 255)
    assert CLASSES[method].load("door.bgsub").n_frames == 30


CHANGES = {
    "mog2": ({"var_threshold": 60, "history": 9}, [{}, {"var_threshold": 16.0}, {"history": 500, "shadow_value": 90}]),
    "adaptive": (
        {"threshold": 2, "smoothing": 0.0, "min_area": 3},
        [{}, {"threshold": 12.0}, {"flicker_rate": 0.2}, {"history": 9, "shadow_value": 90}],
    ),
}


def test_a_loaded_model_keeps_its_parameters_unless_others_are_typed(bgsub, halves, images, method):
    def options(parameters):
        return [text for name, value in parameters.items() for text in (f"--{name.replace('_', '-')}", value)]

    saved, changes = CHANGES[method]
    bgsub("run", halves[0], "--method", method, "--save-model", "m.bgsub", *options(saved))
    found = []
    for typed in changes:
        bgsub("run", halves[1], "--load-model", "m.bgsub", "--mask", "m.mkv", "--overwrite", *options(typed))
        model = CLASSES[method](**saved)
        masks_of(images[:13], model=model)
        model.set_parameters(**typed)
        found.append(masks_of(images[13:], model=model))
        assert_masks("m.mkv", found[-1])
    assert not np.array_equal(found[0], found[1])


def test_rate_0_leaves_a_loaded_model_as_it_is(bgsub, halves, images, workplace, method):
    bgsub("run", halves[0], "--method", method, "--save-model", "m.bgsub")
    options = ["--load-model", "m.bgsub", "--learning-rate", "0", "--mask", "m.mkv", "--save-model", "same.bgsub"]
    assert bgsub("run", halves[1], *options).code == 0
    model = CLASSES[method]()
    masks_of(images[:13], model=model)
    assert_masks("m.mkv", masks_of(images[13:], learning_rate=0, model=model))
    assert (workplace / "same.bgsub").read_bytes() == (workplace / "m.bgsub").read_bytes()


def test_rate_0_needs_something_learned(bgsub, clip, images, workplace, method):
    outcome = bgsub("run", clip, "--method", method, "--learning-rate", "0")
    assert outcome.code == 2
    assert outcome.error == (
        "Error: --learning-rate 0 freezes a model that has learned nothing: add --load-model or --two-pass"
    )
    assert not list(workplace.iterdir())
    assert bgsub("run", clip, "--method", method, "--learning-rate", "0", "--two-pass").code == 0
    model = CLASSES[method]()
    masks_of(images, model=model)
    assert_masks("clip.mask.mkv", masks_of(images, learning_rate=0, model=model))


@pytest.mark.parametrize(
    ("options", "name"),
    [
        (["--n-components", "3"], "--n-components"),
        (["--region", "1,1 9,1 9,9"], "--region"),
        (["--method", "mog2", "--precision", "compact"], "--precision"),
    ],
)
def test_what_a_saved_model_fixes_cannot_be_typed(bgsub, halves, options, name):
    bgsub(*MOG2_RUN, halves[0], "--save-model", "m.bgsub")
    outcome = bgsub("run", halves[1], "--load-model", "m.bgsub", "--mask", "m.mkv", *options)
    assert outcome.code == 2
    assert outcome.error == f"Error: {name} is fixed in a saved model: leave it out"


@pytest.mark.parametrize(("method", "other"), [("adaptive", "mog2"), ("mog2", "adaptive")])
def test_the_file_tells_the_method(bgsub, halves, workplace, method, other):
    bgsub("run", halves[0], "--method", method, "--save-model", "m.bgsub")
    load = ["run", halves[1], "--load-model", "m.bgsub", "--mask", "m.mkv"]
    refused = bgsub(*load, "--method", other)
    assert refused.code == 2
    assert refused.error == f"Error: m.bgsub holds a model of --method {method}, not {other}: leave out --method"
    foreign = "--var-threshold" if method == "adaptive" else "--threshold"
    refused = bgsub(*load, foreign, "9")
    assert refused.code == 2
    assert refused.error == (
        f"Error: {foreign} belongs to --method {other}, but m.bgsub holds a model of {method}: leave it out"
    )
    assert not (workplace / "m.mkv").exists()
    assert bgsub(*load, "--method", method).code == 0


def test_a_file_of_another_kind_is_no_model_of_video(bgsub, clip, workplace):
    header = '{"kind": "mixture", "version": 1, "meta": {}, "arrays": []}'
    (workplace / "rows.bgsub").write_text(f"bgsub model, container 1\n{header}\n")
    outcome = bgsub("run", clip, "--load-model", "rows.bgsub", "--mask", "m.mkv")
    assert outcome.code == 1
    assert outcome.error.startswith("Error: cannot load the model rows.bgsub: it is damaged")
    from bgsub.files import write_container

    write_container("rows.bgsub", "mixture", 1, {}, {})
    outcome = bgsub("run", clip, "--load-model", "rows.bgsub", "--mask", "m.mkv")
    assert outcome.code == 1
    assert outcome.error.startswith("Error: cannot load the model rows.bgsub: it holds a model of kind 'mixture'")
