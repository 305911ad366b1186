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
from bgsub.video.writers.window import Controls, Pace, Window
from bgsub.video.writers.window_process import Marker
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


def test_f_plays_without_waiting():
    controls = Controls(VIEWS)
    press(controls, "f")
    assert controls.fast
    press(controls, "F")
    assert not controls.fast


@pytest.mark.parametrize(("keys", "ends"), [("v", False), ("vv", False), (" ", True), ("x", True), ("vq", True)])
def test_at_the_end_any_key_but_that_for_the_view_ends_it(keys, ends):
    controls = Controls(VIEWS)
    controls.over = True
    press(controls, keys)
    assert controls.quit is ends


def test_a_film_takes_as_long_as_it_did_in_the_world():
    now = 100.0
    pace = Pace(lambda: now)
    assert pace.wait(5.0) == 0  # the first is due at once
    assert pace.wait(5.04) == pytest.approx(0.04)
    now += 0.2
    assert pace.wait(5.1) == 0  # late by a tenth, which is caught up
    assert pace.wait(5.3) == pytest.approx(0.1)
    now += 10
    assert pace.wait(5.34) == 0  # long after: it goes on from here
    assert pace.wait(5.38) == pytest.approx(0.04)
    now += 60
    pace.restart()
    assert pace.wait(5.42) == 0
    assert pace.wait(5.46) == pytest.approx(0.04)


@pytest.mark.parametrize(("start", "end"), [((10, 20), (110, 70)), ((110, 70), (10, 20)), ((110, 20), (10, 70))])
def test_a_drag_is_a_rectangle(start, end):
    marker = Marker()
    marker.press(start)
    marker.move((60, 60))
    assert marker.corner == start
    assert marker.release(end, 4) == "10,20,100,50"
    assert marker.corner is None and marker.corners == []


def test_clicks_are_the_corners_of_a_polygon():
    marker = Marker()
    for corner in ((1, 2), (30, 2), (30, 40)):
        marker.press(corner)
        assert marker.release((corner[0] + 1, corner[1]), 4) is None
    assert marker.finish() == '"1,2 30,2 30,40"'
    assert marker.finish() is None


def test_two_corners_are_nothing_and_a_rectangle_forgets_them():
    marker = Marker()
    for corner in ((1, 2), (30, 2)):
        marker.press(corner)
        marker.release(corner, 4)
    assert marker.finish() is None and marker.corners == []
    marker.press((1, 2))
    marker.release((1, 2), 4)
    marker.press((0, 0))
    assert marker.release((50, 1), 4) == "0,0,50,1"
    assert marker.corners == []
    assert marker.release((9, 9), 4) is None  # a button that was pressed elsewhere


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
def test_a_recording_has_its_pace_stays_at_the_end_and_tells_what_is_marked(display):
    result = run_python(
        PRELUDE
        + """
    window.close()
    regions = []
    window = Window("film", None, clip_info(640, 480, source_size=(1280, 960)), regions.append)

    def shown():
        command = ["xdotool", "search", "--name", "film .overlay", "getwindowname"]
        return subprocess.run(command, capture_output=True, text=True).stdout

    began = time.monotonic()
    with window:
        for index in range(21):
            window.write(clip_frame(index, index / 20, width=640, height=480), clip_mask(index, 640, 480))
        took = time.monotonic() - began
        until(shown)

        def user():
            until(lambda: window.controls.over)
            xdo = lambda *words: subprocess.run(["xdotool", *words], check=True)
            for words in (("mousemove", "100", "100"), ("mousedown", "1"), ("mousemove", "150", "130"),
                          ("mousemove", "200", "160"), ("mouseup", "1")):
                xdo(*words)
                time.sleep(0.2)
            until(lambda: regions)
            subprocess.run(["xdotool", "search", "--name", "film .overlay", "key", "space"])

        thread = threading.Thread(target=user)
        thread.start()
    thread.join()
    print(took >= 0.99, regions[0].split(",")[2:], window.closed)
    """
    )
    assert result.stdout == "True ['200', '120'] True\n", result.stderr


@pytest.mark.needs_system
def test_whoever_leaves_lets_go_of_a_paused_window(display):
    """Ctrl-C, also where the frames have ended and the last ones wait to be seen."""
    result = run_python(
        PRELUDE
        + """
    from bgsub.video.writers.threaded import ThreadedSink
    window.controls.press(ord(" "))
    try:
        with ThreadedSink([window]) as sink:
            for index in range(1, 4):
                sink.write(clip_frame(index), clip_mask(index))
            raise KeyboardInterrupt
    except KeyboardInterrupt:
        print("left")
    """
    )
    assert result.stdout == "left\n", result.stderr


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
