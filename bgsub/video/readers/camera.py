"""Frames of cameras, through OpenCV."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from bgsub.errors import SourceError
from bgsub.video.frame import Frame, VideoInfo
from bgsub.video.readers.stills import quiet
from bgsub.video.selection import Selection
from bgsub.video.source import Source

_CHECK = "check that it is plugged in and no other program uses it"


class CameraSource(Source):
    """Frames of a camera as they come, timed by a monotonic clock.

    Parameters
    ----------
    device : int or str
        Index from 0, or a device such as ``/dev/video0``.
    selection : Selection
        Which frames are delivered.
    rate : Fraction or None
        Frames per second to ask the camera for; it may answer with another rate.
    """

    def __init__(self, device: int | str, selection: Selection, rate: Fraction | None = None) -> None:
        self._shown = f"camera {device}"
        self._selection = selection
        self._closed = False
        with quiet():
            # Video4Linux by name: with "any", OpenCV would take a device's path for that of a video file.
            linux = sys.platform == "linux" or isinstance(device, str)
            backend = cv2.CAP_V4L2 if linux else cv2.CAP_ANY
            self._capture = cv2.VideoCapture(device, backend)
            if rate and self._capture.isOpened():
                self._capture.set(cv2.CAP_PROP_FPS, float(rate))
            ok, image = self._capture.read() if self._capture.isOpened() else (False, None)
        if not ok or image is None:
            reason = "it delivers no picture" if self._capture.isOpened() else "no such camera"
            self._capture.release()
            raise SourceError(f"cannot open {self._shown}: {reason}, {_CHECK}")
        self._frames = self._read(image, time.monotonic())
        height, width = image.shape[:2]
        told = self._capture.get(cv2.CAP_PROP_FPS)
        fps = Fraction(told).limit_denominator(1001) if 0 < told <= 1000 else rate
        self._selection = selection.thinned(fps)
        self.info = self._selection.narrowed(
            VideoInfo(
                name=f"camera{device}" if isinstance(device, int) else Path(device).name,
                width=width,
                height=height,
                fps=fps,
                frame_count=None,
                codec="camera",
                duration=None,
                live=True,
            ),
            uniform=False,
        )

    def __iter__(self) -> Iterator[Frame]:
        return self._frames

    def _read(self, image: np.ndarray, started: float) -> Iterator[Frame]:
        """Yield frames from the first on, which was read at the time `started` of the monotonic clock."""
        index, seconds = 0, 0.0
        while not self._closed and not self._selection.over(seconds):
            if self._selection.wants(index, seconds):
                yield Frame(index, seconds, self._selection.resize(image))
                if self._closed:
                    return
            ok, image = self._capture.read()
            now = time.monotonic() - started
            if not ok:
                raise SourceError(f"{self._shown} stopped delivering after {now:.1f} s ({index + 1} frames), {_CHECK}")
            index, seconds = index + 1, now

    def close(self) -> None:
        """Release the camera; call it in the thread that iterates, or when none does."""
        if not self._closed:
            self._closed = True
            self._capture.release()
