"""`bgsub info`: what a source is, for people and for programs."""

import json
import re
from fractions import Fraction

import cv2
import pytest

from bgsub.cli.info import _bits_per_second
from tests.cli.clips import files_in, write_clip
from tests.video.readers.test_choosing import DEFAULT, Track, write_tracks
from tests.video.readers.test_pictures import write_anamorphic


@pytest.fixture
def movie(images):
    return write_clip("street.mp4", images, codec="libx264", pix_fmt="yuv420p")


def test_a_clip_for_people(bgsub, movie):
    outcome = bgsub("info", "street.mp4")
    assert (outcome.code, outcome.err) == (0, "")
    facts = dict(line.strip().split("  ", 1) for line in outcome.out.splitlines())
    assert re.fullmatch(r"[\d.]+ [kM]bit/s", facts.pop("bit rate"))
    assert facts.pop("variable frame rate", "no") == "no"  # an older PyAV does not tell
    assert facts == {
        "name": "street",
        "width": "64",
        "height": "48",
        "fps": "25 frames/s",
        "frame count": "30",
        "duration": "1.20 s (0:00:01.20)",
        "codec": "h264",
        "live": "no",
        "container": "MP4/QuickTime",
        "pixel format": "yuv420p",
        "rotation": "none",
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


def test_streams_are_listed_for_people(bgsub, workplace):
    write_tracks(workplace / "two.mkv", Track(32, 24, 5, rate=5), None, Track(64, 48, 25, DEFAULT))
    lines = [line.strip() for line in bgsub("info", "two.mkv").out.splitlines()]
    assert [line for line in lines if line.startswith("stream")] == [
        "stream 0  mpeg4, 32x24, 5 frames/s",
        "stream 1  aac, audio",
        "stream 2  mpeg4, 64x48, 25 frames/s, default - this one is read",
    ]
    assert "width  64" in lines
    first = bgsub("info", "two.mkv", "--stream", "0").out
    assert "stream 0  mpeg4, 32x24, 5 frames/s - this one is read" in first
    assert "width  32" in first
    assert bgsub("run", "two.mkv", "--stream", "0", "--stats", "-").out.count("\n") == 1 + 5
    refused = bgsub("info", "two.mkv", "--stream", "1")
    assert refused.error.endswith("two.mkv: its stream 1 is audio; its streams of video are: 0, 2")


def test_pixels_that_are_not_square_are_told(bgsub, workplace):
    write_anamorphic(workplace / "wide.mp4", Fraction(16, 11))
    assert "sample aspect ratio  16:11 (shown as 47x24)" in bgsub("info", "wide.mp4").out


@pytest.mark.parametrize(
    ("rate", "text"), [(254_868, "255 kbit/s"), (999_999, "1 Mbit/s"), (12_345_678, "12.3 Mbit/s"), (900, "0.9 kbit/s")]
)
def test_bit_rates_are_told_with_a_unit(rate, text):
    assert _bits_per_second(rate) == text


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
