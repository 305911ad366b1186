"""One frame of video, and what is known of the video it came from."""

from __future__ import annotations

import base64
from dataclasses import dataclass, fields
from datetime import datetime
from fractions import Fraction

import numpy as np

from bgsub.notebook import html_picture, html_table
from bgsub.times import written_time
from bgsub.video.preview import png_preview

MAX_PIXELS = 2**27
"""Pixels of the largest picture that is decoded, whatever a file claims."""


@dataclass(frozen=True, slots=True, repr=False)
class Frame:
    """One decoded frame. In a notebook it shows its picture.

    Attributes
    ----------
    index : int
        Position in the source, from 0. Frames that were skipped (a damaged one, ``every=``, ``start=``) keep their
        number, so indices may have gaps.
    time : float
        Presentation time in seconds from the source's first frame.
    image : ndarray of uint8, uint16 or float32, shape (H, W, 3) or (H, W)
        BGR (uint8) or grey; grey of more than 8 bits keeps the source's own values. Owned by the frame: the source
        never writes to it again.
    name : str or None
        Of the image file that it was: the file's stem, with the extension where another file has the same stem. None
        where frames have no files of their own.
    number : int or None
        Number of that image file, 50 of ``in000050.jpg``; None where it is not clear which part of the name counts.
    duration : float or None
        Seconds for which it is shown, where the source tells.

    Examples
    --------
    >>> import numpy as np
    >>> import bgsub
    >>> bgsub.Frame(0, 0.0, np.zeros((480, 640, 3), np.uint8))
    Frame(index=0, time=0, image=640x480 BGR uint8)
    """

    index: int
    time: float
    image: np.ndarray
    name: str | None = None
    number: int | None = None
    duration: float | None = None

    def __repr__(self) -> str:
        named = "" if self.name is None else f", name={self.name!r}"
        return f"Frame(index={self.index}, time={self.time:g}, image={_in_words(self.image)}{named})"

    def _repr_png_(self) -> bytes | None:
        return png_preview(self.image)

    def _repr_html_(self) -> str | None:
        png = png_preview(self.image)
        named = "" if self.name is None else f"{self.name}, "
        caption = f"{named}frame {self.index}, {written_time(self.time)}, {_in_words(self.image)}"
        return None if png is None else html_picture(caption, base64.b64encode(png).decode("ascii"))


@dataclass(frozen=True, slots=True)
class VideoInfo:
    """What is known of a source before its frames are read.

    Attributes
    ----------
    name : str
        Short name without folder or extension, for naming outputs: ``street`` of ``clips/street.mp4``.
    width, height : int
        Size in pixels of the frames as they are delivered (after rotation and downscaling).
    fps : Fraction or None
        Nominal frames per second; None where the source has none.
    frame_count : int or None
        Frames that will be delivered, as far as the source tells; None for cameras, pipes and streams.
    codec : str
        Name of the codec, e.g. ``h264``; ``camera`` or the image format for other kinds.
    duration : float or None
        Seconds, or None where unknown.
    time_base : Fraction
        Smallest step between two frame times, in seconds; writers keep times to this precision.
    live : bool
        Frames come at the pace of the world (a camera, a network stream), as far as can be told before they come:
        waiting does not make them wait.
    sample_aspect_ratio : Fraction
        Width of a pixel over its height, of the frames as they are delivered; 1 where pixels are square.
    start_time : float
        Seconds by which the first frame follows the beginning of the file, where something else begins first (sound):
        a player shows a frame that much later than its `Frame.time` says.
    bits : int
        Significant bits of a sample: 8; 9 to 16 of grey in uint16 (10 bits have values up to 1023); more of floats.
    source_size : (int, int) or None
        Width and height before downscaling, upright; None where nothing was scaled.
    recorded : datetime or None
        Wall-clock time of the first frame, with its zone, where the file's metadata or its name tells it.
    timecode : str or None
        Timecode of the first frame, ``10:00:00:00``, where the file has one, as those of cameras for editing do.

    Examples
    --------
    >>> import bgsub
    >>> with bgsub.open_source("sample_videos/street.mp4") as source:
    ...     info = source.info
    >>> info.name, info.width, info.height, float(info.fps), info.frame_count, info.codec
    ('street', 640, 360, 25.0, 300, 'h264')
    """

    name: str
    width: int
    height: int
    fps: Fraction | None
    frame_count: int | None
    codec: str
    duration: float | None
    time_base: Fraction = Fraction(1, 90_000)
    live: bool = False
    sample_aspect_ratio: Fraction = Fraction(1)
    start_time: float = 0.0
    bits: int = 8
    source_size: tuple[int, int] | None = None
    recorded: datetime | None = None
    timecode: str | None = None

    def _repr_html_(self) -> str:
        return html_table(
            f"VideoInfo of {self.name}", (), [(field.name, getattr(self, field.name)) for field in fields(self)]
        )

    @property
    def expected_frame_count(self) -> int | None:
        """Frames to expect: as told, else by duration and rate (Matroska counts none); None where nobody knows."""
        if self.frame_count is None and self.duration and self.fps:
            return round(self.duration * self.fps)
        return self.frame_count


def _in_words(image: object) -> str:
    """Return size and kind of an image: "320x240 BGR uint8"."""
    if not isinstance(image, np.ndarray) or image.ndim not in (2, 3):
        return type(image).__name__
    colours = {1: "grey", 3: "BGR", 4: "BGRA"}
    channels = image.shape[2] if image.ndim == 3 else 1
    return f"{image.shape[1]}x{image.shape[0]} {colours.get(channels, f'{channels} channels')} {image.dtype}"


def too_large(name: str, width: int, height: int) -> str:
    """Return the one line that refuses a picture of more than `MAX_PIXELS`."""
    return (
        f"cannot open {name}: its pictures have {width}x{height} pixels, more than the {MAX_PIXELS} "
        "supported; scale them down with another program"
    )
