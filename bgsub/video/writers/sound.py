"""The sound of the source in a video that is written: copied where the container takes it, else encoded anew."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import av
from av.audio.frame import AudioFrame
from av.container import OutputContainer

from bgsub.errors import SourceError
from bgsub.video.readers.sound import SoundReader, Timed
from bgsub.video.sound import Sound

logger = logging.getLogger(__name__)

# What goes over as it is. In .mp4 AC-3 would be a stream that browsers do not play; .mkv takes all that it knows.
_COPIED = {".mp4": {"aac", "mp3", "opus", "flac", "alac"}, ".webm": {"opus", "vorbis"}}
_ENCODERS = {".mp4": "aac", ".mkv": "aac", ".webm": "libopus"}
_RATES = {"libopus": 48_000}
_MOST_RATE = 48_000
_BITS_PER_CHANNEL = 64_000
_SLIP = Fraction(1, 20)  # seconds by which sound may be early or late unnoticed


class SoundTrack:
    """A stream of sound in a container, fed along with the pictures.

    Parameters
    ----------
    sound : Sound
        Where the sound is.
    start : float
        Time of the first picture.
    stretch : Fraction
        By how much longer the container takes a tick to be than it is.

    Attributes
    ----------
    begins_late : bool
        There is no sound yet when the first picture is shown.

    Raises
    ------
    SourceError
        When there is no sound to be had.
    """

    def __init__(self, sound: Sound, start: float, stretch: Fraction) -> None:
        self._reader = SoundReader(sound, start)
        self._name = sound.path
        self._start = start
        self._stretch = stretch
        raw = iter(self._reader)
        first = next(raw, None)
        self._raw = raw if first is None else itertools.chain([first], raw)
        self.begins_late = first is None or first[0] - Fraction(start) > _SLIP
        self._encoder: SoundEncoder | None = None
        self._stream: Any = None
        self._packets: Iterator[Timed] = iter(())
        self._next: Timed | None = None
        self._told_damage = False

    def add_to(self, container: OutputContainer, suffix: str, *, anew: bool = False) -> None:
        """Make the stream in a container that has not begun, of a file of this extension.

        Parameters
        ----------
        container : OutputContainer
            Open for writing.
        suffix : str
            ``.mp4``, ``.mkv`` or ``.webm``.
        anew : bool
            Encode also what the container should take as it is.

        Raises
        ------
        SourceError
            When the container takes no such sound.
        """
        source: Any = self._reader.stream
        try:
            if anew or not is_copied(suffix, source.codec_context) or not self._copied_to(container):
                self._encoder = SoundEncoder(container, _ENCODERS[suffix], source.codec_context)
                self._stream = self._encoder.stream
        except Exception as error:  # whatever the library raises of a codec that it does not know
            raise SourceError(f"the sound of {self._name} ({source.codec_context.name}) fits no {suffix}") from error
        self._packets = self._encoded(self._encoder) if self._encoder else self._raw
        self._next = next(self._packets, None)

    def _copied_to(self, container: OutputContainer) -> bool:
        """Make a stream for the packets as they are; False where the container takes none such."""
        try:
            self._stream = container.add_stream_from_template(self._reader.stream)
        except ValueError:
            return False
        return True

    def until(self, time: float) -> Iterator[av.Packet]:
        """Yield what is heard before a time, ready for the container."""
        while self._next is not None and self._next[0] < time:
            yield self._prepared(*self._next)
            self._next = next(self._packets, None)
        if self._next is None:
            self._tell_what_is_missing()

    def close(self) -> None:
        """Close the file that the sound comes from."""
        self._reader.close()

    def _tell_what_is_missing(self) -> None:
        """Say once that the sound broke off before its end, and why."""
        reader = self._reader
        if reader.broken_at is not None:
            missing = f"the clock of its sound was set at {reader.broken_at:.1f} s"
        elif reader.damage is not None:
            missing = f"its sound {reader.damage}"
        else:
            return
        logger.warning("%s: %s; the rest of it is left out", self._name, missing)
        reader.broken_at = reader.damage = None

    def _prepared(self, time: Fraction, packet: av.Packet) -> av.Packet:
        """Return a packet with its time on the clock of the pictures."""
        time_base = Fraction(packet.time_base or Fraction(1, 48_000))
        ticks = round(time / time_base)
        packet.stream = self._stream
        packet.pts = packet.dts = ticks
        packet.time_base = time_base * self._stretch
        return packet

    def _encoded(self, encoder: SoundEncoder) -> Iterator[Timed]:
        context = self._reader.stream.codec_context
        for time, packet in self._raw:
            try:
                decoded = context.decode(packet)
            except Exception as error:  # whatever the library raises: a damaged packet is a moment of silence
                self._tell_damage(time, error)
                continue
            for frame in decoded:
                yield from self._after_start(encoder.encode(frame, time))
        yield from self._after_start(encoder.encode(None, Fraction(0)))

    def _tell_damage(self, time: Fraction, error: Exception) -> None:
        """Say once that a packet could not be decoded."""
        if not self._told_damage:
            self._told_damage = True
            logger.warning(
                "%s: its sound is damaged at %.1f s (%s) and silent there; more like it is not told",
                *(self._name, time, getattr(error, "strerror", None) or error),
            )

    def _after_start(self, packets: list[Timed]) -> list[Timed]:
        return [(time, packet) for time, packet in packets if time >= self._start]


class SoundEncoder:
    """Encodes decoded sound anew."""

    def __init__(self, container: OutputContainer, codec: str, source: Any) -> None:
        rate = _RATES.get(codec, min(source.sample_rate, _MOST_RATE))
        layout = "mono" if source.layout.nb_channels == 1 else "stereo"
        self.stream: Any = container.add_stream(codec, rate=rate)
        context: Any = self.stream.codec_context
        context.layout = layout
        context.bit_rate = _BITS_PER_CHANNEL * (1 if layout == "mono" else 2)
        context.time_base = Fraction(1, rate)
        context.open()
        self._context = context
        self._rate = rate
        self._resampler = av.AudioResampler(context.format, layout, rate, context.frame_size or None)
        self._next: int | None = None  # sample that comes out next
        self._expected = Fraction(0)  # time of what goes in next

    def encode(self, frame: AudioFrame | None, time: Fraction) -> list[Timed]:
        """Return the packets that are finished with a frame of a time, or with None at the end."""
        if frame is not None:
            frame.pts = None  # samples are counted: those of one packet and of the next need not meet to the tick
            if self._next is None:
                self._next, self._expected = round(time * self._rate), time
            elif abs(time - self._expected) > _SLIP:
                # What the resampler still holds, at a low rate much, keeps its place: all is moved by the gap.
                self._next += round((time - self._expected) * self._rate)
                self._expected = time
            self._expected += Fraction(frame.samples, frame.sample_rate)
        packets: list[av.Packet] = []
        for piece in self._resampler.resample(frame):
            piece.pts, piece.time_base = self._next, Fraction(1, self._rate)
            self._next = (self._next or 0) + piece.samples
            packets += self._context.encode(piece)
        if frame is None:
            packets += self._context.encode(None)
        base = Fraction(1, self._rate)
        for packet in packets:
            packet.time_base = base
        return [(packet.pts * base, packet) for packet in packets if packet.pts is not None]


def is_copied(suffix: str, context: Any) -> bool:
    """Tell whether a container takes a codec's packets as they are; AAC as it is broadcast comes without its head."""
    if context.name in {"aac", "aac_fixed"} and not context.extradata:
        return False
    known = _COPIED.get(suffix)
    return known is None or context.codec.canonical_name in known
