"""A window that shows the run, in a process of its own so that it can neither hang nor end the run."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import IO

import cv2
import numpy as np

from bgsub.errors import OutputError
from bgsub.video.frame import Frame
from bgsub.video.sink import Sink
from bgsub.video.writers import drawing
from bgsub.video.writers.window_process import HEADER

logger = logging.getLogger(__name__)

OPEN_TIMEOUT = 20.0  # seconds for a process to start and open a window
CLOSE_TIMEOUT = 3.0
LARGEST = (1280, 720)  # of the picture sent to the window; larger ones are reduced
KEYS_HELP = "space pause, s or . one frame, v view, q or Esc quit"


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
    quit : bool
        End the run.
    """

    def __init__(self, views: tuple[str, ...]) -> None:
        self._views = views
        self.view = views[0]
        self.paused = False
        self.quit = False
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
            case "q" | "\x1b":
                self.quit = True

    def holds(self) -> bool:
        """Tell whether the current frame must stay; a step that was asked for is used up by saying no."""
        if self.quit or not self.paused:
            return False
        if self._steps:
            self._steps -= 1
            return False
        return True


class Window(Sink):
    """Shows frames as they are written; those that come faster than the window draws are left out.

    Keys: space pauses, ``s`` or ``.`` shows one frame, ``v`` goes through the views (overlay, mask,
    foreground, background, frame), ``q`` or Esc sets `quit_requested`. `write` waits while it is paused. When
    the window is closed the run goes on without it.

    Parameters
    ----------
    title : str
        Title of the window.
    background : callable, optional
        Returns the background image; without it there is no such view.

    Raises
    ------
    OutputError
        When there is no display, or this OpenCV has no windows.
    """

    def __init__(self, title: str, background: Callable[[], np.ndarray] | None = None) -> None:
        if sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
            raise OutputError("cannot open a window: no display; leave --show out")
        self.title = title
        self._background = background
        views = ("overlay", "mask", "foreground", *(["background"] if background else []), "frame")
        self.controls = Controls(views)
        self._changed = threading.Condition()  # guards all that follows
        self._opened = False
        self._ended = False
        self._ready = False
        self._outgoing: list[tuple[str, np.ndarray]] = []
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
        """Show a frame if the window is ready for one; while it is paused, wait."""
        self._offer(frame, mask)
        with self._changed:
            while not self._ended and self.controls.holds():
                self._offer(frame, mask)
                self._changed.wait(0.5)  # with a limit: on Windows Ctrl-C cannot end a wait without

    def close(self) -> None:
        """Close the window. Calling it again does nothing."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()
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
                        caption, picture = self._outgoing.pop()
                    text = caption.encode()
                    pipe.write(HEADER.pack(*picture.shape, len(text)) + text)
                    pipe.write(np.ascontiguousarray(picture).data)
                    pipe.flush()
        except OSError as error:  # the process has ended, which `_listen` reports
            logger.debug("window: %s", error)

    def _offer(self, frame: Frame, mask: np.ndarray) -> None:
        """Send the frame's picture if the window waits for one and does not show it already."""
        with self._changed:
            wanted = (frame.index, self._caption())
            if self._ended or not self._ready or wanted == self._shown:
                return
            self._ready, self._shown = False, wanted
        picture = _reduced(self._draw(frame, mask))
        with self._changed:
            self._outgoing[:] = [(wanted[1], picture)]
            self._changed.notify_all()

    def _caption(self) -> str:
        """Return the window's title as it should read now."""
        return f"{self.title} ({self.controls.view}{', paused' if self.controls.paused else ''})"

    def _draw(self, frame: Frame, mask: np.ndarray) -> np.ndarray:
        """Return the picture of the current view."""
        view = self.controls.view
        if view == "mask":
            return drawing.to_bgr(mask)
        if view == "overlay":
            return drawing.overlay(frame.image, mask)
        if view == "foreground":
            return drawing.cutout(frame.image, mask)
        if view == "background" and self._background is not None:
            return drawing.to_bgr(self._background())
        return drawing.to_bgr(frame.image)


def _reduced(image: np.ndarray) -> np.ndarray:
    """Return the image at a size that a screen can show."""
    height, width = image.shape[:2]
    scale = min(LARGEST[0] / width, LARGEST[1] / height)
    if scale >= 1:
        return image
    return cv2.resize(image, (round(width * scale), round(height * scale)), interpolation=cv2.INTER_AREA)
