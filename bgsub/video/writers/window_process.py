"""The process behind `Window`: pictures come from its standard input, events go to its standard output.

Run as a script. It imports OpenCV and never PyAV: their wheels each bring libraries of the same names, and
once both are in one process OpenCV's window may hang. In: `HEADER`, then a caption, then the pixels. Out, a
line each: ``ready`` (for the next picture), ``key CODE``, ``error TEXT``.
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

HEADER = struct.Struct("<IIIH")  # height, width, channels, bytes of caption
POLL_MS = 15


class Inbox:
    """Reads pictures in a thread, and holds the latest."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()
        self._latest: tuple[str, np.ndarray] | None = None
        self.ended = threading.Event()
        threading.Thread(target=self._read, daemon=True).start()

    def take(self) -> tuple[str, np.ndarray] | None:
        """Return the latest caption and picture that was not taken yet."""
        with self._lock:
            latest, self._latest = self._latest, None
        return latest

    def _read(self) -> None:
        """Read until the other side closes. Runs in the thread."""
        while len(head := self._stream.read(HEADER.size)) == HEADER.size:
            height, width, channels, length = HEADER.unpack(head)
            caption = self._stream.read(length).decode()
            pixels = np.frombuffer(self._stream.read(height * width * channels), np.uint8)
            if pixels.size < height * width * channels:
                break
            with self._lock:
                self._latest = caption, pixels.reshape(height, width, channels)
        self.ended.set()


def say(line: str) -> None:
    """Tell the other side."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def show(title: str) -> None:
    """Open the window and serve it until it is closed or the pictures end."""
    cv2.namedWindow(title, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO | cv2.WINDOW_GUI_NORMAL)
    cv2.waitKey(1)
    inbox = Inbox(sys.stdin.buffer)
    say("ready")
    shown = False
    while not inbox.ended.is_set():
        key = cv2.waitKey(POLL_MS)
        if key >= 0:
            say(f"key {key & 0xFF}")
        try:
            if shown and cv2.getWindowProperty(title, cv2.WND_PROP_VISIBLE) < 1:
                return
            if (latest := inbox.take()) is not None:
                caption, picture = latest
                if not shown:
                    cv2.resizeWindow(title, picture.shape[1], picture.shape[0])
                    shown = True
                cv2.setWindowTitle(title, caption)
                cv2.imshow(title, picture)
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
