"""Write videos from a program: what a run writes of frames and their masks, or any pictures."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from types import TracebackType
from typing import Any, Literal, Self

import numpy as np

from bgsub.errors import ParameterError
from bgsub.formats import QUALITY
from bgsub.notebook import counted
from bgsub.outputs import PathLike, check_output
from bgsub.video.colors import Color
from bgsub.video.composing import checked_color, checked_image
from bgsub.video.frame import Frame, VideoInfo
from bgsub.video.rational import as_rate
from bgsub.video.sink import Sink
from bgsub.video.writers import videos

_SINKS: dict[str, Callable[..., Sink]] = {
    "mask": videos.mask_sink,
    "overlay": videos.overlay_sink,
    "foreground": videos.foreground_sink,
    "frames": videos.frames_sink,
}


def open_sink(
    path: PathLike,
    info: VideoInfo,
    kind: Literal["mask", "overlay", "foreground", "frames"] = "mask",
    *,
    color: Color | str | None = None,
    quality: int = QUALITY,
    value_range: tuple[float, float] | None = None,
    overwrite: bool = False,
    source: PathLike | None = None,
) -> Sink:
    """Return what writes frames and their masks into a video, as ``bgsub run`` does.

    Parameters
    ----------
    path : path-like
        ``.mkv``, ``.mp4`` or ``.webm``; masks and foregrounds also into a folder of PNG images, which is a path that
        ends in a slash or has no extension. A mask is lossless in ``.mkv`` and PNG; a foreground is transparent
        there and in ``.webm``.
    info : VideoInfo
        Of the source: its rate and the times of its frames are kept.
    kind : {'mask', 'overlay', 'foreground', 'frames'}, default 'mask'
        The mask, the picture with its moving objects tinted, the moving objects alone, or the frame as it is.
    color : tuple of int or str, optional
        Of objects in an overlay: blue, green and red, or a name or number such as "cyan" and "#ff00aa"; by default
        one that the scene lacks.
    quality : int, default 50
        Of overlays, frames and foregrounds that are lossy, 1 to 100.
    value_range : tuple of float, optional
        What is black and what is white in frames of more than 8 bits; by default the values in use.
    overwrite : bool, default False
        Let an existing output be replaced, when the first frame comes.
    source : path-like, optional
        What is read: it is never an output.

    Returns
    -------
    Sink
        A context manager: leaving the block, however, finishes the video. Its ``write(frame, mask)`` takes a `Frame`.

    Raises
    ------
    OutputError
        When the path cannot be written.
    ParameterError
        When there is no such kind, colour or quality.

    Examples
    --------
    >>> import tempfile
    >>> import bgsub
    >>> path = tempfile.mkdtemp() + "/moving.mkv"
    >>> subtractor = bgsub.BackgroundSubtractor()
    >>> source = bgsub.open_source("sample_videos/street.mp4", duration=0.4)
    >>> with source, bgsub.open_sink(path, source.info, "overlay") as sink:
    ...     for frame in source:
    ...         sink.write(frame, subtractor.apply(frame.image, time=frame.time))
    >>> with bgsub.open_source(path) as written:
    ...     len(list(written))
    10
    """
    if kind not in _SINKS:
        raise ParameterError(f"kind is {kind!r}: give {', '.join(map(repr, _SINKS))}")
    if color is not None and kind != "overlay":
        raise ParameterError(f"color is of an overlay, and kind is {kind!r}: leave one of them out")
    looks: dict[str, Any] = {} if kind == "mask" else {"quality": _checked_quality(quality), "bounds": value_range}
    if kind == "overlay":
        looks["color"] = None if color is None else checked_color("color", color)
    return _SINKS[kind](path, info, overwrite=overwrite, source=source, **looks)


class VideoWriter:
    """Writes pictures into a video file, which stays playable whatever ends the program.

    Parameters
    ----------
    path : path-like
        ``.mp4`` and ``.mkv`` are H.264, ``.webm`` is VP9.
    fps : float or Fraction, default 25
        Pictures a second, where none is given a time.
    quality : int, default 50
        1 to 100, of what is not lossless.
    lossless : bool, default False
        Every pixel comes back as it was, grey as BGR, in an ``.mkv`` of FFV1.
    overwrite : bool, default False
        Let an existing file be replaced, when the first picture comes.

    Attributes
    ----------
    n_frames : int
        Pictures written so far.

    Raises
    ------
    OutputError
        When the path cannot be written.
    ParameterError
        When `fps` or `quality` is out of its bounds, or lossless video is asked for in another file than ``.mkv``.

    Notes
    -----
    A context manager: leaving the block, however, finishes the video. Without pictures there is no file.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> import bgsub
    >>> path = tempfile.mkdtemp() + "/drawn.mkv"
    >>> with bgsub.VideoWriter(path, fps=10, lossless=True) as writer:
    ...     for t in range(20):
    ...         writer.write(np.full((60, 80, 3), 10 * t, np.uint8))
    >>> with bgsub.open_source(path) as written:
    ...     [(frame.time, int(frame.image[0, 0, 0])) for frame in written][:3]
    [(0.0, 0), (0.1, 10), (0.2, 20)]
    """

    def __init__(
        self,
        path: PathLike,
        fps: float | Fraction = 25,
        *,
        quality: int = QUALITY,
        lossless: bool = False,
        overwrite: bool = False,
    ) -> None:
        self.path = check_output(path, overwrite=overwrite)
        if lossless and self.path.suffix.lower() != ".mkv":
            raise ParameterError(f"cannot write {self.path} without loss: give a name that ends in .mkv")
        self.n_frames = 0
        self._fps = as_rate(fps)
        self._quality = _checked_quality(quality)
        self._codec: Literal["h264", "ffv1"] = "ffv1" if lossless else "h264"
        self._overwrite = overwrite
        self._sink: videos.FrameSink | None = None
        self._time = -1.0
        self._closed = False

    def __repr__(self) -> str:
        return f"<VideoWriter {str(self.path)!r}: {counted(self.n_frames, 'frame')}>"

    def write(self, image: np.ndarray, time: float | None = None) -> None:
        """Write the next picture.

        Parameters
        ----------
        image : ndarray, shape (H, W), (H, W, 1) or (H, W, 3)
            Grey or BGR; all pictures have the size of the first.
        time : float, optional
            Seconds from the beginning, 0 or more, which rise from picture to picture; without it one picture's
            duration after the last.

        Raises
        ------
        ParameterError
            When an argument is not as above, or the video is closed.
        OutputError
            When the picture cannot be written, such as one of another size. What was written before is kept.
        """
        if self._closed:
            raise ParameterError(f"cannot write to {self.path}: it is closed; make another VideoWriter")
        image = checked_image(image)
        time = self._next_time() if time is None else float(time)
        if not (math.isfinite(time) and time >= 0 and time > self._time):
            last = "0 or more" if self._time < 0 else f"more than the last picture's, {self._time:g}"
            raise ParameterError(f"time is {time:g}: give seconds, {last}")
        if self._sink is None:
            height, width = image.shape[:2]
            info = VideoInfo(self.path.stem, width, height, self._fps, None, "", None)
            self._sink = videos.frames_sink(
                self.path, info, overwrite=self._overwrite, codec=self._codec, quality=self._quality
            )
        self._sink.write(Frame(self.n_frames, time, image))
        self.n_frames += 1
        self._time = time

    def close(self) -> None:
        """Finish the video. Calling it again does nothing.

        Raises
        ------
        OutputError
            When the end of the video cannot be written.
        """
        self._closed = True
        if self._sink is not None:
            self._sink.close()

    def _next_time(self) -> float:
        return 0.0 if self.n_frames == 0 else self._time + float(1 / self._fps)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _checked_quality(quality: int) -> int:
    """Return a quality, or raise ParameterError."""
    if isinstance(quality, bool) or not isinstance(quality, (int, np.integer)) or not 1 <= quality <= 100:
        raise ParameterError(f"quality is {quality!r}: give a whole number from 1 to 100")
    return int(quality)
