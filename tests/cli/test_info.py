"""`bgsub info`: what a source is, for people and for programs."""

import json

import cv2
import pytest

from tests.cli.clips import files_in, write_clip


@pytest.fixture
def movie(images):
    return write_clip("street.mp4", images, codec="libx264", pix_fmt="yuv420p")


def test_a_clip_for_people(bgsub, movie):
    outcome = bgsub("info", "street.mp4")
    assert (outcome.code, outcome.err) == (0, "")
    facts = dict(line.strip().split("  ", 1) for line in outcome.out.splitlines())
    assert facts.pop("bit rate").isdigit()
    assert facts.pop("variable frame rate", "no") == "no"  # an older PyAV does not tell
    assert facts == {
        "name": "street",
        "width": "64",
        "height": "48",
        "fps": "25",
        "frame count": "30",
        "duration": "1.20 s (0:00:01.20)",
        "codec": "h264",
        "live": "no",
        "container": "mov,mp4,m4a,3gp,3g2,mj2",
        "pixel format": "yuv420p",
        "rotation": "0",
        "mirrored": "no",
        "sample aspect ratio": "1:1",
        "bits": "8",
        "audio": "no",
    }


def test_a_clip_for_programs(bgsub, movie):
    outcome = bgsub("info", "street.mp4", "--json")
    assert outcome.out.count("\n") == 1
    facts = json.loads(outcome.out)
    assert facts["name"] == "street"
    assert (facts["width"], facts["height"], facts["fps"], facts["frame_count"]) == (64, 48, 25.0, 30)
    assert facts["duration"] == pytest.approx(1.2)
    assert (facts["live"], facts["audio"], facts["rotation"]) == (False, False, 0)


def test_a_folder_of_images(bgsub, images, workplace):
    (workplace / "shots").mkdir()
    for number, image in enumerate(images[:7]):
        cv2.imwrite(f"shots/in{number:06d}.png", image)
    before = files_in(workplace)
    assert json.loads(bgsub("info", "shots", "--json").out) == {
        "name": "shots",
        "width": 64,
        "height": 48,
        "fps": 25.0,
        "frame_count": 7,
        "duration": 7 / 25,
        "codec": "png",
        "live": False,
        "sample_aspect_ratio": "1:1",
        "bits": 8,
    }
    assert "0.28 s (0:00:00.28)" in bgsub("info", "shots").out
    assert files_in(workplace) == before


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("missing.mp4", "cannot open missing.mp4: no such file or folder; check the path"),
        ("", "cannot open a source without a name"),
        (".", "cannot open .: no image "),
        ("9876", "cannot open camera 9876: no such camera"),
    ],
)
@pytest.mark.parametrize("options", [[], ["--json"]])
def test_what_is_no_source(bgsub, source, message, options):
    outcome = bgsub("info", source, *options)
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.error.startswith(f"Error: {message}")
    assert outcome.err.count("\n") == 1
