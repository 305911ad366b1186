"""What a scan loads before it looks at the first frame: each module costs a millisecond of every start."""

from __future__ import annotations

import json
import multiprocessing
import subprocess
import sys

import pytest

from tests.motion.recordings import record

PROGRAM = """
import json, sys
from bgsub.motion.looking import Look
look = Look.__call__
def first(self, frame):
    if not loaded:
        loaded.extend(sys.modules)
    return look(self, frame)
Look.__call__, loaded = first, []
from bgsub.cli import main
try:
    main(sys.argv[1:])
finally:
    print(json.dumps(loaded))
"""
UNUSED = {
    "bgsub.clustering",
    "bgsub.mixture",
    "bgsub.motion.clips.writing",
    "bgsub.motion.heatmap",
    "bgsub.motion.learned_mask",
    "bgsub.motion.processes",
    "bgsub.motion.reports",
    "bgsub.motion.thumbnails",
    "bgsub.plots",
    "bgsub.tables",
    "bgsub.video.readers.camera",
    "bgsub.video.readers.concatenated",
    "bgsub.video.readers.images",
    "bgsub.video.writers.videos",
    "http.client",
    "matplotlib",
    "multiprocessing",
    "pandas",
    "pyarrow",
    "rich",
    "scipy.stats",
    "sklearn",
    "urllib.request",
}


@pytest.mark.parametrize("arguments", [[], ["--fast"]])
def test_a_scan_loads_what_it_needs_and_no_more(arguments, workplace):
    record("door.mkv", 40, [(20, 45)])
    command = [sys.executable, "-c", PROGRAM, "scan", "door.mkv", "-q", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    loaded = set(json.loads(done.stdout.splitlines()[-1]))
    assert {"av", "cv2", "bgsub.motion.scanning", "bgsub.video.readers.container"} <= loaded
    assert not UNUSED & loaded


def test_what_was_left_is_loaded_where_it_is_asked_for(bgsub, workplace):
    record("door.mkv", 60, [(20, 45)])
    files = ["--clips", "exact", "--thumbnails", "--heatmap", "--tracks", "--report", "r.html"]
    done = bgsub("scan", "door.mkv", "--into", "found", "--reel", "reel.mp4", "--draw", "boxes", *files)
    assert done.code == 0, done.err
    written = {path.name for path in (workplace / "found").iterdir()} | {path.name for path in workplace.iterdir()}
    assert {"reel.mp4", "r.html", "door.heat.png", "door.event-001.jpg", "door.event-001.mp4"} <= written, written


FORERUNNER = """
import json, multiprocessing, signal, sys
from bgsub.motion import forerunner

def told(queue):
    queue.put((list(sys.modules), signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, [])))

if __name__ == "__main__":
    started = forerunner.start_early("mog2")
    heavy = sorted({"numpy", "numba", "cv2", "av"} & set(sys.modules))
    context = forerunner.context("mog2")
    queue = context.SimpleQueue()
    context.Process(target=told, args=(queue,)).start()
    print(json.dumps([heavy, *queue.get(), signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, [])]))
"""


@pytest.mark.skipif(
    "forkserver" not in multiprocessing.get_all_start_methods(), reason="processes are forked nowhere else"
)
def test_processes_begin_with_all_that_a_scan_needs_while_the_first_one_has_loaded_nothing(workplace):
    (workplace / "program.py").write_text(FORERUNNER)
    done = subprocess.run([sys.executable, "program.py"], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    own, loaded, deaf, own_deaf = json.loads(done.stdout)
    assert own == []
    assert {"numba", "av", "cv2", "bgsub.motion.scanning", "bgsub.background.mog2.kernels"} <= set(loaded)
    assert (deaf, own_deaf) == (True, False)  # Ctrl-C is for the first one alone
