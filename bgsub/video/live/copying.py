"""A film of packets as they came, bit for bit."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from bgsub.video.live.clip_sound import ClipSound
from bgsub.video.live.fragments import FragmentFile
from bgsub.video.live.packets import Kept, Streams

COPIED = frozenset({"h264", "hevc", "av1", "vp9", "mpeg4"})
"""Codecs that players expect in MP4."""


class CopiedFilm:
    """Packets in an MP4 that is whole after each second; its times begin at 0.

    Parameters
    ----------
    file : FragmentFile
        Owned, and closed, by this one from now on.
    streams : Streams
        What the packets belong to.
    first : Kept
        The key frame that it begins with.
    audio : bool
        Sound is wanted.
    """

    def __init__(self, file: FragmentFile, streams: Streams, first: Kept, *, audio: bool) -> None:
        self._file = file
        self._tick = streams.video.time_base
        self._zero = first.zero
        self._shift = -first.dts * self._tick  # from the camera's clock, whose 0 is at `_zero`, to that of the clip
        self._latest = (first.time, Fraction(0))  # of pictures: seconds of the clock, and of the clip
        self._sound_tick = streams.audio.time_base if streams.audio else self._tick
        self._decoded = -1
        self._container = file.open()
        self._stream: Any = self._video(streams)
        self._sound: ClipSound | None = None
        if audio and streams.audio is not None and ClipSound.can_hold(streams.audio):
            self._sound = ClipSound(self._container, streams.audio)

    def _video(self, streams: Streams) -> Any:
        """Make the stream of pictures."""
        stream: Any = self._container.add_stream_from_template(streams.video.stream, opaque=True)
        stream.time_base = self._tick
        if streams.video.codec == "hevc":
            stream.codec_context.codec_tag = "hvc1"  # the one of two that Apple's players take
        return stream

    @property
    def size(self) -> int:
        """Bytes of its file."""
        return self._file.size

    @property
    def shows(self) -> bool:
        """Whether a part of it is shown whatever happens now."""
        return self._file.shows

    def write(self, kept: Kept) -> None:
        """Write the next packet."""
        if kept.is_video:
            self._write_video(kept)
        elif self._sound is not None:
            for packet in self._sound.packets(kept, self._time(kept.zero, kept.dts * self._sound_tick)):
                self._container.mux(packet)
        self._file.settle()

    def _time(self, zero: float, seconds: Fraction) -> Fraction:
        """Return the time in the clip of so many seconds on a camera's clock, whose 0 is at `zero` here."""
        return Fraction(zero - self._zero) + seconds + self._shift

    def _follow(self, kept: Kept) -> None:
        """Take note of the next picture; where the camera's clock is another one, it goes on at the time here.

        Its old zero may be far off by then: a clock that drifts has drifted for as long as the connection held.
        """
        seconds = kept.dts * self._tick
        if kept.zero != self._zero:
            time, shown = self._latest
            self._shift = shown + Fraction(max(0.0, kept.time - time)) - seconds
            self._zero = kept.zero
        self._latest = (kept.time, seconds + self._shift)

    def _write_video(self, kept: Kept) -> None:
        self._follow(kept)
        packet = kept.as_packet()
        moved = round(self._shift / self._tick)
        self._decoded = max(kept.dts + moved, self._decoded + 1)
        packet.dts = self._decoded
        packet.pts = max(kept.pts + moved, self._decoded)
        packet.time_base = self._tick
        packet.stream = self._stream
        self._container.mux(packet)

    def close(self) -> None:
        """Write what is held, and the end of the file."""
        if self._sound is not None:
            for packet in self._sound.rest():
                self._container.mux(packet)
        self._container.close()
        self._file.release()

    def abandon(self) -> None:
        """End the file after its last whole fragment; nothing more can be written to it."""
        self._file.abandon()
        self._container.close()  # writes nothing
        self._file.release()
