"""A window that shows the run, in a process of its own so that it can neither hang nor end the run."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import IO

import cv2
import numpy as np

from bgsub.errors import OutputError
from bgsub.times import written_time
from bgsub.video.frame import Frame, VideoInfo
from bgsub.video.sink import Sink
from bgsub.video.writers import drawing
from bgsub.video.writers.painting import Painter
from bgsub.video.writers.window_process import HEADER

logger = logging.getLogger(__name__)

OPEN_TIMEOUT = 20.0  # seconds for a process to start and open a window
CLOSE_TIMEOUT = 3.0
LARGEST = (1280, 720)  # of the picture sent to the window; larger ones are reduced
KEYS_HELP = "space pause, s or . one frame, v view, f fast, h help, q or Esc quit; drag a rectangle for --region"
_LATE = 0.25  # seconds behind from which on lost time is not caught up


class Controls:
    """What the keys have asked for.

    Parameters
    ----------
    views : sequence of str
        Names of the views that ``v`` goes through.

    Attributes
    ----------
    view : str
        The view to show.
    paused : bool
        Hold the current frame.
    fast : bool
        Show frames as they come, not at their own pace.
    quit : bool
        End the run.
    over : bool
        No frame comes any more: any key but those that change what is seen ends it.
    """

    def __init__(self, views: tuple[str, ...]) -> None:
        self._views = views
        self.view = views[0]
        self.paused = False
        self.fast = False
        self.quit = False
        self.over = False
        self._steps = 0

    def press(self, key: int) -> None:
        """Act on a key's character code; others mean nothing."""
        match chr(key).lower():
            case " ":
                self.paused = not self.paused
                self._steps = 0
            case "s" | ".":
                # The first press stops the film, each further one lets a frame through.
                self._steps += self.paused
                self.paused = True
            case "v":
                self.view = self._views[(self._views.index(self.view) + 1) % len(self._views)]
                return
            case "f":
                self.fast = not self.fast
            case "q" | "\x1b":
                self.quit = True
        self.quit = self.quit or self.over

    def holds(self) -> bool:
        """Tell whether the current frame must stay; a step that was asked for is used up by saying no."""
        if self.quit or not self.paused:
            return False
        if self._steps:
            self._steps -= 1
            return False
        return True


class Pace:
    """Tells when a frame is due, so that a film takes as long as it did in the world.

    Parameters
    ----------
    clock : callable
        Returns seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._began: float | None = None  # clock's time of a frame of the time 0

    def wait(self, frame_time: float) -> float:
        """Return the seconds until a frame of this time is due; who is late goes on from now."""
        now = self._clock()
        if self._began is None or now - self._began - frame_time > _LATE:
            self._began = now - frame_time
        return max(0.0, self._began + frame_time - now)

    def restart(self) -> None:
        """Take the next frame for due, whenever it comes: after a pause."""
        self._began = None


class Window(Sink):
    """Shows frames as they are written; those that come faster than the window draws are left out.

    Keys: space pauses, ``s`` or ``.`` shows one frame, ``v`` goes through the views (overlay, mask,
    foreground, background, frame), ``f`` plays without waiting, ``h`` shows the keys, ``q`` or Esc sets
    `quit_requested`. `write` waits while it is paused. When the window is closed the run goes on without it.

    Parameters
    ----------
    title : str
        Title of the window.
    background : callable, optional
        Returns the background image; without it there is no such view.
    info : VideoInfo, optional
        Of the source. A recorded one is played at its own pace, and its last frame stays until a key is pressed; what
        is marked with the mouse is told in pixels of the source.
    on_region : callable, optional
        Called, in another thread, with what was marked: ``10,20,300,200``, or ``"x,y x,y x,y"``.

    Raises
    ------
    OutputError
        When there is no display, or this OpenCV has no windows.
    """

    def __init__(
        self,
        title: str,
        background: Callable[[], np.ndarray] | None = None,
        info: VideoInfo | None = None,
        on_region: Callable[[str], None] | None = None,
    ) -> None:
        if sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
            raise OutputError("cannot open a window: no display; leave --show out")
        self.title = title
        self._background = background
        self._on_region = on_region
        self._recorded = info is not None and not info.live
        self._source_width = 0 if info is None else (info.source_size or (info.width, info.height))[0]
        self._pace = Pace()
        self._painter = Painter()
        self._last: tuple[Frame, np.ndarray] | None = None
        views = ("overlay", "mask", "foreground", *(["background"] if background else []), "frame")
        self.controls = Controls(views)
        self._changed = threading.Condition()  # guards all that follows
        self._opened = False
        self._ended = False
        self._ready = False
        self._outgoing: list[tuple[str, float, np.ndarray]] = []
        self._problem = ""
        self._shown: tuple[int, str] | None = None
        self._start()

    @property
    def quit_requested(self) -> bool:
        """Whether q or Esc was pressed: the run should end as it does at the end of its source."""
        return self.controls.quit

    @property
    def closed(self) -> bool:
        """Whether the window is gone."""
        return self._ended

    def write(self, frame: Frame, mask: np.ndarray) -> None:
        """Show a frame when it is due, if the window is ready for one; while it is paused, wait."""
        self._wait_until_due(frame.time)
        self._last = frame, mask
        self._offer(frame, mask)
        with self._changed:
            while not self._ended and self.controls.holds():
                self._pace.restart()
                self._offer(frame, mask)
                self._changed.wait(0.5)  # with a limit: on Windows Ctrl-C cannot end a wait without

    def let_go(self) -> None:
        """End every wait, now and from now on."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None and self._recorded:
                self._stay()
        except KeyboardInterrupt:
            pass  # it ends what is looked at, and nothing else
        finally:
            self.close()

    def _wait_until_due(self, frame_time: float) -> None:
        """Wait until a frame is due, or until nobody wants to wait for it any more."""
        if not self._recorded:
            return
        due = time.monotonic() + self._pace.wait(frame_time)
        with self._changed:
            while not (self._ended or self.controls.fast or self.controls.quit):
                left = due - time.monotonic()
                if left <= 0:
                    return
                self._changed.wait(min(left, 0.5))

    def _stay(self) -> None:
        """Show the last frame until a key is pressed, or the window is closed."""
        if self._last is None:
            return
        self.controls.over = True
        with self._changed:
            while not (self._ended or self.controls.quit):
                self._offer(*self._last)
                self._changed.wait(0.5)

    def close(self) -> None:
        """Close the window. Calling it again does nothing."""
        self.let_go()
        try:
            self._process.wait(CLOSE_TIMEOUT)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for thread in self._threads:
            thread.join()
        self._log.close()

    def _start(self) -> None:
        """Start the process and wait until its window is open."""
        script = Path(__file__).with_name("window_process.py")
        # The GUI library's complaints; closed by `close`.
        self._log: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115
        # -P: the script's folder must not be searched for modules, it holds names such as `stats`.
        self._process = subprocess.Popen(
            [sys.executable, "-P", str(script), self.title],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
        )
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._listen, self._send)]
        for thread in self._threads:
            thread.start()
        with self._changed:
            self._changed.wait_for(lambda: self._ready or self._ended, OPEN_TIMEOUT)
            self._opened = self._ready
        if not self._opened:
            self._process.kill()
            self._log.seek(0)
            complaints = self._log.read().decode(errors="replace").strip().splitlines()
            self.close()
            reason = self._problem or (complaints[0] if complaints else "the display does not answer")
            if "not implemented" in reason:
                reason = "this OpenCV was built without windows (opencv-python has them)"
            raise OutputError(f"cannot open a window: {reason}; leave --show out")
        logger.info("window keys: %s", KEYS_HELP)

    def _listen(self) -> None:
        """Take in what the process says, until it ends. Runs in a thread."""
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                word, _, rest = line.decode(errors="replace").strip().partition(" ")
                with self._changed:
                    self._take(word, rest)
                    self._changed.notify_all()
        with self._changed:
            if not self._ended and self._opened:
                logger.warning("the window was closed; the run goes on (Ctrl-C ends it)")
            self._ended = True
            self._changed.notify_all()

    def _take(self, word: str, rest: str) -> None:
        """Act on one line of the process."""
        if word == "ready":
            self._ready = True
        elif word == "key" and rest.isdecimal():
            self.controls.press(int(rest))
        elif word == "region" and self._on_region is not None:
            self._on_region(rest)
        elif word == "error":
            self._problem = rest

    def _send(self) -> None:
        """Pass pictures on to the process, which may take its time, or never take one. Runs in a thread."""
        assert self._process.stdin is not None
        try:
            with self._process.stdin as pipe:
                while True:
                    with self._changed:
                        self._changed.wait_for(lambda: self._outgoing or self._ended)
                        if self._ended:
                            return
                        caption, scale, picture = self._outgoing.pop()
                    text = caption.encode()
                    pipe.write(HEADER.pack(*picture.shape, scale, len(text)) + text)
                    pipe.write(np.ascontiguousarray(picture).data)
                    pipe.flush()
        except OSError as error:  # the process has ended, which `_listen` reports
            logger.debug("window: %s", error)

    def _offer(self, frame: Frame, mask: np.ndarray) -> None:
        """Send the frame's picture if the window waits for one and does not show it already."""
        with self._changed:
            wanted = (frame.index, f"{self._caption()}\n{self._status(frame)}")
            if self._ended or not self._ready or wanted == self._shown:
                return
            self._ready, self._shown = False, wanted
        picture = _reduced(self._draw(frame, mask))
        scale = (self._source_width or frame.image.shape[1]) / picture.shape[1]
        with self._changed:
            self._outgoing[:] = [(wanted[1], scale, picture)]
            self._changed.notify_all()

    def _caption(self) -> str:
        """Return the window's title as it should read now."""
        return f"{self.title} ({self.controls.view}{', paused' if self.controls.paused else ''})"

    def _status(self, frame: Frame) -> str:
        """Return what is written on the picture."""
        state = "the end: any key closes" if self.controls.over else "paused" if self.controls.paused else ""
        parts = (written_time(frame.time), f"frame {frame.index}", self.controls.view, state)
        return "   ".join(part for part in parts if part)

    def _draw(self, frame: Frame, mask: np.ndarray) -> np.ndarray:
        """Return the picture of the current view."""
        view = self.controls.view
        if view == "mask":
            return drawing.to_bgr(mask)
        if view == "overlay":
            return self._painter.overlay(frame.image, mask)
        if view == "foreground":
            return self._painter.cutout(frame.image, mask)
        if view == "background" and self._background is not None:
            return self._painter.picture(self._background())
        return self._painter.picture(frame.image)


def _reduced(image: np.ndarray) -> np.ndarray:
    """Return the image at a size that a screen can show."""
    height, width = image.shape[:2]
    scale = min(LARGEST[0] / width, LARGEST[1] / height)
    if scale >= 1:
        return image
    return cv2.resize(image, (round(width * scale), round(height * scale)), interpolation=cv2.INTER_AREA)
