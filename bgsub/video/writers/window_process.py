"""The process behind `Window`: pictures come from its standard input, events go to its standard output.

Run as a script. It imports OpenCV and never PyAV: their wheels each bring libraries of the same names, and
once both are in one process OpenCV's window may hang. In: `HEADER`, then title and status in two lines, then the
pixels. Out, a line each: ``ready`` (for the next picture), ``key CODE``, ``region TEXT`` (what was marked with the
mouse, as ``--region`` takes it), ``error TEXT``.
"""

from __future__ import annotations

import os
import signal
import struct
import sys
import threading
from typing import BinaryIO

import cv2
import numpy as np

HEADER = struct.Struct("<IIIfH")  # height, width, channels, pixels of the source for one of the picture, bytes of text
POLL_MS = 15
HELP = (
    "space  pause, go on",
    "s or .  one frame",
    "v  next view",
    "f  as fast as it goes",
    "h  this help",
    "drag  a rectangle for --region",
    "click  its corners; right click, Enter: done",
    "c  forget the corners",
    "q or Esc  quit",
)
_SMALLEST = 480  # pixels that a shown picture is wide: text in a smaller one could not be read
_DRAG = 4  # pixels from which on a click is a drag
_RETURN, _BACKSPACE = (10, 13), 8

Point = tuple[int, int]


class Marker:
    """What is being marked with the mouse, in pixels of the source.

    Attributes
    ----------
    place : tuple of int or None
        Where the mouse is.
    corners : list of tuple of int
        Corners of a polygon that is not finished.
    corner : tuple of int or None
        Where a rectangle was begun that is being drawn.
    """

    def __init__(self) -> None:
        self.place: Point | None = None
        self.corners: list[Point] = []
        self.corner: Point | None = None

    def move(self, place: Point) -> None:
        """Note where the mouse is."""
        self.place = place

    def press(self, place: Point) -> None:
        """Begin a rectangle, or a click."""
        self.place = self.corner = place

    def release(self, place: Point, least: float) -> str | None:
        """End it; return the rectangle as ``x,y,width,height``, or None of a click, which is a corner."""
        begun, self.corner, self.place = self.corner, None, place
        if begun is None:
            return None
        (left, right), (top, bottom) = (sorted(pair) for pair in zip(begun, place, strict=True))
        if max(right - left, bottom - top) < least:
            self.corners.append(begun)
            return None
        self.corners.clear()
        return f"{left},{top},{max(1, right - left)},{max(1, bottom - top)}"

    def finish(self) -> str | None:
        """End a polygon; return it as ``"x,y x,y x,y"``, or None if it has no three corners."""
        corners, self.corners = self.corners, []
        if len(corners) < 3:
            return None
        return '"' + " ".join(f"{x},{y}" for x, y in corners) + '"'


class Inbox:
    """Reads pictures in a thread, and holds the latest."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()
        self._latest: tuple[str, float, np.ndarray] | None = None
        self.ended = threading.Event()
        threading.Thread(target=self._read, daemon=True).start()

    def take(self) -> tuple[str, float, np.ndarray] | None:
        """Return the latest text, scale and picture that was not taken yet."""
        with self._lock:
            latest, self._latest = self._latest, None
        return latest

    def _read(self) -> None:
        """Read until the other side closes. Runs in the thread."""
        while len(head := self._stream.read(HEADER.size)) == HEADER.size:
            height, width, channels, scale, length = HEADER.unpack(head)
            text = self._stream.read(length).decode()
            pixels = np.frombuffer(self._stream.read(height * width * channels), np.uint8)
            if pixels.size < height * width * channels:
                break
            with self._lock:
                self._latest = text, scale, pixels.reshape(height, width, channels)
        self.ended.set()


class View:
    """The window: a picture, what is written on it, and what the mouse marks.

    Parameters
    ----------
    title : str
        The window's name, and its first title.
    """

    def __init__(self, title: str) -> None:
        self.title = title
        self.marker = Marker()
        self.help = False
        self._picture: np.ndarray | None = None
        self._status = ""
        self._scale = 1.0  # pixels of the source for one that is shown
        self.changed = False
        cv2.namedWindow(title, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO | cv2.WINDOW_GUI_NORMAL)
        cv2.setMouseCallback(title, self.on_mouse)

    def take(self, text: str, scale: float, picture: np.ndarray) -> None:
        """Show a picture from now on."""
        caption, _, self._status = text.partition("\n")
        enlarged = -(-_SMALLEST // picture.shape[1])
        if enlarged > 1:
            picture = np.repeat(np.repeat(picture, enlarged, axis=0), enlarged, axis=1)
        if self._picture is None:
            cv2.resizeWindow(self.title, picture.shape[1], picture.shape[0])
        cv2.setWindowTitle(self.title, caption)
        self._picture, self._scale, self.changed = picture, scale / max(1, enlarged), True

    @property
    def shown(self) -> bool:
        """Whether there was a picture."""
        return self._picture is not None

    def press(self, key: int) -> bool:
        """Act on a key that is the window's own, and say whether it is."""
        if key == ord("h"):
            self.help = not self.help
        elif key in (ord("c"), _BACKSPACE):
            self.marker.corners.clear()
        elif key in _RETURN:
            _say_region(self.marker.finish())
        else:
            return False
        self.changed = True
        return True

    def on_mouse(self, event: int, x: int, y: int, _flags: int, _data: object) -> None:
        """Act on the mouse."""
        if self._picture is None:
            return
        height, width = self._picture.shape[:2]
        inside = min(max(x, 0), width), min(max(y, 0), height)
        place = round(inside[0] * self._scale), round(inside[1] * self._scale)
        if event == cv2.EVENT_LBUTTONDOWN:
            self.marker.press(place)
        elif event == cv2.EVENT_LBUTTONUP:
            _say_region(self.marker.release(place, _DRAG * self._scale))
        elif event == cv2.EVENT_RBUTTONDOWN:
            _say_region(self.marker.finish())
        else:
            self.marker.move(place)
        self.changed = True

    def draw(self) -> None:
        """Show what has changed."""
        if self._picture is None:
            return
        canvas = self._picture.copy()
        self._draw_marks(canvas)
        place = self.marker.place
        texts = [self._status, "" if place is None else f"x {place[0]}  y {place[1]}", "" if self.help else "h: keys"]
        _write(canvas, "   ".join(filter(None, texts)), canvas.shape[0] - 10)
        for number, line in enumerate(HELP if self.help else ()):
            _write(canvas, line, 24 + 22 * number)
        cv2.imshow(self.title, canvas)
        self.changed = False

    def _draw_marks(self, canvas: np.ndarray) -> None:
        """Draw the rectangle or polygon that is being marked."""
        marker = self.marker
        if marker.corner is not None and marker.place is not None:
            cv2.rectangle(canvas, self._on_screen(marker.corner), self._on_screen(marker.place), (0, 255, 255), 2)
        points = [self._on_screen(corner) for corner in marker.corners]
        for point in points:
            cv2.circle(canvas, point, 4, (0, 255, 255), -1)
        if len(points) > 1:
            cv2.polylines(canvas, [np.array(points)], isClosed=len(points) > 2, color=(0, 255, 255), thickness=2)

    def _on_screen(self, point: Point) -> Point:
        return round(point[0] / self._scale), round(point[1] / self._scale)


def _write(canvas: np.ndarray, text: str, baseline: int) -> None:
    """Write a line that can be read on any picture."""
    (width, height), below = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, 0.5, 1)
    top, bottom, right = max(0, baseline - height - 3), baseline + below, min(14 + width, canvas.shape[1])
    canvas[top:bottom, 4:right] //= 4
    cv2.putText(canvas, text, (8, baseline), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (255, 255, 255), 1, cv2.LINE_AA)


def _say_region(region: str | None) -> None:
    if region is not None:
        say(f"region {region}")


def say(line: str) -> None:
    """Tell the other side."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def show(title: str) -> None:
    """Open the window and serve it until it is closed or the pictures end."""
    view = View(title)
    cv2.waitKey(1)
    inbox = Inbox(sys.stdin.buffer)
    say("ready")
    while not inbox.ended.is_set():
        key = cv2.waitKey(POLL_MS)
        if key >= 0 and not view.press(key & 0xFF):
            say(f"key {key & 0xFF}")
        try:
            if view.shown and cv2.getWindowProperty(title, cv2.WND_PROP_VISIBLE) < 1:
                return
            latest = inbox.take()
            if latest is not None:
                view.take(*latest)
            if view.changed:
                view.draw()
            if latest is not None:
                say("ready")
        except cv2.error:
            return  # closed a moment ago: some of OpenCV's backends raise where others tell


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the whole group; the run decides when to end
    try:
        show(sys.argv[1])
    except cv2.error as failure:
        say(f"error {failure.err}")
    except BrokenPipeError:
        pass  # the run is gone
    os._exit(0)  # the reading thread holds the lock of standard input; an orderly exit would abort over it
