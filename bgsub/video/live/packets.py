"""Encoded packets as they are kept, and what is known of the streams that they belong to."""

from __future__ import annotations

import io
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NamedTuple

import av
from av.stream import Stream

from bgsub.video.frame import MAX_PIXELS
from bgsub.video.rational import fraction

_FINE = Fraction(1, 90_000)


class Kept(NamedTuple):
    """An encoded packet of pictures or of sound, to be kept, written, or decoded later.

    Attributes
    ----------
    data : bytes
        As the camera sent it.
    is_video : bool
        Whether it is of pictures.
    is_key : bool
        Decoding can begin here.
    pts, dts : int
        When it is shown and decoded, in ticks of its stream.
    duration : int
        Ticks, 0 where it is not known.
    zero : float
        Seconds of the clock at tick 0.
    time : float
        Seconds of the clock at which it is decoded.
    """

    data: bytes
    is_video: bool
    is_key: bool
    pts: int
    dts: int
    duration: int
    zero: float
    time: float

    def as_packet(self) -> av.Packet:
        """Return it as a packet of its own, which its user may change."""
        packet = av.Packet(self.data)
        packet.pts, packet.dts, packet.duration = self.pts, self.dts, self.duration
        packet.is_keyframe = self.is_key
        return packet


class Template:
    """A stream's codec and all that a decoder or a container must know of it; it outlives its connection.

    Parameters
    ----------
    stream : av.stream.Stream
        Of an open container.
    stamped : bool
        Its packets tell their times, in its own ticks; those that are given one by their arrival have ticks that are
        fine enough for any.

    Raises
    ------
    ValueError
        When its codec has no place in any container.
    """

    def __init__(self, stream: Any, *, stamped: bool = True) -> None:
        self._holder, self.stream = _copied(stream)
        context: Any = stream.codec_context
        self.codec: str = context.codec.canonical_name
        self.time_base = (stamped and fraction(stream.time_base)) or _FINE
        self.size = (context.width, context.height) if stream.type == "video" else (0, 0)
        sound = () if stream.type == "video" else (context.sample_rate, context.layout.name)
        self.identity = (self.codec, self.time_base, bytes(context.extradata or b""), self.size, sound)

    def decoder(self, threads: int = 1) -> Any:
        """Return a new codec context that decodes its packets."""
        context: Any = _copied(self.stream)[1].codec_context
        context.thread_count = threads
        if self.stream.type == "video":
            context.thread_type = "SLICE"
            context.options = {"max_pixels": str(MAX_PIXELS)}
        return context


def _copied(stream: Any) -> tuple[Any, Stream]:
    """Return a copy of a stream, in a container in memory that is never written."""
    holder = av.open(io.BytesIO(), "w", format="nut")  # takes nearly all
    return holder, holder.add_stream_from_template(stream, opaque=True)


@dataclass(frozen=True, slots=True)
class Streams:
    """What a connection brings.

    Attributes
    ----------
    video : Template
        Of the pictures.
    audio : Template or None
        Of the sound.
    fps : Fraction or None
        Pictures a second, as far as told.
    """

    video: Template
    audio: Template | None = None
    fps: Fraction | None = None

    def goes_on_from(self, other: Streams) -> bool:
        """Say whether packets of both may follow each other in one file."""

        def identity(streams: Streams) -> tuple[object, object]:
            return streams.video.identity, streams.audio and streams.audio.identity

        return identity(self) == identity(other)

    def __str__(self) -> str:
        width, height = self.video.size
        sound = f" with {self.audio.codec}" if self.audio else ""
        return f"{width}x{height} {self.video.codec}{sound}"
