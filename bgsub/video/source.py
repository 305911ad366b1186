"""What yields frames: the interface of files, streams, cameras and folders of images."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from types import TracebackType
from typing import Self

from bgsub.notebook import counted, html_table
from bgsub.video.frame import Frame, VideoInfo
from bgsub.video.sound import Sound


class Source(ABC):
    """Frames in the order of time, read once.

    A context manager: leaving the block closes the source. The end of the stream is the end of the iteration.

    Of time a source promises this: `Frame.time` is 0 at its first frame (of a video, the first that can be decoded),
    delivered or not; it rises from frame to frame, as the world's clock does: where a recording's clock jumps or steps
    back, because recordings were joined, frames follow on; and frames that are left out move no other frame's time or
    index. Cameras without time stamps are timed by a monotonic clock, from their first frame. What a player shows at
    the time t is the frame of the time t - `VideoInfo.start_time`. A source promises no hour of the day, and no clock
    in common with another source.

    Attributes
    ----------
    info : VideoInfo
        What is known before the first frame is read; size, count and rate are those of the delivered frames.
    damaged : int
        Frames skipped so far because they could not be decoded.
    dropped : int
        Frames of a live source skipped so far because the reader was slower than the world.
    reconnects : int
        How often it was opened again so far, because it had dropped.
    repeatable : bool
        Opening it a second time gives the same frames: files and folders, not cameras, pipes, live streams.
    sound : Sound or None
        Where the sound of its frames is, if it has any that can be read a second time: that of a file with its own
        times.
    """

    info: VideoInfo
    damaged: int = 0
    dropped: int = 0
    reconnects: int = 0
    repeatable: bool = False
    sound: Sound | None = None

    @abstractmethod
    def __iter__(self) -> Iterator[Frame]:
        """Yield the selected frames; raise `SourceError` where the source breaks."""

    @abstractmethod
    def close(self) -> None:
        """Release file, connection or device. May be called any number of times."""

    def is_overdue(self, frame: Frame, taken: int) -> bool:
        """Say whether a frame that waits for a slow reader is to be left out, to keep up with the world.

        Parameters
        ----------
        frame : Frame
            The oldest one that waits, where there is no room for another.
        taken : int
            Frames that the reader has taken so far.
        """
        return self.info.live

    def abandon(self) -> None:  # noqa: B027 - most sources wait for nobody
        """Ask the iteration to end soon, from another thread than the one that iterates; that one closes the source."""

    def describe(self) -> dict[str, object]:
        """Return all that is known of the source, in types that JSON has."""
        info = self.info
        return {
            "name": info.name,
            "width": info.width,
            "height": info.height,
            "fps": float(info.fps) if info.fps else None,
            "frame_count": info.frame_count,
            "duration": info.duration,
            "codec": info.codec,
            "live": info.live,
            "sample_aspect_ratio": f"{info.sample_aspect_ratio.numerator}:{info.sample_aspect_ratio.denominator}",
            "bits": info.bits,
        }

    def __repr__(self) -> str:
        info: VideoInfo | None = getattr(self, "info", None)  # none where opening failed
        return f"<{type(self).__name__}{'' if info is None else f' {info.name!r}: {_in_words(info)}'}>"

    def _repr_html_(self) -> str:
        # What a subclass would add it reads from the file, which may be closed, or being read in a thread.
        known = Source.describe(self)
        return html_table(
            repr(self).strip("<>"), (), [(name.replace("_", " "), value) for name, value in known.items()]
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _in_words(info: VideoInfo) -> str:
    """Return what is known of a source in a line: "320x240, 25 fps, 250 frames, h264"."""
    count = info.expected_frame_count
    rate = f"{float(info.fps):.4g} fps" if info.fps else None
    frames = None if count is None else counted(count, "frame")
    known = (f"{info.width}x{info.height}", rate, frames, info.codec, "live" if info.live else None)
    return ", ".join(part for part in known if part)
