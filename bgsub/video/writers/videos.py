"""Sinks that write video: masks, overlays, cut-outs and plain frames, each by its path's extension."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

import cv2
import numpy as np

from bgsub.formats import QUALITY, WRITABLE_ANIMATIONS, WRITABLE_VIDEOS
from bgsub.outputs import PathLike, check_output, is_folder
from bgsub.video.colors import Color
from bgsub.video.frame import Frame, VideoInfo
from bgsub.video.sink import Sink
from bgsub.video.sound import Sound
from bgsub.video.writers import codecs, drawing
from bgsub.video.writers.codecs import Encoding
from bgsub.video.writers.encode import VideoFile
from bgsub.video.writers.gif import GifSink
from bgsub.video.writers.painting import Painter
from bgsub.video.writers.stills import ImageFolder

logger = logging.getLogger(__name__)

Planes = Sequence[np.ndarray]

# Luma of 16 to 235 is what players expect of H.264 and VP9; each shows 0, 127 and 255 as they were.
_LIMITED_RANGE = np.rint(16 + np.arange(256) * (219 / 255)).astype(np.uint8)
_LOSSY_MASKS = {".mp4": codecs.H264, ".webm": codecs.VP9}


class VideoSink(Sink):
    """Writes what is drawn of each frame and its mask into a video, with the source's times.

    Parameters
    ----------
    path : Path
        ``.mkv``, ``.mp4`` or ``.webm``, checked by `check_output`; an existing file is replaced when the
        first frame comes.
    info : VideoInfo
        Of the source.
    encoding : Encoding
        Codec and pixel format.
    draw : callable
        Makes the planes of that pixel format of a frame and its mask.
    sound : Sound, optional
        What is heard with it.
    """

    def __init__(
        self,
        path: Path,
        info: VideoInfo,
        encoding: Encoding,
        draw: Callable[[Frame, np.ndarray], Planes],
        sound: Sound | None = None,
    ) -> None:
        self.path = path
        self.lossy = encoding.lossy
        self._file = VideoFile(self.path, encoding, info, sound)
        self._draw = draw
        self._begun = False

    def write(self, frame: Frame, mask: np.ndarray) -> None:
        """Encode one frame."""
        height, width = mask.shape
        if not self._begun and self._file.encoding.even and (height % 2 or width % 2):
            logger.warning(
                "%s: %s needs an even size; %dx%d is padded to %dx%d by repeating the last row or column",
                *(self.path, self._file.encoding.codec, width, height),
                *(width + width % 2, height + height % 2),
            )
        self._begun = True
        try:
            self._file.write(self._draw(frame, mask), frame.time)
        finally:
            self.wrote = self._file.created

    def close(self) -> None:
        """Finish the video."""
        try:
            self._file.close()
        finally:
            self.wrote = self._file.created


class FrameSink(VideoSink):
    """Writes frames as they are: it looks at no mask, and may be given none."""

    def write(self, frame: Frame, mask: np.ndarray | None = None) -> None:
        """Encode one frame."""
        super().write(frame, np.broadcast_to(np.uint8(0), frame.image.shape[:2]))


def mask_sink(
    path: PathLike,
    info: VideoInfo,
    *,
    overwrite: bool = False,
    source: PathLike | None = None,
    codec: Literal["ffv1", "h264"] = "ffv1",
) -> Sink:
    """Return a sink for masks.

    Parameters
    ----------
    path : path-like
        ``.mkv`` is lossless and keeps the exact size; ``.mp4`` (H.264) and ``.webm`` (VP9) are small, play
        anywhere, and are lossy; a folder (a path that ends in a slash or has no extension) gets
        ``bin000001.png``, ...
    info : VideoInfo
        Of the source.
    overwrite : bool
        Let an existing output be replaced, when the first frame comes.
    source : path-like, optional
        What is read: it is never an output.
    codec : {'ffv1', 'h264'}
        Of a ``.mkv``. FFV1 is read as grey by everything built on FFmpeg. Lossless H.264 takes about half the
        time and twice the space; it comes back exact as well, as a picture with empty colour.

    Raises
    ------
    OutputError
        When the path cannot be written, see `check_output`.
    """
    target = check_output(path, overwrite=overwrite, source=source, folder=True)
    if is_folder(path):
        return ImageFolder(target, lambda frame, mask: mask, "bin")
    suffix = target.suffix.lower()
    if suffix in _LOSSY_MASKS:
        return VideoSink(target, info, _LOSSY_MASKS[suffix], lambda frame, mask: _mask_planes(mask))
    encoding = codecs.FFV1_GRAY if codec == "ffv1" else codecs.H264_GRAY
    return VideoSink(target, info, encoding, lambda frame, mask: [mask])


def overlay_sink(
    path: PathLike,
    info: VideoInfo,
    *,
    overwrite: bool = False,
    source: PathLike | None = None,
    color: Color | None = None,
    quality: int = QUALITY,
    bounds: tuple[float, float] | None = None,
    sound: Sound | None = None,
) -> Sink:
    """Return a sink for the picture with its moving objects tinted and outlined.

    Parameters
    ----------
    path : path-like
        ``.mp4`` and ``.mkv`` are H.264, ``.webm`` is VP9, ``.gif`` is small and without sound.
    info : VideoInfo
        Of the source.
    overwrite, source
        As for `mask_sink`, and its errors.
    color : tuple of int, optional
        BGR of moving objects; by default the one that the first picture lacks the most.
    quality : int
        1 to 100: see `bgsub.formats.QUALITY`.
    bounds : tuple of float, optional
        Values of black and white in frames of more than 8 bits; by default those in use.
    sound : Sound, optional
        `Source.sound`, which is heard with it.
    """
    target = check_output(path, overwrite=overwrite, source=source, suffixes=(*WRITABLE_VIDEOS, *WRITABLE_ANIMATIONS))
    painter = Painter(color, bounds)
    if target.suffix.lower() in WRITABLE_ANIMATIONS:
        return GifSink(target, info, painter)
    return VideoSink(
        target,
        info,
        _picture(target, quality),
        lambda frame, mask: _yuv_planes(painter.overlay(frame.image, mask)),
        sound,
    )


def frames_sink(
    path: PathLike,
    info: VideoInfo,
    *,
    overwrite: bool = False,
    source: PathLike | None = None,
    codec: Literal["h264", "ffv1"] = "h264",
    quality: int = QUALITY,
    bounds: tuple[float, float] | None = None,
    sound: Sound | None = None,
) -> FrameSink:
    """Return a sink for the frames as they are.

    ``.mp4`` and ``.mkv`` are H.264, ``.webm`` is VP9; a ``.mkv`` may be lossless FFV1 instead. Frames come back in BGR,
    those of more than 8 bits by the range that they use. Other parameters and errors as for `overlay_sink`.
    """
    target = check_output(path, overwrite=overwrite, source=source)
    painter = Painter(bounds=bounds)
    if target.suffix.lower() == ".mkv" and codec == "ffv1":
        # bgr0: four bytes a pixel, of which the last means nothing
        return FrameSink(
            target,
            info,
            codecs.FFV1_BGR,
            lambda frame, mask: [cv2.cvtColor(painter.picture(frame.image), cv2.COLOR_BGR2BGRA)],
            sound,
        )
    return FrameSink(
        target, info, _picture(target, quality), lambda frame, mask: _yuv_planes(painter.picture(frame.image)), sound
    )


def foreground_sink(
    path: PathLike,
    info: VideoInfo,
    *,
    overwrite: bool = False,
    source: PathLike | None = None,
    quality: int = QUALITY,
    bounds: tuple[float, float] | None = None,
) -> Sink:
    """Return a sink for cut-outs: moving pixels as they are, the rest transparent or, in ``.mp4``, grey.

    ``.mkv`` is lossless FFV1 with alpha, ``.webm`` VP9 with alpha, a folder gets
    ``fg000001.png``, ... with alpha. Other parameters and errors as for `overlay_sink`.
    """
    target = check_output(path, overwrite=overwrite, source=source, folder=True)
    painter = Painter(bounds=bounds)

    def transparent(frame: Frame, mask: np.ndarray) -> np.ndarray:
        return painter.transparent_cutout(frame.image, mask)

    def on_black_with_alpha(frame: Frame, mask: np.ndarray) -> Planes:
        colors = _yuv_planes(drawing.cutout(painter.picture(frame.image), mask))
        return [*colors, _padded(drawing.foreground_only(mask))]

    if is_folder(path):
        return ImageFolder(target, transparent, "fg")
    suffix = target.suffix.lower()
    if suffix == ".mkv":
        return VideoSink(target, info, codecs.FFV1_BGRA, lambda frame, mask: [transparent(frame, mask)])
    if suffix == ".webm":
        return VideoSink(target, info, codecs.vp9_picture(quality, alpha=True), on_black_with_alpha)
    return VideoSink(
        target, info, _picture(target, quality), lambda frame, mask: _yuv_planes(painter.cutout(frame.image, mask))
    )


def _picture(path: Path, quality: int) -> Encoding:
    """Return how pictures are encoded in a file of that extension."""
    return codecs.vp9_picture(quality) if path.suffix.lower() == ".webm" else codecs.h264_picture(quality)


def _mask_planes(mask: np.ndarray) -> Planes:
    """Return a mask as the planes of yuv420p."""
    luma = cv2.LUT(_padded(mask), _LIMITED_RANGE)
    grey = np.full((luma.shape[0] // 2, luma.shape[1] // 2), 128, np.uint8)
    return [luma, grey, grey]


def _yuv_planes(image: np.ndarray) -> Planes:
    """Return a BGR image as the planes of yuv420p (BT.601, limited range)."""
    image = _padded(image)
    height, width = image.shape[:2]
    packed = cv2.cvtColor(image, cv2.COLOR_BGR2YUV_I420)  # the planes one below the other, in rows of `width`
    chroma = packed[height:].reshape(2, height // 2, width // 2)
    return [packed[:height], chroma[0], chroma[1]]


def _padded(image: np.ndarray) -> np.ndarray:
    """Return an image of even size: its last row and column are repeated where they must be."""
    height, width = image.shape[:2]
    if height % 2 == 0 and width % 2 == 0:
        return image
    return cv2.copyMakeBorder(image, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE)
