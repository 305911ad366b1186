"""Open anything that yields frames: video files, streams, cameras, image folders, standard input."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from bgsub.errors import ParameterError, SourceError
from bgsub.formats import READABLE_IMAGES
from bgsub.stores.addresses import ADVICE, is_stored
from bgsub.stores.store_paths import as_path, shown
from bgsub.video.locating import locate
from bgsub.video.rational import as_rate
from bgsub.video.selection import Selection
from bgsub.video.source import Source

if TYPE_CHECKING:
    from bgsub.video.readers.raw import RawPictures

# The readers are imported where a source of their kind is opened: PyAV and OpenCV take long to load.

_CAMERA_DEPTH = 2  # frames kept of a camera: more would only be older


OneSource = str | os.PathLike[str] | int


def open_source(
    source: OneSource | Sequence[OneSource],
    *,
    start: float | None = None,
    end: float | None = None,
    duration: float | None = None,
    every: int = 1,
    scale: float | None = None,
    luma: bool = False,
    shrink: int = 1,
    enough: float = 0.0,
    fps: float | Fraction | None = None,
    stream: int | None = None,
    size: str | tuple[int, int] | None = None,
    pixel_format: str | None = None,
    reconnect: bool = False,
    prefetch: int = 8,
    threads: int | None = None,
) -> Source:
    """Open a video source.

    Parameters
    ----------
    source : str, path-like or int
        A video or image file; a URL (``rtsp://``, ``http://``, ``udp://``, ...); a camera by index (``0`` or
        ``"0"``) or device (``/dev/video0``); ``-`` for a video on standard input; a folder of images, or of a
        CDnet sequence (its ``input`` folder is read); a pattern of image files (``in%06d.jpg``, ``*.png``). Files,
        folders and patterns may lie on a store that fsspec reaches (``s3://bucket/cam1.mp4``).
        Images come in the order of the numbers in their names. A list or tuple of these is one source: the parts
        follow on one timeline, brought to the size of the first; one that cannot be read whole is warned of, and
        when all were read the iteration raises `SourceError`. Images are one sequence, in the order given.
    start, end : float, optional
        Deliver frames with ``start <= time < end``, in seconds from the source's first frame. Times and indices are
        those of a full read; where packets tell them for certain, what comes long before the start is not decoded.
    duration : float, optional
        Instead of `end`: seconds from `start`.
    every : int, default 1
        Deliver only the frames whose index is a multiple of `every`.
    scale : float or int, optional
        At most 1: factor on width and height. Above 1: width in pixels to shrink to; a narrower source stays
        as it is. Pixels are averaged over their area. A model's `region` is in pixels of the frames that it gets,
        the scaled ones; `info.source_size` is their size before.
    luma : bool, default False
        Deliver pictures grey, as their brightness alone, 0 to 255: quicker than in colour. Grey of more than 8 bits
        stays as it is.
    shrink : int, default 1
        Deliver the means of squares of pixels: quicker than `scale`. Up to 64 it is the pixels along a side; above
        that the greatest width in pixels, which the least power of two that is enough brings a picture to. Rows and
        columns at the right and the lower edge that fill no square are cut off. It does not go with `scale`.
    enough : float, default 0
        Frames per second that are enough: of a source with twice as many only every second frame is delivered, of one
        with three times as many every third; 0: all are. It does not go with `every`.
    fps : float or Fraction, optional
        Frames per second of a source without times (images, default 25; raw streams); replaces the times of a
        file. Of a camera it is what the camera is asked for.
    stream : int, optional
        Number of the stream of a file or network stream that holds several, as `probe` lists them. Unless told it is
        the best one: never a cover picture, rather the one marked as the default, then the largest.
    size : str or tuple of int, optional
        Width and height, ``"640x480"`` or ``(640, 480)``, of pictures without a header (``.yuv``), which are read as
        such.
    pixel_format : str, optional
        Of such pictures, by FFmpeg's name. Unless told it is that of the extension (``.nv12``, ``.rgb``, ...), or
        ``yuv420p``.
    reconnect : bool, default False
        Open a network stream or a camera again whenever it drops, or gives no picture for 10 s: as long as it takes,
        after 1, 2, 4 ... 30 s. Times go on by the world's clock, `Source.reconnects` counts.
    prefetch : int, default 8
        Frames decoded ahead in a thread of their own; 0 decodes in the caller's thread. Where frames come at the
        pace of the world and the reader falls behind for good, the oldest are dropped and counted in ``dropped``.
    threads : int, optional
        Most threads that decode; unless told as many as there are processors. One decoder of many at a time takes the
        least of all processors with one.

    Returns
    -------
    Source
        Open, its `info` known; a context manager.

    Raises
    ------
    SourceError
        When the source cannot be opened; one line says what, where and what to do.
    ParameterError
        When a parameter is out of its bounds.

    Examples
    --------
    >>> import bgsub
    >>> with bgsub.open_source("sample_videos/street.mp4", start=1, duration=0.1) as source:
    ...     for frame in source:
    ...         print(frame)
    Frame(index=25, time=1, image=640x360 BGR uint8)
    Frame(index=26, time=1.04, image=640x360 BGR uint8)
    Frame(index=27, time=1.08, image=640x360 BGR uint8)
    """
    selection = Selection.checked(
        start=start,
        end=end,
        duration=duration,
        every=every,
        scale=scale,
        luma=luma,
        shrink=shrink,
        enough=enough,
        threads=threads,
    )
    rate = _checked_rate(fps)
    if prefetch < 0:
        raise ParameterError(f"prefetch={prefetch} is out of bounds; give 0 (no thread) or more frames")
    if stream is not None and (int(stream) != stream or stream < 0):
        raise ParameterError(f"stream={stream} is out of bounds; give the number of a stream, from 0")
    reading = _Reading(rate, stream, _raw(size, pixel_format))
    if reconnect:
        return _open_again_and_again(source, selection, reading, prefetch)
    opened = _open(source, selection, reading)
    if prefetch == 0:
        return opened
    from bgsub.video.readers.prefetch import Prefetch

    depth = min(prefetch, _CAMERA_DEPTH) if opened.info.codec == "camera" else prefetch
    return Prefetch(opened, depth)


def probe(
    source: OneSource | Sequence[OneSource],
    *,
    stream: int | None = None,
    size: str | tuple[int, int] | None = None,
    pixel_format: str | None = None,
) -> dict[str, object]:
    """Open a source, see what is known of it, and close it.

    Parameters
    ----------
    source : str, path-like or int
        As `open_source` takes it.
    stream : int, optional
        Number of the stream, as of `open_source`.
    size, pixel_format : optional
        Of pictures without a header, as of `open_source`.

    Returns
    -------
    dict
        In types that JSON has: ``name``, ``width``, ``height`` (upright), ``fps``, ``frame_count``,
        ``duration``, ``codec``, ``live``, ``sample_aspect_ratio`` (of a pixel: ``"16:11"``), ``bits`` (of a
        sample); of what FFmpeg reads also ``start_time``, ``container``, ``pixel_format``, ``mirrored`` and
        ``rotation`` (applied in this order, degrees counterclockwise), ``bit_rate`` (per second),
        ``variable_frame_rate`` (None where the container does not tell), ``audio``, ``stream`` (the number of the one
        that is read) and ``streams`` (of each ``index``, ``type``, ``codec``, ``default``, of video also ``width``,
        ``height``, ``fps``, ``cover``).

    Raises
    ------
    SourceError
        As `open_source`.
    """
    with open_source(source, stream=stream, size=size, pixel_format=pixel_format, prefetch=0) as opened:
        return opened.describe()


@dataclass(frozen=True, slots=True)
class _Reading:
    """How a source is read: its frames per second, which of its streams, and what a header would say."""

    rate: Fraction | None = None
    stream: int | None = None
    raw: RawPictures | None = None

    def only_rate(self, shown: object) -> Fraction | None:
        """Return the rate for a source that has no streams to choose from, and needs no header."""
        if self.raw is not None:
            raise ParameterError(f"size does not fit {shown}: it is for pictures without a header; leave it out")
        if self.stream is not None:
            raise ParameterError(f"stream={self.stream} does not fit {shown}: only videos hold several; leave it out")
        return self.rate


def _raw(size: str | tuple[int, int] | None, pixel_format: str | None) -> RawPictures | None:
    if size is None and pixel_format is None:
        return None
    from bgsub.video.readers.raw import RawPictures

    return RawPictures.checked(size, pixel_format)


def _open(source: OneSource | Sequence[OneSource], selection: Selection, reading: _Reading) -> Source:
    """Find out what kind of source it is and open it with the reader of that kind."""
    if not isinstance(source, (str, int, os.PathLike)):
        return _open_joined(source, selection, reading)
    if isinstance(source, int):
        if source < 0:
            raise SourceError(f"cannot open camera {source}: cameras are numbered from 0; check the number")
        return _open_camera(source, selection, reading)
    if not os.fspath(source):
        raise SourceError("cannot open a source without a name; give a file, a folder, a URL or a camera's number")
    found = locate(source)
    if isinstance(found, int):
        return _open_camera(found, selection, reading)
    if isinstance(found, str):
        return _open_container(found, selection, reading)
    return _open_path(found, selection, reading)


def _open_joined(parts: Sequence[OneSource], selection: Selection, reading: _Reading) -> Source:
    """Open several sources as one."""
    if len(parts) == 1:
        return _open(parts[0], selection, reading)
    names = [part if isinstance(part, int) else os.fspath(part) for part in parts]
    files = [as_path(name) for name in names if isinstance(name, str) and Path(name).suffix.lower() in READABLE_IMAGES]
    if names and len(files) == len(names) and all(_is_picture(file) for file in files):
        from bgsub.video.readers.images import ImageSource

        return ImageSource(files, selection, reading.only_rate(f"{files[0]} and others"))
    from bgsub.video.readers.concatenated import ConcatenatedSource

    return ConcatenatedSource(names, lambda part, wanted: _open(part, wanted, reading), selection)


def _open_again_and_again(
    source: OneSource | Sequence[OneSource], selection: Selection, reading: _Reading, prefetch: int
) -> Source:
    """Open what may drop and come back."""
    found = locate(source) if isinstance(source, (str, int, os.PathLike)) else Path()
    camera = isinstance(found, int) or re.fullmatch(r"/dev/video\d+", str(found)) is not None
    network = isinstance(found, str) and found != "-"
    if not (network or camera):
        raise ParameterError(
            f"reconnect is for network streams and cameras, which come back; {source} is neither: leave it out"
        )
    from bgsub.video.readers.reconnecting import ReconnectingSource

    depth = min(prefetch, _CAMERA_DEPTH) if camera else prefetch
    return ReconnectingSource(lambda: _open(source, Selection(), reading), selection, max(depth, 1))


def _is_picture(path: Path) -> bool:
    """Say whether a file is there and holds no animation and no stack."""
    from bgsub.video.readers.contents import SEVERAL, content_of

    try:
        return path.is_file() and content_of(path) not in SEVERAL
    except OSError:
        return False


def _open_path(path: Path, selection: Selection, reading: _Reading) -> Source:
    from bgsub.video.readers.image_names import is_pattern

    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        if is_pattern(path):
            return _open_images(path, selection, reading)
        if re.fullmatch(r"/dev/video\d+", str(path)):
            return _open_camera(str(path), selection, reading)
        raise SourceError(f"cannot open {shown(path)}: no such file or folder; check the path") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        advice = ADVICE if is_stored(path) else "check the path"
        raise SourceError(f"cannot open {shown(path)}: {reason}; {advice}") from error
    if stat.S_ISCHR(mode):
        return _open_camera(str(path), selection, reading)
    if stat.S_ISDIR(mode):
        return _open_images(path, selection, reading)
    return _open_file(path, stat.S_ISREG(mode), selection, reading)


def _open_images(path: Path, selection: Selection, reading: _Reading) -> Source:
    """Open a folder or a pattern of images; where it is one file, as what that holds."""
    from bgsub.video.readers.images import ImageSource, list_images

    files = list_images(path)
    if len(files) == 1 and not _is_picture(files[0]):
        return _open_file(files[0], True, selection, reading)
    return ImageSource(path, selection, reading.only_rate(path))


def _open_file(path: Path, regular: bool, selection: Selection, reading: _Reading) -> Source:
    """Open a file as what it holds, whatever it is called."""
    from bgsub.video.readers.contents import content_of, is_sequence

    try:
        content = content_of(path) if regular and reading.raw is None else "other"
        single = content == "other" and path.suffix.lower() in READABLE_IMAGES and not (regular and is_sequence(path))
    except OSError as error:
        advice = ADVICE if is_stored(path) else "check its permissions"
        raise SourceError(f"cannot open {shown(path)}: {error.strerror or error}; {advice}") from error
    if content == "tiff":
        from bgsub.video.readers.pages import PagesSource, TiffStack

        return PagesSource(path, TiffStack(path), selection, reading.only_rate(path))
    if content == "webp":
        from bgsub.video.readers.pages import PagesSource
        from bgsub.video.readers.webp import WebPStack

        return PagesSource(path, WebPStack(path), selection, reading.only_rate(path))
    if single and reading.raw is None:
        from bgsub.video.readers.images import ImageSource

        return ImageSource(path, selection, reading.only_rate(path))
    return _open_container(str(path), selection, reading)


def _open_container(location: str, selection: Selection, reading: _Reading) -> Source:
    from bgsub.video.readers.container import ContainerSource

    return ContainerSource(location, selection, reading.rate, stream=reading.stream, raw=reading.raw)


def _open_camera(device: int | str, selection: Selection, reading: _Reading) -> Source:
    from bgsub.video.readers.camera import CameraSource

    return CameraSource(device, selection, reading.only_rate(f"camera {device}"))


def _checked_rate(fps: float | Fraction | None) -> Fraction | None:
    if fps is None:
        return None
    return as_rate(fps)
