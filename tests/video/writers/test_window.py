"""The window: its keys without a display, and the real thing where one can be had."""

import os
import re
import shutil
import subprocess
import sys
import time

import cv2
import pytest

from bgsub.errors import OutputError
from bgsub.video.writers.window import Controls, Window
from tests.video.writers.sink_clips import run_python

pytestmark = pytest.mark.slow

VIEWS = ("overlay", "mask", "frame")


def press(controls, keys):
    for key in keys:
        controls.press(ord(key))


def test_space_pauses_and_resumes():
    controls = Controls(VIEWS)
    assert not controls.holds()
    press(controls, " ")
    assert controls.holds() and controls.holds()
    press(controls, " ")
    assert not controls.holds()


@pytest.mark.parametrize("key", ["s", ".", "S"])
def test_a_step_stops_the_film_and_then_lets_single_frames_through(key):
    controls = Controls(VIEWS)
    press(controls, key)
    assert controls.paused and controls.holds()
    press(controls, key * 2)
    assert [controls.holds() for _ in range(4)] == [False, False, True, True]
    press(controls, " ")
    assert not controls.holds()


def test_steps_do_not_outlive_the_pause():
    controls = Controls(VIEWS)
    press(controls, " ss  ")
    assert controls.holds()


@pytest.mark.parametrize("key", ["q", "Q", "\x1b"])
def test_quit_also_ends_a_pause(key):
    controls = Controls(VIEWS)
    press(controls, " ")
    press(controls, key)
    assert controls.quit and not controls.holds()


def test_views_go_round_and_other_keys_mean_nothing():
    controls = Controls(VIEWS)
    seen = [controls.view]
    for _ in VIEWS:
        press(controls, "v")
        seen.append(controls.view)
    assert seen == ["overlay", "mask", "frame", "overlay"]
    press(controls, "xyz\xff\0")
    assert (controls.view, controls.paused, controls.quit) == ("overlay", False, False)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="DISPLAY is X11's")
def test_without_a_display_it_says_so(monkeypatch):
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    with pytest.raises(OutputError, match="cannot open a window: no display; leave --show out"):
        Window("street")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="DISPLAY is X11's")
def test_a_display_that_does_not_answer(monkeypatch):
    monkeypatch.setenv("DISPLAY", ":987")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    with pytest.raises(OutputError, match=r"^cannot open a window: .+; leave --show out$"):
        Window("street")


@pytest.fixture
def display(monkeypatch):
    """A virtual display of its own."""
    if re.search(r"GUI:\s+NONE", cv2.getBuildInformation()):
        pytest.skip("this OpenCV has no windows")
    for tool in ("Xvfb", "xdotool"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")
    reader, writer = os.pipe()
    command = ["Xvfb", "-displayfd", str(writer), "-screen", "0", "640x480x24", "-noreset"]
    server = subprocess.Popen(command, pass_fds=[writer], stderr=subprocess.DEVNULL)
    os.close(writer)
    with os.fdopen(reader) as line:
        number = line.readline().strip()  # all of it: the server dies of a pipe that nobody reads
    if not number:
        server.wait()
        pytest.skip("Xvfb does not start")
    monkeypatch.setenv("DISPLAY", f":{number}")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    yield
    server.terminate()
    server.wait()


PRELUDE = """
    import av, os, subprocess, threading, time
    from bgsub.video.writers.window import Window

    def until(condition):
        end = time.monotonic() + 20
        while not condition():
            assert time.monotonic() < end
            time.sleep(0.02)

    def xdo(*words):
        command = ["xdotool", "search", "--name", "street", *words]
        return subprocess.run(command, capture_output=True, text=True).stdout

    window = Window("street")
    window.write(clip_frame(0), clip_mask(0))
    until(lambda: "street (overlay)" in xdo("getwindowname"))
"""


@pytest.mark.needs_system
def test_keys_travel_back(display):
    result = run_python(
        PRELUDE
        + """
    xdo("key", "v")
    until(lambda: window.controls.view == "mask")
    xdo("key", "space")
    until(lambda: window.controls.paused)
    written = []

    def film():
        for index in range(1, 4):
            window.write(clip_frame(index), clip_mask(index))
            written.append(index)

    thread = threading.Thread(target=film)
    thread.start()
    until(lambda: "street (mask, paused)" in xdo("getwindowname"))
    assert written == []
    xdo("key", "period")
    until(lambda: written == [1])
    xdo("key", "Escape")
    thread.join(20)
    assert written == [1, 2, 3] and window.quit_requested
    window.close()
    window.close()
    print("done", window._process.returncode)
    """
    )
    assert result.stdout == "done 0\n", result.stderr


@pytest.mark.needs_system
@pytest.mark.parametrize("number", ["SIGKILL", "SIGSTOP"])
def test_a_window_that_dies_or_hangs_does_not_stop_the_run(display, number):
    began = time.monotonic()
    result = run_python(
        PRELUDE
        + f"""
    import signal
    os.kill(window._process.pid, signal.{number})
    for index in range(1, 200):
        window.write(clip_frame(index, width=640, height=480), clip_mask(index, 640, 480))
    assert not window.quit_requested
    window.close()
    print("done")
    """
    )
    assert result.stdout == "done\n", result.stderr
    assert time.monotonic() - began < 60  # it did not wait for an answer that never comes
