"""What `bgsub run` says, where it says it, and to whom: people, programs, nobody."""

import json

import numpy as np
import pytest

from tests.cli.clips import MOG2_RUN, masks_of, shares, write_clip


@pytest.fixture
def table(images):
    """The lines that `--stats -` must print."""
    rows = enumerate(shares(masks_of(images)))
    return ["index,time,foreground", *(f"{index},{index / 25:.6f},{share:.6f}" for index, share in rows)]


def test_stats_on_stdout_have_it_to_themselves(bgsub, clip, table):
    outcome = bgsub(*MOG2_RUN, clip, "--stats", "-", "--mask", "m.mkv")
    assert outcome.code == 0
    assert outcome.out.splitlines() == table
    assert outcome.err.startswith("done: 30 frames at ")
    assert outcome.err.endswith("\n  wrote m.mkv\n")


def test_stats_on_stdout_need_no_other_output(bgsub, clip, table, workplace):
    outcome = bgsub(*MOG2_RUN, clip, "--stats", "-", "-q")
    assert (outcome.out.splitlines(), outcome.err) == (table, "")
    assert not list(workplace.iterdir())


def test_a_summary_for_programs(bgsub, clip, images):
    outcome = bgsub(*MOG2_RUN, clip, "--json", "--mask", "m.mkv", "--start", "0.2", "--warm-up", "0.2")
    assert outcome.err == ""
    assert outcome.out.count("\n") == 1
    summary = json.loads(outcome.out)
    assert summary.pop("elapsed") > 0
    assert summary.pop("frames_per_second") > 0
    assert summary.pop("mean_foreground") == pytest.approx(np.mean(shares(masks_of(images[5:])[5:])), abs=1e-6)
    assert summary == {
        "source": str(clip),
        "width": 64,
        "height": 48,
        "result": "done",
        "outputs": ["m.mkv"],
        "frames_read": 25,
        "frames_written": 20,
        "frames_damaged": 0,
        "frames_dropped": 0,
        "reconnects": 0,
        "first_time": 0.2,
        "last_time": 29 / 25,
    }


def test_a_summary_for_programs_beside_a_table(bgsub, clip, table):
    outcome = bgsub(*MOG2_RUN, clip, "--json", "--stats", "-", "-q")
    assert outcome.out.splitlines() == table
    assert json.loads(outcome.err)["outputs"] == []


def test_quiet_says_nothing(bgsub, clip, workplace):
    outcome = bgsub(*MOG2_RUN, clip, "-q")
    assert (outcome.code, outcome.out, outcome.err) == (0, "", "")
    assert sorted(path.name for path in workplace.iterdir()) == ["clip.mask.mkv", "clip.overlay.mp4"]


def test_verbose_tells_source_and_model_and_who_speaks(bgsub, clip):
    outcome = bgsub(*MOG2_RUN, clip, "-v", "--history", "77", "--mask", "m.mkv")
    lines = outcome.err.splitlines()
    assert any(line.startswith("bgsub.jobs.execution: source: ") and "'ffv1'" in line for line in lines)
    assert any(line.startswith("bgsub.jobs.execution: model: ") and "'history': 77" in line for line in lines)
    assert bgsub(*MOG2_RUN, clip, "--mask", "n.mkv").err == ""


def test_a_damaged_image_is_told_of_and_counted(bgsub, images, workplace):
    import cv2

    (workplace / "shots").mkdir()
    for number, image in enumerate(images[:6]):
        cv2.imwrite(f"shots/{number}.png", image)
    (workplace / "shots" / "3.png").write_bytes(b"torn")
    outcome = bgsub(*MOG2_RUN, "shots")
    assert outcome.code == 0
    assert "3.png: frame 3 is damaged" in outcome.err
    assert outcome.out.startswith("done: 5 frames at ")
    assert "\n  1 frame damaged and skipped\n" in outcome.out
    quiet = bgsub(*MOG2_RUN, "shots", "-q")
    assert (quiet.out, quiet.err) == ("", "")


def test_a_file_that_is_cut_off_is_masked_as_far_as_it_goes(bgsub, images, workplace):
    whole = write_clip("whole.avi", images).read_bytes()
    (workplace / "cut.avi").write_bytes(whole[: len(whole) // 2])
    outcome = bgsub(*MOG2_RUN, "cut.avi", "--json", "--mask", "m.mkv")
    assert outcome.code == 0
    summary = json.loads(outcome.out)
    assert 10 <= summary["frames_written"] < 20
    assert "cut.avi ends after " in outcome.err and ": it is cut off" in outcome.err


def test_no_progress_where_stderr_is_no_terminal(bgsub, clip):
    assert bgsub(*MOG2_RUN, clip).err == ""
