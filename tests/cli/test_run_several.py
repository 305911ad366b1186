"""`bgsub run` with several inputs: what is said of them, and how the whole ends."""

import contextlib
import json
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.cli.clips import MOG2_RUN, assert_masks, files_in, masks_of, read_video, scene, write_clip
from tests.evaluation.made import pictures, write_sequence

MASKED = (*MOG2_RUN, "--mask", ".mkv")  # overlays take their time


@pytest.fixture
def recordings(clip, workplace):
    """Two clips in a folder whose name has a space."""
    (workplace / "my rec").mkdir()
    shutil.copy(clip, "my rec/cam_1.mkv")
    write_clip("my rec/cam_2.mkv", scene(12, seed=1))
    return workplace / "my rec"


def test_several_files_are_masked_one_by_one_into_the_current_folder(bgsub, recordings, images, workplace):
    outcome = bgsub(*MOG2_RUN, "my rec/cam_1.mkv", "my rec/cam_2.mkv")
    assert (outcome.code, outcome.err) == (0, "")
    head, first, second, total = outcome.out.splitlines()
    assert head.split() == ["input", "result", "frames", "moving"]
    assert re.fullmatch(r"my rec/cam_1.mkv  done +30 +\d+\.\d%", first)
    assert re.fullmatch(r"my rec/cam_2.mkv  done +12 +\d+\.\d%", second)
    assert total == "2 inputs: 2 done; results in the current folder"
    assert_masks("cam_1.mask.mkv", masks_of(images))
    assert_masks("cam_2.mask.mkv", masks_of(scene(12, seed=1)))
    assert files_in(workplace) == [
        *("bgsub.jsonl", "cam_1.mask.mkv", "cam_1.overlay.mp4", "cam_2.mask.mkv", "cam_2.overlay.mp4"),
        *("my rec", "my rec/cam_1.mkv", "my rec/cam_2.mkv"),
    ]


@pytest.mark.parametrize(
    "name", ["my rec", "my rec/", "my rec/*.mkv", "my rec/cam_[12].mkv", "**/cam_*.mkv", "'my rec'"]
)
def test_folders_and_patterns(bgsub, recordings, name):
    outcome = bgsub(*MASKED, name, "--into", "out")
    assert outcome.code == 0
    assert files_in("out")[0] == "bgsub.jsonl"
    assert [Path(file).name for file in files_in("out") if file.endswith(".mkv")] == [
        "cam_1.mask.mkv",
        "cam_2.mask.mkv",
    ]
    assert outcome.out.splitlines()[-1] == "2 inputs: 2 done; results in out/"
    again = bgsub(*MASKED, name, "--into", "out")
    assert again.code == 0
    assert again.out.splitlines()[1].endswith("  done before")
    assert again.out.splitlines()[-1] == "2 inputs: 2 done before; results in out/"


@pytest.mark.parametrize("name", ["my rec", "my rec/cam_*", "'my rec/*.mkv'", '"my rec/"'])
def test_without_the_word_run(bgsub, recordings, name):
    outcome = bgsub(name, "--method", "mog2", "--mask", ".mkv", "--into", "out")
    assert outcome.out.splitlines()[-1] == "2 inputs: 2 done; results in out/"


def test_a_file_with_the_name_of_a_pattern(bgsub, clip, workplace, images):
    shutil.copy(clip, "a[1].mkv")
    outcome = bgsub(*MOG2_RUN, "a[1].mkv", "--mask", "m.mkv")
    assert outcome.code == 0
    assert outcome.out.startswith("done: 30 frames")
    assert_masks("m.mkv", masks_of(images))


def test_one_input_into_a_folder(bgsub, clip, images):
    assert bgsub(*MASKED, clip, "--into", "deep/out").code == 0
    assert files_in("deep/out") == ["bgsub.jsonl", "clip.mask.mkv"]


def test_one_bad_file_does_not_end_the_rest_and_the_exit_says_so(bgsub, recordings):
    (recordings / "cam_1.mkv").write_text("no video")
    outcome = bgsub(*MASKED, "my rec", "gone.mp4", "--into", "out")
    assert outcome.code == 1
    assert outcome.err.splitlines() == [
        "Error: cannot open my rec/cam_1.mkv: it is not a video that FFmpeg can read; check the file",
        "Error: cannot open gone.mp4: no such file or folder; check the path",
    ]
    rows = outcome.out.splitlines()
    assert [row.split()[-1] for row in rows[1:4:2]] == ["failed", "failed"]
    assert rows[-1] == "3 inputs: 2 failed, 1 done; results in out/"
    again = bgsub(*MASKED, "my rec", "gone.mp4", "--into", "out")
    assert again.code == 1
    assert again.out.splitlines()[-1] == "3 inputs: 2 failed, 1 done before; results in out/"


def test_one_object_for_each_input(bgsub, recordings):
    (recordings / "cam_0.mkv").write_text("no video")
    bgsub(*MASKED, "my rec/cam_1.mkv", "--into", "out", "--end", "0.2")
    outcome = bgsub(*MASKED, "my rec", "--into", "out", "--end", "0.2", "--json")
    bad, before, done = map(json.loads, outcome.out.splitlines())
    assert (bad["source"], bad["state"], bad["outputs"]) == ("my rec/cam_0.mkv", "failed", [])
    assert bad["error"].startswith("cannot open my rec/cam_0.mkv: ")
    assert (before["state"], before["error"]) == ("skipped", None)
    assert (done["state"], done["outputs"], done["frames_read"]) == ("done", ["out/cam_2.mask.mkv"], 5)


def test_quiet_says_only_what_went_wrong(bgsub, recordings):
    outcome = bgsub(*MASKED, "my rec", "gone.mkv", "-q", "--into", "out")
    assert outcome.out == ""
    assert outcome.err == "Error: cannot open gone.mkv: no such file or folder; check the path\n"


def test_other_settings(bgsub, recordings):
    assert bgsub(*MASKED, "my rec", "--into", "out").code == 0
    refused = bgsub(*MASKED, "my rec", "--into", "out", "--history", "20")
    assert (refused.code, refused.out) == (1, "")
    assert refused.error == (
        "Error: out holds results of my rec/cam_1.mkv and 1 more by other settings: "
        "pass --overwrite to replace them, or choose another folder"
    )
    assert bgsub(*MASKED, "my rec", "--into", "out", "--history", "20", "--overwrite").code == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--mask", "m.mkv"], "--mask m.mkv is one name for several inputs: write .mkv or '{name}.mask.mkv'"),
        (["--stats", "-"], "--stats - is one name for several inputs: write .csv or '{name}.stats.csv'"),
        (["--concat"], "--concat makes one of all inputs: leave out --into, and name outputs by --mask, ..."),
        (["--show"], "--show is for one input: name one, or add --concat"),
    ],
)
def test_what_cannot_be_for_several(bgsub, recordings, workplace, options, message):
    outcome = bgsub(*MOG2_RUN, "my rec", *options, "--into", "out")
    assert outcome.code == 2
    assert outcome.error == f"Error: {message}"
    assert not (workplace / "out").exists()


def test_outputs_by_their_extension(bgsub, recordings, clip, workplace):
    outcome = bgsub(*MOG2_RUN, "my rec", "--into", "out", "--overlay", ".mp4", "--stats", "tables/{name}.csv")
    assert outcome.code == 0
    assert files_in("out") == [
        *("bgsub.jsonl", "cam_1.overlay.mp4", "cam_2.overlay.mp4"),
        *("tables", "tables/cam_1.csv", "tables/cam_2.csv"),
    ]
    assert bgsub(*MOG2_RUN, clip, "--overlay", ".mp4", "--background", "{name}.png").code == 0  # of one input, too
    assert {"clip.overlay.mp4", "clip.png"} <= set(files_in(workplace))


def test_a_data_set_of_sequences_can_be_scored(bgsub, workplace):
    for number, place in enumerate(("easy/one", "easy/two", "hard/one")):
        write_sequence(workplace / "data" / place, *pictures(seed=number))
    outcome = bgsub(*MOG2_RUN, "data", "--recursive", "--into", "results", "--mask", "{name}/")
    assert outcome.code == 0
    assert outcome.out.splitlines()[-1] == "3 inputs: 3 done; results in results/"
    assert sorted(path.parent.as_posix() for path in Path("results").glob("*/*/bin000001.png")) == [
        *("results/easy/one", "results/easy/two", "results/hard/one")
    ]
    ours, theirs = (
        json.loads(bgsub("evaluate", "data", *options, "--json").out)[0]["overall"]
        for options in (["--method", "mog2"], ["--results", "results"])
    )
    assert ours == theirs
    assert ours["recall"] > 0


def test_the_bar_says_which_of_how_many(bgsub, recordings, monkeypatch):
    titles = []
    monkeypatch.setattr(
        "bgsub.cli.batch.progress_bar",
        lambda title, total, quiet: titles.append((title, total)) or contextlib.nullcontext(None),
    )
    (recordings / ("long-name-" * 6 + "3.mkv")).write_text("no video")
    bgsub(*MASKED, "my rec", "--into", "out", "--two-pass")
    assert [title for title, _ in titles] == [
        *("1 of 3: cam_1.mkv, learning", "1 of 3: cam_1.mkv, masking"),
        *("2 of 3: cam_2.mkv, learning", "2 of 3: cam_2.mkv, masking"),
    ]


def test_lines_fit_a_narrow_terminal(bgsub, clip, workplace, monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    name = "a-very-long-name-" * 6 + "{}.mkv"
    for number in (1, 2):
        shutil.copy(clip, name.format(number))
    outcome = bgsub(*MASKED, "*.mkv", "--end", "0.1", "--into", "out")
    assert outcome.code == 0
    rows = outcome.out.splitlines()
    assert max(map(len, rows)) <= 60
    assert rows[1].startswith("...") and "1.mkv  done" in rows[1]


def test_pictures_that_a_shell_has_named_one_by_one(bgsub, images, workplace):
    """As ``bgsub run shots/*.png`` without quotes."""
    (workplace / "shots").mkdir()
    names = [f"shots/in{number}.png" for number in range(1, 13)]
    for name, image in zip(names, images, strict=False):
        cv2.imwrite(name, image)
    outcome = bgsub(*MOG2_RUN, *sorted(names), "--mask", "masks/")
    assert outcome.code == 0
    assert outcome.err == "12 pictures in shots are taken for one sequence\n"
    assert outcome.out.startswith("done: 12 frames")
    for number, mask in enumerate(masks_of(images[:12]), 1):
        assert np.array_equal(cv2.imread(f"masks/bin{number:06d}.png", cv2.IMREAD_UNCHANGED), mask)
    shutil.move(workplace / "masks", workplace / "first")
    twice = bgsub(*MASKED, *names, "--into", "out")
    assert files_in("out") == ["bgsub.jsonl", "shots.mask.mkv"]
    assert twice.out.splitlines()[1].startswith("shots/in1.png and 11 more  done")
    assert bgsub(*MASKED, *names, "--into", "out").out.splitlines()[-1].startswith("1 input: 1 done before")
    cv2.imwrite(names[4], np.zeros_like(images[0]))
    assert bgsub(*MASKED, *names, "--into", "out").out.splitlines()[-1].startswith("1 input: 1 done;")


# ------------------------------------------------------------------------------------------------------- as one video


@pytest.fixture
def halves(images):
    """The clip in two files."""
    write_clip("half_1.mkv", images[:14])
    write_clip("half_2.mkv", images[14:])


@pytest.mark.parametrize("method", ["mog2", "adaptive"])
def test_halves_joined_are_the_whole(bgsub, clip, halves, images, method):
    assert bgsub("run", clip, "--method", method, "--mask", "whole.mkv", "--stats", "whole.csv").code == 0
    outcome = bgsub("run", "half_*.mkv", "--concat", "--method", method, "--mask", "m.mkv", "--stats", "m.csv")
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.startswith("done: 30 frames at ")
    assert outcome.out.endswith("  wrote m.mkv\n  wrote m.csv\n")
    times, masks = read_video("whole.mkv")
    assert np.any(np.array(masks) == 255)
    assert_masks("m.mkv", masks, times)
    assert Path("m.csv").read_text() == Path("whole.csv").read_text()


def test_without_an_output_the_joined_mask_is_called_after_the_first(bgsub, halves, workplace):
    outcome = bgsub(*MOG2_RUN, "half_1.mkv", "half_2.mkv", "--concat")
    assert outcome.out.splitlines()[-2:] == ["  wrote half_1+1.mask.mkv", "  wrote half_1+1.overlay.mp4"]
    assert bgsub(*MOG2_RUN, "half_*.mkv", "--concat", "--stats", ".csv").code == 0
    names = ["half_1+1.mask.mkv", "half_1+1.overlay.mp4", "half_1+1.stats.csv", "half_1.mkv", "half_2.mkv"]
    assert files_in(workplace) == names


def test_a_broken_part_is_told_of_and_the_rest_is_joined(bgsub, halves, images):
    Path("half_1a.mkv").write_text("no video")
    outcome = bgsub(*MOG2_RUN, "half_1.mkv", "half_1a.mkv", "half_2.mkv", "--concat", "--mask", "m.mkv")
    assert outcome.code == 1
    reason = "cannot open half_1a.mkv: it is not a video that FFmpeg can read; check the file"
    assert outcome.err.splitlines() == [reason, f"Error: of 3 parts, one could not be read whole: {reason}"]
    assert outcome.out.startswith("broken off: 30 frames")
    assert_masks("m.mkv", masks_of(images))


def test_what_cannot_be_joined(bgsub, halves, images, workplace):
    assert bgsub(*MOG2_RUN, "half_1.mkv", "half_2.mkv", "--concat", "--mask", "half_2.mkv", "--overwrite").error == (
        "Error: cannot write half_2.mkv: it is one of the inputs; choose another name"
    )
    outcome = bgsub(*MASKED, "gone*.mkv", "half_1.mkv", "--concat")
    assert (outcome.code, outcome.error[:47]) == (1, "Error: cannot open gone*.mkv: no file fits this")
    assert files_in(workplace) == ["half_1.mkv", "half_2.mkv"]


# ------------------------------------------------------------------------------------------------------- interruptions


def heed_signals():
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)


@contextlib.contextmanager
def running(*names):
    """The program on its inputs, until it waits for a pipe among them."""
    command = [sys.executable, "-m", "bgsub", *MASKED, *names, "--into", "out", "--stats", ".csv"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, **pipes, preexec_fn=heed_signals) as process:
        try:
            yield process
        finally:
            process.kill()


def wait_for_rows(path, least):
    deadline, before = time.monotonic() + 90, -1
    while time.monotonic() < deadline:
        now = path.read_text().count("\n") if path.exists() else 0
        if now >= least and now == before:
            return now - 1
        before = now
        time.sleep(0.3)
    pytest.fail(f"{path} has only {before} lines")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="signals and pipes as Unix has them")
@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGKILL], ids=["Ctrl-C", "kill -9"])
def test_an_end_in_the_middle_and_how_it_goes_on(bgsub, clip, workplace, end):
    shutil.copy(clip, "a.mkv")
    data = write_clip(workplace / "long.mkv", scene(120)).read_bytes()
    with running("a.mkv", "-", "long.mkv") as process:
        process.stdin.write(data[: len(data) * 2 // 3])
        process.stdin.flush()
        count = wait_for_rows(workplace / "out/stdin.stats.csv", 60)
        process.send_signal(end)
        process.wait(30)
        if end != signal.SIGKILL:
            assert process.returncode == 128 + end
            rows = process.stdout.read().decode().splitlines()
            assert re.fullmatch(rf"- +interrupted +{count} +\d+\.\d%", rows[2])
            assert rows[3] == "3 inputs: 1 done, 1 interrupted, 1 not begun; results in out/"
            assert rows[4] == "The same command goes on from here."
            assert process.stderr.read() == b""
    states = [json.loads(line) for line in Path("out/bgsub.jsonl").read_text().splitlines()]
    assert {entry["input"]: entry["state"] for entry in states} == {
        str(workplace / "a.mkv"): "done",
        "-": "started" if end == signal.SIGKILL else "interrupted",
    }
    outcome = bgsub(*MASKED, "a.mkv", "long.mkv", "--into", "out", "--stats", ".csv")
    assert outcome.code == 0
    assert outcome.out.splitlines()[-1] == "2 inputs: 1 done before, 1 done; results in out/"
