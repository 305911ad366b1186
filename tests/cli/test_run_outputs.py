"""What `bgsub run` writes: every kind of output, re-opened and compared with the model called by hand."""

import csv
import json
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from bgsub.background.cleanup import clean
from bgsub.background.mog2.model import MOG2
from tests.cli.clips import (
    FPS,
    HEIGHT,
    MOG2_RUN,
    WIDTH,
    assert_masks,
    files_in,
    masks_of,
    read_video,
    scene,
    shares,
    write_clip,
)
from tests.video.writers.sink_clips import mp4_boxes


def test_the_scene_has_objects_shadows_and_background(images):
    values, counts = np.unique(masks_of(images)[-1], return_counts=True)
    assert values.tolist() == [0, 127, 255]
    assert counts.min() > 30


def test_without_an_output_masks_and_overlay_go_to_files_in_the_current_folder(bgsub, clip, images, workplace):
    expected = masks_of(images)
    for number in ("", "-2", "-3"):
        name, film = f"clip.mask{number}.mkv", f"clip.overlay{number}.mp4"
        outcome = bgsub(*MOG2_RUN, clip)
        assert outcome.code == 0
        said = f"clip.mask.mkv exists: this run writes {name} and {film}; --overwrite replaces it\n"
        assert outcome.err == (said if number else "")
        done, wrote, seen = outcome.out.splitlines()
        assert done.startswith("done: 30 frames at ")
        assert done.endswith(f", {np.mean(shares(expected)):.1%} of the picture moving on average")
        assert (wrote, seen) == (f"  wrote {name}", f"  wrote {film}")
        assert_masks(name, expected)
        assert len(read_video(film)[0]) == len(images)
    kinds = [
        f"clip.{kind}{number}.{ending}"
        for kind, ending in (("mask", "mkv"), ("overlay", "mp4"))
        for number in ("-2", "-3", "")
    ]
    assert files_in(workplace) == kinds


def test_the_usual_outputs_are_numbered_alike_and_overwritten_where_that_is_asked_for(bgsub, clip, images, workplace):
    (workplace / "clip.overlay.mp4").write_bytes(b"mine")
    outcome = bgsub(*MOG2_RUN, clip)
    assert outcome.err.startswith("clip.overlay.mp4 exists: this run writes clip.mask-2.mkv and clip.overlay-2.mp4;")
    assert (workplace / "clip.overlay.mp4").read_bytes() == b"mine"
    outcome = bgsub(*MOG2_RUN, clip, "--overwrite")
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.splitlines()[1:] == ["  wrote clip.mask.mkv", "  wrote clip.overlay.mp4"]
    assert len(read_video("clip.overlay.mp4")[0]) == len(images)


def test_the_usual_overlay_opens_anywhere(bgsub, clip, workplace):
    """As browsers, phones and the players of desktops do."""
    bgsub(*MOG2_RUN, clip)
    with av.open("clip.overlay.mp4") as container:
        context = container.streams.video[0].codec_context
        assert (context.name, context.pix_fmt) == ("h264", "yuv420p")
    boxes = mp4_boxes(workplace / "clip.overlay.mp4")
    assert boxes[0] == "ftyp" and "moov" in boxes and "moof" not in boxes


def test_colour_and_quality_of_the_overlay(bgsub, clip, images):
    moving = cv2.erode((masks_of(images)[-1] == 255).astype(np.uint8), np.ones((5, 5))) == 1
    sizes = {}
    for color, tint in (("#ff0000", (0, 0, 255)), ("00f", (255, 0, 0)), ("black", (0, 0, 0))):
        bgsub(*MOG2_RUN, clip, "--overlay", "o.mp4", "--color", color, "--overwrite", "--quality", "high")
        shown = read_video("o.mp4", "bgr24")[1][-1][moving].mean(axis=0)
        np.testing.assert_allclose(shown, images[-1][moving].mean(axis=0) * 0.55 + np.array(tint) * 0.45, atol=20)
    for quality in ("1", "small", "normal", "high", "100"):
        assert bgsub(*MOG2_RUN, clip, "--overlay", "o.mp4", "--quality", quality, "--overwrite").code == 0
        sizes[quality] = Path("o.mp4").stat().st_size
    assert list(sizes.values()) == sorted(sizes.values()) and sizes["1"] * 3 < sizes["100"]


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--color", "mauve", "'mauve' is no colour: give one of magenta, cyan, "),
        ("--quality", "0", "'0' is no quality: write small, normal, high, or a number from 1 to 100"),
        ("--quality", "101", "'101' is no quality"),
        ("--quality", "best", "'best' is no quality"),
    ],
)
def test_what_is_no_colour_and_no_quality(bgsub, clip, workplace, option, value, message):
    outcome = bgsub("run", clip, option, value)
    assert outcome.code == 2
    assert message in outcome.error
    assert not list(workplace.iterdir())


def test_all_outputs_of_one_run(bgsub, clip, images, workplace):
    files = {
        "--mask": "m.mkv",
        "--overlay": "o.mp4",
        "--foreground": "f.mkv",
        "--background": "b.png",
        "--stats": "s.csv",
        "--save-model": "m.bgsub",
    }
    outcome = bgsub(*MOG2_RUN, clip, *(text for pair in files.items() for text in pair))
    assert outcome.code == 0
    assert [line[8:] for line in outcome.out.splitlines() if line.startswith("  wrote ")] == [
        "m.mkv", "o.mp4", "f.mkv", "s.csv", "b.png", "m.bgsub"
    ]  # fmt: skip
    assert files_in(workplace) == sorted(files.values())

    model = MOG2()
    masks = masks_of(images, model=model)
    assert_masks("m.mkv", masks)
    assert np.array_equal(cv2.imread("b.png"), model.background_image())
    assert MOG2.load("m.bgsub").n_frames == len(images)
    assert_overlay("o.mp4", images, masks)
    assert_cut_out("f.mkv", images, masks)
    with Path("s.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["index"]) for row in rows] == list(range(len(images)))
    assert np.allclose([float(row["time"]) for row in rows], np.arange(len(images)) / FPS, atol=1e-6)
    assert np.allclose([float(row["foreground"]) for row in rows], shares(masks), atol=1e-6)


def assert_overlay(path, images, masks):
    """Far from objects the picture is as it was, inside them it is tinted."""
    times, pictures = read_video(path, "bgr24")
    assert np.allclose(times, np.arange(len(images)) / FPS, atol=1e-4)
    assert len(pictures) == len(images)
    for picture, image, mask in zip(pictures[15:], images[15:], masks[15:], strict=True):
        change = np.abs(picture.astype(int) - image).mean(axis=2)
        near = cv2.dilate((mask > 0).astype(np.uint8), np.ones((7, 7)))
        inside = cv2.erode((mask == 255).astype(np.uint8), np.ones((3, 3)))
        assert change[near == 0].mean() < 25  # the noise is hard on H.264, and its colours are halved
        assert change[inside == 1].mean() > 40


def assert_cut_out(path, images, masks):
    """Opaque where something moves, with the pixels of the source; transparent elsewhere."""
    _, pictures = read_video(path, "bgra")
    for picture, image, mask in zip(pictures, images, masks, strict=True):
        assert np.array_equal(picture[..., 3] == 255, mask == 255)
        assert np.array_equal(picture[mask == 255, :3], image[mask == 255])
        assert not picture[mask != 255, 3].any()


def test_folders_of_images(bgsub, clip, images, workplace):
    outcome = bgsub(*MOG2_RUN, clip, "--mask", "masks/", "--foreground", "cut/")
    assert outcome.code == 0
    assert "  wrote masks/\n  wrote cut/" in outcome.out
    expected = masks_of(images)
    assert sorted(p.name for p in (workplace / "masks").iterdir()) == [f"bin{k:06d}.png" for k in range(1, 31)]
    assert sorted(p.name for p in (workplace / "cut").iterdir()) == [f"fg{k:06d}.png" for k in range(1, 31)]
    for number, (image, mask) in enumerate(zip(images, expected, strict=True), 1):
        assert np.array_equal(cv2.imread(f"masks/bin{number:06d}.png", cv2.IMREAD_UNCHANGED), mask)
        cut_out = cv2.imread(f"cut/fg{number:06d}.png", cv2.IMREAD_UNCHANGED)
        assert np.array_equal(cut_out[mask == 255, :3], image[mask == 255])
        assert np.array_equal(cut_out[..., 3], np.where(mask == 255, 255, 0))


def test_cut_outs_in_mp4_are_on_grey(bgsub, clip, images):
    bgsub(*MOG2_RUN, clip, "--foreground", "f.mp4")
    _, pictures = read_video("f.mp4", "bgr24")
    last, mask = pictures[-1], masks_of(images)[-1]
    near = cv2.dilate((mask == 255).astype(np.uint8), np.ones((9, 9)))
    assert np.abs(last[near == 0].astype(int) - 128).max() < 16
    assert last[cv2.erode((mask == 255).astype(np.uint8), np.ones((5, 5))) == 1].mean() > 100


@pytest.mark.parametrize("name", ["m.mp4", "m.webm"])
def test_lossy_masks_are_announced_and_near(bgsub, clip, images, name):
    outcome = bgsub(*MOG2_RUN, clip, "--mask", name)
    assert outcome.code == 0
    assert outcome.err == f"{name} is lossy: values blur around 0, 127 and 255; .mkv keeps them exact\n"
    _, found = read_video(name)
    expected = masks_of(images)
    assert len(found) == len(expected)
    for mask, wanted in zip(found[1:], expected[1:], strict=True):
        assert np.mean((mask > 191) == (wanted == 255)) > 0.98
    assert bgsub(*MOG2_RUN, clip, "--mask", "quiet.mp4", "-q").err == ""
    assert bgsub(*MOG2_RUN, clip, "--mask", "exact.mkv").err == ""


CLEANING = [
    ({"open": 3}, ["--open", "3"]),
    ({"close": 3}, ["--close", "3"]),
    ({"min_area": 40}, ["--min-area", "40"]),
    ({"fill": True}, ["--fill"]),
    ({"shadows": False}, ["--no-shadows"]),
    (
        {"open": 2, "close": 4, "min_area": 30, "fill": True, "shadows": False},
        ["--open", "2", "--close", "4", "--min-area", "30", "--fill", "--no-shadows"],
    ),
]


@pytest.fixture(scope="module")
def ragged(tmp_path_factory):
    """A clip whose masks give each kind of cleaning something to do, and its masks."""
    rng = np.random.default_rng(5)
    images = scene(12)
    for image in images[4:]:
        image[rng.random(image.shape[:2]) < 0.02] = 255  # specks
        hole = image[33:36, 35:38].copy()
        image[28:40, 30:42] = rng.integers(190, 256, (12, 12, 3))
        image[33:36, 35:38] = hole
    return write_clip(tmp_path_factory.mktemp("ragged") / "ragged.mkv", images), masks_of(images)


@pytest.mark.parametrize(("keywords", "options"), CLEANING, ids=lambda value: "+".join(value))
def test_cleaning(bgsub, ragged, keywords, options):
    clip, raw = ragged
    expected = [clean(mask, **keywords) for mask in raw]
    assert not np.array_equal(expected, raw)
    assert bgsub(*MOG2_RUN, clip, *options, "--stats", "s.jsonl", "--mask", "m.mkv").code == 0
    assert_masks("m.mkv", expected)
    with Path("s.jsonl").open() as file:  # the table is of the cleaned masks
        assert np.allclose([json.loads(line)["foreground"] for line in file], shares(expected), atol=1e-6)


def test_parameters_threads_and_precision_reach_the_model(bgsub, clip, images):
    options = ["--var-threshold", "40", "--history", "20", "--no-detect-shadows", "--n-components", "3"]
    parameters = {"var_threshold": 40, "history": 20, "detect_shadows": False, "n_components": 3}
    bgsub(*MOG2_RUN, clip, "--mask", "p.mkv", *options)
    assert_masks("p.mkv", masks_of(images, **parameters))
    compact = ["--precision", "compact", "--threads", "1", "--learning-rate", "0.05"]
    bgsub(*MOG2_RUN, clip, "--mask", "c.mkv", "--save-model", "c.bgsub", *compact)
    assert_masks("c.mkv", masks_of(images, learning_rate=0.05, precision="compact"))
    assert MOG2.load("c.bgsub").precision == "compact"
    for threads in (1, 2, 3):
        bgsub(*MOG2_RUN, clip, "--mask", f"t{threads}.mkv", "--threads", threads)
        assert_masks(f"t{threads}.mkv", masks_of(images))


def test_overwriting_replaces_the_whole_output(bgsub, clip, images, workplace):
    arguments = [
        *MOG2_RUN,
        clip,
        "--mask",
        "m.mkv",
        "--stats",
        "s.csv",
        "--foreground",
        "cut/",
        "--background",
        "b.png",
    ]
    assert bgsub(*arguments).code == 0
    assert bgsub(*arguments, "--overwrite", "--end", "0.4").code == 0
    assert_masks("m.mkv", masks_of(images[:10]))
    assert len((workplace / "s.csv").read_text().splitlines()) == 11
    assert len(list((workplace / "cut").iterdir())) == 10
    model = MOG2()
    masks_of(images[:10], model=model)
    assert np.array_equal(cv2.imread("b.png"), model.background_image())


def test_a_grey_video(bgsub, images):
    grey = [image[..., 1].copy() for image in images]
    write_clip("grey.mkv", grey, pix_fmt="gray")
    assert bgsub(*MOG2_RUN, "grey.mkv", "--overlay", "o.mkv", "--mask", "m.mkv", "--background", "b.png").code == 0
    assert_masks("m.mkv", masks_of(grey))
    model = MOG2()
    masks_of(grey, model=model)
    assert np.array_equal(cv2.imread("b.png", cv2.IMREAD_UNCHANGED), model.background_image())
    assert len(read_video("o.mkv")[1]) == len(grey)


def test_odd_sizes(bgsub):
    odd = scene(12, width=33, height=27)
    write_clip("odd.mkv", odd)
    outcome = bgsub(*MOG2_RUN, "odd.mkv", "--mask", "m.mkv", "--overlay", "o.mp4")
    assert outcome.code == 0
    assert "33x27 is padded to 34x28" in outcome.err
    assert_masks("m.mkv", masks_of(odd))
    with av.open("o.mp4") as container:
        assert (container.streams.video[0].width, container.streams.video[0].height) == (34, 28)
        assert sum(1 for _ in container.decode(video=0)) == 12


def test_only_a_model_may_be_wanted(bgsub, clip, workplace):
    assert bgsub(*MOG2_RUN, clip, "--save-model", "m.bgsub").code == 0
    assert files_in(workplace) == ["m.bgsub"]
    assert MOG2.load("m.bgsub").shape == (HEIGHT, WIDTH, 3)


@pytest.mark.parametrize("codec", ["ffv1", "h264"])
def test_both_codecs_of_masks_are_lossless(bgsub, clip, images, codec):
    assert bgsub(*MOG2_RUN, clip, "--mask", "masks.mkv", "--mask-codec", codec).code == 0
    with av.open("masks.mkv") as container:
        assert container.streams.video[0].codec_context.name == codec
        masks = [frame.to_ndarray()[: frame.height] for frame in container.decode(video=0)]
    np.testing.assert_array_equal(masks, masks_of(images))
