"""Saved models: a run goes on where another ended, with its parameters or with others."""

import numpy as np
import pytest

from bgsub.background.mog2 import MOG2
from tests.cli.clips import assert_masks, masks_of, read_video, write_clip


@pytest.fixture
def halves(images):
    """The clip cut in two files."""
    return write_clip("a.mkv", images[:13]), write_clip("b.mkv", images[13:])


@pytest.mark.parametrize("options", [[], ["--precision", "compact"], ["--region", "5,5 60,5 60,40"]])
def test_a_run_split_in_two_files_gives_the_masks_of_the_whole(bgsub, halves, clip, options):
    assert bgsub("run", clip, "--mask", "whole.mkv", *options).code == 0
    first = bgsub("run", halves[0], "--mask", "m1.mkv", "--save-model", "door.bgsub", *options)
    assert first.out.endswith("\n  wrote m1.mkv\n  wrote door.bgsub\n")
    again = ["--mask", "m2.mkv", "--load-model", "door.bgsub", "--save-model", "door.bgsub"]
    assert bgsub("run", halves[1], *again).error.startswith("Error: door.bgsub exists; pass --overwrite")
    assert bgsub("run", halves[1], *again, "--overwrite").code == 0
    _, whole = read_video("whole.mkv")
    assert np.array_equal(read_video("m1.mkv")[1] + read_video("m2.mkv")[1], whole)
    assert np.any(np.array(whole[13:]) == 255)
    assert MOG2.load("door.bgsub").n_frames == 30


def test_a_loaded_model_keeps_its_parameters_unless_others_are_typed(bgsub, halves, images):
    bgsub("run", halves[0], "--save-model", "m.bgsub", "--var-threshold", "60", "--history", "9")
    for typed in ({}, {"var_threshold": 16.0}, {"history": 500, "shadow_value": 90}):
        options = [text for name, value in typed.items() for text in (f"--{name.replace('_', '-')}", value)]
        bgsub("run", halves[1], "--load-model", "m.bgsub", "--mask", "m.mkv", "--overwrite", *options)
        model = MOG2(var_threshold=60, history=9)
        masks_of(images[:13], model=model)
        model.set_parameters(**typed)
        assert_masks("m.mkv", masks_of(images[13:], model=model))


def test_rate_0_leaves_a_loaded_model_as_it_is(bgsub, halves, images, workplace):
    bgsub("run", halves[0], "--save-model", "m.bgsub")
    options = ["--load-model", "m.bgsub", "--learning-rate", "0", "--mask", "m.mkv", "--save-model", "same.bgsub"]
    assert bgsub("run", halves[1], *options).code == 0
    model = MOG2()
    masks_of(images[:13], model=model)
    assert_masks("m.mkv", masks_of(images[13:], learning_rate=0, model=model))
    assert (workplace / "same.bgsub").read_bytes() == (workplace / "m.bgsub").read_bytes()


def test_rate_0_needs_something_learned(bgsub, clip, images, workplace):
    outcome = bgsub("run", clip, "--learning-rate", "0")
    assert outcome.code == 2
    assert outcome.error == (
        "Error: --learning-rate 0 freezes a model that has learned nothing: add --load-model or --two-pass"
    )
    assert not list(workplace.iterdir())
    assert bgsub("run", clip, "--learning-rate", "0", "--two-pass").code == 0
    model = MOG2()
    masks_of(images, model=model)
    assert_masks("clip.mask.mkv", masks_of(images, learning_rate=0, model=model))


@pytest.mark.parametrize(
    ("options", "name"),
    [
        (["--n-components", "4"], "--n-components"),
        (["--region", "1,1 9,1 9,9"], "--region"),
        (["--precision", "compact"], "--precision"),
    ],
)
def test_what_a_saved_model_fixes_cannot_be_typed(bgsub, halves, options, name):
    bgsub("run", halves[0], "--save-model", "m.bgsub")
    outcome = bgsub("run", halves[1], "--load-model", "m.bgsub", "--mask", "m.mkv", *options)
    assert outcome.code == 2
    assert outcome.error == f"Error: {name} is fixed in a saved model: leave it out"
