"""One video that is being written: of a part of a recording, or of the masks of its scan."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Self

import numpy as np

from bgsub.errors import OutputError
from bgsub.files import replacing
from bgsub.motion.clips.masks import enlarged
from bgsub.motion.clips.picturing import Picturer
from bgsub.video.frame import Frame, VideoInfo
from bgsub.video.sink import Sink
from bgsub.video.sound import Sound
from bgsub.video.writers.drawing import to_bgr
from bgsub.video.writers.encode import explain_error
from bgsub.video.writers.threaded import ThreadedSink
from bgsub.video.writers.videos import frames_sink, mask_sink


class _Unnamed:
    """A video that takes its name when it is finished, and of which nothing is left otherwise: a context manager.

    Parameters
    ----------
    path : Path
        Its name.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._stack = ExitStack()
        self._sink: Sink | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        stack, self._stack = self._stack, ExitStack()
        unfinished = OutputError("unfinished")
        try:
            stack.__exit__(OutputError, unfinished, None)
        except OutputError:
            return

    def _put(self, frame: Frame, mask: np.ndarray, sink: Callable[[Path], Sink]) -> None:
        """Write a frame into what `sink` makes for a path."""
        if self._sink is None:
            self._temporary = self._stack.enter_context(replacing(self.path))
            self._sink = self._stack.enter_context(sink(self._temporary))
        try:
            self._sink.write(frame, mask)
        except OutputError as error:
            raise self._failed(error) from error

    def _close(self) -> None:
        """Give the video its name."""
        stack, self._stack = self._stack, ExitStack()
        try:
            stack.close()
        except OutputError as error:
            raise self._failed(error) from error

    def _failed(self, error: OutputError) -> OutputError:
        """Return an error that names the video, not what it is called while it is written."""
        if error.__cause__ is None:
            return OutputError(str(error).replace(str(self._temporary), str(self.path)))
        reason, advice = explain_error(error.__cause__)  # type: ignore[arg-type]
        return OutputError(f"cannot write {self.path}: {reason}; {advice}")


class Film(_Unnamed):
    """Frames of a recording, encoded anew, with their sound.

    Parameters
    ----------
    path : Path
        What it is called once it is whole.
    info : VideoInfo
        Of the source.
    sound : Sound or None
        Of the source.
    picturer : Picturer or None
        Draws on its frames.
    """

    def __init__(self, path: Path, info: VideoInfo, sound: Sound | None, picturer: Picturer | None) -> None:
        super().__init__(path)
        self._info, self._sound, self._picturer = info, sound, picturer
        self._first: float | None = None
        self._last = 0.0

    def write(self, frame: Frame) -> None:
        """Encode a frame of the timeline."""
        if self._first is None:
            self._first = frame.time
        image = frame.image
        if self._picturer is not None:
            image = to_bgr(image).copy()
            self._picturer.draw(image, frame.index, frame.time)
        unseen = np.broadcast_to(np.uint8(0), image.shape[:2])
        self._put(Frame(frame.index, frame.time - self._first, image), unseen, self._opened)
        self._last = frame.time

    def finish(self, next_time: float | None = None) -> tuple[float, float]:
        """Give the video its name, and return when its first frame begins and its last ends, in the timeline.

        Parameters
        ----------
        next_time : float, optional
            Of the frame that comes next.
        """
        assert self._first is not None
        self._close()
        return self._first, self._last + float(1 / (self._info.fps or 25)) if next_time is None else next_time

    def _opened(self, path: Path) -> Sink:
        sound = self._sound and Sound(self._sound.path, self._sound.origin + Fraction(self._first or 0.0))
        return frames_sink(path, self._info, overwrite=True, sound=sound)


class MaskFilm(_Unnamed):
    """The masks of a scan in the size of its source, without loss, at the frames' own times.

    Parameters
    ----------
    path : Path
        A name in ``.mkv``.
    info : VideoInfo
        Of the source as it is looked at.
    """

    def __init__(self, path: Path, info: VideoInfo) -> None:
        super().__init__(path)
        self._size = info.source_size or (info.width, info.height)
        self._factor = max(1, self._size[0] // info.width)
        self._info = replace(info, width=self._size[0], height=self._size[1])

    def write(self, frame: Frame, mask: np.ndarray) -> None:
        """Encode the mask of a frame."""
        self._put(frame, enlarged(mask, self._factor, self._size), self._opened)

    def finish(self) -> bool:
        """Give the video its name; return whether there is one."""
        self._close()
        return self._sink is not None

    def _opened(self, path: Path) -> Sink:
        return ThreadedSink([mask_sink(path, self._info, overwrite=True)])
