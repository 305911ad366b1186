"""The encoded packets of a video, before anything is decoded: to decode them, to keep them, to copy them."""

from __future__ import annotations

import collections
import errno
import logging
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from time import monotonic
from types import TracebackType
from typing import Literal, Self

import av
from av.video.stream import VideoStream

from bgsub.errors import SourceError
from bgsub.stores.addresses import ADVICE
from bgsub.video.rational import fraction
from bgsub.video.readers.demuxing import Input, duration_of, explain_read, open_input, size_of
from bgsub.video.readers.rates import camera_rate, is_certain, is_doubtful, joined_length, nominal_rate
from bgsub.video.readers.raw import RawPictures
from bgsub.video.readers.receiving import CLOCKLESS, LIVE_SCHEMES, Received, Receiver, is_recording

log = logging.getLogger(__name__)

# Packets that are looked at before the first is handed out: of a file, and of what comes only as fast as it is sent.
_AHEAD, _AHEAD_SENT = 250, 10
_AHEAD_BYTES = 16 << 20
_CLOSED = "the sender closed it; check the sender and open it again"
_TS_DISCONT = 0x200  # FFmpeg's AVFMT_TS_DISCONT


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
    arrival : float or None
        When it came, in seconds of the monotonic clock; None where packets do not come by themselves (a file).
    """

    index: int
    time: float | None
    keyframe: bool
    data: av.Packet
    arrival: float | None = None


class BrokenRead(Exception):
    """Reading broke off; the text says in a few words why."""


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
        Nominal frames per second; None where neither the container nor the time stamps of its first packets tell.
    duration : float or None
        Seconds, None where the container states none that can be true.
    time_base : Fraction
        Seconds per tick of the packets' time stamps.
    live : bool
        Packets come at the pace of the world, as far as can be told at the beginning.
    clock : {"stamps", "both", "arrival"}
        What tells the time: the time stamps; of a stream that is live for certain also the arrival of packets, where
        stamps fail; that alone, where the format has no time stamps (MJPEG over HTTP, raw H.264) and a camera sends it.
    joined : bool
        Streams of this format may be joined end to end, each with a clock of its own (MPEG-TS, HLS, Ogg).
    repeatable : bool
        Opening it a second time gives the same packets.
    count : int
        Packets read so far.
    closed, abandoned : bool
        Nothing more can be read; nothing more is wanted.
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

    def __init__(self, opened: Input, *, scheme: str = "", began: float | None = None) -> None:
        self.input = opened
        self.name = opened.name
        self.codec = opened.codec
        self.time_base = fraction(opened.stream.time_base) or Fraction(1, 90_000)
        self.joined = bool(opened.container.format.flags & _TS_DISCONT)
        self.count = 0
        self.broken = ""
        self.closed = self.abandoned = False
        self._scheme = scheme
        self._is_sized = opened.kind == "network" and size_of(opened.container) is not None
        self._origin: int | None = None  # time stamp of the first packet
        self._ahead: collections.deque[Received] = collections.deque()
        self._seen_all = False
        self._receiver: Receiver | None = None
        self._demuxed: Iterator[Received] = (Received(data, None) for data in self._demux())
        if opened.kind == "network" and not is_recording(opened.container):
            begun = monotonic() if began is None else began
            self._receiver = Receiver(self._demux(), opened.close, begun, float(self.time_base))
            self._demuxed = iter(self._receiver)
        clockless = opened.container.format.name in CLOCKLESS
        burst = self._receiver is not None and self._receiver.is_burst(clockless=clockless)
        # Nothing else than cameras sends such streams, or at its own pace a stream without a clock.
        self._is_camera = scheme in LIVE_SCHEMES or (opened.kind == "network" and clockless and not burst)
        open_list = opened.container.format.name == "hls"  # one that has no end yet
        self.live = self._receiver is not None and (self._is_camera or open_list or not burst)
        self.repeatable = opened.kind == "file" or (opened.kind == "network" and self._receiver is None)
        self.clock: Literal["stamps", "both", "arrival"] = "stamps"
        if self._receiver is not None and self._is_camera:
            self.clock = "arrival" if clockless and not burst else "both"
        if self._receiver is not None and self.clock == "arrival":
            self.fps = camera_rate(self._receiver.rate)
        else:
            self.fps = nominal_rate(opened, self._look_ahead())
        self.duration = duration_of(opened)
        if self.joined and opened.kind == "file":
            seen = [received.data for received in self._ahead]
            self.duration = joined_length(seen, self._seen_all, self.duration, opened)

    @property
    def stream(self) -> VideoStream:
        """The stream: the template of one that takes these packets, in another container."""
        return self.input.stream

    def __iter__(self) -> Iterator[Packet]:
        """Yield the packets; raise `SourceError` where a network stream breaks off, or a store gives up.

        A file that cannot be read to its end ends there, with a warning.
        """
        if self.closed:
            return
        try:
            for received in self._next_packets():
                yield self._packet(received)
                # Closed between two packets: the container must not be touched again.
                if self.closed or self.abandoned:
                    return
            if self.abandoned:
                return
            if self._receiver is not None and not self._may_end():
                self.broken = _CLOSED
        except BrokenRead as error:
            if self.input.kind != "network" and not self.input.lost:
                if self.count:  # else the caller says that there is nothing
                    log.warning("%s cannot be read to its end: %s", self.input.shown, error)
                return
            # FFmpeg takes the end of an answer of HTTP 1.0 for an error: nothing told it that the end would come.
            failure = error.__cause__
            closed = not self._is_sized and isinstance(failure, OSError) and failure.errno == errno.EIO
            if closed and self._may_end():
                return
            self.broken = _CLOSED if closed else f"{error}; check the sender and the network"
        if self.input.lost:
            self.broken = f"{explain_read(self.input.lost)}; {ADVICE}"
        if self.broken:
            raise SourceError(f"{self.input.shown} broke off after {self.count} packets: {self.broken}")

    @property
    def is_live_now(self) -> bool:
        """Packets still come, and at the pace of the world: who does not keep up with them falls behind."""
        receiver = self._receiver
        if receiver is None or receiver.has_ended:
            return False
        return self._is_camera or receiver.is_paced

    @property
    def backlog(self) -> int:
        """Packets that a network source had sent before its reading began: when each came is not known."""
        return self._receiver.backlog if self._receiver else 0

    @property
    def silence(self) -> float:
        """Longest seconds between two packets of a network source, those long ago counting less."""
        return self._receiver.silence if self._receiver else 0.0

    def _may_end(self) -> bool:
        """Say whether the end of the stream is that of a recording, not of a camera's connection."""
        if self.input.container.format.name == "hls":
            return True
        web = self._scheme in ("http", "https")
        return web and not (self._is_camera or (self._receiver and self._receiver.is_paced))

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
            self._ahead.clear()
            self._demuxed = (Received(data, None) for data in self._demux())
        except Exception as error:
            raise SourceError(
                f"cannot seek in {self.input.shown}: {explain_read(error)}; read it from the beginning"
            ) from error

    def unread(self, packets: Sequence[Packet]) -> None:
        """Take the last packets read back, to be read again.

        Parameters
        ----------
        packets : sequence of Packet
            The last ones, in their order.
        """
        self._ahead.extendleft(Received(packet.data, packet.arrival) for packet in reversed(packets))
        self.count -= len(packets)

    def _demux(self) -> Iterator[av.Packet]:
        """Yield FFmpeg's packets; raise `BrokenRead` whatever it is that the library raises."""
        packets = self.input.container.demux(self.input.stream)
        while True:
            try:
                data = next(packets)
            except (StopIteration, IndexError):
                # At the end PyAV stumbles over streams that have appeared while it was reading.
                return
            except Exception as error:
                raise BrokenRead(explain_read(error)) from error
            if data.size:  # AVI has empty ones, to repeat a picture, and FFmpeg ends with one
                yield data

    def _next_packets(self) -> Iterator[Received]:
        """Yield what was looked at ahead, then what comes."""
        while self._ahead:
            yield self._ahead.popleft()
        while received := next(self._demuxed, None):  # to be taken up again by another iteration
            yield received

    def _look_ahead(self) -> list[int | None]:
        """Return the time stamps of the first packets, as far as the rate needs them; they are handed out later."""
        if is_certain(self.input):
            return []
        if self.input.kind != "file" and not is_doubtful(self.input):
            return [_stamp(data) for data in self._receiver.waiting()] if self._receiver else []
        most = _AHEAD if self.input.kind == "file" else _AHEAD_SENT
        size = 0
        try:
            while len(self._ahead) < most and size < _AHEAD_BYTES:
                received = next(self._demuxed, None)
                if received is None:
                    self._seen_all = True
                    break
                self._ahead.append(received)
                size += received.data.size
        except BrokenRead as error:
            self._demuxed = _broken(error)
        return [_stamp(received.data) for received in self._ahead]

    def abandon(self) -> None:
        """Let the iteration end at its next packet; may be called in any thread."""
        self.abandoned = True
        if self._receiver is not None:
            self._receiver.interrupt()

    def close(self) -> None:
        """Close the file or connection; call it in the thread that iterates, or when none does."""
        if not self.closed:
            self.closed = True
            if self._receiver is not None:
                self._receiver.close()  # which closes the input when it no longer reads
            else:
                self.input.close()

    def _packet(self, received: Received) -> Packet:
        """Give the next packet its number and its time."""
        data, arrival = received
        index = self.count
        self.count += 1
        stamp = _stamp(data)
        if stamp is None:
            return Packet(index, None, data.is_keyframe, data, arrival)
        if self._origin is None:
            self._origin = stamp
        # A quotient of integers is as exact as a Fraction, and much faster.
        ticks = stamp - self._origin
        seconds = ticks * self.time_base.numerator / self.time_base.denominator
        return Packet(index, seconds, data.is_keyframe, data, arrival)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _stamp(data: av.Packet) -> int | None:
    return data.pts if data.pts is not None else data.dts


def _broken(error: Exception) -> Iterator[Received]:
    """Yield nothing, and raise what went wrong while packets were looked at ahead."""
    raise error
    yield


def open_packets(
    location: str | os.PathLike[str],
    *,
    stream: int | None = None,
    raw: RawPictures | None = None,
    rate: Fraction | None = None,
) -> PacketSource:
    """Open a video to read its encoded packets.

    Parameters
    ----------
    location : str or path-like
        Path of a file, or its address on a store; URL of a stream (``rtsp://``, ``http://``, ...); ``-`` for
        standard input.
    stream : int, optional
        Number of the stream in its container; the best one where none is given.
    raw : RawPictures, optional
        How pictures without a header are read.
    rate : Fraction, optional
        Frames per second of these.

    Returns
    -------
    PacketSource
        Open; a context manager.

    Raises
    ------
    SourceError
        When it cannot be opened, has no video, or its pictures are larger than supported.
    """
    began = monotonic()
    place = os.fspath(location)
    opened = open_input(place, stream=stream, raw=raw, rate=rate)
    try:
        return PacketSource(opened, scheme=place.partition("://")[0].lower(), began=began)
    except BaseException as error:
        opened.close()
        if isinstance(error, Exception) and not isinstance(error, SourceError):
            raise SourceError(f"cannot open {opened.shown}: {explain_read(error)}; check the file") from error
        raise
