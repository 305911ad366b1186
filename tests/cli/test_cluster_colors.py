"""`bgsub cluster colors`: every output re-opened, images and videos, and what is refused."""

import json
import re

import cv2
import numpy as np
import pytest

from tests.cli.clips import read_video, scene, write_clip, write_sound
from tests.features.test_palette import FLAG, SHARES, flag

HEX = ["#c81e28", "#ebf0f0", "#143c96"]


@pytest.fixture
def picture(workplace):
    cv2.imwrite("flag.png", flag())
    return "flag.png"


@pytest.fixture
def film(workplace):
    return write_clip("film.mkv", [flag(3, seed=i) for i in range(12)])


def said(outcome):
    """What stderr says, but for kernels that a first run compiles."""
    return [line for line in outcome.err.splitlines() if not line.startswith("preparing ")]


def palette_of(bgsub, *arguments):
    outcome = bgsub("cluster", "colors", *arguments, "--json")
    assert outcome.code == 0, outcome.err
    return json.loads(outcome.out)


def near(found, expected=FLAG, within=3):
    return np.abs(np.asarray(found).astype(int) - expected).max() <= within


def test_palette_as_text(bgsub, picture):
    outcome = bgsub("cluster", "colors", picture, "--components", 3)
    assert (outcome.code, said(outcome)) == (0, [])
    *lines, first, second = outcome.out.splitlines()
    found = [re.fullmatch(r"#([0-9a-f]{6})  ([ \d]{3}) ([ \d]{3}) ([ \d]{3})  ([ \d.]{5})%", line) for line in lines]
    assert [float(line[5]) for line in found] == [50.0, 30.0, 20.0]
    rgb = [[int(line[i]) for i in (2, 3, 4)] for line in found]
    assert near(rgb, FLAG[:, ::-1])
    assert [line[1] for line in found] == ["{:02x}{:02x}{:02x}".format(*colour) for colour in rgb]
    assert (first, second) == ("  wrote flag.palette.png", "  wrote flag.quantised.png")


def test_palette_as_json_and_pictures(bgsub, picture):
    facts = palette_of(bgsub, picture, "--components", 3)
    assert facts["source"] == picture
    assert facts["outputs"] == ["flag.palette.png", "flag.quantised.png"]
    assert near([colour["rgb"] for colour in facts["palette"]], FLAG[:, ::-1])
    assert [colour["share"] for colour in facts["palette"]] == pytest.approx(SHARES)
    quantised = cv2.imread("flag.quantised.png")
    assert near(quantised, flag())
    wanted = {tuple(colour["rgb"][::-1]) for colour in facts["palette"]}
    assert {tuple(pixel) for pixel in quantised.reshape(-1, 3).tolist()} == wanted
    swatches = cv2.imread("flag.palette.png").reshape(-1, 3)
    for colour in wanted:
        assert (np.abs(swatches.astype(int) - colour).max(axis=1) <= 1).sum() > 10_000


def test_default_names_are_numbered(bgsub, picture):
    for _ in range(2):
        facts = palette_of(bgsub, picture, "--components", 2)
    assert facts["outputs"] == ["flag.palette-2.png", "flag.quantised-2.png"]


def test_soft(bgsub, workplace):
    image = cv2.GaussianBlur(flag(8), (21, 21), 0)
    cv2.imwrite("blurred.png", image)
    for name, options in {"hard.png": [], "soft.png": ["--soft"]}.items():
        palette_of(bgsub, "blurred.png", "--components", 3, "--output", name, *options)
    hard, soft = cv2.imread("hard.png").astype(int), cv2.imread("soft.png").astype(int)
    assert len(np.unique(hard.reshape(-1, 3), axis=0)) == 3
    assert len(np.unique(soft.reshape(-1, 3), axis=0)) > 3
    assert ((soft - image) ** 2).mean() < ((hard - image) ** 2).mean()


def test_palette_of_a_video(bgsub, film):
    facts = palette_of(bgsub, film, "--components", 3)
    assert facts["outputs"] == ["film.palette.png"]  # a quantised video only where it is asked for
    assert near([colour["rgb"] for colour in facts["palette"]], FLAG[:, ::-1])
    assert [colour["share"] for colour in facts["palette"]] == pytest.approx(SHARES, abs=0.02)


def test_quantised_video(bgsub, film):
    facts = palette_of(bgsub, film, "--components", 3, "--output", "poster.mkv", "--every", 2)
    assert facts["outputs"] == ["poster.mkv"]
    times, images = read_video("poster.mkv", "bgr24")
    assert np.allclose(times, np.arange(0, 12, 2) / 25, atol=6e-4)
    expected = flag()
    for image in images:
        inside = np.s_[8:-8, [*range(8, 42), *range(58, 72), *range(88, 92)]]
        assert np.abs(image[inside].astype(int) - expected[inside]).max() < 12  # H.264


def test_folder_of_images_is_a_video(bgsub, workplace):
    (workplace / "shots").mkdir()
    for index, image in enumerate(scene(4)):
        cv2.imwrite(f"shots/in{index:06d}.png", image)
    facts = palette_of(bgsub, "shots", "--components", 4)
    assert facts["outputs"] == ["shots.palette.png"]


def test_quiet(bgsub, picture, workplace):
    outcome = bgsub("cluster", "colors", picture, "--components", 3, "--palette", "p.svg", "-q")
    assert (outcome.code, outcome.out, outcome.err) == (0, "", "")
    assert "<svg" in (workplace / "p.svg").read_text()


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["nothing.png"], 1, r"cannot open nothing\.png: no such file or folder; check the path"),
        (["text.png"], 1, r"cannot open text\.png: none of its 1 images can be read; check them"),
        (["sound.wav"], 1, r"cannot open sound\.wav: .*"),
        (["grey.png"], 2, r"the picture has only 1 colour, fewer than the 8 asked for: give at most 1"),
        (["flag.png", "--output", "flag.png", "--overwrite"], 1, r"cannot write flag\.png: .*"),
        (["flag.png", "--output", "grey.png"], 1, r"grey\.png exists; pass --overwrite or choose another name"),
        (["flag.png", "--output", "out.mp4"], 1, r"cannot write out\.mp4: its extension is not one of \.png, .*"),
        (["flag.png", "--palette", "out.gif"], 1, r"cannot write out\.gif: its extension is not one of \.png, .*"),
        (["flag.png", "--output", "a.png", "--palette", "a.png"], 2, r"two outputs are named a\.png: .*"),
        (["film.mkv", "--output", "out.png"], 1, r"cannot write out\.png: its extension is not one of \.mkv, .*"),
        (["film.mkv", "--start", "90"], 1, r"no frame of .*film\.mkv was selected: .*"),
    ],
)
def test_what_is_refused(bgsub, picture, film, workplace, arguments, code, message):
    cv2.imwrite("grey.png", np.full((30, 30, 3), 90, np.uint8))
    (workplace / "text.png").write_text("no picture")
    write_sound("sound.wav")
    before = sorted(workplace.iterdir())
    outcome = bgsub("cluster", "colors", *arguments)
    assert re.fullmatch(f"Error: {message}", outcome.error), outcome.error
    assert outcome.code == code
    assert sorted(workplace.iterdir()) == before


@pytest.mark.parametrize("components", ["0", "257", "many"])
def test_components_out_of_bounds(bgsub, picture, components):
    outcome = bgsub("cluster", "colors", picture, "--components", components)
    assert outcome.code == 2
    assert "Invalid value for '--components'" in outcome.err
