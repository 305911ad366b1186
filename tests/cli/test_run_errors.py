"""What `bgsub run` refuses: one line says why and what to do, failure differs from misuse, and no file is left."""

import errno
import os
import shutil

import cv2
import numpy as np
import pytest

from bgsub.errors import OutputError
from bgsub.video.writers.encode import VideoFile
from bgsub.video.writers.stats import StatsTable
from bgsub.video.writers.stills import BackgroundImage, ImageFolder
from bgsub.video.writers.videos import VideoSink
from tests.cli.clips import MOG2_RUN, files_in, masks_of, read_video, write_clip, write_sound


@pytest.fixture
def here(clip, images, workplace):
    """The current folder with a clip in it and things to trip over."""
    shutil.copy(clip, "clip.mkv")
    (workplace / "empty").mkdir()
    (workplace / "void.mp4").touch()
    (workplace / "text.mp4").write_text("not a video\n" * 50)
    (workplace / "text.txt").write_text("not a video\n" * 50)
    (workplace / "taken.mkv").write_text("precious")
    (workplace / "full").mkdir()
    (workplace / "full" / "precious.png").touch()
    (workplace / "no.bgsub").write_text("no model")
    write_sound("sound.wav")
    cv2.imwrite("small.png", np.full((9, 9), 255, np.uint8))
    cv2.imwrite("black.png", np.zeros((48, 64), np.uint8))
    return workplace


SOURCES = [
    ("missing.mp4", "cannot open missing.mp4: no such file or folder; check the path"),
    ("", "cannot open a source without a name; give a file, a folder, a URL or a camera's number"),
    ("empty", "cannot open empty: it holds no video and no image; check the path"),
    ("empty/in%06d.png", "cannot open empty: no image named in%06d.png in this folder; check the path"),
    ("void.mp4", "cannot open void.mp4: the file is empty"),
    ("text.mp4", "cannot open text.mp4: it is not a video that FFmpeg can read"),
    ("text.txt", "cannot open text.txt: it is "),
    ("sound.wav", "cannot open sound.wav: it holds audio but no video"),
    ("9876", "cannot open camera 9876: no such camera"),
    ("gopher://host/x", "cannot open gopher://host/x: unknown protocol 'gopher'"),
]


@pytest.mark.parametrize(("source", "message"), SOURCES, ids=lambda value: value[:20])
def test_sources_that_cannot_be_opened(bgsub, here, source, message):
    before = files_in(here)
    outcome = bgsub("run", source, "--mask", "m.mkv", "--save-model", "m.bgsub", "--background", "b.png")
    assert outcome.code == 1
    assert outcome.out == ""
    assert outcome.err == outcome.error + "\n"
    assert outcome.error.startswith(f"Error: {message}")
    assert files_in(here) == before


FAILURES = [
    (["--mask", "nowhere/m.mkv"], "cannot write nowhere/m.mkv: there is no folder nowhere; create it"),
    (["--save-model", "nowhere/m.bgsub"], "cannot write nowhere/m.bgsub: there is no folder nowhere; create it"),
    (["--mask", "clip.mkv", "--overwrite"], "cannot write clip.mkv: it is the input; choose another name"),
    (["--overlay", "./empty/../clip.mkv", "--overwrite"], "cannot write empty/../clip.mkv: it is the input"),
    (["--foreground", "."], "cannot write into .: it holds the input; choose another folder"),
    (["--mask", "m.avi"], "cannot write m.avi: its extension is not one of .mkv, .mp4, .webm, or a folder/"),
    *(
        ([option, "-"], "cannot write to standard output: it takes tables only; name a file instead of -")
        for option in ("--mask", "--foreground", "--overlay", "--background")
    ),
    (["--overlay", "o.png"], "cannot write o.png: its extension is not one of .mkv, .mp4, .webm, .gif; choose"),
    (["--background", "b.mkv"], "cannot write b.mkv: its extension is not one of .png, "),
    (["--stats", "s.xls"], "cannot write s.xls: its extension is not one of .csv, .jsonl"),
    (["--save-model", "m.pkl"], "cannot write m.pkl: its extension is not one of .bgsub; choose"),
    (["--mask", "taken.mkv"], "taken.mkv exists; pass --overwrite or choose another name"),
    (["--mask", "full/"], "folder full is not empty; pass --overwrite or choose another name"),
    (["--mask", "m.mkv", "--stats", "-", "--background", "small.png"], "small.png exists; pass --overwrite"),
    (["--load-model", "no.bgsub"], "cannot load the model no.bgsub: it is no model file of bgsub"),
    (["--load-model", "missing.bgsub"], "cannot load the model missing.bgsub: no such file; check the path"),
    (["--region", "missing.png"], "cannot read the mask missing.png: no such file; check the path"),
    (["--region", "text.txt"], "cannot read the mask text.txt: it is no image"),
    (["--start", "100"], "no frame of clip.mkv was selected: its last frame is at 1.160 s"),
    (["--warm-up", "100", "--mask", "m.mkv"], "clip.mkv ended within --warm-up, so nothing was written"),
]


@pytest.mark.parametrize(("options", "message"), FAILURES, ids=lambda value: " ".join(value)[:40])
def test_failures(bgsub, here, options, message):
    before = files_in(here)
    outcome = bgsub("run", "clip.mkv", *options)
    assert outcome.code == 1
    assert outcome.error.startswith(f"Error: {message}")
    assert files_in(here) == before
    assert (here / "taken.mkv").read_text() == "precious"


MISUSE = [
    (["--foo"], "No such option"),
    (["--mask"], "Option '--mask' requires an argument"),
    (["--mask", ""], "Invalid value for '--mask': the name is empty"),
    (
        ["--mask", "result"],
        "Invalid value for '--mask': result has no extension: write result.mkv for a video, result/",
    ),
    (
        ["--foreground", "empty/cut"],
        "Invalid value for '--foreground': empty/cut has no extension: write empty/cut.mkv",
    ),
    (["--history", "0"], "Invalid value for '--history': 0 is out of bounds: give a whole number from 1 to 1e+09"),
    (["--history", "2.5"], "Invalid value for '--history': 2.5 is out of bounds: give a whole number"),
    (
        ["--n-components", "33"],
        "Invalid value for '--n-components': 33 is out of bounds: give a whole number from 1 to",
    ),
    (["--var-threshold", "-1"], "Invalid value for '--var-threshold': -1 is out of bounds: give a number above 0"),
    (["--var-threshold", "nan"], "Invalid value for '--var-threshold': nan is out of bounds: give a number above 0"),
    (["--shadow-value", "256"], "Invalid value for '--shadow-value': 256 is out of bounds: give a whole number from 0"),
    (["--method", "mog2", "--var-min", "80"], "var_min is 80, above var_max 75"),
    (["--open", "256"], "Invalid value for '--open': 256 is not in the range 0<=x<=255"),
    (["--close", "-1"], "Invalid value for '--close': -1 is not in the range 0<=x<=255"),
    (["--min-area", "-1"], "Invalid value for '--min-area': -1 is out of bounds: give a whole number from 0 to 1e+09"),
    (["--every", "0"], "Invalid value for '--every': 0 is not in the range x>=1"),
    (["--learning-rate", "1.5"], "Invalid value for '--learning-rate': 1.5 is not in the range 0<=x<=1"),
    (["--learning-rate", "nan"], "learning_rate is nan: give None (automatic) or a number from 0 to 1"),
    (["--threads", "0"], "Invalid value for '--threads': 0 is not in the range 1<=x<=256"),
    (["--precision", "half"], "Invalid value for '--precision': 'half' is not one of 'exact', 'compact'"),
    (["--start", "1:2:3:4"], "Invalid value for '--start': '1:2:3:4' is no time: write seconds (90), or 1:30"),
    (["--end", "-1"], "Invalid value for '--end': '-1' is no time"),
    (["--duration", "inf"], "Invalid value for '--duration': 'inf' is no time"),
    (["--start", "1", "--end", "0.5"], "end=0.5 is out of bounds; give seconds above start=1"),
    (["--end", "1", "--duration", "1"], "end=1.0 and duration=1.0 exclude each other; give one of them"),
    (["--scale", "0"], "scale=0.0 is out of bounds; give a factor up to 1 or a width in pixels"),
    (["--scale", "2.5"], "scale=2.5 is out of bounds; give a factor up to 1 or a width in pixels"),
    (["--fps", "nan"], "fps=nan is out of bounds; give frames per second above 0"),
    (
        ["--region", "100,100 200,100 200,200"],
        "region lies outside the frame of 64x48: polygon 100,100 200,100 200,200",
    ),
    (["--region", "1,1 9,9"], "polygon '1,1 9,9' has 2 corners: a region needs at least 3 of them"),
    (["--region", "1,1 9,9 1"], "cannot read the region '1,1 9,9 1': write x,y in pixels for each corner"),
    (["--region", "0 120 384 288"], "cannot read the region '0 120 384 288': write x,y in pixels for each corner"),
    (["--region", "small.png", "--scale", "0.5"], "region has 9x9 pixels: give a mask of 64x48 or 32x24, the source"),
    (["--region", "small.png"], "region has shape (9, 9), the frames (48, 64): give a mask of 64x48 pixels"),
    (["--region", "black.png"], "region is empty: no pixel is inside it"),
    (
        ["--region", "small.png", "--region", "1,1 9,1 9,9"],
        "--region: give one mask image, or any number of polygons and",
    ),
    (["--mask", "m.mkv", "--overlay", "m.mkv"], "two outputs are named "),
    (["--mask", "m.mkv", "--overlay", "empty/../m.mkv"], "two outputs are named "),
    (["--mask", "out/", "--foreground", "./out/"], "two outputs are named "),
]


@pytest.mark.parametrize(("options", "message"), MISUSE, ids=lambda value: " ".join(value)[:40])
def test_misuse(bgsub, here, options, message):
    before = files_in(here)
    outcome = bgsub("run", "clip.mkv", *options)
    assert outcome.code == 2
    assert outcome.out == ""
    assert outcome.error.startswith(f"Error: {message}")
    assert files_in(here) == before


def test_no_source_and_no_such_command(bgsub):
    assert bgsub("run").code == 2
    assert bgsub("run").error == "Error: Missing argument 'SOURCE...'."
    assert bgsub("walk").code == 2
    assert bgsub("walk").error.startswith("Error: No such command 'walk'.")


def test_a_folder_that_cannot_be_written_to(bgsub, here, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # whoever runs the tests may be allowed everything
    outcome = bgsub("run", "clip.mkv", "--mask", "empty/m.mkv")
    assert outcome.code == 1
    assert outcome.error.startswith("Error: cannot write empty/m.mkv: no permission to write to empty; choose")
    assert files_in(here / "empty") == []


def test_a_window_without_a_display(bgsub, here, monkeypatch):
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    before = files_in(here)
    outcome = bgsub("run", "clip.mkv", "--show", "--mask", "m.mkv")
    assert outcome.code == 1
    assert outcome.error == "Error: cannot open a window: no display; leave --show out"
    assert files_in(here) == before


def test_damaged_models_and_models_of_another_size(bgsub, here, images):
    bgsub("run", "clip.mkv", "--save-model", "m.bgsub")
    data = bytearray((here / "m.bgsub").read_bytes())
    data[len(data) // 2] ^= 1
    (here / "bad.bgsub").write_bytes(data)
    before = files_in(here)
    outcome = bgsub("run", "clip.mkv", "--load-model", "bad.bgsub")
    assert outcome.code == 1
    assert outcome.error.startswith("Error: cannot load the model bad.bgsub: it is damaged")
    outcome = bgsub("run", "clip.mkv", "--load-model", "m.bgsub", "--scale", "0.5")
    assert outcome.code == 2
    assert outcome.error == (
        "Error: m.bgsub has learned frames of 64x48, clip.mkv has 32x24: use --scale, or another model"
    )
    assert files_in(here) == before


def test_a_change_of_size_in_mid_stream(bgsub, images, workplace):
    (workplace / "shots").mkdir()
    for number, image in enumerate([*images[:8], images[8][:40], *images[9:12]]):
        cv2.imwrite(f"shots/{number}.png", image)
    options = ["--mask", "m.mkv", "--stats", "s.csv", "--background", "b.png", "--save-model", "m.bgsub"]
    outcome = bgsub(*MOG2_RUN, "shots", *options)
    assert outcome.code == 0
    assert outcome.err == (
        "shots/8.png has 64x40 pixels, the first image has 64x48: it and all others are brought to that size\n"
    )
    assert outcome.out.startswith("done: 12 frames at ")
    assert outcome.out.endswith("  wrote m.mkv\n  wrote s.csv\n  wrote b.png\n  wrote m.bgsub\n")
    _, masks = read_video("m.mkv")
    assert len(masks) == 12
    assert np.array_equal(masks[:8], masks_of(images[:8]))
    assert cv2.imread("b.png").shape == (48, 64, 3)


def test_an_existing_output_stays_when_the_run_fails_before_it_begins(bgsub, here):
    outcome = bgsub("run", "clip.mkv", "--mask", "taken.mkv", "--overwrite", "--start", "100")
    assert outcome.code == 1
    assert (here / "taken.mkv").read_text() == "precious"


def test_a_folder_that_exists_needs_no_slash(bgsub, here):
    assert bgsub(*MOG2_RUN, "clip.mkv", "--mask", "empty", "--end", "0.1").code == 0
    assert files_in("empty") == [f"bin{number:06d}.png" for number in (1, 2, 3)]


@pytest.mark.parametrize("broken", ["m.mkv", "o.mp4", "s.csv", "cut/", "b.png"])
def test_only_what_the_run_wrote_is_called_written(bgsub, here, monkeypatch, broken):
    """One output refuses its first frame and leaves what was there; the others are replaced."""
    (here / "cut").mkdir()
    options = {
        "--mask": "m.mkv",
        "--overlay": "o.mp4",
        "--foreground": "cut/",
        "--stats": "s.csv",
        "--background": "b.png",
    }
    for name in options.values():
        (here / name / "fg000001.png" if name == "cut/" else here / name).write_text("older")
    for sink in (VideoSink, ImageFolder, StatsTable, BackgroundImage):
        monkeypatch.setattr(sink, "write", _refusing(sink.write, broken))
    outcome = bgsub(*MOG2_RUN, "clip.mkv", *(word for pair in options.items() for word in pair), "--overwrite")
    assert outcome.code == 1
    assert outcome.error == "Error: no room"
    told = [line.removeprefix("  wrote ") for line in outcome.out.splitlines() if line.startswith("  wrote ")]
    # The background comes only at the end of a run without an error.
    assert told == [name for name in options.values() if name not in (broken, "b.png")]
    kept = here / broken / "fg000001.png" if broken == "cut/" else here / broken
    assert kept.read_text() == "older"


def _refusing(write, broken):
    """A sink's `write`, which fails for one path."""

    def changed(sink, frame, mask):
        if sink.path.name == broken.strip("/"):
            raise OutputError("no room")
        write(sink, frame, mask)

    return changed


def test_an_output_that_was_removed_again_is_not_called_written(bgsub, here, monkeypatch):
    """The first packet reaches the file, and the disk is full: no whole cluster is there to keep."""

    def full(self, packets):
        self.path.write_bytes(b"half")
        self.created = True
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(VideoFile, "_mux", full)
    outcome = bgsub(*MOG2_RUN, "clip.mkv", "--mask", "m.mkv", "--stats", "s.csv")
    assert outcome.error == "Error: cannot write m.mkv: No space left on device; free some space"
    assert "wrote m.mkv" not in outcome.out and "  wrote s.csv\n" in outcome.out
    assert not (here / "m.mkv").exists()


def test_a_second_clip_of_grey_frames_does_not_fit_a_model_of_colour(bgsub, here, images):
    bgsub("run", "clip.mkv", "--save-model", "m.bgsub")
    write_clip("grey.mkv", [image[..., 0].copy() for image in images], pix_fmt="gray")
    outcome = bgsub("run", "grey.mkv", "--load-model", "m.bgsub", "--mask", "m.mkv")
    assert outcome.code == 2
    assert outcome.error.startswith("Error: image has shape (48, 64), the model (48, 64, 3)")
    assert not (here / "m.mkv").exists()
