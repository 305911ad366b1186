"""The sound of parts of several videos as one, on a timeline of its own."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.audio.frame import AudioFrame
from av.container import OutputContainer

from bgsub.errors import SourceError
from bgsub.video.readers.sound import SoundReader
from bgsub.video.sound import Sound

logger = logging.getLogger(__name__)

_RATE = 48_000
_BIT_RATE = 128_000


@dataclass(frozen=True, slots=True)
class Piece:
    """What is heard for a while.

    Attributes
    ----------
    sound : Sound
        Where it is.
    start : float
        Seconds of its source.
    length : float
        Seconds.
    place : float
        When it begins in the whole.
    """

    sound: Sound
    start: float
    length: float
    place: float


def join_sounds(pieces: Sequence[Piece], path: Path) -> Sound | None:
    """Write the sound of pieces, in the order of their places, into a file; None where there is none.

    Parameters
    ----------
    pieces : sequence of Piece
        They do not overlap. One that cannot be read is silent, and warned of.
    path : Path
        ``.mkv``.

    Returns
    -------
    Sound or None
        On the timeline of the whole.
    """
    heard = False
    with av.open(f"file:{path}", "w", format="matroska") as container:
        stream: Any = container.add_stream("aac", rate=_RATE)
        stream.codec_context.layout, stream.codec_context.bit_rate = "stereo", _BIT_RATE
        stream.codec_context.open()
        _add_picture(container)
        resampled = 0  # samples that came out so far
        for piece in pieces:
            try:
                resampler = av.AudioResampler(stream.codec_context.format, "stereo", _RATE)
                first, last = round(piece.place * _RATE), round((piece.place + piece.length) * _RATE)
                at = None
                for frame, time in _decoded(piece):
                    for part in resampler.resample(frame):
                        at = first + round((time - piece.start) * _RATE) if at is None else at
                        begin, at = at, at + part.samples
                        if begin < max(resampled, first) or at > last:
                            continue
                        part.pts, part.time_base = begin, Fraction(1, _RATE)
                        container.mux(stream.encode(part))
                        resampled, heard = at, True
            except SourceError as error:
                logger.warning("%s", error)
        container.mux(stream.encode(None))
    return Sound(str(path), Fraction(0)) if heard else None


def _add_picture(container: OutputContainer) -> None:
    """Put one small picture beside the sound: readers take no file without a video."""
    video: Any = container.add_stream("mjpeg", rate=1)
    video.width, video.height, video.pix_fmt = 16, 16, "yuvj420p"
    picture = av.VideoFrame(16, 16, "yuvj420p")
    picture.pts, picture.time_base = 0, Fraction(1, 1)
    container.mux(video.encode(picture))
    container.mux(video.encode(None))


def _decoded(piece: Piece) -> Iterator[tuple[AudioFrame, float]]:
    """Yield decoded sound with its time in the source."""
    reader = SoundReader(piece.sound, piece.start)
    try:
        for time, packet in reader:
            if time >= piece.start + piece.length:
                return
            try:
                frames = reader.stream.codec_context.decode(packet)
            except Exception:  # whatever the library raises: a damaged packet is a moment of silence
                continue
            for frame in frames:
                yield frame, float(time)
    finally:
        reader.close()
