"""The packets of a file's sound, on the clock of its frames."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import av
import av.stream
from av.audio.stream import AudioStream

from bgsub.errors import SourceError
from bgsub.video.rational import fraction
from bgsub.video.readers.demuxing import open_input
from bgsub.video.readers.refusals import one_line
from bgsub.video.sound import Sound

_LATE = Fraction(1, 2)  # seconds by which what comes after a seek may begin too late: then all is read
_SEEK_FROM = 3  # seconds; reading so much takes no longer than a seek
_GAP, _STEP_BACK = 10, 1  # seconds without sound, or back, after which its clock is no longer that of the frames

Timed = tuple[Fraction, av.Packet]


class SoundReader:
    """Encoded packets of the best stream of sound, read once.

    Parameters
    ----------
    sound : Sound
        Where it is.
    start : float
        Time of the frame from which on sound is wanted.

    Attributes
    ----------
    stream : AudioStream
        The template of one that takes these packets, in another container.
    broken_at : float or None
        Time at which the clock of the sound was set, and nothing more was read; None if it was not.
    damage : str or None
        Where and why the library could not read on, and nothing more was read; None if it could.

    Raises
    ------
    SourceError
        When the file cannot be opened, or holds no sound.
    """

    def __init__(self, sound: Sound, start: float) -> None:
        self._sound = sound
        self._start = Fraction(start)
        self.broken_at: float | None = None
        self._open()
        if self._begins_late() and self._input.seekable:
            self._seek()

    def __iter__(self) -> Iterator[Timed]:
        """Yield the packets from the start on with their times; a file that breaks off, or is damaged, ends there."""
        last = None
        for time, packet in self._packets:
            if last is not None and not -_STEP_BACK <= time - last <= _GAP:
                self.broken_at = float(last)
                return
            last = time
            if time >= self._start:
                yield time, packet

    def close(self) -> None:
        """Close the file. Calling it again does nothing."""
        self._input.close()

    def _open(self) -> None:
        self._input = open_input(self._sound.path)
        stream: Any = self._input.container.streams.best("audio")
        if not isinstance(stream, AudioStream) or stream.codec_context is None:
            self._input.close()
            raise SourceError(f"{self._sound.path} holds no sound that can be read; leave it out")
        if hasattr(av.stream, "Discard"):  # who opens a video for its pictures leaves its sound out
            stream.discard = av.stream.Discard.default
        self.stream = stream
        self.damage: str | None = None
        self._packets = self._demux()

    def _begins_late(self) -> bool:
        """Say whether sound is wanted only from long after the file's beginning on."""
        began = Fraction(self._input.container.start_time or 0, av.time_base)
        return self._sound.origin + self._start - began > _SEEK_FROM

    def _seek(self) -> None:
        """Go near the start; where that leads beyond it, begin at the beginning."""
        try:
            self._input.container.seek(int((self._sound.origin + self._start - 1) * av.time_base))
            first = next(self._packets, None)
        except Exception:  # whatever the library raises of a file that cannot be sought in
            first = None
        if first is None or first[0] > self._start + _LATE:
            self._input.close()
            self._open()
        else:
            self._packets = itertools.chain([first], self._packets)

    def _demux(self) -> Iterator[Timed]:
        """Yield what has a time."""
        time_base = fraction(self.stream.time_base) or Fraction(1, 90_000)
        time = Fraction(0)
        try:
            for packet in self._input.container.demux(self.stream):
                if packet.size and packet.pts is not None:
                    time = packet.pts * time_base - self._sound.origin
                    yield time, packet
            if self._input.lost:
                raise self._input.lost
        except Exception as error:  # whatever the library raises of a damaged file
            self.damage = f"cannot be read beyond {float(time):.1f} s ({one_line(error)})"
