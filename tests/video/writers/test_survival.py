"""Outputs after a kill, a full disk and Ctrl-C: what was written is there and can be read."""

import re
import signal
import sys
from pathlib import Path

import numpy as np
import pytest

from bgsub.errors import OutputError
from bgsub.video.writers.stats import stats_sink
from bgsub.video.writers.videos import mask_sink
from tests.video.writers.sink_clips import (
    clip_frame,
    clip_info,
    clip_mask,
    mp4_boxes,
    noise_mask,
    read_video,
    run_python,
)

pytestmark = pytest.mark.slow  # processes that are killed at their work

posix = pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals and limits")


@posix
@pytest.mark.parametrize("suffix", ["mkv", "mp4", "webm"])
@pytest.mark.parametrize(("kind", "fps"), [("mask", 25), ("overlay", 25), ("foreground", 25), ("overlay", 4)])
def test_a_killed_run_loses_at_most_a_second(tmp_path, kind, suffix, fps):
    path = tmp_path / f"v.{suffix}"
    result = run_python(f"""
        import os, signal
        from bgsub.video.writers.videos import *
        sink = {kind}_sink({str(path)!r}, clip_info(fps=Fraction({fps})))
        for index in range(round(3.4 * {fps})):
            sink.write(clip_frame(index, index / {fps}), clip_mask(index))
        os.kill(os.getpid(), signal.SIGKILL)
    """)
    assert result.returncode == -signal.SIGKILL, result.stderr
    times = read_video(path, None)[0]
    count = round(3.4 * fps)
    np.testing.assert_allclose(times, np.arange(len(times)) / fps, atol=5.1e-4)
    assert len(times) >= count - fps - 1
    if (kind, suffix) == ("mask", "mkv"):
        _, masks = read_video(path, "gray")
        np.testing.assert_array_equal(masks, [clip_mask(index) for index in range(len(masks))])


@posix
@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
def test_a_killed_run_leaves_whole_lines(tmp_path, suffix):
    path = tmp_path / f"s.{suffix}"
    result = run_python(f"""
        import os, signal
        from bgsub.video.writers.stats import *
        sink = stats_sink({str(path)!r})
        for index in range(7):
            sink.write(clip_frame(index), clip_mask(index))
        os.kill(os.getpid(), signal.SIGKILL)
    """)
    assert result.returncode == -signal.SIGKILL, result.stderr
    text = path.read_text()
    assert text.endswith("\n")
    assert len(text.splitlines()) == 7 + (suffix == "csv")


@posix
@pytest.mark.parametrize("suffix", ["mkv", "mp4", "webm"])
@pytest.mark.parametrize("ticks", [90_000, 1000, 25])
def test_a_full_disk_keeps_what_was_written(tmp_path, suffix, ticks):
    path = tmp_path / f"m.{suffix}"
    result = run_python(f"""
        import resource, signal
        from bgsub.errors import OutputError
        from bgsub.video.writers.videos import *
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (800_000, resource.RLIM_INFINITY))
        sink = mask_sink({str(path)!r}, clip_info(160, 120, time_base=Fraction(1, {ticks})))
        try:
            for index in range(2000):
                sink.write(clip_frame(index, width=160, height=120), noise_mask(index, 160, 120))
        except OutputError as error:
            print(index / 25, error, sep=chr(10))
        sink.close()
        sink.close()
    """)
    assert result.returncode == 0, result.stderr
    failed_at, message = result.stdout.splitlines()
    said = re.fullmatch(
        rf"cannot write {re.escape(str(path))}: File too large; "
        r"what was written up to (\d+\.\d) s is intact; "
        "raise the limit on file sizes or choose another disk",
        message,
    )
    assert said, message
    times = read_video(path, None)[0]
    assert 0 <= times[-1] - float(said[1]) < 0.1
    assert float(failed_at) - times[-1] <= 1.05
    if suffix == "mkv":
        _, masks = read_video(path, "gray")
        np.testing.assert_array_equal(masks, [noise_mask(index, 160, 120) for index in range(len(masks))])


@posix
@pytest.mark.parametrize("room", [100, 5_000])
def test_a_disk_too_full_for_one_frame_is_told_and_nothing_left(tmp_path, room):
    """Whether write() or close() meets it: a failure of the end must not pass for success."""
    result = run_python(f"""
        import resource, signal
        from bgsub.errors import OutputError
        from bgsub.video.writers.videos import *
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, ({room}, resource.RLIM_INFINITY))
        sink = mask_sink({str(tmp_path / "m.mkv")!r}, clip_info(160, 120))
        try:
            with sink:
                sink.write(clip_frame(0, width=160, height=120), noise_mask(0, 160, 120))
        except OutputError as error:
            print(error)
    """)
    assert result.returncode == 0, result.stderr
    assert "m.mkv: File too large" in result.stdout
    assert not (tmp_path / "m.mkv").exists()  # not one frame of it could be read


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
@pytest.mark.parametrize("name", ["m.mkv", "m.mp4", "m.webm", "s.csv"])
def test_a_disk_that_was_full_before(tmp_path, name):
    (tmp_path / name).symlink_to("/dev/full")
    make = stats_sink if name == "s.csv" else lambda path, **options: mask_sink(path, clip_info(), **options)
    sink = make(tmp_path / name, overwrite=True)
    with pytest.raises(OutputError, match=rf"cannot write .*{name}: No space left on device; .*free some space"):
        for index in range(60):
            sink.write(clip_frame(index), clip_mask(index))
    sink.close()


@posix
def test_a_table_on_a_full_disk_keeps_whole_lines(tmp_path):
    path = tmp_path / "s.csv"
    result = run_python(f"""
        import resource, signal
        from bgsub.errors import OutputError
        from bgsub.video.writers.stats import *
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1001, resource.RLIM_INFINITY))
        with stats_sink({str(path)!r}) as sink:
            try:
                for index in range(2000):
                    sink.write(clip_frame(index), clip_mask(index))
            except OutputError as error:
                print(index, error)
    """)
    assert result.returncode == 0, result.stderr
    lines = path.read_text().splitlines(keepends=True)
    assert lines[-1].endswith("\n") and len(lines[-1].split(",")) == 3
    failed = int(result.stdout.split()[0])
    assert len(lines) == 1 + failed
    assert f"File too large; all lines before frame {failed} are intact" in result.stdout


@posix
def test_ctrl_c_finishes_everything(tmp_path):
    result = run_python(f"""
        import os, signal
        from contextlib import ExitStack
        from bgsub.video.writers.videos import *
        from bgsub.video.writers.threaded import *
        from bgsub.video.writers.stills import *
        from bgsub.video.writers.stats import *
        folder = {str(tmp_path)!r}
        sinks = [mask_sink(folder + "/m.mkv", clip_info()), overlay_sink(folder + "/o.mp4", clip_info()),
                 stats_sink(folder + "/s.csv"),
                 BackgroundImage(folder + "/b.png", lambda: clip_image(0))]
        with ThreadedSink(sinks, depth=50) as sink:
            for index in range(40):
                sink.write(clip_frame(index), clip_mask(index))
            os.kill(os.getpid(), signal.SIGINT)
            while True: pass
    """)
    assert "KeyboardInterrupt" in result.stderr
    _, masks = read_video(tmp_path / "m.mkv", "gray")
    np.testing.assert_array_equal(masks, [clip_mask(index) for index in range(40)])
    assert len(read_video(tmp_path / "o.mp4")[0]) == 40
    assert "moof" not in mp4_boxes(tmp_path / "o.mp4")  # closed, not only left readable
    assert len((tmp_path / "s.csv").read_text().splitlines()) == 41
    assert (tmp_path / "b.png").exists()
