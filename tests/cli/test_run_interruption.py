"""Runs that end before their source does: what was masked by then is in every output, complete."""

import contextlib
import csv
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from bgsub.background.adaptive.model import BackgroundSubtractor
from bgsub.background.mog2.model import MOG2
from bgsub.errors import OutputError, SourceError
from bgsub.video.frame import Frame, VideoInfo
from bgsub.video.source import Source
from tests.cli.clips import FPS, MOG2_RUN, assert_masks, files_in, masks_of, read_video, scene, write_clip

pytestmark = [
    pytest.mark.slow,  # processes that are stopped at their work
    pytest.mark.skipif(sys.platform == "win32", reason="signals and pipes as Unix has them"),
]

ALL_OUTPUTS = [
    *("--mask", "m.mkv", "--overlay", "o.mp4", "--stats", "s.csv"),
    *("--background", "b.png", "--save-model", "m.bgsub"),
]
PATIENCE = "bgsub: finishing what was begun; press Ctrl-C once more to leave it unfinished\n"


def heed_signals():
    """Undo what a shell does to a job in the background, which the program rightly inherits."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


@pytest.fixture(scope="module")
def long_images():
    return scene(120)


@pytest.fixture(scope="module")
def long_clip(long_images, tmp_path_factory):
    """Nearly five seconds; a pipe holds a small part of it."""
    return write_clip(tmp_path_factory.mktemp("long") / "long.mkv", long_images)


@pytest.fixture
def stalled(long_clip):
    """Start the program on a pipe that gives two thirds of the clip and then nothing more."""
    started = []

    def start(*options, run=MOG2_RUN, preexec_fn=heed_signals):
        process = subprocess.Popen(
            [sys.executable, "-m", "bgsub", *run, "-", *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            preexec_fn=preexec_fn,
        )
        started.append(process)
        data = long_clip.read_bytes()
        process.stdin.write(data[: len(data) * 2 // 3])
        process.stdin.flush()
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout, process.stderr):
            with contextlib.suppress(BrokenPipeError):
                stream.close()


def rows_of(path, least):
    """Wait until a table has at least so many rows and grows no more; return their number."""
    deadline, count = time.monotonic() + 60, -1
    while time.monotonic() < deadline:
        now = path.read_text().count("\n") - 1 if path.exists() else 0
        if now >= least and now == count:
            return now
        count = now
        time.sleep(0.2)
    pytest.fail(f"{path} has only {count} rows")


def ended(process):
    """Status, stdout and stderr of a process that must end although its stdin stays open."""
    process.wait(timeout=30)
    return process.returncode, process.stdout.read().decode(), process.stderr.read().decode()


@pytest.mark.parametrize(
    ("number", "code", "times"),
    [(signal.SIGINT, 130, 1), (signal.SIGINT, 130, 2), (signal.SIGTERM, 143, 1), (signal.SIGHUP, 129, 1)],
    ids=["Ctrl-C", "Ctrl-C twice", "SIGTERM", "SIGHUP"],
)
def test_a_signal_finishes_every_output(stalled, long_images, workplace, number, code, times):
    process = stalled(*ALL_OUTPUTS)
    count = rows_of(workplace / "s.csv", 60)
    for _ in range(times):
        process.send_signal(number)
        time.sleep(0.2)
    status, out, err = ended(process)
    assert (status, err.removesuffix(PATIENCE if times == 2 else "")) == (code, "")
    assert out.startswith(f"interrupted: {count} frames at ")
    assert out.endswith("\n  wrote m.mkv\n  wrote o.mp4\n  wrote s.csv\n  wrote b.png\n  wrote m.bgsub\n")
    assert files_in(workplace) == ["b.png", "m.bgsub", "m.mkv", "o.mp4", "s.csv"]
    model = MOG2()
    assert_masks("m.mkv", masks_of(long_images[:count], model=model))
    assert len(read_video("o.mp4")[1]) == count
    assert np.array_equal(cv2.imread("b.png"), model.background_image())
    assert MOG2.load("m.bgsub").n_frames == count


def test_the_adaptive_model_of_an_interrupted_run_goes_on_as_if_it_had_not_been(
    bgsub, stalled, long_clip, long_images, workplace
):
    process = stalled("--mask", "m.mkv", "--stats", "s.csv", "--save-model", "m.bgsub", run=("run",))
    count = rows_of(workplace / "s.csv", 60)
    process.send_signal(signal.SIGINT)
    status, out, err = ended(process)
    assert (status, err) == (130, "")
    assert out.startswith(f"interrupted: {count} frames at ")
    model = BackgroundSubtractor()
    assert_masks("m.mkv", masks_of(long_images[:count], model=model))
    start = f"{count / FPS:.3f}"
    assert bgsub("run", long_clip, "--load-model", "m.bgsub", "--start", start, "--mask", "rest.mkv").code == 0
    rest = masks_of(long_images[count:], model=model)
    assert np.any(np.array(rest) == 255)
    assert_masks("rest.mkv", rest, [index / FPS for index in range(count, len(long_images))])


def test_a_kill_leaves_all_but_the_last_second(stalled, long_images, workplace):
    process = stalled(*ALL_OUTPUTS)
    count = rows_of(workplace / "s.csv", 60)
    process.kill()
    assert ended(process)[0] == -signal.SIGKILL
    assert files_in(workplace) == ["m.mkv", "o.mp4", "s.csv"]  # what comes at the end has not begun
    _, masks = read_video("m.mkv")
    assert count - 26 <= len(masks) <= count
    assert np.array_equal(masks, masks_of(long_images[: len(masks)]))
    assert count - 26 <= len(read_video("o.mp4")[1]) <= count
    with Path("s.csv").open(newline="") as file:
        assert [int(row["index"]) for row in csv.DictReader(file)] == list(range(count))


def test_a_signal_that_is_ignored_stays_ignored(stalled, long_clip, workplace):
    """As nohup wants it."""
    process = stalled("--stats", "s.csv", preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
    rows_of(workplace / "s.csv", 60)
    process.send_signal(signal.SIGHUP)
    data = long_clip.read_bytes()
    process.stdin.write(data[len(data) * 2 // 3 :])
    process.stdin.close()
    status, out, _ = ended(process)
    assert status == 0
    assert out.startswith("done: 120 frames at ")


def test_an_interruption_before_the_first_byte(workplace):
    code = "import bgsub.video.readers.container, bgsub.cli as c; print('ready', flush=True); c.main(['run', '-'])"
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", code], **pipes, preexec_fn=heed_signals) as process:
        process.stdout.readline()
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        try:
            assert process.wait(timeout=20) == 130
        finally:
            process.kill()
        assert process.stderr.read().split() == [b"Interrupted."]
    assert files_in(workplace) == []


def test_a_full_disk(long_clip, long_images, workplace):
    import resource

    limit = 40_000
    outcome = subprocess.run(
        [
            sys.executable,
            "-m",
            "bgsub",
            *MOG2_RUN,
            long_clip,
            "--overlay",
            "o.mp4",
            "--quality",
            "100",  # a usual one fits
            *ALL_OUTPUTS[:2],
            *ALL_OUTPUTS[4:6],
        ],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert outcome.returncode == 1
    assert outcome.stderr.startswith("Error: cannot write o.mp4: File too large; what was written up to ")
    assert outcome.stderr.endswith(" s is intact; raise the limit on file sizes or choose another disk\n")
    assert outcome.stderr.count("\n") == 1
    intact = float(outcome.stderr.split(" up to ")[1].split()[0])
    assert intact > 0
    assert outcome.stdout.startswith("broken off: ")
    assert outcome.stdout.endswith("  wrote m.mkv\n  wrote o.mp4\n  wrote s.csv\n")
    times, pictures = read_video("o.mp4")
    assert times[-1] >= intact
    _, masks = read_video("m.mkv")
    assert len(masks) >= len(pictures)
    assert np.array_equal(masks, masks_of(long_images[: len(masks)]))
    assert len(Path("s.csv").read_text().splitlines()) == len(masks) + 1


def test_a_disk_too_full_for_the_model(long_clip, long_images, workplace):
    import resource

    outcome = subprocess.run(
        [sys.executable, "-m", "bgsub", *MOG2_RUN, long_clip, "--stats", "s.csv", "--save-model", "m.bgsub"],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000)),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert outcome.returncode == 1
    assert outcome.stderr == "Error: cannot write m.bgsub: File too large; make room or choose another folder\n"
    assert outcome.stdout.startswith("done: 120 frames at ")
    assert outcome.stdout.endswith("\n  wrote s.csv\n")
    assert files_in(workplace) == ["s.csv"]


def test_a_reader_of_stdout_who_has_had_enough(stalled, long_clip, long_images, workplace):
    process = stalled("--stats", "-", "--mask", "m.mkv", "--save-model", "m.bgsub")
    assert process.stdout.readline() == b"index,time,foreground\n"
    process.stdout.close()
    data = long_clip.read_bytes()
    with contextlib.suppress(BrokenPipeError):  # it may have ended by now
        process.stdin.write(data[len(data) * 2 // 3 :])
        process.stdin.flush()
    assert process.wait(timeout=30) == 1
    err = process.stderr.read().decode()
    assert err.startswith("interrupted: ")
    assert err.endswith("\n  wrote m.mkv\n  wrote m.bgsub\n")
    assert "Error" not in err and "Traceback" not in err
    _, masks = read_video("m.mkv")
    assert np.array_equal(masks, masks_of(long_images[: len(masks)]))


class Scripted(Source):
    """A live source that delivers images, and then does something else."""

    def __init__(self, images, then):
        self.images, self.then = images, then
        self.dropped = 3
        self.closed = False
        height, width = images[0].shape[:2]
        self.info = VideoInfo(
            "yard", width, height, fps=None, frame_count=None, codec="camera", duration=None, live=True
        )

    def __iter__(self):
        for index, image in enumerate(self.images):
            yield Frame(index, index / 10, image)
        self.then()

    def close(self):
        self.closed = True


@pytest.fixture
def yard(images, monkeypatch):
    """Replace every source by one that is interrupted in the way a test wants."""

    def replace(then):
        source = Scripted(images, then)
        monkeypatch.setattr("bgsub.video.opening.open_source", lambda *args, **keywords: source)
        return source

    return replace


def raising(error):
    def then():
        raise error

    return then


def test_a_camera_that_is_unplugged(bgsub, yard, images):
    source = yard(raising(SourceError("camera 0 stopped delivering, check that it is plugged in")))
    outcome = bgsub(*MOG2_RUN, "0", *ALL_OUTPUTS)
    assert outcome.code == 1
    assert outcome.err == "Error: camera 0 stopped delivering, check that it is plugged in\n"
    assert outcome.out.startswith("broken off: 30 frames at ")
    assert "\n  3 frames dropped to keep up with the source\n" in outcome.out
    assert outcome.out.endswith("\n  wrote m.mkv\n  wrote o.mp4\n  wrote s.csv\n  wrote b.png\n  wrote m.bgsub\n")
    assert source.closed
    model = MOG2()
    assert_masks("m.mkv", masks_of(images, model=model), [index / 10 for index in range(30)])
    assert np.array_equal(cv2.imread("b.png"), model.background_image())
    assert MOG2.load("m.bgsub").n_frames == 30


def test_two_passes_are_refused_for_what_cannot_be_repeated(bgsub, yard, workplace):
    yard(lambda: None)
    assert bgsub(*MOG2_RUN, "0", "--two-pass").error.startswith("Error: yard cannot be read twice")
    assert files_in(workplace) == []


def test_a_source_without_a_frame(bgsub, yard, monkeypatch, workplace):
    source = yard(lambda: None)
    source.images = []
    outcome = bgsub(*MOG2_RUN, "0")
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.error == "Error: 0 gave no frame: check --start, --end and --duration"
    assert files_in(workplace) == []


def test_ctrl_c_in_this_process(bgsub, yard, images):
    yard(raising(KeyboardInterrupt))
    before = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    outcome = bgsub(*MOG2_RUN, "0", "--mask", "m.mkv", "--json")
    after = signal.signal(signal.SIGTERM, before)
    assert after is signal.SIG_DFL
    assert outcome.code == 130
    assert '"result": "interrupted", "outputs": ["m.mkv"], "frames_read": 30' in outcome.out
    assert_masks("m.mkv", masks_of(images), [index / 10 for index in range(30)])


def test_an_output_that_fails_at_its_end(bgsub, yard, monkeypatch):
    yard(lambda: None)
    monkeypatch.setattr(
        "bgsub.video.writers.videos.VideoSink.close", lambda self: raising(OutputError("no room; make some"))()
    )
    outcome = bgsub(*MOG2_RUN, "0", "--mask", "m.mkv", "--save-model", "m.bgsub")
    assert outcome.code == 1
    assert outcome.error == "Error: no room; make some"
    assert outcome.out.startswith("broken off: 30 frames")
    assert MOG2.load("m.bgsub").n_frames == 30


def test_a_folder_that_vanishes_after_it_was_checked(bgsub, yard, images, workplace):
    (workplace / "gone").mkdir()

    class Vanishing(list):
        def __iter__(self):
            (workplace / "gone").rmdir()
            return iter(images)

    yard(lambda: None).images = Vanishing()
    outcome = bgsub(*MOG2_RUN, "0", "--mask", "gone/m.mkv")
    assert outcome.code == 1
    assert outcome.error.startswith("Error: cannot write gone/m.mkv: No such file or directory")
    assert "wrote" not in outcome.out
    assert files_in(workplace) == []
