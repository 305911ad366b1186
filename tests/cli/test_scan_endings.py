"""`bgsub scan` that ends before it is done: killed, or on a disk that is full. What has its name is whole."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from tests.cli.clips import files_in, read_video
from tests.motion.recordings import pictures, record
from tests.video.clips import write_clip

pytestmark = pytest.mark.slow  # each runs the program

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "OMP_NUM_THREADS": "1"}
SPANS = [(20, 45), (90, 115), (160, 185)]

LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]),) * 2)
from bgsub.cli import main
main(sys.argv[2:])
"""


def program(*arguments, limit=None):
    """The command line of the program, or of one that can write no file larger than `limit` bytes."""
    if limit is None:
        return [sys.executable, "-m", "bgsub", *arguments]
    return [sys.executable, "-c", LIMITED, str(limit), *arguments]


def videos_in(folder):
    """Each video's pictures, by its name; all of them that have a name for others can be read."""
    names = [name for name in files_in(folder) if name.endswith((".mp4", ".mkv")) and not name.startswith(".")]
    return {name: read_video(Path(folder) / name)[1] for name in names}


@pytest.mark.parametrize(("clips", "jobs"), [("exact", "2"), ("copy", "1")])
def test_a_scan_that_is_killed_among_its_clips_goes_on_to_the_same(workplace, clips, jobs):
    for i in range(2):
        shown = pictures(220, SPANS, seed=i)
        Path("rec").mkdir(exist_ok=True)
        write_clip(f"rec/d{i}.mp4", shown, codec="libx264", pix_fmt="yuv420p", gop=25)
    arguments = ["scan", "rec", "--clips", clips, "--merge", "0.3", "--thumbnails", "--mask-video", "--jobs", jobs]
    subprocess.run(program(*arguments, "--into", "whole"), env=ENVIRONMENT, check=True, capture_output=True)
    with subprocess.Popen(
        program(*arguments, "--into", "out"), env=ENVIRONMENT, stdout=subprocess.DEVNULL, start_new_session=True
    ) as process:
        until = time.monotonic() + 120
        while not list(Path().glob("out/*.event-002.mp4")) and process.poll() is None and time.monotonic() < until:
            time.sleep(0.002)
        os.killpg(process.pid, signal.SIGKILL)
    left, whole = videos_in("out"), videos_in("whole")
    assert any(".event-" in name for name in left)
    for name, shown in left.items():
        assert np.array_equal(shown, whole[name]), name
    subprocess.run(program(*arguments, "--into", "out"), env=ENVIRONMENT, check=True, capture_output=True)
    visible = [name for name in files_in("out") if not name.startswith(".")]
    assert visible == files_in("whole")
    for name, shown in videos_in("out").items():
        assert np.array_equal(shown, whole.get(name, shown)), name


@pytest.mark.parametrize(
    ("outputs", "limit", "name", "advice"),
    [
        (["--clips", "exact", "--draw", "mask"], 12_000, "out/door.event-001.mp4", "raise the limit on file sizes"),
        (["--mask-video"], 3_000, "out/door.mask.mkv", "raise the limit on file sizes"),
        (["--overlay-video"], 25_000, "out/door.overlay.mp4", "raise the limit on file sizes"),
        (["--chapters"], 60_000, "out/door.chapters.mkv", "raise the limit on file sizes"),
        (["--reel", "out/reel.mp4"], 40_000, "out/reel.mp4", "raise the limit on file sizes"),
        (["--thumbnails"], 4_000, "out/door.event-001.jpg", "make room or choose another folder"),
        (["--graph"], 8_000, "out/door.graph.png", "make room or choose another folder"),
    ],
)
def test_a_full_disk_is_one_line_and_leaves_nothing_that_is_not_whole(workplace, outputs, limit, name, advice):
    record("rec/door.mkv", 220, SPANS)
    Path("out").mkdir()
    run = program("scan", "rec/door.mkv", "--merge", "0.3", *outputs, "--into", "out", limit=limit)
    done = subprocess.run(run, env=ENVIRONMENT, capture_output=True, text=True)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"Error: cannot write {name}: File too large; {advice}")
    assert "3 events" in done.stdout or "--mask-video" in outputs  # what was found is told all the same
    assert not Path(name).exists()
    assert not [left for left in files_in("out") if left.startswith(".")]


def test_clips_before_the_disk_was_full_are_whole_and_told(workplace):
    record("rec/door.mkv", 220, [(20, 30), (90, 118), (120, 148), (150, 178)])
    arguments = ["rec/door.mkv", "--merge", "0.3", "--before", "0.1", "--after", "0.1", "--clips", "exact"]
    subprocess.run(program("scan", *arguments, "--into", "whole"), env=ENVIRONMENT, capture_output=True, check=True)
    short, long = (Path(f"whole/door.event-00{n}.mp4").stat().st_size for n in (1, 2))
    assert short < 0.8 * long
    run = program("scan", *arguments, "--into", "out", limit=(short + long) // 2)
    done = subprocess.run(run, env=ENVIRONMENT, capture_output=True, text=True)
    assert done.returncode == 1
    assert "door.event-002.mp4: File too large" in done.stderr
    assert done.stderr.rstrip().endswith("the clip before it is whole")
    assert "  wrote out/door.*: 1 clip" in done.stdout
    assert list(videos_in("out")) == ["door.event-001.mp4"]
    again = subprocess.run(
        program("scan", *arguments, "--into", "out"), env=ENVIRONMENT, capture_output=True, text=True
    )
    assert (again.returncode, again.stderr) == (0, "")
    assert list(videos_in("out")) == ["door.event-001.mp4", "door.event-002.mp4"]
