"""A watch for a while, from the first picture on: it ends by itself, in order, with what it recorded."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]


def test_a_watch_ends_by_itself_with_whole_files_and_status_0(tmp_path):
    command = [
        sys.executable,
        "-m",
        "bgsub",
        "watch",
        str(ROOT / "sample_videos" / "room.mp4"),
        "--loop",
        "--no-listen",
    ]
    command += ["--no-listen", "--duration", "6s", "--into", "found", "--state", "state"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    (clip,) = (tmp_path / "found" / "room").rglob("*.mp4")
    assert clip.with_suffix(".json").exists() and clip.with_suffix(".jpg").exists()
    assert str(clip.relative_to(tmp_path / "found")) in done.stdout
    assert list((tmp_path / "state" / "models").iterdir())  # the next one need not learn anew


def test_it_ends_too_where_no_camera_answers(tmp_path):
    command = [sys.executable, "-m", "bgsub", "watch", "rtsp://127.0.0.1:9/cam", "--no-listen", "--duration", "1s"]
    command += ["--into", "found", "--state", "state"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert "lost: cannot open rtsp://127.0.0.1:9/cam" in done.stdout
