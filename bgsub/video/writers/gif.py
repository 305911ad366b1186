"""Overlays as animated GIF: small, looped, in 255 colours of the scene and of its tinted objects."""

from __future__ import annotations

import logging
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.error
import cv2
import numpy as np
from av.container import OutputContainer

from bgsub.errors import OutputError
from bgsub.masks import FOREGROUND, SHADOW
from bgsub.video.frame import Frame, VideoInfo
from bgsub.video.sink import Sink
from bgsub.video.writers.encode import explain_error
from bgsub.video.writers.painting import Painter

logger = logging.getLogger(__name__)

WIDTH = 480  # pixels at most: what a page or a chat shows
STEP = 0.08  # seconds at least from picture to picture; below 0.02 browsers take 0.1 instead
_LOOKED_AT = 16  # pictures from which the colours are taken
_SAMPLE = 48  # rows and columns of each of them
_COLORS = 255  # the last of 256 stands for what has not changed
_LONG = 60.0  # seconds beyond which a GIF is a poor choice
_TICK = Fraction(1, 100)  # the format's own
_BAYER = np.array([[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]], np.int16) - 8


class GifSink(Sink):
    """Writes overlays into an animated GIF of at most `WIDTH` pixels and one picture every `STEP` seconds.

    Parameters
    ----------
    path : Path
        Checked by `check_output`; an existing file is replaced when the first picture is written.
    info : VideoInfo
        Of the source.
    painter : Painter
        Draws the overlays.
    """

    lossy = True

    def __init__(self, path: Path, info: VideoInfo, painter: Painter) -> None:
        self.path = path
        self._aspect = info.sample_aspect_ratio
        self._painter = painter
        self._waiting: list[tuple[float, np.ndarray]] = []
        self._begun: float | None = None
        self._last = 0.0
        self._delay = round(max(float(1 / info.fps) if info.fps else 0, STEP) / _TICK)  # of the last picture
        self._colors: _Colors | None = None
        self._container: OutputContainer | None = None
        self._stream: Any = None
        self._told = self._closed = False

    def write(self, frame: Frame, mask: np.ndarray) -> None:
        """Take a frame; those that come too soon after the last picture are left out."""
        if self._closed:
            raise ValueError("write to a closed GIF")
        if self._begun is None:
            self._begun = frame.time
        elif frame.time - self._last < STEP - 1e-3:
            return
        self._last = frame.time
        self._warn_if_long(frame.time - self._begun)
        self._waiting.append((frame.time - self._begun, self._small(self._painter.overlay(frame.image, mask))))
        if self._colors is not None or len(self._waiting) >= _LOOKED_AT:
            self._write_waiting()

    def close(self) -> None:
        """Write what waits, and the end of the file."""
        if self._closed:
            return
        self._closed = True
        if self._waiting:
            self._write_waiting()
        if self._container is None:
            return
        try:
            self._container.mux(self._stream.encode(None))
            self._container.close()
        except (av.error.FFmpegError, OSError) as error:
            raise self._fail(error) from error

    def _small(self, picture: np.ndarray) -> np.ndarray:
        """Return a picture as it is shown, with square pixels: a GIF has no others."""
        height, width = picture.shape[:2]
        wide = width * self._aspect
        scale = min(Fraction(1), WIDTH / wide)
        size = max(1, round(wide * scale)), max(1, round(height * scale))
        return picture if size == (width, height) else cv2.resize(picture, size, interpolation=cv2.INTER_AREA)

    def _write_waiting(self) -> None:
        if self._colors is None:
            pictures = [picture for _, picture in self._waiting]
            # Objects that come later will be tinted before any part of the scene, and so will their shadows.
            later = [np.full(pictures[0].shape[:2], value, np.uint8) for value in (FOREGROUND, SHADOW)]
            self._colors = _Colors([*pictures, *(self._painter.overlay(pictures[0], mask) for mask in later)])
        for time, picture in self._waiting:
            try:
                self._encode(self._colors, time, picture)
            except (av.error.FFmpegError, OSError) as error:
                raise self._fail(error) from error
        self._waiting.clear()

    def _encode(self, colors: _Colors, time: float, picture: np.ndarray) -> None:
        height, width = picture.shape[:2]
        if self._container is None:
            self.path.open("wb").close()  # what cannot be opened is left alone
            options = {"loop": "0", "flush_packets": "1", "final_delay": str(self._delay)}
            self._container = av.open(f"file:{self.path}", "w", format="gif", container_options=options)
            self._stream = self._container.add_stream("gif", rate=Fraction(1) / _TICK)
            self._stream.width, self._stream.height, self._stream.pix_fmt = width, height, "pal8"
            self._stream.codec_context.time_base = _TICK
            self.wrote = True
        frame = av.VideoFrame(width, height, "pal8")
        plane = frame.planes[0]
        buffer = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
        buffer[:height, :width] = colors.indices(picture)
        np.frombuffer(memoryview(frame.planes[1]), np.uint8)[: colors.table.size] = colors.table.ravel()
        frame.pts, frame.time_base = round(time / _TICK), _TICK
        frame.duration = self._delay
        self._container.mux(self._stream.encode(frame))

    def _fail(self, error: Exception) -> OutputError:
        self._closed = True
        if self._container is not None:
            with suppress(av.error.FFmpegError, OSError):  # `error` says why this cannot succeed
                self._container.close()
        reason, advice = explain_error(error)
        return OutputError(f"cannot write {self.path}: {reason}; {advice}")

    def _warn_if_long(self, seconds: float) -> None:
        if seconds > _LONG and not self._told:
            self._told = True
            logger.warning(
                "%s grows large: a GIF is for seconds; take .mp4, or a part with --start and --duration", self.path
            )


class _Colors:
    """The colours of a scene, and for every colour the nearest of them.

    Parameters
    ----------
    pictures : list of ndarray of uint8, shape (H, W, 3)
        BGR.

    Attributes
    ----------
    table : ndarray of uint8, shape (256, 4)
        BGRA; the last one is transparent.
    """

    def __init__(self, pictures: list[np.ndarray]) -> None:
        samples = [cv2.resize(p, (_SAMPLE, _SAMPLE), interpolation=cv2.INTER_NEAREST) for p in pictures]
        colors = _median_cut(np.concatenate([sample.reshape(-1, 3) for sample in samples]).astype(np.float32), _COLORS)
        self.table = np.zeros((256, 4), np.uint8)
        self.table[:_COLORS, 3] = 255
        self.table[: len(colors), :3] = np.rint(colors)
        levels = np.arange(4, 256, 8, dtype=np.float32)
        grid = np.stack(np.meshgrid(levels, levels, levels, indexing="ij"), axis=-1).reshape(-1, 3)
        distances = (colors**2).sum(axis=1)[None] - 2 * grid @ colors.T
        self._nearest = distances.argmin(axis=1).astype(np.uint8)

    def indices(self, picture: np.ndarray) -> np.ndarray:
        """Return the number of each pixel's colour, between two colours in a pattern that stands still."""
        height, width = picture.shape[:2]
        pattern = np.tile(_BAYER, (height // 4 + 1, width // 4 + 1))[:height, :width, None]
        fifths = np.clip(picture.astype(np.int16) + pattern, 0, 255) >> 3
        return self._nearest[(fifths[..., 0] << 10) + (fifths[..., 1] << 5) + fifths[..., 2]]


def _median_cut(colors: np.ndarray, count: int) -> np.ndarray:
    """Return at most `count` colours that stand for many: the widest group is halved again and again."""
    groups = [colors]
    widths = [np.ptp(colors, axis=0)]
    while len(groups) < count:
        widest = int(np.argmax([width.max() * len(group) ** 0.5 for width, group in zip(widths, groups, strict=True)]))
        group, channel = groups[widest], int(widths[widest].argmax())
        if widths[widest][channel] == 0:
            break
        order = group[:, channel].argsort(kind="stable")
        middle = min(max(1, len(group) // 2), len(group) - 1)
        halves = group[order[:middle]], group[order[middle:]]
        groups[widest : widest + 1] = halves
        widths[widest : widest + 1] = [np.ptp(half, axis=0) for half in halves]
    return np.array([group.mean(axis=0) for group in groups], np.float32)
