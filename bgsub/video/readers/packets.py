"""The encoded packets of a video, before anything is decoded: to decode them, to keep them, to copy them."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from types import TracebackType
from typing import Self

import av
import av.error
from av.video.stream import VideoStream

from bgsub.errors import SourceError
from bgsub.video.rational import fraction
from bgsub.video.readers.demuxing import Input, explain_read, nominal_rate, open_input

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Packet:
    """One encoded packet, in most codecs one picture.

    Attributes
    ----------
    index : int
        Position among the packets read, from 0.
    time : float or None
        Presentation time in seconds from that of the first packet read, as the container states it; None where it
        states none (a raw stream). It is the picture's `Frame.time`, but for what a `Source` mends: a clock that is
        restarted, B-frames in AVI, a beginning that cannot be decoded.
    keyframe : bool
        Decoding, and a copy, can begin here.
    data : av.Packet
        The bytes with their time stamps, for PyAV to decode or to write.
    """

    index: int
    time: float | None
    keyframe: bool
    data: av.Packet


class PacketSource:
    """Packets of a video in the order in which they are decoded, read once.

    In that order decoding times (`Packet.data.dts`) rise. Presentation times do not where there are B-frames: these
    are shown before a picture that is decoded earlier. A context manager: leaving the block closes the source. The end
    of the stream is the end of the iteration; an interrupted iteration may be taken up again.

    Parameters
    ----------
    opened : Input
        Owned, and closed, by this one from now on.

    Attributes
    ----------
    input : Input
        The open container.
    name : str
        Short name for outputs.
    codec : str
        Name of the codec, e.g. ``h264``.
    fps : Fraction or None
        Nominal frames per second; None where the container states none.
    time_base : Fraction
        Seconds per tick of the packets' time stamps.
    live : bool
        Packets come at the pace of the world: what is not read in time is lost.
    repeatable : bool
        Opening it a second time gives the same packets.
    count : int
        Packets read so far.
    closed : bool
        Nothing more can be read.
    broken : str
        Why a network stream broke off, and what to do; empty as long as it has not.

    Examples
    --------
    Copy a video without decoding it:

    >>> import io
    >>> import av
    >>> copied = io.BytesIO()  # or a name
    >>> with open_packets("sample_videos/night.mp4") as packets, av.open(copied, "w", format="matroska") as copy:
    ...     stream = copy.add_stream_from_template(packets.stream)
    ...     for packet in packets:
    ...         packet.data.stream = stream
    ...         copy.mux(packet.data)
    >>> len(copied.getvalue()) > 10_000
    True
    """

    def __init__(self, opened: Input) -> None:
        self.input = opened
        self.name = opened.name
        self.codec = opened.codec
        self.fps = nominal_rate(opened)
        self.time_base = fraction(opened.stream.time_base) or Fraction(1, 90_000)
        self.live = opened.kind == "network" and opened.container.duration is None
        self.repeatable = opened.kind == "file" or (opened.kind == "network" and not self.live)
        self.count = 0
        self.broken = ""
        self._origin: int | None = None  # time stamp of the first packet
        self.closed = False

    @property
    def stream(self) -> VideoStream:
        """The stream: the template of one that takes these packets, in another container."""
        return self.input.stream

    def __iter__(self) -> Iterator[Packet]:
        """Yield the packets; raise `SourceError` where a network stream breaks off.

        A file that cannot be read to its end ends there, with a warning.
        """
        if self.closed:
            return
        try:
            for data in self.input.container.demux(self.input.stream):
                if data.size:  # AVI has empty ones, to repeat a picture, and FFmpeg ends with one
                    yield self._packet(data)
                    # Closed between two packets: the container must not be touched again.
                    if self.closed:
                        return
            if self.live:
                self.broken = "the sender closed it; check the sender and open it again"
        except av.error.FFmpegError as error:
            if self.input.kind != "network":
                log.warning("%s cannot be read to its end: %s", self.input.shown, explain_read(error))
                return
            self.broken = f"{explain_read(error)}; check the sender and the network"
        if self.broken:
            raise SourceError(f"{self.input.shown} broke off after {self.count} packets: {self.broken}")

    def seek(self, stamp: int) -> None:
        """Go on reading at the last keyframe before a time stamp.

        Look at what comes: a container without an index (MPEG-TS) leads near the place, perhaps after it, and not
        always to a keyframe. Packets are numbered on, and timed from the same first packet.

        Parameters
        ----------
        stamp : int
            In ticks of `time_base`, as `Packet.data.pts` is.

        Raises
        ------
        SourceError
            When the source cannot be read from elsewhere; where it stands then is not known.
        """
        try:
            self.input.container.seek(stamp, stream=self.input.stream)
        except av.error.FFmpegError as error:
            raise SourceError(
                f"cannot seek in {self.input.shown}: {error.strerror}; read it from the beginning"
            ) from error

    def close(self) -> None:
        """Close the file or connection; call it in the thread that iterates, or when none does."""
        if not self.closed:
            self.closed = True
            self.input.close()

    def _packet(self, data: av.Packet) -> Packet:
        """Give the next packet its number and its time."""
        index = self.count
        self.count += 1
        stamp = data.pts if data.pts is not None else data.dts
        if stamp is None:
            return Packet(index, None, data.is_keyframe, data)
        if self._origin is None:
            self._origin = stamp
        # A quotient of integers is as exact as a Fraction, and much faster.
        ticks = stamp - self._origin
        time = ticks * self.time_base.numerator / self.time_base.denominator
        return Packet(index, time, data.is_keyframe, data)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_packets(location: str | os.PathLike[str]) -> PacketSource:
    """Open a video to read its encoded packets.

    Parameters
    ----------
    location : str or path-like
        Path of a file, URL of a stream (``rtsp://``, ``http://``, ``udp://``, ...), or ``-`` for standard input.

    Returns
    -------
    PacketSource
        Open; a context manager.

    Raises
    ------
    SourceError
        When it cannot be opened, has no video, or its pictures are larger than supported.
    """
    return PacketSource(open_input(os.fspath(location)))
