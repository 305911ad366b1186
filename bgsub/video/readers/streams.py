"""The streams of a container: which one is read, and what is said of the others."""

from __future__ import annotations

from typing import Any

import av.stream
from av.container import InputContainer
from av.stream import Disposition, Stream
from av.video.stream import VideoStream

from bgsub.errors import SourceError
from bgsub.threads import processor_bound
from bgsub.video.frame import MAX_PIXELS, too_large
from bgsub.video.rational import fraction
from bgsub.video.selection import Selection

# FFmpeg draws any text file as an 80-column terminal.
_TEXT_FORMATS = frozenset({"adf", "bin", "idf", "tty", "xbin"})
_IMAGE_CODECS = frozenset({"mjpeg", "png", "bmp", "webp", "gif"})
_STILLS = Disposition.still_image | Disposition.timed_thumbnails


def choose_stream(container: InputContainer, shown: str, index: int | None = None) -> VideoStream:
    """Return the stream whose frames are read; packets of the others are no longer asked for.

    Parameters
    ----------
    container : av.container.InputContainer
        Open.
    shown : str
        What messages call it.
    index : int or None
        The number of a stream of video; None chooses: never a cover picture, rather a video than stills, rather the
        one that the file calls its default, and then the largest.

    Raises
    ------
    SourceError
        When there is no such stream, or none that can be decoded, or its pictures are larger than supported.
    ValueError
        When there is no stream at all: what kind of damage that is stands in the file.
    """
    if container.format.name in _TEXT_FORMATS:
        raise SourceError(f"cannot open {shown}: it is a text file, not a video; check the path")
    if not container.streams:
        raise ValueError("it holds nothing")
    videos = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
    if index is not None:
        videos = _of_number(container, videos, shown, index)
    if not videos:
        held = " and ".join(sorted({stream.type for stream in container.streams}))
        raise SourceError(f"cannot open {shown}: it holds {held} but no video; check the path")
    decodable = [stream for stream in videos if stream.codec_context is not None]
    if not decodable:
        raise SourceError(f"cannot open {shown}: FFmpeg has no decoder for its video; convert it to H.264")
    stream = max(decodable, key=lambda one: _rank(one, decodable))
    context: Any = stream.codec_context
    if context.width * context.height > MAX_PIXELS:
        raise SourceError(too_large(shown, context.width, context.height))
    context.options = {"max_pixels": str(MAX_PIXELS)}
    if hasattr(av.stream, "Discard"):  # PyAV 17 has no word for it
        for other in container.streams:
            if other.index != stream.index:
                other.discard = av.stream.Discard.all  # the variants of a network stream are not even fetched
    return stream


def _of_number(container: InputContainer, videos: list[VideoStream], shown: str, index: int) -> list[VideoStream]:
    """Return the stream of that number."""
    chosen = [stream for stream in videos if stream.index == index]
    if chosen:
        return chosen
    others = {stream.index: stream.type for stream in container.streams}
    reason = f"its stream {index} is {_kind(others[index])}" if index in others else f"it has no stream {index}"
    numbers = ", ".join(str(stream.index) for stream in videos) or "none"
    raise SourceError(f"cannot open {shown}: {reason}; its streams of video are: {numbers}")


def _kind(name: str) -> str:
    return "a cover picture" if name == "video" else name


def _rank(stream: VideoStream, others: list[VideoStream]) -> tuple[bool, bool, bool, int, int, int]:
    """Order streams as `choose_stream` says; the first of those that are alike."""
    pixels = _pixels(stream)
    moving = stream.frames != 1 and not stream.disposition & _STILLS and not _is_thumbnails(stream, others)
    default = bool(stream.disposition & Disposition.default)
    # Not the bit rate that FFmpeg finds: an AVIF's transparency, a stream beside, may have more than its colours.
    told = str(stream.metadata.get("variant_bitrate", ""))  # of HLS
    return pixels > 0, moving, default, pixels, int(told) if told.isdecimal() else 0, -stream.index


def _pixels(stream: VideoStream) -> int:
    return int(stream.codec_context.width * stream.codec_context.height)


def _is_thumbnails(stream: VideoStream, others: list[VideoStream]) -> bool:
    """Say whether a stream is images beside a video that is larger and faster.

    MP4 calls it the default nevertheless where it comes first and nobody has said otherwise.
    """
    rate = fraction(stream.average_rate) or 0
    return stream.codec_context.codec.canonical_name in _IMAGE_CODECS and any(
        _pixels(other) > _pixels(stream) and (fraction(other.average_rate) or 0) > rate for other in others
    )


def set_decoder(stream: VideoStream, selection: Selection, *, live: bool) -> None:
    """Choose how a stream is decoded, before the first packet of it is."""
    # Threads over frames, the faster way, delay every frame by as many frames as there are threads.
    stream.thread_type = "SLICE" if live else "AUTO"
    context: Any = stream.codec_context
    threads = processor_bound() if selection.threads is None else selection.threads
    if threads is not None:
        context.thread_count = threads


def list_streams(container: InputContainer) -> list[dict[str, object]]:
    """Return what is known of each stream, in types that JSON has."""
    return [_facts(stream) for stream in container.streams]


def _facts(stream: Stream) -> dict[str, object]:
    context: Any = stream.codec_context
    facts: dict[str, object] = {
        "index": stream.index,
        "type": stream.type,
        "codec": context.codec.canonical_name if context is not None else None,
        "default": bool(stream.disposition & Disposition.default),
    }
    if isinstance(stream, VideoStream) and context is not None:
        rate = fraction(stream.average_rate) or fraction(stream.guessed_rate)
        facts |= {
            "width": context.width,
            "height": context.height,
            "fps": float(rate) if rate else None,
            "cover": bool(stream.disposition & Disposition.attached_pic),
        }
    return facts
